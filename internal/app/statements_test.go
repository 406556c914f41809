package app_test

import (
	"context"
	"testing"

	_ "cursus/internal/app"                  // every room, hence every statement
	_ "cursus/internal/platform/idempotency" // a room that no other uses yet
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// Every statement of every room is one that the migrated schema understands, under the application's own role.
func TestEveryStatementPrepares(t *testing.T) {
	db, all := testkit.DB(t), postgres.AllQueries()
	if len(all) < 30 {
		t.Fatal("only", len(all), "statements are registered")
	}
	for _, q := range all {
		err := db.View(context.Background(), q.Name, func(ctx context.Context, tx *postgres.Tx) error {
			s, err := tx.Raw().PrepareContext(ctx, q.SQL)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", q.Name, err)
		}
	}
}
