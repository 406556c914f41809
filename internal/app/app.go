// Package app puts the rooms together.
package app

import (
	"context"
	"database/sql"
	"fmt"

	"cursus/internal/books/journey"
	"cursus/internal/books/ledger"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/gradebook"
	"cursus/internal/platform/config"
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
		if err := createDatabase(ctx, h.cluster.OwnerDSN("postgres")); err != nil {
			return nil, err
		}
	}
	if err := postgres.Migrate(ctx, dsn); err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, dsn, postgres.Options{Role: postgres.AppRole})
	h.DB = db
	return h, err
}

func createDatabase(ctx context.Context, admin string) error {
	db, err := sql.Open("postgres", admin)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	var there bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'cursus')`).Scan(&there); err != nil || there {
		return err
	}
	_, err = db.ExecContext(ctx, `CREATE DATABASE cursus`)
	return err
}

// Close closes the pool and stops the private server.
func (h *House) Close() error {
	if err := h.DB.Close(); err != nil {
		return err
	}
	if h.cluster != nil {
		return h.cluster.Stop()
	}
	return nil
}

// Checks are the invariants of all rooms.
func Checks() (all []postgres.Check) {
	for _, room := range [][]postgres.Check{ledger.Checks(), journey.Checks(), enrolment.Checks(), gradebook.Checks()} {
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
