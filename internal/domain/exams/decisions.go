package exams

import (
	"context"
	"encoding/json"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
)

// factRow is what this room and its neighbours' tables say of an enrolment for one kind of exam.
type factRow struct {
	EnrolmentID   string         `db:"enrolment_id"`
	Disputed      bool           `db:"disputed"`
	Blocked       bool           `db:"blocked"`
	BlockedUntil  *time.Time     `db:"blocked_until"`
	IdentityUntil *time.Time     `db:"identity_until"`
	Followed      pq.StringArray `db:"followed"`
	Practised     bool           `db:"practised"`
	Taken         int            `db:"taken"`
	Paid          int            `db:"paid"`
	Retakes       int            `db:"retakes"`
	LastResult    *time.Time     `db:"last_result"`
	Passed        bool           `db:"passed"`
}

// decideTx holds enrolments of one session against one of its exams, as of now.
func decideTx(ctx context.Context, tx *postgres.Tx, e Exam, all []enrolment.Enrolment) ([]Decision, map[string]journey.Row, error) {
	ids := make([]string, len(all))
	for i, x := range all {
		ids[i] = x.ID
	}
	ways, err := journey.RowsTx(ctx, tx, ids...)
	if err != nil {
		return nil, nil, err
	}
	var rows []factRow
	if err := tx.Select(ctx, &rows, q.Q("Facts"), pq.Array(ids), e.Kind); err != nil {
		return nil, nil, err
	}
	known := make(map[string]factRow, len(rows))
	for _, r := range rows {
		known[r.EnrolmentID] = r
	}
	done, err := workshops.CompletionTx(ctx, tx, ids...)
	if err != nil {
		return nil, nil, err
	}
	grades := map[string]int{}
	if e.GradePPM != nil {
		if grades, err = gradebook.GradesTx(ctx, tx, ids...); err != nil {
			return nil, nil, err
		}
	}
	out := make([]Decision, len(all))
	for i, x := range all {
		r := known[x.ID]
		f := facts{
			entitled: x.Has(e.Kind.entitlement()), hold: x.Hold, disputed: r.Disputed, blocked: r.Blocked, blockedUntil: r.BlockedUntil,
			way: ways[x.ID].State, identityUntil: r.IdentityUntil, followed: r.Followed, practised: r.Practised, taken: r.Taken, paid: r.Paid, retakes: r.Retakes, lastResult: r.LastResult,
			passed: r.Passed || e.Kind.Counts() && ways[x.ID].State.Has(journey.ExamPassed), workshops: done[x.ID],
		}
		if g, ok := grades[x.ID]; ok {
			f.gradePPM = &g
		}
		out[i] = decide(e, f, tx.Now())
	}
	return out, ways, nil
}

// DecideTx decides for one enrolment and one kind of exam, as of now. Errors: ErrNoExam.
func DecideTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, kind Kind) (Decision, Exam, error) {
	x, err := ExamTx(ctx, tx, e.SessionID, kind)
	if err != nil {
		return Decision{}, x, err
	}
	d, _, err := decideTx(ctx, tx, x, []enrolment.Enrolment{e})
	if err != nil {
		return Decision{}, x, err
	}
	return d[0], x, nil
}

// EligibilityTx decides for one enrolment about the exam that leads to the certificate, as of now, and gives its sittings.
func EligibilityTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment) (Decision, []Sitting, error) {
	sittings, err := OfEnrolmentTx(ctx, tx, e.ID)
	if err != nil {
		return Decision{}, nil, err
	}
	d, _, err := DecideTx(ctx, tx, e, Proctored)
	return d, sittings, err
}

// Refresh decides anew for everybody of a session who has the exam, and tells the journey who has become eligible, and who no longer is.
func (s *Service) Refresh(ctx context.Context, sessionID, cause string) error {
	return s.refresh(ctx, cause, func(ctx context.Context, tx *postgres.Tx) ([]enrolment.Enrolment, error) {
		all, err := enrolment.QualifyingTx(ctx, tx, sessionID)
		if err != nil {
			return nil, err
		}
		var more []string // whose formula was taken back, or who has a free one with the exam
		if err := tx.Select(ctx, &more, q.Q("DecidedOfSession"), sessionID); err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, e := range all {
			seen[e.ID] = true
		}
		for _, id := range more {
			if !seen[id] {
				e, err := enrolment.OneTx(ctx, tx, id)
				if err != nil {
					return nil, err
				}
				all = append(all, e)
			}
		}
		return all, nil
	})
}

// RefreshOne is Refresh for one enrolment. As after nearly every purchase, nothing is done where she is neither fit nor held to be, no
// rule was written for her session, and nothing was ever decided.
func (s *Service) RefreshOne(ctx context.Context, enrolmentID, cause string) error {
	var stirs bool
	if err := s.db.Look(postgres.WithActor(ctx, "system"), &stirs, q.Q("Stirs"), enrolmentID); err != nil || !stirs {
		return err
	}
	return s.refresh(ctx, cause, func(ctx context.Context, tx *postgres.Tx) ([]enrolment.Enrolment, error) {
		e, err := enrolment.OneTx(ctx, tx, enrolmentID)
		return []enrolment.Enrolment{e}, err
	})
}

