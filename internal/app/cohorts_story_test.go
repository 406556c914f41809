package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/progress"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// keyed is a system with a key of its own, as an administrator makes it through the API; without an organisation it is the institute's.
func (s *asker) keyed(organisation string, roles, scopes []string) *asker {
	s.t.Helper()
	body := map[string]any{"name": "System of " + organisation, "roles": roles, "scopes": scopes}
	if organisation != "" {
		body["organisation"] = organisation
	}
	c := s.ask(201, "createClient", nil, body)
	made := s.ask(201, "createKey", map[string]string{"client": c["id"].(string)}, map[string]any{})
	return &asker{t: s.t, w: s.w, token: made["secret"].(string)}
}

// sells makes a program of four courses that open one a month, and its edition, and offers it for 100,000 XOF: the offer.
func (s *asker) sells(starts time.Time) (offer string) {
	s.t.Helper()
	said := func(en string) map[string]any { return map[string]any{"en": en, "fr": en} }
	var parts, sessions []any
	for i := range 4 {
		key := fmt.Sprintf("NETB-S%d", i)
		at := map[string]string{"session": key}
		s.ask(201, "createSession", nil, map[string]any{"key": key, "course": fmt.Sprintf("NETB-C%d", i), "number": 1, "title": said(fmt.Sprint("SPOC ", i)), "platform": "fun", "threshold_ppm": 500_000,
			"kind": "spoc", "publication": "draft", "starts_at": starts, "ends_at": starts.AddDate(0, 6, 0)})
		s.ask(200, "putExercises", at, map[string]any{"exercises": []any{
			map[string]any{"label": "Homework 1: Week 1", "week": 1, "scored": true, "activity": "quiz"}, map[string]any{"label": "Homework 2: Week 2", "week": 2, "scored": true, "activity": "quiz"}}})
		for _, to := range []string{"review", "published"} {
			s.ask(200, "moveSession", at, map[string]string{"to": to})
		}
		parts = append(parts, map[string]any{"course": map[string]any{"key": fmt.Sprintf("NETB-C%d", i), "optional": false, "after": []any{}, "after_any": []any{}, "equivalents": []any{}, "workload_hours": 10, "ects_hundredths": 0}})
		sessions = append(sessions, map[string]any{"session": key, "opening": "monthly"})
	}
	program, edition := map[string]string{"program": "NETB"}, map[string]string{"edition": "NETB-2026"}
	s.ask(200, "putProgramDraft", program, map[string]any{"title": said("Networks basics"), "summary": map[string]any{}, "audience": map[string]any{}, "language": "fr", "organisations": []any{}, "parts": parts})
	for _, to := range []string{"review", "published"} {
		s.ask(200, "moveProgram", program, map[string]string{"to": to})
	}
	s.ask(200, "putEdition", edition, map[string]any{"program": "NETB", "title": said("Networks basics"), "lang": "fr", "partner": "ESP Dakar", "starts_at": starts, "sessions": sessions})
	for _, to := range []string{"review", "published"} {
		s.ask(200, "moveEdition", edition, map[string]string{"to": to})
	}
	return s.ask(201, "createEditionOffer", edition, map[string]any{"formula": "QUALIFYING", "price": map[string]any{"amount_minor": 100_000, "currency": "XOF"}})["id"].(string)
}

