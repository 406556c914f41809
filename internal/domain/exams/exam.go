package exams

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Kind is what an exam is for.
type Kind string

// The kinds of exams. The proctored one leads to the certificate; a practice exam counts for nothing, and a production is what was made in the
// workshops, defended before people.
const (
	Practice   Kind = "practice"
	Proctored  Kind = "proctored"
	Production Kind = "production"
)

// Kinds lists the kinds of exams.
func Kinds() []Kind { return []Kind{Practice, Proctored, Production} }

// entitlement is what a formula has to open for an exam of the kind.
func (k Kind) entitlement() string {
	if k == Production {
		return offers.Workshop
	}
	return offers.ProctoredExam
}

// Counts says whether the result of the kind leads to the certificate.
func (k Kind) Counts() bool { return k == Proctored }

// Rules are what an exam asks for, as data. Times are UTC, grades millionths.
type Rules struct {
	OpensAt       *time.Time     `db:"opens_at"`
	ClosesAt      *time.Time     `db:"closes_at"`
	GradePPM      *int           `db:"grade_ppm"` // nil: the threshold of the session
	Diligence     bool           `db:"diligence"`
	Identity      bool           `db:"identity"`
	Practice      bool           `db:"practice"`      // the practice exam comes first
	Prerequisites pq.StringArray `db:"prerequisites"` // keys of courses that were followed with success
	MaxAttempts   int            `db:"max_attempts"`
	Included      *int           `db:"included_attempts"` // of the proctored exam: attempts beyond these need a paid retake each; nil: none does
	WaitDays      int            `db:"wait_days"`         // between a result and the next attempt
	LimitMinutes  int            `db:"limit_minutes"`     // of one attempt, before accommodations
	PassPPM       int            `db:"pass_ppm"`          // what a score has to reach
	CancelHours   int            `db:"cancel_hours"`      // before a slot begins, until which it can be left or changed
	OfferHours    int            `db:"offer_hours"`       // how long a place that became free is kept for who waits
	AppealDays    int            `db:"appeal_days"`       // after a result
	HouseVerifies bool           `db:"house_verifies"`    // what a school that proctors proposes is verified by the institute
}

// Exam is an exam of a session. One that nobody wrote has no id and version 0.
type Exam struct {
	ID        string `db:"id"`
	SessionID string `db:"session_id"`
	Kind      Kind   `db:"kind"`
	TitleEN   string `db:"title_en"`
	TitleFR   string `db:"title_fr"`
	Rules
	Version int `db:"version"`
}

// Title gives the title in both languages; it may be empty.
func (e Exam) Title() catalog.Text { return catalog.Text{EN: e.TitleEN, FR: e.TitleFR} }

// usual is the exam that every session has, whether somebody wrote its rules or not.
func usual(sessionID string) Exam {
	return Exam{SessionID: sessionID, Kind: Proctored, Rules: Rules{MaxAttempts: MaxAttempts, LimitMinutes: 60, PassPPM: 500_000, CancelHours: 24, OfferHours: 24, AppealDays: 14, HouseVerifies: true}}
}

// ExamTx finds the exam of a kind of a session, by its id. Errors: ErrNoExam.
func ExamTx(ctx context.Context, tx *postgres.Tx, sessionID string, kind Kind) (Exam, error) {
	all, err := ExamsTx(ctx, tx, sessionID)
	if err != nil {
		return Exam{}, err
	}
	for _, e := range all {
		if e.Kind == kind {
			return e, nil
		}
	}
	return Exam{}, ErrNoExam
}

// RulesTx is what the exam of a kind of a session asks for; of one that nobody wrote, what it is wise to ask for, at version 0. Errors: ErrNoExam for
// what is no kind.
func RulesTx(ctx context.Context, tx *postgres.Tx, sessionID string, kind Kind) (Exam, error) {
	if !slices.Contains(Kinds(), kind) {
		return Exam{}, ErrNoExam
	}
	e, err := ExamTx(ctx, tx, sessionID, kind)
	if errors.Is(err, ErrNoExam) {
		e, err = usual(sessionID), nil
		e.Kind = kind
	}
	return e, err
}

// ExamsTx lists the exams of a session; the proctored one is always among them.
func ExamsTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Exam, error) {
	var all []Exam
	err := tx.Select(ctx, &all, q.Q("Exams"), sessionID)
	if !slices.ContainsFunc(all, func(e Exam) bool { return e.Kind == Proctored }) {
		all = append(all, usual(sessionID))
	}
	return all, err
}

// NewExam is what is said of an exam.
type NewExam struct {
	Title catalog.Text
	Rules
}