// RefreshLearner is RefreshOne for every enrolment of a learner, after something of herself changed.
func (s *Service) RefreshLearner(ctx context.Context, learnerID, cause string) error {
	var ids []string
	if err := s.db.View(ctx, "enrolments of learner", func(ctx context.Context, tx *postgres.Tx) error {
		all, err := enrolment.OfLearnerTx(ctx, tx, learnerID)
		ids = nil
		for _, e := range all {
			ids = append(ids, e.ID)
		}
		return err
	}); err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.RefreshOne(ctx, id, cause); err != nil {
			return err
		}
	}
	return nil
}

// perSweep is how many decisions one look takes.
const perSweep = 500

// Review decides anew what time alone may have changed: a window that opened or closed, days of waiting that are over, a proof of identity
// that is too old. It tells how many enrolments it looked at.
func (s *Service) Review(ctx context.Context) (n int, err error) {
	var due []string
	if err := s.db.View(ctx, "due decisions", func(ctx context.Context, tx *postgres.Tx) error {
		due = nil
		return tx.Select(ctx, &due, q.Q("DueDecisions"), tx.Now(), perSweep)
	}); err != nil {
		return 0, err
	}
	for _, id := range due {
		if err := s.RefreshOne(ctx, id, "time"); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *Service) refresh(ctx context.Context, cause string, of func(context.Context, *postgres.Tx) ([]enrolment.Enrolment, error)) error {
	return s.db.InTx(ctx, "refresh eligibility", func(ctx context.Context, tx *postgres.Tx) error {
		all, err := of(ctx, tx)
		if err != nil || len(all) == 0 {
			return err
		}
		exams, err := ExamsTx(ctx, tx, all[0].SessionID)
		if err != nil {
			return err
		}
		for _, e := range exams {
			decided, ways, err := decideTx(ctx, tx, e, all)
			if err != nil {
				return err
			}
			if err := keepTx(ctx, tx, all, decided, cause); err != nil {
				return err
			}
			if !e.Kind.Counts() {
				continue
			}
			if err := s.tellJourneyTx(ctx, tx, all, decided, ways, cause); err != nil {
				return err
			}
		}
		ids := make([]string, len(all))
		for i, e := range all {
			ids[i] = e.ID
		}
		return s.releaseTx(ctx, tx, ids)
	})
}

// tellJourneyTx writes who became fit to sit, and who is no longer.
func (s *Service) tellJourneyTx(ctx context.Context, tx *postgres.Tx, all []enrolment.Enrolment, decided []Decision, ways map[string]journey.Row, cause string) error {
	var changes []journey.Change
	news := EligibilityChanged{At: tx.Now()}
	for i, e := range all {
		fit := decided[i].Fit()
		if fit == ways[e.ID].State.Has(journey.Eligible) {
			continue
		}
		changes = append(changes, journey.Change{EnrolmentID: e.ID, Stage: journey.Eligible, At: tx.Now(), Reached: fit, Cause: cause})
		if fit {
			news.Eligible = append(news.Eligible, e.ID)
		} else {
			news.Lost = append(news.Lost, e.ID)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := journey.RecordTx(ctx, tx, changes); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, news)
}

// keepTx writes the decisions that differ from the last ones.
func keepTx(ctx context.Context, tx *postgres.Tx, all []enrolment.Enrolment, decided []Decision, cause string) error {
	var ids, learners, kinds, eligible, marks, conditions []string
	review := make([]*string, 0, len(all))
	for i, e := range all {
		d := decided[i]
		said, err := json.Marshal(d.Conditions)
		if err != nil {
			return err
		}
		yes := "false"
		if d.Eligible {
			yes = "true"
		}
		ids, learners, kinds, eligible = append(ids, e.ID), append(learners, e.LearnerID), append(kinds, string(d.Kind)), append(eligible, yes)
		marks, conditions = append(marks, d.marks()), append(conditions, string(said))
		var at *string
		if d.ReviewAt != nil {
			text := d.ReviewAt.UTC().Format(time.RFC3339Nano)
			at = &text
		}
		review = append(review, at)
	}
	_, err := tx.Exec(ctx, q.Q("KeepDecisions"), pq.Array(ids), pq.Array(learners), pq.Array(kinds), pq.Array(eligible), pq.Array(marks), pq.Array(conditions),
		pq.Array(review), cause, tx.Now())
	return err
}

// Decided is a line of the history of decisions.
type Decided struct {
	Seq        int64     `db:"seq"`
	Kind       Kind      `db:"kind"`
	Eligible   bool      `db:"eligible"`
	Raw        []byte    `db:"conditions"`
	Cause      string    `db:"cause"`
	DecidedAt  time.Time `db:"decided_at"`
	Conditions []Condition
}

// DecisionsTx lists what was decided of an enrolment, the latest first.
func DecisionsTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) ([]Decided, error) {
	all := []Decided{}
	if err := tx.Select(ctx, &all, q.Q("Decisions"), enrolmentID); err != nil {
		return nil, err
	}
	for i := range all {
		if err := json.Unmarshal(all[i].Raw, &all[i].Conditions); err != nil {
			return nil, err
		}
	}
	return all, nil
}
