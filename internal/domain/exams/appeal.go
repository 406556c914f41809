package exams

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Incident is something that happened at a sitting.
type Incident struct {
	Kind       string    `db:"kind"`
	Severity   int       `db:"severity"` // 0 to 100
	Note       string    `db:"note"`
	HappenedAt time.Time `db:"happened_at"`
	By         string    `db:"recorded_by"`
	At         time.Time `db:"recorded_at"`
}

var incidents = []string{"technical", "identity", "material", "help", "absence", "other"}

// IncidentKinds lists what incidents are.
func IncidentKinds() []string { return slices.Clone(incidents) }

// ReportTx notes what happened at a sitting, for ever. HappenedAt zero: now. Errors: ErrNoSitting.
func (s *Service) ReportTx(ctx context.Context, tx *postgres.Tx, sittingID string, i Incident) (Incident, error) {
	x, err := SittingTx(ctx, tx, sittingID)
	if err != nil {
		return i, err
	}
	if i.HappenedAt.IsZero() {
		i.HappenedAt = tx.Now()
	}
	switch {
	case !slices.Contains(incidents, i.Kind):
		return i, fault.InvalidInput(fault.Field{Pointer: "/kind", Code: "unknown-kind", Detail: strings.Join(incidents, ", ") + "."})
	case i.Severity < 0 || i.Severity > 100:
		return i, fault.InvalidInput(fault.Field{Pointer: "/severity", Code: "out-of-range", Detail: "0 to 100."})
	case utf8.RuneCountInString(i.Note) > 2000:
		return i, fault.InvalidInput(fault.Field{Pointer: "/note", Code: "bad-length", Detail: "At most 2,000 characters."})
	case i.HappenedAt.After(tx.Now()) || i.HappenedAt.Before(x.BookedAt.AddDate(-1, 0, 0)):
		return i, fault.InvalidInput(fault.Field{Pointer: "/happened_at", Code: "out-of-range", Detail: "A time that has passed."})
	}
	i.By, i.At = postgres.Author(ctx), tx.Now()
	if _, err := tx.Exec(ctx, q.Q("Report"), x.ID, x.LearnerID, i.Kind, i.Severity, i.Note, i.HappenedAt, i.By, i.At); err != nil {
		return i, err
	}
	return i, audit.AppendTx(ctx, tx, audit.Entry{Action: "sitting.incident", Object: x.ID, Detail: map[string]any{"kind": i.Kind, "severity": i.Severity}})
}

// Appeal is what a learner says against a result, and what was answered.
type Appeal struct {
	ID            string     `db:"id"`
	SittingID     string     `db:"sitting_id"`
	LearnerID     string     `db:"learner_id"`
	Reason        string     `db:"reason"`
	State         string     `db:"state"` // open, upheld, dismissed
	FirstReviewer string     `db:"first_reviewer"`
	AskedAt       time.Time  `db:"asked_at"`
	DecidedBy     string     `db:"decided_by"`
	DecidedAt     *time.Time `db:"decided_at"`
	Answer        string     `db:"answer"`
}

// AppealTx appeals against a failed or rejected sitting, once, within the days that the exam gives. Errors: ErrNoSitting, ErrNoAppealDue, ErrAppealed.
func (s *Service) AppealTx(ctx context.Context, tx *postgres.Tx, sittingID, learnerID, reason string) (Appeal, error) {
	x, _, err := lockedSitting(ctx, tx, sittingID, learnerID)
	if err != nil {
		return Appeal{}, err
	}
	if n := utf8.RuneCountInString(reason); strings.TrimSpace(reason) == "" || n > 2000 {
		return Appeal{}, fault.InvalidInput(fault.Field{Pointer: "/reason", Code: "bad-length", Detail: "1 to 2,000 characters."})
	}
	exam, err := ExamTx(ctx, tx, x.SessionID, x.Kind)
	if err != nil {
		return Appeal{}, err
	}
	if !exam.appealable(x, tx.Now()) {
		return Appeal{}, ErrNoAppealDue
	}
	a, found, err := lastAttemptTx(ctx, tx, x.ID)
	if err != nil {
		return Appeal{}, err
	}
	first := ""
	if found {
		first = a.Reviewer
	}
	id := ident.New("apl")
	if _, err := tx.Exec(ctx, q.Q("Appeal"), id, x.ID, x.LearnerID, reason, first, tx.Now()); err != nil {
		return Appeal{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "appeal.made", Object: id, Detail: map[string]string{"sitting": x.ID}}); err != nil {
		return Appeal{}, err
	}
	return AppealOneTx(ctx, tx, id)
}

// appealable says whether a sitting has a result against which an appeal is open.
func (e Exam) appealable(x Sitting, now time.Time) bool {
	return x.State == Failed && x.ResultAt != nil && !now.After(x.ResultAt.AddDate(0, 0, e.AppealDays))
}

// AppealOneTx finds an appeal. Errors: ErrNoAppeal.
func AppealOneTx(ctx context.Context, tx *postgres.Tx, id string) (a Appeal, err error) {
	err = tx.Get(ctx, &a, q.Q("OneAppeal"), id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoAppeal
	}
	return a, err
}

