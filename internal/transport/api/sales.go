package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
)

func (h handlers) CancelOrder(ctx context.Context, r server.CancelOrderRequestObject) (server.CancelOrderResponseObject, error) {
	o, err := h.rooms.CancelOrder(ctx, callerOf(ctx), r.Order)
	if err != nil {
		return nil, err
	}
	return server.CancelOrder200JSONResponse(toOrder(o)), nil
}

func (h handlers) GetOrderHistory(ctx context.Context, r server.GetOrderHistoryRequestObject) (server.GetOrderHistoryResponseObject, error) {
	at, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.OrderHistory(ctx, callerOf(ctx), r.Order, at)
	if err != nil {
		return nil, err
	}
	return server.GetOrderHistory200JSONResponse{NextCursor: given(page.Cursor(next)), Happened: each(all, func(x sales.Happening) contract.OrderHappening {
		out := contract.OrderHappening{At: x.At.UTC(), What: contract.OrderHappeningWhat(x.What), Detail: given(x.Detail)}
		if x.Amount != nil {
			a := toMoney(*x.Amount)
			out.Amount = &a
		}
		return out
	})}, nil
}

func toAction(a sales.Action) contract.OrderAction {
	out := contract.OrderAction{Action: contract.OrderActionAction(a.Action), Allowed: a.Allowed}
	if a.Reason != "" {
		why := contract.OrderActionReason(a.Reason)
		out.Reason = &why
	}
	return out
}

func toNext(n sales.Next) contract.NextAction {
	out := contract.NextAction{Kind: contract.NextActionKind(n.Kind), Url: given(n.URL), Until: utc(n.Until), Way: given(contract.PayWay(n.Way)), Reference: given(n.Reference)}
	if n.Instalment > 0 {
		out.Instalment = &n.Instalment
	}
	if n.Left != nil {
		left := toMoney(*n.Left)
		out.AmountLeft = &left
	}
	if a := n.Account; a != nil {
		out.Account = &contract.BankAccount{Name: a.Name, Iban: a.IBAN, Bic: given(a.BIC), Bank: given(a.Bank)}
	}
	return out
}
