package app

import (
	"bytes"
	"context"

	"cursus/internal/domain/progress"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/web"
)

// Progress shows how far the learners of a group are.
func (p Pages) Progress(ctx context.Context, who web.Viewer, group string, f progress.Filter, r page.Request) (progress.Board, error) {
	return p.h.Progress.Board(ctx, who.PersonID, group, f, r)
}

// ProgressFile is the same as a file.
func (p Pages) ProgressFile(ctx context.Context, who web.Viewer, group, format string, f progress.Filter) (web.File, error) {
	var b bytes.Buffer
	if format == "json" {
		err := p.h.Progress.WriteJSON(ctx, who.PersonID, group, f, &b)
		return web.File{Name: "progress-" + group + ".json", ContentType: "application/json", Content: b.Bytes()}, err
	}
	err := p.h.Progress.WriteProgress(ctx, who.PersonID, group, f, &b)
	return web.File{Name: "progress-" + group + ".csv", ContentType: "text/csv; charset=utf-8", Content: b.Bytes()}, err
}

// GradesFile is the file of grades of one session.
func (p Pages) GradesFile(ctx context.Context, who web.Viewer, group, session string) (web.File, error) {
	var b bytes.Buffer
	err := p.h.Progress.WriteGrades(ctx, who.PersonID, group, session, &b)
	return web.File{Name: "grades-" + group + ".csv", ContentType: "text/csv; charset=utf-8", Content: b.Bytes()}, err
}
