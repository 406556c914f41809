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

// answered gives what a room answered in the words of the contract.
func answered[To, From any](x From, err error) (out To, _ error) {
	if err != nil {
		return out, err
	}
	return as[To](x)
}

// listed asks for a page of a room's things, and gives it in the words of the contract.
func listed[To, From any](limit *contract.Limit, cursor *contract.Cursor, all func(page.Request) ([]From, string, error)) ([]To, *string, error) {
	p, err := pageOf(limit, cursor)
	if err != nil {
		return nil, nil, err
	}
	some, next, err := all(p)
	if err != nil {
		return nil, nil, err
	}
	out, err := turned[To](some)
	return out, given(page.Cursor(next)), err
}

// put has a room do what was sent, over the version that its sender read. It gives what stands there now, as the room and as the contract
// say it.
func put[To, In, Out any](ifMatch string, body any, do func(in In, version int) (Out, error)) (out To, now Out, err error) {
	version, err := expected(ifMatch)
	if err != nil {
		return out, now, err
	}
	in, err := as[In](body)
	if err != nil {
		return out, now, err
	}
	if now, err = do(in, version); err != nil {
		return out, now, err
	}
	out, err = as[To](now)
	return out, now, err
}

func (h handlers) ListPrograms(ctx context.Context, r server.ListProgramsRequestObject) (server.ListProgramsResponseObject, error) {
	out, next, err := listed[contract.Program](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]PublicProgram, string, error) { return h.rooms.Programs(ctx, p) })
	return server.ListPrograms200JSONResponse{Programs: out, NextCursor: next}, err
}

func (h handlers) GetProgram(ctx context.Context, r server.GetProgramRequestObject) (server.GetProgramResponseObject, error) {
	out, err := answered[contract.Program](h.rooms.Program(ctx, r.Program))
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
	out, x, err := put[contract.ProgramDraft](r.Params.IfMatch, r.Body, func(content programs.Content, version int) (ProgramDraft, error) {
		return h.rooms.PutProgramDraft(ctx, callerOf(ctx), r.Program, content, version)
	})
	if err != nil {
		return nil, err
	}
	return server.PutProgramDraft200JSONResponse{Body: out, Headers: server.PutProgramDraft200ResponseHeaders{ETag: etag(x.Version)}}, nil
}

func (h handlers) MoveProgram(ctx context.Context, r server.MoveProgramRequestObject) (server.MoveProgramResponseObject, error) {
	out, x, err := put[contract.ProgramDraft](r.Params.IfMatch, r.Body, func(move Move, version int) (ProgramDraft, error) {
		return h.rooms.MoveProgram(ctx, callerOf(ctx), r.Program, move, version)
	})
	if err != nil {
		return nil, err
	}
	return server.MoveProgram200JSONResponse{Body: out, Headers: server.MoveProgram200ResponseHeaders{ETag: etag(x.Version)}}, nil
}

func (h handlers) ListProgramVersions(ctx context.Context, r server.ListProgramVersionsRequestObject) (server.ListProgramVersionsResponseObject, error) {
	out, next, err := listed[contract.ProgramVersion](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]programs.Version, string, error) {
		return h.rooms.ProgramVersions(ctx, r.Program, p)
	})
	return server.ListProgramVersions200JSONResponse{Versions: out, NextCursor: next}, err
}

func (h handlers) GetProgramVersion(ctx context.Context, r server.GetProgramVersionRequestObject) (server.GetProgramVersionResponseObject, error) {
	out, err := answered[contract.ProgramVersion](h.rooms.ProgramVersion(ctx, r.Program, r.Number))
	return server.GetProgramVersion200JSONResponse(out), err
}

func (h handlers) PreviewProgram(ctx context.Context, r server.PreviewProgramRequestObject) (server.PreviewProgramResponseObject, error) {
	trial, err := as[ProgramTrial](r.Body)
	if err != nil {
		return nil, err
	}
	out, err := answered[contract.ProgramPreview](h.rooms.PreviewProgram(ctx, trial))
	return server.PreviewProgram200JSONResponse(out), err
}

func (h handlers) ListEditions(ctx context.Context, r server.ListEditionsRequestObject) (server.ListEditionsResponseObject, error) {
	out, next, err := listed[contract.Edition](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]Edition, string, error) {
		return h.rooms.Editions(ctx, value(r.Params.Program), p)
	})
	return server.ListEditions200JSONResponse{Editions: out, NextCursor: next}, err
}

func (h handlers) GetEdition(ctx context.Context, r server.GetEditionRequestObject) (server.GetEditionResponseObject, error) {
	out, err := answered[contract.Edition](h.rooms.Edition(ctx, r.Edition))
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
	out, x, err := put[contract.Edition](r.Params.IfMatch, r.Body, func(plan programs.EditionPlan, version int) (Edition, error) {
		return h.rooms.PutEdition(ctx, callerOf(ctx), r.Edition, plan, version)
	})
	if err != nil {
		return nil, err
	}
	return server.PutEdition200JSONResponse{Body: out, Headers: server.PutEdition200ResponseHeaders{ETag: etag(x.Edited)}}, nil
}

func (h handlers) MoveEdition(ctx context.Context, r server.MoveEditionRequestObject) (server.MoveEditionResponseObject, error) {
	out, x, err := put[contract.Edition](r.Params.IfMatch, r.Body, func(move Move, version int) (Edition, error) {
		return h.rooms.MoveEdition(ctx, callerOf(ctx), r.Edition, move, version)
	})
	if err != nil {
		return nil, err
	}
	return server.MoveEdition200JSONResponse{Body: out, Headers: server.MoveEdition200ResponseHeaders{ETag: etag(x.Edited)}}, nil
}

func (h handlers) GetCohort(ctx context.Context, r server.GetCohortRequestObject) (server.GetCohortResponseObject, error) {
	out, err := answered[contract.Cohort](h.rooms.Cohort(ctx, r.Edition))
	return server.GetCohort200JSONResponse(out), err
}

func (h handlers) ListMyPaths(ctx context.Context, r server.ListMyPathsRequestObject) (server.ListMyPathsResponseObject, error) {
	out, next, err := listed[contract.PathAnswer](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]PathAnswer, string, error) { return h.rooms.MyPaths(ctx, callerOf(ctx), p) })
	return server.ListMyPaths200JSONResponse{Paths: out, NextCursor: next}, err
}

func (h handlers) GetMyPath(ctx context.Context, r server.GetMyPathRequestObject) (server.GetMyPathResponseObject, error) {
	out, err := answered[contract.PathAnswer](h.rooms.MyPath(ctx, callerOf(ctx), r.Edition))
	return server.GetMyPath200JSONResponse(out), err
}

func (h handlers) GetLearnerPath(ctx context.Context, r server.GetLearnerPathRequestObject) (server.GetLearnerPathResponseObject, error) {
	out, err := answered[contract.PathAnswer](h.rooms.LearnerPath(ctx, r.Edition, r.Person))
	return server.GetLearnerPath200JSONResponse(out), err
}
