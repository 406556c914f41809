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

// Writable finds a cohort into which somebody may enrol. Errors: ErrNoCohort, and that of identity where her role allows no more than to look.
func (s *Service) Writable(ctx context.Context, by By, id string) (c Cohort, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "cohort to write to", func(ctx context.Context, tx *postgres.Tx) error {
		if c, err = CohortTx(ctx, tx, id); err != nil {
			return err
		}
		return by.mustTx(ctx, tx, c.Organisation, mayWrite)
	})
	return c, err
}
