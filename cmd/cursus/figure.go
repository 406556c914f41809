package main

import (
	"context"
	"strings"

	"cursus/internal/app"
	"cursus/internal/domain/analytics"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/config"
)

type figureCmd struct {
	Figure  string   `arg:"" help:"Id of the figure; list: all of them, with what they are asked with."`
	With    []string `arg:"" optional:"" help:"What it is asked with, as name=value."`
	AsOf    string   `help:"A past instant (RFC 3339) or day (its end, UTC)."`
	KnownAt string   `help:"Only what had been recorded by this instant or day."`
	Format  string   `enum:"table,csv,json" default:"table" help:"${enum}."`
}

func (c figureCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	if c.Figure == "list" {
		return analytics.WriteDefinitions(s.out)
	}
	ask := analytics.Ask{Params: map[string]string{}}
	for _, one := range c.With {
		name, value, ok := strings.Cut(one, "=")
		if !ok {
			return fault.InvalidInput(fault.Field{Pointer: one, Code: "bad-parameter", Detail: "name=value."})
		}
		ask.Params[name] = value
	}
	var err error
	if ask.AsOf, err = instant("--as-of", c.AsOf); err != nil {
		return err
	}
	if ask.KnownAt, err = instant("--known-at", c.KnownAt); err != nil {
		return err
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		f, err := analytics.FigureOf(ctx, h.DB, c.Figure, ask)
		if err != nil {
			return err
		}
		return asked{Format: c.Format}.write(s, f)
	})
}
