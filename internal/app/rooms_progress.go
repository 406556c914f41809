package app

import (
	"cmp"
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

// CohortDigest is what a week changed, as PDF.
func (r Rooms) CohortDigest(ctx context.Context, who api.Principal, cohort, week, lang string) ([]byte, error) {
	return r.h.Progress.Paper(ctx, who.PersonID, cohort, week, cmp.Or(lang, "en"))
}

// ReadsCohortDigest says whether the caller is mailed the digest of a cohort.
func (r Rooms) ReadsCohortDigest(ctx context.Context, who api.Principal, cohort string) (bool, error) {
	return r.h.Progress.Reads(ctx, who.PersonID, cohort)
}

// ReadCohortDigest says whether she wants it.
func (r Rooms) ReadCohortDigest(ctx context.Context, who api.Principal, cohort string, wanted bool) error {
	return r.h.Progress.Read(ctx, who.PersonID, cohort, wanted)
}
