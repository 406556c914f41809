package catalog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Kind is how a session is run.
type Kind string

// The kinds of sessions.
const (
	Mooc   Kind = "mooc"   // open to everybody
	Spoc   Kind = "spoc"   // for a closed group
	Hybrid Kind = "hybrid" // on line, and in a room on workshop days
)

// Session is one run of a course. ThresholdPPM is the grade from which a learner has succeeded, in millionths. Times that
// were not said are nil.
type Session struct {
	ID            string      `db:"id"`
	Key           string      `db:"key"`
	CourseKey     string      `db:"course_key"`
	Number        int         `db:"number"` // 0: not numbered
	TitleEN       string      `db:"title_en"`
	TitleFR       string      `db:"title_fr"`
	Platform      string      `db:"platform"`
	CourseURL     string      `db:"course_url"` // where it is followed
	ThresholdPPM  int         `db:"threshold_ppm"`
	StartsAt      *time.Time  `db:"starts_at"`
	EndsAt        *time.Time  `db:"ends_at"`
	EnrolFrom     *time.Time  `db:"enrol_from"`
	EnrolUntil    *time.Time  `db:"enrol_until"`
	Closed        bool        `db:"closed"`
	Version       int         `db:"version"`
	Kind          Kind        `db:"kind"`
	PlatformKey   string      `db:"platform_key"` // of the course on its platform, verbatim; may be empty
	Audience      string      `db:"audience"`     // for whom; empty: the level of the course
	Language      string      `db:"language"`     // BCP 47; empty: not said
	Capacity      *int        `db:"capacity"`     // seats; nil: as many as come
	Policy        Policy      `db:"policy"`
	MinDays       int         `db:"min_days"`       // workshop days that a learner of a hybrid session attends
	ProductionPPM int         `db:"production_ppm"` // grade that her workshop production reaches, in millionths; 0: none is asked for
	Publication   Publication `db:"publication"`
	CopiedFrom    string      `db:"copied_from"`
	GradedAt      *time.Time  `db:"graded_at"` // when the first grade report came: from here on the threshold is kept
	Level         string      `db:"level"`     // of the course
}

// Title gives the title in both languages.
func (s Session) Title() Text { return Text{s.TitleEN, s.TitleFR} }

// plan is what was written of a session, without its exercises.
func (s Session) plan() NewSession {
	return NewSession{
		Key: s.Key, CourseKey: s.CourseKey, Number: s.Number, Title: s.Title(), Kind: s.Kind, Platform: s.Platform, PlatformKey: s.PlatformKey, CourseURL: s.CourseURL,
		Audience: s.Audience, Language: s.Language, ThresholdPPM: s.ThresholdPPM, StartsAt: s.StartsAt, EndsAt: s.EndsAt, EnrolFrom: s.EnrolFrom, EnrolUntil: s.EnrolUntil,
		Closed: s.Closed, Capacity: s.Capacity, Policy: s.Policy, MinDays: s.MinDays, ProductionPPM: s.ProductionPPM, Publication: s.Publication,
	}
}

// Public says whether everybody may see it.
func (s Session) Public() bool { return s.Publication == Published }

// For is whom the session is for: what it says itself, or else the level of its course; "" is not said.
func (s Session) For() string {
	if s.Audience != "" {
		return s.Audience
	}
	return s.Level
}

// State is what can be done with a session at an instant.
type State string

// The states of a session. They follow from its dates.
const (
	Upcoming State = "upcoming" // enrolment has not begun
	Open     State = "open"     // one can enrol
	Running  State = "running"  // enrolment is over, the course goes on
	Closed   State = "closed"
)

// StateAt derives the state. Both ends of a period belong to what comes after: at EnrolUntil nobody can enrol any more.
func (s Session) StateAt(t time.Time) State { return s.Glimpse().StateAt(t) }

// Glimpse is what a report of many sessions tells of each. Of a thousand, all that is planned for them takes longer to read than the report.
type Glimpse struct {
	ID         string     `db:"id"`
	Key        string     `db:"key"`
	CourseKey  string     `db:"course_key"`
	TitleEN    string     `db:"title_en"`
	TitleFR    string     `db:"title_fr"`
	StartsAt   *time.Time `db:"starts_at"`
	EndsAt     *time.Time `db:"ends_at"`
	EnrolFrom  *time.Time `db:"enrol_from"`
	EnrolUntil *time.Time `db:"enrol_until"`
	Closed     bool       `db:"closed"`
	For        string     `db:"for_whom"`
}

// Glimpse is what a report of many sessions would tell of this one.
func (s Session) Glimpse() Glimpse {
	return Glimpse{s.ID, s.Key, s.CourseKey, s.TitleEN, s.TitleFR, s.StartsAt, s.EndsAt, s.EnrolFrom, s.EnrolUntil, s.Closed, s.For()}
}

// Title gives the title in both languages.
func (s Glimpse) Title() Text { return Text{s.TitleEN, s.TitleFR} }

// StateAt is that of the session.
func (s Glimpse) StateAt(t time.Time) State {
	after := func(bound *time.Time) bool { return bound != nil && !t.Before(*bound) }
	switch {
	case s.Closed, after(s.EndsAt):
		return Closed
	case after(s.EnrolUntil):
		return Running
	case s.EnrolFrom != nil && t.Before(*s.EnrolFrom):
		return Upcoming
	}
	return Open
}

