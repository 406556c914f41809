package app_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/lms"
	"cursus/internal/flows"
	"cursus/internal/gateways/openedx"
	"cursus/internal/gateways/openedxdouble"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/page"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// prdWeeks is the structure of MOOC PRD, session 7: HW 01–07 are week 1, HW 08 is the first of week 2, Lab n and TD n
// belong to week n. Which of the later HW is in week 2 or after does not matter to any figure below.
const prdWeeks = `exercise,week
HW 01,1
HW 02,1
HW 03,1
HW 04,1
HW 05,1
HW 06,1
HW 07,1
HW 08,2
Lab 01,1
Lab 02,2
Lab 03,3
Lab 04,4
Lab 05,5
TD 01,1
TD 02,2
TD 03,3
TD 04,4
TD 05,5
`

func realReports(t testing.TB) []string {
	folder := os.Getenv("CURSUS_REAL_DATA")
	if folder == "" {
		folder = "../../../shared/data"
	}
	files, err := filepath.Glob(filepath.Join(folder, "prd-session-7", "*_grade_report_*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("the real grade reports are not at ../shared/data; set CURSUS_REAL_DATA")
		}
		t.Skip("the real grade reports are not at ../shared/data; set CURSUS_REAL_DATA")
	}
	sort.Strings(files)
	return files
}

func at(date string) time.Time {
	t, err := time.Parse("2006-01-02", date)
	if err != nil {
		panic(err)
	}
	return t.Add(24*time.Hour - time.Second)
}

// realSession is the session of the real reports, on a clock of the test.
func realSession(t *testing.T, c clock.Clock) (*postgres.DB, catalog.Session) {
	t.Helper()
	db := testkit.Open(t, testkit.OwnerDSN(t), c)
	exercises, err := catalog.ReadExerciseMap(strings.NewReader(prdWeeks))
	if err != nil {
		t.Fatal(err)
	}
	var session catalog.Session
	if err := db.InTx(system, "session", func(ctx context.Context, tx *postgres.Tx) (err error) {
		session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-7", CourseKey: "PRD", Title: catalog.Text{EN: "PRD session 7"},
			Platform: "fun", PlatformKey: courseKey, ThresholdPPM: 500_000, Exercises: exercises})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return db, session
}

// Nine weekly reports of a real session, imported newest first: every figure of the definition of the metrics.
func TestRealReports(t *testing.T) {
	files := realReports(t)
	db, session := realSession(t, testkit.Clock())
	book := gradebook.New(db, jobs.New(db, nil))
	began := time.Now()
	rows := 0
	for _, i := range []int{0, 1, 2, 3, 8, 5, 4, 6, 7} { // out of order on purpose: the order must not matter
		content, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		c, err := book.Import(system, gradebook.Intake{SessionID: session.ID, FileName: files[i], Content: content})
		if err != nil || c.RowsRejected != 0 || c.Replayed {
			t.Fatal(c, err)
		}
		rows += c.RowsRead
		if again, err := book.Import(system, gradebook.Intake{SessionID: session.ID, FileName: files[i], Content: content}); err != nil || !again.Replayed {
			t.Fatal(again, err)
		}
	}
	t.Logf("%d rows in %v", rows, time.Since(began).Round(time.Millisecond))
	realFigures(t, db, session, book)
}

