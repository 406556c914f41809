package app

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/transport/api"
)

// CancelOrder cancels an order that was not paid.
func (r Rooms) CancelOrder(ctx context.Context, _ api.Principal, id string) (sales.Order, error) {
	return r.h.Sales.CancelOrder(ctx, id)
}

// OrderHistory is what happened to an order.
func (r Rooms) OrderHistory(ctx context.Context, _ api.Principal, id string) ([]sales.Happening, error) {
	return r.h.Sales.History(ctx, id)
}
