package api

import (
	"context"
	"fmt"
	"io"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

func (h handlers) PlaceOrderOnBehalf(ctx context.Context, r server.PlaceOrderOnBehalfRequestObject) (server.PlaceOrderOnBehalfResponseObject, error) {
	o, err := h.rooms.PlaceOrderOnBehalf(ctx, callerOf(ctx), NewOrder{
		Key: r.Params.IdempotencyKey, Lang: string(r.Body.Lang), Items: itemsOf(&r.Body.Items), Organisation: value(r.Body.Organisation),
		Voucher: value(r.Body.Voucher), Currency: money.Currency(value(r.Body.Currency)),
	}, Behalf{Email: value(r.Body.Email), Name: value(r.Body.Name), Person: value(r.Body.Person)})
	if err != nil {
		return nil, err
	}
	return server.PlaceOrderOnBehalf201JSONResponse{Body: toOrder(o), Headers: server.PlaceOrderOnBehalf201ResponseHeaders{Location: "/v1/orders/" + o.ID}}, nil
}

func (h handlers) ListMyOrganisations(ctx context.Context, _ server.ListMyOrganisationsRequestObject) (server.ListMyOrganisationsResponseObject, error) {
	rows, err := allOf[contract.Organisation](h.rooms.MyOrganisations(ctx, callerOf(ctx)))
	return server.ListMyOrganisations200JSONResponse{Organisations: rows}, err
}

func (h handlers) ListOrganisationOrders(ctx context.Context, r server.ListOrganisationOrdersRequestObject) (server.ListOrganisationOrdersResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	var all []sales.Order
	all, next, err := h.rooms.OrganisationOrders(ctx, callerOf(ctx), r.Organisation, p)
	if err != nil {
		return nil, err
	}
	return server.ListOrganisationOrders200JSONResponse{Orders: each(all, toOrder), NextCursor: given(page.Cursor(next))}, nil
}

func (h handlers) ListManagers(ctx context.Context, r server.ListManagersRequestObject) (server.ListManagersResponseObject, error) {
	rows, err := allOf[contract.Manager](h.rooms.Managers(ctx, callerOf(ctx), r.Organisation))
	return server.ListManagers200JSONResponse{Managers: rows}, err
}

func (h handlers) PutManager(ctx context.Context, r server.PutManagerRequestObject) (server.PutManagerResponseObject, error) {
	return server.PutManager204Response{}, h.rooms.PutManager(ctx, callerOf(ctx), r.Organisation, r.Person)
}

func (h handlers) DropManager(ctx context.Context, r server.DropManagerRequestObject) (server.DropManagerResponseObject, error) {
	return server.DropManager204Response{}, h.rooms.DropManager(ctx, callerOf(ctx), r.Organisation, r.Person)
}

func (h handlers) ListOrderSeats(ctx context.Context, r server.ListOrderSeatsRequestObject) (server.ListOrderSeatsResponseObject, error) {
	var pools []sales.Pool
	rows, next, err := listed[contract.Seat](r.Params.Limit, r.Params.Cursor, func(p page.Request) (seats []sales.Seat, next string, err error) {
		pools, seats, next, err = h.rooms.Pools(ctx, callerOf(ctx), r.Order, p)
		return seats, next, err
	})
	if err != nil {
		return nil, err
	}
	of, err := turned[contract.Pool](pools)
	return server.ListOrderSeats200JSONResponse{Pools: of, Seats: rows, NextCursor: next}, err
}

func (h handlers) ReleaseSeat(ctx context.Context, r server.ReleaseSeatRequestObject) (server.ReleaseSeatResponseObject, error) {
	return server.ReleaseSeat204Response{}, h.rooms.ReleaseSeat(ctx, callerOf(ctx), r.Order, r.Seat)
}

func (h handlers) MoveSeat(ctx context.Context, r server.MoveSeatRequestObject) (server.MoveSeatResponseObject, error) {
	out, err := answered[contract.Seat](h.rooms.MoveSeat(ctx, callerOf(ctx), r.Order, r.Seat, r.Body.Email, value(r.Body.Name)))
	return server.MoveSeat200JSONResponse(out), err
}

func (h handlers) MakeClaimLink(ctx context.Context, r server.MakeClaimLinkRequestObject) (server.MakeClaimLinkResponseObject, error) {
	out, err := answered[contract.ClaimLink](h.rooms.MakeClaimLink(ctx, callerOf(ctx), sales.NewClaimLink{
		OrderID: r.Order, Line: r.Line, MaxUses: r.Body.MaxUses, ExpiresAt: r.Body.ExpiresAt, IdempotencyKey: r.Params.IdempotencyKey,
	}))
	return server.MakeClaimLink201JSONResponse(out), err
}

func (h handlers) ListClaimLinks(ctx context.Context, r server.ListClaimLinksRequestObject) (server.ListClaimLinksResponseObject, error) {
	rows, next, err := listed[contract.ClaimLink](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]sales.ClaimLink, string, error) {
		return h.rooms.ClaimLinks(ctx, callerOf(ctx), r.Order, p)
	})
	return server.ListClaimLinks200JSONResponse{Links: rows, NextCursor: next}, err
}

