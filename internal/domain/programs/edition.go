package programs

import (
	"time"

	"cursus/internal/domain/catalog"
)

// Opening says when a course of an edition opens. Nothing opens before the edition and its session start, whatever the rule; and the
// prerequisites of the program hold under each.
type Opening string

// The openings.
const (
	AtOnce             Opening = "at_once"             // when the edition starts
	OnDate             Opening = "on_date"             // at OpensAt
	Monthly            Opening = "monthly"             // the first at the start of the edition, the next of them a month later each
	AfterPrevious      Opening = "after_previous"      // when the course before it is passed: the completion process
	AfterPrerequisites Opening = "after_prerequisites" // when the prerequisites of the program are passed
)

// Openings lists them in the order to show.
var Openings = []Opening{AtOnce, OnDate, Monthly, AfterPrevious, AfterPrerequisites}

// EditionSession is the session in which a course of the edition is followed, and when it opens. StartsAt, EndsAt
// and Closed are those of the session.
type EditionSession struct {
	CourseKey  string     `json:"course"`
	SessionID  string     `json:"session_id"`
	SessionKey string     `json:"session"`
	Opening    Opening    `json:"opening"`
	OpensAt    *time.Time `json:"opens_at,omitempty"`
	StartsAt   *time.Time `json:"starts_at,omitempty"`
	EndsAt     *time.Time `json:"ends_at,omitempty"`
	Closed     bool       `json:"-"` // by hand
}

// Edition is a version of a program in a period. Times that were not said are nil; without a Capacity everybody has a place.
type Edition struct {
	ID         string              `json:"id"`
	Key        string              `json:"key"`
	ProgramID  string              `json:"program_id"`
	ProgramKey string              `json:"program"`
	Version    int                 `json:"program_version"` // of the program
	Title      catalog.Text        `json:"title"`
	Lang       string              `json:"lang"`
	Partner    string              `json:"partner"`
	Capacity   *int                `json:"capacity,omitempty"`
	StartsAt   *time.Time          `json:"starts_at,omitempty"`
	EndsAt     *time.Time          `json:"ends_at,omitempty"`
	EnrolFrom  *time.Time          `json:"enrol_from,omitempty"`
	EnrolUntil *time.Time          `json:"enrol_until,omitempty"`
	State      catalog.Publication `json:"publication"`
	Edited     int                 `json:"version"`  // counts the edits; the entity tag
	Promised   bool                `json:"promised"` // it was published once: its version and its sessions are fixed
	Sessions   []EditionSession    `json:"sessions"`
}

// StateAt derives what can be done with an edition at an instant, as for sessions. What is not published is closed.
func (e Edition) StateAt(t time.Time) catalog.State {
	after := func(bound *time.Time) bool { return bound != nil && !t.Before(*bound) }
	switch {
	case e.State != catalog.Published, after(e.EndsAt):
		return catalog.Closed
	case after(e.EnrolUntil):
		return catalog.Running
	case e.EnrolFrom != nil && t.Before(*e.EnrolFrom):
		return catalog.Upcoming
	}
	return catalog.Open
}

// SessionOf finds the session of a course.
func (e Edition) SessionOf(course string) (EditionSession, bool) {
	for _, s := range e.Sessions {
		if s.CourseKey == course {
			return s, true
		}
	}
	return EditionSession{}, false
}
