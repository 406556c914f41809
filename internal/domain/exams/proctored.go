package exams

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/platform/postgres"
)

// Proctoring is an attempt that a provider watches over.
type Proctoring struct {
	AttemptID  string      `db:"attempt_id"`
	LearnerID  string      `db:"learner_id"`
	Provider   string      `db:"provider"`
	Language   ProctorKind `db:"language"` // of the provider
	ExamID     string      `db:"exam_id"`
	ExternalID string      `db:"external_id"` // empty: the provider does not know of it yet
	LaunchURL  string      `db:"launch_url"`
	Told       string      `db:"told"`
	DueAt      *time.Time  `db:"due_at"`
	Tried      int         `db:"tried"`
	Failure    string      `db:"failure"`
	Verdict    Verdict     `db:"verdict"`
	VerdictAt  *time.Time  `db:"verdict_at"`
	WantsEnd   bool        `db:"wants_end"` // the provider is told by the browser that the exam is over (lti)
	EndedAt    *time.Time  `db:"ended_at"`  // when it was
}

// ProctorDue says that a provider is to be told something of an attempt.
type ProctorDue struct {
	AttemptID string `json:"attempt_id"`
}

// Kind names the job.
func (ProctorDue) Kind() string { return "exams.proctor_due" }

// ProctoringTx finds how an attempt is watched over; false: by people.
func ProctoringTx(ctx context.Context, tx *postgres.Tx, attemptID string) (p Proctoring, watched bool, err error) {
	var all []Proctoring
	if err := tx.Select(ctx, &all, q.Q("Proctoring"), attemptID); err != nil || len(all) == 0 {
		return p, false, err
	}
	return all[0], true, nil
}

// watchTx has the provider of an exam watch over a new attempt. One of lti is told nothing: the browser carries what is said, and names the attempt.
func (s *Service) watchTx(ctx context.Context, tx *postgres.Tx, a Attempt, e Exam) error {
	p, watched, err := WatchingTx(ctx, tx, e)
	if err != nil || !watched {
		return err
	}
	if p.Kind == ProctorLTI {
		_, err := tx.Exec(ctx, q.Q("AddProctoring"), a.ID, a.LearnerID, p.Key, e.ID, nil, sittingKey(a))
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("AddProctoring"), a.ID, a.LearnerID, p.Key, e.ID, tx.Now(), nil); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, ProctorDue{a.ID})
}

// setUpTx says whether a provider watches over a sitting, and whether it is ready for her: it said so, or she began already.
func (s *Service) setUpTx(ctx context.Context, tx *postgres.Tx, x Sitting) (watched, ready bool, err error) {
	a, found, err := lastAttemptTx(ctx, tx, x.ID)
	if err != nil {
		return false, false, err
	}
	if found && a.State != ReadyToResume {
		_, watched, err = ProctoringTx(ctx, tx, a.ID)
		return watched, rank[a.State] >= rank[ReadyToStart], err
	}
	e, err := ExamTx(ctx, tx, x.SessionID, x.Kind)
	if err != nil {
		return false, false, err
	}
	_, watched, err = WatchingTx(ctx, tx, e)
	return watched, false, err
}

// What a provider is told of an attempt.
const (
	tellStarted   = "started"
	tellSubmitted = "submitted"
	tellError     = "error"
	tellCanceled  = "canceled"
)

// wanted is what a provider is to know of an attempt; empty: that there is one.
func wanted(a AttemptState) string {
	switch a {
	case Started, ReadyToSubmit:
		return tellStarted
	case TimedOut, Submitted, SecondReview, Verified, Rejected:
		return tellSubmitted
	case Errored, ReadyToResume, Resumed:
		return tellError
	case Declined, Expired:
		return tellCanceled
	}
	return ""
}

// nextWord is what a provider is told next, from what it was told to what it is to know: no submission of what was not started. What it was told
// last is the end, unless it was that an attempt was started.
func nextWord(was string, a AttemptState) string {
	to := wanted(a)
	switch {
	case to == was || was == tellCanceled || was == tellSubmitted && to == tellStarted:
		return ""
	case to == tellSubmitted && was == "":
		return tellStarted
	}
	return to
}

