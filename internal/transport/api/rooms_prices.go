package api

import (
	"context"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
)

// PriceRooms is what the API asks of the house about prices and vouchers, in the rooms' own types.
type PriceRooms interface {
	// Prices lists the further prices of an offer.
	Prices(ctx context.Context, who Principal, offerID string) ([]offers.Price, error)
	Plans(ctx context.Context, who Principal, offerID string) ([]offers.Plan, error)
	PutPlan(ctx context.Context, who Principal, p offers.Plan, version int) (offers.Plan, error)
	AddPrice(ctx context.Context, who Principal, key string, p offers.Price) (offers.Price, error)
	// PutPrice rewrites a price. version is the one that was read; 0 takes any. Another one is a Precondition fault.
	PutPrice(ctx context.Context, who Principal, p offers.Price, version int) (offers.Price, error)
	Vouchers(ctx context.Context, who Principal, f offers.VoucherFilter, p page.Request) (all []sales.VoucherStanding, next string, err error)
	Voucher(ctx context.Context, who Principal, id string) (sales.VoucherStanding, error)
	CreateVoucher(ctx context.Context, who Principal, key string, n offers.NewVoucher) (sales.VoucherStanding, error)
	// PutVoucher rewrites a voucher as PutPrice does a price.
	PutVoucher(ctx context.Context, who Principal, v offers.Voucher, version int) (sales.VoucherStanding, error)
	// VoucherCodes gives the codes of a voucher as CSV.
	VoucherCodes(ctx context.Context, who Principal, id string) ([]byte, error)
	// QuoteOrder says what an order would cost the caller and why, and stores nothing.
	QuoteOrder(ctx context.Context, who Principal, o NewOrder) (sales.Quotation, error)
	VoucherUses(ctx context.Context, who Principal, id string, p page.Request) (all []sales.Use, next string, err error)
}
