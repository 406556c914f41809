package exams

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Attempt is what happened in the room.
type Attempt struct {
	ID           string       `db:"id"`
	SittingID    string       `db:"sitting_id"`
	LearnerID    string       `db:"learner_id"`
	N            int          `db:"n"`
	State        AttemptState `db:"state"`
	LimitSeconds int          `db:"limit_seconds"`
	CreatedAt    time.Time    `db:"created_at"`
	StartedAt    *time.Time   `db:"started_at"`
	DeadlineAt   *time.Time   `db:"deadline_at"` // by the server's clock
	SubmittedAt  *time.Time   `db:"submitted_at"`
	ScorePPM     *int         `db:"score_ppm"`
	ReviewedAt   *time.Time   `db:"reviewed_at"`
	Reviewer     string       `db:"reviewer"`
	Code         string       `db:"code"`     // by which the provider knows it; empty: none was told
	Proposal     string       `db:"proposal"` // of who proctored: verify, reject or nothing
	Version      int          `db:"version"`
}

// AttemptTx finds an attempt. Errors: ErrNoAttempt.
func AttemptTx(ctx context.Context, tx *postgres.Tx, id string) (Attempt, error) {
	var a Attempt
	err := tx.Get(ctx, &a, q.Q("Attempt"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrNoAttempt
	}
	return a, err
}

// AttemptsTx lists the attempts of a sitting, the latest first.
func AttemptsTx(ctx context.Context, tx *postgres.Tx, sittingID string) ([]Attempt, error) {
	all := []Attempt{}
	err := tx.Select(ctx, &all, q.Q("Attempts"), sittingID)
	return all, err
}

func lastAttemptTx(ctx context.Context, tx *postgres.Tx, sittingID string) (a Attempt, found bool, err error) {
	all, err := AttemptsTx(ctx, tx, sittingID)
	if err != nil || len(all) == 0 {
		return a, false, err
	}
	return all[0], true, nil
}

// early is how long before a slot begins somebody may come in.
const early = time.Hour

// lockedSitting holds the enrolment of a sitting and gives both. learnerID as in BookSitting.
func lockedSitting(ctx context.Context, tx *postgres.Tx, id, learnerID string) (x Sitting, e enrolment.Enrolment, err error) {
	if x, err = SittingTx(ctx, tx, id); err != nil {
		return x, e, err
	}
	if learnerID != "" && x.LearnerID != learnerID {
		return x, e, ErrNoSitting
	}
	if e, err = enrolment.LockTx(ctx, tx, x.EnrolmentID); err != nil {
		return x, e, err
	}
	x, err = SittingTx(ctx, tx, id)
	return x, e, err
}

// OpenAttemptTx opens the attempt of a booked sitting, or gives the one that is open. Its time is the exam's with the accommodation that holds
// now; after an error that may be resumed it is what was left. learnerID as in BookSitting. Errors: ErrNoSitting, ErrDecided, ErrTooEarly,
// ErrAttemptOver, ErrNotEligible.
func (s *Service) OpenAttemptTx(ctx context.Context, tx *postgres.Tx, sittingID, learnerID string) (Attempt, error) {
	x, e, err := lockedSitting(ctx, tx, sittingID, learnerID)
	if err != nil {
		return Attempt{}, err
	}
	if x.State != Booked {
		return Attempt{}, ErrDecided
	}
	last, found, err := lastAttemptTx(ctx, tx, x.ID)
	if err != nil {
		return last, err
	}
	if found && last.State != ReadyToResume {
		if rank[last.State] > 3 {
			return last, ErrAttemptOver
		}
		return last, nil
	}
	if err := comeTx(ctx, tx, x); err != nil {
		return last, err
	}
	exam, err := fitTx(ctx, tx, e, x.Kind)
	if err != nil {
		return last, err
	}
	more, err := accommodationTx(ctx, tx, e.ID)
	if err != nil {
		return last, err
	}
	limit := more.Limit(exam.LimitMinutes) * 60
	if found {
		limit = max(remaining(last), 60)
		if err := s.moveAttemptTx(ctx, tx, &last, EvResume, ""); err != nil {
			return last, err
		}
	}
	a, err := addAttemptTx(ctx, tx, x, last.N+1, limit)
	if err != nil {
		return a, err
	}
	return a, s.watchTx(ctx, tx, a, exam)
}

func addAttemptTx(ctx context.Context, tx *postgres.Tx, x Sitting, n, limitSeconds int) (Attempt, error) {
	id := ident.New("att")
	if _, err := tx.Exec(ctx, q.Q("AddAttempt"), id, x.ID, x.LearnerID, n, limitSeconds, tx.Now()); err != nil {
		return Attempt{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "attempt.created", Object: id, Detail: map[string]any{"sitting": x.ID, "limit_seconds": limitSeconds}}); err != nil {
		return Attempt{}, err
	}
	return AttemptTx(ctx, tx, id)
}

// remaining is what was left of the time of an attempt when it ended.
func remaining(a Attempt) int {
	if a.DeadlineAt == nil || a.SubmittedAt == nil {
		return a.LimitSeconds
	}
	return int(a.DeadlineAt.Sub(*a.SubmittedAt) / time.Second)
}

// comeTx refuses who comes before her slot, or after it.
func comeTx(ctx context.Context, tx *postgres.Tx, x Sitting) error {
	if x.SlotID == "" {
		return nil
	}
	slot, err := SlotTx(ctx, tx, x.SlotID)
	switch {
	case err != nil:
		return err
	case tx.Now().Before(slot.StartsAt.Add(-early)):
		return ErrTooEarly
	case !tx.Now().Before(slot.EndsAt):
		return ErrSlotOver
	}
	return nil
}

// fitTx gives the exam of a kind for an enrolment that may sit it now; where something that it asks for does not hold, the error says what.
// Errors: ErrNotEligible, ErrNoExam.
func fitTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, kind Kind) (Exam, error) {
	d, exam, err := DecideTx(ctx, tx, e, kind)
	if err == nil && !d.Eligible {
		err = d.refusal()
	}
	return exam, err
}

// Event is a line of the history of an attempt.
type Event struct {
	AttemptID string       `db:"attempt_id"`
	Event     AttemptEvent `db:"event"`
	From      AttemptState `db:"from_state"`
	To        AttemptState `db:"to_state"`
	Note      string       `db:"note"`
	By        string       `db:"by"`
	At        time.Time    `db:"at"`
}

func eventsTx(ctx context.Context, tx *postgres.Tx, sittingID string) ([]Event, error) {
	all := []Event{}
	err := tx.Select(ctx, &all, q.Q("EventsOf"), sittingID)
	return all, err
}
