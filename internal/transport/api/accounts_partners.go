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
	all, err := h.rooms.Agreements(ctx, callerOf(ctx))
	if err != nil {
		return nil, err
	}
	rows, err := as[[]contract.Agreement](all)
	return server.ListAgreements200JSONResponse{Agreements: append([]contract.Agreement{}, rows...)}, err
}

func (h handlers) PutAgreement(ctx context.Context, r server.PutAgreementRequestObject) (server.PutAgreementResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	a, err := as[accounting.Agreement](r.Body)
	if err != nil {
		return nil, err
	}
	a.Key = r.Agreement
	if a, err = h.rooms.PutAgreement(ctx, callerOf(ctx), a, version); err != nil {
		return nil, err
	}
	out, err := as[contract.Agreement](a)
	return server.PutAgreement200JSONResponse{Body: out, Headers: server.PutAgreement200ResponseHeaders{ETag: etag(a.Version)}}, err
}

func (h handlers) GetPartnerStatement(ctx context.Context, r server.GetPartnerStatementRequestObject) (server.GetPartnerStatementResponseObject, error) {
	s, err := h.rooms.PartnerStatement(ctx, callerOf(ctx), r.Partner, period(r.Params.From, r.Params.Until), money.Currency(r.Params.Currency))
	if err != nil {
		return nil, err
	}
	out, err := as[contract.PartnerStatement](s)
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
	run, err := h.rooms.StartReconciliation(ctx, callerOf(ctx), r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Reconciliation](run)
	return server.StartReconciliation202JSONResponse(out), err
}

func (h handlers) GetReconciliation(ctx context.Context, r server.GetReconciliationRequestObject) (server.GetReconciliationResponseObject, error) {
	run, err := h.rooms.Reconciliation(ctx, callerOf(ctx), r.Reconciliation)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Reconciliation](run)
	return server.GetReconciliation200JSONResponse(out), err
}

func (h handlers) ListDifferences(ctx context.Context, r server.ListDifferencesRequestObject) (server.ListDifferencesResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.Differences(ctx, callerOf(ctx), string(value(r.Params.Kind)), string(value(r.Params.State)), p)
	if err != nil {
		return nil, err
	}
	rows, err := as[[]contract.Difference](all)
	return server.ListDifferences200JSONResponse{Differences: append([]contract.Difference{}, rows...), NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) InvestigateDifference(ctx context.Context, r server.InvestigateDifferenceRequestObject) (server.InvestigateDifferenceResponseObject, error) {
	v, err := h.rooms.Investigate(ctx, callerOf(ctx), r.Difference)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Investigation](v)
	return server.InvestigateDifference200JSONResponse(out), err
}
