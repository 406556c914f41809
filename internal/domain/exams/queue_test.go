package exams_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/platform/postgres"
)

// What waits for a person stands in one row, the oldest first, and leaves it when it is done.
func TestWhatWaitsForAPerson(t *testing.T) {
	r := newRoom(t, 3)
	x, y, z := r.sitting(0, ""), r.sitting(1, ""), r.sitting(2, "")
	queue := func() (out []string) {
		r.in(func(ctx context.Context, tx *postgres.Tx) error {
			all, err := exams.QueueTx(ctx, tx)
			for _, i := range all {
				out = append(out, i.Kind+" "+i.FullName[len(i.FullName)-1:])
			}
			return err
		})
		return out
	}
	want := func(want ...string) {
		t.Helper()
		if got := queue(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	want()
	for _, s := range []exams.Sitting{x, y, z} {
		_, err := r.act("staff:ann", s.ID, exams.EvStart)
		r.must(err)
	}
	r.clock.Advance(time.Minute)
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.exams.ReportTx(ctx, tx, z.ID, exams.Incident{Kind: "technical", Severity: 20})
		return err
	})
	r.clock.Advance(time.Minute)
	_, err := r.act("staff:ann", y.ID, exams.EvSubmit)
	r.must(err)
	r.clock.Advance(time.Minute)
	_, err = r.act("staff:ann", x.ID, exams.EvSubmit)
	r.must(err)
	want("incident 2", "review 1", "review 0")
	_, err = r.act("staff:ann", y.ID, exams.EvReject)
	r.must(err)
	_, err = r.act("staff:ann", z.ID, exams.EvSubmit)
	r.must(err)
	_, err = r.act("staff:ann", z.ID, exams.EvVerify, 900_000)
	r.must(err)
	want("review 0")
	_, err = r.act("staff:ann", x.ID, exams.EvVerify) // as a provider does, which knows no score
	r.must(err)
	want("review 0")
	_, err = r.act("staff:ann", x.ID, "", 700_000)
	r.must(err)
	want()
	r.clock.Advance(time.Minute)
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.exams.AppealTx(ctx, tx, y.ID, r.learners[1], "it was mine")
		return err
	})
	want("appeal 1")
}
