package exams

import (
	"context"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

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

// says says whether a sitting has that result already, told or withheld.
func (x Sitting) says(r Result) bool {
	same := x.State == r.State || x.State == Withheld && State(x.HeldState) == r.State
	return same && (r.ScorePPM == nil || x.ScorePPM != nil && *x.ScorePPM == *r.ScorePPM)
}

// RecordResult notes the result of a sitting, once: the same result again changes nothing, another one is ErrDecided. What is not paid for
// any more, or contested at the bank, is withheld until that is settled. A sitting whose attempt is not verified is ErrNotVerified.
func (s *Service) RecordResult(ctx context.Context, r Result) (x Sitting, err error) {
	if err := r.validate(); err != nil {
		return x, err
	}
	err = s.db.InTx(ctx, "record result", func(ctx context.Context, tx *postgres.Tx) error {
		if x, _, err = lockedSitting(ctx, tx, r.SittingID, ""); err != nil {
			return err
		}
		if x.says(r) {
			return nil
		}
		if x.State != Booked {
			return ErrDecided
		}
		a, found, err := lastAttemptTx(ctx, tx, x.ID)
		if err != nil {
			return err
		}
		if found && r.State != NoShow && a.State != Verified && a.State != Rejected {
			return ErrNotVerified
		}
		return s.resultTx(ctx, tx, &x, r)
	})
	return x, err
}

// resultTx writes a result; the enrolment is held.
func (s *Service) resultTx(ctx context.Context, tx *postgres.Tx, x *Sitting, r Result) error {
	sound, err := soundTx(ctx, tx, *x, r.State)
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

// settleTx writes the result that an attempt leads to: verified with a score it is passed or failed by what the exam asks for, rejected it
// is failed with nothing; who declined or let it expire was not there. A result that is known follows a later review, once that is decided: while a
// person looks again at what had been verified it stands.
func (s *Service) settleTx(ctx context.Context, tx *postgres.Tx, x *Sitting, a Attempt) error {
	r := Result{SittingID: x.ID, Reference: x.Reference}
	switch {
	case a.State == Verified && a.ScorePPM != nil:
		exam, err := ExamTx(ctx, tx, x.SessionID, x.Kind)
		if err != nil {
			return err
		}
		r.State, r.ScorePPM = Failed, a.ScorePPM
		if *a.ScorePPM >= exam.PassPPM {
			r.State = Passed
		}
	case a.State == Rejected:
		nothing := 0
		r.State, r.ScorePPM = Failed, &nothing
	case a.State == Declined || a.State == Expired:
		r.State = NoShow
	default:
		return nil
	}
	if x.says(r) || x.State == NoShow || x.State == Canceled {
		return nil
	}
	if x.State == Withheld || x.State == r.State { // told, or not told, as it was; with another result, or another score
		return s.amendTx(ctx, tx, x, r)
	}
	return s.resultTx(ctx, tx, x, r)
}

// amendTx writes another score, or another result of a sitting that is withheld, without telling anybody.
func (s *Service) amendTx(ctx context.Context, tx *postgres.Tx, x *Sitting, r Result) error {
	held := ""
	if x.State == Withheld {
		held = string(r.State)
	}
	if _, err := tx.Exec(ctx, q.Q("Result"), x.ID, x.State, r.ScorePPM, x.Reference, x.ResultAt, held); err != nil {
		return err
	}
	x.ScorePPM, x.HeldState = r.ScorePPM, held
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting.amended", Object: x.ID, Detail: map[string]any{"score_ppm": r.ScorePPM}})
}

// soundTx says whether a result can be told now: the exam is open to her still, nobody contests its payment, and one that is passed was paid for.
func soundTx(ctx context.Context, tx *postgres.Tx, x Sitting, result State) (bool, error) {
	e, err := enrolment.OneTx(ctx, tx, x.EnrolmentID)
	if err != nil {
		return false, err
	}
	var bad bool
	if err := tx.Get(ctx, &bad, q.Q("Unsound"), x.ID, result == Passed); err != nil {
		return false, err
	}
	return !bad && e.Has(x.Kind.entitlement()), nil
}

// releaseTx tells the results that were withheld from an enrolment and need not be any more.
func (s *Service) releaseTx(ctx context.Context, tx *postgres.Tx, enrolments []string) error {
	var held []string
	if err := tx.Select(ctx, &held, q.Q("WithheldOf"), pq.Array(enrolments)); err != nil {
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
		sound, err := soundTx(ctx, tx, x, State(x.HeldState))
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
