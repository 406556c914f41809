// Package app puts the rooms together.
package app

import (
	"context"
	"errors"
	"fmt"

	"cursus/internal/books/journey"
	"cursus/internal/books/ledger"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/gradebook"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/config"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/postgres/cluster"
)

// House is an opened Cursus: its database, migrated, under the application's role.
type House struct {
	DB      *postgres.DB
	cluster *cluster.Cluster
}

// Open finds the database, starting the private server where no address is given, and migrates it.
func Open(ctx context.Context, c config.Config) (*House, error) {
	h, dsn := &House{}, c.DatabaseURL
	if dsn == "" {
		var err error
		if h.cluster, err = cluster.Start(ctx, c.DataDir, cluster.Options{BinDir: c.PGBin}); err != nil {
			return nil, err
		}
		dsn = h.cluster.OwnerDSN("cursus")
		if err := postgres.CreateDatabase(ctx, h.cluster.OwnerDSN("postgres"), "cursus"); err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	if err := postgres.Migrate(ctx, dsn); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if err := jobs.Migrate(ctx, dsn); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	db, err := postgres.Open(ctx, dsn, postgres.Options{Role: postgres.AppRole})
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.DB = db
	return h, nil
}

// Close closes the pool and stops the private server.
func (h *House) Close() error {
	var err error
	if h.DB != nil {
		err = h.DB.Close()
	}
	if h.cluster != nil {
		err = errors.Join(err, h.cluster.Stop())
	}
	return err
}

// Checks are the invariants of all rooms.
func Checks() (all []postgres.Check) {
	for _, room := range [][]postgres.Check{audit.Checks(), ledger.Checks(), journey.Checks(), enrolment.Checks(), gradebook.Checks()} {
		all = append(all, room...)
	}
	return all
}

// Violation is a broken invariant with the rows that break it.
type Violation struct {
	Check postgres.Check
	Rows  []string
}

// Verify runs every check and gives those that are broken.
func (h *House) Verify(ctx context.Context) ([]Violation, error) {
	var broken []Violation
	for _, c := range Checks() {
		rows, err := postgres.RunCheck(ctx, h.DB, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		if len(rows) > 0 {
			broken = append(broken, Violation{c, rows})
		}
	}
	return broken, nil
}
