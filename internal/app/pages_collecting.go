package app

import (
	"context"
	"errors"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

const (
	readsGrades  = "grades:read"
	writesGrades = "grades:write"
)

// Collecting shows what is collected of a session.
func (p Pages) Collecting(ctx context.Context, who web.Viewer, session string) (out web.Collecting, err error) {
	if err := may(who, readsGrades); err != nil {
		return out, err
	}
	ctx = as(ctx, who)
	of, err := seen(ctx, p, who, readsGrades, "session", func(ctx context.Context, tx *postgres.Tx) (catalog.Session, error) {
		return catalog.SessionTx(ctx, tx, session)
	})
	if err != nil {
		return out, err
	}
	out = web.Collecting{Session: of.Key, There: of.PlatformKey, MayWrite: who.May(writesGrades)}
	if out.Check, err = p.h.Gradebook.RecheckOf(ctx, of.ID); err != nil {
		return out, err
	}
	schedule, err := p.h.Gradebook.ScheduleOf(ctx, of.ID)
	if errors.Is(err, gradebook.ErrNoSchedule) {
		return out, nil
	}
	if out.Schedule = &schedule; err != nil || schedule.CollectionID == "" {
		return out, err
	}
	last, err := p.h.Gradebook.Collection(ctx, of.ID, schedule.CollectionID)
	out.Last = &last
	return out, err
}

// PutCollecting writes the schedule of a session.
func (p Pages) PutCollecting(ctx context.Context, who web.Viewer, session string, version int, n gradebook.NewSchedule) error {
	if err := may(who, writesGrades); err != nil {
		return err
	}
	_, err := p.h.Gradebook.PutSchedule(as(ctx, who), session, version, n)
	return err
}

// WorkOnCollecting has what a platform says of a session collected, its stages checked, or derived anew.
func (p Pages) WorkOnCollecting(ctx context.Context, who web.Viewer, session, do string) (err error) {
	if err := may(who, writesGrades); err != nil {
		return err
	}
	ctx = as(ctx, who)
	switch do {
	case "collect":
		_, err = p.h.Gradebook.CollectNow(ctx, session)
	case "check":
		_, err = p.h.Gradebook.RecheckNow(ctx, session)
	case "rebuild":
		if _, err = p.h.Gradebook.Rebuild(ctx, session); err == nil {
			_, err = p.h.Gradebook.RecheckNow(ctx, session)
		}
	}
	return err
}

// StageChecks lists when the stages of each session were checked.
func (p Pages) StageChecks(ctx context.Context, who web.Viewer, r page.Request) ([]gradebook.Recheck, string, error) {
	if err := may(who, readsGrades); err != nil {
		return nil, "", err
	}
	return p.h.Gradebook.Rechecks(as(ctx, who), r)
}
