package app

import (
	"bytes"
	"context"
	"encoding/csv"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Prices lists the further prices of an offer.
func (r Rooms) Prices(ctx context.Context, _ api.Principal, offerID string) (out []offers.Price, err error) {
	err = r.h.DB.View(ctx, "list prices", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := offers.OfferTx(ctx, tx, offerID); err != nil {
			return err
		}
		out, err = offers.PricesTx(ctx, tx, offerID)
		return err
	})
	return out, err
}

// Plans lists the instalment plans of an offer.
func (r Rooms) Plans(ctx context.Context, _ api.Principal, offerID string) ([]offers.Plan, error) {
	return view(ctx, r.h, "list plans", func(ctx context.Context, tx *postgres.Tx) ([]offers.Plan, error) {
		if _, err := offers.OfferTx(ctx, tx, offerID); err != nil {
			return nil, err
		}
		return offers.PlansTx(ctx, tx, offerID)
	})
}

// PutPlan writes the instalment plan of an offer.
func (r Rooms) PutPlan(ctx context.Context, _ api.Principal, p offers.Plan, version int) (offers.Plan, error) {
	return change(ctx, r.h, "put plan", func(ctx context.Context, tx *postgres.Tx) (offers.Plan, error) {
		return offers.PutPlanTx(ctx, tx, p, version)
	})
}

// AddPrice adds a price to an offer, once per key.
func (r Rooms) AddPrice(ctx context.Context, who api.Principal, key string, p offers.Price) (out offers.Price, err error) {
	id, err := r.once(ctx, who, key, "add price", p, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		added, err := offers.AddPriceTx(ctx, tx, p)
		return added.ID, err
	})
	if err != nil {
		return out, err
	}
	err = r.h.DB.View(ctx, "price", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = offers.PriceTx(ctx, tx, p.OfferID, id)
		return err
	})
	return out, err
}

// PutPrice rewrites a price of an offer.
func (r Rooms) PutPrice(ctx context.Context, _ api.Principal, p offers.Price, version int) (offers.Price, error) {
	return change(ctx, r.h, "put price", func(ctx context.Context, tx *postgres.Tx) (offers.Price, error) {
		return offers.PutPriceTx(ctx, tx, p, version)
	})
}

// Vouchers lists vouchers with what became of them.
func (r Rooms) Vouchers(ctx context.Context, _ api.Principal, f offers.VoucherFilter, p page.Request) (out []sales.VoucherStanding, next string, err error) {
	err = r.h.DB.View(ctx, "list vouchers", func(ctx context.Context, tx *postgres.Tx) error {
		out, next, err = sales.VouchersTx(ctx, tx, f, p)
		return err
	})
	return out, next, err
}

// Voucher finds a voucher with what became of it.
func (r Rooms) Voucher(ctx context.Context, _ api.Principal, id string) (sales.VoucherStanding, error) {
	return view(ctx, r.h, "voucher", func(ctx context.Context, tx *postgres.Tx) (sales.VoucherStanding, error) {
		return sales.VoucherTx(ctx, tx, id)
	})
}

// CreateVoucher makes a voucher with its codes, once per key.
func (r Rooms) CreateVoucher(ctx context.Context, who api.Principal, key string, n offers.NewVoucher) (sales.VoucherStanding, error) {
	id, err := r.once(ctx, who, key, "create voucher", n, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		v, err := offers.CreateVoucherTx(ctx, tx, n)
		return v.ID, err
	})
	if err != nil {
		return sales.VoucherStanding{}, err
	}
	return r.Voucher(ctx, who, id)
}

// PutVoucher rewrites a voucher.
func (r Rooms) PutVoucher(ctx context.Context, _ api.Principal, v offers.Voucher, version int) (sales.VoucherStanding, error) {
	return change(ctx, r.h, "put voucher", func(ctx context.Context, tx *postgres.Tx) (sales.VoucherStanding, error) {
		return sales.PutVoucherTx(ctx, tx, v, version)
	})
}

// VoucherCodes writes the codes of a voucher as CSV.
func (r Rooms) VoucherCodes(ctx context.Context, _ api.Principal, id string) (file []byte, err error) {
	err = r.h.DB.View(ctx, "voucher codes", func(ctx context.Context, tx *postgres.Tx) error {
		codes, err := sales.CodesTx(ctx, tx, id)
		if err != nil {
			return err
		}
		file, err = codesCSV(codes)
		return err
	})
	return file, err
}

// codesCSV is a file for a spreadsheet. Codes hold letters, digits and hyphens, so no cell begins a formula.
func codesCSV(codes []sales.CodeStanding) ([]byte, error) {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	_ = out.Write([]string{"code", "state", "order"}) // a buffer takes everything; Flush tells
	for _, c := range codes {
		_ = out.Write([]string{c.Code, c.State, c.OrderID})
	}
	out.Flush()
	return b.Bytes(), out.Error()
}

// VoucherUses lists the uses of a voucher.
func (r Rooms) VoucherUses(ctx context.Context, _ api.Principal, id string, p page.Request) (out []sales.Use, next string, err error) {
	err = r.h.DB.View(ctx, "voucher uses", func(ctx context.Context, tx *postgres.Tx) error {
		out, next, err = sales.UsesTx(ctx, tx, id, p)
		return err
	})
	return out, next, err
}

// QuoteOrder says what an order would cost and why.
func (r Rooms) QuoteOrder(ctx context.Context, who api.Principal, n api.NewOrder) (sales.Quotation, error) {
	return r.h.Sales.QuoteOrder(ctx, orderOf(who, n))
}
