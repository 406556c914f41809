package web

import (
	"context"

	"cursus/internal/domain/progress"
	paging "cursus/internal/kernel/page"
)

// ProgressHouse is what the pages ask of the rooms about those whom a partner follows: the members of a cohort, or the people on the seats of an
// order. A group is named by the id of the one or the other. What is not the viewer's to follow is NotFound.
type ProgressHouse interface {
	Progress(ctx context.Context, who Viewer, group string, f progress.Filter, p paging.Request) (progress.Board, error)
	// ProgressFile is the same as a file: csv or json.
	ProgressFile(ctx context.Context, who Viewer, group, format string, f progress.Filter) (File, error)
	GradesFile(ctx context.Context, who Viewer, group, session string) (File, error)
}
