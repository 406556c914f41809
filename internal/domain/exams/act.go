package exams

import (
	"context"
	"time"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Act is what somebody does with the attempt of a sitting. ScorePPM goes with submit, verify and reject, and may come alone (Event empty).
type Act struct {
	SittingID string
	Event     AttemptEvent
	ScorePPM  *int
	Note      string
}

// acts says who may do what: she herself, a proctor in the room, staff.
var (
	learnersActs = []AttemptEvent{EvDecline, EvFinish, EvGoOn, EvSubmit}
	proctorsActs = []AttemptEvent{EvReady, EvStart, EvFinish, EvGoOn, EvSubmit, EvFail, EvDecline}
	staffsActs   = append([]AttemptEvent{EvExpire, EvVerify, EvReject, EvAllowResume}, proctorsActs...)
)

func (a Act) validate(may []AttemptEvent) error {
	known := a.Event == "" && a.ScorePPM != nil
	for _, e := range may {
		known = known || a.Event == e
	}
	switch {
	case !known:
		return fault.InvalidInput(fault.Field{Pointer: "/event", Code: "unknown-event", Detail: "Not an event that you can bring about."})
	case a.ScorePPM != nil && (*a.ScorePPM < 0 || *a.ScorePPM > 1_000_000):
		return fault.InvalidInput(fault.Field{Pointer: "/score_ppm", Code: "out-of-range", Detail: "0 to 1,000,000."})
	case utf8.RuneCountInString(a.Note) > 2000:
		return fault.InvalidInput(fault.Field{Pointer: "/note", Code: "bad-length", Detail: "At most 2,000 characters."})
	}
	return nil
}

// ActTx does something with the latest attempt of a sitting as staff; one is opened where somebody starts and there is none. Errors: ErrNoAttempt,
// ErrAttemptOver, ErrPast, ErrNotYet, ErrNotEligible to start, ErrTooEarly.
func (s *Service) ActTx(ctx context.Context, tx *postgres.Tx, act Act) (Attempt, error) {
	return s.actTx(ctx, tx, act, staffsActs, "")
}

// ActAsLearnerTx is ActTx for who sits herself. She starts by herself a practice exam, and one over which a provider watches, which she sets up first
// (download_software) and starts once the provider is ready. Others are started by who proctors them.
func (s *Service) ActAsLearnerTx(ctx context.Context, tx *postgres.Tx, act Act, learnerID string) (Attempt, error) {
	may := learnersActs
	if x, err := SittingTx(ctx, tx, act.SittingID); err == nil && x.LearnerID == learnerID {
		watched, ready, err := s.setUpTx(ctx, tx, x)
		if err != nil {
			return Attempt{}, err
		}
		if watched && act.Event == EvStart && !ready {
			return Attempt{}, ErrNotReady
		}
		if watched {
			may = append([]AttemptEvent{EvDownload, EvStart}, may...)
		} else if x.Kind == Practice {
			may = append([]AttemptEvent{EvStart}, may...)
		}
	}
	act.ScorePPM, act.Note = nil, ""
	return s.actTx(ctx, tx, act, may, learnerID)
}

func (s *Service) actTx(ctx context.Context, tx *postgres.Tx, act Act, may []AttemptEvent, learnerID string) (Attempt, error) {
	x, e, err := lockedSitting(ctx, tx, act.SittingID, learnerID)
	if err != nil {
		return Attempt{}, err
	}
	if err := act.validate(may); err != nil {
		return Attempt{}, err
	}
	a, found, err := lastAttemptTx(ctx, tx, x.ID)
	if err != nil {
		return a, err
	}
	begins := act.Event == EvStart || act.Event == EvReady || act.Event == EvDownload || act.Event == EvDecline
	if begins && (!found || a.State == ReadyToResume) {
		if a, err = s.OpenAttemptTx(ctx, tx, x.ID, learnerID); err != nil {
			return a, err
		}
		found = true
	}
	if !found {
		return a, ErrNoAttempt
	}
	if act.Event == EvStart {
		if _, refused := next(a.State, EvStart); refused == nil {
			if err := comeTx(ctx, tx, x); err != nil {
				return a, err
			}
			if _, err := fitTx(ctx, tx, e, x.Kind); err != nil {
				return a, err
			}
		}
	}
	if act.Event == EvVerify || act.Event == EvReject {
		a.Reviewer = postgres.Author(ctx)
	}
	if act.ScorePPM != nil {
		a.ScorePPM = act.ScorePPM
	}
	if act.Event == "" {
		if a.State == Verified && x.State != Booked {
			return a, ErrDecided
		}
		if err := storeAttempt(ctx, tx, &a); err != nil {
			return a, err
		}
	} else if err := s.moveAttemptTx(ctx, tx, &a, act.Event, act.Note); err != nil {
		return a, err
	}
	if err := s.settleTx(ctx, tx, &x, a); err != nil {
		return a, err
	}
	return AttemptTx(ctx, tx, a.ID)
}

// moveAttemptTx moves an attempt, which the caller holds by its enrolment, along an edge.
func (s *Service) moveAttemptTx(ctx context.Context, tx *postgres.Tx, a *Attempt, e AttemptEvent, note string) error {
	to, refused := next(a.State, e)
	if refused != nil {
		return refused
	}
	now, from := tx.Now(), a.State
	a.State = to
	if to == Started && a.StartedAt == nil {
		deadline := now.Add(time.Duration(a.LimitSeconds) * time.Second)
		a.StartedAt, a.DeadlineAt = &now, &deadline
	}
	if rank[to] >= 4 && a.SubmittedAt == nil && a.StartedAt != nil {
		ended := now
		if ended.After(*a.DeadlineAt) {
			ended = *a.DeadlineAt
		}
		a.SubmittedAt = &ended
	}
	if err := storeAttempt(ctx, tx, a); err != nil {
		return err
	}
	if err := noteEvent(ctx, tx, *a, e, from, note); err != nil {
		return err
	}
	if err := s.stirTx(ctx, tx, *a); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "attempt." + string(to), Object: a.ID, Detail: map[string]string{"event": string(e), "from": string(from)}})
}

