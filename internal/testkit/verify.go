package testkit

import (
	"context"
	"testing"

	"cursus/internal/platform/postgres"
)

// Verify fails the test when an invariant does not hold.
func Verify(t testing.TB, db *postgres.DB, checks []postgres.Check) {
	t.Helper()
	for _, c := range checks {
		rows, err := postgres.RunCheck(postgres.WithActor(context.Background(), "system"), db, c)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		for _, r := range rows {
			t.Errorf("invariant %s, %s: %s", c.Invariant, c.Name, r)
		}
	}
}
