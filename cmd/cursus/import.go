package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sort"
	"time"

	"github.com/schollz/progressbar/v3"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/sheet"
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

type gradesCmd struct {
	Session     string    `required:"" help:"Id or key of the session."`
	CollectedAt time.Time `help:"When the report was made (RFC 3339), for a file whose name does not end in _YYYY-MM-DD-HHMM.csv."`
	DryRun      bool      `help:"Say what would change, and change nothing."`
	Files       []string  `arg:"" type:"existingfile" help:"What a platform says of the session, plain or gzip: grade reports, problem grade reports, profiles, anonymised ids, counts of certificates, rosters and scores in the plain forms, xAPI statements."`
}

func (c gradesCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	if len(c.Files) > 1 && !c.CollectedAt.IsZero() {
		return fault.InvalidInput(fault.Field{Pointer: "--collected-at", Code: "one-file", Detail: "A time can be given for one file only."})
	}
	// Oldest first is fastest; any order gives the same books.
	sort.SliceStable(c.Files, func(i, j int) bool {
		a, _ := sheet.MadeAt(c.Files[i])
		b, _ := sheet.MadeAt(c.Files[j])
		return a.Before(b)
	})
	return inHouse(ctx, settings, func(h *app.House) error {
		bar := progressbar.NewOptions(len(c.Files), progressbar.OptionSetWriter(s.err), progressbar.OptionSetDescription("importing"),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
		book, rejected := h.Gradebook, 0
		for _, path := range c.Files {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			began := time.Now()
			r, err := book.Import(ctx, gradebook.Intake{SessionID: c.Session, FileName: path, CollectedAt: c.CollectedAt, Content: content, DryRun: c.DryRun})
			if err != nil {
				return errors.Join(fmt.Errorf("%s: %w", base(path), err))
			}
			_ = bar.Clear()
			c.say(s, r, path, time.Since(began))
			rejected += len(r.Rejects)
			_ = bar.Add(1)
		}
		_ = bar.Finish()
		if rejected > 0 {
			return errSaid
		}
		return nil
	})
}

func (c gradesCmd) say(s streams, r gradebook.Collection, path string, took time.Duration) {
	switch {
	case r.Replayed:
		fmt.Fprintf(s.out, "%s: imported before as %s; nothing to do.\n", base(path), r.ID)
		return
	case c.DryRun:
		fmt.Fprintf(s.out, "%s (dry run): ", base(path))
	default:
		fmt.Fprintf(s.out, "%s: ", base(path))
	}
	fmt.Fprintf(s.out, "%s, %d rows, %d new, %d left, %d back, %d cells changed, %d rows rejected (%d ms)\n",
		r.Kind, r.RowsRead, r.LearnersNew, r.LearnersLeft, r.LearnersBack, r.CellsChanged, len(r.Rejects), took.Milliseconds())
	if c.DryRun {
		fmt.Fprintf(s.out, "  scores: %d first, %d raised, %d lowered, %d dropped\n", r.ScoresFirst, r.ScoresRaised, r.ScoresLowered, r.ScoresDropped)
	}
	if len(r.NewColumns) > 0 {
		fmt.Fprintf(s.out, "  new exercises: %v\n", r.NewColumns)
	}
	if len(r.AbsentColumns) > 0 {
		fmt.Fprintf(s.out, "  exercises of earlier files that are not in this one, renamed or gone: %v\n", r.AbsentColumns)
	}
	for _, reject := range r.Rejects {
		fmt.Fprintf(s.out, "  line %d, column %d: %s (%s)\n", reject.Line, reject.Column, reject.Detail, reject.Code)
	}
	if len(r.Unmapped) > 0 {
		fmt.Fprintf(s.out, "  in no week of the session's exercise map: %v\n", r.Unmapped)
	}
}
