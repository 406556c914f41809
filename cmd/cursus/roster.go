package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"cursus/internal/app"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/uploads"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
)

type rosterCmd struct {
	Cohort  string `required:"" help:"Id of the cohort, or its key where only one has it."`
	As      string `required:"" help:"Address of who does it: an owner or a registrar of the school, or staff. The audit names her."`
	Mode    string `enum:"bulk,delta," default:"" help:"bulk: who is not in the file is withdrawn; delta: nothing is said of her. By default what the file says, and of a CSV delta."`
	Class   string `help:"The class of the file that is the cohort, where the file has several."`
	Apply   bool   `help:"Do it; without it the difference is shown and nothing is changed."`
	Absent  *int   `help:"How many learners are absent and are to be withdrawn, where they are many."`
	Outcome string `help:"Where what becomes of each row is written; by default FILE.outcome.csv."`
	File    string `arg:"" type:"existingfile" help:"A roster: CSV, or OneRoster as a ZIP."`
}

// Run shows what a roster changes in a cohort and, where it is to be applied, applies it, through the doors of the page. It ends with 1 where
// rows are refused.
func (c rosterCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	content, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	if c.Outcome == "" {
		c.Outcome = c.File + ".outcome.csv"
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		by, err := c.by(ctx, h)
		if err != nil {
			return err
		}
		group, err := c.cohort(ctx, h, by)
		if err != nil {
			return err
		}
		u, err := h.Uploads.Take(ctx, by, ident.New("cli"), uploads.NewUpload{CohortID: group.ID, FileName: base(c.File), Mode: cohorts.Mode(c.Mode), Class: c.Class, Content: content})
		if err == nil {
			err = h.Uploads.Check(ctx, uploads.CheckAsked{UploadID: u.ID})
		}
		if err == nil {
			u, err = h.Uploads.Upload(ctx, by, group.ID, u.ID)
		}
		if err == nil && u.State == uploads.Failed {
			err = failed(u)
		}
		if err != nil {
			return err
		}
		outcome, err := h.Uploads.Outcome(ctx, by, group.ID, u.ID)
		if err == nil {
			err = os.WriteFile(c.Outcome, outcome, 0o600)
		}
		if err == nil {
			err = c.say(s, group, u, outcome)
		}
		if err != nil {
			return err
		}
		switch d := u.Difference; {
		case !c.Apply:
			fmt.Fprintln(s.out, "This was a dry run: nothing was changed. --apply does it.")
		case d.New+d.Changed+d.Absent == 0:
			fmt.Fprintln(s.out, "The cohort is as the file says: nothing was changed.")
		default:
			if err := c.apply(ctx, s, h, by, u); err != nil {
				return err
			}
		}
		if u.Difference.Conflicting > 0 {
			return errSaid
		}
		return nil
	})
}

// by finds who acts.
func (c rosterCmd) by(ctx context.Context, h *app.House) (by cohorts.By, err error) {
	err = h.DB.View(ctx, "who imports", func(ctx context.Context, tx *postgres.Tx) error {
		email, err := identity.NormalEmail(c.As)
		if err != nil {
			return err
		}
		p, found, err := identity.FindByEmailTx(ctx, tx, email)
		if err == nil && !found {
			err = identity.ErrNoPerson
		}
		by.PersonID = p.ID
		return err
	})
	return by, err
}

// cohort finds the cohort by its id, or by its key among those that she may see.
func (c rosterCmd) cohort(ctx context.Context, h *app.House, by cohorts.By) (cohorts.Cohort, error) {
	group, err := h.Cohorts.Cohort(ctx, by, c.Cohort)
	if fault.From(err).Code != cohorts.ErrNoCohort.Code {
		return group, err
	}
	var found []cohorts.Cohort
	for r := (page.Request{Limit: page.MaxLimit}); ; {
		all, next, err := h.Cohorts.Cohorts(ctx, by, "", r)
		if err != nil {
			return group, err
		}
		for _, x := range all {
			if x.Key == c.Cohort {
				found = append(found, x)
			}
		}
		if r.After = next; next == "" {
			break
		}
	}
	if len(found) > 1 {
		return group, fault.InvalidInput(fault.Field{Pointer: "--cohort", Code: "several", Detail: fmt.Sprintf("%d cohorts have this key. Give the id.", len(found))})
	}
	if len(found) == 0 {
		return group, cohorts.ErrNoCohort
	}
	return found[0], nil
}

