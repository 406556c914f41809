package web

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	paging "cursus/internal/kernel/page"
)

// OfferHouse is what the pages ask of the rooms about formulas and offers. It speaks in the rooms' own types. Who may not do a
// thing is Forbidden.
type OfferHouse interface {
	Offers(ctx context.Context, who Viewer, f offers.Filter, p paging.Request) (all []sales.Standing, next string, err error)
	// MakeOffer makes an offer once per key.
	MakeOffer(ctx context.Context, who Viewer, key string, n offers.NewOffer) error
	MoveOffer(ctx context.Context, who Viewer, id string, to catalog.Publication, note string) error
	WithdrawOffer(ctx context.Context, who Viewer, id string) error
	Formulas(ctx context.Context) ([]offers.Formula, error)
	// SaveFormula writes a formula over the version that was read; 0 makes one that must not be there.
	SaveFormula(ctx context.Context, who Viewer, f offers.Formula, version int) error
	Organisations(ctx context.Context, who Viewer) ([]identity.Organisation, error)
	// SaveOrganisation names an organisation and adds people to it by their addresses.
	SaveOrganisation(ctx context.Context, who Viewer, key, name string, addresses []string) error
	// CompareEdition sets the formulas of an edition side by side, as the viewer may take them.
	CompareEdition(ctx context.Context, who Viewer, edition, voucher string) (sales.Comparison, error)
	// Memberships are the programs that the viewer follows.
	Memberships(ctx context.Context, who Viewer) ([]Membership, error)
}

// Membership is a program that somebody follows: what "my learning" shows of it.
type Membership struct {
	EditionKey string
	Title      Text
	Formula    string
	Version    int
}

// offerRoutes are the addresses of these pages.
func (w *Web) offerRoutes() []route {
	return []route{
		{method: "GET", path: "/editions/:key", who: anybody, handle: w.editionOffers},
		{method: "GET", path: "/console/offers", who: staff, handle: w.offerList},
		{method: "POST", path: "/console/offers", who: staff, handle: w.makeOffer},
		{method: "POST", path: "/console/offers/:id/move", who: staff, handle: w.moveOffer},
		{method: "POST", path: "/console/offers/:id/withdraw", who: staff, handle: w.withdrawOffer},
		{method: "POST", path: "/console/organisations", who: staff, handle: w.saveOrganisation, large: true},
		{method: "GET", path: "/console/formulas", who: staff, handle: w.formulaList},
		{method: "GET", path: "/console/formulas/:key", who: staff, handle: w.editFormula},
		{method: "POST", path: "/console/formulas/:key", who: staff, handle: w.saveFormula, large: true},
	}
}
