package app

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/web"
)

// Orders shows somebody her orders.
func (p Pages) Orders(ctx context.Context, who web.Viewer, r page.Request) (out []web.Order, next string, err error) {
	all, next, err := p.h.Sales.Orders(hers(ctx, who, "orders:read"), who.PersonID, r)
	for _, o := range all {
		out = append(out, shownOrder(o))
	}
	return out, next, err
}

// CancelOrder cancels an order that was not paid.
func (p Pages) CancelOrder(ctx context.Context, who web.Viewer, id string) error {
	_, err := p.h.Sales.CancelOrder(hers(ctx, who, "orders:write"), id)
	return err
}

// PayOrder opens the pay page of an order.
func (p Pages) PayOrder(ctx context.Context, who web.Viewer, id string) (string, error) {
	o, err := p.h.Sales.Pay(hers(ctx, who, "orders:write"), id, who.PersonID)
	return o.PayURL, err
}

// Withdrawal says whether somebody may leave her order.
func (p Pages) Withdrawal(ctx context.Context, who web.Viewer, id string) (web.Order, sales.Leaving, error) {
	ctx = hers(ctx, who, "orders:read")
	o, err := p.h.Sales.Order(ctx, id)
	if err != nil {
		return web.Order{}, sales.Leaving{}, err
	}
	if o.BuyerID != who.PersonID {
		return web.Order{}, sales.Leaving{}, sales.ErrNoOrder
	}
	l, err := p.h.Sales.Withdrawal(ctx, id)
	return shownOrder(o), l, err
}

// Withdraw declares a withdrawal.
func (p Pages) Withdraw(ctx context.Context, who web.Viewer, id, name, email, key string) error {
	_, err := p.h.Sales.Withdraw(hers(ctx, who, "orders:write"), sales.WithdrawOrder{OrderID: id, BuyerID: who.PersonID, Name: name, Email: email, IdempotencyKey: key})
	return err
}

// PlaceOrder orders an offer.
func (p Pages) PlaceOrder(ctx context.Context, who web.Viewer, n web.Purchase) (web.Placed, error) {
	o, err := p.h.PlaceOrder(ctx, sales.PlaceOrder{
		BuyerID: who.PersonID, OfferID: n.OfferID, Lang: n.Lang, Voucher: n.Voucher, Currency: money.Currency(n.Currency), Way: n.Way, Reference: n.Reference, BeginNow: n.BeginNow, IdempotencyKey: n.Key,
	})
	return web.Placed{OrderID: o.ID, PayURL: o.PayURL}, err
}

// Order shows an order to its buyer and to staff, with what happened to it.
func (p Pages) Order(ctx context.Context, who web.Viewer, id string) (out web.Order, err error) {
	o, err := p.h.Sales.Order(hers(ctx, who, "orders:read"), id)
	if err != nil {
		return out, err
	}
	out = shownOrder(o)
	if o.State == sales.AwaitingPayment {
		if out.Ways, err = p.h.WaysToPay(hers(ctx, who, "orders:read"), id); err != nil {
			return out, err
		}
	}
	out.History, _, err = p.h.Sales.History(hers(ctx, who, "orders:read"), id, page.Request{Limit: 500})
	return out, err
}

func shownOrder(o sales.Order) web.Order {
	out := web.Order{
		ID: o.ID, State: string(o.State), PayURL: o.PayURL, InvoiceNumber: o.InvoiceNumber, Total: o.Total, Credited: o.Credited,
		PlacedAt: o.PlacedAt, Demo: o.Demo, Next: o.Next, Actions: o.Actions, Schedule: o.Schedule,
	}
	for _, l := range o.Lines {
		out.Lines = append(out.Lines, web.OrderLine{Title: text(l.Title), SessionKey: l.SessionKey, EditionKey: l.EditionKey, Formula: l.Formula, Quantity: l.Quantity, Total: l.Total})
	}
	if o.ExpiresAt != nil {
		out.ExpiresAt = *o.ExpiresAt
	}
	return out
}
