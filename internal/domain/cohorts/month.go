package cohorts

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
)

// Bill invoices the months that are over of cohorts that are invoiced monthly: one order, and one invoice, for each cohort and month, with all
// who were in it when it ended. Who was said to leave before is let go first. Again it does nothing. It gives how many were invoiced.
func (s *Service) Bill(ctx context.Context) (int, error) {
	return s.sales.BillDue(ctx, s.letGo)
}

// letGo follows the members of a cohort until nothing is due that could be done.
func (s *Service) letGo(ctx context.Context, cohortID string) error {
	ctx = postgres.WithActor(ctx, "system")
	for {
		var left []string
		if err := s.db.View(ctx, "leavers", func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Select(ctx, &left, q.Q("Leavers"), cohortID, inOneGo)
		}); err != nil || len(left) == 0 {
			return err
		}
		for _, id := range left {
			if err := s.settle(ctx, id); err != nil {
				return err
			}
		}
		if len(left) < inOneGo {
			return nil
		}
	}
}

// Months lists the orders of a cohort that is invoiced monthly, the newest first: the first may collect its month still. Error: ErrNoCohort.
func (s *Service) Months(ctx context.Context, by By, id string) (all []sales.Month, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "months of a cohort", func(ctx context.Context, tx *postgres.Tx) error {
		c, err := CohortTx(ctx, tx, id)
		if err == nil {
			err = by.mustTx(ctx, tx, c.Organisation, mayRead)
		}
		if err != nil {
			return err
		}
		all, err = sales.MonthsTx(ctx, tx, id)
		return err
	})
	return all, err
}
