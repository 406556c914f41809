package api

import (
	"bytes"
	"context"
	"fmt"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

func (h handlers) ListPrices(ctx context.Context, r server.ListPricesRequestObject) (server.ListPricesResponseObject, error) {
	all, err := h.rooms.Prices(ctx, callerOf(ctx), r.Offer)
	if err != nil {
		return nil, err
	}
	rows, err := as[[]contract.PriceRow](all)
	return server.ListPrices200JSONResponse{Prices: append([]contract.PriceRow{}, rows...)}, err
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
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	p, err := as[offers.Price](r.Body)
	if err != nil {
		return nil, err
	}
	p.ID, p.OfferID = r.PriceId, r.Offer
	if p, err = h.rooms.PutPrice(ctx, callerOf(ctx), p, version); err != nil {
		return nil, err
	}
	row, err := as[contract.PriceRow](p)
	return server.PutPrice200JSONResponse{Body: row, Headers: server.PutPrice200ResponseHeaders{ETag: etag(p.Version)}}, err
}

func (h handlers) ListVouchers(ctx context.Context, r server.ListVouchersRequestObject) (server.ListVouchersResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	f := offers.VoucherFilter{Words: value(r.Params.Q)}
	if r.Params.State != nil {
		f.State = string(*r.Params.State)
	}
	all, next, err := h.rooms.Vouchers(ctx, callerOf(ctx), f, p)
	if err != nil {
		return nil, err
	}
	rows, err := as[[]contract.Voucher](all)
	return server.ListVouchers200JSONResponse{Vouchers: append([]contract.Voucher{}, rows...), NextCursor: given(page.Cursor(next))}, err
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
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	v, err := as[offers.Voucher](r.Body)
	if err != nil {
		return nil, err
	}
	v.ID = r.VoucherId
	put, err := h.rooms.PutVoucher(ctx, callerOf(ctx), v, version)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Voucher](put)
	return server.PutVoucher200JSONResponse{Body: out, Headers: server.PutVoucher200ResponseHeaders{ETag: etag(put.Version)}}, err
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
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.VoucherUses(ctx, callerOf(ctx), r.VoucherId, p)
	if err != nil {
		return nil, err
	}
	rows, err := as[[]contract.VoucherUse](all)
	return server.ListVoucherUses200JSONResponse{Uses: append([]contract.VoucherUse{}, rows...), NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) QuoteOrder(ctx context.Context, r server.QuoteOrderRequestObject) (server.QuoteOrderResponseObject, error) {
	quoted, err := h.rooms.QuoteOrder(ctx, callerOf(ctx), NewOrder{
		OfferID: value(r.Body.OfferId), Items: itemsOf(r.Body.Items), Voucher: value(r.Body.Voucher), Currency: money.Currency(value(r.Body.Currency)),
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
