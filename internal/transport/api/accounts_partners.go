package api

import (
	"bytes"
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/accounting"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

func (h handlers) ListAgreements(ctx context.Context, _ server.ListAgreementsRequestObject) (server.ListAgreementsResponseObject, error) {
	rows, err := allOf[contract.Agreement](h.rooms.Agreements(ctx, callerOf(ctx)))
	return server.ListAgreements200JSONResponse{Agreements: rows}, err
}

func (h handlers) PutAgreement(ctx context.Context, r server.PutAgreementRequestObject) (server.PutAgreementResponseObject, error) {
	out, now, err := put[contract.Agreement](r.Params.IfMatch, r.Body, func(a accounting.Agreement, version int) (accounting.Agreement, error) {
		a.Key = r.Agreement
		return h.rooms.PutAgreement(ctx, callerOf(ctx), a, version)
	})
	return server.PutAgreement200JSONResponse{Body: out, Headers: server.PutAgreement200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) GetPartnerStatement(ctx context.Context, r server.GetPartnerStatementRequestObject) (server.GetPartnerStatementResponseObject, error) {
	out, err := answered[contract.PartnerStatement](h.rooms.PartnerStatement(ctx, callerOf(ctx), r.Partner, period(r.Params.From, r.Params.Until), money.Currency(r.Params.Currency)))
	return server.GetPartnerStatement200JSONResponse(out), err
}

func (h handlers) ExportPartnerStatement(ctx context.Context, r server.ExportPartnerStatementRequestObject) (server.ExportPartnerStatementResponseObject, error) {
	p := r.Params
	s, err := h.rooms.PartnerStatement(ctx, callerOf(ctx), r.Partner, period(p.From, p.Until), money.Currency(p.Currency))
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	err = s.CSV(&file)
	return server.ExportPartnerStatement200TextcsvResponse{
		Body: &file, ContentLength: int64(file.Len()),
		Headers: server.ExportPartnerStatement200ResponseHeaders{ContentDisposition: spanName(r.Partner, p.Currency, "csv", p.From, p.Until)},
	}, err
}

func (h handlers) RecordSettlement(ctx context.Context, r server.RecordSettlementRequestObject) (server.RecordSettlementResponseObject, error) {
	s, err := as[accounting.Settlement](r.Body)
	if err != nil {
		return nil, err
	}
	s.Organisation = r.Partner
	if s, err = h.rooms.RecordSettlement(ctx, callerOf(ctx), r.Params.IdempotencyKey, s); err != nil {
		return nil, err
	}
	out, err := as[contract.Settlement](s)
	return server.RecordSettlement201JSONResponse(out), err
}

func (h handlers) StartReconciliation(ctx context.Context, r server.StartReconciliationRequestObject) (server.StartReconciliationResponseObject, error) {
	out, err := answered[contract.Reconciliation](h.rooms.StartReconciliation(ctx, callerOf(ctx), r.Params.IdempotencyKey))
	return server.StartReconciliation202JSONResponse(out), err
}

func (h handlers) GetReconciliation(ctx context.Context, r server.GetReconciliationRequestObject) (server.GetReconciliationResponseObject, error) {
	out, err := answered[contract.Reconciliation](h.rooms.Reconciliation(ctx, callerOf(ctx), r.Reconciliation))
	return server.GetReconciliation200JSONResponse(out), err
}

func (h handlers) ListDifferences(ctx context.Context, r server.ListDifferencesRequestObject) (server.ListDifferencesResponseObject, error) {
	rows, next, err := listed[contract.Difference](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]accounting.Difference, string, error) {
		return h.rooms.Differences(ctx, callerOf(ctx), string(value(r.Params.Kind)), string(value(r.Params.State)), p)
	})
	return server.ListDifferences200JSONResponse{Differences: rows, NextCursor: next}, err
}

func (h handlers) InvestigateDifference(ctx context.Context, r server.InvestigateDifferenceRequestObject) (server.InvestigateDifferenceResponseObject, error) {
	out, err := answered[contract.Investigation](h.rooms.Investigate(ctx, callerOf(ctx), r.Difference))
	return server.InvestigateDifference200JSONResponse(out), err
}