// The story of ESP Dakar, by API key alone: the institute sells a program whose four courses open one a month; the school enrols 75 learners, each
// pays 100,000 XOF at its desk under the desk's own reference, and is enrolled in the four courses then; sent again nothing happens. Each course
// that opens is told to the cohort, its learners are mailed each week by how far they are, the school follows them, 14 are certified, and its
// statement adds up to 7,500,000 XOF.
func TestASchoolEnrolsACohortThatPaysAtItsDesk(t *testing.T) {
	w := newWorld(t)
	walker := w.walk(w.h)
	officer := w.person("officer@imt.example", "Officer")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for key, name := range map[string]string{"ESP": "École supérieure polytechnique", "ENS": "École normale"} {
			if err := identity.PutOrganisationTx(ctx, tx, key, name); err != nil {
				return err
			}
		}
		return identity.GrantRoleTx(ctx, tx, officer.ID, "admin")
	})
	signed := &asker{t: t, w: walker, token: w.token(officer.ID)}
	institute := signed.keyed("", []string{"admin"}, []string{"catalog:write", "programs:write", "offers:write", "accounts:write", "statements:read", "grades:write", "exams:write", "outreach:write"})
	roles := []string{"registrar", "cashier"}
	school := signed.keyed("ESP", roles, []string{"cohorts:read", "cohorts:write", "desk:write"})
	other := signed.keyed("ENS", roles, []string{"cohorts:read", "cohorts:write", "desk:write"})
	starts := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	offer := institute.sells(starts)
	institute.ask(200, "putAgreement", map[string]string{"agreement": "esp-desk"}, map[string]any{
		"organisation": "ESP", "collects": "partner", "currency": "XOF", "share_ppm": 200_000, "valid_from": w.clock.Now().Add(-time.Hour)})

	c := school.ask(201, "createPartnerCohort", nil, map[string]any{"organisation": "ESP", "key": "DIC1-2026", "name": "DIC 1", "offer": offer, "agreement": "pay_at_school", "seats": 75})
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
	for what, want := range map[string]int{"getPartnerCohort": 404, "listCohortEnrolments": 404, "listCohortProgress": 404} {
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
	people := make([]identity.Person, 75)
	for i := range people {
		people[i] = w.person(fmt.Sprintf("s%03d@esp.example", i), "")
	}
	her := &asker{t: t, w: walker, token: w.token(people[0].ID)}
	for status, ways := range map[string]int{"suspended": 0, "withdrawn": 0, "enrolled": 1} { // what she follows is held back, and let go
		school.ask(200, "changeCohortEnrolments", at, map[string]any{"rows": []any{map[string]any{"student_key": "ESP-000", "status": status}}})
		if got := her.ask(200, "listMyPaths", nil, nil)["paths"].([]any); len(got) != ways {
			t.Error(status, got)
		}
		school.ask(200, "changeCohortEnrolments", at, map[string]any{"rows": []any{map[string]any{"student_key": "ESP-000", "status": "enrolled"}}})
	}
	w.quiet()
	w.dakarLearns(t, institute, school, at, starts, people)
	period := query(fmt.Sprintf("from=%s&until=%s&currency=XOF", starts.AddDate(0, -1, 0).Format(time.RFC3339), w.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)))
	statement := institute.ask(200, "getPartnerStatement", desk, nil, period)
	line := statement["lines"].([]any)[0].(map[string]any)
	if line["collected_minor"] != 7_500_000. || line["orders"] != 75. || line["share_minor"] != 1_500_000. || statement["closing_minor"] != 6_000_000. {
		t.Errorf("%v", statement)
	}
	w.verify()
}

