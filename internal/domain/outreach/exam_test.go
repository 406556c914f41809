package outreach_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// fit gives somebody a place with the exam in a session, with the grade to sit it.
func (h *house) fit(room *exams.Service, s catalog.Session, email string) (enrolmentID string) {
	h.Helper()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PutPersonTx(ctx, tx, email, "Awa", "en")
		if err != nil {
			return err
		}
		h.people[email] = p.ID
		if enrolmentID, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: s.ID, OrderID: "ord_" + p.ID, Formula: "Q", Entitlements: []string{"proctored_exam", "certificate"}, Qualifying: true}); err != nil {
			return err
		}
		return journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: enrolmentID, Stage: journey.Succeeded, At: tx.Now(), Reached: true, Cause: "test"}})
	})
	if err := room.RefreshOne(system, enrolmentID, "test"); err != nil {
		h.Fatal(err)
	}
	return enrolmentID
}

// Who may sit an exam and has not booked it is written to at each step once, with a link to the booking; not after a no, and not when she booked while the
// mail waited. A session that fails holds up no other one.
func TestRemindersOfAnExam(t *testing.T) {
	h := newSMTP(t, 100)
	room := exams.New(h.db, jobs.New(h.db, nil))
	closes := h.clock.Now().AddDate(0, 0, 10)
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for _, s := range []catalog.Session{h.old, h.next} {
			e, err := exams.ExamTx(ctx, tx, s.ID, exams.Proctored)
			if err != nil {
				return err
			}
			e.ClosesAt = &closes
			if _, err := room.PutTx(ctx, tx, s.ID, exams.Proctored, exams.NewExam{Rules: e.Rules}, 0); err != nil {
				return err
			}
		}
		return nil
	})
	own := h.fit(room, h.next, "ann@example.org")
	h.fit(room, h.next, "bob@example.org")
	cid := h.fit(room, h.next, "cid@example.org")
	h.fit(room, h.old, "dan@example.org")
	h.says("bob@example.org", privacy.Nudges, false)
	// the first of the sessions cannot be served: a step that no row can say
	if _, err := testkit.Owner(t, h.dsn).Exec("insert into confidence.plans (session_id, days, hold_out_ppt, changed_by, changed_at) values ($1, '{900}', 0, 'test', now())", h.old.ID); err != nil {
		t.Fatal(err)
	}
	ask := func(want int, fails bool) {
		t.Helper()
		if n, err := h.room.AskExams(context.Background()); n != want || (err != nil) != fails {
			t.Fatalf("%d found, %v; want %d", n, err, want)
		}
	}
	ask(3, true)
	if _, err := room.Book(system, exams.BookSitting{LearnerID: h.people["cid@example.org"], EnrolmentID: cid, IdempotencyKey: "k"}); err != nil {
		t.Fatal(err)
	}
	h.serve()
	if n := h.server.all(); n != 1 || len(h.server.got("ann@example.org")) != 1 {
		t.Fatal(n, "mails were sent")
	}
	if raw := string(h.server.got("ann@example.org")[0]); !strings.Contains(strings.ReplaceAll(raw, "=\r\n", ""), "https://cursus.test/learning/"+own+"/exam") || !strings.Contains(header(t, []byte(raw), "Subject"), "choose your time") {
		t.Error(raw)
	}
	var id string
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, _, err := outreach.CampaignsTx(ctx, tx, outreach.Exam, "", page.Request{Limit: 10})
		if len(all) == 1 {
			id = all[0].ID
		}
		return err
	})
	for email, want := range map[string]string{"ann@example.org": "sent", "bob@example.org": "skipped refused", "cid@example.org": "skipped settled"} {
		if got := h.stateOf(id, email); got != want {
			t.Errorf("%s: %s, want %s", email, got, want)
		}
	}
	ask(0, true)
	h.clock.Advance(8*24*time.Hour + time.Minute)
	ask(2, true)
	h.serve()
	if n := len(h.server.got("ann@example.org")); n != 2 {
		t.Error(n, "mails after the last step")
	}
}
