package lms

import (
	"context"

	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Filter asks for some of the enrolments of a platform; what is empty is not asked for.
type Filter struct {
	Platform string // key; asked for always
	State    State
	Session  string // key
}

// Syncs lists what a platform is told of enrolments, by id. Error: ErrNoPlatform.
func (s *Service) Syncs(ctx context.Context, f Filter, p page.Request) (all []Sync, next string, err error) {
	err = s.db.View(ctx, "syncs of platform", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := platformTx(ctx, tx, f.Platform); err != nil {
			return err
		}
		all, next = []Sync{}, ""
		if err := tx.Select(ctx, &all, q.Q("Syncs"), f.Platform, f.State, f.Session, p.After, p.Limit+1); err != nil {
			return err
		}
		if len(all) > p.Limit {
			all, next = all[:p.Limit], all[p.Limit-1].EnrolmentID
		}
		return nil
	})
	return all, next, err
}

// Figures is what is not confirmed on any platform.
type Figures struct {
	Pending       int64 `db:"pending"`
	Waiting       int64 `db:"waiting"`
	Refused       int64 `db:"refused"`
	OldestSeconds int64 `db:"oldest_seconds"` // since the oldest pending one was asked for
}

// Figures counts them.
func (s *Service) Figures(ctx context.Context) (f Figures, err error) {
	err = s.db.View(asSystem(ctx), "lms figures", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &f, q.Q("Figures"), tx.Now())
	})
	return f, err
}
