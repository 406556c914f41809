package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cursus/internal/app"
	"cursus/internal/domain/exchange"
	"cursus/internal/platform/config"
)

type catalogueExportCmd struct {
	Collection string `required:"" help:"Key of the collection, such as FLIRT."`
	Format     string `enum:"json,csv," default:"" help:"json, or csv (a ZIP of tables); by default what the name of the file says."`
	File       string `arg:"" help:"Where to write it."`
}

func (c catalogueExportCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	if c.Format == "" {
		if c.Format = "json"; strings.EqualFold(filepath.Ext(c.File), ".zip") {
			c.Format = "csv"
		}
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		content, _, left, err := h.ExportCatalogue(ctx, c.Collection, c.Format)
		if err != nil {
			return err
		}
		for _, key := range left {
			fmt.Fprintf(s.err, "cursus: program %s reaches into another collection and is left out\n", key)
		}
		if err := os.WriteFile(c.File, content, 0o600); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s: %d bytes.\n", c.File, len(content))
		return nil
	})
}

type catalogueImportCmd struct {
	DryRun bool   `help:"Say what would change, and change nothing."`
	File   string `arg:"" type:"existingfile" help:"A JSON document or a ZIP of tables."`
}

func (c catalogueImportCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	content, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		r, err := exchange.Import(ctx, h.DB, content, c.DryRun)
		if err != nil {
			return err
		}
		for _, x := range r.Changes {
			fmt.Fprintf(s.out, "%s\t%s\t%s\n", x.Kind, x.Key, x.Change)
		}
		for _, n := range r.Counts {
			fmt.Fprintf(s.out, "%s: %d new, %d changed, %d unchanged, %d kept\n", n.Kind, n.New, n.Changed, n.Unchanged, n.Kept)
		}
		switch {
		case r.Same:
			fmt.Fprintln(s.out, "The file says what the house says: nothing was changed.")
		case r.DryRun:
			fmt.Fprintln(s.out, "This was a dry run: nothing was changed.")
		}
		return nil
	})
}
