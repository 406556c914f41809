package api

import (
	"bytes"
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/dossier"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/page"
)

// PrivacyRooms is what the API asks of the house about what is kept of people. What is of somebody else is NotFound, but for principals with
// the scope privacy:write.
type PrivacyRooms interface {
	Consents(ctx context.Context, who Principal) ([]privacy.Consent, error)
	// GiveConsent agrees under the text that was read; another one than that of today is a Conflict.
	GiveConsent(ctx context.Context, who Principal, purpose, text string) (privacy.Consent, error)
	WithdrawConsent(ctx context.Context, who Principal, purpose string) error
	// RequestExport is for a person; empty: for the principal.
	RequestExport(ctx context.Context, who Principal, person string) (dossier.Export, error)
	PersonExport(ctx context.Context, who Principal, id string) (dossier.Export, error)
	PersonExportFile(ctx context.Context, who Principal, id string) ([]byte, error)
	RequestErasure(ctx context.Context, who Principal) (dossier.Erasure, error)
	Erasures(ctx context.Context, who Principal, state string, p page.Request) (all []dossier.Erasure, next string, err error)
	Erasure(ctx context.Context, who Principal, id string) (dossier.Erasure, error)
	WithdrawErasure(ctx context.Context, who Principal, id string) error
	DecideErasure(ctx context.Context, who Principal, id string, approve bool, note string) (dossier.Erasure, error)
	CarryOutErasure(ctx context.Context, who Principal, id, person string) (dossier.Erasure, error)
	Retention(ctx context.Context, who Principal) ([]dossier.Rule, error)
	RetentionRule(ctx context.Context, who Principal, kind string) (dossier.Rule, error)
	PutRetentionRule(ctx context.Context, who Principal, kind string, days, version int) (dossier.Rule, error)
}

func toConsent(c privacy.Consent) contract.Consent {
	out := contract.Consent{Purpose: contract.ConsentPurpose(c.Purpose), Text: c.Text, Given: c.Given}
	if !c.At.IsZero() {
		out.SaidAt = utc(&c.At)
	}
	return out
}

func (h handlers) ListConsents(ctx context.Context, _ server.ListConsentsRequestObject) (server.ListConsentsResponseObject, error) {
	all, err := h.rooms.Consents(ctx, callerOf(ctx))
	return server.ListConsents200JSONResponse{Consents: each(all, toConsent)}, err
}

func (h handlers) GiveConsent(ctx context.Context, r server.GiveConsentRequestObject) (server.GiveConsentResponseObject, error) {
	c, err := h.rooms.GiveConsent(ctx, callerOf(ctx), string(r.Purpose), r.Body.Text)
	return server.GiveConsent200JSONResponse(toConsent(c)), err
}

func (h handlers) WithdrawConsent(ctx context.Context, r server.WithdrawConsentRequestObject) (server.WithdrawConsentResponseObject, error) {
	return server.WithdrawConsent204Response{}, h.rooms.WithdrawConsent(ctx, callerOf(ctx), string(r.Purpose))
}

func (h handlers) RequestMyExport(ctx context.Context, _ server.RequestMyExportRequestObject) (server.RequestMyExportResponseObject, error) {
	out, err := answered[contract.PersonExport](h.rooms.RequestExport(ctx, callerOf(ctx), ""))
	return server.RequestMyExport202JSONResponse{Body: out, Headers: server.RequestMyExport202ResponseHeaders{Location: "/v1/exports/" + out.Id}}, err
}

func (h handlers) RequestExport(ctx context.Context, r server.RequestExportRequestObject) (server.RequestExportResponseObject, error) {
	out, err := answered[contract.PersonExport](h.rooms.RequestExport(ctx, callerOf(ctx), r.Person))
	return server.RequestExport202JSONResponse{Body: out, Headers: server.RequestExport202ResponseHeaders{Location: "/v1/exports/" + out.Id}}, err
}

func (h handlers) GetExport(ctx context.Context, r server.GetExportRequestObject) (server.GetExportResponseObject, error) {
	out, err := answered[contract.PersonExport](h.rooms.PersonExport(ctx, callerOf(ctx), r.Export))
	return server.GetExport200JSONResponse(out), err
}