// say prints a difference as a table: its counts, how many rows have each code that refuses, and the first of these rows.
func (c rosterCmd) say(s streams, group cohorts.Cohort, u uploads.Upload, outcome []byte) error {
	d := u.Difference
	fmt.Fprintf(s.out, "%s → cohort %s (%s): %s, %s, %d rows\n", u.FileName, group.Key, group.ID, u.Format, u.Mode, u.Rows)
	if u.Unended {
		fmt.Fprintln(s.out, "The last line of the file has no end: it may have been cut.")
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "new\tchanged\tunchanged\tabsent\tconflicting\t")
	fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t\n", d.New, d.Changed, d.Unchanged, d.Absent, d.Conflicting)
	if err := w.Flush(); err != nil {
		return err
	}
	codes, err := refusals(outcome)
	if err != nil || d.Conflicting == 0 {
		return err
	}
	w = tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "refused\trows\t")
	for _, x := range codes {
		fmt.Fprintf(w, "%s\t%d\t\n", x.code, x.rows)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "line\tstudent_key\tcode")
	for _, r := range d.Refused {
		fmt.Fprintf(w, "%d\t%s\t%s\n", r.Line, r.StudentKey, r.Code)
	}
	if more := d.Conflicting - len(d.Refused); more > 0 {
		fmt.Fprintf(w, "…\t%d more in %s\t\n", more, c.Outcome)
	}
	return w.Flush()
}

type refusal struct {
	code string
	rows int
}

// refusals counts the codes of an outcome that are no status, the most frequent first.
func refusals(outcome []byte) (out []refusal, err error) {
	rows, err := csv.NewReader(bytes.NewReader(outcome)).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, r := range rows[1:] { // below the header
		if slices.Contains([]string{"enrolled", "suspended", "canceled", ""}, r[1]) {
			continue
		}
		i := slices.IndexFunc(out, func(x refusal) bool { return x.code == r[1] })
		if i < 0 {
			i, out = len(out), append(out, refusal{code: r[1]})
		}
		out[i].rows++
	}
	slices.SortStableFunc(out, func(a, b refusal) int { return b.rows - a.rows })
	return out, nil
}

// apply applies what was shown, and follows it to its end: each learner is enrolled, has her order, waits for her account, or is let go. Where
// a server works on the same database, the two share that work.
func (c rosterCmd) apply(ctx context.Context, s streams, h *app.House, by cohorts.By, u uploads.Upload) error {
	u, err := h.Uploads.Apply(ctx, by, ident.New("cli"), uploads.Apply{CohortID: u.CohortID, UploadID: u.ID, Difference: u.Difference.SHA256, Absent: c.Absent})
	if err == nil {
		err = h.Uploads.Run(ctx, uploads.ApplyAsked{UploadID: u.ID})
	}
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions(u.Progress.Total, progressbar.OptionSetWriter(s.err), progressbar.OptionSetDescription("following"),
		progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	for before := -1; ; {
		if u, err = h.Uploads.Upload(ctx, by, u.CohortID, u.ID); err != nil {
			return err
		}
		if u.State == uploads.Checked || u.State == uploads.Failed {
			_ = bar.Finish()
			return failed(u)
		}
		_ = bar.Set(u.Progress.Done)
		if u.State == uploads.Applied && u.Progress.Done == u.Progress.Total {
			break
		}
		if u.Progress.Done == before { // another process is at it
			time.Sleep(100 * time.Millisecond)
		}
		before = u.Progress.Done
		if err := h.Cohorts.Follow(ctx, u.CohortID); err != nil {
			return err
		}
	}
	_ = bar.Finish()
	fmt.Fprintf(s.out, "Applied as %s; what became of each row is in %s.\n", u.ID, c.Outcome)
	return nil
}

// failed says why an upload was not applied.
func failed(u uploads.Upload) error {
	return fault.New(fault.Conflict, u.Problem, u.Detail)
}
