package exams_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/platform/postgres"
)

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
