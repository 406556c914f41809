package web

import (
	"context"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/workshops"
)

// SessionHouse is what the console asks of the rooms about sessions and workshop days.
type SessionHouse interface {
	Calendar(ctx context.Context, who Viewer, year int, collection string) (Calendar, error)
	SessionDesk(ctx context.Context, who Viewer, key string) (SessionDesk, error)
	// SessionVersion gives what a session said at a version; catalog.ErrNoVersion where nobody kept that.
	SessionVersion(ctx context.Context, who Viewer, key string, version int) (catalog.SessionVersion, error)
	PutSession(ctx context.Context, who Viewer, key string, n catalog.NewSession, version int) error
	MoveSession(ctx context.Context, who Viewer, key string, to catalog.Publication, note string, version int) error
	CopySession(ctx context.Context, who Viewer, c catalog.CopySession) (key string, err error)
	ImportMap(ctx context.Context, who Viewer, in gradebook.ImportMap) (catalog.Proposal, error)
	PutMap(ctx context.Context, who Viewer, key string, exercises []catalog.Exercise, version int) error
	// SessionList gives the sessions, in the order of their making, and the keys of the courses that there are.
	SessionList(ctx context.Context, who Viewer, f catalog.SessionFilter) ([]catalog.SessionSheet, []string, error)
	MakeSession(ctx context.Context, who Viewer, n catalog.NewSession) error
	PlanDay(ctx context.Context, who Viewer, session string, n workshops.NewDay) error
	DayDesk(ctx context.Context, who Viewer, day string) (DayDesk, error)
	// WorkOnDay does one thing with a day; what is empty is not done.
	WorkOnDay(ctx context.Context, who Viewer, day string, w DayWork) error
}

// WorkshopHouse is what a learner asks about the days on which her session meets in a room.
type WorkshopHouse interface {
	// TakeSeat gives her a seat on a day, once per key; LeaveSeat gives it back.
	TakeSeat(ctx context.Context, who Viewer, enrolment, day, key string) error
	LeaveSeat(ctx context.Context, who Viewer, enrolment, day string) error
}

// Workshop is the days of a session as somebody sees them. EnrolmentID is hers; empty: she is not enrolled, or her formula does not open the
// workshops.
type Workshop struct {
	EnrolmentID string
	Days        []WorkshopDay
}

// WorkshopDay is one of them, without what it costs. Mine: she has a seat. Closed: it has begun, so that seats are no longer given.
type WorkshopDay struct {
	ID               string
	Title            Text
	Place, Zone      string
	StartsAt, EndsAt time.Time // by the clock of the place
	Left             int
	Mine, Closed     bool
}

// Clock prints a time by the clock of the place.
func (WorkshopDay) Clock(t time.Time) string { return t.Format("15:04") }

// Calendar is a year of sessions.
type Calendar struct {
	Year        int
	Collection  string
	Collections []string
	Sessions    []catalog.Session
	Overlaps    []catalog.Overlap
}

// SessionDesk is a session with all that staff work on.
type SessionDesk struct {
	Sheet    catalog.SessionSheet
	Next     []catalog.Publication
	Days     []workshops.Day
	Versions []catalog.SessionVersion // the last SessionVersions of them, the newest first
}

// DayDesk is a workshop day with its sheet and who could still come.
type DayDesk struct {
	Day        workshops.Day
	Seats      []workshops.Seat
	Candidates []workshops.Seat
}

// DayWork is one thing to do with a day.
type DayWork struct {
	Marks        []workshops.Mark
	Productions  []workshops.Production
	Seat         string // enrolment
	Hold, Cancel bool
	Edit         *workshops.NewDay
	Version      int // that Edit was read with
}
