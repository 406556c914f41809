package api

import (
	"context"

	"cursus/internal/domain/uploads"
	"cursus/internal/kernel/page"
)

// RosterRooms is what the API asks of the house about rosters that come as files, in the room's own types. A cohort that the principal has
// nothing to do with is NotFound; what her role there does not allow is Forbidden.
type RosterRooms interface {
	// UploadRoster reads a file and has its difference made, once per key.
	UploadRoster(ctx context.Context, who Principal, key string, n uploads.NewUpload) (uploads.Upload, error)
	RosterUploads(ctx context.Context, who Principal, cohort string, p page.Request) (all []uploads.Upload, next string, err error)
	RosterUpload(ctx context.Context, who Principal, cohort, id string) (uploads.Upload, error)
	// ApplyRosterUpload has a file applied, once per key.
	ApplyRosterUpload(ctx context.Context, who Principal, key string, a uploads.Apply) (uploads.Upload, error)
	// RosterOutcome is a CSV of what becomes of each row of a file.
	RosterOutcome(ctx context.Context, who Principal, cohort, id string) ([]byte, error)
	// ExportRoster is a CSV of who is in a cohort.
	ExportRoster(ctx context.Context, who Principal, cohort string) ([]byte, error)
}
