package api

import (
	"context"

	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
)

// SalesRooms is what the API asks of the house about seats, ways to pay, withdrawal, refunds and disputes, in the rooms' own types.
type SalesRooms interface {
	// CancelOrder cancels an order that was not paid.
	CancelOrder(ctx context.Context, who Principal, id string) (sales.Order, error)
	// OrderHistory is what happened to an order, the oldest first.
	OrderHistory(ctx context.Context, who Principal, id string, p page.Request) (all []sales.Happening, next string, err error)
	// OrderWithdrawal says whether an order may be left, and gives what was declared once it was.
	OrderWithdrawal(ctx context.Context, who Principal, id string) (sales.Leaving, error)
	// WithdrawOrder declares that the principal leaves her order, once per key.
	WithdrawOrder(ctx context.Context, who Principal, c sales.WithdrawOrder) (sales.Leaving, error)
	// PayOrder gives an order of the principal that waits its pay page.
	PayOrder(ctx context.Context, who Principal, id string) (sales.Order, error)
	// OrderEvidence is a ZIP of what can be shown to the bank of an order's buyer; lang is en or fr.
	OrderEvidence(ctx context.Context, who Principal, id, lang string) ([]byte, error)
	// SoldOrders lists orders of everybody, and Disputes what their banks say; both the newest first.
	SoldOrders(ctx context.Context, who Principal, f sales.OrderFilter, p page.Request) (all []sales.Listed, next string, err error)
	Disputes(ctx context.Context, who Principal, p page.Request) (all []sales.DisputeCase, next string, err error)
	// Refunds lists those that wait for somebody, the most urgent first.
	Refunds(ctx context.Context, who Principal, p page.Request) (all []sales.RefundCase, next string, err error)
	// DecideRefund is a second person's word on a proposed refund, once per key.
	DecideRefund(ctx context.Context, who Principal, id string, agree bool, key string) (sales.Order, error)
	// SayRepaid says that what a refund left owed was paid otherwise; DecideRepaid is a second person's word on that; both once per key.
	SayRepaid(ctx context.Context, who Principal, id, reference, key string) (sales.Order, error)
	DecideRepaid(ctx context.Context, who Principal, id string, agree bool, key string) (sales.Order, error)
	// Waiting lists the rows that the caller waits in.
	Waiting(ctx context.Context, who Principal, p page.Request) (all []sales.Waiting, next string, err error)
	JoinWaiting(ctx context.Context, who Principal, offerID string) (sales.Waiting, error)
	LeaveWaiting(ctx context.Context, who Principal, offerID string) error
	// Seats says how the places of offers stand, the newest offer first.
	Seats(ctx context.Context, who Principal, p page.Request) (all []sales.Seats, next string, err error)
	WayRooms
	PoolRooms
}

// WayRooms is what the API asks of the house about ways to pay without the provider.
type WayRooms interface {
	RecordStatement(ctx context.Context, who Principal, c sales.TakeStatement) (sales.Statement, error)
	PayInstalment(ctx context.Context, who Principal, order string, n int, key string) (sales.Order, error)
	LeaveCard(ctx context.Context, who Principal, order string) (string, error)
	WaysToPay(ctx context.Context, who Principal, order string) ([]sales.OfferedWay, error)
	ChooseWay(ctx context.Context, who Principal, c sales.ChooseWay) (sales.Order, error)
	// RecordDeskReceipt records money at the desk of a school, by one of its cashiers.
	RecordDeskReceipt(ctx context.Context, who Principal, partner string, c sales.Receive) (payments.Receipt, error)
	DeskReceipts(ctx context.Context, who Principal, partner string, p page.Request) (all []payments.Receipt, next string, err error)
	AskReversal(ctx context.Context, who Principal, partner, receipt, reason, key string) error
	DecideReversal(ctx context.Context, who Principal, partner, receipt string, agree bool, key string) error
	PutCashier(ctx context.Context, who Principal, partner, person string) error
	RecordTransfer(ctx context.Context, who Principal, c sales.Receive) (payments.Receipt, error)
	Receipts(ctx context.Context, who Principal, state string, p page.Request) (all []payments.Receipt, next string, err error)
	MatchReceipt(ctx context.Context, who Principal, receipt, order, key string) (payments.Receipt, error)
	SendReceiptBack(ctx context.Context, who Principal, receipt, reference, key string) (payments.Receipt, error)
	PayBacks(ctx context.Context, who Principal, p page.Request) (all []payments.PayBack, next string, err error)
	MarkPaidBack(ctx context.Context, who Principal, refund, reference, key string) error
}
