package app

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exams"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// ImportExamResults takes a file of results in.
func (r Rooms) ImportExamResults(ctx context.Context, _ api.Principal, in exams.ResultsIntake) (exams.Results, error) {
	return r.h.Exams.ImportResults(ctx, in)
}

// ExamSessions lists the keys of the sessions that may have exams.
func (p Pages) ExamSessions(ctx context.Context, who web.Viewer) (keys []string, err error) {
	if err := p.onExams(ctx, who); err != nil {
		return nil, err
	}
	all, err := view(as(ctx, who), p.h, "sessions with exams", catalog.SessionsTx)
	for _, s := range all {
		keys = append(keys, s.Key)
	}
	return keys, err
}

// ImportExamResults is the same for staff at a page.
func (p Pages) ImportExamResults(ctx context.Context, who web.Viewer, in exams.ResultsIntake) (exams.Results, error) {
	if err := p.onExams(ctx, who); err != nil {
		return exams.Results{}, err
	}
	return p.h.Exams.ImportResults(as(ctx, who), in)
}
