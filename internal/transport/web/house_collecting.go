package web

import (
	"context"

	"cursus/internal/domain/gradebook"
	paging "cursus/internal/kernel/page"
)

// CollectingHouse is what the console asks of the rooms about what is collected of a session, and about whether its stages are what that says.
type CollectingHouse interface {
	Collecting(ctx context.Context, who Viewer, session string) (Collecting, error)
	PutCollecting(ctx context.Context, who Viewer, session string, version int, n gradebook.NewSchedule) error
	// WorkOnCollecting does one thing: collect, check or rebuild.
	WorkOnCollecting(ctx context.Context, who Viewer, session, do string) error
	StageChecks(ctx context.Context, who Viewer, p paging.Request) (all []gradebook.Recheck, next string, err error)
}

// Collecting is what is collected of a session, as staff see it.
type Collecting struct {
	Session  string
	There    string              // the course of its platform; empty: nothing can be collected
	Schedule *gradebook.Schedule // nil: there is none
	Last     *gradebook.Collection
	Check    gradebook.Recheck
	MayWrite bool
}

// Live says whether what is shown changes by itself.
func (c Collecting) Live() bool {
	return c.Check.Pending || c.Schedule != nil && c.Schedule.BegunAt != nil
}
