package exams

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

func array(s []string) any { return pq.Array(s) }

// BookSitting books an exam for an enrolment of a learner.
type BookSitting struct {
	LearnerID      string
	EnrolmentID    string
	Kind           Kind   `json:",omitempty"` // empty: the proctored exam, or that of the slot
	SlotID         string `json:",omitempty"` // empty: of an exam that has no slots to come
	IdempotencyKey string
}

// Book books the exam. Another learner's enrolment is enrolment.ErrNoEnrolment. Errors: ErrNotEligible with every condition that is missing,
// ErrBooked, ErrNoExam; of slots ErrNoSlot, ErrSlotNeeded, ErrSlotOver, ErrSlotFull, ErrOverlap.
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
	for _, x := range sittings {
		if x.State == Booked || x.State == Withheld {
			return "", ErrBooked
		}
	}
	if err := s.placeTx(ctx, tx, exam, e, c.SlotID, ""); err != nil {
		return "", err
	}
	conditions, err := json.Marshal(map[string]any{"eligible": true, "conditions": d.Conditions})
	if err != nil {
		return "", err
	}
	id := ident.New("sit")
	if _, err := tx.Exec(ctx, q.Q("Add"), id, e.ID, e.LearnerID, e.SessionID, c.Kind, len(sittings)+1, string(conditions), tx.Now(), c.SlotID); err != nil {
		return "", err
	}
	if err := recordTx(ctx, tx, Sitting{ID: id, EnrolmentID: e.ID, Kind: c.Kind}, true, journey.Eligible, journey.ExamBooked); err != nil {
		return "", err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, SittingBooked{id}); err != nil {
		return "", err
	}
	return id, audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting.booked", Object: id, Detail: map[string]any{"enrolment": e.ID, "attempt": len(sittings) + 1, "slot": c.SlotID}})
}

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

// SittingMoved says that a sitting was canceled or has another place or time.
type SittingMoved struct {
	SittingID string    `json:"sitting_id"`
	News      string    `json:"news"` // moved, canceled, slot_canceled
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
	if err := moveTx(ctx, tx, x, ""); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("ExpireUnbegun"), x.ID, tx.Now()); err != nil {
		return err
	}
	if err := recordTx(ctx, tx, x, false, journey.ExamBooked); err != nil {
		return err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, SittingMoved{SittingID: x.ID, News: news, At: tx.Now()}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting.canceled", Object: x.ID, Detail: map[string]string{"because": news}})
}

// Result is what a proctor says of a sitting.
type Result struct {
	SittingID string
	State     State // passed, failed or no_show
	ScorePPM  *int  // of passed and failed
	Reference string
}

func (r Result) validate() error {
	scored := r.State == Passed || r.State == Failed
	switch {
	case !scored && r.State != NoShow,
		scored && (r.ScorePPM == nil || *r.ScorePPM < 0 || *r.ScorePPM > 1_000_000),
		!scored && r.ScorePPM != nil,
		utf8.RuneCountInString(r.Reference) > 200:
		return ErrResult
	}
	return nil
}

// RecordResult notes the result of a sitting, once: the same result again changes nothing, another one is ErrDecided. What is not paid for
// any more, or contested at the bank, is withheld until that is settled. A sitting whose attempt is not verified is ErrNotVerified.
func (s *Service) RecordResult(ctx context.Context, r Result) (x Sitting, err error) {
	if err := r.validate(); err != nil {
		return x, err
	}
	err = s.db.InTx(ctx, "record result", func(ctx context.Context, tx *postgres.Tx) error {
		x, err = s.RecordResultTx(ctx, tx, r)
		return err
	})
	return x, err
}

