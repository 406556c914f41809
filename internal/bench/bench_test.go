package bench

import (
	"context"
	"slices"
	"testing"

	"cursus/internal/books/journey"
	"cursus/internal/books/ledger"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/gradebook"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// What is measured is a network as the rooms would have left it: its rows, tallies, runs and entries hold what `cursus verify` asks of the books
// and of the gradebook, and a change of a stage is written into it as into any other.
func TestANetworkIsWhatTheRoomsWouldHaveMade(t *testing.T) {
	dsn, ctx := testkit.OwnerDSN(t), postgres.WithActor(context.Background(), "system")
	owner, err := postgres.Open(ctx, dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Close() })
	size, err := Network(ctx, owner, 20_000, func(int, int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	if size.Enrolments != 20_000 || size.Changes < 25_000 || size.Results < 40_000 {
		t.Errorf("%+v", size)
	}
	db := testkit.Open(t, dsn, testkit.Clock())
	if _, err := journey.SumDays(ctx, db); err != nil {
		t.Fatal(err)
	}
	if _, err := analytics.SumUp(ctx, db); err != nil {
		t.Fatal(err)
	}
	if _, err := Writes(ctx, db, Sessions(size.Enrolments), 2); err != nil {
		t.Error(err)
	}
	testkit.Verify(t, db, slices.Concat(journey.Checks(), ledger.Checks(), gradebook.Checks(), analytics.Checks()))
	again, err := Network(ctx, owner, 20_000, func(int, int, string) { t.Error("it was made again") })
	if err != nil || again.Enrolments != 20_000 {
		t.Error(again, err)
	}
	if _, err := Network(ctx, owner, 30_000, nil); err == nil {
		t.Error("a network was made over another one")
	}
}
