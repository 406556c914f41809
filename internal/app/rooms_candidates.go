package app

import (
	"bytes"
	"context"

	"cursus/internal/domain/progress"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// CohortCandidates lists who of a cohort may sit its exams.
func (r Rooms) CohortCandidates(ctx context.Context, who api.Principal, cohort string, p page.Request) (progress.Candidates, error) {
	return r.h.Progress.Candidates(ctx, who.PersonID, cohort, p)
}

// Candidates is the same at a page.
func (p Pages) Candidates(ctx context.Context, who web.Viewer, group string, r page.Request) (progress.Candidates, error) {
	return p.h.Progress.Candidates(ctx, who.PersonID, group, r)
}

// CandidatesFile is the same as a file.
func (p Pages) CandidatesFile(ctx context.Context, who web.Viewer, group string) (web.File, error) {
	var b bytes.Buffer
	err := p.h.Progress.WriteCandidates(ctx, who.PersonID, group, &b)
	return web.File{Name: "candidates-" + group + ".csv", ContentType: "text/csv; charset=utf-8", Content: b.Bytes()}, err
}
