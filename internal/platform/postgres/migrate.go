package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"cursus/migrations"
)

// Migrate brings the database at ownerDSN to the newest schema. It may run in several processes at once: an advisory lock
// lets one of them work. A migration whose number is below one that the database has already is run all the same: numbers are given
// when work begins, and it does not end in that order. The owner needs the right to create the roles cursus_app,
// cursus_house, cursus_views and cursus_export unless they exist.
func Migrate(ctx context.Context, ownerDSN string) error {
	dsn, err := withSettings(ownerDSN, "")
	if err != nil {
		return err
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	defer func() { _ = db.Close() }()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files, goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// CreateDatabase makes a database of a server unless it is there.
func CreateDatabase(ctx context.Context, adminDSN, name string) error {
	db, err := sql.Open("postgres", adminDSN)
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	defer func() { _ = db.Close() }()
	var there bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil || there {
		return err
	}
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(name))
	return err
}

// Vacuum has every table vacuumed and analysed, as its owner: as a night leaves a database.
func Vacuum(ctx context.Context, dsn string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, "VACUUM (ANALYZE)")
	return err
}
