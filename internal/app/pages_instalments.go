package app

import (
	"context"

	"cursus/internal/domain/offers"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// PayInstalment opens a pay page for an instalment.
func (p Pages) PayInstalment(ctx context.Context, who web.Viewer, order string, n int, key string) (string, error) {
	o, err := p.h.Sales.PayInstalment(hers(ctx, who, "orders:write"), order, who.PersonID, n, key)
	return o.PayURL, err
}

// LeaveCard opens a page on which a card is left.
func (p Pages) LeaveCard(ctx context.Context, who web.Viewer, order string) (string, error) {
	return p.h.Sales.LeaveCard(hers(ctx, who, "orders:write"), order, who.PersonID)
}

// Plans lists the instalment plans of an offer.
func (p Pages) Plans(ctx context.Context, who web.Viewer, offerID string) (all []offers.Plan, err error) {
	err = p.offering(ctx, who, "plans of an offer", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = offers.PlansTx(ctx, tx, offerID)
		return err
	})
	return all, err
}

// SavePlan writes the instalment plan of an offer over the version that was read.
func (p Pages) SavePlan(ctx context.Context, who web.Viewer, x offers.Plan) error {
	return p.offering(ctx, who, "save plan", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.PutPlanTx(ctx, tx, x, x.Version)
		return err
	})
}
