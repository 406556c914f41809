package api

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
)

// OfferRooms is what the API asks of the house about formulas and offers. It speaks in the rooms' own types, whose JSON is that of
// the contract; TestTheWholeHouseKeepsTheContract holds them to it.
type OfferRooms interface {
	// Formulas lists them in the order to show. public
	Formulas(ctx context.Context, p page.Request) (formulas []offers.Formula, next string, err error)
	// PutFormula makes or rewrites a formula. version is the one that was read; 0 takes any. Another one is a Precondition fault.
	PutFormula(ctx context.Context, who Principal, f offers.Formula, version int) (offers.Formula, error)
	// Offers lists them, the newest first.
	Offers(ctx context.Context, who Principal, f offers.Filter, p page.Request) (all []sales.Standing, next string, err error)
	CreateEditionOffer(ctx context.Context, who Principal, key string, n offers.NewOffer) (sales.Standing, error)
	MoveOffer(ctx context.Context, who Principal, id string, to catalog.Publication, note string) (sales.Standing, error)
	WithdrawOffer(ctx context.Context, who Principal, id string) (sales.Standing, error)
	// CompareOffers answers as the public may take them, of a session or else of an edition, by key or id. public
	CompareOffers(ctx context.Context, of string) (sales.Comparison, error)
}
