package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

func (h handlers) ListFormulas(ctx context.Context, r server.ListFormulasRequestObject) (server.ListFormulasResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.Formulas(ctx, p)
	if err != nil {
		return nil, err
	}
	rows, err := as[[]contract.FormulaRow](all)
	return server.ListFormulas200JSONResponse{Formulas: append([]contract.FormulaRow{}, rows...), NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) PutFormula(ctx context.Context, r server.PutFormulaRequestObject) (server.PutFormulaResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	f, err := as[offers.Formula](r.Body)
	if err != nil {
		return nil, err
	}
	f.Key = r.Formula
	if f, err = h.rooms.PutFormula(ctx, callerOf(ctx), f, version); err != nil {
		return nil, err
	}
	row, err := as[contract.FormulaRow](f)
	return server.PutFormula200JSONResponse{Body: row, Headers: server.PutFormula200ResponseHeaders{ETag: etag(f.Version)}}, err
}

func (h handlers) ListOffers(ctx context.Context, r server.ListOffersRequestObject) (server.ListOffersResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	f := offers.Filter{Session: value(r.Params.Session), Edition: value(r.Params.Edition)}
	if r.Params.State != nil {
		f.State = string(*r.Params.State)
	}
	all, next, err := h.rooms.Offers(ctx, callerOf(ctx), f, p)
	if err != nil {
		return nil, err
	}
	rows, err := as[[]contract.Offer](all)
	return server.ListOffers200JSONResponse{Offers: append([]contract.Offer{}, rows...), NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) CreateEditionOffer(ctx context.Context, r server.CreateEditionOfferRequestObject) (server.CreateEditionOfferResponseObject, error) {
	n := newOffer(*r.Body)
	n.Edition = r.Edition
	o, err := h.rooms.CreateEditionOffer(ctx, callerOf(ctx), r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Offer](o)
	return server.CreateEditionOffer201JSONResponse(out), err
}

// newOffer reads a new offer; what it is on stands in the address.
func newOffer(b contract.NewOffer) offers.NewOffer {
	n := offers.NewOffer{
		Formula: b.Formula, Price: money.Of(b.Price.AmountMinor, money.Currency(b.Price.Currency)), ValidFrom: b.ValidFrom, ValidUntil: b.ValidUntil,
		Audience: value(b.Audience), Quota: b.Quota, Withdrawal: string(value(b.Withdrawal)), Publication: catalog.Publication(value(b.Publication)),
	}
	if b.Call != nil {
		n.Call = catalog.Text{EN: value(b.Call.En), FR: value(b.Call.Fr)}
	}
	return n
}

func (h handlers) WithdrawOffer(ctx context.Context, r server.WithdrawOfferRequestObject) (server.WithdrawOfferResponseObject, error) {
	o, err := h.rooms.WithdrawOffer(ctx, callerOf(ctx), r.Offer)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Offer](o)
	return server.WithdrawOffer200JSONResponse(out), err
}

func (h handlers) MoveOffer(ctx context.Context, r server.MoveOfferRequestObject) (server.MoveOfferResponseObject, error) {
	o, err := h.rooms.MoveOffer(ctx, callerOf(ctx), r.Offer, catalog.Publication(r.Body.To), value(r.Body.Note))
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Offer](o)
	return server.MoveOffer200JSONResponse(out), err
}

func (h handlers) CompareOffers(ctx context.Context, r server.CompareOffersRequestObject) (server.CompareOffersResponseObject, error) {
	c, err := h.rooms.CompareOffers(ctx, r.Params.Of)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.OfferComparison](c)
	return server.CompareOffers200JSONResponse(out), err
}
