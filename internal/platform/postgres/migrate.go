package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"cursus/migrations"
)

// Migrate brings the database at ownerDSN to the newest schema. It may run in several processes at once: an advisory lock
// lets one of them work. The owner needs the right to create the role cursus_app unless it exists.
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
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
