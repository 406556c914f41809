// Command cursus is the whole product in one program.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"cursus/internal/app"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
)

type cli struct {
	Serve   serveCmd   `cmd:"" help:"Answer (API and pages) and work, until told to stop."`
	Migrate migrateCmd `cmd:"" help:"Bring the database to the newest schema."`
	Import  struct {
		Files   filesCmd   `cmd:"" default:"withargs" help:"Take in files of any kind of a session, told by what stands in them; the same file again does nothing."`
		Session sessionCmd `cmd:"" help:"Make a session with its exercise map."`
		Grades  gradesCmd  `cmd:"" help:"The same of grade reports, profiles, rosters, scores and statements alone."`
		Results resultsCmd `cmd:"" help:"The same of exam results: the difference is shown first."`
		Survey  surveyCmd  `cmd:"" help:"The same of answers to a questionnaire (LimeSurvey, Open edX, any table)."`
		Forum   forumCmd   `cmd:"" help:"The same of the posts of a forum."`
		Roster  rosterCmd  `cmd:"" help:"Bring a cohort to what a school's roster says (CSV or OneRoster); the same file again does nothing."`
	} `cmd:"" help:"Take in what other systems know."`
	Report struct {
		Indicators indicatorsCmd `cmd:"" help:"The five indicators of a session."`
		Outcomes   outcomesCmd   `cmd:"" help:"What the QUALIFYING formula of a session became, and what each euro bought."`
		Figure     figureCmd     `cmd:"" help:"A figure of the console, as a table, CSV or JSON."`
	} `cmd:"" help:"Ask the books."`
	Catalogue struct {
		Export catalogueExportCmd `cmd:"" help:"Write a collection as one file."`
		Import catalogueImportCmd `cmd:"" help:"Take a collection in: all of the file, or nothing."`
	} `cmd:"" help:"A whole collection as a file, for git and for spreadsheets."`
	Export struct {
		Data  exportDataCmd  `cmd:"" help:"Write all that the views of docs/export.md show into files, as they stand at one moment."`
		Login exportLoginCmd `cmd:"" help:"Make a login of the database that reads these views and nothing else, and print its password."`
	} `cmd:"" help:"For other tools."`
	Staff     staffCmd     `cmd:"" help:"Give a person roles."`
	Token     tokenCmd     `cmd:"" help:"Make an API token."`
	Demo      demoCmd      `cmd:"" help:"Fill an empty data folder with the demonstration."`
	Sandbox   sandboxCmd   `cmd:"" help:"Serve the Stripe sandbox of the demonstration."`
	Bench     benchCmd     `cmd:"" help:"Make a large network in a folder of its own, and measure how fast its figures are answered."`
	Verify    verifyCmd    `cmd:"" help:"Check every invariant; exit with 1 and the rows where one is broken."`
	Reconcile reconcileCmd `cmd:"" help:"Compare the provider's book, the ledger, orders, enrolments and documents; exit with 1 and the differences."`
}

// streams are where a command reads and writes, so that tests can look.
type streams struct{ out, err io.Writer }

// errSaid ends with status 1 after the command itself said why.
var errSaid = errors.New("said")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// run is main without the process: 0 done, 1 failed, 2 wrong usage.
func run(ctx context.Context, args []string, s streams) int {
	var c cli
	status := -1
	parser, err := kong.New(&c, kong.Name("cursus"), kong.Description("Sells, runs and certifies programs made of online courses, and shows what each euro became."),
		kong.Writers(s.out, s.err), kong.Exit(func(code int) { status = code }), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(s.err, err)
		return 2
	}
	command, err := parser.Parse(args)
	if status >= 0 {
		return status // --help was asked for and answered
	}
	if err != nil {
		fmt.Fprintf(s.err, "cursus: %v (see cursus --help)\n", err)
		return 2
	}
	settings, err := config.Load()
	if err == nil {
		command.BindTo(postgres.WithActor(ctx, "system"), (*context.Context)(nil))
		err = command.Run(s, settings)
	}
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSaid) {
		explain(s.err, err)
	}
	return 1
}

// explain prints a fault for people: its detail, each wrong place, and the cause where the failure is ours.
func explain(w io.Writer, err error) {
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		fmt.Fprintf(w, "cursus: %v\n", err)
		return
	}
	fmt.Fprintf(w, "cursus: %s (%s)\n", f.Detail, f.Code)
	for _, p := range f.Fields {
		fmt.Fprintf(w, "  %s: %s: %s\n", p.Pointer, p.Code, p.Detail)
	}
}

// inHouse opens the house for one command.
func inHouse(ctx context.Context, settings config.Config, do func(*app.House) error) (err error) {
	h, err := app.Open(ctx, settings, app.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return do(h)
}

type migrateCmd struct{}

func (migrateCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return inHouse(ctx, settings, func(*app.House) error {
		fmt.Fprintln(s.out, "The schema is up to date.")
		return nil
	})
}

type verifyCmd struct{}

func (verifyCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return inHouse(ctx, settings, func(h *app.House) error {
		broken, unreachable := h.Verify(ctx)
		for _, v := range broken {
			fmt.Fprintf(s.out, "invariant %s is broken: %s\n", v.Check.Invariant, v.Check.Name)
			for _, row := range v.Rows {
				fmt.Fprintf(s.out, "  %s\n", row)
			}
		}
		sessions, differing, err := recheck(ctx, s, h)
		if err != nil {
			return err
		}
		if len(broken) > 0 || differing > 0 {
			return errSaid
		}
		if unreachable != nil {
			return unreachable
		}
		fmt.Fprintf(s.out, "%d checks hold; the stages of %d sessions are what their facts say.\n", len(app.Checks()), sessions)
		return nil
	})
}

// recheck derives the stages of every session anew, and prints what differs.
func recheck(ctx context.Context, s streams, h *app.House) (sessions, differing int, err error) {
	for p := (page.Request{Limit: 200}); ; {
		all, next, err := h.Gradebook.Rechecks(ctx, p)
		if err != nil {
			return 0, 0, err
		}
		for _, c := range all {
			found, err := h.Gradebook.Recheck(ctx, c.Session)
			if err != nil {
				return 0, 0, err
			}
			if sessions++; found.Differences == 0 {
				continue
			}
			differing++
			fmt.Fprintf(s.out, "the stages of %s are not what its facts say: %d differences\n", c.Session, found.Differences)
			for _, d := range found.Examples {
				fmt.Fprintf(s.out, "  %s %s %s\n", d.Kind, d.EnrolmentID, d.Stage)
			}
		}
		if p.After = next; next == "" {
			return sessions, differing, nil
		}
	}
}

func base(path string) string { return filepath.Base(path) }