// stirTx asks for a provider to be told what became of an attempt, where one watches over it.
func (s *Service) stirTx(ctx context.Context, tx *postgres.Tx, a Attempt) error {
	p, watched, err := ProctoringTx(ctx, tx, a.ID)
	if err != nil || !watched || p.Language == ProctorLTI || nextWord(p.Told, a.State) == "" {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("StirProctoring"), a.ID, tx.Now()); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, ProctorDue{a.ID})
}

// How long after a call in vain the next one is made, by their number; the last one for ever.
var afterFailure = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

// proctorLease is longer than all calls about one attempt.
const proctorLease = 2 * time.Minute

// word is what is said in one call.
type word struct {
	a        ProctorAccess
	p        Proctoring
	exam     ExamCard
	examName string // of the provider for the exam; empty: it does not know it yet
	card     AttemptCard
	status   string // empty: that there is an attempt
}

// TellProctor tells a provider what it is to know of an attempt, one call after another. While another worker does so it does nothing: who holds
// the attempt looks again before it lets go. What fails is tried again later (SweepProctors).
func (s *Service) TellProctor(ctx context.Context, attemptID string) error {
	ctx = asHouse(ctx)
	mine := false
	for {
		var w *word
		if err := s.db.InTx(ctx, "take proctoring", func(ctx context.Context, tx *postgres.Tx) (err error) {
			w, err = s.takeTx(ctx, tx, attemptID, mine)
			return err
		}); err != nil || w == nil {
			return err
		}
		mine = true
		said, err := s.say(ctx, *w)
		failpoint.Here("proctor told")
		var t *ProctorTrouble
		if err != nil && !errors.As(err, &t) {
			return err // the lease ends by itself
		}
		if err := s.db.InTx(ctx, "record proctoring", func(ctx context.Context, tx *postgres.Tx) error { return s.recordTx(ctx, tx, *w, said, t) }); err != nil || t != nil {
			return err
		}
	}
}

// takeTx leases an attempt and gives what is to be said of it now; nil: nothing, and the lease is over.
func (s *Service) takeTx(ctx context.Context, tx *postgres.Tx, attemptID string, mine bool) (*word, error) {
	n, err := tx.Exec(ctx, q.Q("LeaseProctoring"), attemptID, tx.Now(), tx.Now().Add(proctorLease), mine)
	if err != nil || n == 0 {
		return nil, err
	}
	p, _, err := ProctoringTx(ctx, tx, attemptID)
	if err != nil {
		return nil, err
	}
	a, err := AttemptTx(ctx, tx, attemptID)
	if err != nil {
		return nil, err
	}
	status := nextWord(p.Told, a.State)
	access, provider, err := s.accessTx(ctx, tx, p.Provider)
	if err != nil {
		return nil, err
	}
	known := p.ExternalID != ""
	never := !known && status == tellCanceled && p.Tried == 0 // after a call in vain it may know all the same
	if known && status == "" || never || !provider.Enabled {
		_, err := tx.Exec(ctx, q.Q("ReleaseProctoring"), attemptID, provider.Enabled)
		return nil, err
	}
	x, err := SittingTx(ctx, tx, a.SittingID)
	if err != nil {
		return nil, err
	}
	w := &word{a: access, p: p, card: AttemptCard{ID: a.ID, User: obscured(p.Provider, a.LearnerID), Seconds: a.LimitSeconds}}
	if known {
		w.status = status
	}
	if w.exam, err = cardTx(ctx, tx, x); err != nil {
		return nil, err
	}
	var names []string
	if err := tx.Select(ctx, &names, q.Q("Registration"), p.Provider, w.exam.ID); err != nil {
		return nil, err
	}
	if len(names) > 0 {
		w.examName = names[0]
	}
	return w, nil
}

