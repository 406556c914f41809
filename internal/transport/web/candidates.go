package web

import (
	"context"
	"strings"

	"cursus/internal/domain/progress"
	paging "cursus/internal/kernel/page"
)

// CandidateHouse is what the pages ask of the rooms about the candidates of a school or a company.
type CandidateHouse interface {
	Candidates(ctx context.Context, who Viewer, group string, p paging.Request) (progress.Candidates, error)
	CandidatesFile(ctx context.Context, who Viewer, group string) (File, error)
}

func (w *Web) candidateRoutes() (all []route) {
	for _, of := range []string{"/cohorts/:id", "/orders/:id"} {
		all = append(all,
			route{method: "GET", path: of + "/candidates", who: signedIn, handle: w.candidates},
			route{method: "GET", path: of + "/candidates.csv", who: signedIn, handle: w.candidatesFile, slow: true},
		)
	}
	return all
}

type candidatesPage struct {
	progress.Candidates
	Path, Next string
}

// Root is where the other pages of the group stand.
func (p candidatesPage) Root() string { return strings.TrimSuffix(p.Path, "/candidates") }

func (w *Web) candidates(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	all, err := w.house.Candidates(r.ctx, r.viewer, r.param("id"), p)
	d := candidatesPage{Candidates: all, Next: paging.Cursor(all.Next)}
	d.Path, _, _ = strings.Cut(r.path, "?")
	return reply{page: "candidates", title: "candidates.title", data: d}, err
}

func (w *Web) candidatesFile(r *request) (reply, error) {
	f, err := w.house.CandidatesFile(r.ctx, r.viewer, r.param("id"))
	return reply{file: &f}, err
}