func (n NewExam) validate(kind Kind) error {
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	between := func(n, low, high int) bool { return low <= n && n <= high }
	refuse(!slices.Contains(Kinds(), kind), "path/kind", "unknown-kind", "practice, proctored or production.")
	refuse(utf8.RuneCountInString(n.Title.EN) > 200 || utf8.RuneCountInString(n.Title.FR) > 200, "/title", "bad-title", "At most 200 characters.")
	refuse(n.OpensAt != nil && n.ClosesAt != nil && !n.ClosesAt.After(*n.OpensAt), "/closes_at", "before-start", "A window closes after it opens.")
	refuse(n.GradePPM != nil && !between(*n.GradePPM, 0, 1_000_000), "/grade_ppm", "out-of-range", "0 to 1,000,000.")
	refuse(n.Practice && kind == Practice, "/practice", "not-itself", "A practice exam does not ask for itself.")
	refuse(len(n.Prerequisites) > 20, "/prerequisites", "too-many", "At most 20 courses.")
	for _, p := range n.Prerequisites {
		refuse(p == "" || len(p) > 40, "/prerequisites", "bad-key", "The key of a course.")
	}
	refuse(!between(n.MaxAttempts, 1, 20), "/max_attempts", "out-of-range", "1 to 20.")
	refuse(n.Included != nil && kind != Proctored, "/included_attempts", "not-here", "Retakes of the proctored exam alone are sold.")
	refuse(n.Included != nil && !between(*n.Included, 1, n.MaxAttempts), "/included_attempts", "out-of-range", "1 to the number of attempts.")
	refuse(!between(n.WaitDays, 0, 365), "/wait_days", "out-of-range", "0 to 365.")
	refuse(!between(n.LimitMinutes, 1, 1440), "/limit_minutes", "out-of-range", "1 to 1,440.")
	refuse(!between(n.PassPPM, 0, 1_000_000), "/pass_ppm", "out-of-range", "0 to 1,000,000.")
	refuse(!between(n.CancelHours, 0, 720), "/cancel_hours", "out-of-range", "0 to 720.")
	refuse(!between(n.OfferHours, 1, 168), "/offer_hours", "out-of-range", "1 to 168.")
	refuse(!between(n.AppealDays, 0, 90), "/appeal_days", "out-of-range", "0 to 90.")
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// RulesChanged says that an exam asks for something else: everybody of the session is looked at again.
type RulesChanged struct {
	SessionID string `json:"session_id"`
	ExamID    string `json:"exam_id"`
}

// Kind names the job.
func (RulesChanged) Kind() string { return "exams.rules_changed" }

// PutTx writes the exam of a kind of a session; expected is the version that the caller read, 0 for any. Errors: catalog.ErrNoSession,
// ErrChanged, ErrNoCourse.
func (s *Service) PutTx(ctx context.Context, tx *postgres.Tx, session string, kind Kind, n NewExam, expected int) (Exam, error) {
	x, err := catalog.LockSessionTx(ctx, tx, session)
	if err != nil {
		return Exam{}, err
	}
	if err := n.validate(kind); err != nil {
		return Exam{}, err
	}
	old, err := ExamTx(ctx, tx, x.ID, kind)
	if err != nil && !errors.Is(err, ErrNoExam) {
		return Exam{}, err
	}
	if expected != 0 && expected != old.Version {
		return old, ErrChanged
	}
	if n.Prerequisites == nil {
		n.Prerequisites = pq.StringArray{}
	}
	var unknown []string
	if err := tx.Select(ctx, &unknown, q.Q("UnknownCourses"), n.Prerequisites); err != nil {
		return Exam{}, err
	}
	if len(unknown) > 0 {
		return Exam{}, fault.InvalidInput(fault.Field{Pointer: "/prerequisites", Code: "no-such-course", Detail: "There is no course " + unknown[0] + "."})
	}
	if _, err := tx.Exec(ctx, q.Q("PutExam"), ident.New("exm"), x.ID, kind, n.Title.EN, n.Title.FR, n.OpensAt, n.ClosesAt, n.GradePPM, n.Diligence, n.Identity,
		n.Practice, n.Prerequisites, n.MaxAttempts, n.WaitDays, n.LimitMinutes, n.PassPPM, n.CancelHours, n.OfferHours, n.AppealDays, tx.Now(), n.HouseVerifies, n.Included); err != nil {
		return Exam{}, err
	}
	e, err := ExamTx(ctx, tx, x.ID, kind)
	if err != nil {
		return e, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "exam.written", Object: e.ID, Detail: map[string]any{"session": x.ID, "kind": kind, "version": e.Version},
		Before: audit.Was(old.Version > 0, NewExam{old.Title(), old.Rules}), After: n}); err != nil {
		return e, err
	}
	return e, s.jobs.EnqueueTx(ctx, tx, RulesChanged{x.ID, e.ID})
}