// gradebookOf is what a platform would say at the time of a report: its gradebook, and who is enrolled.
func gradebookOf(t *testing.T, content []byte) (all []openedxdouble.Grade) {
	t.Helper()
	in := csv.NewReader(bytes.NewReader(content))
	lines, err := in.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cohort := slices.Index(lines[0], "Cohort Name")
	for _, line := range lines[1:] {
		id, err := strconv.ParseInt(line[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		g := openedxdouble.Grade{UserID: id, User: line[1], Percent: json.Number(line[2])}
		if line[cohort] == "PRO" {
			g.Cohort = 12
		}
		for c := 3; c < cohort; c++ {
			if !strings.HasSuffix(lines[0][c], "Avg") {
				g.Sections = append(g.Sections, openedxdouble.Section{Label: lines[0][c], Percent: json.Number(line[c]), Attempted: line[c] != "0"})
			}
		}
		all = append(all, g)
	}
	return all
}

// The same nine collections as a platform says them in its API, collected each week by the schedule of the session: the same figures.
func TestRealReportsCollectedOnSchedule(t *testing.T) {
	files := realReports(t)
	first, ok := sheet.MadeAt(files[0])
	if !ok {
		t.Fatal(files[0])
	}
	c := clock.NewManual(first)
	db, session := realSession(t, c)
	double, err := openedxdouble.Open(openedxdouble.Config{ClientID: "cursus", ClientSecret: "client secret", Worker: "worker", Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(double)
	t.Cleanup(server.Close)
	gate, err := openedx.New(openedx.Options{Inside: []string{strings.TrimPrefix(server.URL, "http://")}, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	j := jobs.New(db, nil)
	platforms, err := lms.New(db, j, gate, []byte(strings.Repeat("k", 32)), lms.Options{Sleep: func(context.Context, time.Duration) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	book := gradebook.New(db, j)
	jobs.Register(j, func(ctx context.Context, e gradebook.CollectDue) error {
		err := book.Collect(ctx, e, flows.PageOf(platforms))
		if err != nil {
			t.Error(err)
		}
		return err
	})
	jobs.Register(j, func(context.Context, gradebook.Imported) error { return nil })
	if _, err := platforms.Put(system, "fun", 0, lms.NewPlatform{BaseURL: server.URL, Auth: lms.OAuth2, ClientID: "cursus", Secret: "client secret", PerMinute: 60000}); err != nil {
		t.Fatal(err)
	}
	if _, err := book.PutSchedule(system, session.Key, 0, gradebook.NewSchedule{EveryDays: 1, NextAt: first, Cohorts: []gradebook.PullCohort{{ID: 12, Name: "PRO"}}}); err != nil {
		t.Fatal(err)
	}
	active := map[string]bool{}
	for i, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := sheet.MadeAt(name)
		c.Advance(at.Sub(c.Now()))
		all := gradebookOf(t, content)
		left := maps.Clone(active)
		for k, g := range all {
			delete(left, g.User)
			if !active[g.User] {
				double.Put(openedxdouble.Enrolment{User: g.User, Course: courseKey, Mode: "honor", Active: true})
			}
			active[g.User] = true
			all[k].Fails = i == 1 && k == 0 // whose grade is not there is not gone
		}
		for user, was := range left {
			if was {
				double.Put(openedxdouble.Enrolment{User: user, Course: courseKey, Mode: "honor"})
			}
			active[user] = false
		}
		double.SetGrades(courseKey, all)
		if n, err := book.AskCollections(system); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if err := j.Drain(system); err != nil {
			t.Fatal(err)
		}
		if s, err := book.ScheduleOf(system, session.Key); err != nil || s.LastAt == nil || !s.LastAt.Equal(at) || s.Failure != "" || !s.NextAt.After(at) {
			t.Fatalf("%+v %v", s, err)
		}
	}
	realFigures(t, db, session, book)
}

// realFigures are those of the definition of the metrics, whichever way the nine collections came.
func realFigures(t *testing.T, db *postgres.DB, session catalog.Session, book *gradebook.Service) {
	t.Helper()
	ctx := system
	count := func(question journey.Question, cohort string) (c journey.Counts) {
		question.SessionID = session.ID
		if err := db.View(ctx, "count", func(ctx context.Context, tx *postgres.Tx) (err error) {
			if cohort != "" {
				if question.Enrolments, err = gradebook.CohortTx(ctx, tx, session.ID, cohort, question.AsOf, question.KnownAt); err != nil {
					return err
				}
			}
			c, err = journey.CountsTx(ctx, tx, question)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, w := range []struct {
		date                                                 string
		enrolled, enrolledEver, started, startedEver         int64
		all, first, any, none, pro, proStart, proDilig, proE int64
	}{
		{"2018-09-17", 5172, 5172, 6, 6, 0, 0, 0, 1, 8, 5, 0, 0},
		{"2018-09-26", 5671, 5717, 716, 716, 0, 0, 0, 1, 25, 21, 0, 0},
		{"2018-10-10", 6205, 6316, 1154, 1176, 259, 277, 282, 287, 35, 32, 17, 1},
		{"2018-10-24", 6694, 6853, 1354, 1399, 343, 365, 373, 378, 37, 33, 18, 3},
		{"2018-10-31", 6948, 7131, 1444, 1496, 376, 398, 408, 414, 41, 36, 22, 3},
	} {
		now, ever := count(journey.Question{AsOf: at(w.date)}, ""), count(journey.Question{AsOf: at(w.date), Basis: "ever"}, "")
		pro := count(journey.Question{AsOf: at(w.date)}, "PRO")
		got := [12]int64{now.Enrolled, ever.Enrolled, now.Started, ever.Started, 0, 0, 0, 0, pro.Enrolled, pro.Started, pro.Diligent, pro.Succeeded}
		for i, rule := range []string{"all", "first", "any", "none"} {
			got[4+i] = count(journey.Question{AsOf: at(w.date), Week1Rule: rule}, "").Diligent
		}
		want := [12]int64{w.enrolled, w.enrolledEver, w.started, w.startedEver, w.all, w.first, w.any, w.none, w.pro, w.proStart, w.proDilig, w.proE}
		if got != want {
			t.Errorf("%s: %v, want %v", w.date, got, want)
		}
	}
	if now, last := count(journey.Question{}, ""), count(journey.Question{AsOf: at("2018-10-31")}, ""); now != last {
		t.Errorf("now %+v, as of the last report %+v", now, last)
	}
	collections, err := book.Collections(ctx, session.ID)
	if err != nil || len(collections) != 9 {
		t.Fatal(collections, err)
	}
	// Figures 2 and 3, as the API, the pages and the command answer them.
	figure := func(id, mode string) analytics.Figure {
		ask := analytics.Ask{Params: map[string]string{"session": session.Key, "mode": mode}}
		f, err := analytics.FigureOf(ctx, db, id, ask)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	quality, first, last := figure("exercise_quality", ""), figure("temporal_progression", "first_done"), figure("temporal_progression", "last_change")
	counted := func(f analytics.Figure, label string) (got [9]int64) {
		for _, r := range f.Rows {
			for i, c := range collections {
				if at := r.Cells[2].At; r.Cells[0].Text == label && at != nil && at.Equal(c.CollectedAt) {
					got[i] = *r.Cells[3].Count
				}
			}
		}
		return got
	}
	banded := func(label string) (got [4]int64) {
		for _, r := range quality.Rows {
			for i := range got {
				if r.Cells[0].Text == label {
					got[i] = r.Cells[4+i].Rate.Count
				}
			}
		}
		return got
	}
	for label, want := range map[string]string{
		"HW 01": "[1 682 340 89 105 96 17 41 23] [1 681 341 89 105 96 17 41 23] [0 53 0 1341]",
		"HW 08": "[1 0 236 50 50 43 10 20 7] [1 0 236 46 52 45 9 21 7] [40 78 70 229]",
	} {
		if got := fmt.Sprint(counted(first, label), counted(last, label), banded(label)); got != want {
			t.Errorf("%s: %s, want %s", label, got, want)
		}
	}
	form := map[string]int64{} // the yearly form of the institute
	for _, r := range figure("bilan", "").Rows {
		if r.Cells[2].Count != nil {
			form[r.Cells[0].Text] = *r.Cells[2].Count
		}
	}
	// The total of an exercise is the bubble in which the paper reads its diligent learners, and the last line is that of the grade.
	totals := map[string]analytics.Rate{}
	for _, r := range first.Rows {
		if r.Summary {
			totals[r.Cells[0].Text] = *r.Cells[4].Rate
		}
	}
	if hw1, hw8, n := totals["HW 01"], totals["HW 08"], totals["succeeded"]; hw1.Count != 1394 || hw8.Count != 417 || hw8.Of != 7131 || n.Count != form["E2"] {
		t.Errorf("the totals are %v, %v, %v", hw1, hw8, n)
	}
	if got := fmt.Sprint(first.Base[0].N, first.Base[1].N); got != "7131 1496" {
		t.Error("the figures are of", got)
	}
	if form["A1"] != 6948 || form["ACT"] != 1444 || form["C2"] != 414 || form["E3"] != form["E1"]+form["E2"] {
		t.Errorf("the form says %v", form)
	}
	// Who stands behind a bubble, and behind a band, is as many as it says.
	behind := func(who analytics.WhoDid) map[string]bool {
		seen := map[string]bool{}
		if err := db.View(ctx, "doers", func(ctx context.Context, tx *postgres.Tx) error {
			for p := (page.Request{Limit: 200}); ; {
				all, next, err := analytics.DoersTx(ctx, tx, who, p)
				for _, d := range all {
					seen[d.EnrolmentID] = true
				}
				if p.After = next; err != nil || next == "" {
					return err
				}
			}
		}); err != nil {
			t.Errorf("%+v: %v", who, err)
		}
		return seen
	}
	for want, who := range map[int]analytics.WhoDid{
		340: {Exercise: "HW 01", CollectedAt: collections[2].CollectedAt}, 46: {Exercise: "HW 08", CollectedAt: collections[3].CollectedAt, Mode: "last_change"},
		229: {Exercise: "HW 08", Band: "above_075"}, 1394: {Exercise: "HW 01"},
	} {
		who.Session = session.Key
		if seen := behind(who); len(seen) != want {
			t.Errorf("%+v: %d learners, want %d", who, len(seen), want)
		}
	}
	// So is who succeeded by the grade, at each report and as it is known: the number leads to them.
	led := 0
	for _, c := range collections {
		f, err := analytics.FigureOf(ctx, db, "temporal_progression", analytics.Ask{AsOf: c.CollectedAt, Params: map[string]string{"session": session.Key}})
		if err != nil || len(f.Rows) == 0 {
			t.Fatal(c.CollectedAt, err)
		}
		cell := f.Rows[len(f.Rows)-1].Cells[3]
		if *cell.Count == 0 {
			continue
		}
		if cell.Who == nil {
			t.Fatalf("as of %s the line of the grade leads to nobody", c.CollectedAt)
		}
		led++
		if seen := behind(*cell.Who); int64(len(seen)) != *cell.Count {
			t.Errorf("as of %s %d succeeded by the figure, %d are listed", c.CollectedAt, *cell.Count, len(seen))
		}
	}
	if led < 2 {
		t.Errorf("only %d reports have somebody who succeeded", led)
	}
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
	if marker := os.Getenv("CURSUS_ACCEPTANCE_MARKER"); marker != "" && !t.Failed() {
		f, err := os.OpenFile(marker, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintln(f, t.Name())
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
