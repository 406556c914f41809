package app

import (
	"context"
	"errors"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Formulas lists the formulas.
func (r Rooms) Formulas(ctx context.Context, p page.Request) (out []offers.Formula, next string, err error) {
	err = r.h.DB.View(ctx, "list formulas", func(ctx context.Context, tx *postgres.Tx) error {
		all, err := offers.FormulasTx(ctx, tx)
		out, next = cut(all, p, func(f offers.Formula) string { return f.Key })
		return err
	})
	return out, next, err
}

// PutFormula makes or rewrites a formula.
func (r Rooms) PutFormula(ctx context.Context, _ api.Principal, f offers.Formula, version int) (out offers.Formula, err error) {
	err = r.h.DB.InTx(ctx, "put formula", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = offers.PutFormulaTx(ctx, tx, f, version)
		return err
	})
	return out, err
}

// Offers lists offers with what became of them.
func (r Rooms) Offers(ctx context.Context, _ api.Principal, f offers.Filter, p page.Request) (out []sales.Standing, next string, err error) {
	err = r.h.DB.View(ctx, "list offers", func(ctx context.Context, tx *postgres.Tx) error {
		out, next, err = sales.ListStandingTx(ctx, tx, f, p)
		return err
	})
	return out, next, err
}

// CreateEditionOffer sets a price, once per key.
func (r Rooms) CreateEditionOffer(ctx context.Context, who api.Principal, key string, n offers.NewOffer) (sales.Standing, error) {
	id, err := r.once(ctx, who, key, "create offer", n, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		o, err := offers.CreateTx(ctx, tx, n)
		return o.ID, err
	})
	if err != nil {
		return sales.Standing{}, err
	}
	return r.standing(ctx, id)
}

func (r Rooms) standing(ctx context.Context, id string) (out sales.Standing, err error) {
	err = r.h.DB.View(ctx, "offer", func(ctx context.Context, tx *postgres.Tx) error {
		o, err := offers.OfferTx(ctx, tx, id)
		if err != nil {
			return err
		}
		all, err := sales.StandingsTx(ctx, tx, []offers.Offer{o})
		out = all[0]
		return err
	})
	return out, err
}

// WithdrawOffer takes an offer back.
func (r Rooms) WithdrawOffer(ctx context.Context, _ api.Principal, id string) (sales.Standing, error) {
	return r.turnOffer(ctx, "withdraw offer", id, offers.WithdrawTx)
}

// MoveOffer takes an offer to another state of its publication.
func (r Rooms) MoveOffer(ctx context.Context, _ api.Principal, id string, to catalog.Publication, note string) (sales.Standing, error) {
	return r.turnOffer(ctx, "move offer", id, func(ctx context.Context, tx *postgres.Tx, id string) (offers.Offer, error) {
		return offers.MoveTx(ctx, tx, id, to, note)
	})
}

func (r Rooms) turnOffer(ctx context.Context, name, id string, turn func(context.Context, *postgres.Tx, string) (offers.Offer, error)) (sales.Standing, error) {
	if err := r.h.DB.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := turn(ctx, tx, id)
		return err
	}); err != nil {
		return sales.Standing{}, err
	}
	return r.standing(ctx, id)
}

// CompareOffers compares the formulas of a session or, where there is none, of an edition.
func (r Rooms) CompareOffers(ctx context.Context, of string) (sales.Comparison, error) {
	c, err := r.h.Sales.Compare(ctx, of, "", "", "")
	if errors.Is(err, catalog.ErrNoSession) {
		return r.h.Sales.Compare(ctx, "", of, "", "")
	}
	return c, err
}
