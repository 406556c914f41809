package api

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/page"
)

// SessionRooms is what the API asks of the house about sessions as staff see them.
type SessionRooms interface {
	ListSessions(ctx context.Context, who Principal, f catalog.SessionFilter, p page.Request) (all []catalog.SessionSheet, next string, err error)
	SessionSheet(ctx context.Context, who Principal, session string) (catalog.SessionSheet, error)
	// PutSession, MoveSession and ImportExercises take the version that the caller read; 0 is any.
	PutSession(ctx context.Context, who Principal, session string, n catalog.NewSession, version int) (catalog.SessionSheet, error)
	MoveSession(ctx context.Context, who Principal, session string, to catalog.Publication, note string, version int) (catalog.SessionSheet, error)
	CopySession(ctx context.Context, who Principal, key string, c catalog.CopySession) (SessionCopy, error)
	ImportExercises(ctx context.Context, who Principal, in gradebook.ImportMap) (p catalog.Proposal, version int, err error)
}

// SessionCopy is a copy of a session and what it has of the original.
type SessionCopy struct {
	Session      catalog.SessionSheet `json:"session"`
	From         string               `json:"from"`
	Weeks        int                  `json:"weeks"`
	Zone         string               `json:"zone"`
	Copied       []string             `json:"copied"`
	NotCopied    []string             `json:"not_copied"`
	WorkshopDays int                  `json:"workshop_days"`
	Replayed     bool                 `json:"replayed"`
}

// WorkshopRooms is what the API asks of the house about workshop days. A learner's own rows are found by her alone.
type WorkshopRooms interface {
	WorkshopDays(ctx context.Context, who Principal, session string) ([]workshops.Day, error)
	CreateWorkshopDay(ctx context.Context, who Principal, key, session string, n workshops.NewDay) (workshops.Day, error)
	PutWorkshopDay(ctx context.Context, who Principal, day string, n workshops.NewDay, version int) (workshops.Day, error)
	CancelWorkshopDay(ctx context.Context, who Principal, day string, version int) (workshops.Day, error)
	HoldWorkshopDay(ctx context.Context, who Principal, day string) (workshops.Day, error)
	Attendance(ctx context.Context, who Principal, day string) (workshops.Day, []workshops.Seat, error)
	RecordAttendance(ctx context.Context, who Principal, day string, marks []workshops.Mark) (workshops.Day, []workshops.Seat, error)
	SeatLearner(ctx context.Context, who Principal, key, day, enrolmentID string) (workshops.Day, []workshops.Seat, error)
	RecordProductions(ctx context.Context, who Principal, session string, all []workshops.Production) ([]workshops.Completion, error)
	Workshops(ctx context.Context, who Principal, enrolmentID string) (WorkshopStanding, error)
	RegisterForDay(ctx context.Context, who Principal, key, enrolmentID, day string) (WorkshopStanding, error)
	LeaveDay(ctx context.Context, who Principal, enrolmentID, day string) (WorkshopStanding, error)
}

// WorkshopStanding is how a learner's enrolment stands, the days of its session, and on which of them she has a seat.
type WorkshopStanding struct {
	workshops.Completion
	Days  []workshops.Day
	Seats []string
}