// dakarLearns lets four months pass: courses open, mails go out by how far who is, grades come in, and 14 learners are certified.
func (w *world) dakarLearns(t *testing.T, institute, school *asker, at map[string]string, starts time.Time, people []identity.Person) {
	t.Helper()
	for _, p := range people[:60] {
		w.agrees(p, true)
	}
	weekly, hello := map[string]string{"session": "NETB-S0"}, func(s string) map[string]any {
		words := map[string]any{"subject": s + " {title}", "paragraphs": []any{"{name}: {next}"}}
		return map[string]any{"en": words, "fr": words}
	}
	mail := func(on bool) {
		institute.ask(200, "putWeeklyMail", weekly, map[string]any{"enabled": on, "weekday": 1, "hour": 7, "texts": map[string]any{"on_time": hello("on time"), "behind": hello("behind"), "silent": hello("silent")}})
	}
	mail(true)
	// walk moves the clock there and lets the house do what is due, until nothing waits to be mailed: no more leave in a minute than may.
	walk := func(to time.Time) {
		t.Helper()
		w.clock.Advance(to.Sub(w.clock.Now()))
		if _, err := w.h.Outreach.AskOpenings(system); err != nil {
			t.Fatal(err)
		}
		if _, err := w.h.Outreach.AskWeekly(system); err != nil {
			t.Fatal(err)
		}
		for asked := true; asked; w.clock.Advance(2 * time.Minute) {
			w.quiet()
			var err error
			if asked, err = w.h.Outreach.AskDue(system); err != nil {
				t.Fatal(err)
			}
		}
		w.quiet()
	}
	row := func(i int, grade, first, second string) string {
		return fmt.Sprintf("%d,s%03d@esp.example,s%d,%s,%s,%s,0.5,,honor,N/A,N,N,N/A,enrolled", 100+i, i, i, grade, first, second)
	}
	graded := func(on time.Time, rows []string) {
		t.Helper()
		institute.ask(201, "importGrades", weekly, report(rows...), query("file_name=r.csv&collected_at="+on.Format(time.RFC3339)))
		w.quiet()
	}
	const monday = 7*time.Hour + 30*time.Minute
	walk(starts.Add(monday)) // the first course opens, and nobody has begun
	walk(starts.AddDate(0, 0, 7).Add(monday))
	var rows []string
	for i := range people { // 40 did both weeks, 20 the first alone, 15 nothing
		switch {
		case i < 40:
			rows = append(rows, row(i, "0.3", "1.0", "0.5"))
		case i < 60:
			rows = append(rows, row(i, "0.1", "1.0", "Not Attempted"))
		default:
			rows = append(rows, row(i, "0.0", "Not Attempted", "Not Attempted"))
		}
	}
	w.clock.Advance(starts.AddDate(0, 0, 14).Add(time.Hour).Sub(w.clock.Now()))
	graded(w.clock.Now(), rows)
	walk(starts.AddDate(0, 0, 14).Add(monday))
	mail(false)
	paces := func(name string) any {
		for _, s := range school.ask(200, "getCohortCounts", at, nil)["sessions"].([]any) {
			if s := s.(map[string]any); s["session"] == "NETB-S0" {
				for _, cell := range append(s["pace"].([]any), s["furthest"].([]any)...) {
					if cell := cell.(map[string]any); cell["name"] == name {
						return cell["count"]
					}
				}
			}
		}
		return "no such count"
	}
	if onTime, behind, silent := paces("on_time"), paces("behind"), paces("silent"); onTime != 40. || behind != 20. || silent != 15. {
		t.Error("on time, behind, silent:", onTime, behind, silent)
	}
	for i := 1; i < 4; i++ {
		walk(starts.AddDate(0, i, 0).Add(time.Hour))
	}
	w.counts(map[string]int{
		"select count(*) from outreach.campaigns where kind = 'opening' and state = 'done'":                                                                  4,
		"select count(*) from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id where c.kind = 'opening' and r.state = 'sent'":         300,
		"select count(*) from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id where c.kind = 'weekly' and r.state = 'sent'":          225,
		"select count(*) from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id where c.kind = 'weekly' and r.standing = 'silent'":     165,
		"select count(*) from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id where c.kind = 'weekly' and r.standing = 'behind'":     20,
		"select count(*) from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id where c.kind = 'weekly' and r.standing = 'on_time'":    40,
		"select count(distinct r.person_id) from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id where c.kind = 'opening'":           75,
		"select count(*) from outreach.campaigns where kind = 'opening' and started_at >= '2026-06-09T00:00Z' and started_at < '2026-06-09T02:00Z'":          1,
		"select count(*) from outreach.campaigns where kind = 'opening' and started_at >= '2026-03-09T00:00Z' and started_at < '2026-03-09T08:00Z'":          1,
		"select count(*) from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id where c.kind = 'opening' and r.facts::text like '%@%'": 0,
	})
	if got := institute.ask(200, "listCampaigns", nil, nil, query("kind=opening"))["campaigns"].([]any); len(got) != 4 {
		t.Error(got)
	}
	for i := range 14 {
		rows[i] = row(i, "0.8", "1.0", "1.0")
	}
	w.clock.Advance(10 * 24 * time.Hour)
	graded(w.clock.Now(), rows)
	for i, p := range people[:14] {
		her := &asker{t: t, w: institute.w, token: w.token(p.ID), seq: i}
		for _, e := range her.ask(200, "listEnrolments", nil, nil)["enrolments"].([]any) {
			if e := e.(map[string]any); e["session"] == "NETB-S0" {
				sitting := her.ask(201, "bookSitting", map[string]string{"enrolment": e["id"].(string)}, nil, key(fmt.Sprint("sits", i)))
				institute.ask(200, "recordResult", map[string]string{"sitting": sitting["id"].(string)}, map[string]any{"state": "passed", "score_ppm": 900_000})
			}
		}
	}
	w.quiet()
	feed := school.ask(200, "listCohortProgress", at, nil, query("stage=certified&limit=200"))["learners"].([]any)
	if n := paces("certified"); n != 14. || len(feed) != 14 {
		t.Error(n, "are certified, and the feed has", len(feed))
	}
	for _, l := range feed {
		course := l.(map[string]any)["courses"].([]any)[0].(map[string]any)
		if course["session"] != "NETB-S0" || course["exam"] != "passed" || course["grade_ppm"] != 800_000. || course["certificate"] == nil {
			t.Error(l)
		}
	}
	if all := school.ask(200, "listCohortProgress", at, nil, query("limit=200"))["learners"].([]any); len(all) != 75 || all[74].(map[string]any)["shared"] != false {
		t.Error(len(all), "learners in the feed")
	}
	week := progress.WeekOf(w.clock.Now())
	w.clock.Advance(week.Until().Sub(w.clock.Now()))
	r := school.w.Example("exportCohortDigest")
	r.Token, r.Path["cohort"], r.Query = school.token, at["cohort"], "lang=fr&week="+week.String()
	paper := read(t, school.w.Do(t, r).Body)
	for _, want := range []string{"Awa Diop 0 (ESP-000)", "Awa Diop 12 (ESP-012)", "60 sur 75"} {
		if !strings.Contains(paper, want) {
			t.Errorf("the digest does not say %q: %.1500s", want, paper)
		}
	}
}
