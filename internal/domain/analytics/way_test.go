package analytics_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// The way of a learner is told as it went: nothing is certified before the exam was passed, though all of it came at one instant; what was said again
// is no step; who left and came back in one instant is there.
func TestTheWayOfALearnerIsToldInItsOrder(t *testing.T) {
	c := clock.NewManual(time.Date(2019, 6, 1, 12, 0, 0, 0, time.UTC))
	db := testkit.Open(t, testkit.OwnerDSN(t), c)
	at := func(day int) time.Time { return time.Date(2019, 5, day, 0, 0, 0, 0, time.UTC) }
	var s catalog.Session
	var id string
	if err := db.InTx(system, "session", func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "X-1", CourseKey: "XC", Title: catalog.Text{EN: "X"}, Platform: "fun", ThresholdPPM: 500_000})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := gradebook.New(db, jobs.New(db, nil)).Import(system, gradebook.Intake{SessionID: s.ID, FileName: "r.csv", CollectedAt: at(1), Content: []byte("id,username,grade,HW 01,Cohort Name\n1,u,0.6,1.0,\n")}); err != nil {
		t.Fatal(err)
	}
	record := func(changes ...journey.Change) {
		t.Helper()
		c.Advance(time.Hour)
		if err := db.InTx(system, "record", func(ctx context.Context, tx *postgres.Tx) error {
			if id == "" {
				all, err := journey.MembersTx(ctx, tx, journey.Question{SessionID: s.ID})
				if err != nil || len(all) != 1 {
					return fmt.Errorf("%v %w", all, err)
				}
				id = all[0]
			}
			for i := range changes {
				changes[i].EnrolmentID, changes[i].Cause = id, "test"
			}
			return journey.RecordTx(ctx, tx, changes)
		}); err != nil {
			t.Fatal(err)
		}
	}
	is := func(stage journey.Stage, day int, reached bool) journey.Change {
		return journey.Change{Stage: stage, At: at(day), Reached: reached}
	}
	way := func(ask analytics.Ask) string {
		t.Helper()
		ask.Params = map[string]string{"enrolment": id}
		f, err := analytics.FigureOf(system, db, "individual_path", ask)
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		for _, r := range f.Rows {
			steps = append(steps, fmt.Sprint(r.Cells[0].At.Day(), " ", r.Cells[1].Text, " ", r.Cells[4].Text))
		}
		return strings.Join(steps, ", ")
	}
	const began = "1 enrolled reached, 1 exercise reached, 1 grade reached, 1 started reached, 1 succeeded reached"
	record(is(journey.Certified, 5, true), is(journey.ExamBooked, 5, true), is(journey.ExamPassed, 5, true), is(journey.ExamSat, 5, true), is(journey.Eligible, 3, true))
	certified := began + ", 3 eligible reached, 5 exam_booked reached, 5 exam_sat reached, 5 exam_passed reached, 5 certified reached"
	if got := way(analytics.Ask{}); got != certified {
		t.Errorf("the exam went\n%s\nnot\n%s", got, certified)
	}
	known := c.Now()
	record(is(journey.Eligible, 5, true), is(journey.Enrolled, 6, true))
	record(is(journey.Enrolled, 7, false))
	record(is(journey.Enrolled, 7, true), is(journey.Certified, 9, false))
	if got, want := way(analytics.Ask{}), certified+", 9 certified lost"; got != want {
		t.Errorf("what was said again, and who came back at once:\n%s\nnot\n%s", got, want)
	}
	if got := way(analytics.Ask{AsOf: at(8), KnownAt: known}); got != certified {
		t.Errorf("as it was known then: %s", got)
	}
}
