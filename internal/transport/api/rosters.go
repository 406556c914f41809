package api

import (
	"bytes"
	"context"
	"fmt"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/uploads"
	"cursus/internal/kernel/page"
)

func (h handlers) ListRosterUploads(ctx context.Context, r server.ListRosterUploadsRequestObject) (server.ListRosterUploadsResponseObject, error) {
	rows, next, err := listed[contract.RosterUpload](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]uploads.Upload, string, error) {
		return h.rooms.RosterUploads(ctx, callerOf(ctx), r.Cohort, p)
	})
	return server.ListRosterUploads200JSONResponse{Uploads: rows, NextCursor: next}, err
}

func (h handlers) UploadCohortRoster(ctx context.Context, r server.UploadCohortRosterRequestObject) (server.UploadCohortRosterResponseObject, error) {
	u, err := h.rooms.UploadRoster(ctx, callerOf(ctx), r.Params.IdempotencyKey, uploads.NewUpload{
		CohortID: r.Cohort, FileName: value(r.Params.FileName), Mode: cohorts.Mode(value(r.Params.Mode)), Class: value(r.Params.Class), Content: callOf(ctx).body,
	})
	if err != nil {
		return nil, err
	}
	out, err := as[contract.RosterUpload](u)
	return server.UploadCohortRoster202JSONResponse{Body: out, Headers: server.UploadCohortRoster202ResponseHeaders{Location: placeOf(u)}}, err
}

func placeOf(u uploads.Upload) string { return "/v1/cohorts/" + u.CohortID + "/uploads/" + u.ID }

func (h handlers) GetRosterUpload(ctx context.Context, r server.GetRosterUploadRequestObject) (server.GetRosterUploadResponseObject, error) {
	out, err := answered[contract.RosterUpload](h.rooms.RosterUpload(ctx, callerOf(ctx), r.Cohort, r.Upload))
	return server.GetRosterUpload200JSONResponse(out), err
}

func (h handlers) ApplyRosterUpload(ctx context.Context, r server.ApplyRosterUploadRequestObject) (server.ApplyRosterUploadResponseObject, error) {
	u, err := h.rooms.ApplyRosterUpload(ctx, callerOf(ctx), r.Params.IdempotencyKey, uploads.Apply{
		CohortID: r.Cohort, UploadID: r.Upload, Difference: r.Body.Difference, Absent: r.Body.Absent,
	})
	if err != nil {
		return nil, err
	}
	out, err := as[contract.RosterUpload](u)
	return server.ApplyRosterUpload202JSONResponse{Body: out, Headers: server.ApplyRosterUpload202ResponseHeaders{Location: placeOf(u)}}, err
}

func (h handlers) GetRosterOutcome(ctx context.Context, r server.GetRosterOutcomeRequestObject) (server.GetRosterOutcomeResponseObject, error) {
	file, err := h.rooms.RosterOutcome(ctx, callerOf(ctx), r.Cohort, r.Upload)
	if err != nil {
		return nil, err
	}
	return server.GetRosterOutcome200TextcsvResponse{
		Body: bytes.NewReader(file), ContentLength: int64(len(file)),
		Headers: server.GetRosterOutcome200ResponseHeaders{ContentDisposition: fmt.Sprintf("attachment; filename=%q", r.Upload+".csv")},
	}, nil
}

func (h handlers) ExportRoster(ctx context.Context, r server.ExportRosterRequestObject) (server.ExportRosterResponseObject, error) {
	file, err := h.rooms.ExportRoster(ctx, callerOf(ctx), r.Cohort)
	if err != nil {
		return nil, err
	}
	return server.ExportRoster200TextcsvResponse{
		Body: bytes.NewReader(file), ContentLength: int64(len(file)),
		Headers: server.ExportRoster200ResponseHeaders{ContentDisposition: fmt.Sprintf("attachment; filename=%q", r.Cohort+".csv")},
	}, nil
}
