package api

import (
	"cmp"
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

func (h handlers) ListWaysToPay(ctx context.Context, r server.ListWaysToPayRequestObject) (server.ListWaysToPayResponseObject, error) {
	rows, err := allOf[contract.OfferedWay](h.rooms.WaysToPay(ctx, callerOf(ctx), r.Order))
	return server.ListWaysToPay200JSONResponse{Ways: rows}, err
}

func (h handlers) ChooseWayToPay(ctx context.Context, r server.ChooseWayToPayRequestObject) (server.ChooseWayToPayResponseObject, error) {
	o, err := h.rooms.ChooseWay(ctx, callerOf(ctx), sales.ChooseWay{
		OrderID: r.Order, Way: sales.Way(r.Body.Way), Desk: sales.DeskOf{Organisation: value(r.Body.Partner)}, Reference: value(r.Body.Reference),
		IdempotencyKey: r.Params.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	return server.ChooseWayToPay200JSONResponse(toOrder(o)), nil
}

func (h handlers) RecordDeskReceipt(ctx context.Context, r server.RecordDeskReceiptRequestObject) (server.RecordDeskReceiptResponseObject, error) {
	c := sales.Receive{
		OrderID: r.Body.Order, Amount: money.Of(r.Body.AmountMinor, money.Currency(r.Body.Currency)), Reference: r.Body.Reference, Payer: value(r.Body.Payer),
		ReceivedAt: r.Body.ReceivedAt, IdempotencyKey: r.Params.IdempotencyKey,
	}
	if f := r.Body.File; f != nil {
		c.Proof = &payments.Proof{Name: f.Name, Content: f.Content}
	}
	out, err := answered[contract.Receipt](h.rooms.RecordDeskReceipt(ctx, callerOf(ctx), r.Partner, c))
	return server.RecordDeskReceipt201JSONResponse(out), err
}

func (h handlers) ListDeskReceipts(ctx context.Context, r server.ListDeskReceiptsRequestObject) (server.ListDeskReceiptsResponseObject, error) {
	rows, next, err := listed[contract.Receipt](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]payments.Receipt, string, error) {
		return h.rooms.DeskReceipts(ctx, callerOf(ctx), r.Partner, p)
	})
	return server.ListDeskReceipts200JSONResponse{Receipts: rows, NextCursor: next}, err
}

func (h handlers) AskReversal(ctx context.Context, r server.AskReversalRequestObject) (server.AskReversalResponseObject, error) {
	return server.AskReversal204Response{}, h.rooms.AskReversal(ctx, callerOf(ctx), r.Partner, r.Receipt, r.Body.Reason, r.Params.IdempotencyKey)
}

func (h handlers) DecideReversal(ctx context.Context, r server.DecideReversalRequestObject) (server.DecideReversalResponseObject, error) {
	return server.DecideReversal204Response{}, h.rooms.DecideReversal(ctx, callerOf(ctx), r.Partner, r.Receipt, r.Body.Agree, r.Params.IdempotencyKey)
}

func (h handlers) PutCashier(ctx context.Context, r server.PutCashierRequestObject) (server.PutCashierResponseObject, error) {
	return server.PutCashier204Response{}, h.rooms.PutCashier(ctx, callerOf(ctx), r.Partner, r.Person)
}

func (h handlers) RecordTransfer(ctx context.Context, r server.RecordTransferRequestObject) (server.RecordTransferResponseObject, error) {
	out, err := answered[contract.Receipt](h.rooms.RecordTransfer(ctx, callerOf(ctx), sales.Receive{
		OrderID: value(r.Body.Order), Amount: money.Of(r.Body.AmountMinor, money.Currency(r.Body.Currency)), Reference: r.Body.Reference, Payer: value(r.Body.Payer),
		Label: value(r.Body.Label), ReceivedAt: r.Body.ReceivedAt, IdempotencyKey: r.Params.IdempotencyKey,
	}))
	return server.RecordTransfer201JSONResponse(out), err
}

func (h handlers) ListReceipts(ctx context.Context, r server.ListReceiptsRequestObject) (server.ListReceiptsResponseObject, error) {
	rows, next, err := listed[contract.Receipt](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]payments.Receipt, string, error) {
		return h.rooms.Receipts(ctx, callerOf(ctx), string(value(r.Params.State)), p)
	})
	return server.ListReceipts200JSONResponse{Receipts: rows, NextCursor: next}, err
}

func (h handlers) MatchReceipt(ctx context.Context, r server.MatchReceiptRequestObject) (server.MatchReceiptResponseObject, error) {
	out, err := answered[contract.Receipt](h.rooms.MatchReceipt(ctx, callerOf(ctx), r.Receipt, r.Body.Order, r.Params.IdempotencyKey))
	return server.MatchReceipt200JSONResponse(out), err
}

func (h handlers) SendReceiptBack(ctx context.Context, r server.SendReceiptBackRequestObject) (server.SendReceiptBackResponseObject, error) {
	out, err := answered[contract.Receipt](h.rooms.SendReceiptBack(ctx, callerOf(ctx), r.Receipt, r.Body.Reference, r.Params.IdempotencyKey))
	return server.SendReceiptBack200JSONResponse(out), err
}

func (h handlers) ListPayBacks(ctx context.Context, r server.ListPayBacksRequestObject) (server.ListPayBacksResponseObject, error) {
	rows, next, err := listed[contract.PayBack](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]payments.PayBack, string, error) {
		return h.rooms.PayBacks(ctx, callerOf(ctx), p)
	})
	return server.ListPayBacks200JSONResponse{PayBacks: rows, NextCursor: next}, err
}

func (h handlers) MarkPaidBack(ctx context.Context, r server.MarkPaidBackRequestObject) (server.MarkPaidBackResponseObject, error) {
	return server.MarkPaidBack204Response{}, h.rooms.MarkPaidBack(ctx, callerOf(ctx), r.Refund, r.Body.Reference, r.Params.IdempotencyKey)
}

func (h handlers) PayInstalment(ctx context.Context, r server.PayInstalmentRequestObject) (server.PayInstalmentResponseObject, error) {
	o, err := h.rooms.PayInstalment(ctx, callerOf(ctx), r.Order, r.N, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return server.PayInstalment200JSONResponse(toOrder(o)), nil
}

func (h handlers) LeaveCard(ctx context.Context, r server.LeaveCardRequestObject) (server.LeaveCardResponseObject, error) {
	url, err := h.rooms.LeaveCard(ctx, callerOf(ctx), r.Order)
	return server.LeaveCard200JSONResponse{Url: url}, err
}

func (h handlers) RecordStatement(ctx context.Context, r server.RecordStatementRequestObject) (server.RecordStatementResponseObject, error) {
	out, err := answered[contract.Statement](h.rooms.RecordStatement(ctx, callerOf(ctx), sales.TakeStatement{
		Content: callOf(ctx).body, Currency: money.Currency(cmp.Or(value(r.Params.Currency), "EUR")), DryRun: value(r.Params.DryRun), IdempotencyKey: r.Params.IdempotencyKey,
	}))
	return server.RecordStatement200JSONResponse(out), err
}
