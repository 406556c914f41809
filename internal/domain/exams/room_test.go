package exams_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

// room is the room on a database of its own, with a session and learners who are fit to sit its exam.
type room struct {
	testing.TB
	db         *postgres.DB
	owner      *sql.DB
	clock      *clock.Manual
	exams      *exams.Service
	session    catalog.Session
	learners   []string
	enrolments []string
}

func newRoom(t testing.TB, learners int) *room {
	dsn := testkit.OwnerDSN(t)
	r := &room{TB: t, clock: testkit.Clock(), owner: testkit.Owner(t, dsn)}
	r.db = testkit.Open(t, dsn, r.clock)
	r.exams = exams.New(r.db, jobs.New(r.db, nil))
	r.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err := catalog.PutCourseTx(ctx, tx, catalog.Course{Key: "PRD", Title: catalog.Text{EN: "Networks"}}); err != nil {
			return err
		}
		r.session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-9", CourseKey: "PRD", Title: catalog.Text{EN: "Networks"}, Platform: "fun"})
		for i := range learners {
			p, err := identity.PutPersonTx(ctx, tx, fmt.Sprintf("l%d@example.org", i), fmt.Sprint("Learner ", i), "en")
			if err != nil {
				return err
			}
			e, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: r.session.ID, OrderID: fmt.Sprint("ord_", i), Formula: "Q", Entitlements: []string{"proctored_exam", "certificate"}, Qualifying: true})
			if err != nil {
				return err
			}
			if err := journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: e, Stage: journey.Succeeded, At: tx.Now(), Reached: true, Cause: "test"}}); err != nil {
				return err
			}
			r.learners, r.enrolments = append(r.learners, p.ID), append(r.enrolments, e)
		}
		return err
	})
	return r
}

func (r *room) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *room) in(fn func(ctx context.Context, tx *postgres.Tx) error) {
	r.Helper()
	r.must(r.try(system, fn))
}

func (r *room) try(ctx context.Context, fn func(ctx context.Context, tx *postgres.Tx) error) error {
	return r.db.InTx(ctx, "test", fn)
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func (r *room) wants(err error, want error) {
	r.Helper()
	if !errors.Is(err, want) {
		r.Errorf("%v, want %v", err, want)
	}
}

func (r *room) verify() {
	r.Helper()
	for _, c := range exams.Checks() {
		rows, err := postgres.RunCheck(system, r.db, c)
		if err != nil || len(rows) > 0 {
			r.Error(c.Name, rows, err)
		}
	}
}

func (r *room) rules(change func(*exams.NewExam)) {
	r.Helper()
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := exams.ExamTx(ctx, tx, r.session.ID, exams.Proctored)
		if err != nil {
			return err
		}
		n := exams.NewExam{Rules: e.Rules}
		change(&n)
		_, err = r.exams.PutTx(ctx, tx, r.session.ID, exams.Proctored, n, 0)
		return err
	})
}

func (r *room) slot(in time.Duration, capacity int) (x exams.Slot) {
	r.Helper()
	r.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		at := r.clock.Now().Add(in)
		x, err = r.exams.PlanSlotTx(ctx, tx, r.session.ID, exams.Proctored, exams.NewSlot{Place: "Dakar", Zone: "Africa/Dakar", StartsAt: at, EndsAt: at.Add(2 * time.Hour), Capacity: capacity})
		return err
	})
	return x
}

func (r *room) book(i int, slot string) (exams.Sitting, error) {
	return r.exams.Book(system, exams.BookSitting{LearnerID: r.learners[i], EnrolmentID: r.enrolments[i], SlotID: slot, IdempotencyKey: fmt.Sprint("b", i, slot, r.clock.Now().UnixNano())})
}

func (r *room) sitting(i int, slot string) exams.Sitting {
	r.Helper()
	x, err := r.book(i, slot)
	r.must(err)
	return x
}

func (r *room) act(actor, sitting string, e exams.AttemptEvent, score ...int) (a exams.Attempt, err error) {
	act := exams.Act{SittingID: sitting, Event: e}
	if len(score) > 0 {
		act.ScorePPM = &score[0]
	}
	err = r.try(postgres.WithActor(postgres.WithActor(context.Background(), actor), "system"), func(ctx context.Context, tx *postgres.Tx) error {
		a, err = r.exams.ActTx(ctx, tx, act)
		return err
	})
	return a, err
}

func (r *room) stands(id string) (x exams.Sitting) {
	r.Helper()
	r.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = exams.SittingTx(ctx, tx, id)
		return err
	})
	return x
}

func (r *room) decisions(i int) (all []exams.Decided) {
	r.Helper()
	r.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		all, err = exams.DecisionsTx(ctx, tx, r.enrolments[i])
		return err
	})
	return all
}

// A decision is kept when it changes and only then: by what is asked, by what was done, and by the time.
func TestDecisionsAreKeptWhenTheyChange(t *testing.T) {
	r := newRoom(t, 1)
	opens := r.clock.Now().Add(24 * time.Hour)
	closes := opens.Add(48 * time.Hour)
	r.must(r.exams.RefreshOne(system, r.enrolments[0], "grades"))
	r.must(r.exams.RefreshOne(system, r.enrolments[0], "grades"))
	if all := r.decisions(0); len(all) != 1 || !all[0].Eligible {
		t.Fatalf("%+v", all)
	}
	r.rules(func(n *exams.NewExam) { n.OpensAt, n.ClosesAt, n.Identity = &opens, &closes, true })
	r.must(r.exams.Refresh(system, r.session.ID, "rules"))
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.exams.CheckIdentityTx(ctx, tx, r.learners[0], exams.IdentityCheck{Method: "document", Verified: true})
		return err
	})
	r.must(r.exams.RefreshLearner(system, r.learners[0], "identity"))
	want := 3
	for _, step := range []struct {
		wait     time.Duration
		eligible bool
	}{{23 * time.Hour, false}, {time.Hour, true}, {47 * time.Hour, true}, {time.Hour, false}} {
		r.clock.Advance(step.wait)
		_, err := r.exams.Review(system)
		r.must(err)
		if step.wait == time.Hour {
			want++
		}
		all := r.decisions(0)
		if len(all) != want || all[0].Eligible != step.eligible {
			t.Fatalf("after %s: %d decisions, %+v", step.wait, len(all), all[0])
		}
		if _, err := r.book(0, ""); step.eligible != (err == nil) && code(err) != "exam-booked-already" {
			t.Error(err)
		}
	}
	if n, err := r.exams.Review(system); n != 0 {
		t.Error("nothing is due, and it was looked at:", n, err)
	}
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.exams.BlockTx(ctx, tx, r.enrolments[0], exams.Block{Blocked: true})
		if code(err) != "invalid-input" {
			t.Error("a block without a reason:", err)
		}
		_, err = r.exams.BlockTx(ctx, tx, r.enrolments[0], exams.Block{Blocked: true, Reason: "fraud"})
		return err
	})
	r.must(r.exams.RefreshOne(system, r.enrolments[0], "block"))
	if all := r.decisions(0); len(all) != want+1 {
		t.Errorf("%+v", all[0])
	}
	r.verify()
}
