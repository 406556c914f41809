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

// Session is one run of a course. ThresholdPPM is the grade from which a learner has succeeded, in millionths. Times that
// were not said are nil.
type Session struct {
	ID           string     `db:"id"`
	Key          string     `db:"key"`
	CourseKey    string     `db:"course_key"`
	Number       int        `db:"number"` // 0: not numbered
	TitleEN      string     `db:"title_en"`
	TitleFR      string     `db:"title_fr"`
	Platform     string     `db:"platform"`
	CourseURL    string     `db:"course_url"` // where it is followed
	ThresholdPPM int        `db:"threshold_ppm"`
	StartsAt     *time.Time `db:"starts_at"`
	EndsAt       *time.Time `db:"ends_at"`
	EnrolFrom    *time.Time `db:"enrol_from"`
	EnrolUntil   *time.Time `db:"enrol_until"`
	Closed       bool       `db:"closed"`
	Version      int        `db:"version"`
}

// Title gives the title in both languages.
func (s Session) Title() Text { return Text{s.TitleEN, s.TitleFR} }

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
func (s Session) StateAt(t time.Time) State {
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

// NewSession is what CreateSessionTx needs; the course is made when its key is new.
type NewSession struct {
	Key, CourseKey                          string
	Number                                  int
	Title                                   Text
	Platform, CourseURL                     string
	ThresholdPPM                            int
	StartsAt, EndsAt, EnrolFrom, EnrolUntil *time.Time
	Exercises                               []Exercise
}

func (n NewSession) validate() error {
	if err := checkText(n.Key, n.Title); err != nil {
		return err
	}
	var wrong []fault.Field
	refuse := func(pointer, code, detail string) {
		wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if !keyForm.MatchString(n.CourseKey) {
		refuse("/course", "bad-key", "1 to 40 letters, digits, dots, hyphens and underscores.")
	}
	if n.Platform == "" || len(n.Platform) > 100 {
		refuse("/platform", "bad-length", "1 to 100 characters.")
	}
	if len(n.CourseURL) > 500 {
		refuse("/course_url", "bad-length", "At most 500 characters.")
	}
	if n.ThresholdPPM < 0 || n.ThresholdPPM > 1_000_000 {
		refuse("/threshold_ppm", "out-of-range", "0 to 1,000,000.")
	}
	if n.Number < 0 || n.Number > 999 {
		refuse("/number", "out-of-range", "0 to 999.")
	}
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return checkExercises(n.Exercises)
}

// CreateSessionTx makes a session, and its course when that is new.
func CreateSessionTx(ctx context.Context, tx *postgres.Tx, n NewSession) (Session, error) {
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
	id := ident.New("ses")
	if _, err := tx.Exec(ctx, q.Q("AddSession"), id, n.Key, course.ID, n.Number, n.Title.EN, n.Title.FR, n.Platform, n.CourseURL,
		n.ThresholdPPM, n.StartsAt, n.EndsAt, n.EnrolFrom, n.EnrolUntil, tx.Now()); err != nil {
		return Session{}, err
	}
	if err := addExercises(ctx, tx, id, n.Exercises); err != nil {
		return Session{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "session.created", Object: id, Detail: map[string]any{"key": n.Key, "threshold_ppm": n.ThresholdPPM}}); err != nil {
		return Session{}, err
	}
	return SessionTx(ctx, tx, id)
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
