package gradebook_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

func mapColumns(db *postgres.DB, session string, expected int, decisions ...gradebook.Mapping) (all gradebook.Mappings, err error) {
	err = db.InTx(system, "map columns", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = gradebook.MapColumnsTx(ctx, tx, session, decisions, expected)
		return err
	})
	return all, err
}

func is(label, exercise string) gradebook.Mapping {
	return gradebook.Mapping{Label: label, Meaning: gradebook.SameExercise, Exercise: exercise}
}

func week(n int) *int { return &n }

// A report calls an exercise by another name, has one that is new and one that is nothing: it asks, proposes, and is read as it was decided; the
// reports before it keep what they say.
func TestColumnsOfAReportAreMapped(t *testing.T) {
	db := testkit.DB(t)
	s := newSession(t, db, "MAP")
	book := gradebook.New(db, jobs.New(db, nil))
	put := func(n int, dry bool, text string, decisions ...gradebook.Mapping) gradebook.Collection {
		t.Helper()
		c, err := book.Import(system, gradebook.Intake{SessionID: "MAP", FileName: "r.csv", CollectedAt: day(n), Content: []byte(text), DryRun: dry, Mappings: decisions})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	put(0, false, "id,username,grade,HW 01,HW 02,HW 03,Lab 01,Bonus\n1,a,0,0.5,0,0,0,0\n2,b,0,0,0,0,0,0\n")
	next := "id,username,grade,HW 01,H.W. 02,Devoir,Lab 02,Survey,Bonus\n1,a,0,0.25,1,0.75,0,1,0\n2,b,0,0,0,0,0,1,0\n"
	dry := put(1, true, next)
	var asked []string
	for _, x := range dry.Questions {
		asked = append(asked, x.Label+"="+x.Suggested)
	}
	if fmt.Sprint(asked) != "[H.W. 02=HW 02 Devoir= Lab 02= Survey=]" {
		t.Error(asked)
	}
	if d := dry.Learners; len(d) != 2 || d[0].Learner != "1" || d[0].Lowered != 1 || d[0].First != 3 || d[0].Line != 2 || d[1].Change != gradebook.IsScored {
		t.Errorf("%+v", d)
	}
	decisions := []gradebook.Mapping{is("H.W. 02", "HW 02"), is("Devoir", "HW 03"), {Label: "Lab 02", Meaning: gradebook.NewExercise, Week: week(2)}, {Label: "Survey", Meaning: gradebook.NoExercise}}
	if c := put(1, true, next, decisions...); len(c.Questions) != 0 || len(c.NewColumns) != 1 || fmt.Sprint(c.AbsentColumns) != "[Lab 01]" {
		t.Errorf("%+v", c)
	}
	if c := put(1, false, next, decisions...); c.ScoresFirst != 2 || len(c.Unmapped) != 0 {
		t.Errorf("%+v", c)
	}
	if got := countsOf(t, db, journey.Question{SessionID: s.ID, Week1Rule: "all"}); got != (journey.Counts{Enrolled: 2, Started: 1, Diligent: 1}) { // who answered a survey has not started
		t.Errorf("%+v", got)
	}
	if said := cellsSaid(t, db, s.ID); !strings.Contains(said, "HW 02 2018-09-18 21:00:00 1000000000") || strings.Contains(said, "Survey") || strings.Contains(said, "Devoir") || strings.Contains(said, "H.W.") {
		t.Error(said)
	}
	for code, d := range map[string]gradebook.Mapping{
		"no-such-exercise": is("Quiz", "HW 99"), "same-column": is("HW 01", "HW 01"), "named-elsewhere": is("Quiz", "Devoir"), "named-by-another": {Label: "HW 02", Meaning: gradebook.NoExercise},
		"bad-meaning": {Label: "Quiz", Meaning: "?"}, "bad-week": {Label: "Quiz", Meaning: gradebook.NewExercise, Week: week(54)}, "exercise-known": {Label: "HW 01", Meaning: gradebook.NewExercise, Week: week(1)}, "bad-label": is("", "HW 01"), "bad-exercise": {Label: "Quiz", Meaning: gradebook.SameExercise},
	} {
		if _, err := mapColumns(db, "MAP", 0, d); err == nil || len(fault.From(err).Fields) == 0 || fault.From(err).Fields[0].Code != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := mapColumns(db, "MAP", 1, is("Quiz", "HW 01")); !errors.Is(err, gradebook.ErrMappingChanged) {
		t.Error(err)
	}
	if _, err := mapColumns(db, "MAP", 0, is("Devoir", "HW 02")); !errors.Is(err, gradebook.ErrTwoColumns) { // one report has both
		t.Error(err)
	}
	all, err := mapColumns(db, "MAP", 0, gradebook.Mapping{Label: "Survey", Meaning: gradebook.Itself})
	if err != nil || len(all.Current) != 4 || len(all.History) != 5 || all.History[0].Meaning != gradebook.Itself || all.History[4].DecidedBy != "system" {
		t.Errorf("%+v %v", all, err)
	}
	if again, err := mapColumns(db, "MAP", all.Version, decisions[0]); err != nil || again.Version != all.Version {
		t.Error("the same decision again is one", again, err)
	}
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}

// It does not matter when somebody decides, before the intakes or after them, nor what she had decided meanwhile: the books say the same, and a
// rebuild changes nothing.
func TestWhenColumnsAreMappedDoesNotMatter(t *testing.T) {
	db, round := testkit.DB(t), 0
	book := gradebook.New(db, jobs.New(db, nil))
	rapid.Check(t, func(t *rapid.T) {
		round++
		files := randomFiles(t)
		for i := range files { // in some of the files an exercise has another name
			if rapid.Bool().Draw(t, "renamed") {
				files[i].text = strings.ReplaceAll(files[i].text, "HW 03", "Devoir 3")
			}
			if rapid.Bool().Draw(t, "ignored") {
				files[i].text = strings.ReplaceAll(files[i].text, "Lab 01", "Essai")
			}
		}
		decisions := []gradebook.Mapping{is("Devoir 3", "HW 03"), {Label: "Essai", Meaning: gradebook.NoExercise}}
		platform := fmt.Sprint("p", round)
		before, after := newSessionOf(t, db, fmt.Sprint("MB", round), platform), newSessionOf(t, db, fmt.Sprint("MA", round), platform)
		decide := func(s catalog.Session, decisions ...gradebook.Mapping) {
			if _, err := mapColumns(db, s.ID, 0, decisions...); err != nil {
				t.Fatal(err, files)
			}
		}
		decide(before, decisions...)
		at := rapid.IntRange(0, len(files)).Draw(t, "decided after")
		for i, f := range files {
			if i == at {
				decide(after, gradebook.Mapping{Label: "Devoir 3", Meaning: gradebook.NoExercise}, is("Essai", "Lab 01"))
			}
			for _, s := range []catalog.Session{before, after} {
				if _, err := book.Import(system, gradebook.Intake{SessionID: s.ID, FileName: f.name, CollectedAt: f.at, Content: []byte(f.text)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		decide(after, decisions...)
		if x, y := cellsSaid(t, db, before.ID), cellsSaid(t, db, after.ID); x != y {
			t.Fatalf("decided before:\n%s\nafter:\n%s\n%+v", x, y, files)
		}
		for d := range 2 * (len(files) + 3) {
			q := journey.Question{SessionID: before.ID, AsOf: day(0).Add(time.Duration(d) * 12 * time.Hour), Week1Rule: "any"}
			other := q
			other.SessionID = after.ID
			if x, y := countsOf(t, db, q), countsOf(t, db, other); x != y {
				t.Fatalf("%s: decided before %+v, after %+v\n%+v", q.AsOf, x, y, files)
			}
		}
		for _, s := range []catalog.Session{before, after} {
			if n, err := book.Rebuild(system, s.ID); err != nil || n != 0 {
				t.Fatalf("a rebuild changes %d stages: %v", n, err)
			}
		}
	})
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}

var cellSteps = postgres.Query{Name: "cell steps", SQL: `select e.learner_id as who, s.label, s.at, s.value from (
	select c.*, lag(c.value, 1, case when c.kind = 'grade' then 0 else -1 end) over (partition by c.enrolment_id, c.column_id order by c.at) as was from (
		select distinct on (c.enrolment_id, c.column_id, c.at) c.enrolment_id, c.column_id, c.at, c.value, k.label, k.kind
		  from gradebook.cells c join gradebook.columns k on k.id = c.column_id where c.session_id = $1
		 order by c.enrolment_id, c.column_id, c.at, c.seq desc) c) s
	join enrolment.enrolments e on e.id = s.enrolment_id where s.value <> s.was order by 1, 2, 3`}

// cellsSaid is what the cells of a session say over time, in the order of learners, columns and time, without steps that change nothing.
func cellsSaid(t interface{ Fatal(...any) }, db *postgres.DB, session string) (out string) {
	var rows []struct {
		Who   string    `db:"who"`
		Label string    `db:"label"`
		At    time.Time `db:"at"`
		Value int64     `db:"value"`
	}
	if err := db.View(system, "cells", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &rows, cellSteps, session)
	}); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		out += fmt.Sprintln(r.Who, r.Label, r.At.UTC().Format("2006-01-02 15:04:05"), r.Value)
	}
	return out
}

// What is written of a column is read whatever signs its name holds, and what is nothing is not taken for something.
func TestMappingsAsTheyAreWritten(t *testing.T) {
	for said, want := range map[string]gradebook.Mapping{
		"HW Two=exercise:HW 2":    {Label: "HW Two", Meaning: gradebook.SameExercise, Exercise: "HW 2"},
		"a=b = exercise: y = x+1": {Label: "a=b = exercise: y", Meaning: ""}, // x+1 is no meaning
		"y=x+1=exercise:y=x":      {Label: "y=x+1", Meaning: gradebook.SameExercise, Exercise: "y=x"},
		"y=x=ignore":              {Label: "y=x", Meaning: gradebook.NoExercise},
		"Quiz=itself":             {Label: "Quiz", Meaning: gradebook.Itself},
		"Quiz=new:3":              {Label: "Quiz", Meaning: gradebook.NewExercise, Week: new(int)},
		"Quiz=new:soon":           {}, "Quiz": {}, "=ignore": {}, "Quiz=exercise:": {}, "": {},
	} {
		got, ok := gradebook.ReadMapping(said)
		if ok != (want.Meaning != "") || ok && (got.Label != want.Label || got.Meaning != want.Meaning || got.Exercise != want.Exercise || want.Week != nil && got.InWeek() != 3) {
			t.Errorf("%q is %+v, %v", said, got, ok)
		}
	}
}
