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

// DigestPaper is what a week changed, as PDF.
func (p Pages) DigestPaper(ctx context.Context, who web.Viewer, group, week, lang string) (web.File, error) {
	b, err := p.h.Progress.Paper(ctx, who.PersonID, group, week, lang)
	return web.File{Name: "progress-" + group + "-" + week + ".pdf", ContentType: "application/pdf", Content: b}, err
}

// ReadDigest says whether the viewer wants the weekly digest of a group.
func (p Pages) ReadDigest(ctx context.Context, who web.Viewer, group string, wanted bool) error {
	return p.h.Progress.Read(as(ctx, who), who.PersonID, group, wanted)
}

// DigestLink says what a link in a digest is about.
func (p Pages) DigestLink(ctx context.Context, token string) (progress.Link, error) {
	return p.h.Progress.Link(ctx, token)
}

// EndDigest ends the digests that a link is about.
func (p Pages) EndDigest(ctx context.Context, token string) (progress.Link, error) {
	return p.h.Progress.Unsubscribe(ctx, token)
}

// GradesFile is the file of grades of one session.
func (p Pages) GradesFile(ctx context.Context, who web.Viewer, group, session string) (web.File, error) {
	var b bytes.Buffer
	err := p.h.Progress.WriteGrades(ctx, who.PersonID, group, session, &b)
	return web.File{Name: "grades-" + group + ".csv", ContentType: "text/csv; charset=utf-8", Content: b.Bytes()}, err
}

// GroupLabs shows who of a group is in a lab now.
func (p Pages) GroupLabs(ctx context.Context, who web.Viewer, group string) (progress.LabBoard, error) {
	return p.h.Progress.Labs(ctx, who.PersonID, group)
}

// Followed says who follows the viewer.
func (p Pages) Followed(ctx context.Context, who web.Viewer) (progress.Followed, error) {
	return p.h.Progress.Followed(ctx, who.PersonID)
}
