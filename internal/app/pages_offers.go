package app

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

var errNoOffers = fault.New(fault.Forbidden, "scope-missing", "This needs the scope offers:write.")

// offering is what staff who may write offers do; others are refused.
func (p Pages) offering(ctx context.Context, who web.Viewer, name string, work func(ctx context.Context, tx *postgres.Tx) error) error {
	return p.h.DB.InTx(as(ctx, who), name, func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoOffers, "offers:write"); err != nil {
			return err
		}
		return work(ctx, tx)
	})
}

// Offers lists offers with what became of them.
func (p Pages) Offers(ctx context.Context, who web.Viewer, f offers.Filter, r page.Request) (out []sales.Standing, next string, err error) {
	err = p.offering(ctx, who, "offers page", func(ctx context.Context, tx *postgres.Tx) error {
		if out, next, err = sales.ListStandingTx(ctx, tx, f, r); err != nil {
			return err
		}
		for i := range out {
			if out[i].Moves, err = namedMoves(ctx, tx, out[i].Moves); err != nil {
				return err
			}
		}
		return nil
	})
	return out, next, err
}

// MakeOffer makes an offer, once per key.
func (p Pages) MakeOffer(ctx context.Context, who web.Viewer, key string, n offers.NewOffer) error {
	if err := p.offering(ctx, who, "may offer", func(context.Context, *postgres.Tx) error { return nil }); err != nil {
		return err
	}
	ctx = as(ctx, who)
	_, err := NewRooms(p.h).once(ctx, api.Principal{Actor: postgres.Actor(ctx)}, key, "make offer", n, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		o, err := offers.CreateTx(ctx, tx, n)
		return o.ID, err
	})
	return err
}

// MoveOffer takes an offer to another state of its publication.
func (p Pages) MoveOffer(ctx context.Context, who web.Viewer, id string, to catalog.Publication, note string) error {
	return p.offering(ctx, who, "move offer", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.MoveTx(ctx, tx, id, to, note)
		return err
	})
}

// WithdrawOffer takes an offer back.
func (p Pages) WithdrawOffer(ctx context.Context, who web.Viewer, id string) error {
	return p.offering(ctx, who, "withdraw offer", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.WithdrawTx(ctx, tx, id)
		return err
	})
}

// Formulas lists the formulas.
func (p Pages) Formulas(ctx context.Context) (out []offers.Formula, err error) {
	err = p.h.DB.View(ctx, "formulas page", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = offers.FormulasTx(ctx, tx)
		return err
	})
	return out, err
}

// SaveFormula writes a formula over the version that was read; version 0 makes a new one.
func (p Pages) SaveFormula(ctx context.Context, who web.Viewer, f offers.Formula, version int) error {
	return p.offering(ctx, who, "save formula", func(ctx context.Context, tx *postgres.Tx) error {
		if version == 0 {
			if _, err := offers.FormulaTx(ctx, tx, f.Key); err == nil {
				return offers.ErrFormulaTaken
			}
		}
		_, err := offers.PutFormulaTx(ctx, tx, f, version)
		return err
	})
}

// Organisations lists the organisations.
func (p Pages) Organisations(ctx context.Context, who web.Viewer) (out []identity.Organisation, err error) {
	err = p.h.DB.View(as(ctx, who), "organisations", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = identity.OrganisationsTx(ctx, tx)
		return err
	})
	return out, err
}

// SaveOrganisation names an organisation and adds people to it.
func (p Pages) SaveOrganisation(ctx context.Context, who web.Viewer, key, name string, addresses []string) error {
	return p.offering(ctx, who, "save organisation", func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, key, name); err != nil {
			return err
		}
		for _, a := range addresses {
			person, err := identity.PutPersonTx(ctx, tx, a, "", "fr")
			if err != nil {
				return err
			}
			if err := identity.JoinTx(ctx, tx, key, person.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// CompareEdition compares the formulas of an edition.
func (p Pages) CompareEdition(ctx context.Context, who web.Viewer, edition, voucher string) (sales.Comparison, error) {
	return p.h.Sales.Compare(ctx, "", edition, who.PersonID, voucher)
}

// Memberships lists the programs that somebody follows.
func (p Pages) Memberships(ctx context.Context, who web.Viewer) (out []web.Membership, err error) {
	err = p.h.DB.View(as(ctx, who), "memberships", func(ctx context.Context, tx *postgres.Tx) error {
		out = nil
		mine, err := enrolment.MembershipsTx(ctx, tx, who.PersonID)
		if err != nil || len(mine) == 0 {
			return err
		}
		for _, m := range mine {
			e, err := programs.EditionTx(ctx, tx, m.EditionID)
			if err != nil {
				return err
			}
			out = append(out, web.Membership{EditionKey: e.Key, Title: text(e.Title), Formula: m.Formula, Version: m.Version})
		}
		return nil
	})
	return out, err
}
