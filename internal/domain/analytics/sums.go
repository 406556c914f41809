package analytics

import (
	"context"
	"time"

	"cursus/internal/platform/postgres"
)

// endOfTime is no bound in statements that take an instant.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func orEnd(t time.Time) time.Time {
	if t.IsZero() {
		return endOfTime
	}
	return t
}

// atOnce is how many touches go into the sums in one transaction.
const atOnce = 2000

// SumUp brings the sums of the cube up to what is written, and tells how many touches it took. Nothing that is answered changes by it: until a
// touch is taken, whoever asks reads what it names from the books. So it may come late, but then each answer takes longer. The house does it itself,
// whoever calls: sums of what one person may see would be wrong.
func SumUp(ctx context.Context, db *postgres.DB) (all int64, err error) {
	ctx = postgres.WithActor(ctx, "system")
	for {
		var n int64
		err := db.InTx(ctx, "sum up", func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := tx.Exec(ctx, q.Q("LockSums")); err != nil {
				return err
			}
			if err := tx.Get(ctx, &n, q.Q("SumUp"), atOnce); err != nil || n == 0 {
				return err
			}
			_, err := tx.Exec(ctx, q.Q("DropEmpty"))
			return err
		})
		all += n
		if err != nil || n < atOnce {
			return all, err
		}
	}
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "18", Name: "what the cube has of an enrolment or an order is what the books say", Query: q.Q("CheckStepsAreWritten")},
		{Invariant: "18", Name: "who is in two sessions is coupled", Query: q.Q("CheckCouples")},
		{Invariant: "18", Name: "the cells of the cube are the sums of their steps", Query: q.Q("CheckCellsEqualSteps")},
		{Invariant: "18", Name: "the totals of the cube are its cells by heads", Query: q.Q("CheckTotalsEqualCells")},
	}
}
