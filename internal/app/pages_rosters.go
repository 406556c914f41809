package app

import (
	"context"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/uploads"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/web"
)

// cohortOf finds a cohort that the viewer may see, and says whether she may enrol into it.
func (p Pages) cohortOf(ctx context.Context, who web.Viewer, id string) (c cohorts.Cohort, writes bool, err error) {
	if c, err = p.h.Cohorts.Cohort(ctx, cohortsOf(who), id); err != nil {
		return c, false, err
	}
	_, err = p.h.Cohorts.Writable(ctx, cohortsOf(who), id)
	if err != nil && fault.From(err).Kind == fault.Forbidden {
		return c, false, nil
	}
	return c, err == nil, err
}

// Rosters are the files of a cohort.
func (p Pages) Rosters(ctx context.Context, who web.Viewer, cohort string, r page.Request) (c cohorts.Cohort, all []uploads.Upload, next string, writes bool, err error) {
	if c, writes, err = p.cohortOf(ctx, who, cohort); err != nil {
		return c, nil, "", false, err
	}
	all, next, err = p.h.Uploads.Uploads(ctx, cohortsOf(who), cohort, r)
	return c, all, next, writes, err
}

// SendRoster reads a file.
func (p Pages) SendRoster(ctx context.Context, who web.Viewer, key string, n uploads.NewUpload) (uploads.Upload, error) {
	return p.h.Uploads.Take(ctx, cohortsOf(who), key, n)
}

// Roster finds a file of a cohort.
func (p Pages) Roster(ctx context.Context, who web.Viewer, cohort, id string) (c cohorts.Cohort, u uploads.Upload, writes bool, err error) {
	if c, writes, err = p.cohortOf(ctx, who, cohort); err != nil {
		return c, u, false, err
	}
	u, err = p.h.Uploads.Upload(ctx, cohortsOf(who), cohort, id)
	return c, u, writes, err
}

// ApplyRosterUpload has a file applied.
func (p Pages) ApplyRosterUpload(ctx context.Context, who web.Viewer, key string, a uploads.Apply) error {
	_, err := p.h.Uploads.Apply(ctx, cohortsOf(who), key, a)
	return err
}

// RosterOutcome says what becomes of each row of a file.
func (p Pages) RosterOutcome(ctx context.Context, who web.Viewer, cohort, id string) (web.File, error) {
	content, err := p.h.Uploads.Outcome(ctx, cohortsOf(who), cohort, id)
	return web.File{Name: id + ".csv", ContentType: "text/csv; charset=utf-8", Content: content}, err
}

// ExportRoster says who is in a cohort.
func (p Pages) ExportRoster(ctx context.Context, who web.Viewer, cohort string) (web.File, error) {
	content, err := p.h.Uploads.Roster(ctx, cohortsOf(who), cohort)
	return web.File{Name: cohort + ".csv", ContentType: "text/csv; charset=utf-8", Content: content}, err
}
