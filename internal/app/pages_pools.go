package app

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var errNoBehalf = fault.New(fault.Forbidden, "scope-missing", "This needs the scope orders:behalf.")

func byViewer(who web.Viewer) sales.By {
	return sales.By{PersonID: who.PersonID, Staff: who.May("orders:behalf")}
}

// Managed are the organisations that the viewer manages.
func (p Pages) Managed(ctx context.Context, who web.Viewer) (all []identity.Managed, err error) {
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "managed", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = identity.ManagedByTx(ctx, tx, who.PersonID)
		return err
	})
	return all, err
}

// Shop is what an organisation may order, and what it ordered.
func (p Pages) Shop(ctx context.Context, who web.Viewer, organisation string, r page.Request) (all []sales.SeatOffer, orders []web.Order, next string, err error) {
	some, next, err := p.h.Sales.OrganisationOrders(hers(ctx, who, "orders:read"), organisation, who.PersonID, r)
	if err != nil {
		return nil, nil, "", err
	}
	for _, o := range some {
		orders = append(orders, shownOrder(o))
	}
	all, err = p.h.Sales.SeatOffers(ctx, organisation)
	return all, orders, next, err
}

// OrderSeats orders for an organisation.
func (p Pages) OrderSeats(ctx context.Context, who web.Viewer, c sales.PlaceOrder) (string, error) {
	c.BuyerID = who.PersonID
	o, err := p.h.Sales.PlaceOrder(ctx, c)
	return o.ID, err
}

// OrderSeatsOf shows how the seats of an order stand.
func (p Pages) OrderSeatsOf(ctx context.Context, who web.Viewer, order string, r page.Request) (out web.SeatsOfOrder, err error) {
	o, pools, seats, next, err := p.h.Sales.Pools(ctx, order, byViewer(who), r)
	if err != nil {
		return out, err
	}
	links, _, err := p.h.Sales.ClaimLinks(ctx, order, byViewer(who), page.Request{Limit: 1000})
	return web.SeatsOfOrder{Order: shownOrder(o), Pools: pools, Seats: seats, Next: next, Links: links}, err
}

// ReleaseSeat takes a seat back.
func (p Pages) ReleaseSeat(ctx context.Context, who web.Viewer, order, seat string) error {
	return p.h.Sales.ReleaseSeat(ctx, order, seat, byViewer(who))
}

// MoveSeat gives a seat to somebody else.
func (p Pages) MoveSeat(ctx context.Context, who web.Viewer, order, seat, email, name string) error {
	_, err := p.h.Sales.MoveSeat(ctx, order, seat, email, name, byViewer(who))
	return err
}

// MakeClaimLink makes a claim link.
func (p Pages) MakeClaimLink(ctx context.Context, who web.Viewer, n sales.NewClaimLink) (sales.ClaimLink, error) {
	n.By = byViewer(who)
	return p.h.Sales.MakeClaimLink(ctx, n)
}

// RevokeClaimLink takes a claim link back.
func (p Pages) RevokeClaimLink(ctx context.Context, who web.Viewer, order, link string) error {
	return p.h.Sales.RevokeClaimLink(ctx, order, link, byViewer(who))
}

// ApplyRoster gives seats to a list of people.
func (p Pages) ApplyRoster(ctx context.Context, who web.Viewer, c sales.Roster) (sales.RosterResult, error) {
	c.By = byViewer(who)
	return p.h.Sales.ApplyRoster(ctx, c)
}

// SeeClaim says what a claim link gives to the viewer.
func (p Pages) SeeClaim(ctx context.Context, who web.Viewer, token string) (out web.Claim, err error) {
	c, err := p.h.Sales.SeeClaim(ctx, token, who.PersonID)
	if err != nil {
		return out, err
	}
	out = web.Claim{Title: text(c.Line.Title), Formula: c.Line.Formula, Has: c.Seat != nil}
	if c.Why != nil {
		out.Refused = fault.From(c.Why).Code
	}
	err = p.h.DB.View(postgres.WithActor(ctx, "system"), "who gives", func(ctx context.Context, tx *postgres.Tx) error {
		m, err := identity.OrganisationTx(ctx, tx, c.Order.Organisation)
		out.Organisation = m.Name
		return err
	})
	return out, err
}

