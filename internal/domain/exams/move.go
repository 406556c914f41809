package exams

import (
	"context"
	"errors"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// SittingMoved says that a sitting was canceled or has another place or time.
type SittingMoved struct {
	SittingID string    `json:"sitting_id"`
	News      string    `json:"news"` // moved, canceled, slot_canceled, retake_refunded
	At        time.Time `json:"at"`
}

// Kind names the job.
func (SittingMoved) Kind() string { return "exams.sitting_moved" }

// bookedTx holds a sitting that can still be left, with its slot and the one that it is to go to; empty: none. learnerID as in BookSitting: she is
// bound by the day until which she may, staff are not. Errors: ErrNoSitting, ErrDecided, ErrBegun, ErrTooLate.
func bookedTx(ctx context.Context, tx *postgres.Tx, sittingID, toSlot, learnerID string) (x Sitting, e enrolment.Enrolment, err error) {
	if x, e, err = lockedSitting(ctx, tx, sittingID, learnerID); err != nil {
		return x, e, err
	}
	if err = lockSlots(ctx, tx, x.SlotID, toSlot); err != nil {
		return x, e, err
	}
	if x, err = SittingTx(ctx, tx, sittingID); err != nil { // who calls a slot off holds the slot alone
		return x, e, err
	}
	if x.State != Booked {
		return x, e, ErrDecided
	}
	var begun bool
	if err = tx.Get(ctx, &begun, q.Q("Begun"), x.ID); err != nil {
		return x, e, err
	}
	if begun {
		return x, e, ErrBegun
	}
	if x.SlotID != "" && learnerID != "" {
		slot, err := SlotTx(ctx, tx, x.SlotID)
		if err == nil && !tx.Now().Before(slot.LeaveBy()) {
			err = ErrTooLate
		}
		return x, e, err
	}
	return x, e, nil
}

// MoveTx books a sitting into another slot of its exam. Errors: those of CancelTx, and those of Book about slots.
func (s *Service) MoveTx(ctx context.Context, tx *postgres.Tx, sittingID, slotID, learnerID string) (Sitting, error) {
	x, e, err := bookedTx(ctx, tx, sittingID, slotID, learnerID)
	if err != nil || x.SlotID == slotID {
		return x, err
	}
	to, err := SlotTx(ctx, tx, slotID)
	if err != nil {
		return x, err
	}
	if to.Kind != x.Kind {
		return x, ErrNoSlot
	}
	if err := bookable(to, e, tx.Now()); err != nil {
		return x, err
	}
	if err := s.placeTx(ctx, tx, Exam{ID: to.ExamID}, e, slotID, x.ID); err != nil {
		return x, err
	}
	from := x.SlotID
	if err := moveTx(ctx, tx, x, slotID); err != nil {
		return x, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, SittingMoved{SittingID: x.ID, News: "moved", At: tx.Now()}); err != nil {
		return x, err
	}
	if from != "" {
		if err := s.serveWaitingTx(ctx, tx, from); err != nil {
			return x, err
		}
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting.moved", Object: x.ID, Before: map[string]string{"slot": from}, After: map[string]string{"slot": slotID}}); err != nil {
		return x, err
	}
	return SittingTx(ctx, tx, x.ID)
}

func moveTx(ctx context.Context, tx *postgres.Tx, x Sitting, to string) error {
	if _, err := tx.Exec(ctx, q.Q("NoteMove"), x.ID, x.LearnerID, x.SlotID, to, postgres.Author(ctx), tx.Now()); err != nil {
		return err
	}
	if to == "" {
		return nil // a canceled sitting says where it was
	}
	_, err := tx.Exec(ctx, q.Q("MoveSitting"), x.ID, to)
	return err
}

// CancelTx cancels a booking; its place goes to who waits. learnerID as in BookSitting. A canceled one stays so. Errors: ErrNoSitting, ErrDecided,
// ErrBegun, ErrTooLate.
func (s *Service) CancelTx(ctx context.Context, tx *postgres.Tx, sittingID, learnerID string) (Sitting, error) {
	x, _, err := bookedTx(ctx, tx, sittingID, "", learnerID)
	if err != nil {
		if x.State == Canceled && errors.Is(err, ErrDecided) {
			err = nil
		}
		return x, err
	}
	if err := s.endBookingTx(ctx, tx, x, "canceled"); err != nil {
		return x, err
	}
	if x.SlotID != "" {
		if err := s.serveWaitingTx(ctx, tx, x.SlotID); err != nil {
			return x, err
		}
	}
	return SittingTx(ctx, tx, x.ID)
}

func (s *Service) endBookingTx(ctx context.Context, tx *postgres.Tx, x Sitting, news string) error {
	if _, err := tx.Exec(ctx, q.Q("Result"), x.ID, Canceled, nil, x.Reference, nil, ""); err != nil {
		return err
	}
	if err := enrolment.ReturnRetakeTx(ctx, tx, x.ID); err != nil {
		return err
	}
	if err := moveTx(ctx, tx, x, ""); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("ExpireUnbegun"), x.ID, tx.Now()); err != nil {
		return err
	}
	if a, found, err := lastAttemptTx(ctx, tx, x.ID); err != nil {
		return err
	} else if found {
		if err := s.stirTx(ctx, tx, a); err != nil {
			return err
		}
	}
	if err := recordTx(ctx, tx, x, false, journey.ExamBooked); err != nil {
		return err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, SittingMoved{SittingID: x.ID, News: news, At: tx.Now()}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting.canceled", Object: x.ID, Detail: map[string]string{"because": news}})
}
