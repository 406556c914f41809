package outreach_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/privacy"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// Where invitations are on, who is enrolled is invited to the opening questionnaire once and by day, also who enrols later; not who answered, refuses
// such mails or has left, and not who answers while her mail waits. To the closing one she is invited near the end. Staff read the numbers.
func TestInvitationsToQuestionnaires(t *testing.T) {
	h := newSMTP(t, 100)
	room := surveys.New(h.db)
	morning := func() { // the next nine o'clock of the schools
		paris, err := time.LoadLocation(catalog.DefaultZone)
		if err != nil {
			t.Fatal(err)
		}
		now := h.clock.Now().In(paris)
		h.clock.Advance(time.Date(now.Year(), now.Month(), now.Day()+1, 9, 0, 0, 0, paris).Sub(now))
	}
	enrols := func(name string) (enrolmentID string) {
		t.Helper()
		h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			p, err := identity.PutPersonTx(ctx, tx, name+"@example.org", name, "en")
			if err != nil {
				return err
			}
			h.people[name] = p.ID
			enrolmentID, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: h.old.ID, OrderID: "ord_" + name, Formula: "Q", Entitlements: []string{"knowledge"}})
			return err
		})
		return enrolmentID
	}
	answers := func(name, enrolment string) {
		t.Helper()
		h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			four := 4
			_, err := room.AnswerTx(ctx, tx, enrolment, h.people[name], surveys.Opening, []surveys.Answer{{Question: "routing", Before: &four}})
			return err
		})
	}
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		c := surveys.Content{Questions: []surveys.Question{{Code: "routing", Kind: surveys.Skill, Title: catalog.Text{EN: "Routing"}}}}
		for _, m := range surveys.Moments() {
			if _, err := room.PutTx(ctx, tx, h.old.ID, m, c, 0); err != nil {
				return err
			}
			if _, err := room.PublishTx(ctx, tx, h.old.ID, m, 0); err != nil {
				return err
			}
		}
		return nil
	})
	ann, bob, cid := enrols("ann"), enrols("bob"), enrols("cid")
	enrols("dan")
	enrols("eva")
	h.says("dan", privacy.Nudges, false)
	answers("bob", bob)
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, "ord_eva", "refund")
		return err
	})
	asks := func(want int) {
		t.Helper()
		if n, err := h.room.AskSurveys(context.Background()); err != nil || n != want {
			t.Fatalf("%d found, %v; want %d", n, err, want)
		}
	}
	morning()
	asks(0) // nobody switched it on
	var is outreach.Invitations
	h.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if _, err := outreach.PutInvitationsTx(ctx, tx, h.old.ID, true, 7); !errors.Is(err, outreach.ErrChanged) {
			t.Error("over a version that is not there:", err)
		}
		is, err = outreach.PutInvitationsTx(ctx, tx, h.old.ID, true, 1)
		return err
	})
	if !is.Enabled || is.Version != 2 {
		t.Fatalf("%+v", is)
	}
	h.clock.Advance(13 * time.Hour)
	asks(0) // at night
	morning()
	asks(3)
	asks(0)
	answers("cid", cid)
	h.serve()
	if n := h.server.all(); n != 1 || len(h.server.got("ann@example.org")) != 1 {
		t.Fatal(n, "mails were sent")
	}
	if raw := strings.ReplaceAll(string(h.server.got("ann@example.org")[0]), "=\r\n", ""); !strings.Contains(raw, "https://cursus.test/learning/"+ann+"/questionnaires/opening") || !strings.Contains(raw, "/unsubscribe/") {
		t.Error(raw)
	}
	var id string
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, _, err := outreach.CampaignsTx(ctx, tx, outreach.Survey, "", page.Request{Limit: 10})
		if len(all) == 1 {
			id = all[0].ID
		}
		return err
	})
	for name, want := range map[string]string{"ann": "sent", "dan": "skipped refused", "cid": "skipped settled"} {
		if got := h.stateOf(id, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	enrols("fay")
	asks(0) // today's were begun
	morning()
	asks(1)
	h.serve()
	morning()
	asks(0)
	for _, name := range []string{"ann", "fay"} {
		if n := len(h.server.got(name + "@example.org")); n != 1 {
			t.Error(name, "got", n)
		}
	}
	numbers := func() string {
		h.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			is, err = outreach.InvitationsTx(ctx, tx, h.old.ID)
			return err
		})
		return fmt.Sprintf("%+v", is.Questionnaires)
	}
	answers("ann", ann)
	if got := numbers(); got != "[{Moment:opening Invited:3 LeftOut:1 Answered:2 Answers:3} {Moment:closing Invited:0 LeftOut:0 Answered:0 Answers:0}]" {
		t.Error(got)
	}
	h.clock.Advance(h.old.EndsAt.Add(-5 * 24 * time.Hour).Sub(h.clock.Now()))
	morning()
	asks(5) // the closing one: those who answered the opening one, too
	h.serve()
	if n := len(h.server.got("bob@example.org")); n != 1 {
		t.Error("bob got", n)
	}
	testkit.Verify(t, h.db, surveys.Checks())
}
