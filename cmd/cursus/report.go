package main

import (
	"context"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/analytics"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/config"
)

type indicatorsCmd struct {
	Session   string `required:"" help:"Id or key of the session."`
	AsOf      string `help:"A past instant (RFC 3339) or day (its end, UTC)."`
	KnownAt   string `help:"Only what had been recorded by this instant or day."`
	Basis     string `enum:"current,ever" default:"current" help:"current: who has not left; ever: also who left."`
	Week1Rule string `name:"week1-rule" enum:"first,all,any,none" default:"first" help:"Which exercises of week 1 diligence asks for: ${enum}."`
	Cohort    string `help:"Only this cohort of the grade reports."`
	Format    string `enum:"table,csv,json" default:"table" help:"${enum}."`
}

func (c indicatorsCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	question := analytics.Question{Session: c.Session, Basis: c.Basis, Week1Rule: c.Week1Rule, Cohort: c.Cohort}
	var err error
	if question.AsOf, err = instant("--as-of", c.AsOf); err != nil {
		return err
	}
	if question.KnownAt, err = instant("--known-at", c.KnownAt); err != nil {
		return err
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		report, err := analytics.IndicatorsOf(ctx, h.DB, question)
		if err != nil {
			return err
		}
		switch c.Format {
		case "csv":
			return report.CSV(s.out)
		case "json":
			return report.JSON(s.out)
		default:
			return report.Table(s.out)
		}
	})
}

// instant reads an RFC 3339 time, or a day, which stands for its last microsecond in UTC; nothing is the zero time.
func instant(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1).Add(-time.Microsecond), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fault.InvalidInput(fault.Field{Pointer: flag, Code: "bad-time", Detail: "A time such as 2018-10-31T21:00:00Z, or a day such as 2018-10-31."})
	}
	return t.UTC(), nil
}
