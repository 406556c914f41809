package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"cursus/internal/app"
	"cursus/internal/domain/exams"
	"cursus/internal/platform/config"
)

type resultsCmd struct {
	Session string `required:"" help:"Id or key of the session."`
	Kind    string `enum:"proctored,practice,production" default:"proctored" help:"The exam that the file is of; samples are of the practice exam."`
	Apply   bool   `help:"Do it; without it the difference is shown and nothing is changed."`
	File    string `arg:"" type:"existingfile" help:"A proctored exam results report: CSV, plain or gzip."`
}

// Run shows what a file of results changes and, where it is to be applied, applies it. It ends with 1 where rows are refused.
func (c resultsCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	content, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		r, err := h.Exams.ImportResults(ctx, exams.ResultsIntake{Session: c.Session, Kind: exams.Kind(c.Kind), FileName: c.File, Content: content, DryRun: !c.Apply})
		if err != nil {
			return err
		}
		if err := say(s, r); err != nil {
			return err
		}
		if r.Count(exams.RowRefused) > 0 {
			return errSaid
		}
		return nil
	})
}

func say(s streams, r exams.Results) error {
	fmt.Fprintf(s.out, "%s → %s exam of %s, %d rows\n", r.FileName, r.Kind, r.SessionKey, len(r.Rows))
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "new\tchanged\tunchanged\trefused\t")
	fmt.Fprintf(w, "%d\t%d\t%d\t%d\t\n", r.Count(exams.RowNew), r.Count(exams.RowChanged), r.Count(exams.RowUnchanged), r.Count(exams.RowRefused))
	if err := w.Flush(); err != nil {
		return err
	}
	for _, x := range r.Rows {
		if x.Outcome == exams.RowRefused {
			fmt.Fprintf(s.out, "  line %d, column %d: %s (%s)\n", x.Line, max(x.Column, 1), x.Detail, x.Code)
		}
	}
	switch {
	case r.Replayed:
		fmt.Fprintf(s.out, "Taken in before as %s: nothing was changed.\n", r.ID)
	case r.DryRun:
		fmt.Fprintln(s.out, "This was a dry run: nothing was changed. --apply does it.")
	default:
		fmt.Fprintf(s.out, "Applied as %s.\n", r.ID)
	}
	return nil
}
