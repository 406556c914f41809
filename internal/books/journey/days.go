package journey

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"cursus/internal/platform/postgres"
)

// settled is how long after a midnight what was learnt before it is summed up: longer than any transaction lasts.
const settled = 12 * time.Hour

// SumDays sums up, once for each day, what was learnt before a midnight, so that a question reads days instead of instants. It tells
// how many sums were written.
func SumDays(ctx context.Context, db *postgres.DB) (n int64, err error) {
	until := db.Now().Add(-settled).UTC().Truncate(24 * time.Hour).Format(time.DateOnly)
	err = db.InTx(ctx, "sum days", func(ctx context.Context, tx *postgres.Tx) error {
		var from string
		if err := tx.Get(ctx, &from, q.Q("Unsummed"), until); err != nil {
			return err
		}
		return tx.Get(ctx, &n, q.Q("Sum"), from, until)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}
