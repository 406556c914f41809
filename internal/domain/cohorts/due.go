package cohorts

import (
	"context"

	"cursus/internal/platform/postgres"
)

// DueTx counts the members of a cohort whom a cause moved and for whom what follows of it is still to be done.
func DueTx(ctx context.Context, tx *postgres.Tx, cohortID, cause string) (n int, err error) {
	err = tx.Get(ctx, &n, q.Q("CountDue"), cohortID, cause)
	return n, err
}
