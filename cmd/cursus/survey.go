package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/config"
)

// taking is what both imports of surveys are asked with.
type taking struct {
	Session     string    `required:"" help:"Id or key of the session."`
	CollectedAt time.Time `help:"When the file was made (RFC 3339), where neither its rows nor the end of its name (_YYYY-MM-DD-HHMM.csv) say it."`
	DryRun      bool      `help:"Say what would change, and change nothing."`
	File        string    `arg:"" type:"existingfile" help:"The file, plain or gzip."`
}

func (t taking) intake() (surveys.Intake, error) {
	content, err := os.ReadFile(t.File)
	return surveys.Intake{Session: t.Session, FileName: base(t.File), CollectedAt: t.CollectedAt, DryRun: t.DryRun, Content: content}, err
}

// say tells what a file did, with each row that was left out; such a row makes the command fail.
func (t taking) say(s streams, i surveys.Import, things string) error {
	switch {
	case i.Replayed:
		fmt.Fprintf(s.out, "%s: imported before as %s; nothing to do.\n", base(t.File), i.ID)
		return nil
	case t.DryRun:
		fmt.Fprintf(s.out, "%s (dry run): ", base(t.File))
	default:
		fmt.Fprintf(s.out, "%s: ", base(t.File))
	}
	fmt.Fprintf(s.out, "%s; %s: %d new, %d changed, %d known, %d left out\n", i.Dialect, things, i.New, i.Changed, i.Unchanged, i.Rejected)
	for _, m := range i.Map {
		fmt.Fprintf(s.out, "  %s = %s\n", m.Column, m.Target)
	}
	for _, o := range i.Outcomes {
		if o.Outcome == surveys.RowRejected {
			fmt.Fprintf(s.out, "  line %d, column %d: %s (%s)\n", o.Line, o.Column, o.Detail, o.Code)
		}
	}
	if i.Rejected > 0 {
		return errSaid
	}
	return nil
}

type surveyCmd struct {
	Moment string   `enum:"opening,closing" default:"closing" help:"Which questionnaire it answers: ${enum}."`
	Map    []string `sep:"none" help:"What a column is, as column=target; the others are what their names seem to be."`
	taking `embed:""`
}

func (c surveyCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	in, err := c.intake()
	if err != nil {
		return err
	}
	for _, one := range c.Map {
		m, ok := surveys.ReadMapped(one)
		if !ok {
			return fault.InvalidInput(fault.Field{Pointer: "--map", Code: "bad-mapping", Detail: "column=target."})
		}
		in.Map = append(in.Map, m)
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		i, err := h.Surveys.ImportAnswers(ctx, surveys.Moment(c.Moment), in)
		if err != nil {
			return err
		}
		return c.say(s, i, "answers")
	})
}

type forumCmd struct {
	taking `embed:""`
}

func (c forumCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	in, err := c.intake()
	if err != nil {
		return err
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		i, err := h.Surveys.ImportForum(ctx, in)
		if err != nil {
			return err
		}
		return c.say(s, i, "posts")
	})
}
