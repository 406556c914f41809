package exams_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
	clock      *clock.Manual
	exams      *exams.Service
	session    catalog.Session
	learners   []string
	enrolments []string
}

func newRoom(t testing.TB, learners int) *room {
	r := &room{TB: t, clock: testkit.Clock()}
	r.db = testkit.Open(t, testkit.OwnerDSN(t), r.clock)
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

// Twelve learners run for the five places of a slot at once: five get one. The others wait; who leaves gives her place to the first of them, and an
// offer that nobody takes goes to the next.
func TestASlotIsNeverOverfullAndItsPlacesGoOnInOrder(t *testing.T) {
	r := newRoom(t, 12)
	slot := r.slot(100*time.Hour, 5)
	if _, err := r.book(0, ""); !errors.Is(err, exams.ErrSlotNeeded) {
		t.Error("an exam with slots was booked without one:", err)
	}
	errs, got := make([]error, 12), make([]exams.Sitting, 12)
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() { got[i], errs[i] = r.book(i, slot.ID) })
	}
	all.Wait()
	var in, out []int
	for i, err := range errs {
		if err == nil {
			in = append(in, i)
		} else if errors.Is(err, exams.ErrSlotFull) {
			out = append(out, i)
		} else {
			t.Error(err)
		}
	}
	if len(in) != 5 || len(out) != 7 {
		t.Fatal(in, out)
	}
	r.verify()
	wait := func(i int) (w exams.Wait, err error) {
		err = r.try(system, func(ctx context.Context, tx *postgres.Tx) error {
			w, err = r.exams.WaitTx(ctx, tx, slot.ID, r.enrolments[i], r.learners[i])
			return err
		})
		return w, err
	}
	for n, i := range out[:3] {
		if w, err := wait(i); err != nil || w.Ahead != n {
			t.Error(w, err)
		}
	}
	if w, err := wait(out[1]); err != nil || w.Ahead != 1 {
		t.Error("asked twice, she loses her place:", w, err)
	}
	leave := func(i int) error {
		return r.try(system, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := r.exams.CancelTx(ctx, tx, got[i].ID, r.learners[i])
			return err
		})
	}
	r.must(leave(in[0]))
	r.must(leave(in[0])) // again
	if _, err := r.book(out[3], slot.ID); !errors.Is(err, exams.ErrSlotFull) {
		t.Error("who did not wait took the place that was kept:", err)
	}
	if _, err := r.book(out[1], slot.ID); !errors.Is(err, exams.ErrSlotFull) {
		t.Error("the second took the place of the first:", err)
	}
	r.clock.Advance(24*time.Hour + time.Minute)
	n, err := r.exams.ServeWaiting(system)
	r.must(err)
	if n != 1 {
		t.Error(n, "slots were served")
	}
	if _, err := r.book(out[0], slot.ID); !errors.Is(err, exams.ErrSlotFull) {
		t.Error("the first took a place that is kept for the second by now:", err)
	}
	second := r.sitting(out[1], slot.ID)
	r.verify()

	// She moves to another time, until it is too late; the place that she left is offered on.
	later := r.slot(200*time.Hour, 1)
	move := func(to, learner string) error {
		return r.try(system, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := r.exams.MoveTx(ctx, tx, second.ID, to, learner)
			return err
		})
	}
	r.must(move(later.ID, r.learners[out[1]]))
	r.wants(move(later.ID, r.learners[out[0]]), exams.ErrNoSitting)
	third := r.sitting(out[2], slot.ID)
	r.clock.Advance(slot.LeaveBy().Sub(r.clock.Now()))
	r.wants(leave(in[1]), exams.ErrTooLate)
	got[out[2]] = third
	r.wants(leave(out[2]), exams.ErrTooLate)
	r.in(func(ctx context.Context, tx *postgres.Tx) error { // staff are not bound by that
		_, err := r.exams.CancelTx(ctx, tx, third.ID, "")
		return err
	})
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.exams.CancelSlotTx(ctx, tx, later.ID, 0)
		return err
	})
	if x := r.stands(second.ID); x.State != exams.Canceled {
		t.Error(x)
	}
	r.verify()
}

