package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// Three sessions of which some learners are in several, told by their grade reports: who is in common of the enrolled and of the started, and
// what a second report changed and why.
func TestLearnersInCommonAndWhatChanged(t *testing.T) {
	c := clock.NewManual(time.Date(2019, 6, 1, 12, 0, 0, 0, time.UTC))
	db := testkit.Open(t, testkit.OwnerDSN(t), c)
	book := gradebook.New(db, jobs.New(db, nil))
	exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHW 01,1\nHW 02,2\n"))
	if err != nil {
		t.Fatal(err)
	}
	// report is of learners from..to; those below started did HW 01.
	report := func(session string, day, from, to, started int, grade string) {
		t.Helper()
		rows := "id,username,grade,HW 01,HW 02,Cohort Name\n"
		for i := from; i < to; i++ {
			hw, g := "0", "0"
			if i < started {
				hw, g = "1.0", grade
			}
			rows += fmt.Sprintf("%d,u%d,%s,%s,0,\n", i, i, g, hw)
		}
		if _, err := book.Import(system, gradebook.Intake{SessionID: session, FileName: "r.csv", CollectedAt: time.Date(2019, 5, day, 0, 0, 0, 0, time.UTC), Content: []byte(rows)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.InTx(system, "sessions", func(ctx context.Context, tx *postgres.Tx) error {
		for _, key := range []string{"X-1", "Y-1", "Z-1"} {
			if _, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: key, CourseKey: key[:1] + "C", Title: catalog.Text{EN: key}, Platform: "fun", ThresholdPPM: 500_000, Exercises: exercises}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	report("X-1", 1, 0, 10, 4, "0.6") // ten, of whom four started
	report("Y-1", 2, 5, 13, 9, "0.6") // eight, five of them in X too; 5 to 8 started
	report("Z-1", 3, 2, 7, 3, "0.6")  // five, all in X, two in Y too; one started, who started in X
	show := func(id string, with ...string) (out string) {
		t.Helper()
		ask := analytics.Ask{Params: map[string]string{}}
		for _, one := range with {
			name, value, _ := strings.Cut(one, "=")
			ask.Params[name] = value
		}
		f, err := analytics.FigureOf(system, db, id, ask)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range f.Rows {
			for i, cell := range r.Cells {
				switch {
				case cell.Rate != nil:
					out += fmt.Sprint(cell.Rate.Count, "/", cell.Rate.Of, " ")
				case cell.Count != nil:
					out += fmt.Sprint(*cell.Count, " ")
				case f.Columns[i].Kind == analytics.Text:
					out += cell.Text + " "
				}
			}
			out += "| "
		}
		return out
	}
	for got, want := range map[string]string{
		show("dual_enrolment", "session=X-1"):                  "Y-1 8 5/10 | Z-1 5 5/10 | ",
		show("dual_enrolment", "session=Z-1", "stage=started"): "X-1 4 1/1 | ",
		show("started_sequence", "sessions=X-1,Y-1,Z-1"):       "X-1 4/10 4/4 | Y-1 4/8 0/4 | Z-1 1/5 1/4 | ",
		show("common_enrolment", "sessions=X-1,Y-1,Z-1"):       "X-1 2 10 10/10 | Y-1 3 8 | Z-1 0 5 | X-1 & Y-1 3 5 5/10 | X-1 & Z-1 3 5 5/10 | Y-1 & Z-1 0 2 | X-1 & Y-1 & Z-1 2 2 2/10 | ",
		show("dual_matrix", "sessions=X-1,Z-1"):                "X-1 Z-1 5/10 | Z-1 X-1 5/5 | ",
		show("comparison", "sessions=X-1,Y-1"): "X-1  10 4/10 no_provable_difference 0/10 no_provable_difference 4/10 no_provable_difference 4/0  | " +
			"Y-1  8 4/8 no_provable_difference 0/8 no_provable_difference 4/8 no_provable_difference 4/0  | plain_mean  9     | weighted_mean  8/18  0/18  8/18  8/0  | ",
		show("comparison", "sessions=X-1,Y-1", "against=Y-1"): "X-1  10 4/10 no_provable_difference 0/10 no_provable_difference 4/10 no_provable_difference 4/0  | " +
			"Y-1  8 4/8  0/8  4/8  4/0  | plain_mean  9     | weighted_mean  8/18  0/18  8/18  8/0  | ", // of itself there is nothing to say
		show("indicators", "session=X-1"): "started 4/10 4/10 | diligent 0/10 0/10 | succeeded 4/10 4/10 | diligent_success 4/0 4/0 | diligent_success_strict 0/0 0/0 | ",
		show("sequence_flow", "sessions=X-1,Y-1,Z-1"): "X-1:started Y-1:not_started 4 0 4/4 | X-1:not_started Y-1:started 0 4 4/4 | " +
			"Y-1:started Z-1:not_started 0 4 4/4 | Y-1:not_started Z-1:started 1 0 1/4 | Y-1:not_started Z-1:not_started 3 0 3/4 | ",
		show("exercise_quality", "session=X-1"):                         "HW 01 1 4 4/4 0/4 0/4 0/4 4/4 | ",
		show("temporal_progression", "session=Y-1", "mode=last_change"): "HW 01 1 4 4/8 4/4 | HW 01 1 4 4/8 4/4 | succeeded 4 4/8 4/4 | ", // a collection, the total of all, and the line of the grade
	} {
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	// Learner 0 leaves, 10 and 11 come, 1 to 3 are regraded below the threshold, 4 starts.
	report("X-1", 20, 1, 12, 5, "0.4")
	want := "enrolled 10 2 0 1 0 0 11 | started 4 0 0 1 1 0 4 | diligent 0 0 0 0 0 0 0 | succeeded 4 0 0 1 0 3 0 | certified 0 0 0 0 0 0 0 | paying 0 0 0 0 0 0 0 | "
	if got := show("change", "session=X-1", "since=2019-05-10"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// Whoever succeeded once stands in the line of the grade, and in the list behind it, also when a regrade took it back; before, nobody did.
	for at, want := range map[time.Time]int{{}: 4, time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC): 0} {
		var all []analytics.Doer
		if err := db.View(system, "succeeded", func(ctx context.Context, tx *postgres.Tx) (err error) {
			all, _, err = analytics.DoersTx(ctx, tx, analytics.WhoDid{Session: "X-1", Stage: "succeeded", AsOf: at}, page.Request{Limit: 10})
			return err
		}); err != nil || len(all) != want {
			t.Errorf("at %s %d succeeded, not %d: %v", at, len(all), want, err)
		}
		regraded := 0
		for _, one := range all {
			if one.ScorePPM == 400_000 && one.FirstAt.Before(one.LastAt) {
				regraded++
			}
		}
		if want > 0 && regraded != 3 {
			t.Errorf("not the last grades: %+v", all)
		}
	}
	// The Bilan adds up the hours and the budget that it is given, in their currency.
	bilan, err := analytics.FigureOf(system, db, "bilan", analytics.Ask{Params: map[string]string{
		"session": "X-1", "hours": "design=12,tutoring=30", "budget": "staff=1200000,services=50000,receipts=1500000", "budget_currency": "XOF",
	}})
	if err != nil {
		t.Fatal(err)
	}
	sums := ""
	for _, r := range bilan.Rows {
		switch r.Cells[0].Text {
		case "H":
			sums += fmt.Sprint(r.Cells[1].Said.EN, " ", *r.Cells[2].Count, " | ")
		case "B":
			sums += fmt.Sprint(r.Cells[1].Said.EN, " ", *r.Cells[5].Amount, " | ")
		}
	}
	if want := "Hours: design 12 | Hours: tutoring 30 | Hours: all 42 | Budget: staff 1200000 XOF | Budget: services 50000 XOF | Budget: receipts 1500000 XOF | Budget: all but receipts 1250000 XOF | Balance 250000 XOF | "; sums != want {
		t.Errorf("%s\nwant %s", sums, want)
	}
	// No exercise is that much of a namesake: it is not there, whatever the number.
	if err := db.View(system, "doers", func(ctx context.Context, tx *postgres.Tx) error {
		_, _, err := analytics.DoersTx(ctx, tx, analytics.WhoDid{Session: "X-1", Exercise: "HW 01 #99999999999"}, page.Request{Limit: 10})
		return err
	}); !errors.Is(err, gradebook.ErrNoExercise) {
		t.Error(err)
	}
}

// Whose students a learner is, is asked as it was known: a report that is imported later changes nothing of an earlier answer.
func TestACohortIsTheOneThatWasKnown(t *testing.T) {
	c := clock.NewManual(time.Date(2019, 6, 1, 12, 0, 0, 0, time.UTC))
	db := testkit.Open(t, testkit.OwnerDSN(t), c)
	if err := db.InTx(system, "session", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "X-1", CourseKey: "XC", Title: catalog.Text{EN: "X"}, Platform: "fun", ThresholdPPM: 500_000})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	report := func(day int, cohorts ...string) {
		t.Helper()
		rows := "id,username,grade,HW 01,Cohort Name\n"
		for i, name := range cohorts {
			rows += fmt.Sprintf("%d,u%d,0.6,1.0,%s\n", i, i, name)
		}
		if _, err := gradebook.New(db, jobs.New(db, nil)).Import(system, gradebook.Intake{SessionID: "X-1", FileName: "r.csv", CollectedAt: time.Date(2019, 5, day, 0, 0, 0, 0, time.UTC), Content: []byte(rows)}); err != nil {
			t.Fatal(err)
		}
	}
	asked := func(known time.Time) (out string) {
		t.Helper()
		at := time.Date(2019, 5, 20, 0, 0, 0, 0, time.UTC)
		f, err := analytics.FigureOf(system, db, "bilan", analytics.Ask{AsOf: at, KnownAt: known, Params: map[string]string{"session": "X-1", "own_cohort": "ours"}})
		if err != nil {
			t.Fatal(err)
		}
		i, err := analytics.IndicatorsOf(system, db, analytics.Question{Session: "X-1", Cohort: "ours", AsOf: at, KnownAt: known})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(*f.Rows[2].Cells[2].Count, " ", i.Enrolled)
	}
	report(1, "ours", "ours", "theirs")
	known := c.Now()
	c.Advance(time.Hour)
	report(10, "theirs", "ours", "theirs")
	if then, now := asked(known), asked(time.Time{}); then != "2 2" || now != "1 1" {
		t.Errorf("as known then %s, now %s", then, now)
	}
}
