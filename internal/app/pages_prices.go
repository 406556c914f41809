package app

import (
	"context"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// Priced finds an offer and its further prices.
func (p Pages) Priced(ctx context.Context, who web.Viewer, offerID string) (o sales.Standing, prices []offers.Price, err error) {
	err = p.offering(ctx, who, "prices page", func(ctx context.Context, tx *postgres.Tx) error {
		offer, err := offers.OfferTx(ctx, tx, offerID)
		if err != nil {
			return err
		}
		all, err := sales.StandingsTx(ctx, tx, []offers.Offer{offer})
		if err != nil {
			return err
		}
		o = all[0]
		prices, err = offers.PricesTx(ctx, tx, offerID)
		return err
	})
	return o, prices, err
}

// SavePrice adds a price once per key, or writes one over the version that was read.
func (p Pages) SavePrice(ctx context.Context, who web.Viewer, key string, x offers.Price) error {
	if x.ID != "" {
		return p.offering(ctx, who, "save price", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := offers.PutPriceTx(ctx, tx, x, x.Version)
			return err
		})
	}
	_, err := p.onceOffering(ctx, who, key, "add price", x, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		added, err := offers.AddPriceTx(ctx, tx, x)
		return added.ID, err
	})
	return err
}

// onceOffering is offering, once per key.
func (p Pages) onceOffering(ctx context.Context, who web.Viewer, key, name string, command any, work func(ctx context.Context, tx *postgres.Tx) (string, error)) (string, error) {
	if err := p.offering(ctx, who, name, func(context.Context, *postgres.Tx) error { return nil }); err != nil {
		return "", err
	}
	ctx = as(ctx, who)
	return NewRooms(p.h).once(ctx, api.Principal{Actor: postgres.Actor(ctx)}, key, name, command, work)
}

// Vouchers lists vouchers with what became of them.
func (p Pages) Vouchers(ctx context.Context, who web.Viewer, f offers.VoucherFilter, r page.Request) (out []sales.VoucherStanding, next string, err error) {
	err = p.offering(ctx, who, "vouchers page", func(ctx context.Context, tx *postgres.Tx) error {
		out, next, err = sales.VouchersTx(ctx, tx, f, r)
		return err
	})
	return out, next, err
}

// Voucher finds a voucher and its newest uses.
func (p Pages) Voucher(ctx context.Context, who web.Viewer, id string) (v sales.VoucherStanding, uses []sales.Use, err error) {
	err = p.offering(ctx, who, "voucher page", func(ctx context.Context, tx *postgres.Tx) error {
		if v, err = sales.VoucherTx(ctx, tx, id); err != nil {
			return err
		}
		uses, _, err = sales.UsesTx(ctx, tx, id, page.Request{Limit: page.MaxLimit})
		return err
	})
	return v, uses, err
}

// MakeVoucher makes a voucher with its codes, once per key.
func (p Pages) MakeVoucher(ctx context.Context, who web.Viewer, key string, n offers.NewVoucher) (string, error) {
	return p.onceOffering(ctx, who, key, "make voucher", n, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		v, err := offers.CreateVoucherTx(ctx, tx, n)
		return v.ID, err
	})
}

// SaveVoucher writes a voucher over the version that was read.
func (p Pages) SaveVoucher(ctx context.Context, who web.Viewer, v offers.Voucher) error {
	return p.offering(ctx, who, "save voucher", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := sales.PutVoucherTx(ctx, tx, v, v.Version)
		return err
	})
}

// VoucherFile writes the codes of a voucher as CSV.
func (p Pages) VoucherFile(ctx context.Context, who web.Viewer, id string) (f web.File, err error) {
	err = p.offering(ctx, who, "voucher file", func(ctx context.Context, tx *postgres.Tx) error {
		codes, err := sales.CodesTx(ctx, tx, id)
		if err != nil {
			return err
		}
		f = web.File{Name: id + ".csv", ContentType: "text/csv; charset=utf-8"}
		f.Content, err = codesCSV(codes)
		return err
	})
	return f, err
}
