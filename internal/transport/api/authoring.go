package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/page"
)

// answer turns what a room said into the type of the contract, or passes its fault on.
func answer[To any](from any, err error) (to To, _ error) {
	if err != nil {
		return to, err
	}
	return as[To](from)
}

func (h handlers) ListCourseCollections(ctx context.Context, r server.ListCourseCollectionsRequestObject) (server.ListCourseCollectionsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.CourseCollections(ctx, p)
	out, err := answer[[]contract.CourseCollection](all, err)
	return server.ListCourseCollections200JSONResponse{Collections: out, NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) GetCourseCollection(ctx context.Context, r server.GetCourseCollectionRequestObject) (server.GetCourseCollectionResponseObject, error) {
	c, err := h.rooms.CourseCollection(ctx, r.Collection)
	out, err := answer[contract.CourseCollection](c, err)
	return server.GetCourseCollection200JSONResponse(out), err
}

func (h handlers) ListCourseCollectionDrafts(ctx context.Context, r server.ListCourseCollectionDraftsRequestObject) (server.ListCourseCollectionDraftsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.CourseCollectionDrafts(ctx, callerOf(ctx), p)
	out, err := answer[[]contract.CourseCollectionDraft](all, err)
	return server.ListCourseCollectionDrafts200JSONResponse{Drafts: out, NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) GetCourseCollectionDraft(ctx context.Context, r server.GetCourseCollectionDraftRequestObject) (server.GetCourseCollectionDraftResponseObject, error) {
	c, err := h.rooms.CourseCollectionDraft(ctx, callerOf(ctx), r.Collection)
	out, err := answer[contract.CourseCollectionDraft](c, err)
	return server.GetCourseCollectionDraft200JSONResponse{Body: out, Headers: server.GetCourseCollectionDraft200ResponseHeaders{ETag: etag(c.Version)}}, err
}

func (h handlers) PutCourseCollectionDraft(ctx context.Context, r server.PutCourseCollectionDraftRequestObject) (server.PutCourseCollectionDraftResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	c := catalog.Collection{Key: r.Collection, Title: fromText(r.Body.Title), Summary: fromText(r.Body.Summary)}
	c, err = h.rooms.PutCourseCollection(ctx, callerOf(ctx), c, version)
	out, err := answer[contract.CourseCollectionDraft](c, err)
	return server.PutCourseCollectionDraft200JSONResponse{Body: out, Headers: server.PutCourseCollectionDraft200ResponseHeaders{ETag: etag(c.Version)}}, err
}

func (h handlers) MoveCourseCollection(ctx context.Context, r server.MoveCourseCollectionRequestObject) (server.MoveCourseCollectionResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	c, err := h.rooms.MoveCourseCollection(ctx, callerOf(ctx), r.Collection, catalog.Publication(r.Body.State), value(r.Body.Note), version)
	out, err := answer[contract.CourseCollectionDraft](c, err)
	return server.MoveCourseCollection200JSONResponse{Body: out, Headers: server.MoveCourseCollection200ResponseHeaders{ETag: etag(c.Version)}}, err
}

func (h handlers) ListCourseCollectionHistory(ctx context.Context, r server.ListCourseCollectionHistoryRequestObject) (server.ListCourseCollectionHistoryResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	versions, moves, next, err := h.rooms.CourseCollectionHistory(ctx, callerOf(ctx), r.Collection, p)
	written, err := answer[[]contract.CourseCollectionVersion](versions, err)
	moved, err := answer[[]contract.PublishingMove](moves, err)
	return server.ListCourseCollectionHistory200JSONResponse{Versions: written, Moves: moved, NextCursor: given(page.Cursor(next))}, err
}

func fromText(t contract.Text) catalog.Text { return catalog.Text{EN: value(t.En), FR: value(t.Fr)} }

func (h handlers) ListCourseDrafts(ctx context.Context, r server.ListCourseDraftsRequestObject) (server.ListCourseDraftsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	f := catalog.Filter{
		Query: value(r.Params.Q), Collection: value(r.Params.Collection), Level: string(value(r.Params.Level)), Language: value(r.Params.Language),
		State: catalog.Publication(value(r.Params.State)), All: true,
	}
	courses, next, err := h.rooms.CourseDrafts(ctx, callerOf(ctx), f, p)
	return server.ListCourseDrafts200JSONResponse{NextCursor: given(page.Cursor(next)), Drafts: each(courses, func(c catalog.Course) contract.CourseDraftSummary {
		return contract.CourseDraftSummary{
			Id: c.ID, Key: c.Key, State: contract.PublicationState(c.State), Version: c.Version, Visible: c.Visible, Collection: given(c.CollectionKey),
			Title: toText(Text(c.Title)), Level: given(contract.CourseDraftSummaryLevel(c.Level)), Language: given(c.Language),
		}
	})}, err
}

func (h handlers) GetCourseDraft(ctx context.Context, r server.GetCourseDraftRequestObject) (server.GetCourseDraftResponseObject, error) {
	w, err := h.rooms.CourseDraft(ctx, callerOf(ctx), r.Course)
	out, err := answer[contract.CourseDraft](w, err)
	return server.GetCourseDraft200JSONResponse{Body: out, Headers: server.GetCourseDraft200ResponseHeaders{ETag: etag(w.Version)}}, err
}

func (h handlers) PutCourseDraft(ctx context.Context, r server.PutCourseDraftRequestObject) (server.PutCourseDraftResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	d, err := as[catalog.Draft](r.Body)
	if err != nil {
		return nil, err
	}
	w, err := h.rooms.PutCourseDraft(ctx, callerOf(ctx), r.Course, d, version)
	out, err := answer[contract.CourseDraft](w, err)
	return server.PutCourseDraft200JSONResponse{Body: out, Headers: server.PutCourseDraft200ResponseHeaders{ETag: etag(w.Version)}}, err
}

func (h handlers) MoveCourse(ctx context.Context, r server.MoveCourseRequestObject) (server.MoveCourseResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	w, report, err := h.rooms.MoveCourse(ctx, callerOf(ctx), r.Course, catalog.Publication(r.Body.State), value(r.Body.Note), version)
	draft, err := answer[contract.CourseDraft](w, err)
	found, err := answer[contract.CourseReport](report, err)
	return server.MoveCourse200JSONResponse{Body: contract.CourseMoved{Draft: draft, Report: found}, Headers: server.MoveCourse200ResponseHeaders{ETag: etag(w.Version)}}, err
}

func (h handlers) GetCourseConformance(ctx context.Context, r server.GetCourseConformanceRequestObject) (server.GetCourseConformanceResponseObject, error) {
	report, err := h.rooms.CourseConformance(ctx, callerOf(ctx), r.Course, value(r.Params.Version), value(r.Params.Charter))
	out, err := answer[contract.CourseReport](report, err)
	return server.GetCourseConformance200JSONResponse(out), err
}

func (h handlers) ListCourseHistory(ctx context.Context, r server.ListCourseHistoryRequestObject) (server.ListCourseHistoryResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	versions, moves, next, err := h.rooms.CourseHistory(ctx, callerOf(ctx), r.Course, p)
	written, err := answer[[]contract.CourseVersion](versions, err)
	moved, err := answer[[]contract.PublishingMove](moves, err)
	return server.ListCourseHistory200JSONResponse{Versions: written, Moves: moved, NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) GetCourseVersion(ctx context.Context, r server.GetCourseVersionRequestObject) (server.GetCourseVersionResponseObject, error) {
	w, err := h.rooms.CourseVersion(ctx, callerOf(ctx), r.Course, r.Version)
	out, err := answer[contract.CourseDraft](w, err)
	return server.GetCourseVersion200JSONResponse(out), err
}

func (h handlers) GetCharter(ctx context.Context, r server.GetCharterRequestObject) (server.GetCharterResponseObject, error) {
	c, inForce, err := h.rooms.Charter(ctx, callerOf(ctx), value(r.Params.Version))
	out, err := answer[contract.Charter](c, err)
	return server.GetCharter200JSONResponse{Body: out, Headers: server.GetCharter200ResponseHeaders{ETag: etag(inForce)}}, err
}

func (h handlers) ListCharters(ctx context.Context, r server.ListChartersRequestObject) (server.ListChartersResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.Charters(ctx, callerOf(ctx), p)
	out, err := answer[[]contract.Charter](all, err)
	return server.ListCharters200JSONResponse{Charters: out, NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) PutCharter(ctx context.Context, r server.PutCharterRequestObject) (server.PutCharterResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	rules, err := as[[]catalog.Rule](r.Body.Rules)
	if err != nil {
		return nil, err
	}
	c, err := h.rooms.PutCharter(ctx, callerOf(ctx), rules, value(r.Body.Note), version)
	out, err := answer[contract.Charter](c, err)
	return server.PutCharter200JSONResponse{Body: out, Headers: server.PutCharter200ResponseHeaders{ETag: etag(c.Version)}}, err
}
