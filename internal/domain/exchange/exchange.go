// Package exchange takes a whole collection out of the house as one document and brings it in again.
package exchange

import (
	"context"
	_ "embed"
	"time"

	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("exchange", queriesSQL)

// NextBoundaryTx gives the first instant after another at which the passing of time alone changes what the public sees: a
// session, an edition or an offer begins or ends. Nil: there is none.
func NextBoundaryTx(ctx context.Context, tx *postgres.Tx, after time.Time) (at *time.Time, err error) {
	err = tx.Get(ctx, &at, q.Q("NextBoundary"), after)
	return at, err
}
