package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/page"
)

func (h handlers) ListSessions(ctx context.Context, r server.ListSessionsRequestObject) (server.ListSessionsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	f := catalog.SessionFilter{Course: value(r.Params.Course), From: r.Params.From, To: r.Params.To}
	if r.Params.Publication != nil {
		f.Publication = catalog.Publication(*r.Params.Publication)
	}
	if r.Params.Kind != nil {
		f.Kind = catalog.Kind(*r.Params.Kind)
	}
	all, next, err := h.rooms.ListSessions(ctx, callerOf(ctx), f, p)
	if err != nil {
		return nil, err
	}
	out, err := as[[]contract.StaffSession](all)
	return server.ListSessions200JSONResponse{Sessions: out, NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) GetSessionSheet(ctx context.Context, r server.GetSessionSheetRequestObject) (server.GetSessionSheetResponseObject, error) {
	s, err := h.rooms.SessionSheet(ctx, callerOf(ctx), r.Session)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.StaffSession](s)
	return server.GetSessionSheet200JSONResponse{Body: out, Headers: server.GetSessionSheet200ResponseHeaders{ETag: etag(s.Version)}}, err
}

func (h handlers) PutSession(ctx context.Context, r server.PutSessionRequestObject) (server.PutSessionResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	n, err := as[catalog.NewSession](r.Body)
	if err != nil {
		return nil, err
	}
	s, err := h.rooms.PutSession(ctx, callerOf(ctx), r.Session, n, version)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.StaffSession](s)
	return server.PutSession200JSONResponse{Body: out, Headers: server.PutSession200ResponseHeaders{ETag: etag(s.Version)}}, err
}

func (h handlers) MoveSession(ctx context.Context, r server.MoveSessionRequestObject) (server.MoveSessionResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	s, err := h.rooms.MoveSession(ctx, callerOf(ctx), r.Session, catalog.Publication(r.Body.To), value(r.Body.Note), version)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.StaffSession](s)
	return server.MoveSession200JSONResponse{Body: out, Headers: server.MoveSession200ResponseHeaders{ETag: etag(s.Version)}}, err
}

func (h handlers) CopySession(ctx context.Context, r server.CopySessionRequestObject) (server.CopySessionResponseObject, error) {
	c, err := as[catalog.CopySession](r.Body)
	if err != nil {
		return nil, err
	}
	c.From = r.Session
	copied, err := h.rooms.CopySession(ctx, callerOf(ctx), r.Params.IdempotencyKey, c)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.SessionCopy](copied)
	if copied.Replayed {
		return server.CopySession200JSONResponse(out), err
	}
	return server.CopySession201JSONResponse{Body: out, Headers: server.CopySession201ResponseHeaders{
		Location: "/v1/sessions/" + copied.Session.Key + "/sheet", ETag: etag(copied.Session.Version),
	}}, err
}

func (h handlers) ImportExercises(ctx context.Context, r server.ImportExercisesRequestObject) (server.ImportExercisesResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	p, now, err := h.rooms.ImportExercises(ctx, callerOf(ctx), gradebook.ImportMap{
		Session: r.Session, Content: callOf(ctx).body, Expected: version, DryRun: value(r.Params.DryRun),
	})
	if err != nil {
		return nil, err
	}
	out, err := as[contract.ExerciseProposal](p)
	return server.ImportExercises200JSONResponse{Body: out, Headers: server.ImportExercises200ResponseHeaders{ETag: etag(now)}}, err
}

// enum is the text of a value of a list that may be absent.
func enum[T ~string](p *T) string { return string(value(p)) }
