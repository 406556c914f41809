package app

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// CancelOrder cancels an order that was not paid.
func (r Rooms) CancelOrder(ctx context.Context, _ api.Principal, id string) (sales.Order, error) {
	return r.h.Sales.CancelOrder(ctx, id)
}

// OrderHistory is what happened to an order.
func (r Rooms) OrderHistory(ctx context.Context, _ api.Principal, id string, p page.Request) ([]sales.Happening, string, error) {
	return r.h.Sales.History(ctx, id, p)
}

// OrderWithdrawal says whether an order may be left.
func (r Rooms) OrderWithdrawal(ctx context.Context, _ api.Principal, id string) (sales.Leaving, error) {
	return r.h.Sales.Withdrawal(ctx, id)
}

// WithdrawOrder declares that the principal leaves her order.
func (r Rooms) WithdrawOrder(ctx context.Context, _ api.Principal, c sales.WithdrawOrder) (sales.Leaving, error) {
	return r.h.Sales.Withdraw(ctx, c)
}

// PayOrder gives an order of the principal its pay page.
func (r Rooms) PayOrder(ctx context.Context, who api.Principal, id string) (sales.Order, error) {
	return r.h.Sales.Pay(ctx, id, who.PersonID)
}

// OrderEvidence puts together what can be shown to the bank of an order's buyer.
func (r Rooms) OrderEvidence(ctx context.Context, _ api.Principal, id, lang string) ([]byte, error) {
	return r.h.Evidence.Bundle(ctx, id, lang)
}

// SoldOrders lists orders of everybody.
func (r Rooms) SoldOrders(ctx context.Context, _ api.Principal, f sales.OrderFilter, p page.Request) (all []sales.Listed, next string, err error) {
	return r.h.Sales.Find(ctx, f, p)
}

// Disputes lists what the banks of buyers say.
func (r Rooms) Disputes(ctx context.Context, _ api.Principal, p page.Request) (all []sales.DisputeCase, next string, err error) {
	err = r.h.DB.View(ctx, "disputes", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = sales.DisputesTx(ctx, tx, p)
		return err
	})
	return all, next, err
}

// Refunds lists those that wait for somebody.
func (r Rooms) Refunds(ctx context.Context, _ api.Principal, p page.Request) (all []sales.RefundCase, next string, err error) {
	err = r.h.DB.View(ctx, "refunds", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = sales.OpenRefundsTx(ctx, tx, p)
		return err
	})
	return all, next, err
}

// DecideRefund is a second person's word on a proposed refund.
func (r Rooms) DecideRefund(ctx context.Context, _ api.Principal, id string, agree bool, key string) (sales.Order, error) {
	return r.h.Sales.DecideRefund(ctx, id, agree, key)
}

// SayRepaid says that what a refund left owed was paid otherwise.
func (r Rooms) SayRepaid(ctx context.Context, _ api.Principal, id, reference, key string) (sales.Order, error) {
	return r.h.Sales.SayRepaid(ctx, id, reference, key)
}

// DecideRepaid is a second person's word on that.
func (r Rooms) DecideRepaid(ctx context.Context, _ api.Principal, id string, agree bool, key string) (sales.Order, error) {
	return r.h.Sales.DecideRepaid(ctx, id, agree, key)
}
