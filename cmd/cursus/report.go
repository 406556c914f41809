package main

import (
	"context"
	"io"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/analytics"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/config"
)

// asked is what every report of a session is asked with.
type asked struct {
	Session   string `required:"" help:"Id or key of the session."`
	AsOf      string `help:"A past instant (RFC 3339) or day (its end, UTC)."`
	KnownAt   string `help:"Only what had been recorded by this instant or day."`
	Basis     string `enum:"current,ever" default:"current" help:"current: who has not left; ever: also who left."`
	Week1Rule string `name:"week1-rule" enum:"first,all,any,none" default:"first" help:"Which exercises of week 1 diligence asks for: ${enum}."`
	Format    string `enum:"table,csv,json" default:"table" help:"${enum}."`
}

func (a asked) question() (q analytics.Question, err error) {
	q = analytics.Question{Session: a.Session, Basis: a.Basis, Week1Rule: a.Week1Rule}
	if q.AsOf, err = instant("--as-of", a.AsOf); err != nil {
		return q, err
	}
	q.KnownAt, err = instant("--known-at", a.KnownAt)
	return q, err
}

// written is a report that knows its three forms.
type written interface {
	Table(w io.Writer) error
	CSV(w io.Writer) error
	JSON(w io.Writer) error
}

func (a asked) write(s streams, r written) error {
	switch a.Format {
	case "csv":
		return r.CSV(s.out)
	case "json":
		return r.JSON(s.out)
	default:
		return r.Table(s.out)
	}
}

type indicatorsCmd struct {
	asked
	Cohort string `help:"Only this cohort of the grade reports."`
}

func (c indicatorsCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	question, err := c.question()
	if err != nil {
		return err
	}
	question.Cohort = c.Cohort
	return inHouse(ctx, settings, func(h *app.House) error {
		report, err := analytics.IndicatorsOf(ctx, h.DB, question)
		if err != nil {
			return err
		}
		return c.write(s, report)
	})
}

type outcomesCmd struct{ asked }

func (c outcomesCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	question, err := c.question()
	if err != nil {
		return err
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		report, err := analytics.OutcomesOf(ctx, h.DB, question)
		if err != nil {
			return err
		}
		return c.write(s, report)
	})
}

// instant reads a time as flags give it.
func instant(flag, text string) (time.Time, error) {
	t, err := clock.Instant(text)
	if err != nil {
		return t, fault.InvalidInput(fault.Field{Pointer: flag, Code: "bad-time", Detail: "A time such as 2018-10-31T21:00:00Z, or a day such as 2018-10-31."})
	}
	return t, nil
}