// OpenAppealsTx lists the appeals that wait for somebody, the oldest first.
func OpenAppealsTx(ctx context.Context, tx *postgres.Tx) ([]Appeal, error) {
	all := []Appeal{}
	err := tx.Select(ctx, &all, q.Q("OpenAppeals"))
	return all, err
}

// Ruling is what a second person says of an appeal. ScorePPM is what the sitting is worth, where it is upheld.
type Ruling struct {
	AppealID string
	Upheld   bool
	ScorePPM *int
	Answer   string
}

// RuleTx answers an appeal, once; upheld, the sitting gets the score that is said. Another person than who decided first does. Errors:
// ErrNoAppeal, ErrDecided, ErrSameReviewer.
func (s *Service) RuleTx(ctx context.Context, tx *postgres.Tx, r Ruling) (Appeal, error) {
	a, err := AppealOneTx(ctx, tx, r.AppealID)
	if err != nil {
		return a, err
	}
	switch n := utf8.RuneCountInString(r.Answer); {
	case strings.TrimSpace(r.Answer) == "" || n > 2000:
		return a, fault.InvalidInput(fault.Field{Pointer: "/answer", Code: "bad-length", Detail: "1 to 2,000 characters."})
	case r.Upheld != (r.ScorePPM != nil) || r.ScorePPM != nil && (*r.ScorePPM < 0 || *r.ScorePPM > 1_000_000):
		return a, fault.InvalidInput(fault.Field{Pointer: "/score_ppm", Code: "out-of-range", Detail: "0 to 1,000,000, where the appeal is upheld."})
	}
	x, _, err := lockedSitting(ctx, tx, a.SittingID, "")
	if err != nil {
		return a, err
	}
	if a, err = AppealOneTx(ctx, tx, a.ID); err != nil {
		return a, err
	}
	by := postgres.Author(ctx)
	switch {
	case a.State != "open":
		return a, ErrDecided
	case by == a.FirstReviewer:
		return a, ErrSameReviewer
	}
	state := map[bool]string{true: "upheld", false: "dismissed"}[r.Upheld]
	if _, err := tx.Exec(ctx, q.Q("Rule"), a.ID, state, by, tx.Now(), r.Answer); err != nil {
		return a, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "appeal." + state, Object: a.ID, Detail: map[string]any{"sitting": x.ID, "score_ppm": r.ScorePPM}}); err != nil {
		return a, err
	}
	if r.Upheld {
		if err := s.upholdTx(ctx, tx, &x, *r.ScorePPM); err != nil {
			return a, err
		}
	}
	if err := s.jobs.EnqueueTx(ctx, tx, AppealDecided{a.ID}); err != nil {
		return a, err
	}
	return AppealOneTx(ctx, tx, a.ID)
}

// AppealDecided says that an appeal was answered.
type AppealDecided struct {
	AppealID string `json:"appeal_id"`
}

// Kind names the job.
func (AppealDecided) Kind() string { return "exams.appeal_decided" }

// upholdTx gives a sitting the score of a second look, whether it had an attempt or not.
func (s *Service) upholdTx(ctx context.Context, tx *postgres.Tx, x *Sitting, score int) error {
	a, found, err := lastAttemptTx(ctx, tx, x.ID)
	if err != nil {
		return err
	}
	if found {
		a.ScorePPM, a.Reviewer = &score, postgres.Author(ctx)
		if a.State == Rejected {
			if err := s.moveAttemptTx(ctx, tx, &a, EvVerify, "appeal"); err != nil {
				return err
			}
		} else if err := storeAttempt(ctx, tx, &a); err != nil {
			return err
		}
	} else {
		a = Attempt{State: Verified, ScorePPM: &score}
	}
	return s.settleTx(ctx, tx, x, a)
}

// Story is a sitting with all that happened at it.
type Story struct {
	Sitting   Sitting
	Exam      Exam
	Slot      *Slot
	Attempts  []Attempt // the latest first
	Events    []Event
	Incidents []Incident
	Appeal    *Appeal
}

// MayAppeal says whether who sat may appeal now.
func (y Story) MayAppeal(now time.Time) bool {
	return y.Appeal == nil && y.Exam.appealable(y.Sitting, now)
}

// StoryTx tells a sitting. Who counts places reads it as the house. Errors: ErrNoSitting.
func StoryTx(ctx context.Context, tx *postgres.Tx, sittingID string) (y Story, err error) {
	if y.Sitting, err = SittingTx(ctx, tx, sittingID); err != nil {
		return y, err
	}
	if y.Exam, err = ExamTx(ctx, tx, y.Sitting.SessionID, y.Sitting.Kind); err != nil {
		return y, err
	}
	if id := y.Sitting.SlotID; id != "" {
		slot, err := SlotTx(ctx, tx, id)
		if err != nil {
			return y, err
		}
		y.Slot = &slot
	}
	if y.Attempts, err = AttemptsTx(ctx, tx, sittingID); err != nil {
		return y, err
	}
	if y.Events, err = eventsTx(ctx, tx, sittingID); err != nil {
		return y, err
	}
	if err = tx.Select(ctx, &y.Incidents, q.Q("Incidents"), sittingID); err != nil {
		return y, err
	}
	var appeals []Appeal
	err = tx.Select(ctx, &appeals, q.Q("AppealOf"), sittingID)
	if len(appeals) > 0 {
		y.Appeal = &appeals[0]
	}
	return y, err
}
