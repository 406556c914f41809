package api

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
)

// Behalf is for whom an order is placed: by her address, with a name where she is new, or by her id.
type Behalf struct{ Email, Name, Person string }

// PoolRooms is what the API asks of the house about organisations that buy for others, and the seats that they buy.
type PoolRooms interface {
	// PlaceOrderOnBehalf has the principal, of staff, order for somebody else, by her address or her id, once per key.
	PlaceOrderOnBehalf(ctx context.Context, who Principal, o NewOrder, f Behalf) (sales.Order, error)
	// MyOrganisations are those that the principal manages.
	MyOrganisations(ctx context.Context, who Principal) ([]identity.Managed, error)
	// OrganisationOrders are those of an organisation that the principal manages, the newest first.
	OrganisationOrders(ctx context.Context, who Principal, organisation string, p page.Request) (all []sales.Order, next string, err error)
	Managers(ctx context.Context, who Principal, organisation string) ([]identity.Manager, error)
	PutManager(ctx context.Context, who Principal, organisation, person string) error
	DropManager(ctx context.Context, who Principal, organisation, person string) error
	SeatRooms
}

// SeatRooms is what the API asks of the house about the seats of an organisation's order.
type SeatRooms interface {
	Pools(ctx context.Context, who Principal, order string, p page.Request) (pools []sales.Pool, seats []sales.Seat, next string, err error)
	ReleaseSeat(ctx context.Context, who Principal, order, seat string) error
	MoveSeat(ctx context.Context, who Principal, order, seat, email, name string) (sales.Seat, error)
	// MakeClaimLink makes a link, once per key; again it gives the link without its token.
	MakeClaimLink(ctx context.Context, who Principal, n sales.NewClaimLink) (sales.ClaimLink, error)
	ClaimLinks(ctx context.Context, who Principal, order string, p page.Request) (all []sales.ClaimLink, next string, err error)
	RevokeClaimLink(ctx context.Context, who Principal, order, link string) error
	ApplyRoster(ctx context.Context, who Principal, c sales.Roster) (sales.RosterResult, error)
	ClaimSeat(ctx context.Context, who Principal, token string) (sales.Seat, error)
	// OrderTransfers says of each line of the principal's order whether she may give the place to somebody else.
	OrderTransfers(ctx context.Context, who Principal, order string) ([]sales.Movable, error)
	OfferTransfer(ctx context.Context, who Principal, order string, line int, email string) (sales.Handover, error)
	WithdrawTransfer(ctx context.Context, who Principal, order string, line int) error
	// Transfers are the places that are offered to the principal.
	Transfers(ctx context.Context, who Principal, p page.Request) (all []sales.Handover, next string, err error)
	AcceptTransfer(ctx context.Context, who Principal, transfer string) (sales.Handover, error)
}
