package exams_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/platform/postgres"
)

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
