package app

import (
	"context"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// Dashboard answers the figures of a dashboard.
func (p Pages) Dashboard(ctx context.Context, who web.Viewer, of, key string, asOf time.Time) (d analytics.Dashboard, all []analytics.Figure, err error) {
	if err := p.may(ctx, who, "analytics:read"); err != nil {
		return d, nil, err
	}
	return p.dashboard(as(ctx, who), of, key, asOf)
}

// PartnerDashboard is what an organisation may be told of its learners. Whether the viewer is of it has been looked at; the figure keeps back what
// tells of few, and the walls of the database show a school no ledger, so that the house asks.
func (p Pages) PartnerDashboard(ctx context.Context, _ web.Viewer, key string) (analytics.Dashboard, []analytics.Figure, error) {
	return p.dashboard(postgres.WithActor(ctx, "system"), analytics.OfPartner, key, time.Time{})
}

func (p Pages) dashboard(ctx context.Context, of, key string, asOf time.Time) (d analytics.Dashboard, all []analytics.Figure, err error) {
	err = p.h.DB.View(ctx, "dashboard", func(ctx context.Context, tx *postgres.Tx) error {
		d, err = analytics.DashboardTx(ctx, tx, of, key, asOf)
		return err
	})
	for _, x := range d.Panels {
		f, err := analytics.FigureOf(ctx, p.h.DB, x.Figure, analytics.Ask{AsOf: asOf, Params: x.With})
		if err != nil {
			return d, nil, err
		}
		all = append(all, f)
	}
	return d, all, err
}
