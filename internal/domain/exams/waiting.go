package exams

import (
	"context"
	"errors"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Wait is somebody's place in the row of a slot. Ahead is how many are before her.
type Wait struct {
	Seq         int64      `db:"seq"`
	SlotID      string     `db:"slot_id"`
	EnrolmentID string     `db:"enrolment_id"`
	LearnerID   string     `db:"learner_id"`
	State       string     `db:"state"` // waiting, offered
	AskedAt     time.Time  `db:"asked_at"`
	OfferUntil  *time.Time `db:"offer_until"`
	Ahead       int        `db:"ahead"`
}

// PlaceOffered says that a place in a slot is kept for somebody who waits.
type PlaceOffered struct {
	SlotID      string    `json:"slot_id"`
	EnrolmentID string    `json:"enrolment_id"`
	Until       time.Time `json:"until"`
}

// Kind names the job.
func (PlaceOffered) Kind() string { return "exams.place_offered" }

// WaitTx puts an enrolment at the end of the row of a slot that is full; who waits already keeps her place. learnerID as in BookSitting.
// Errors: those of Book, ErrPlaceLeft.
func (s *Service) WaitTx(ctx context.Context, tx *postgres.Tx, slotID, enrolmentID, learnerID string) (Wait, error) {
	e, err := ownTx(ctx, tx, enrolmentID, learnerID)
	if err != nil {
		return Wait{}, err
	}
	x, err := lockedSlot(ctx, tx, slotID)
	if err != nil {
		return Wait{}, err
	}
	if err := bookable(x, e, tx.Now()); err != nil {
		return Wait{}, err
	}
	if w, err := waitTx(ctx, tx, x.ID, e.ID); err == nil || !errors.Is(err, ErrNotWaiting) {
		return w, err
	}
	if x.Left() > 0 && x.Waiting == 0 {
		return Wait{}, ErrPlaceLeft
	}
	if _, err := fitTx(ctx, tx, e, x.Kind); err != nil {
		return Wait{}, err
	}
	if _, err := tx.Exec(ctx, q.Q("Wait"), x.ID, e.ID, e.LearnerID, tx.Now()); err != nil {
		return Wait{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_slot.waited_for", Object: x.ID, Detail: map[string]string{"enrolment": e.ID}}); err != nil {
		return Wait{}, err
	}
	return waitTx(ctx, tx, x.ID, e.ID)
}

func waitTx(ctx context.Context, tx *postgres.Tx, slotID, enrolmentID string) (Wait, error) {
	var all []Wait
	err := tx.Select(ctx, &all, q.Q("WaitOf"), slotID, enrolmentID)
	if err == nil && len(all) == 0 {
		return Wait{}, ErrNotWaiting
	}
	if err != nil {
		return Wait{}, err
	}
	return all[0], nil
}

// WaitsTx lists what an enrolment waits for.
func WaitsTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) ([]Wait, error) {
	all := []Wait{}
	err := tx.Select(ctx, &all, q.Q("WaitsOf"), enrolmentID)
	return all, err
}

// StopWaitingTx takes an enrolment out of the row; who does not wait stays so. learnerID as in BookSitting.
func (s *Service) StopWaitingTx(ctx context.Context, tx *postgres.Tx, slotID, enrolmentID, learnerID string) error {
	e, err := ownTx(ctx, tx, enrolmentID, learnerID)
	if err != nil {
		return err
	}
	if _, err := lockedSlot(ctx, tx, slotID); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, q.Q("EndWait"), slotID, e.ID, "left")
	if err != nil || n == 0 {
		return err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "exam_slot.waited_no_more", Object: slotID, Detail: map[string]string{"enrolment": e.ID}}); err != nil {
		return err
	}
	return s.serveWaitingTx(ctx, tx, slotID)
}

// ownTx holds an enrolment. learnerID is who asks for herself: another learner's is then not there; empty: staff decide.
func ownTx(ctx context.Context, tx *postgres.Tx, enrolmentID, learnerID string) (enrolment.Enrolment, error) {
	e, err := enrolment.LockTx(ctx, tx, enrolmentID)
	if err == nil && learnerID != "" && e.LearnerID != learnerID {
		err = enrolment.ErrNoEnrolment
	}
	return e, err
}

// serveWaitingTx offers what is free in a slot, which the caller holds, to who waits, in their order. An offer that nobody took lapses, and
// none is made once the slot has begun.
func (s *Service) serveWaitingTx(ctx context.Context, tx *postgres.Tx, slotID string) error {
	if _, err := tx.Exec(ctx, q.Q("LapseOffers"), slotID, tx.Now()); err != nil {
		return err
	}
	x, err := SlotTx(ctx, tx, slotID)
	if err != nil || x.State != SlotPlanned || !tx.Now().Before(x.StartsAt) || x.Left() == 0 || x.Waiting == 0 {
		return err
	}
	until := tx.Now().Add(time.Duration(x.OfferHours) * time.Hour)
	if until.After(x.StartsAt) {
		until = x.StartsAt
	}
	var served []string
	if err := tx.Select(ctx, &served, q.Q("OfferPlaces"), slotID, x.Left(), tx.Now(), until); err != nil {
		return err
	}
	for _, e := range served {
		if err := s.jobs.EnqueueTx(ctx, tx, PlaceOffered{SlotID: slotID, EnrolmentID: e, Until: until}); err != nil {
			return err
		}
	}
	return nil
}

// ServeWaiting has offers lapse and makes others, in every slot that has any due. It tells in how many.
func (s *Service) ServeWaiting(ctx context.Context) (n int, err error) {
	var due []string
	if err := s.db.View(ctx, "slots to serve", func(ctx context.Context, tx *postgres.Tx) error {
		due = nil
		return tx.Select(ctx, &due, q.Q("SlotsToServe"), tx.Now(), perSweep)
	}); err != nil {
		return 0, err
	}
	for _, id := range due {
		if err := s.db.InTx(ctx, "serve waiting", func(ctx context.Context, tx *postgres.Tx) error {
			if err := lockSlots(ctx, tx, id); err != nil {
				return err
			}
			return s.serveWaitingTx(ctx, tx, id)
		}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
