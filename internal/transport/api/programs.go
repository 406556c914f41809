package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/page"
)

// turned gives a list of a room's things as those of the contract.
func turned[To, From any](in []From) ([]To, error) {
	out := make([]To, len(in))
	for i, x := range in {
		var err error
		if out[i], err = as[To](x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (h handlers) ListPrograms(ctx context.Context, r server.ListProgramsRequestObject) (server.ListProgramsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.Programs(ctx, p)
	if err != nil {
		return nil, err
	}
	out, err := turned[contract.Program](all)
	return server.ListPrograms200JSONResponse{Programs: out, NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) GetProgram(ctx context.Context, r server.GetProgramRequestObject) (server.GetProgramResponseObject, error) {
	x, err := h.rooms.Program(ctx, r.Program)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Program](x)
	return server.GetProgram200JSONResponse(out), err
}

func (h handlers) GetProgramDraft(ctx context.Context, r server.GetProgramDraftRequestObject) (server.GetProgramDraftResponseObject, error) {
	x, err := h.rooms.ProgramDraft(ctx, r.Program)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.ProgramDraft](x)
	return server.GetProgramDraft200JSONResponse{Body: out, Headers: server.GetProgramDraft200ResponseHeaders{ETag: etag(x.Version)}}, err
}

func (h handlers) PutProgramDraft(ctx context.Context, r server.PutProgramDraftRequestObject) (server.PutProgramDraftResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	content, err := as[programs.Content](r.Body)
	if err != nil {
		return nil, err
	}
	x, err := h.rooms.PutProgramDraft(ctx, callerOf(ctx), r.Program, content, version)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.ProgramDraft](x)
	return server.PutProgramDraft200JSONResponse{Body: out, Headers: server.PutProgramDraft200ResponseHeaders{ETag: etag(x.Version)}}, err
}

func (h handlers) MoveProgram(ctx context.Context, r server.MoveProgramRequestObject) (server.MoveProgramResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	move, err := as[Move](r.Body)
	if err != nil {
		return nil, err
	}
	x, err := h.rooms.MoveProgram(ctx, callerOf(ctx), r.Program, move, version)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.ProgramDraft](x)
	return server.MoveProgram200JSONResponse{Body: out, Headers: server.MoveProgram200ResponseHeaders{ETag: etag(x.Version)}}, err
}

func (h handlers) ListProgramVersions(ctx context.Context, r server.ListProgramVersionsRequestObject) (server.ListProgramVersionsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.ProgramVersions(ctx, r.Program, p)
	if err != nil {
		return nil, err
	}
	out, err := turned[contract.ProgramVersion](all)
	return server.ListProgramVersions200JSONResponse{Versions: out, NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) GetProgramVersion(ctx context.Context, r server.GetProgramVersionRequestObject) (server.GetProgramVersionResponseObject, error) {
	x, err := h.rooms.ProgramVersion(ctx, r.Program, r.Number)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.ProgramVersion](x)
	return server.GetProgramVersion200JSONResponse(out), err
}

func (h handlers) PreviewProgram(ctx context.Context, r server.PreviewProgramRequestObject) (server.PreviewProgramResponseObject, error) {
	trial, err := as[ProgramTrial](r.Body)
	if err != nil {
		return nil, err
	}
	x, err := h.rooms.PreviewProgram(ctx, trial)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.ProgramPreview](x)
	return server.PreviewProgram200JSONResponse(out), err
}

func (h handlers) ListEditions(ctx context.Context, r server.ListEditionsRequestObject) (server.ListEditionsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.Editions(ctx, value(r.Params.Program), p)
	if err != nil {
		return nil, err
	}
	out, err := turned[contract.Edition](all)
	return server.ListEditions200JSONResponse{Editions: out, NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) GetEdition(ctx context.Context, r server.GetEditionRequestObject) (server.GetEditionResponseObject, error) {
	x, err := h.rooms.Edition(ctx, r.Edition)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Edition](x)
	return server.GetEdition200JSONResponse(out), err
}

func (h handlers) GetEditionDraft(ctx context.Context, r server.GetEditionDraftRequestObject) (server.GetEditionDraftResponseObject, error) {
	x, err := h.rooms.EditionDraft(ctx, r.Edition)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Edition](x)
	return server.GetEditionDraft200JSONResponse{Body: out, Headers: server.GetEditionDraft200ResponseHeaders{ETag: etag(x.Edited)}}, err
}

func (h handlers) PutEdition(ctx context.Context, r server.PutEditionRequestObject) (server.PutEditionResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	plan, err := as[programs.EditionPlan](r.Body)
	if err != nil {
		return nil, err
	}
	x, err := h.rooms.PutEdition(ctx, callerOf(ctx), r.Edition, plan, version)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Edition](x)
	return server.PutEdition200JSONResponse{Body: out, Headers: server.PutEdition200ResponseHeaders{ETag: etag(x.Edited)}}, err
}

func (h handlers) MoveEdition(ctx context.Context, r server.MoveEditionRequestObject) (server.MoveEditionResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	move, err := as[Move](r.Body)
	if err != nil {
		return nil, err
	}
	x, err := h.rooms.MoveEdition(ctx, callerOf(ctx), r.Edition, move, version)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Edition](x)
	return server.MoveEdition200JSONResponse{Body: out, Headers: server.MoveEdition200ResponseHeaders{ETag: etag(x.Edited)}}, err
}

func (h handlers) GetCohort(ctx context.Context, r server.GetCohortRequestObject) (server.GetCohortResponseObject, error) {
	x, err := h.rooms.Cohort(ctx, r.Edition)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Cohort](x)
	return server.GetCohort200JSONResponse(out), err
}

func (h handlers) ListMyPaths(ctx context.Context, r server.ListMyPathsRequestObject) (server.ListMyPathsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.MyPaths(ctx, callerOf(ctx), p)
	if err != nil {
		return nil, err
	}
	out, err := turned[contract.PathAnswer](all)
	return server.ListMyPaths200JSONResponse{Paths: out, NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) GetMyPath(ctx context.Context, r server.GetMyPathRequestObject) (server.GetMyPathResponseObject, error) {
	x, err := h.rooms.MyPath(ctx, callerOf(ctx), r.Edition)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.PathAnswer](x)
	return server.GetMyPath200JSONResponse(out), err
}

func (h handlers) GetLearnerPath(ctx context.Context, r server.GetLearnerPathRequestObject) (server.GetLearnerPathResponseObject, error) {
	x, err := h.rooms.LearnerPath(ctx, r.Edition, r.Person)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.PathAnswer](x)
	return server.GetLearnerPath200JSONResponse(out), err
}
