package web

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	paging "cursus/internal/kernel/page"
)

// PoolHouse is what the pages ask of the rooms about organisations that buy for others, and the seats that they buy. What is not the
// viewer's to manage is NotFound.
type PoolHouse interface {
	// Managed are the organisations that the viewer manages.
	Managed(ctx context.Context, who Viewer) ([]identity.Managed, error)
	// Shop is what an organisation may order, and what it ordered, the newest first.
	Shop(ctx context.Context, who Viewer, organisation string, p paging.Request) (all []sales.SeatOffer, orders []Order, next string, err error)
	// OrderSeats orders for an organisation that the viewer manages, and gives the order.
	OrderSeats(ctx context.Context, who Viewer, c sales.PlaceOrder) (string, error)
	// OrderSeatsOf shows how the seats of an order stand, who has which, and its claim links.
	OrderSeatsOf(ctx context.Context, who Viewer, order string, p paging.Request) (SeatsOfOrder, error)
	ReleaseSeat(ctx context.Context, who Viewer, order, seat string) error
	MoveSeat(ctx context.Context, who Viewer, order, seat, email, name string) error
	MakeClaimLink(ctx context.Context, who Viewer, n sales.NewClaimLink) (sales.ClaimLink, error)
	RevokeClaimLink(ctx context.Context, who Viewer, order, link string) error
	ApplyRoster(ctx context.Context, who Viewer, c sales.Roster) (sales.RosterResult, error)
	// SeeClaim says what a claim link gives to the viewer.
	SeeClaim(ctx context.Context, who Viewer, token string) (Claim, error)
	ClaimSeat(ctx context.Context, who Viewer, token string) error

	// Transfers says what of an order of the viewer she may give to somebody else.
	Transfers(ctx context.Context, who Viewer, order string) ([]sales.Movable, error)
	OfferTransfer(ctx context.Context, who Viewer, order string, line int, email string) error
	WithdrawTransfer(ctx context.Context, who Viewer, order string, line int) error
	// OfferedTo are the places that are offered to the viewer.
	OfferedTo(ctx context.Context, who Viewer) ([]sales.Handover, error)
	AcceptTransfer(ctx context.Context, who Viewer, transfer string) error

	// Behalf is what staff need to order for others: organisations with their managers, and what can be ordered.
	Behalf(ctx context.Context, who Viewer) (Behalf, error)
	PutManager(ctx context.Context, who Viewer, organisation, email string) error
	DropManager(ctx context.Context, who Viewer, organisation, person string) error
	// OrderOnBehalf orders for somebody else, and gives the order.
	OrderOnBehalf(ctx context.Context, who Viewer, c sales.PlaceOrder) (string, error)
}

// SeatsOfOrder is an order of an organisation as who gives its seats out sees it.
type SeatsOfOrder struct {
	Order Order
	Pools []sales.Pool
	Seats []sales.Seat
	Next  string // the key after which the seats go on
	Links []sales.ClaimLink
}

// Claim is what a claim link gives.
type Claim struct {
	Organisation string // name
	Title        Text
	Formula      string
	Has          bool   // the viewer has a seat of it
	Refused      string // the code of why she cannot have one; empty: she can
}

// Behalf is what staff see of organisations.
type Behalf struct {
	Organisations []Organised
	Offers        []sales.SeatOffer
}

// Organised is an organisation with its managers.
type Organised struct {
	identity.Managed
	Managers []identity.Manager
}
