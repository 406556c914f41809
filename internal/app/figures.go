package app

import (
	"context"
	"slices"

	"cursus/internal/books/journey"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

func rate(r analytics.Rate) web.Rate { return web.Rate(r) }

func indicators(n journey.Counts) web.Indicators {
	return web.Indicators{
		Enrolled: n.Enrolled, Started: rate(analytics.NewRate(n.Started, n.Enrolled)), Diligent: rate(analytics.NewRate(n.Diligent, n.Enrolled)),
		Succeeded: rate(analytics.NewRate(n.Succeeded, n.Enrolled)), DiligentSuccess: rate(analytics.NewRate(n.Succeeded, n.Diligent)),
	}
}

// Comparison holds the five indicators of all sessions.
func (p Pages) Comparison(ctx context.Context, who web.Viewer) (out web.Comparison, err error) {
	if err := p.may(ctx, who, "analytics:read"); err != nil {
		return out, err
	}
	c, err := analytics.Compare(as(ctx, who), p.h.DB, p.h.Clock.Now())
	if err != nil {
		return out, err
	}
	out = web.Comparison{AsOf: p.h.Clock.Now(), Basis: c.Basis, Week1: c.Week1Rule, Weighted: indicators(c.Pooled), Demo: p.h.Config.Demo}
	var enrolled, started, diligent, succeeded, success []*int64
	for _, s := range c.Sessions {
		i := indicators(s.Counts)
		out.Sessions = append(out.Sessions, web.ComparedSession{Session: s.Session.Key, Open: s.Open, Indicators: i})
		n := i.Enrolled
		enrolled, started, diligent = append(enrolled, &n), append(started, i.Started.Tenths), append(diligent, i.Diligent.Tenths)
		succeeded, success = append(succeeded, i.Succeeded.Tenths), append(success, i.DiligentSuccess.Tenths)
	}
	out.PlainMean = web.Averages{
		Enrolled: analytics.PlainMean(enrolled), Started: analytics.PlainMean(started), Diligent: analytics.PlainMean(diligent),
		Succeeded: analytics.PlainMean(succeeded), DiligentSuccess: analytics.PlainMean(success),
	}
	return out, nil
}

// Outcomes holds what the paid formula became in every session where somebody has or had it.
func (p Pages) Outcomes(ctx context.Context, who web.Viewer) (out web.Outcomes, err error) {
	if err := p.may(ctx, who, "analytics:read"); err != nil {
		return out, err
	}
	out = web.Outcomes{AsOf: p.h.Clock.Now(), Formula: "QUALIFYING", Demo: p.h.Config.Demo}
	err = p.h.DB.View(as(ctx, who), "outcomes page", func(ctx context.Context, tx *postgres.Tx) error {
		out.Rows = nil
		sessions, err := catalog.SessionsTx(ctx, tx)
		if err != nil {
			return err
		}
		slices.Reverse(sessions)
		for _, s := range sessions {
			o, err := analytics.OutcomesTx(ctx, tx, analytics.Question{Session: s.ID})
			if err != nil {
				return err
			}
			for _, r := range o.Money {
				out.Rows = append(out.Rows, web.Outcome{
					Session: o.Session, Open: o.Open, Share: rate(o.Share), Paid: o.Paid, Started: rate(o.Started), Diligent: rate(o.Diligent),
					DiligentCertified: rate(o.DiligentCertified), Certified: rate(o.Certified), Net: r.Net, PerStarted: r.PerStarted,
					PerDiligent: r.PerDiligent, PerCertified: r.PerCertified, Cost: r.Cost,
					Contribution: r.Contribution, CostPerCertified: r.CostPerCertified, ContributionPerCertified: r.ContributionPerCertified,
				})
			}
		}
		return nil
	})
	return out, err
}