// cardTx is what a provider is told of the exam of a sitting.
func cardTx(ctx context.Context, tx *postgres.Tx, x Sitting) (c ExamCard, err error) {
	e, err := ExamTx(ctx, tx, x.SessionID, x.Kind)
	if err != nil {
		return c, err
	}
	session, err := catalog.SessionTx(ctx, tx, x.SessionID)
	return ExamCard{ID: e.ID, Session: session.Key, Title: cmp.Or(e.Title().EN, session.Title().EN, session.Title().FR), Minutes: e.LimitMinutes}, err
}

// sittingKey is what an attempt is called towards a provider that names it by the sitting and its number (lti).
func sittingKey(a Attempt) string { return fmt.Sprintf("%s/%d", a.SittingID, a.N) }

// answer is what a call brought.
type answer struct {
	exam    string // what the provider calls the exam
	attempt Registered
}

// say makes the call, and before it the one that makes the exam known.
func (s *Service) say(ctx context.Context, w word) (t answer, err error) {
	t.exam = w.examName
	if t.exam == "" {
		if t.exam, err = s.proctor.RegisterExam(ctx, w.a, w.exam); err != nil {
			return t, err
		}
	}
	switch {
	case w.p.ExternalID == "":
		t.attempt, err = s.proctor.RegisterAttempt(ctx, w.a, t.exam, w.card)
	case w.status == tellCanceled:
		err = s.proctor.Cancel(ctx, w.a, t.exam, w.p.ExternalID)
	default:
		err = s.proctor.Tell(ctx, w.a, t.exam, w.p.ExternalID, w.status)
	}
	return t, err
}

// recordTx writes down what became of a call. Messages about an attempt that came before we knew what the provider calls it are looked at again.
func (s *Service) recordTx(ctx context.Context, tx *postgres.Tx, w word, t answer, trouble *ProctorTrouble) error {
	if err := goesTx(ctx, tx, w.p.Provider, trouble); err != nil {
		return err
	}
	if trouble != nil {
		due := tx.Now().Add(afterFailure[min(w.p.Tried, len(afterFailure)-1)])
		_, err := tx.Exec(ctx, q.Q("ProctoringFailed"), w.p.AttemptID, due, clip(trouble.Error(), 300))
		return err
	}
	if w.examName == "" {
		if _, err := tx.Exec(ctx, q.Q("Register"), w.p.Provider, w.exam.ID, t.exam, tx.Now()); err != nil {
			return err
		}
	}
	if w.p.ExternalID != "" {
		_, err := tx.Exec(ctx, q.Q("ProctoringTold"), w.p.AttemptID, w.status)
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("ProctoringKnown"), w.p.AttemptID, t.attempt.ExternalID, t.attempt.LaunchURL); err != nil {
		return err
	}
	var parked []string
	if err := tx.Select(ctx, &parked, q.Q("ParkedOf"), w.p.Provider, t.attempt.ExternalID); err != nil {
		return err
	}
	for _, id := range parked {
		if err := s.jobs.EnqueueTx(ctx, tx, ProctorHeard{id}); err != nil {
			return err
		}
	}
	return nil
}

// SweepProctors asks for what providers are to be told and for what they said of attempts that nobody knew, where the time has come; it tells how
// many. It is what finds the next attempt of what failed, and what a worker that died left behind.
func (s *Service) SweepProctors(ctx context.Context) (n int, err error) {
	err = s.db.InTx(asHouse(ctx), "sweep proctors", func(ctx context.Context, tx *postgres.Tx) error {
		var attempts, events []string
		if err := tx.Select(ctx, &attempts, q.Q("DueProctorings"), tx.Now(), perSweep); err != nil {
			return err
		}
		if err := tx.Select(ctx, &events, q.Q("DueParked"), tx.Now(), perSweep); err != nil {
			return err
		}
		n = len(attempts) + len(events)
		for _, id := range attempts {
			if err := s.jobs.EnqueueTx(ctx, tx, ProctorDue{id}); err != nil {
				return err
			}
		}
		for _, id := range events {
			if err := s.jobs.EnqueueTx(ctx, tx, ProctorHeard{id}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
