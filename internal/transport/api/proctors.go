package api

import (
	"context"
	"encoding/json"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/exams"
	"cursus/internal/kernel/page"
)

func (h handlers) ListProctoringProviders(ctx context.Context, r server.ListProctoringProvidersRequestObject) (server.ListProctoringProvidersResponseObject, error) {
	rows, next, err := listed[contract.ProctoringProvider](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]exams.Provider, string, error) {
		return h.rooms.ProctoringProviders(ctx, callerOf(ctx), p)
	})
	return server.ListProctoringProviders200JSONResponse{Providers: rows, NextCursor: next}, err
}

func (h handlers) GetProctoringProvider(ctx context.Context, r server.GetProctoringProviderRequestObject) (server.GetProctoringProviderResponseObject, error) {
	p, err := h.rooms.ProctoringProvider(ctx, callerOf(ctx), r.Provider)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.ProctoringProvider](p)
	return server.GetProctoringProvider200JSONResponse{Body: out, Headers: server.GetProctoringProvider200ResponseHeaders{ETag: etag(p.Version)}}, err
}

func (h handlers) PutProctoringProvider(ctx context.Context, r server.PutProctoringProviderRequestObject) (server.PutProctoringProviderResponseObject, error) {
	out, now, err := put[contract.ProctoringProvider](r.Params.IfMatch, r.Body, func(n exams.NewProvider, version int) (exams.Provider, error) {
		return h.rooms.PutProctoringProvider(ctx, callerOf(ctx), r.Provider, version, n)
	})
	return server.PutProctoringProvider200JSONResponse{Body: out, Headers: server.PutProctoringProvider200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) RotateProctoringSecret(ctx context.Context, r server.RotateProctoringSecretRequestObject) (server.RotateProctoringSecretResponseObject, error) {
	secret, p, err := h.rooms.RotateProctoringSecret(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Provider)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.ProctoringProvider](p)
	return server.RotateProctoringSecret201JSONResponse{Provider: out, Secret: given(secret)}, err
}

func (h handlers) TestProctoringProvider(ctx context.Context, r server.TestProctoringProviderRequestObject) (server.TestProctoringProviderResponseObject, error) {
	c, trouble, err := h.rooms.TestProctoringProvider(ctx, callerOf(ctx), r.Provider)
	if err != nil {
		return nil, err
	}
	out := server.TestProctoringProvider200JSONResponse{Well: trouble == nil, Name: given(c.Name), DownloadUrl: given(c.DownloadURL)}
	if trouble != nil {
		out.Failure, out.Detail = given(trouble.Code), given(trouble.Detail)
	}
	return out, nil
}

func (h handlers) ListProctoringEvents(ctx context.Context, r server.ListProctoringEventsRequestObject) (server.ListProctoringEventsResponseObject, error) {
	rows, next, err := listed[contract.ProctoringEvent](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]exams.ProviderEvent, string, error) {
		return h.rooms.ProctoringEvents(ctx, callerOf(ctx), r.Provider, string(value(r.Params.State)), p)
	})
	return server.ListProctoringEvents200JSONResponse{Events: rows, NextCursor: next}, err
}

func (h handlers) PutExamProvider(ctx context.Context, r server.PutExamProviderRequestObject) (server.PutExamProviderResponseObject, error) {
	provider := value(r.Body.Provider)
	err := h.rooms.PutExamProvider(ctx, callerOf(ctx), r.Session, exams.Kind(r.Kind), provider)
	return server.PutExamProvider200JSONResponse{Provider: given(provider)}, err
}

// message is what came from a provider, as it came.
func message(ctx context.Context, call, attempt string) exams.ProctorMessage {
	c := callOf(ctx)
	return exams.ProctorMessage{Call: call, Attempt: attempt, Authorization: c.authorization, ID: c.signed[0], Timestamp: c.signed[1], Signature: c.signed[2], Body: c.body}
}

func (h handlers) ReceiveProctoringReady(ctx context.Context, r server.ReceiveProctoringReadyRequestObject) (server.ReceiveProctoringReadyResponseObject, error) {
	return server.ReceiveProctoringReady204Response{}, h.rooms.HearProctor(ctx, r.Provider, message(ctx, "ready", r.Attempt))
}

func (h handlers) ReceiveProctoringReview(ctx context.Context, r server.ReceiveProctoringReviewRequestObject) (server.ReceiveProctoringReviewResponseObject, error) {
	return server.ReceiveProctoringReview204Response{}, h.rooms.HearProctor(ctx, r.Provider, message(ctx, "reviewed", r.Attempt))
}

func (h handlers) ControlProctoring(ctx context.Context, r server.ControlProctoringRequestObject) (server.ControlProctoringResponseObject, error) {
	m := message(ctx, "control", "")
	if err := h.rooms.HearProctor(ctx, r.Provider, m); err != nil {
		return nil, err
	}
	var said struct {
		Action string `json:"action"`
	}
	if err := json.Unmarshal(m.Body, &said); err != nil {
		return nil, err
	}
	out := server.ControlProctoring200JSONResponse{Status: contract.ProctoringControlStatusRunning}
	if said.Action == "terminate" {
		out.Status = contract.ProctoringControlStatusTerminated
	}
	return out, nil
}

func (h handlers) GrantProctoringToken(ctx context.Context, r server.GrantProctoringTokenRequestObject) (server.GrantProctoringTokenResponseObject, error) {
	raw, err := h.rooms.GrantProctoringToken(ctx, r.Provider, string(callOf(ctx).body))
	if err != nil {
		return nil, err
	}
	var out server.GrantProctoringToken200JSONResponse
	return &out, json.Unmarshal(raw, &out)
}

func (h handlers) GetProctoringKeys(ctx context.Context, r server.GetProctoringKeysRequestObject) (server.GetProctoringKeysResponseObject, error) {
	raw, err := h.rooms.ProctoringKeys(ctx, r.Provider)
	if err != nil {
		return nil, err
	}
	var out server.GetProctoringKeys200JSONResponse
	return &out, json.Unmarshal(raw, &out)
}
