package web

import (
	"context"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	paging "cursus/internal/kernel/page"
)

// PriceHouse is what the pages ask of the rooms about prices and vouchers. It speaks in the rooms' own types. Who may not do a
// thing is Forbidden.
type PriceHouse interface {
	// Priced finds an offer and its further prices.
	Priced(ctx context.Context, who Viewer, offerID string) (sales.Standing, []offers.Price, error)
	// SavePrice adds a price once per key where it has no id, or writes one over the version that was read.
	SavePrice(ctx context.Context, who Viewer, key string, p offers.Price) error
	Vouchers(ctx context.Context, who Viewer, f offers.VoucherFilter, p paging.Request) (all []sales.VoucherStanding, next string, err error)
	// Voucher finds a voucher and its newest uses.
	Voucher(ctx context.Context, who Viewer, id string) (sales.VoucherStanding, []sales.Use, error)
	// MakeVoucher makes a voucher once per key and gives its id.
	MakeVoucher(ctx context.Context, who Viewer, key string, n offers.NewVoucher) (string, error)
	// SaveVoucher writes a voucher over the version that was read.
	SaveVoucher(ctx context.Context, who Viewer, v offers.Voucher) error
	// VoucherFile gives the codes of a voucher as CSV.
	VoucherFile(ctx context.Context, who Viewer, id string) (File, error)
}

// priceRoutes are the addresses of these pages.
func (w *Web) priceRoutes() []route {
	return []route{
		{method: "GET", path: "/console/offers/:id", who: staff, handle: w.offerPrices},
		{method: "POST", path: "/console/offers/:id/prices", who: staff, handle: w.savePrice},
		{method: "GET", path: "/console/vouchers", who: staff, handle: w.voucherList},
		{method: "POST", path: "/console/vouchers", who: staff, handle: w.makeVoucher, large: true},
		{method: "GET", path: "/console/vouchers/:id", who: staff, handle: w.voucher},
		{method: "POST", path: "/console/vouchers/:id", who: staff, handle: w.saveVoucher, large: true},
		{method: "GET", path: "/console/vouchers/:id/codes.csv", who: staff, handle: w.voucherFile},
	}
}