func storeAttempt(ctx context.Context, tx *postgres.Tx, a *Attempt) error {
	_, err := tx.Exec(ctx, q.Q("StoreAttempt"), a.ID, a.State, a.StartedAt, a.DeadlineAt, a.SubmittedAt, a.ScorePPM, a.ReviewedAt, a.Reviewer)
	return err
}

func noteEvent(ctx context.Context, tx *postgres.Tx, a Attempt, e AttemptEvent, from AttemptState, note string) error {
	_, err := tx.Exec(ctx, q.Q("NoteEvent"), a.ID, a.LearnerID, e, from, a.State, note, postgres.Author(ctx), tx.Now())
	return err
}

// Sweep ends what the clock ends: attempts whose time is over are timed out, and those that were never started when their slot or the exam closed
// expire. It tells how many.
func (s *Service) Sweep(ctx context.Context) (n int, err error) {
	for _, look := range []struct {
		query string
		event AttemptEvent
	}{{"OverdueAttempts", EvTimeOut}, {"UnbegunAttempts", EvExpire}} {
		var due []string
		if err := s.db.View(ctx, "due attempts", func(ctx context.Context, tx *postgres.Tx) error {
			due = nil
			return tx.Select(ctx, &due, q.Q(look.query), tx.Now(), perSweep)
		}); err != nil {
			return n, err
		}
		for _, id := range due {
			if err := s.db.InTx(ctx, "end attempt", func(ctx context.Context, tx *postgres.Tx) error {
				return s.endTx(ctx, tx, id, look.event)
			}); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

func (s *Service) endTx(ctx context.Context, tx *postgres.Tx, id string, e AttemptEvent) error {
	a, err := AttemptTx(ctx, tx, id)
	if err != nil {
		return err
	}
	x, _, err := lockedSitting(ctx, tx, a.SittingID, "")
	if err != nil {
		return err
	}
	if a, err = AttemptTx(ctx, tx, id); err != nil {
		return err
	}
	if _, moves := edges[a.State][e]; !moves || e == EvTimeOut && a.DeadlineAt.After(tx.Now()) {
		return nil // it went on meanwhile
	}
	if err := s.moveAttemptTx(ctx, tx, &a, e, ""); err != nil {
		return err
	}
	return s.settleTx(ctx, tx, &x, a)
}
