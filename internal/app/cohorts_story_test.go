package app_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// keyed is a system with a key of its own, as an administrator makes it through the API.
func (s *asker) keyed(organisation string, roles, scopes []string) *asker {
	s.t.Helper()
	c := s.ask(201, "createClient", nil, map[string]any{"name": "System of " + organisation, "organisation": organisation, "roles": roles, "scopes": scopes})
	made := s.ask(201, "createKey", map[string]string{"client": c["id"].(string)}, map[string]any{})
	return &asker{t: s.t, w: s.w, token: made["secret"].(string)}
}

// A school enrols 75 learners in a program by its key alone: each pays 100,000 XOF at its desk, under the desk's own reference, and is enrolled
// in the four courses then; sent again nothing happens, and the statement of the school adds up to 7,500,000 XOF.
func TestASchoolEnrolsACohortThatPaysAtItsDesk(t *testing.T) {
	w := newWorld(t)
	server, err := app.NewServer(w.h, contract.YAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	walker, err := apitest.New(contract.YAML, server.Test)
	if err != nil {
		t.Fatal(err)
	}
	e := w.program("NETB", nil, money.Of(100_000, "XOF"), nil, 25_000, 25_000, 25_000, 25_000)
	officer := w.person("officer@imt.example", "Officer")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for key, name := range map[string]string{"ESP": "École supérieure polytechnique", "ENS": "École normale"} {
			if err := identity.PutOrganisationTx(ctx, tx, key, name); err != nil {
				return err
			}
		}
		return identity.GrantRoleTx(ctx, tx, officer.ID, "admin")
	})
	institute := &asker{t: t, w: walker, token: w.token(officer.ID)}
	institute.ask(200, "putAgreement", map[string]string{"agreement": "esp-desk"}, map[string]any{
		"organisation": "ESP", "collects": "partner", "currency": "XOF", "share_ppm": 200_000, "valid_from": w.clock.Now().Add(-time.Hour)})
	roles := []string{"registrar", "cashier"}
	school := institute.keyed("ESP", roles, []string{"cohorts:read", "cohorts:write", "desk:write"})
	other := institute.keyed("ENS", roles, []string{"cohorts:read", "cohorts:write", "desk:write"})

	c := school.ask(201, "createPartnerCohort", nil, map[string]any{"organisation": "ESP", "key": "DIC1-2026", "name": "DIC 1", "offer": e.offer.ID, "agreement": "pay_at_school", "seats": 75})
	at := map[string]string{"cohort": c["id"].(string)}
	rows := make([]any, 75)
	for i := range rows {
		rows[i] = map[string]any{"student_key": fmt.Sprintf("ESP-%03d", i), "status": "enrolled", "email": fmt.Sprintf("s%03d@esp.example", i), "given_name": "Awa", "family_name": fmt.Sprint("Diop ", i), "language": "fr"}
	}
	enrol := func(from *asker, want int, more ...func(*apitest.Request)) map[string]int {
		codes := map[string]int{}
		got, _ := from.ask(want, "enrolCohort", at, map[string]any{"rows": rows}, more...)["results"].([]any)
		for _, r := range got {
			codes[r.(map[string]any)["code"].(string)]++
		}
		return codes
	}
	for what, want := range map[string]int{"getPartnerCohort": 404, "listCohortEnrolments": 404} {
		other.ask(want, what, at, nil)
	}
	enrol(other, 404)
	for range 2 { // the same request again is the same answer
		if got := enrol(school, 200, key("dic1")); got["created"] != 75 {
			t.Fatal(got)
		}
	}
	w.quiet()
	members := func(state string) []any {
		return school.ask(200, "listCohortEnrolments", at, nil, query("limit=200&state="+state))["enrolments"].([]any)
	}
	waiting := members("waiting")
	if len(waiting) != 75 {
		t.Fatal(len(waiting), "wait for their payment")
	}
	paid := map[string]any{}
	pay := func(m map[string]any) map[string]any {
		return map[string]any{"order": m["order"], "amount_minor": 100_000, "currency": "XOF", "reference": "QUIT-" + m["student_key"].(string), "payer": "Diop", "received_at": w.clock.Now()}
	}
	desk := map[string]string{"partner": "ESP"}
	for _, x := range waiting {
		m := x.(map[string]any)
		if m["waits_for"] != "payment" {
			t.Fatal(m)
		}
		paid[m["student_key"].(string)] = school.ask(201, "recordDeskReceipt", desk, pay(m))["id"]
	}
	for _, x := range waiting[:5] { // recorded again under another key: the reference is the same
		m := x.(map[string]any)
		if again := school.ask(201, "recordDeskReceipt", desk, pay(m)); again["id"] != paid[m["student_key"].(string)] {
			t.Error("one reference, two receipts:", again)
		}
	}
	w.quiet()
	if got := len(members("enrolled")); got != 75 {
		t.Error(got, "are enrolled")
	}
	if got := enrol(school, 200); got["unchanged"] != 75 {
		t.Error("the same roster again changes something:", got)
	}
	w.quiet()
	w.counts(map[string]int{
		"select count(*) from enrolment.enrolments":                                                                                      300,
		"select count(*) from enrolment.memberships where revoked_at is null":                                                            75,
		"select count(*) from sales.orders where state = 'paid' and way = 'desk'":                                                        75,
		"select count(*) from sales.orders":                                                                                              75,
		"select (-sum(minor))::bigint from ledger.entries where account = 'revenue'":                                                     7_500_000,
		"select count(*) from cohorts.members m join webhooks.owners o on o.order_id = m.order_id where o.organisation = m.organisation": 75,
	})
	her := &asker{t: t, w: walker, token: w.token(w.person("s000@esp.example", "").ID)}
	for status, ways := range map[string]int{"suspended": 0, "withdrawn": 0, "enrolled": 1} { // what she follows is held back, and let go
		school.ask(200, "changeCohortEnrolments", at, map[string]any{"rows": []any{map[string]any{"student_key": "ESP-000", "status": status}}})
		if got := her.ask(200, "listMyPaths", nil, nil)["paths"].([]any); len(got) != ways {
			t.Error(status, got)
		}
		school.ask(200, "changeCohortEnrolments", at, map[string]any{"rows": []any{map[string]any{"student_key": "ESP-000", "status": "enrolled"}}})
	}
	period := query(fmt.Sprintf("from=%s&until=%s&currency=XOF", w.clock.Now().Add(-time.Hour).UTC().Format(time.RFC3339), w.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
	statement := institute.ask(200, "getPartnerStatement", desk, nil, period)
	line := statement["lines"].([]any)[0].(map[string]any)
	if line["collected_minor"] != 7_500_000. || line["orders"] != 75. || line["share_minor"] != 1_500_000. || statement["closing_minor"] != 6_000_000. {
		t.Errorf("%v", statement)
	}
	w.verify()
}
