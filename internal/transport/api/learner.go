package api

import (
	"bytes"
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

func (h handlers) GetMe(ctx context.Context, _ server.GetMeRequestObject) (server.GetMeResponseObject, error) {
	who := callerOf(ctx)
	p, err := h.rooms.Me(ctx, who)
	if err != nil {
		return nil, err
	}
	return server.GetMe200JSONResponse{
		Id: p.ID, Email: given(p.Email), FullName: p.FullName, Lang: contract.MeLang(p.Lang), Roles: list(p.Roles), Scopes: list(who.Scopes),
	}, nil
}

func (h handlers) PlaceOrder(ctx context.Context, r server.PlaceOrderRequestObject) (server.PlaceOrderResponseObject, error) {
	o, err := h.rooms.PlaceOrder(ctx, callerOf(ctx), NewOrder{
		Key: r.Params.IdempotencyKey, OfferID: value(r.Body.OfferId), Lang: string(r.Body.Lang), Items: itemsOf(r.Body.Items),
		Organisation: value(r.Body.Organisation), Voucher: value(r.Body.Voucher), Currency: money.Currency(value(r.Body.Currency)), BeginNow: value(r.Body.BeginNow),
		Way: sales.Way(value(r.Body.Way)), Partner: value(r.Body.Partner), Reference: value(r.Body.Reference),
	})
	if err != nil {
		return nil, err
	}
	return server.PlaceOrder201JSONResponse{Body: toOrder(o), Headers: server.PlaceOrder201ResponseHeaders{Location: "/v1/orders/" + o.ID}}, nil
}

func (h handlers) ListOrders(ctx context.Context, r server.ListOrdersRequestObject) (server.ListOrdersResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	orders, next, err := h.rooms.Orders(ctx, callerOf(ctx), p)
	if err != nil {
		return nil, err
	}
	return server.ListOrders200JSONResponse{Orders: each(orders, toOrder), NextCursor: given(page.Cursor(next))}, nil
}

func (h handlers) GetOrder(ctx context.Context, r server.GetOrderRequestObject) (server.GetOrderResponseObject, error) {
	o, err := h.rooms.Order(ctx, callerOf(ctx), r.Order)
	if err != nil {
		return nil, err
	}
	return server.GetOrder200JSONResponse(toOrder(o)), nil
}

func (h handlers) ListEnrolments(ctx context.Context, r server.ListEnrolmentsRequestObject) (server.ListEnrolmentsResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	enrolments, next, err := h.rooms.Enrolments(ctx, callerOf(ctx), p)
	if err != nil {
		return nil, err
	}
	return server.ListEnrolments200JSONResponse{Enrolments: each(enrolments, toEnrolment), NextCursor: given(page.Cursor(next))}, nil
}

func (h handlers) GetEligibility(ctx context.Context, r server.GetEligibilityRequestObject) (server.GetEligibilityResponseObject, error) {
	e, err := h.rooms.Eligibility(ctx, callerOf(ctx), r.Enrolment)
	if err != nil {
		return nil, err
	}
	out := server.GetEligibility200JSONResponse{EnrolmentId: e.EnrolmentID, Eligible: e.Eligible, Conditions: each(e.Conditions, toCondition)}
	if len(e.Retakes) > 0 {
		retakes := each(e.Retakes, func(x sales.RetakeOffer) contract.RetakeOffer {
			return contract.RetakeOffer{OfferId: x.OfferID, Price: toMoney(x.Price)}
		})
		out.Retakes = &retakes
	}
	return out, nil
}

func (h handlers) BookSitting(ctx context.Context, r server.BookSittingRequestObject) (server.BookSittingResponseObject, error) {
	s, err := h.rooms.BookSitting(ctx, callerOf(ctx), r.Enrolment, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return server.BookSitting201JSONResponse(toSitting(s)), nil
}

func (h handlers) GetCertificate(ctx context.Context, r server.GetCertificateRequestObject) (server.GetCertificateResponseObject, error) {
	c, err := h.rooms.Certificate(ctx, callerOf(ctx), r.Certificate)
	if err != nil {
		return nil, err
	}
	return server.GetCertificate200JSONResponse(toCertificate(c)), nil
}

func (h handlers) GetCertificatePdf(ctx context.Context, r server.GetCertificatePdfRequestObject) (server.GetCertificatePdfResponseObject, error) {
	pdf, err := h.rooms.CertificatePDF(ctx, callerOf(ctx), r.Certificate)
	if err != nil {
		return nil, err
	}
	return server.GetCertificatePdf200ApplicationpdfResponse{
		Body: bytes.NewReader(pdf), ContentLength: int64(len(pdf)),
		Headers: server.GetCertificatePdf200ResponseHeaders{ContentDisposition: `attachment; filename="` + r.Certificate + `.pdf"`},
	}, nil
}

func itemsOf(in *[]contract.OrderItem) (out []sales.Item) {
	for _, x := range value(in) {
		item := sales.Item{OfferID: x.OfferId, Quantity: 1}
		if x.Quantity != nil {
			item.Quantity = *x.Quantity
		}
		out = append(out, item)
	}
	return out
}
