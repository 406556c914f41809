package exams

import (
	"context"
	"database/sql"
	"errors"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
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
	fit, exam, err := s.fitTx(ctx, tx, e, x)
	if err != nil {
		return last, err
	}
	if fit.refused != nil {
		return last, fit.refused
	}
	more, err := accommodationTx(ctx, tx, e.ID)
	if err != nil {
		return last, err
	}
	a := Attempt{ID: ident.New("att"), SittingID: x.ID, LearnerID: x.LearnerID, N: last.N + 1, State: Created, LimitSeconds: more.Limit(exam.LimitMinutes) * 60}
	if found {
		a.LimitSeconds = max(remaining(last), 60)
		if err := s.moveAttemptTx(ctx, tx, &last, EvResume, ""); err != nil {
			return last, err
		}
	}
	if _, err := tx.Exec(ctx, q.Q("AddAttempt"), a.ID, a.SittingID, a.LearnerID, a.N, a.LimitSeconds, tx.Now()); err != nil {
		return a, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "attempt.created", Object: a.ID, Detail: map[string]any{"sitting": x.ID, "limit_seconds": a.LimitSeconds}}); err != nil {
		return a, err
	}
	return AttemptTx(ctx, tx, a.ID)
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

type fitness struct{ refused error }

// fitTx says whether what the exam asks for still holds: nobody sits without.
func (s *Service) fitTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, x Sitting) (fitness, Exam, error) {
	d, exam, err := DecideTx(ctx, tx, e, x.Kind)
	if err != nil || d.Eligible {
		return fitness{}, exam, err
	}
	return fitness{d.refusal()}, exam, nil
}

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

// ActAsLearnerTx is ActTx for who sits herself. She starts by herself a practice exam alone: others are started by who proctors them.
func (s *Service) ActAsLearnerTx(ctx context.Context, tx *postgres.Tx, act Act, learnerID string) (Attempt, error) {
	may := learnersActs
	if x, err := SittingTx(ctx, tx, act.SittingID); err == nil && x.Kind == Practice {
		may = append([]AttemptEvent{EvStart}, may...)
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
	begins := act.Event == EvStart || act.Event == EvReady || act.Event == EvDecline
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
			fit, _, err := s.fitTx(ctx, tx, e, x)
			if err != nil {
				return a, err
			}
			if fit.refused != nil {
				return a, fit.refused
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

// settleTx writes the result that an attempt leads to: verified with a score it is passed or failed by what the exam asks for, rejected it
// is failed with nothing; who declined or let it expire was not there. A result that is known follows a later review.
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
	same := x.State == r.State || x.State == Withheld && State(x.HeldState) == r.State
	if same && (r.ScorePPM == nil || x.ScorePPM != nil && *x.ScorePPM == *r.ScorePPM) || x.State == NoShow || x.State == Canceled {
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
