package exams

import (
	"context"
	"slices"

	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// ErrRetakeEarly refuses to sell a retake that nobody needs.
var ErrRetakeEarly = fault.New(fault.Unprocessable, "retake-not-needed", "A retake of this exam cannot be bought: an attempt is included still, none is left, or the exam is passed, booked or over.")

// NeedsRetakeTx is sales.Retaking: it says why an enrolment needs no retake of its exam. Who may not sit for another reason, such as days of waiting that are not over, may
// buy one: it stays until she books. Errors: ErrRetakeEarly, and ErrNotEligible where no formula that counts is in force.
func (s *Service) NeedsRetakeTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment) error {
	if !e.Qualifying || !e.Has(Proctored.entitlement()) {
		return ErrNotEligible
	}
	d, exam, err := DecideTx(ctx, tx, e, Proctored)
	if err != nil {
		return err
	}
	sittings, err := OfEnrolmentTx(ctx, tx, e.ID)
	over := exam.ClosesAt != nil && !tx.Now().Before(*exam.ClosesAt)
	if err == nil && (!d.Retake || over || slices.ContainsFunc(sittings, Sitting.pending)) {
		err = ErrRetakeEarly
	}
	return err
}

// RetakeGone follows an order of a retake of which everything was given back: an exam that was booked with it and not begun is canceled, and one that was passed
// is withheld. It gives the enrolment; empty: no sitting used it. Again it does nothing.
func (s *Service) RetakeGone(ctx context.Context, orderID string) (enrolmentID string, err error) {
	var ids []string
	if err := s.db.View(ctx, "unpaid sitting", func(ctx context.Context, tx *postgres.Tx) error {
		ids = nil
		return tx.Select(ctx, &ids, q.Q("UnpaidOf"), orderID)
	}); err != nil || len(ids) == 0 {
		return "", err
	}
	err = s.db.InTx(ctx, "retake gone", func(ctx context.Context, tx *postgres.Tx) error {
		x, _, err := lockedSitting(ctx, tx, ids[0], "")
		if err != nil {
			return err
		}
		enrolmentID = x.EnrolmentID
		if err := lockSlots(ctx, tx, x.SlotID); err != nil {
			return err
		}
		if x, err = SittingTx(ctx, tx, x.ID); err != nil { // who calls a slot off holds the slot alone
			return err
		}
		switch x.State { //nolint:exhaustive // who failed keeps that
		case Booked:
			return s.leaveUnpaidTx(ctx, tx, x)
		case Passed:
			return s.resultTx(ctx, tx, &x, Result{State: x.State, ScorePPM: x.ScorePPM, Reference: x.Reference}) // which is not sound any more
		}
		return nil
	})
	return enrolmentID, err
}

// leaveUnpaidTx cancels a booking that was not begun.
func (s *Service) leaveUnpaidTx(ctx context.Context, tx *postgres.Tx, x Sitting) error {
	var begun bool
	if err := tx.Get(ctx, &begun, q.Q("Begun"), x.ID); err != nil || begun {
		return err
	}
	if err := s.endBookingTx(ctx, tx, x, "retake_refunded"); err != nil || x.SlotID == "" {
		return err
	}
	return s.serveWaitingTx(ctx, tx, x.SlotID)
}
