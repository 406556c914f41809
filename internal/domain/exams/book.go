package exams

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// BookSitting books an exam for an enrolment of a learner.
type BookSitting struct {
	LearnerID      string
	EnrolmentID    string
	Kind           Kind   `json:",omitempty"` // empty: the proctored exam, or that of the slot
	SlotID         string `json:",omitempty"` // empty: of an exam that has no slots to come
	IdempotencyKey string
}

// Book books the exam. Another learner's enrolment is enrolment.ErrNoEnrolment. Errors: ErrNotEligible with every condition that is missing,
// enrolment.ErrNoRetake where the attempt alone is to be paid for, ErrBooked, ErrNoExam; of slots ErrNoSlot, ErrSlotNeeded, ErrSlotOver, ErrSlotFull, ErrOverlap.
func (s *Service) Book(ctx context.Context, c BookSitting) (x Sitting, err error) {
	b, err := json.Marshal(c)
	if err != nil {
		return x, err
	}
	system := postgres.WithActor(ctx, "system")
	reply, _, err := s.replies.Do(system, "learner:"+c.LearnerID, c.IdempotencyKey, "book sitting "+string(b),
		func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
			id, err := s.bookTx(ctx, tx, c)
			return idempotency.Reply{Status: http.StatusCreated, Body: []byte(id)}, err
		})
	if err != nil {
		return x, err
	}
	err = s.db.View(system, "sitting", func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = SittingTx(ctx, tx, string(reply.Body))
		return err
	})
	return x, err
}

func (s *Service) bookTx(ctx context.Context, tx *postgres.Tx, c BookSitting) (string, error) {
	e, err := ownTx(ctx, tx, c.EnrolmentID, c.LearnerID)
	if err != nil {
		return "", err
	}
	if c.SlotID != "" {
		slot, err := lockedSlot(ctx, tx, c.SlotID)
		if err != nil {
			return "", err
		}
		if err := bookable(slot, e, tx.Now()); err != nil {
			return "", err
		}
		c.Kind = slot.Kind
	}
	if c.Kind == "" {
		c.Kind = Proctored
	}
	d, exam, err := DecideTx(ctx, tx, e, c.Kind)
	if err != nil {
		return "", err
	}
	if !d.Eligible {
		return "", d.refusal()
	}
	sittings, err := ofEnrolmentTx(ctx, tx, e.ID, c.Kind)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(sittings, Sitting.pending) {
		return "", ErrBooked
	}
	if err := s.placeTx(ctx, tx, exam, e, c.SlotID, ""); err != nil {
		return "", err
	}
	conditions, err := json.Marshal(map[string]any{"eligible": true, "conditions": d.Conditions})
	if err != nil {
		return "", err
	}
	id := ident.New("sit")
	if _, err := tx.Exec(ctx, q.Q("Add"), id, e.ID, e.LearnerID, e.SessionID, c.Kind, len(sittings)+1, string(conditions), tx.Now(), c.SlotID, exam.Included); err != nil {
		return "", err
	}
	if d.Retake {
		if err := enrolment.UseRetakeTx(ctx, tx, e.ID, id); err != nil {
			return "", err
		}
	}
	if err := recordTx(ctx, tx, Sitting{ID: id, EnrolmentID: e.ID, Kind: c.Kind}, true, journey.Eligible, journey.ExamBooked); err != nil {
		return "", err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, SittingBooked{id}); err != nil {
		return "", err
	}
	return id, audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting.booked", Object: id, Detail: map[string]any{"enrolment": e.ID, "attempt": len(sittings) + 1, "slot": c.SlotID}})
}

// pending says whether the sitting is to come, or its result is withheld.
func (x Sitting) pending() bool { return x.State == Booked || x.State == Withheld }

// bookable says why a slot, which the caller holds, cannot be booked by an enrolment.
func bookable(x Slot, e enrolment.Enrolment, now time.Time) error {
	switch {
	case x.SessionID != e.SessionID:
		return ErrNoSlot
	case x.State != SlotPlanned, !now.Before(x.StartsAt):
		return ErrSlotOver
	}
	return nil
}

// placeTx takes a place in a slot, which the caller holds; where the exam has slots to come, one has to be chosen. A place that is kept for her is
// hers. except is a sitting of hers that is about to leave its slot.
func (s *Service) placeTx(ctx context.Context, tx *postgres.Tx, exam Exam, e enrolment.Enrolment, slotID, except string) error {
	if slotID == "" {
		var has bool
		if err := tx.Get(ctx, &has, q.Q("HasSlots"), exam.ID, tx.Now()); err != nil {
			return err
		}
		if has {
			return ErrSlotNeeded
		}
		return nil
	}
	if err := s.serveWaitingTx(ctx, tx, slotID); err != nil { // offers that lapsed go to the next, not to who comes now
		return err
	}
	slot, err := SlotTx(ctx, tx, slotID)
	if err != nil {
		return err
	}
	w, err := waitTx(ctx, tx, slotID, e.ID)
	if err != nil && !errors.Is(err, ErrNotWaiting) {
		return err
	}
	if w.State != "offered" && slot.Left() == 0 {
		return ErrSlotFull
	}
	var overlaps bool
	if err := tx.Get(ctx, &overlaps, q.Q("Overlaps"), e.LearnerID, slot.StartsAt, slot.EndsAt, except); err != nil {
		return err
	}
	if overlaps {
		return ErrOverlap
	}
	_, err = tx.Exec(ctx, q.Q("EndWait"), slotID, e.ID, "taken")
	return err
}
