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

// What a figure says of a session beside its numbers — whether it may still grow, in which week an exercise is, for whom it is, in which order sessions
// come — is what the catalogue said at the time that is asked for: edits of dates, map, audience, and of the course, drafted and published or brought in
// by a file, change no answer of before.
func TestASessionIsWhatWasKnownOfIt(t *testing.T) {
	c := clock.NewManual(time.Date(2019, 6, 1, 12, 0, 0, 0, time.UTC))
	db := testkit.Open(t, testkit.OwnerDSN(t), c)
	book := gradebook.New(db, jobs.New(db, nil))
	put := func(change func(ctx context.Context, tx *postgres.Tx) error) {
		t.Helper()
		if err := db.InTx(system, "edit", change); err != nil {
			t.Fatal(err)
		}
		c.Advance(time.Hour)
	}
	day := func(d int) *time.Time { at := time.Date(2019, 5, d, 0, 0, 0, 0, time.UTC); return &at }
	session := func(key string, from, until int) catalog.NewSession {
		return catalog.NewSession{Key: key, CourseKey: key[:1] + "C", Title: catalog.Text{EN: "First " + key}, Platform: "fun", ThresholdPPM: 500_000, StartsAt: day(from), EndsAt: day(until)}
	}
	maps := func(week int) []catalog.Exercise {
		return []catalog.Exercise{catalog.NewExercise("HW 01", 1), catalog.NewExercise("HW 02", week)}
	}
	put(func(ctx context.Context, tx *postgres.Tx) error {
		for _, key := range []string{"X-1", "Y-1"} {
			if err := catalog.PutCourseTx(ctx, tx, catalog.Course{Key: key[:1] + "C", Title: catalog.Text{EN: key}, Level: "bachelor", Position: 1}); err != nil {
				return err
			}
			n := session(key, 1, 20)
			n.Exercises = maps(2)
			if _, err := catalog.CreateSessionTx(ctx, tx, n); err != nil {
				return err
			}
		}
		return nil
	})
	for _, key := range []string{"X-1", "Y-1"} {
		if _, err := book.Import(system, gradebook.Intake{SessionID: key, FileName: "r.csv", CollectedAt: *day(19), Content: []byte("id,username,grade,HW 01,HW 02\n1,u1,0.6,1.0,0.5\n2,u2,0,0,0\n")}); err != nil {
			t.Fatal(err)
		}
	}
	c.Advance(time.Hour)
	asked := []struct {
		id   string
		with map[string]string
	}{
		{"comparison", nil}, {"indicators", map[string]string{"session": "X-1"}}, {"exercise_quality", map[string]string{"session": "X-1"}}, {"temporal_progression", map[string]string{"session": "X-1"}},
		{"qualifying", nil}, {"dual_enrolment", map[string]string{"session": "X-1"}}, {"certificate_lists", nil}, {"bilan", map[string]string{"session": "X-1"}}, {"difference", map[string]string{"session": "X-1", "other": "Y-1"}},
		{"cohort_heat", nil}, {"skill_gain", nil},
	}
	answers := func(asOf, known time.Time) (out []string) {
		t.Helper()
		for _, a := range asked {
			f, err := analytics.FigureOf(system, db, a.id, analytics.Ask{AsOf: asOf, KnownAt: known, Params: a.with})
			if err != nil {
				t.Fatal(a.id, err)
			}
			var b strings.Builder
			if err := errors.Join(f.JSON(&b), f.CSV(&b)); err != nil {
				t.Fatal(err)
			}
			out = append(out, b.String())
		}
		o, err := analytics.OutcomesOf(system, db, analytics.Question{Session: "X-1", AsOf: asOf, KnownAt: known})
		i, more := analytics.IndicatorsOf(system, db, analytics.Question{Session: "X-1", AsOf: asOf, KnownAt: known})
		if err := errors.Join(err, more); err != nil {
			t.Fatal(err)
		}
		return append(out, fmt.Sprint(o.Title, o.Open, i.Title, i.Open))
	}
	type told struct {
		asOf, known time.Time
		said        []string
	}
	var before []told
	keep := func() {
		for _, asOf := range []time.Time{*day(19), *day(25)} { // open by the first dates, and over
			before = append(before, told{asOf, c.Now(), answers(asOf, c.Now())})
		}
		c.Advance(time.Hour)
	}
	keep()
	put(func(ctx context.Context, tx *postgres.Tx) error {
		n := session("X-1", 3, 30)
		n.Audience, n.Title.EN = "those of the MOOC PRD", "Later"
		_, err := catalog.PutSessionTx(ctx, tx, "X-1", n, 0)
		return err
	})
	keep()
	put(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.PutExercisesTx(ctx, tx, "X-1", maps(3), 0)
		return err
	})
	keep()
	put(func(ctx context.Context, tx *postgres.Tx) error { // a file brings the course as it is now: published, unread
		return catalog.PutCourseTx(ctx, tx, catalog.Course{Key: "YC", Title: catalog.Text{EN: "Y"}, Level: "post_bachelor", Position: 0})
	})
	keep()
	put(func(ctx context.Context, tx *postgres.Tx) error { // a draft changes nothing until it is published
		w, err := catalog.DraftTx(ctx, tx, "YC")
		if err == nil {
			w.Document.Level = "pre_bachelor"
			_, err = catalog.PutDraftTx(ctx, tx, "YC", w.Document, catalog.AnyVersion)
		}
		return err
	})
	keep()
	for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
		put(func(ctx context.Context, tx *postgres.Tx) error {
			_, _, err := catalog.MoveCourseTx(ctx, tx, "YC", to, "", catalog.AnyVersion)
			return err
		})
		keep()
	}
	put(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.CreateSessionTx(ctx, tx, session("Z-1", 1, 40))
		return err
	})
	for k, was := range before {
		for i, said := range answers(was.asOf, was.known) {
			if said != was.said[i] {
				what := "titles and state"
				if i < len(asked) {
					what = asked[i].id
				}
				t.Errorf("%s as of %s, known at step %d, has changed:\n%s\nit was\n%s", what, was.asOf.Format(time.DateOnly), k/2, said, was.said[i])
			}
		}
	}
	// What is known now is what the last step was told, but for what nobody knew then; and the steps differ, or the test would say nothing.
	now := answers(*day(25), time.Time{})
	for want, there := range map[string]bool{"pre_bachelor": strings.Contains(now[0], `"pre_bachelor"`), "Later": strings.Contains(now[len(now)-1], "Latertrue")} {
		if !there {
			t.Errorf("now nothing says %q: %s", want, now)
		}
	}
	for step, want := range map[int]string{1: "bachelor", 7: "post_bachelor", 9: "post_bachelor", 11: "post_bachelor", 13: "pre_bachelor"} {
		if got := before[step].said[0]; !strings.Contains(got, `"text": "`+want+`"`) {
			t.Errorf("at step %d the comparison says nothing of %s: %s", step, want, got)
		}
	}
	if first, second := before[1].said, before[3].said; first[0] == second[0] || !strings.HasSuffix(first[len(first)-1], "false") || !strings.HasSuffix(second[len(second)-1], "true") {
		t.Errorf("the dates made no difference: %s, %s", first[len(first)-1], second[len(second)-1])
	}
}
