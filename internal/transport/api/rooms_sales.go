package api

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
)

// SalesRooms is what the API asks of the house about seats, ways to pay, withdrawal, refunds and disputes, in the rooms' own types.
type SalesRooms interface {
	// CancelOrder cancels an order that was not paid.
	CancelOrder(ctx context.Context, who Principal, id string) (sales.Order, error)
	// OrderHistory is what happened to an order, the oldest first.
	OrderHistory(ctx context.Context, who Principal, id string) ([]sales.Happening, error)
	// OrderWithdrawal says whether an order may be left, and gives what was declared once it was.
	OrderWithdrawal(ctx context.Context, who Principal, id string) (sales.Leaving, error)
	// WithdrawOrder declares that the principal leaves her order, once per key.
	WithdrawOrder(ctx context.Context, who Principal, c sales.WithdrawOrder) (sales.Leaving, error)
	// PayOrder gives an order of the principal that waits its pay page.
	PayOrder(ctx context.Context, who Principal, id string) (sales.Order, error)
	// Refunds lists those that wait for somebody, the most urgent first.
	Refunds(ctx context.Context, who Principal) ([]sales.RefundCase, error)
	// DecideRefund is a second person's word on a proposed refund.
	DecideRefund(ctx context.Context, who Principal, id string, agree bool) (sales.Order, error)
	// Waiting lists the rows that the caller waits in.
	Waiting(ctx context.Context, who Principal) ([]sales.Waiting, error)
	JoinWaiting(ctx context.Context, who Principal, offerID string) (sales.Waiting, error)
	LeaveWaiting(ctx context.Context, who Principal, offerID string) error
	// Seats says how the places of offers stand, the newest offer first.
	Seats(ctx context.Context, who Principal, p page.Request) (all []sales.Seats, next string, err error)
}
