package api

import (
	"bytes"
	"context"
	"io"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/progress"
	"cursus/internal/kernel/page"
)

// ProgressRooms is what the API asks of the house about the learners of partners, in the room's own types. A cohort that is not the
// principal's to follow is NotFound.
type ProgressRooms interface {
	CohortProgress(ctx context.Context, who Principal, cohort string, f progress.Filter, p page.Request) (all []progress.Learner, next string, err error)
	WriteCohortProgress(ctx context.Context, who Principal, cohort string, f progress.Filter, w io.Writer) error
	// WriteCohortGrades writes those of one session, which may be empty where the cohort follows one alone.
	WriteCohortGrades(ctx context.Context, who Principal, cohort, session string, w io.Writer) error
	// CohortDigest is what a week, such as 2026-W48, changed, as PDF.
	CohortDigest(ctx context.Context, who Principal, cohort, week, lang string) ([]byte, error)
	ReadsCohortDigest(ctx context.Context, who Principal, cohort string) (bool, error)
	ReadCohortDigest(ctx context.Context, who Principal, cohort string, wanted bool) error
	CohortCounts(ctx context.Context, who Principal, cohort string) (progress.Counts, error)
}

func (h handlers) ListCohortProgress(ctx context.Context, r server.ListCohortProgressRequestObject) (server.ListCohortProgressResponseObject, error) {
	rows, next, err := listed[contract.CohortLearner](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]progress.Learner, string, error) {
		return h.rooms.CohortProgress(ctx, callerOf(ctx), r.Cohort, progress.Filter{Session: value(r.Params.Session), Stage: string(value(r.Params.Stage)), Pace: progress.Pace(value(r.Params.Pace))}, p)
	})
	return server.ListCohortProgress200JSONResponse{Learners: rows, NextCursor: next}, err
}

func (h handlers) ExportCohortProgress(ctx context.Context, r server.ExportCohortProgressRequestObject) (server.ExportCohortProgressResponseObject, error) {
	var file bytes.Buffer
	err := h.rooms.WriteCohortProgress(ctx, callerOf(ctx), r.Cohort, progress.Filter{Session: value(r.Params.Session), Stage: string(value(r.Params.Stage)), Pace: progress.Pace(value(r.Params.Pace))}, &file)
	return server.ExportCohortProgress200TextcsvResponse{
		Body: &file, ContentLength: int64(file.Len()), Headers: server.ExportCohortProgress200ResponseHeaders{ContentDisposition: attached("progress-" + r.Cohort + ".csv")},
	}, err
}

func (h handlers) ExportCohortGrades(ctx context.Context, r server.ExportCohortGradesRequestObject) (server.ExportCohortGradesResponseObject, error) {
	var file bytes.Buffer
	err := h.rooms.WriteCohortGrades(ctx, callerOf(ctx), r.Cohort, value(r.Params.Session), &file)
	return server.ExportCohortGrades200TextcsvResponse{
		Body: &file, ContentLength: int64(file.Len()), Headers: server.ExportCohortGrades200ResponseHeaders{ContentDisposition: attached("grades-" + r.Cohort + ".csv")},
	}, err
}

func (h handlers) GetCohortCounts(ctx context.Context, r server.GetCohortCountsRequestObject) (server.GetCohortCountsResponseObject, error) {
	out, err := answered[contract.CohortCounts](h.rooms.CohortCounts(ctx, callerOf(ctx), r.Cohort))
	return server.GetCohortCounts200JSONResponse(out), err
}

func (h handlers) ExportCohortDigest(ctx context.Context, r server.ExportCohortDigestRequestObject) (server.ExportCohortDigestResponseObject, error) {
	pdf, err := h.rooms.CohortDigest(ctx, callerOf(ctx), r.Cohort, r.Params.Week, string(value(r.Params.Lang)))
	return server.ExportCohortDigest200ApplicationpdfResponse{
		Body: bytes.NewReader(pdf), ContentLength: int64(len(pdf)), Headers: server.ExportCohortDigest200ResponseHeaders{ContentDisposition: attached("progress-" + r.Cohort + "-" + r.Params.Week + ".pdf")},
	}, err
}

func (h handlers) GetCohortDigestMail(ctx context.Context, r server.GetCohortDigestMailRequestObject) (server.GetCohortDigestMailResponseObject, error) {
	wanted, err := h.rooms.ReadsCohortDigest(ctx, callerOf(ctx), r.Cohort)
	return server.GetCohortDigestMail200JSONResponse{Wanted: wanted}, err
}

func (h handlers) PutCohortDigestMail(ctx context.Context, r server.PutCohortDigestMailRequestObject) (server.PutCohortDigestMailResponseObject, error) {
	err := h.rooms.ReadCohortDigest(ctx, callerOf(ctx), r.Cohort, r.Body.Wanted)
	return server.PutCohortDigestMail200JSONResponse{Wanted: r.Body.Wanted}, err
}
