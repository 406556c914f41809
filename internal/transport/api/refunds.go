package api

import (
	"bytes"
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
)

func refundLines(in *[]contract.RefundOfLine) (out []sales.RefundLine) {
	for _, l := range value(in) {
		out = append(out, sales.RefundLine{Line: l.Line, Minor: value(l.AmountMinor), Seats: value(l.Seats), SeatID: value(l.Seat)})
	}
	return out
}

func (h handlers) GetOrderWithdrawal(ctx context.Context, r server.GetOrderWithdrawalRequestObject) (server.GetOrderWithdrawalResponseObject, error) {
	l, err := h.rooms.OrderWithdrawal(ctx, callerOf(ctx), r.Order)
	if err != nil {
		return nil, err
	}
	return server.GetOrderWithdrawal200JSONResponse(toWithdrawal(l)), nil
}

func (h handlers) WithdrawOrder(ctx context.Context, r server.WithdrawOrderRequestObject) (server.WithdrawOrderResponseObject, error) {
	who := callerOf(ctx)
	l, err := h.rooms.WithdrawOrder(ctx, who, sales.WithdrawOrder{
		OrderID: r.Order, BuyerID: who.PersonID, Name: r.Body.Name, Email: r.Body.Email, IdempotencyKey: r.Params.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	return server.WithdrawOrder200JSONResponse(toWithdrawal(l)), nil
}

func toWithdrawal(l sales.Leaving) contract.Withdrawal {
	out := contract.Withdrawal{
		Allowed: l.Allowed, Right: contract.WithdrawalRight(l.Right), BeginNow: l.BeginNow, Refund: toMoney(l.Refund), Kept: toMoney(l.Kept),
	}
	if !l.Until.IsZero() {
		out.Until = utc(&l.Until)
	}
	if l.Reason != "" {
		why := contract.WithdrawalReason(l.Reason)
		out.Reason = &why
	}
	if x := l.Receipt; x != nil {
		out.Receipt = &contract.WithdrawalReceipt{Id: x.ID, Name: x.Name, Email: x.Email, DeclaredAt: x.DeclaredAt.UTC()}
	}
	return out
}

func (h handlers) PayOrder(ctx context.Context, r server.PayOrderRequestObject) (server.PayOrderResponseObject, error) {
	o, err := h.rooms.PayOrder(ctx, callerOf(ctx), r.Order)
	if err != nil {
		return nil, err
	}
	return server.PayOrder200JSONResponse(toOrder(o)), nil
}

func (h handlers) GetOrderEvidence(ctx context.Context, r server.GetOrderEvidenceRequestObject) (server.GetOrderEvidenceResponseObject, error) {
	lang := "en"
	if r.Params.Lang != nil {
		lang = string(*r.Params.Lang)
	}
	content, err := h.rooms.OrderEvidence(ctx, callerOf(ctx), r.Order, lang)
	return server.GetOrderEvidence200ApplicationzipResponse{
		Body: bytes.NewReader(content), ContentLength: int64(len(content)),
		Headers: server.GetOrderEvidence200ResponseHeaders{ContentDisposition: attached("evidence-" + r.Order + ".zip")},
	}, err
}

func (h handlers) ListSoldOrders(ctx context.Context, r server.ListSoldOrdersRequestObject) (server.ListSoldOrdersResponseObject, error) {
	at, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.SoldOrders(ctx, callerOf(ctx), sales.OrderFilter{
		State: string(value(r.Params.State)), Way: string(value(r.Params.Way)), Buyer: value(r.Params.Buyer), Key: value(r.Params.Key), From: r.Params.From, Until: r.Params.Until,
	}, at)
	return server.ListSoldOrders200JSONResponse{NextCursor: given(page.Cursor(next)), Orders: each(all, func(o sales.Listed) contract.SoldOrder {
		return contract.SoldOrder{
			Id: o.ID, State: contract.SoldOrderState(o.State), Way: contract.SoldOrderWay(o.Way), Buyer: o.Buyer, Email: o.Email, Organisation: given(o.Organisation),
			Title: toText(Text(o.Title())), Keys: o.Keys, Total: toMoney(o.Total()), Credited: toMoney(o.Credited()), PlacedAt: o.PlacedAt.UTC(), PaidAt: utc(o.PaidAt),
			NextAction: toNext(o.Next), Actions: each(o.Actions, toAction),
		}
	})}, err
}

func (h handlers) ListDisputes(ctx context.Context, r server.ListDisputesRequestObject) (server.ListDisputesResponseObject, error) {
	at, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.Disputes(ctx, callerOf(ctx), at)
	return server.ListDisputes200JSONResponse{NextCursor: given(page.Cursor(next)), Disputes: each(all, func(d sales.DisputeCase) contract.Dispute {
		return contract.Dispute{
			Id: d.ID, OrderId: d.OrderID, State: contract.DisputeState(d.State), Reason: given(d.Reason), Amount: toMoney(d.Amount()), OpenedAt: d.OpenedAt.UTC(),
			AnswerBy: utc(d.AnswerBy), ClosedAt: utc(d.ClosedAt),
		}
	})}, err
}

func (h handlers) ListRefunds(ctx context.Context, r server.ListRefundsRequestObject) (server.ListRefundsResponseObject, error) {
	at, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.Refunds(ctx, callerOf(ctx), at)
	return server.ListRefunds200JSONResponse{NextCursor: given(page.Cursor(next)), Refunds: each(all, func(x sales.RefundCase) contract.Refund {
		return contract.Refund{
			Id: x.ID, OrderId: x.OrderID, State: contract.RefundState(x.State), Amount: toMoney(x.Amount()), Reason: x.Reason, RequestedBy: x.Proposer,
			RequestedAt: x.RequestedAt.UTC(), Owed: x.Owed(),
			Lines: each(x.Lines(), func(l sales.RefundLine) contract.RefundOfLine {
				return contract.RefundOfLine{Line: l.Line, AmountMinor: given(l.Minor)}
			}),
		}
	})}, err
}

func (h handlers) DecideRefund(ctx context.Context, r server.DecideRefundRequestObject) (server.DecideRefundResponseObject, error) {
	o, err := h.rooms.DecideRefund(ctx, callerOf(ctx), r.Refund, r.Body.Agree, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return server.DecideRefund200JSONResponse(toOrder(o)), nil
}

func (h handlers) SayRepaid(ctx context.Context, r server.SayRepaidRequestObject) (server.SayRepaidResponseObject, error) {
	o, err := h.rooms.SayRepaid(ctx, callerOf(ctx), r.Refund, r.Body.Reference, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return server.SayRepaid200JSONResponse(toOrder(o)), nil
}

func (h handlers) DecideRepaid(ctx context.Context, r server.DecideRepaidRequestObject) (server.DecideRepaidResponseObject, error) {
	o, err := h.rooms.DecideRepaid(ctx, callerOf(ctx), r.Refund, r.Body.Agree, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return server.DecideRepaid200JSONResponse(toOrder(o)), nil
}
