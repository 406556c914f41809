package web

import (
	"context"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/uploads"
	paging "cursus/internal/kernel/page"
)

// RosterHouse is what the pages ask of the rooms about rosters that come as files.
type RosterHouse interface {
	// Rosters are the files of a cohort, the newest first, and whether the viewer may send another one.
	Rosters(ctx context.Context, who Viewer, cohort string, p paging.Request) (c cohorts.Cohort, all []uploads.Upload, next string, writes bool, err error)
	SendRoster(ctx context.Context, who Viewer, key string, n uploads.NewUpload) (uploads.Upload, error)
	// Roster finds a file of a cohort, and says whether the viewer may apply it.
	Roster(ctx context.Context, who Viewer, cohort, id string) (c cohorts.Cohort, u uploads.Upload, writes bool, err error)
	ApplyRosterUpload(ctx context.Context, who Viewer, key string, a uploads.Apply) error
	// RosterOutcome is what becomes of each row; ExportRoster is who is in a cohort.
	RosterOutcome(ctx context.Context, who Viewer, cohort, id string) (File, error)
	ExportRoster(ctx context.Context, who Viewer, cohort string) (File, error)
}
