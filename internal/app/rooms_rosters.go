package app

import (
	"context"

	"cursus/internal/domain/uploads"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/api"
)

// UploadRoster reads a roster.
func (r Rooms) UploadRoster(ctx context.Context, who api.Principal, key string, n uploads.NewUpload) (uploads.Upload, error) {
	return r.h.Uploads.Take(ctx, cohortsBy(who), key, n)
}

// RosterUploads lists the rosters of a cohort.
func (r Rooms) RosterUploads(ctx context.Context, who api.Principal, cohort string, p page.Request) ([]uploads.Upload, string, error) {
	return r.h.Uploads.Uploads(ctx, cohortsBy(who), cohort, p)
}

// RosterUpload finds a roster.
func (r Rooms) RosterUpload(ctx context.Context, who api.Principal, cohort, id string) (uploads.Upload, error) {
	return r.h.Uploads.Upload(ctx, cohortsBy(who), cohort, id)
}

// ApplyRosterUpload has a roster applied.
func (r Rooms) ApplyRosterUpload(ctx context.Context, who api.Principal, key string, a uploads.Apply) (uploads.Upload, error) {
	return r.h.Uploads.Apply(ctx, cohortsBy(who), key, a)
}

// RosterOutcome says what becomes of each row.
func (r Rooms) RosterOutcome(ctx context.Context, who api.Principal, cohort, id string) ([]byte, error) {
	return r.h.Uploads.Outcome(ctx, cohortsBy(who), cohort, id)
}

// ExportRoster says who is in a cohort.
func (r Rooms) ExportRoster(ctx context.Context, who api.Principal, cohort string) ([]byte, error) {
	return r.h.Uploads.Roster(ctx, cohortsBy(who), cohort)
}
