package app

import (
	"context"
	"slices"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// PlaceOrderOnBehalf has staff order for somebody else.
func (r Rooms) PlaceOrderOnBehalf(ctx context.Context, who api.Principal, n api.NewOrder, f api.Behalf) (sales.Order, error) {
	if (f.Email == "") == (f.Person == "") {
		return sales.Order{}, fault.InvalidInput(fault.Field{Pointer: "/email", Code: "one-of", Detail: "Either an address or a person."})
	}
	c := orderOf(who, n)
	c.BuyerID, c.BuyerEmail, c.BuyerName, c.PlacedBy = f.Person, f.Email, f.Name, who.PersonID
	return r.h.Sales.PlaceOrder(ctx, c)
}

// MyOrganisations are those that the principal manages.
func (r Rooms) MyOrganisations(ctx context.Context, who api.Principal) (all []identity.Managed, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "my organisations", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = identity.ManagedByTx(ctx, tx, who.PersonID)
		return err
	})
	return all, err
}

// OrganisationOrders are those of an organisation.
func (r Rooms) OrganisationOrders(ctx context.Context, who api.Principal, organisation string, p page.Request) ([]sales.Order, string, error) {
	return r.h.Sales.OrganisationOrders(ctx, organisation, who.PersonID, p)
}

// Managers lists who orders for an organisation.
func (r Rooms) Managers(ctx context.Context, _ api.Principal, organisation string) (all []identity.Manager, err error) {
	err = r.h.DB.View(ctx, "managers", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = identity.ManagersTx(ctx, tx, organisation)
		return err
	})
	return all, err
}

// PutManager lets a person order for an organisation.
func (r Rooms) PutManager(ctx context.Context, _ api.Principal, organisation, person string) error {
	return r.h.DB.InTx(ctx, "put manager", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := identity.PersonTx(ctx, tx, person); err != nil {
			return err
		}
		return identity.PutManagerTx(ctx, tx, organisation, person)
	})
}

// DropManager takes that from her again.
func (r Rooms) DropManager(ctx context.Context, _ api.Principal, organisation, person string) error {
	return r.h.DB.InTx(ctx, "drop manager", func(ctx context.Context, tx *postgres.Tx) error {
		return identity.DropManagerTx(ctx, tx, organisation, person)
	})
}

// by is the principal as who acts on a pool: a manager, or staff who may order on behalf of others.
func by(who api.Principal) sales.By {
	return sales.By{PersonID: who.PersonID, Staff: slices.Contains(who.Scopes, "orders:behalf")}
}

// Pools says how the seats of an order stand, and who has which.
func (r Rooms) Pools(ctx context.Context, who api.Principal, order string, p page.Request) (pools []sales.Pool, seats []sales.Seat, next string, err error) {
	_, pools, seats, next, err = r.h.Sales.Pools(ctx, order, by(who), p)
	return pools, seats, next, err
}

// ReleaseSeat takes a seat back.
func (r Rooms) ReleaseSeat(ctx context.Context, who api.Principal, order, seat string) error {
	return r.h.Sales.ReleaseSeat(ctx, order, seat, by(who))
}

// MoveSeat gives a seat to somebody else.
func (r Rooms) MoveSeat(ctx context.Context, who api.Principal, order, seat, email, name string) (sales.Seat, error) {
	return r.h.Sales.MoveSeat(ctx, order, seat, email, name, by(who))
}

// MakeClaimLink makes a claim link.
func (r Rooms) MakeClaimLink(ctx context.Context, who api.Principal, n sales.NewClaimLink) (sales.ClaimLink, error) {
	n.By = by(who)
	return r.h.Sales.MakeClaimLink(ctx, n)
}

// ClaimLinks lists the claim links of an order.
func (r Rooms) ClaimLinks(ctx context.Context, who api.Principal, order string, p page.Request) ([]sales.ClaimLink, string, error) {
	return r.h.Sales.ClaimLinks(ctx, order, by(who), p)
}

// RevokeClaimLink takes a claim link back.
func (r Rooms) RevokeClaimLink(ctx context.Context, who api.Principal, order, link string) error {
	return r.h.Sales.RevokeClaimLink(ctx, order, link, by(who))
}

// ApplyRoster gives seats to a list of people.
func (r Rooms) ApplyRoster(ctx context.Context, who api.Principal, c sales.Roster) (sales.RosterResult, error) {
	c.By = by(who)
	return r.h.Sales.ApplyRoster(ctx, c)
}

// ClaimSeat gives the principal a seat.
func (r Rooms) ClaimSeat(ctx context.Context, who api.Principal, token string) (sales.Seat, error) {
	return r.h.Sales.ClaimSeat(ctx, token, who.PersonID)
}

// OrderTransfers says what of an order can be given to somebody else.
func (r Rooms) OrderTransfers(ctx context.Context, who api.Principal, order string) ([]sales.Movable, error) {
	return r.h.Sales.Transfers(ctx, order, who.PersonID)
}

// OfferTransfer offers a place to somebody else.
func (r Rooms) OfferTransfer(ctx context.Context, who api.Principal, order string, line int, email string) (sales.Handover, error) {
	return r.h.Sales.OfferTransfer(ctx, order, line, who.PersonID, email)
}

// WithdrawTransfer offers a place no more.
func (r Rooms) WithdrawTransfer(ctx context.Context, who api.Principal, order string, line int) error {
	return r.h.Sales.WithdrawTransfer(ctx, order, line, who.PersonID)
}

// Transfers are the places that are offered to the principal.
func (r Rooms) Transfers(ctx context.Context, who api.Principal, p page.Request) ([]sales.Handover, string, error) {
	return r.h.Sales.OfferedTo(ctx, who.PersonID, p)
}

// AcceptTransfer takes a place that is offered.
func (r Rooms) AcceptTransfer(ctx context.Context, who api.Principal, transfer string) (sales.Handover, error) {
	return r.h.Sales.AcceptTransfer(ctx, transfer, who.PersonID)
}
