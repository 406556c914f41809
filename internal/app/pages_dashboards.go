package app

import (
	"context"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/analytics"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// Dashboard answers the figures of a dashboard.
func (p Pages) Dashboard(ctx context.Context, who web.Viewer, of, key string, asOf time.Time) (d analytics.Dashboard, all []analytics.Figure, err error) {
	if err := p.may(ctx, who, "analytics:read"); err != nil {
		return d, nil, err
	}
	return p.dashboard(as(ctx, who), of, key, analytics.Ask{AsOf: asOf})
}

// PartnerDashboard is what an organisation may be told of its learners. Whether the viewer is of it has been looked at; the figure keeps back what
// tells of few, and the walls of the database show a school no ledger, so that the house asks.
func (p Pages) PartnerDashboard(ctx context.Context, _ web.Viewer, key string) (analytics.Dashboard, []analytics.Figure, error) {
	named, err := p.h.Progress.NamedOf(ctx, key)
	if err != nil {
		return analytics.Dashboard{}, nil, err
	}
	return p.dashboard(postgres.WithActor(ctx, "system"), analytics.OfPartner, key, analytics.Ask{Named: func(session string) []int64 {
		of := named[session]
		return []int64{of[journey.Enrolled], of[journey.Started], of[journey.Week2First], of[journey.Succeeded], of[journey.Eligible], of[journey.ExamBooked], of[journey.ExamSat], of[journey.ExamPassed], of[journey.Certified]}
	}})
}

func (p Pages) dashboard(ctx context.Context, of, key string, ask analytics.Ask) (d analytics.Dashboard, all []analytics.Figure, err error) {
	err = p.h.DB.View(ctx, "dashboard", func(ctx context.Context, tx *postgres.Tx) error {
		d, err = analytics.DashboardTx(ctx, tx, of, key, ask.AsOf)
		return err
	})
	for _, x := range d.Panels {
		f, err := analytics.FigureOf(ctx, p.h.DB, x.Figure, analytics.Ask{AsOf: ask.AsOf, Params: x.With, Named: ask.Named})
		if err != nil {
			return d, nil, err
		}
		all = append(all, f)
	}
	return d, all, err
}
