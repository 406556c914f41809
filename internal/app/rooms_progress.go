package app

import (
	"context"
	"io"

	"cursus/internal/domain/progress"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/api"
)

// CohortProgress lists how far the learners of a cohort are.
func (r Rooms) CohortProgress(ctx context.Context, who api.Principal, cohort string, f progress.Filter, p page.Request) ([]progress.Learner, string, error) {
	return r.h.Progress.Learners(ctx, who.PersonID, cohort, f, p)
}

// WriteCohortProgress writes it as CSV.
func (r Rooms) WriteCohortProgress(ctx context.Context, who api.Principal, cohort string, f progress.Filter, w io.Writer) error {
	return r.h.Progress.WriteProgress(ctx, who.PersonID, cohort, f, w)
}

// WriteCohortGrades writes the grades of a session as CSV.
func (r Rooms) WriteCohortGrades(ctx context.Context, who api.Principal, cohort, session string, w io.Writer) error {
	return r.h.Progress.WriteGrades(ctx, who.PersonID, cohort, session, w)
}

// CohortCounts counts how far the learners of a cohort are.
func (r Rooms) CohortCounts(ctx context.Context, who api.Principal, cohort string) (progress.Counts, error) {
	return r.h.Progress.Counts(ctx, who.PersonID, cohort)
}
