package exams_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/platform/postgres"
)

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
