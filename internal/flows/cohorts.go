package flows

import (
	"context"

	"cursus/internal/domain/cohorts"
)

// cohortStirred enrols the members of a cohort that are to be enrolled, and lets those go who left.
func (h *House) cohortStirred(ctx context.Context, e cohorts.Stirred) error {
	return h.Cohorts.Follow(ctx, e.CohortID)
}