func (h handlers) DownloadExport(ctx context.Context, r server.DownloadExportRequestObject) (server.DownloadExportResponseObject, error) {
	file, err := h.rooms.PersonExportFile(ctx, callerOf(ctx), r.Export)
	return server.DownloadExport200ApplicationzipResponse{
		Body: bytes.NewReader(file), ContentLength: int64(len(file)), Headers: server.DownloadExport200ResponseHeaders{ContentDisposition: attached(r.Export + ".zip")},
	}, err
}

func (h handlers) RequestErasure(ctx context.Context, _ server.RequestErasureRequestObject) (server.RequestErasureResponseObject, error) {
	out, err := answered[contract.Erasure](h.rooms.RequestErasure(ctx, callerOf(ctx)))
	return server.RequestErasure201JSONResponse{Body: out, Headers: server.RequestErasure201ResponseHeaders{Location: "/v1/erasures/" + out.Id}}, err
}

func (h handlers) ListErasures(ctx context.Context, r server.ListErasuresRequestObject) (server.ListErasuresResponseObject, error) {
	rows, next, err := listed[contract.Erasure](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]dossier.Erasure, string, error) {
		return h.rooms.Erasures(ctx, callerOf(ctx), string(value(r.Params.State)), p)
	})
	return server.ListErasures200JSONResponse{Erasures: rows, NextCursor: next}, err
}

func (h handlers) GetErasure(ctx context.Context, r server.GetErasureRequestObject) (server.GetErasureResponseObject, error) {
	out, err := answered[contract.Erasure](h.rooms.Erasure(ctx, callerOf(ctx), r.Erasure))
	return server.GetErasure200JSONResponse(out), err
}

func (h handlers) WithdrawErasure(ctx context.Context, r server.WithdrawErasureRequestObject) (server.WithdrawErasureResponseObject, error) {
	return server.WithdrawErasure204Response{}, h.rooms.WithdrawErasure(ctx, callerOf(ctx), r.Erasure)
}

func (h handlers) DecideErasure(ctx context.Context, r server.DecideErasureRequestObject) (server.DecideErasureResponseObject, error) {
	out, err := answered[contract.Erasure](h.rooms.DecideErasure(ctx, callerOf(ctx), r.Erasure, r.Body.Approve, value(r.Body.Note)))
	return server.DecideErasure200JSONResponse(out), err
}

func (h handlers) CarryOutErasure(ctx context.Context, r server.CarryOutErasureRequestObject) (server.CarryOutErasureResponseObject, error) {
	out, err := answered[contract.Erasure](h.rooms.CarryOutErasure(ctx, callerOf(ctx), r.Erasure, r.Body.Person))
	return server.CarryOutErasure200JSONResponse(out), err
}

func (h handlers) ListRetention(ctx context.Context, _ server.ListRetentionRequestObject) (server.ListRetentionResponseObject, error) {
	all, err := h.rooms.Retention(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	rules, err := turned[contract.RetentionRule](all)
	return server.ListRetention200JSONResponse{Rules: rules}, err
}

func (h handlers) GetRetentionRule(ctx context.Context, r server.GetRetentionRuleRequestObject) (server.GetRetentionRuleResponseObject, error) {
	rule, err := h.rooms.RetentionRule(ctx, callerOf(ctx), r.Records)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.RetentionRule](rule)
	return server.GetRetentionRule200JSONResponse{Body: out, Headers: server.GetRetentionRule200ResponseHeaders{ETag: etag(rule.Version)}}, err
}

func (h handlers) PutRetentionRule(ctx context.Context, r server.PutRetentionRuleRequestObject) (server.PutRetentionRuleResponseObject, error) {
	out, now, err := put[contract.RetentionRule](r.Params.IfMatch, r.Body, func(d contract.RetentionDays, version int) (dossier.Rule, error) {
		return h.rooms.PutRetentionRule(ctx, callerOf(ctx), r.Records, d.Days, version)
	})
	return server.PutRetentionRule200JSONResponse{Body: out, Headers: server.PutRetentionRule200ResponseHeaders{ETag: etag(now.Version)}}, err
}
