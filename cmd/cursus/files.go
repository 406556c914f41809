package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"cursus/internal/app"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/config"
)

// taking is what every import of files is asked with.
type taking struct {
	Session     string    `required:"" help:"Id or key of the session."`
	CollectedAt time.Time `help:"When the file was made (RFC 3339), where neither its rows nor the end of its name (_YYYY-MM-DD-HHMM.csv) say it."`
	DryRun      bool      `help:"Say what would change, and change nothing."`
	Files       []string  `arg:"" type:"existingfile" help:"The files, plain or gzip."`
}

type filesCmd struct {
	Kind   string   `enum:",grades,results,opening,closing,forum" default:"" help:"What the files are, where it is not to be told from what stands in them: grades, results, opening, closing, forum."`
	Exam   string   `enum:"proctored,practice,production" default:"proctored" help:"The exam that results are of: ${enum}."`
	Map    []string `sep:"none" help:"What a column is. Of grades column=exercise:NAME, new:WEEK, ignore or itself; said again it is of the next column of that name. Of answers column=question."`
	taking `embed:""`
}

func (c filesCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return c.run(ctx, s, settings, batch{kind: c.Kind, exam: c.Exam, said: c.Map})
}

type gradesCmd struct {
	Map    []string `sep:"none" help:"What a column is: column=exercise:NAME, new:WEEK, ignore or itself; said again it is of the next column of that name."`
	taking `embed:""`
}

func (c gradesCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return c.run(ctx, s, settings, batch{kind: intakes.OfGrades, said: c.Map})
}

type surveyCmd struct {
	Moment string   `enum:"opening,closing" default:"closing" help:"Which questionnaire it answers: ${enum}."`
	Map    []string `sep:"none" help:"What a column is, as column=target; the others are what their names seem to be."`
	taking `embed:""`
}

func (c surveyCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return c.run(ctx, s, settings, batch{kind: c.Moment, said: c.Map})
}

type forumCmd struct {
	taking `embed:""`
}

func (c forumCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return c.run(ctx, s, settings, batch{kind: intakes.OfForum})
}

type resultsCmd struct {
	Session string   `required:"" help:"Id or key of the session."`
	Kind    string   `enum:"proctored,practice,production" default:"proctored" help:"The exam that the file is of; samples are of the practice exam."`
	Apply   bool     `help:"Do it; without it the difference is shown and nothing is changed."`
	Files   []string `arg:"" type:"existingfile" help:"Proctored exam results reports: CSV, plain or gzip."`
}

func (c resultsCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	t := taking{Session: c.Session, DryRun: !c.Apply, Files: c.Files}
	return t.run(ctx, s, settings, batch{kind: intakes.OfResults, exam: c.Kind})
}

// batch is what is said of all files of a command.
type batch struct {
	kind, exam string // an empty kind is found in each file
	said       []string
}

// run tries the files or takes them in, one after the other and each of them whole or not at all, so that a command that was stopped is begun again
// and does what is left. A file that is refused does not keep the others out. It ends with 1 where a file or a row was left out.
func (t taking) run(ctx context.Context, s streams, settings config.Config, b batch) error {
	if len(t.Files) > 1 && !t.CollectedAt.IsZero() {
		return fault.InvalidInput(fault.Field{Pointer: "--collected-at", Code: "one-file", Detail: "A time can be given for one file only."})
	}
	if err := b.check(t.Files); err != nil {
		return err
	}
	// Oldest first is fastest; any order gives the same books.
	slices.SortStableFunc(t.Files, func(x, y string) int {
		a, _ := sheet.MadeAt(x)
		b, _ := sheet.MadeAt(y)
		return a.Compare(b)
	})
	return inHouse(ctx, settings, func(h *app.House) error {
		bar := progressbar.NewOptions(100*len(t.Files), progressbar.OptionSetWriter(s.err), progressbar.OptionSetDescription("importing"),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		var all summary
		for i, path := range t.Files {
			f, _, err := b.file(path)
			if err != nil {
				return err
			}
			f.Session, f.CollectedAt, f.DryRun = t.Session, t.CollectedAt, t.DryRun
			f.Progress = func(done, of int) { _ = bar.Set(100*i + 100*done/of) }
			began := time.Now()
			done, err := h.Intakes.Take(ctx, f)
			_ = bar.Clear()
			if err != nil {
				fmt.Fprintf(s.out, "%s: not taken in.\n", f.Name)
				if len(t.Files) == 1 || !ofFile(err) {
					return err // what came before stays taken in
				}
				explain(s.out, err)
				all.refused++
			} else {
				all.add(s, f, done, time.Since(began))
			}
			_ = bar.Set(100 * (i + 1))
		}
		_ = bar.Finish()
		return all.end(s, len(t.Files), t.DryRun)
	})
}

// ofFile says that an error is about what stands in one file: the next may be better.
func ofFile(err error) bool {
	kind := fault.From(err).Kind
	return kind == fault.Invalid || kind == fault.Conflict
}

// file reads a file, with what was said of its columns; heard are the places of these in what was said.
func (b batch) file(path string) (f intakes.File, heard []int, err error) {
	f = intakes.File{Kind: b.kind, Name: base(path), Exam: exams.Kind(b.exam), Via: intakes.ByCommand, Source: func() (io.ReadCloser, error) { return os.Open(path) }}
	if f.Kind == "" {
		f.Guessed = true
		if f.Kind, err = intakes.KindOf(f.Source); err != nil {
			return f, nil, err
		}
	}
	if len(b.said) == 0 {
		return f, nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return f, nil, err
	}
	switch f.Kind {
	case intakes.OfGrades:
		r, _ := gradebook.Parse(content) // of what cannot be read, taking it in says why
		again := map[string]int{}
		for i, one := range b.said {
			m, ok := gradebook.ReadMapping(one)
			if !ok {
				return f, nil, wrongMap("bad-mapping", "%q is not column=exercise:NAME, new:WEEK, ignore or itself.", one)
			}
			m.Occurrence = again[m.Label]
			again[m.Label]++
			if slices.Contains(r.Columns, gradebook.Column{Kind: "exercise", Label: m.Label, Occurrence: m.Occurrence}) {
				f.Mappings, heard = append(f.Mappings, m), append(heard, i)
			}
		}
	case intakes.OfOpening, intakes.OfClosing:
		r, _ := surveys.Parse(content)
		for i, one := range b.said {
			m, ok := surveys.ReadMapped(one)
			if !ok {
				return f, nil, wrongMap("bad-mapping", "%q is not column=target.", one)
			}
			if slices.Contains(r.Header, m.Column) {
				f.Answers, heard = append(f.Answers, m), append(heard, i)
			}
		}
	}
	return f, heard, nil
}

// check refuses, before anything is taken in, what is said of a column that no file has: it was written otherwise than it stands there.
func (b batch) check(files []string) error {
	if len(b.said) == 0 {
		return nil
	}
	known := make([]bool, len(b.said))
	for _, path := range files {
		_, heard, err := b.file(path)
		if err != nil {
			return err
		}
		for _, i := range heard {
			known[i] = true
		}
	}
	if i := slices.Index(known, false); i >= 0 {
		return wrongMap("no-such-column", "No file has the column of %q.", b.said[i])
	}
	return nil
}

func wrongMap(code, detail, said string) error {
	return fault.InvalidInput(fault.Field{Pointer: "--map", Code: code, Detail: fmt.Sprintf(detail, said)})
}