// RecordResultTx is RecordResult in the caller's transaction.
func (s *Service) RecordResultTx(ctx context.Context, tx *postgres.Tx, r Result) (x Sitting, err error) {
	if err := r.validate(); err != nil {
		return x, err
	}
	if x, err = SittingTx(ctx, tx, r.SittingID); err != nil {
		return x, err
	}
	if _, err := enrolment.LockTx(ctx, tx, x.EnrolmentID); err != nil {
		return x, err
	}
	if x, err = SittingTx(ctx, tx, r.SittingID); err != nil {
		return x, err
	}
	said := x.State
	if x.State == Withheld {
		said = State(x.HeldState)
	}
	if said == r.State && (r.ScorePPM == nil || x.ScorePPM != nil && *x.ScorePPM == *r.ScorePPM) {
		return x, nil
	}
	if x.State != Booked {
		return x, ErrDecided
	}
	a, found, err := lastAttemptTx(ctx, tx, x.ID)
	if err != nil {
		return x, err
	}
	if found && r.State != NoShow && a.State != Verified && a.State != Rejected {
		return x, ErrNotVerified
	}
	return x, s.resultTx(ctx, tx, &x, r)
}

// resultTx writes a result; the enrolment is held.
func (s *Service) resultTx(ctx context.Context, tx *postgres.Tx, x *Sitting, r Result) error {
	sound, err := soundTx(ctx, tx, *x)
	if err != nil {
		return err
	}
	now, to, held := tx.Now(), r.State, ""
	x.ScorePPM, x.Reference, x.ResultAt = r.ScorePPM, r.Reference, &now
	if !sound {
		to, held, x.ResultAt = Withheld, string(r.State), nil
	}
	if x.State != to && !Life.Allows(x.State, to) {
		return ErrDecided
	}
	if x.State == Passed && to != Passed {
		if err := recordTx(ctx, tx, *x, false, journey.ExamPassed); err != nil {
			return err
		}
	}
	x.State, x.HeldState = to, held
	if _, err := tx.Exec(ctx, q.Q("Result"), x.ID, x.State, x.ScorePPM, x.Reference, x.ResultAt, held); err != nil {
		return err
	}
	if !sound {
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting.withheld", Object: x.ID})
	}
	stages := []journey.Stage{journey.ExamBooked}
	if r.State != NoShow {
		stages = append(stages, journey.ExamSat)
	}
	if r.State == Passed {
		stages = append(stages, journey.ExamPassed)
	}
	if err := recordTx(ctx, tx, *x, true, stages...); err != nil {
		return err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, ResultRecorded{x.ID}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting." + string(r.State), Object: x.ID, Detail: map[string]any{"score_ppm": r.ScorePPM}})
}

// soundTx says whether a result can be told now: the exam is open to her still, and nobody contests its payment.
func soundTx(ctx context.Context, tx *postgres.Tx, x Sitting) (bool, error) {
	e, err := enrolment.OneTx(ctx, tx, x.EnrolmentID)
	if err != nil {
		return false, err
	}
	var bad bool
	if err := tx.Get(ctx, &bad, q.Q("Unsound"), x.ID); err != nil {
		return false, err
	}
	return !bad && e.Has(x.Kind.entitlement()), nil
}

// releaseTx tells the results that were withheld from an enrolment and need not be any more.
func (s *Service) releaseTx(ctx context.Context, tx *postgres.Tx, enrolments []string) error {
	var held []string
	if err := tx.Select(ctx, &held, q.Q("WithheldOf"), array(enrolments)); err != nil {
		return err
	}
	for _, id := range held {
		x, _, err := lockedSitting(ctx, tx, id, "")
		if err != nil {
			return err
		}
		if x.State != Withheld { // somebody else told it meanwhile
			continue
		}
		sound, err := soundTx(ctx, tx, x)
		if err != nil {
			return err
		}
		if sound {
			if err := s.resultTx(ctx, tx, &x, Result{State: State(x.HeldState), ScorePPM: x.ScorePPM, Reference: x.Reference}); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordTx tells the journey what a sitting reached, or that it does not hold any more; one that leads to no certificate is no stage of it.
func recordTx(ctx context.Context, tx *postgres.Tx, x Sitting, reached bool, stages ...journey.Stage) error {
	if !x.Kind.Counts() {
		return nil
	}
	changes := make([]journey.Change, len(stages))
	for i, stage := range stages {
		changes[i] = journey.Change{EnrolmentID: x.EnrolmentID, Stage: stage, At: tx.Now(), Reached: reached, Cause: x.ID}
	}
	return journey.RecordTx(ctx, tx, changes)
}