// NewSession is what CreateSessionTx and PutSessionTx need; the course is made when its key is new. A kind that was not said is
// a MOOC, a publication that was not said is Published, as everything was before there were drafts.
type NewSession struct {
	Key           string      `json:"key,omitempty"`
	CourseKey     string      `json:"course,omitempty"`
	Number        int         `json:"number,omitempty"`
	Title         Text        `json:"title"`
	Kind          Kind        `json:"kind"`
	Platform      string      `json:"platform"`
	PlatformKey   string      `json:"platform_key,omitempty"`
	CourseURL     string      `json:"course_url,omitempty"`
	Audience      string      `json:"audience,omitempty"`
	Language      string      `json:"language,omitempty"`
	ThresholdPPM  int         `json:"threshold_ppm"`
	StartsAt      *time.Time  `json:"starts_at,omitempty"`
	EndsAt        *time.Time  `json:"ends_at,omitempty"`
	EnrolFrom     *time.Time  `json:"enrol_from,omitempty"`
	EnrolUntil    *time.Time  `json:"enrol_until,omitempty"`
	Closed        bool        `json:"closed"`
	Capacity      *int        `json:"capacity,omitempty"`
	Policy        Policy      `json:"policy"`
	MinDays       int         `json:"min_days"`
	ProductionPPM int         `json:"production_ppm"`
	Publication   Publication `json:"publication,omitempty"`
	Exercises     []Exercise  `json:"exercises,omitempty"`
	copiedFrom    string
}

// CreateSessionTx makes a session, and its course when that is new.
func CreateSessionTx(ctx context.Context, tx *postgres.Tx, n NewSession) (Session, error) {
	n.settle()
	if err := n.validate(); err != nil {
		return Session{}, err
	}
	if _, err := makeCourse(ctx, tx, n.CourseKey, Draft{Title: Text{EN: n.CourseKey}}, Published); err != nil {
		return Session{}, err
	}
	course, err := CourseTx(ctx, tx, n.CourseKey)
	if err != nil {
		return Session{}, err
	}
	if over := n.Closed || n.EndsAt != nil && !tx.Now().Before(*n.EndsAt); course.State == Archived && n.Publication == Published && !over {
		return Session{}, ErrArchived.At("/course", ErrArchived.Code, course.Key+" is archived.").Of(fault.Unprocessable)
	}
	id := ident.New("ses")
	if _, err := tx.Exec(ctx, q.Q("AddSession"), id, n.Key, course.ID, n.Number, n.Title.EN, n.Title.FR, n.Platform, n.CourseURL,
		n.ThresholdPPM, n.StartsAt, n.EndsAt, n.EnrolFrom, n.EnrolUntil, tx.Now(), n.Kind, n.PlatformKey, n.Audience, n.Language, n.Capacity,
		n.Policy, n.MinDays, n.ProductionPPM, n.Publication, n.copiedFrom, n.Closed); err != nil {
		return Session{}, err
	}
	if err := addExercises(ctx, tx, id, n.Exercises); err != nil {
		return Session{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "session.created", Object: id, Detail: map[string]any{"key": n.Key, "threshold_ppm": n.ThresholdPPM}}); err != nil {
		return Session{}, err
	}
	return keepSession(ctx, tx, id)
}

// SessionTx finds a session by id or key.
func SessionTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Session, error) {
	var s Session
	err := tx.Get(ctx, &s, q.Q("Session"), idOrKey)
	if errors.Is(err, sql.ErrNoRows) {
		return s, ErrNoSession
	}
	return s, err
}

// SessionsTx lists all sessions by course, the newest first.
func SessionsTx(ctx context.Context, tx *postgres.Tx) ([]Session, error) {
	var s []Session
	err := tx.Select(ctx, &s, q.Q("Sessions"))
	return s, err
}

// GlimpsesTx lists all sessions in the order of SessionsTx, with what reports tell of each, as it was known at an instant; at nought, as it is. What
// was made after that instant was not known.
func GlimpsesTx(ctx context.Context, tx *postgres.Tx, knownAt time.Time) (all []Glimpse, err error) {
	if !knownAt.IsZero() {
		return glimpsesAsKnown(ctx, tx, nil, knownAt)
	}
	err = tx.Select(ctx, &all, q.Q("Glimpses"))
	return all, err
}

// GlimpseTx finds a session by id or key, with what reports tell of it as it was known at an instant; at nought, as it is. Of one that was made later
// it is what was said first. Errors: ErrNoSession.
func GlimpseTx(ctx context.Context, tx *postgres.Tx, idOrKey string, knownAt time.Time) (Glimpse, error) {
	s, err := SessionTx(ctx, tx, idOrKey)
	if err != nil || knownAt.IsZero() {
		return s.Glimpse(), err
	}
	all, err := glimpsesAsKnown(ctx, tx, &s.ID, knownAt)
	if err != nil || len(all) == 0 {
		return s.Glimpse(), err
	}
	return all[0], nil
}

func glimpsesAsKnown(ctx context.Context, tx *postgres.Tx, id *string, knownAt time.Time) (all []Glimpse, err error) {
	err = tx.Select(ctx, &all, q.Q("GlimpsesAsKnown"), id, knownAt)
	return all, err
}