// ClaimSeat gives the viewer a seat.
func (p Pages) ClaimSeat(ctx context.Context, who web.Viewer, token string) error {
	_, err := p.h.Sales.ClaimSeat(ctx, token, who.PersonID)
	return err
}

// behalf does what needs the scope to order on behalf of others.
func (p Pages) behalf(ctx context.Context, who web.Viewer, do func(ctx context.Context, tx *postgres.Tx) error) error {
	return p.h.DB.InTx(as(ctx, who), "on behalf", func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoBehalf, "orders:behalf"); err != nil {
			return err
		}
		return do(ctx, tx)
	})
}

// Behalf is what staff need to order for others.
func (p Pages) Behalf(ctx context.Context, who web.Viewer) (out web.Behalf, err error) {
	if err := p.behalf(ctx, who, func(ctx context.Context, tx *postgres.Tx) error {
		all, err := identity.OrganisationsTx(ctx, tx)
		out = web.Behalf{}
		for _, o := range all {
			managers, err := identity.ManagersTx(ctx, tx, o.Key)
			if err != nil {
				return err
			}
			out.Organisations = append(out.Organisations, web.Organised{Managed: identity.Managed{Key: o.Key, Name: o.Name}, Managers: managers})
		}
		return err
	}); err != nil {
		return out, err
	}
	out.Offers, err = p.h.Sales.SeatOffers(ctx, "")
	return out, err
}

// PutManager makes who has an address a manager; she is made where she is new.
func (p Pages) PutManager(ctx context.Context, who web.Viewer, organisation, email string) error {
	return p.behalf(ctx, who, func(ctx context.Context, tx *postgres.Tx) error {
		person, err := identity.PutPersonTx(ctx, tx, email, "", "")
		if err != nil {
			return err
		}
		return identity.PutManagerTx(ctx, tx, organisation, person.ID)
	})
}

// DropManager makes a person a manager no more.
func (p Pages) DropManager(ctx context.Context, who web.Viewer, organisation, person string) error {
	return p.behalf(ctx, who, func(ctx context.Context, tx *postgres.Tx) error {
		return identity.DropManagerTx(ctx, tx, organisation, person)
	})
}

// OrderOnBehalf orders for somebody else.
func (p Pages) OrderOnBehalf(ctx context.Context, who web.Viewer, c sales.PlaceOrder) (string, error) {
	if err := p.behalf(ctx, who, func(context.Context, *postgres.Tx) error { return nil }); err != nil {
		return "", err
	}
	c.PlacedBy = who.PersonID
	o, err := p.h.Sales.PlaceOrder(ctx, c)
	return o.ID, err
}

// Transfers says what of an order can be given to somebody else.
func (p Pages) Transfers(ctx context.Context, who web.Viewer, order string) ([]sales.Movable, error) {
	return p.h.Sales.Transfers(ctx, order, who.PersonID)
}

// OfferTransfer offers a place to somebody else.
func (p Pages) OfferTransfer(ctx context.Context, who web.Viewer, order string, line int, email string) error {
	_, err := p.h.Sales.OfferTransfer(ctx, order, line, who.PersonID, email)
	return err
}

// WithdrawTransfer offers a place no more.
func (p Pages) WithdrawTransfer(ctx context.Context, who web.Viewer, order string, line int) error {
	return p.h.Sales.WithdrawTransfer(ctx, order, line, who.PersonID)
}

// OfferedTo are the places that are offered to the viewer.
func (p Pages) OfferedTo(ctx context.Context, who web.Viewer) ([]sales.Handover, error) {
	all, _, err := p.h.Sales.OfferedTo(ctx, who.PersonID, page.Request{Limit: page.MaxLimit})
	return all, err
}

// AcceptTransfer takes a place that is offered.
func (p Pages) AcceptTransfer(ctx context.Context, who web.Viewer, transfer string) error {
	_, err := p.h.Sales.AcceptTransfer(ctx, transfer, who.PersonID)
	return err
}