// The time of an attempt is the exam's with the accommodation, by the server's clock; who is late is timed out, reviewed, and has a result when
// both a verdict and a score are there.
func TestAnAttemptFromStartToResult(t *testing.T) {
	r := newRoom(t, 3)
	slot := r.slot(48*time.Hour, 3)
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.exams.AccommodateTx(ctx, tx, r.enrolments[0], exams.Accommodation{ExtraMinutes: 10, Percent: 133, Reason: "reads slowly"})
		return err
	})
	x, y, z := r.sitting(0, slot.ID), r.sitting(1, slot.ID), r.sitting(2, slot.ID)
	_, err := r.act("staff:ann", x.ID, exams.EvStart)
	r.wants(err, exams.ErrTooEarly)
	r.clock.Advance(48 * time.Hour)
	_, err = r.act("staff:ann", x.ID, exams.EvSubmit)
	r.wants(err, exams.ErrNoAttempt)
	a, err := r.act("staff:ann", x.ID, exams.EvStart)
	r.must(err)
	if a.LimitSeconds != (80+10)*60 || !a.DeadlineAt.Equal(r.clock.Now().Add(90*time.Minute)) {
		t.Errorf("%+v", a)
	}
	_, err = r.act("staff:ann", x.ID, exams.EvStart)
	r.wants(err, exams.ErrPast)
	r.must(r.try(system, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.exams.ReportTx(ctx, tx, x.ID, exams.Incident{Kind: "technical", Severity: 20, Note: "the light went out"})
		return err
	}))
	_, err = r.act("staff:ann", y.ID, exams.EvStart)
	r.must(err)
	r.clock.Advance(30 * time.Minute)
	_, err = r.act("staff:ann", y.ID, exams.EvFail)
	r.must(err)
	_, err = r.act("staff:ann", y.ID, exams.EvAllowResume)
	r.must(err)
	r.clock.Advance(10 * time.Minute)
	b, err := r.act("staff:ann", y.ID, exams.EvStart) // another attempt, with what was left
	r.must(err)
	if b.N != 2 || b.LimitSeconds != 30*60 {
		t.Errorf("%+v", b)
	}
	r.clock.Advance(49 * time.Minute)
	if n, err := r.exams.Sweep(system); n != 1 || err != nil { // y, not x
		t.Error(n, err)
	}
	r.clock.Advance(time.Minute)
	if n, err := r.exams.Sweep(system); n != 1 || err != nil {
		t.Error(n, err)
	}
	score := 900_000
	_, err = r.exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.Passed, ScorePPM: &score})
	r.wants(err, exams.ErrNotVerified)
	a, err = r.act("staff:ann", x.ID, exams.EvVerify)
	r.must(err)
	if s := r.stands(x.ID); a.State != exams.Verified || s.State != exams.Booked {
		t.Error("a result without a score:", a.State, s.State)
	}
	_, err = r.act("staff:ann", x.ID, "", 500_000)
	r.must(err)
	if s := r.stands(x.ID); s.State != exams.Passed || *s.ScorePPM != 500_000 {
		t.Errorf("%+v", s)
	}
	// Rejected, she appeals; who rejected does not decide again, somebody else does.
	_, err = r.act("staff:ann", y.ID, exams.EvReject, 800_000)
	r.must(err)
	if s := r.stands(y.ID); s.State != exams.Failed || *s.ScorePPM != 0 {
		t.Errorf("%+v", s)
	}
	var appeal exams.Appeal
	r.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if _, err := r.exams.AppealTx(ctx, tx, x.ID, r.learners[0], "why"); !errors.Is(err, exams.ErrNoAppealDue) {
			t.Error(err)
		}
		appeal, err = r.exams.AppealTx(ctx, tx, y.ID, r.learners[1], "it was my brother who came in")
		return err
	})
	rule := func(who string) error {
		return r.try(postgres.WithActor(postgres.WithActor(context.Background(), who), "system"), func(ctx context.Context, tx *postgres.Tx) error {
			_, err := r.exams.RuleTx(ctx, tx, exams.Ruling{AppealID: appeal.ID, Upheld: true, ScorePPM: &score, Answer: "so it was"})
			return err
		})
	}
	r.wants(rule("staff:ann"), exams.ErrSameReviewer)
	r.must(rule("staff:bob"))
	r.wants(rule("staff:bob"), exams.ErrDecided)
	if s := r.stands(y.ID); s.State != exams.Passed || *s.ScorePPM != score {
		t.Errorf("%+v", s)
	}
	// A later look finds that x had not been alone: the result follows.
	_, err = r.act("staff:bob", x.ID, exams.EvReject)
	r.must(err)
	if s := r.stands(x.ID); s.State != exams.Failed {
		t.Errorf("%+v", s)
	}
	r.clock.Advance(24 * time.Hour)
	if n, err := r.exams.Sweep(system); n != 0 || err != nil {
		t.Error(n, err)
	}
	_, err = r.act("staff:ann", z.ID, exams.EvStart)
	r.wants(err, exams.ErrSlotOver)
	r.verify()
}

