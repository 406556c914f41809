package progress

import (
	"context"
	"slices"

	"cursus/internal/domain/privacy"
	"cursus/internal/platform/postgres"

	"github.com/lib/pq"
)

// Follower is a partner that follows somebody, and in what.
type Follower struct {
	School   string         `db:"school"`   // what it is called
	Edition  string         `db:"edition"`  // key, where she is enrolled in one
	Sessions pq.StringArray `db:"sessions"` // keys
}

// Followed is who follows somebody, and what she said last about being seen by name.
type Followed struct {
	By      []Follower
	Consent privacy.Consent // At is zero where she never said anything, which is no
}

// In leaves those who follow her in a session or an edition, by key.
func (f Followed) In(key string) (left Followed) {
	left.Consent = f.Consent
	for _, x := range f.By {
		if x.Edition == key || slices.Contains(x.Sessions, key) {
			left.By = append(left.By, x)
		}
	}
	return left
}

// Followed says who follows somebody: her schools by their cohorts, and companies on whose seats she sits.
func (s *Service) Followed(ctx context.Context, personID string) (f Followed, err error) {
	err = s.db.View(asSystem(ctx), "followed", func(ctx context.Context, tx *postgres.Tx) error {
		f = Followed{}
		if err := tx.Select(ctx, &f.By, q.Q("Followers"), personID); err != nil {
			return err
		}
		all, err := privacy.ConsentsOfTx(ctx, tx, personID)
		for _, c := range all {
			if c.Purpose == privacy.School {
				f.Consent = c
			}
		}
		return err
	})
	return f, err
}
