package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/surveys"
)

// shownLearners bounds the learners whom the difference of one file names; the console shows as many.
const shownLearners = 100

// summary counts what became of the files of a command, and the rows that they left out.
type summary struct{ taken, replayed, refused, left int }

// add tells what a file did, with each row that was left out and its place.
func (all *summary) add(s streams, f intakes.File, done intakes.Taken, took time.Duration) {
	var left int
	var replayed bool
	switch {
	case done.Grades != nil:
		left, replayed = len(done.Grades.Rejects), done.Grades.Replayed
		sayGrades(s.out, f, *done.Grades, took)
	case done.Answers != nil:
		left, replayed = done.Answers.Rejected, done.Answers.Replayed
		sayAnswers(s.out, f, *done.Answers)
	default:
		left, replayed = done.Results.Count(exams.RowRefused), done.Results.Replayed
		sayResults(s.out, *done.Results)
	}
	if replayed {
		all.replayed++
		if done.Results == nil { // its rows were told when it was taken in
			return
		}
	} else {
		all.taken++
	}
	all.left += left
}

// end sums up several files. Error: errSaid where anything was left out.
func (all *summary) end(s streams, files int, dryRun bool) error {
	if files > 1 {
		verb := "taken in"
		if dryRun {
			verb = "tried"
		}
		fmt.Fprintf(s.out, "%d files: %d %s, %d imported before, %d refused; %d rows left out\n", files, all.taken, verb, all.replayed, all.refused, all.left)
	}
	if all.refused+all.left > 0 {
		return errSaid
	}
	return nil
}

// opens says which file it is; false: it was imported before, which is all that there is to say.
func opens(w io.Writer, f intakes.File, replayed bool, id string) bool {
	switch {
	case replayed:
		fmt.Fprintf(w, "%s: imported before as %s; nothing to do.\n", f.Name, id)
	case f.DryRun:
		fmt.Fprintf(w, "%s (dry run): ", f.Name)
	default:
		fmt.Fprintf(w, "%s: ", f.Name)
	}
	return !replayed
}

func sayLeft(w io.Writer, line, column int, detail, code string) {
	fmt.Fprintf(w, "  line %d, column %d: %s (%s)\n", line, max(column, 1), detail, code)
}

func sayGrades(w io.Writer, f intakes.File, r gradebook.Collection, took time.Duration) {
	if !opens(w, f, r.Replayed, r.ID) {
		if len(f.Mappings) > 0 && !f.DryRun {
			fmt.Fprintln(w, "  its columns are what --map says")
		}
		return
	}
	fmt.Fprintf(w, "%s, %d rows, %d new, %d left, %d back, %d cells changed, %d rows rejected (%d ms)\n",
		r.Kind, r.RowsRead, r.LearnersNew, r.LearnersLeft, r.LearnersBack, r.CellsChanged, len(r.Rejects), took.Milliseconds())
	for _, doubt := range r.Warnings {
		fmt.Fprintf(w, "  is it the right file? %s\n", map[string]string{gradebook.NamedOtherwise: "By its name it is of another course than the session.", gradebook.NobodyKnown: "Nobody whom earlier files name is in it."}[doubt])
	}
	if f.DryRun {
		sayDifference(w, r)
	}
	for _, c := range []struct {
		words  string
		labels []string
	}{{"new exercises", r.NewColumns}, {"exercises of earlier files that are not in this one, renamed or gone", r.AbsentColumns}, {"in no week of the session's exercise map", r.Unmapped}} {
		if len(c.labels) > 0 {
			fmt.Fprintf(w, "  %s: %q\n", c.words, c.labels)
		}
	}
	for _, x := range r.Questions {
		fmt.Fprintf(w, "  nobody has said what the column %q is", x.Label)
		if x.Suggested != "" {
			fmt.Fprintf(w, "; perhaps --map %q", x.Label+"=exercise:"+x.Suggested)
		}
		fmt.Fprintln(w)
	}
	for _, x := range r.Rejects {
		sayLeft(w, x.Line, x.Column, x.Detail, x.Code)
	}
}

// sayDifference names of whom a report changes something: who left first, then whose scores fell.
func sayDifference(w io.Writer, r gradebook.Collection) {
	fmt.Fprintf(w, "  scores: %d first, %d raised, %d lowered, %d dropped\n", r.ScoresFirst, r.ScoresRaised, r.ScoresLowered, r.ScoresDropped)
	for i, l := range r.Learners {
		if i == shownLearners {
			fmt.Fprintf(w, "  … and %d more learners\n", len(r.Learners)-i)
			return
		}
		at := ""
		if l.Line > 0 {
			at = fmt.Sprintf(" (line %d)", l.Line)
		}
		fmt.Fprintf(w, "  %s%s: %s", l.Learner, at, l.Change)
		for _, n := range []struct {
			words string
			n     int
		}{{"first", l.First}, {"raised", l.Raised}, {"lowered", l.Lowered}, {"dropped", l.Dropped}} {
			if n.n > 0 {
				fmt.Fprintf(w, ", %d %s", n.n, n.words)
			}
		}
		fmt.Fprintln(w)
	}
}

func sayAnswers(w io.Writer, f intakes.File, r surveys.Import) {
	if !opens(w, f, r.Replayed, r.ID) {
		return
	}
	things := "answers"
	if r.Moment == "" {
		things = "posts"
	}
	fmt.Fprintf(w, "%s; %s: %d new, %d changed, %d known, %d left out\n", r.Dialect, things, r.New, r.Changed, r.Unchanged, r.Rejected)
	for _, m := range r.Map {
		fmt.Fprintf(w, "  %s = %s\n", m.Column, m.Target)
	}
	for _, o := range r.Outcomes {
		if o.Outcome == surveys.RowRejected {
			sayLeft(w, o.Line, o.Column, o.Detail, o.Code)
		}
	}
}

func sayResults(w io.Writer, r exams.Results) {
	fmt.Fprintf(w, "%s → %s exam of %s, %d rows\n", r.FileName, r.Kind, r.SessionKey, len(r.Rows))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "new\tchanged\tunchanged\trefused\t")
	fmt.Fprintf(t, "%d\t%d\t%d\t%d\t\n", r.Count(exams.RowNew), r.Count(exams.RowChanged), r.Count(exams.RowUnchanged), r.Count(exams.RowRefused))
	_ = t.Flush() // a terminal that went away is seen by nobody
	for _, x := range r.Rows {
		if x.Outcome == exams.RowRefused {
			sayLeft(w, x.Line, x.Column, x.Detail, x.Code)
		}
	}
	switch {
	case r.Replayed:
		fmt.Fprintf(w, "Taken in before as %s: nothing was changed.\n", r.ID)
	case r.DryRun:
		fmt.Fprintln(w, "This was a dry run: nothing was changed.")
	default:
		fmt.Fprintf(w, "Applied as %s.\n", r.ID)
	}
}
