package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/page"
)

func (h handlers) GetCollectionSchedule(ctx context.Context, r server.GetCollectionScheduleRequestObject) (server.GetCollectionScheduleResponseObject, error) {
	s, err := h.rooms.CollectionSchedule(ctx, callerOf(ctx), r.Session)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.CollectionSchedule](s)
	return server.GetCollectionSchedule200JSONResponse{Body: out, Headers: server.GetCollectionSchedule200ResponseHeaders{ETag: etag(s.Version)}}, err
}

func (h handlers) PutCollectionSchedule(ctx context.Context, r server.PutCollectionScheduleRequestObject) (server.PutCollectionScheduleResponseObject, error) {
	out, now, err := put[contract.CollectionSchedule](r.Params.IfMatch, r.Body, func(n gradebook.NewSchedule, version int) (gradebook.Schedule, error) {
		return h.rooms.PutCollectionSchedule(ctx, callerOf(ctx), r.Session, version, n)
	})
	return server.PutCollectionSchedule200JSONResponse{Body: out, Headers: server.PutCollectionSchedule200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) CollectGrades(ctx context.Context, r server.CollectGradesRequestObject) (server.CollectGradesResponseObject, error) {
	out, err := answered[contract.CollectionSchedule](h.rooms.CollectGrades(ctx, callerOf(ctx), r.Session))
	return server.CollectGrades202JSONResponse(out), err
}

func (h handlers) ListStageChecks(ctx context.Context, r server.ListStageChecksRequestObject) (server.ListStageChecksResponseObject, error) {
	rows, next, err := listed[contract.StageCheck](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]gradebook.Recheck, string, error) {
		return h.rooms.StageChecks(ctx, callerOf(ctx), p)
	})
	return server.ListStageChecks200JSONResponse{Checks: rows, NextCursor: next}, err
}

func (h handlers) GetStageCheck(ctx context.Context, r server.GetStageCheckRequestObject) (server.GetStageCheckResponseObject, error) {
	out, err := answered[contract.StageCheck](h.rooms.StageCheck(ctx, callerOf(ctx), r.Session))
	return server.GetStageCheck200JSONResponse(out), err
}

func (h handlers) CheckStages(ctx context.Context, r server.CheckStagesRequestObject) (server.CheckStagesResponseObject, error) {
	out, err := answered[contract.StageCheck](h.rooms.CheckStages(ctx, callerOf(ctx), r.Session))
	return server.CheckStages202JSONResponse(out), err
}

func (h handlers) RebuildStages(ctx context.Context, r server.RebuildStagesRequestObject) (server.RebuildStagesResponseObject, error) {
	n, err := h.rooms.RebuildStages(ctx, callerOf(ctx), r.Session)
	return server.RebuildStages200JSONResponse{Changes: n}, err
}
