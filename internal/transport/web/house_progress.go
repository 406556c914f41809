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
	// Followed says who follows the viewer, and whether she agrees to be seen by name.
	Followed(ctx context.Context, who Viewer) (progress.Followed, error)
	// DigestPaper is what a week, such as 2026-W48, changed, as PDF in a language.
	DigestPaper(ctx context.Context, who Viewer, group, week, lang string) (File, error)
	// ReadDigest says whether the viewer wants the weekly digest of a group by mail.
	ReadDigest(ctx context.Context, who Viewer, group string, wanted bool) error
	// DigestLink says what a link in a digest is about; EndDigest ends what it is about. Both may be asked by anybody who has it.
	DigestLink(ctx context.Context, token string) (progress.Link, error)
	EndDigest(ctx context.Context, token string) (progress.Link, error)
	// GroupLabs is who of a group is in a lab now.
	GroupLabs(ctx context.Context, who Viewer, group string) (progress.LabBoard, error)
	GradesFile(ctx context.Context, who Viewer, group, session string) (File, error)
}
