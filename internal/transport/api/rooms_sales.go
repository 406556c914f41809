package api

import (
	"context"

	"cursus/internal/domain/sales"
)

// SalesRooms is what the API asks of the house about seats, ways to pay, withdrawal, refunds and disputes, in the rooms' own types.
type SalesRooms interface {
	// CancelOrder cancels an order that was not paid.
	CancelOrder(ctx context.Context, who Principal, id string) (sales.Order, error)
	// OrderHistory is what happened to an order, the oldest first.
	OrderHistory(ctx context.Context, who Principal, id string) ([]sales.Happening, error)
}