func (h handlers) RevokeClaimLink(ctx context.Context, r server.RevokeClaimLinkRequestObject) (server.RevokeClaimLinkResponseObject, error) {
	return server.RevokeClaimLink204Response{}, h.rooms.RevokeClaimLink(ctx, callerOf(ctx), r.Order, r.Link)
}

func (h handlers) ApplyRoster(ctx context.Context, r server.ApplyRosterRequestObject) (server.ApplyRosterResponseObject, error) {
	c := sales.Roster{OrderID: r.Order, Line: r.Line, DryRun: value(r.Params.DryRun)}
	for i, x := range r.Body.People {
		c.People = append(c.People, sales.Invitee{Email: x.Email, Name: value(x.Name), At: fmt.Sprintf("/people/%d/email", i)})
	}
	out, err := answered[contract.RosterResult](h.rooms.ApplyRoster(ctx, callerOf(ctx), c))
	return server.ApplyRoster200JSONResponse(out), err
}

func (h handlers) UploadRoster(ctx context.Context, r server.UploadRosterRequestObject) (server.UploadRosterResponseObject, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	out, err := answered[contract.RosterResult](h.rooms.ApplyRoster(ctx, callerOf(ctx), sales.Roster{OrderID: r.Order, Line: r.Line, File: raw, DryRun: value(r.Params.DryRun)}))
	return server.UploadRoster200JSONResponse(out), err
}

func (h handlers) ClaimSeat(ctx context.Context, r server.ClaimSeatRequestObject) (server.ClaimSeatResponseObject, error) {
	out, err := answered[contract.Seat](h.rooms.ClaimSeat(ctx, callerOf(ctx), r.Body.Token))
	return server.ClaimSeat200JSONResponse(out), err
}

func (h handlers) ListOrderTransfers(ctx context.Context, r server.ListOrderTransfersRequestObject) (server.ListOrderTransfersResponseObject, error) {
	rows, err := allOf[contract.Transferable](h.rooms.OrderTransfers(ctx, callerOf(ctx), r.Order))
	return server.ListOrderTransfers200JSONResponse{Lines: rows}, err
}

func (h handlers) OfferTransfer(ctx context.Context, r server.OfferTransferRequestObject) (server.OfferTransferResponseObject, error) {
	out, err := answered[contract.Transfer](h.rooms.OfferTransfer(ctx, callerOf(ctx), r.Order, r.Line, r.Body.Email))
	return server.OfferTransfer200JSONResponse(out), err
}

func (h handlers) WithdrawTransfer(ctx context.Context, r server.WithdrawTransferRequestObject) (server.WithdrawTransferResponseObject, error) {
	return server.WithdrawTransfer204Response{}, h.rooms.WithdrawTransfer(ctx, callerOf(ctx), r.Order, r.Line)
}

func (h handlers) ListMyTransfers(ctx context.Context, r server.ListMyTransfersRequestObject) (server.ListMyTransfersResponseObject, error) {
	rows, next, err := listed[contract.Transfer](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]sales.Handover, string, error) {
		return h.rooms.Transfers(ctx, callerOf(ctx), p)
	})
	return server.ListMyTransfers200JSONResponse{Transfers: rows, NextCursor: next}, err
}

func (h handlers) AcceptTransfer(ctx context.Context, r server.AcceptTransferRequestObject) (server.AcceptTransferResponseObject, error) {
	out, err := answered[contract.Transfer](h.rooms.AcceptTransfer(ctx, callerOf(ctx), r.Transfer))
	return server.AcceptTransfer200JSONResponse(out), err
}
