package main

import (
	"context"
	"fmt"
	"math"
	"os"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
)

type sessionCmd struct {
	Key       string  `required:"" help:"Key of the session, such as PRD-7."`
	Course    string  `required:"" help:"Key of its course, such as PRD; made when it is new."`
	Title     string  `help:"Title of the session; by default its key."`
	Platform  string  `default:"fun" help:"The platform whose learner ids the reports carry: FUN's 42 is not edX's 42."`
	Threshold float64 `default:"0.5" help:"Global grade from which a learner has succeeded, from 0 to 1."`
	Exercises string  `type:"existingfile" help:"CSV with exercise,week and, if you like, scored and activity."`
}

func (c sessionCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	if !(c.Threshold >= 0 && c.Threshold <= 1) {
		return fault.InvalidInput(fault.Field{Pointer: "--threshold", Code: "out-of-range", Detail: "0 to 1."})
	}
	n := catalog.NewSession{Key: c.Key, CourseKey: c.Course, Title: catalog.Text{EN: c.Title}, Platform: c.Platform,
		ThresholdPPM: int(math.Round(c.Threshold * 1e6))}
	if n.Title.EN == "" {
		n.Title.EN = n.Key
	}
	if c.Exercises != "" {
		f, err := os.Open(c.Exercises)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if n.Exercises, err = catalog.ReadExerciseMap(f); err != nil {
			return err
		}
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		return h.DB.InTx(ctx, "create session", func(ctx context.Context, tx *postgres.Tx) error {
			made, err := catalog.CreateSessionTx(ctx, tx, n)
			if err == nil {
				fmt.Fprintf(s.out, "%s is session %s, with %d exercises in its map.\n", made.Key, made.ID, len(n.Exercises))
			}
			return err
		})
	})
}
