package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/lms"
	"cursus/internal/kernel/page"
)

func (h handlers) ListLMSPlatforms(ctx context.Context, r server.ListLMSPlatformsRequestObject) (server.ListLMSPlatformsResponseObject, error) {
	rows, next, err := listed[contract.LMSPlatform](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]lms.Platform, string, error) {
		return h.rooms.LMSPlatforms(ctx, callerOf(ctx), p)
	})
	return server.ListLMSPlatforms200JSONResponse{Platforms: rows, NextCursor: next}, err
}

func (h handlers) GetLMSPlatform(ctx context.Context, r server.GetLMSPlatformRequestObject) (server.GetLMSPlatformResponseObject, error) {
	p, err := h.rooms.LMSPlatform(ctx, callerOf(ctx), r.Platform)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.LMSPlatform](p)
	return server.GetLMSPlatform200JSONResponse{Body: out, Headers: server.GetLMSPlatform200ResponseHeaders{ETag: etag(p.Version)}}, err
}

func (h handlers) PutLMSPlatform(ctx context.Context, r server.PutLMSPlatformRequestObject) (server.PutLMSPlatformResponseObject, error) {
	out, now, err := put[contract.LMSPlatform](r.Params.IfMatch, r.Body, func(n lms.NewPlatform, version int) (lms.Platform, error) {
		return h.rooms.PutLMSPlatform(ctx, callerOf(ctx), r.Platform, version, n)
	})
	return server.PutLMSPlatform200JSONResponse{Body: out, Headers: server.PutLMSPlatform200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) RetryLMSPlatform(ctx context.Context, r server.RetryLMSPlatformRequestObject) (server.RetryLMSPlatformResponseObject, error) {
	n, err := h.rooms.RetryLMSPlatform(ctx, callerOf(ctx), r.Platform)
	return server.RetryLMSPlatform200JSONResponse{Enrolments: n}, err
}

func (h handlers) ListLMSEnrolments(ctx context.Context, r server.ListLMSEnrolmentsRequestObject) (server.ListLMSEnrolmentsResponseObject, error) {
	rows, next, err := listed[contract.LMSEnrolment](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]lms.Sync, string, error) {
		return h.rooms.LMSEnrolments(ctx, callerOf(ctx), lms.Filter{Platform: r.Platform, State: lms.State(value(r.Params.State)), Session: value(r.Params.Session)}, p)
	})
	return server.ListLMSEnrolments200JSONResponse{Enrolments: rows, NextCursor: next}, err
}

func (h handlers) GetLMSEnrolment(ctx context.Context, r server.GetLMSEnrolmentRequestObject) (server.GetLMSEnrolmentResponseObject, error) {
	out, err := answered[contract.LMSEnrolment](h.rooms.LMSEnrolment(ctx, callerOf(ctx), r.Enrolment))
	return server.GetLMSEnrolment200JSONResponse(out), err
}

func (h handlers) RetryLMSEnrolment(ctx context.Context, r server.RetryLMSEnrolmentRequestObject) (server.RetryLMSEnrolmentResponseObject, error) {
	out, err := answered[contract.LMSEnrolment](h.rooms.RetryLMSEnrolment(ctx, callerOf(ctx), r.Enrolment, value(r.Body.Username)))
	return server.RetryLMSEnrolment200JSONResponse(out), err
}

func (h handlers) ListLMSDifferences(ctx context.Context, r server.ListLMSDifferencesRequestObject) (server.ListLMSDifferencesResponseObject, error) {
	rows, next, err := listed[contract.LMSDifference](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]lms.Difference, string, error) {
		return h.rooms.LMSDifferences(ctx, callerOf(ctx), r.Platform, p)
	})
	return server.ListLMSDifferences200JSONResponse{Differences: rows, NextCursor: next}, err
}
