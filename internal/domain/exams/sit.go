package exams

import (
	"context"
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// BookSitting books the exam for an enrolment of a learner.
type BookSitting struct {
	LearnerID      string
	EnrolmentID    string
	Kind           Kind // empty: the proctored exam
	IdempotencyKey string
}

// Book books the exam. Another learner's enrolment is enrolment.ErrNoEnrolment. Errors: ErrNotEligible with every
// condition that is missing, ErrBooked.
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
	e, err := enrolment.LockTx(ctx, tx, c.EnrolmentID)
	if err != nil {
		return "", err
	}
	if e.LearnerID != c.LearnerID {
		return "", enrolment.ErrNoEnrolment
	}
	if c.Kind == "" {
		c.Kind = Proctored
	}
	d, _, err := DecideTx(ctx, tx, e, c.Kind)
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
	conditions, err := json.Marshal(map[string]any{"eligible": true, "conditions": d.Conditions})
	if err != nil {
		return "", err
	}
	id := ident.New("sit")
	if _, err := tx.Exec(ctx, q.Q("Add"), id, e.ID, e.LearnerID, e.SessionID, c.Kind, len(sittings)+1, string(conditions), tx.Now()); err != nil {
		return "", err
	}
	if err := recordTx(ctx, tx, Sitting{ID: id, EnrolmentID: e.ID, Kind: c.Kind}, journey.Eligible, journey.ExamBooked); err != nil {
		return "", err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, SittingBooked{id}); err != nil {
		return "", err
	}
	return id, audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting.booked", Object: id, Detail: map[string]any{"enrolment": e.ID, "attempt": len(sittings) + 1}})
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

// RecordResult notes the result of a sitting, once: the same result again changes nothing, another one is ErrDecided.
func (s *Service) RecordResult(ctx context.Context, r Result) (x Sitting, err error) {
	if err := r.validate(); err != nil {
		return x, err
	}
	err = s.db.InTx(ctx, "record result", func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		if x, err = SittingTx(ctx, tx, r.SittingID); err != nil {
			return err
		}
		if _, err := enrolment.LockTx(ctx, tx, x.EnrolmentID); err != nil {
			return err
		}
		if x, err = SittingTx(ctx, tx, r.SittingID); err != nil {
			return err
		}
		if x.State == r.State && (r.ScorePPM == nil || x.ScorePPM != nil && *x.ScorePPM == *r.ScorePPM) {
			return nil
		}
		if !Life.Allows(x.State, r.State) {
			return ErrDecided
		}
		return s.resultTx(ctx, tx, &x, r)
	})
	return x, err
}

func (s *Service) resultTx(ctx context.Context, tx *postgres.Tx, x *Sitting, r Result) error {
	now := tx.Now()
	x.State, x.ScorePPM, x.Reference, x.ResultAt = r.State, r.ScorePPM, r.Reference, &now
	if _, err := tx.Exec(ctx, q.Q("Result"), x.ID, x.State, x.ScorePPM, x.Reference, now); err != nil {
		return err
	}
	stages := []journey.Stage{journey.ExamBooked}
	if r.State != NoShow {
		stages = append(stages, journey.ExamSat)
	}
	if r.State == Passed {
		stages = append(stages, journey.ExamPassed)
	}
	if err := recordTx(ctx, tx, *x, stages...); err != nil {
		return err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, ResultRecorded{x.ID}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting." + string(r.State), Object: x.ID, Detail: map[string]any{"score_ppm": r.ScorePPM}})
}

// recordTx tells the journey what a sitting reached; one that leads to no certificate is no stage of it.
func recordTx(ctx context.Context, tx *postgres.Tx, x Sitting, stages ...journey.Stage) error {
	if !x.Kind.Counts() {
		return nil
	}
	changes := make([]journey.Change, len(stages))
	for i, stage := range stages {
		changes[i] = journey.Change{EnrolmentID: x.EnrolmentID, Stage: stage, At: tx.Now(), Reached: true, Cause: x.ID}
	}
	return journey.RecordTx(ctx, tx, changes)
}