// A refund during a sitting withholds its result, and what is paid again tells it.
func TestARefundDuringASittingWithholdsTheResult(t *testing.T) {
	r := newRoom(t, 1)
	x := r.sitting(0, "")
	_, err := r.act("staff:ann", x.ID, exams.EvStart)
	r.must(err)
	_, err = r.act("staff:ann", x.ID, exams.EvSubmit, 700_000)
	r.must(err)
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, "ord_0", "refunded")
		return err
	})
	_, err = r.act("staff:ann", x.ID, exams.EvVerify)
	r.must(err)
	if s := r.stands(x.ID); s.State != exams.Withheld || s.ResultAt != nil || s.HeldState != "passed" {
		t.Fatalf("%+v", s)
	}
	passed := func() bool {
		var holds bool
		r.in(func(ctx context.Context, tx *postgres.Tx) error {
			ways, err := journey.RowsTx(ctx, tx, r.enrolments[0])
			holds = ways[r.enrolments[0]].Ever.Has(journey.ExamPassed)
			return err
		})
		return holds
	}
	if passed() {
		t.Error("the journey says that she passed")
	}
	r.must(r.exams.RefreshOne(system, r.enrolments[0], "x"))
	if s := r.stands(x.ID); s.State != exams.Withheld {
		t.Errorf("%+v", s)
	}
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: r.learners[0], SessionID: r.session.ID, OrderID: "ord_again", Formula: "Q", Entitlements: []string{"proctored_exam"}, Qualifying: true})
		return err
	})
	r.must(r.exams.RefreshOne(system, r.enrolments[0], "ord_again"))
	if s := r.stands(x.ID); s.State != exams.Passed || s.ResultAt == nil || !passed() {
		t.Errorf("%+v", s)
	}
	r.verify()
}

// What breaks: a sitting that was canceled with its slot is moved all the same, and she comes to an exam that nobody booked for her.
func TestNobodyMovesOutOfASlotThatIsCalledOff(t *testing.T) {
	r := newRoom(t, 1)
	off, later := r.slot(48*time.Hour, 1), r.slot(96*time.Hour, 1)
	x := r.sitting(0, off.ID)
	moved := make(chan error, 1)
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.exams.CancelSlotTx(ctx, tx, off.ID, 0)
		go func() {
			moved <- r.try(system, func(ctx context.Context, tx *postgres.Tx) error {
				_, err := r.exams.MoveTx(ctx, tx, x.ID, later.ID, r.learners[0])
				return err
			})
		}()
		time.Sleep(300 * time.Millisecond) // it waits for the slot by now
		return err
	})
	r.wants(<-moved, exams.ErrDecided)
	if x := r.stands(x.ID); x.State != exams.Canceled || x.SlotID != off.ID {
		t.Errorf("%+v", x)
	}
	r.verify()
}

// What breaks: one result that was told by somebody else meanwhile keeps those of all others withheld.
func TestEveryWithheldResultIsTold(t *testing.T) {
	r := newRoom(t, 2)
	r.must(r.exams.Refresh(system, r.session.ID, "grades")) // nothing is decided otherwise below
	var sittings []exams.Sitting
	for i := range r.enrolments {
		x := r.sitting(i, "")
		sittings = append(sittings, x)
		order := fmt.Sprint("ord_", i)
		r.in(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := enrolment.RevokeTx(ctx, tx, order, "refunded")
			return err
		})
		score := 700_000
		_, err := r.exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.Passed, ScorePPM: &score})
		r.must(err)
		r.in(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: r.learners[i], SessionID: r.session.ID, OrderID: order + "_again", Formula: "Q", Entitlements: []string{"proctored_exam"}, Qualifying: true})
			return err
		})
	}
	first := 0 // in the order in which they are told
	if sittings[1].ID < sittings[0].ID {
		first = 1
	}
	told := make(chan error, 1)
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := enrolment.LockTx(ctx, tx, r.enrolments[first]); err != nil {
			return err
		}
		go func() { told <- r.exams.Refresh(system, r.session.ID, "paid") }()
		time.Sleep(300 * time.Millisecond) // it waits for the enrolment by now
		_, err := tx.Exec(ctx, postgres.Query{Name: "told", SQL: "update exams.sittings set state = held_state, held_state = '', result_at = booked_at where id = $1"}, sittings[first].ID)
		return err
	})
	r.must(<-told)
	if x := r.stands(sittings[1-first].ID); x.State != exams.Passed {
		t.Errorf("%+v", x)
	}
}

// Local times are those of the place, also in the night in which its clocks change.
func TestSlotsGoByTheClockOfTheirPlace(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for utc, want := range map[string]string{"2026-03-28T08:00:00Z": "09:00", "2026-03-30T08:00:00Z": "10:00"} { // clocks change on March 29
		at, err := time.Parse(time.RFC3339, utc)
		if err != nil {
			t.Fatal(err)
		}
		x := exams.Slot{Zone: "Europe/Paris", StartsAt: at, CancelHours: 24}
		if got := x.StartsAt.In(x.Location()).Format("15:04"); got != want || x.Location().String() != paris.String() {
			t.Error(utc, got)
		}
		if x.StartsAt.Sub(x.LeaveBy()) != 24*time.Hour {
			t.Error("hours are hours, also when clocks change")
		}
	}
}
