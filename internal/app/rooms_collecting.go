package app

import (
	"context"

	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/api"
)

// CollectionSchedule says how often grades are collected.
func (r Rooms) CollectionSchedule(ctx context.Context, _ api.Principal, session string) (gradebook.Schedule, error) {
	return r.h.Gradebook.ScheduleOf(ctx, session)
}

// PutCollectionSchedule has them collected.
func (r Rooms) PutCollectionSchedule(ctx context.Context, _ api.Principal, session string, version int, n gradebook.NewSchedule) (gradebook.Schedule, error) {
	return r.h.Gradebook.PutSchedule(ctx, session, version, n)
}

// CollectGrades has them collected now.
func (r Rooms) CollectGrades(ctx context.Context, _ api.Principal, session string) (gradebook.Schedule, error) {
	return r.h.Gradebook.CollectNow(ctx, session)
}

// StageChecks lists when the stages of each session were checked.
func (r Rooms) StageChecks(ctx context.Context, _ api.Principal, p page.Request) ([]gradebook.Recheck, string, error) {
	return r.h.Gradebook.Rechecks(ctx, p)
}

// StageCheck gives the last check of a session.
func (r Rooms) StageCheck(ctx context.Context, _ api.Principal, session string) (gradebook.Recheck, error) {
	return r.h.Gradebook.RecheckOf(ctx, session)
}

// CheckStages has a session checked.
func (r Rooms) CheckStages(ctx context.Context, _ api.Principal, session string) (gradebook.Recheck, error) {
	return r.h.Gradebook.RecheckNow(ctx, session)
}

// RebuildStages derives the stages of a session anew.
func (r Rooms) RebuildStages(ctx context.Context, _ api.Principal, session string) (int, error) {
	return r.h.Gradebook.Rebuild(ctx, session)
}
