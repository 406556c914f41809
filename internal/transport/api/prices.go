package api

import (
	"bytes"
	"context"
	"fmt"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

func (h handlers) ListPrices(ctx context.Context, r server.ListPricesRequestObject) (server.ListPricesResponseObject, error) {
	rows, err := allOf[contract.PriceRow](h.rooms.Prices(ctx, callerOf(ctx), r.Offer))
	return server.ListPrices200JSONResponse{Prices: rows}, err
}

func (h handlers) AddPrice(ctx context.Context, r server.AddPriceRequestObject) (server.AddPriceResponseObject, error) {
	p, err := as[offers.Price](r.Body)
	if err != nil {
		return nil, err
	}
	p.OfferID = r.Offer
	if p, err = h.rooms.AddPrice(ctx, callerOf(ctx), r.Params.IdempotencyKey, p); err != nil {
		return nil, err
	}
	row, err := as[contract.PriceRow](p)
	return server.AddPrice201JSONResponse{Body: row, Headers: server.AddPrice201ResponseHeaders{ETag: etag(p.Version)}}, err
}

func (h handlers) PutPrice(ctx context.Context, r server.PutPriceRequestObject) (server.PutPriceResponseObject, error) {
	out, now, err := put[contract.PriceRow](r.Params.IfMatch, r.Body, func(p offers.Price, version int) (offers.Price, error) {
		p.ID, p.OfferID = r.PriceId, r.Offer
		return h.rooms.PutPrice(ctx, callerOf(ctx), p, version)
	})
	return server.PutPrice200JSONResponse{Body: out, Headers: server.PutPrice200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) ListVouchers(ctx context.Context, r server.ListVouchersRequestObject) (server.ListVouchersResponseObject, error) {
	f := offers.VoucherFilter{Words: value(r.Params.Q)}
	if r.Params.State != nil {
		f.State = string(*r.Params.State)
	}
	rows, next, err := listed[contract.Voucher](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]sales.VoucherStanding, string, error) {
		return h.rooms.Vouchers(ctx, callerOf(ctx), f, p)
	})
	return server.ListVouchers200JSONResponse{Vouchers: rows, NextCursor: next}, err
}

func (h handlers) CreateVoucher(ctx context.Context, r server.CreateVoucherRequestObject) (server.CreateVoucherResponseObject, error) {
	v, err := as[offers.Voucher](r.Body)
	if err != nil {
		return nil, err
	}
	made, err := h.rooms.CreateVoucher(ctx, callerOf(ctx), r.Params.IdempotencyKey, offers.NewVoucher{Voucher: v, Count: value(r.Body.Count)})
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Voucher](made)
	return server.CreateVoucher201JSONResponse{Body: out, Headers: server.CreateVoucher201ResponseHeaders{ETag: etag(made.Version)}}, err
}

func (h handlers) GetVoucher(ctx context.Context, r server.GetVoucherRequestObject) (server.GetVoucherResponseObject, error) {
	v, err := h.rooms.Voucher(ctx, callerOf(ctx), r.VoucherId)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Voucher](v)
	return server.GetVoucher200JSONResponse{Body: out, Headers: server.GetVoucher200ResponseHeaders{ETag: etag(v.Version)}}, err
}

func (h handlers) PutVoucher(ctx context.Context, r server.PutVoucherRequestObject) (server.PutVoucherResponseObject, error) {
	out, now, err := put[contract.Voucher](r.Params.IfMatch, r.Body, func(v offers.Voucher, version int) (sales.VoucherStanding, error) {
		v.ID = r.VoucherId
		return h.rooms.PutVoucher(ctx, callerOf(ctx), v, version)
	})
	return server.PutVoucher200JSONResponse{Body: out, Headers: server.PutVoucher200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) ExportVoucherCodes(ctx context.Context, r server.ExportVoucherCodesRequestObject) (server.ExportVoucherCodesResponseObject, error) {
	file, err := h.rooms.VoucherCodes(ctx, callerOf(ctx), r.VoucherId)
	if err != nil {
		return nil, err
	}
	return server.ExportVoucherCodes200TextcsvResponse{
		Body: bytes.NewReader(file), ContentLength: int64(len(file)),
		Headers: server.ExportVoucherCodes200ResponseHeaders{ContentDisposition: fmt.Sprintf("attachment; filename=%q", r.VoucherId+".csv")},
	}, nil
}

func (h handlers) ListVoucherUses(ctx context.Context, r server.ListVoucherUsesRequestObject) (server.ListVoucherUsesResponseObject, error) {
	rows, next, err := listed[contract.VoucherUse](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]sales.Use, string, error) {
		return h.rooms.VoucherUses(ctx, callerOf(ctx), r.VoucherId, p)
	})
	return server.ListVoucherUses200JSONResponse{Uses: rows, NextCursor: next}, err
}

func (h handlers) QuoteOrder(ctx context.Context, r server.QuoteOrderRequestObject) (server.QuoteOrderResponseObject, error) {
	quoted, err := h.rooms.QuoteOrder(ctx, callerOf(ctx), NewOrder{
		OfferID: value(r.Body.OfferId), Organisation: value(r.Body.Organisation), Items: itemsOf(r.Body.Items), Voucher: value(r.Body.Voucher), Currency: money.Currency(value(r.Body.Currency)),
	})
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Quote](quoted)
	if f := quoted.Refused; f != nil {
		out.VoucherRefused = &contract.Refusal{Code: f.Code, Detail: f.Detail}
	}
	return server.QuoteOrder200JSONResponse(out), err
}

func (h handlers) ListPlans(ctx context.Context, r server.ListPlansRequestObject) (server.ListPlansResponseObject, error) {
	rows, err := allOf[contract.Plan](h.rooms.Plans(ctx, callerOf(ctx), r.Offer))
	return server.ListPlans200JSONResponse{Plans: rows}, err
}

func (h handlers) PutPlan(ctx context.Context, r server.PutPlanRequestObject) (server.PutPlanResponseObject, error) {
	out, now, err := put[contract.Plan](r.Params.IfMatch, r.Body, func(p offers.Plan, version int) (offers.Plan, error) {
		p.OfferID, p.Currency = r.Offer, money.Currency(r.Currency)
		return h.rooms.PutPlan(ctx, callerOf(ctx), p, version)
	})
	return server.PutPlan200JSONResponse{Body: out, Headers: server.PutPlan200ResponseHeaders{ETag: etag(now.Version)}}, err
}
