package app

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/transport/api"
)

// CohortMonths lists the orders of a cohort that is invoiced monthly.
func (r Rooms) CohortMonths(ctx context.Context, who api.Principal, id string) ([]sales.Month, error) {
	return r.h.Cohorts.Months(ctx, cohortsBy(who), id)
}
