package app_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/labs"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// willing is a way to providers of labs that all take what they are asked for.
type willing struct{}

func (willing) Check(string) error                       { return nil }
func (willing) Stop(context.Context, labs.Message) error { return nil }

// labSecret is what the example of the contract shares with its provider.
const labSecret = "cursus and a provider of labs"

// inLab gives a learner a place with labs in the session of the world.
func (w *world) inLab(p identity.Person, order string, opens ...string) (enrolmentID string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		enrolmentID, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: w.session.ID, OrderID: order, Formula: "QUALIFYING", Entitlements: opens, Qualifying: true})
		return err
	})
	return enrolmentID
}

// labStory makes a lab, has a learner ask for a link, be seen on the board, be helped and stopped, through the API: every answer is as documented.
func (w *world) labStory(t *testing.T, walker *apitest.Walker, staff string) {
	t.Helper()
	awa, ben := w.person("awa.labs@example.org", "Awa Labs"), w.person("ben.labs@example.org", "Ben Labs")
	own, his := w.inLab(awa, "ord_lab_awa", "labs"), w.inLab(ben, "ord_lab_ben", "knowledge")
	s := &asker{t: t, w: walker, token: staff}
	a, b := &asker{t: t, w: walker, token: w.tokens(awa)("learning:read", "exams:book")}, &asker{t: t, w: walker, token: w.tokens(ben)("learning:read", "exams:book")}
	over := func(tag string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set("If-Match", tag) }
	}
	if p := s.ask(200, "putLabProvider", nil, nil); p["secret"] != nil || p["version"] != 1.0 {
		t.Error("a provider:", p)
	}
	s.ask(200, "putLabProvider", nil, nil, over(`"1"`))
	s.ask(412, "putLabProvider", nil, nil, over(`"1"`))
	s.ask(200, "getLabProvider", nil, nil)
	if all := s.ask(200, "listLabProviders", nil, nil)["providers"].([]any); len(all) != 1 {
		t.Error(all)
	}
	lab := s.ask(201, "createLab", nil, nil)
	at := map[string]string{"lab": lab["id"].(string)}
	s.ask(200, "putLab", at, nil)
	s.ask(412, "putLab", at, nil, over(`"1"`))
	s.ask(200, "getLab", at, nil)
	s.ask(200, "listLabs", nil, nil)

	mine, free := map[string]string{"enrolment": own, "lab": at["lab"]}, map[string]string{"enrolment": his, "lab": at["lab"]}
	if l := a.ask(200, "getMyLabs", mine, nil)["labs"].([]any)[0].(map[string]any); l["can_open"] != true || l["minutes_left"] != 120.0 {
		t.Error(l)
	}
	if l := b.ask(200, "getMyLabs", free, nil)["labs"].([]any)[0].(map[string]any); l["can_open"] != false || l["reason"] != "formula-without-labs" {
		t.Error(l)
	}
	if refused := b.ask(422, "launchLab", free, nil); refused["code"] != "formula-without-labs" {
		t.Error(refused)
	}
	b.ask(404, "launchLab", mine, nil)
	link := a.ask(201, "launchLab", mine, nil)
	launch := map[string]string{"lab_launch": link["launch"].(string)}
	if link["url"] != w.cfg.BaseURL+"/labs/launches/"+launch["lab_launch"] {
		t.Error(link)
	}
	s.ask(409, "stopLab", launch, nil)
	tell := func(id, kind string) {
		t.Helper()
		body := fmt.Sprintf(`{"type":"lab.%s","timestamp":%q,"data":{"launch":%q}}`, kind, w.clock.Now().UTC().Format(time.RFC3339), launch["lab_launch"])
		stamp := fmt.Sprint(w.clock.Now().Unix())
		m := hmac.New(sha256.New, []byte(labSecret))
		m.Write([]byte(id + "." + stamp + "." + body))
		r := walker.Example("receiveLabEvent")
		r.Body = []byte(body)
		for name, value := range map[string]string{"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))} {
			r.Header.Set(name, value)
		}
		if got := walker.Do(t, r); got.Status != 204 {
			t.Error(kind, got.Status, string(got.Body))
		}
		r.Body = append(r.Body, ' ')
		if got := walker.Do(t, r); got.Status != 401 {
			t.Error("altered:", got.Status)
		}
	}
	tell("m1", "started")
	w.clock.Advance(10 * time.Minute)
	tell("m2", "help_asked")
	row := s.ask(200, "getLabBoard", nil, nil)["launches"].([]any)[0].(map[string]any)
	if row["help_since"] == nil || row["full_name"] != "Awa Labs" || row["minutes"] != 10.0 || row["minutes_left"] != 110.0 {
		t.Error(row)
	}
	officer := w.person("catalogue.labs@example.org", "Catalogue")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, officer.ID, "catalogue")
	})
	catalogue := &asker{t: t, w: walker, token: w.tokens(officer)("labs:read")}
	if row := catalogue.ask(200, "getLabBoard", nil, nil)["launches"].([]any)[0].(map[string]any); row["full_name"] != nil {
		t.Error("a name for who reads no results:", row)
	}
	catalogue.ask(403, "giveLabHelp", launch, nil)
	s.ask(204, "giveLabHelp", launch, nil)
	if row := s.ask(200, "getLabBoard", nil, nil)["launches"].([]any)[0].(map[string]any); row["help_since"] != nil {
		t.Error("helped, and still asking:", row)
	}
	s.ask(204, "stopLab", launch, nil)
	w.quiet()
	tell("m3", "stopped")
	row = s.ask(200, "listLabLaunches", nil, nil)["launches"].([]any)[0].(map[string]any)
	if cost := row["cost"].(map[string]any); row["state"] != "ended" || row["stop_reason"] != "teacher" || cost["amount_minor"] != 13.0 {
		t.Error("10 minutes at 1.25 cents are 12.5:", row)
	}
	if outcomes := s.ask(200, "getOutcomes", nil, nil); outcomes == nil {
		t.Error("no outcomes")
	}
	walker.Values["lab"], walker.Values["lab_launch"] = at["lab"], launch["lab_launch"]
}
