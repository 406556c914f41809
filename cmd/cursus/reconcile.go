package main

import (
	"context"
	"fmt"

	"cursus/internal/app"
	"cursus/internal/domain/accounting"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
)

type reconcileCmd struct{}

// Run asks for a comparison, works on the queue until it is made, and prints what stands.
func (reconcileCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return inHouse(ctx, settings, func(h *app.House) error {
		ctx := postgres.WithActor(ctx, "system")
		var run accounting.Run
		err := h.DB.InTx(ctx, "ask", func(ctx context.Context, tx *postgres.Tx) (err error) {
			run, err = h.Accounting.AskTx(ctx, tx, "operator")
			return err
		})
		if err == nil {
			err = h.Jobs.Drain(ctx)
		}
		if err == nil {
			run, err = h.Accounting.Run(ctx, run.ID)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s: %d events were fetched, %d differences stand, %d of them new, %d were resolved.\n", run.State, run.CaughtUp, run.Standing, run.Fresh, run.Resolved)
		if run.Note != "" {
			fmt.Fprintln(s.out, run.Note)
		}
		for after := ""; ; {
			var all []accounting.Difference
			if err := h.DB.View(ctx, "differences", func(ctx context.Context, tx *postgres.Tx) error {
				all, after, err = accounting.DifferencesTx(ctx, tx, "", "open", page.Request{Limit: 200, After: after})
				return err
			}); err != nil {
				return err
			}
			for _, d := range all {
				fmt.Fprintf(s.out, "  %s %s: ours %d, expected %d %s, since %s\n", d.Kind, d.Object, d.Ours, d.Theirs, d.Currency, d.FirstSeen.UTC().Format("2006-01-02 15:04"))
			}
			if after == "" {
				break
			}
		}
		if run.State != "done" || run.Standing > 0 {
			return errSaid
		}
		return nil
	})
}
