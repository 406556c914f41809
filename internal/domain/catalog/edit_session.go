package catalog

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// platformKeyForm is that of Open edX: course-v1:Org+Course+Run, or Org/Course/Run as it was before 2014.
var platformKeyForm = regexp.MustCompile(`^(course-v1:[\p{L}\p{N}_.~:-]+\+[\p{L}\p{N}_.~:-]+\+[\p{L}\p{N}_.~:-]+|[\p{L}\p{N}_.~-]+/[\p{L}\p{N}_.~-]+/[\p{L}\p{N}_.~-]+)$`)

var languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$`)

// Faults of editing a session.
var (
	ErrFixed         = fault.New(fault.Unprocessable, "session-fixed", "The key and the course of a session stay. Copy the session, or make another one.")
	ErrThresholdKept = fault.New(fault.Conflict, "threshold-kept", "Grades were imported under this threshold, and learners were told it. It stays; copy the session for another one.")
)

func init() { postgres.RegisterConstraint("threshold_is_kept", ErrThresholdKept) }

const (
	maxSeats = 1_000_000
	whole    = 1_000_000 // ppm
)

// settle fills in what was not said.
func (n *NewSession) settle() {
	if n.Kind == "" {
		n.Kind = Mooc
	}
	if n.Publication == "" {
		n.Publication = Published
	}
	if n.Policy == nil {
		n.Policy = Policy{}
	}
}

func (n NewSession) validate() error {
	if err := checkText(n.Key, n.Title); err != nil {
		return err
	}
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	length := func(s string) int { return utf8.RuneCountInString(s) }
	refuse(!keyForm.MatchString(n.CourseKey), "/course", "bad-key", "1 to 40 letters, digits, dots, hyphens and underscores.")
	refuse(n.Platform == "" || length(n.Platform) > 100, "/platform", "bad-length", "1 to 100 characters.")
	refuse(n.PlatformKey != "" && (length(n.PlatformKey) > 255 || !platformKeyForm.MatchString(n.PlatformKey)), "/platform_key", "bad-course-key",
		"course-v1:Org+Course+Run, or Org/Course/Run, without spaces; at most 255 characters.")
	refuse(length(n.CourseURL) > 500, "/course_url", "bad-length", "At most 500 characters.")
	refuse(n.ThresholdPPM < 0 || n.ThresholdPPM > whole, "/threshold_ppm", "out-of-range", "0 to 1,000,000.")
	refuse(n.Number < 0 || n.Number > 999, "/number", "out-of-range", "0 to 999.")
	refuse(n.Kind != Mooc && n.Kind != Spoc && n.Kind != Hybrid, "/kind", "unknown-kind", "mooc, spoc or hybrid.")
	refuse(length(n.Audience) > 60 || strings.TrimSpace(n.Audience) != n.Audience, "/audience", "bad-length", "At most 60 characters, without spaces at its ends.")
	refuse(n.Language != "" && !languageForm.MatchString(n.Language), "/language", "bad-language", "A language tag such as fr or pt-BR.")
	refuse(n.Capacity != nil && (*n.Capacity < 1 || *n.Capacity > maxSeats), "/capacity", "out-of-range", "1 to 1,000,000; leave it out where there is no limit.")
	refuse(n.MinDays < 0 || n.MinDays > 60, "/min_days", "out-of-range", "0 to 60.")
	refuse(n.ProductionPPM < 0 || n.ProductionPPM > whole, "/production_ppm", "out-of-range", "0 to 1,000,000.")
	refuse(n.Kind != Hybrid && (n.MinDays != 0 || n.ProductionPPM != 0), "/kind", "not-hybrid", "Workshop days and a production are asked for by hybrid sessions alone.")
	refuse(PublicationLife.Moves[n.Publication] == nil, "/publication", "unknown-state", "draft, review, published or archived.")
	refuse(before(n.EndsAt, n.StartsAt), "/ends_at", "before-start", "A period ends after it begins.")
	refuse(before(n.EnrolUntil, n.EnrolFrom), "/enrol_until", "before-start", "A period ends after it begins.")
	if wrong = append(wrong, n.Policy.faults()...); wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return checkExercises(n.Exercises)
}

func before(a, b *time.Time) bool { return a != nil && b != nil && a.Before(*b) }

// Says gives what a session says now in the form in which it is written, without its exercises.
func (s Session) Says() NewSession {
	return NewSession{
		Key: s.Key, CourseKey: s.CourseKey, Number: s.Number, Title: s.Title(), Kind: s.Kind, Platform: s.Platform, PlatformKey: s.PlatformKey,
		CourseURL: s.CourseURL, Audience: s.Audience, Language: s.Language, ThresholdPPM: s.ThresholdPPM, StartsAt: s.StartsAt, EndsAt: s.EndsAt,
		EnrolFrom: s.EnrolFrom, EnrolUntil: s.EnrolUntil, Closed: s.Closed, Capacity: s.Capacity, Policy: s.Policy, MinDays: s.MinDays,
		ProductionPPM: s.ProductionPPM, Publication: s.Publication,
	}
}

// LockSessionTx is SessionTx that holds the session until the transaction ends. Whoever sells a seat asks it, so that two sales of the
// last seat follow one another.
func LockSessionTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (Session, error) {
	var id string
	if err := tx.Get(ctx, &id, q.Q("LockSession"), idOrKey); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNoSession
		}
		return Session{}, err
	}
	return SessionTx(ctx, tx, id)
}

// lockToEdit holds a session for who read it at a version, 0 for any, and edits it.
func lockToEdit(ctx context.Context, tx *postgres.Tx, idOrKey string, expected int) (Session, error) {
	s, err := LockSessionTx(ctx, tx, idOrKey)
	switch {
	case err != nil:
		return s, err
	case expected != 0 && expected != s.Version:
		return s, ErrChanged
	case s.Publication == Archived:
		return s, ErrSessionArchived
	}
	return s, nil
}

// PutSessionTx rewrites a session; expected is the version that the caller read, 0 for any. Its key, its course and its exercises stay
// (PutExercisesTx is for these), its publication too (MoveSessionTx), but what was in review is a draft again. Errors: ErrChanged,
// ErrSessionArchived, ErrFixed, ErrThresholdKept once grades were imported: the journey was derived from the threshold that learners were told.
func PutSessionTx(ctx context.Context, tx *postgres.Tx, idOrKey string, n NewSession, expected int) (Session, error) {
	s, err := lockToEdit(ctx, tx, idOrKey, expected)
	if err != nil {
		return s, err
	}
	if n.Key != "" && n.Key != s.Key || n.CourseKey != "" && n.CourseKey != s.CourseKey {
		return s, ErrFixed
	}
	n.Key, n.CourseKey, n.Publication, n.Exercises = s.Key, s.CourseKey, s.Publication, nil
	n.settle()
	if err := n.validate(); err != nil {
		return s, err
	}
	if s.GradedAt != nil && n.ThresholdPPM != s.ThresholdPPM {
		return s, ErrThresholdKept
	}
	if _, err := tx.Exec(ctx, q.Q("EditSession"), s.ID, n.Number, n.Title.EN, n.Title.FR, n.Platform, n.CourseURL, n.ThresholdPPM, n.StartsAt,
		n.EndsAt, n.EnrolFrom, n.EnrolUntil, n.Kind, n.PlatformKey, n.Audience, n.Language, n.Capacity, n.Policy, n.MinDays, n.ProductionPPM, n.Closed); err != nil {
		return s, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "session.changed", Object: s.ID, Detail: map[string]any{"version": s.Version + 1}, Before: s.plan(), After: n}); err != nil {
		return s, err
	}
	if s, err = keepSession(ctx, tx, s.ID); err == nil && s.Publication == InReview {
		return MoveSessionTx(ctx, tx, s.ID, Drafted, "", 0)
	}
	return s, err
}

// MoveSessionTx moves a session to another state of publication; expected is the version that the caller read, 0 for any.
// Errors: ErrChanged, ErrMove.
func MoveSessionTx(ctx context.Context, tx *postgres.Tx, idOrKey string, to Publication, note string, expected int) (Session, error) {
	s, err := LockSessionTx(ctx, tx, idOrKey)
	if err != nil {
		return s, err
	}
	if expected != 0 && expected != s.Version {
		return s, ErrChanged
	}
	if err := MoveTx(ctx, tx, "session", s.ID, s.Version, s.Publication, to, note); err != nil {
		return s, err
	}
	if _, err := tx.Exec(ctx, q.Q("MoveSession"), s.ID, to); err != nil {
		return s, err
	}
	return keepSession(ctx, tx, s.ID)
}

// GradedTx notes that grades of a session were imported: from now on its threshold stays.
func GradedTx(ctx context.Context, tx *postgres.Tx, sessionID string) error {
	_, err := tx.Exec(ctx, q.Q("Graded"), sessionID, tx.Now())
	return err
}

// SessionFilter asks for some of the sessions; what is empty is not asked for. A session counts as between two times when its dates
// touch them.
type SessionFilter struct {
	Course, Collection string // keys
	Publication        Publication
	Kind               Kind
	From, To           *time.Time
	Limit              int
	After              string // id of the last one seen
}

// SessionsWhereTx lists sessions in the order of their making.
func SessionsWhereTx(ctx context.Context, tx *postgres.Tx, f SessionFilter) ([]Session, error) {
	out := []Session{}
	err := tx.Select(ctx, &out, q.Q("SessionsWhere"), f.After, f.Course, f.Publication, f.Kind, f.From, f.To, f.Collection, f.Limit)
	return out, err
}
