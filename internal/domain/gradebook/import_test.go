package gradebook_test

import (
	"bytes"
	"compress/gzip"
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
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

const weeks = "exercise,week,scored\nHW 01,1,Y\nHW 02,1,Y\nHW 03,2,Y\nLab 01,1,Y\nBonus,2,N\n"

func newSession(t interface{ Fatal(...any) }, db *postgres.DB, key string) catalog.Session {
	return newSessionOf(t, db, key, "fun")
}

func newSessionOf(t interface{ Fatal(...any) }, db *postgres.DB, key, platform string) (s catalog.Session) {
	exercises, err := catalog.ReadExerciseMap(strings.NewReader(weeks))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.InTx(system, "session", func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: key, CourseKey: "PRD", Title: catalog.Text{EN: key}, Platform: platform, ThresholdPPM: 500_000, Exercises: exercises})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func day(n int) time.Time { return time.Date(2018, 9, 17+n, 21, 0, 0, 0, time.UTC) }

func countsOf(t interface{ Fatal(...any) }, db *postgres.DB, question journey.Question) (c journey.Counts) {
	if err := db.View(system, "count", func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = journey.CountsTx(ctx, tx, question)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return c
}

func legacy(rows ...string) []byte {
	return []byte("id,username,grade,HW 01,HW 02,HW 03,HW Avg,Lab 01,Bonus,Cohort Name\n" + strings.Join(rows, "\n") + "\n")
}

// One learner each for the edges: grade at the threshold, raise, drop to nought, leaving, return, a bonus that does not
// count, a lab that starts without making diligent, and a column that comes late.
func TestEdgesOfOneSession(t *testing.T) {
	db := testkit.DB(t)
	s := newSession(t, db, "EDGES")
	book := gradebook.New(db, jobs.New(db, nil))
	put := func(n int, content []byte) gradebook.Collection {
		c, err := book.Import(system, gradebook.Intake{SessionID: "EDGES", FileName: fmt.Sprintf("r%d.csv", n), CollectedAt: day(n), Content: content})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	put(0, []byte("id,username,grade,HW 01,Cohort Name\n1,at,0.1,1,A\n2,drop,0.1,0.5,A\n3,leaves,0,0,B\n4,none,0,0,B\n"))
	c := put(1, legacy("1,at,0.5,1,1,1,1,0,0,A", "2,drop,0,0,0,0,0,0,0,A", "4,none,0,0,0,0,0,0,1,B", "5,lab,0.4999999995,0,0,0,0,1,0,B", "bad,x,2,0,0,0,0,0,0,B"))
	if c.LearnersLeft != 1 || c.LearnersNew != 1 || c.RowsRejected != 1 || c.Rejects[0].Line != 6 {
		t.Fatalf("%+v", c)
	}
	if c := put(2, legacy("1,at,0.4,1,1,1,1,0,0,A", "3,leaves,0.9,1,0,1,0,0,0,B", "4,none,0,0,0,0,0,0,1,B", "5,lab,x,0,0,0,0,1,0,B")); c.LearnersBack != 1 || c.LearnersLeft != 1 {
		t.Fatalf("an unreadable row is not an absence: %+v", c)
	}
	for _, w := range []struct {
		question journey.Question
		want     journey.Counts
	}{
		{journey.Question{AsOf: day(0)}, journey.Counts{Enrolled: 4, Started: 2}},
		{journey.Question{AsOf: day(1)}, journey.Counts{Enrolled: 4, Started: 2, Diligent: 1, Succeeded: 2}},
		{journey.Question{AsOf: day(1), Basis: "ever"}, journey.Counts{Enrolled: 5, Started: 3, Diligent: 1, Succeeded: 2}},
		{journey.Question{AsOf: day(2)}, journey.Counts{Enrolled: 4, Started: 3, Diligent: 2, Succeeded: 2}},
		{journey.Question{AsOf: day(2), Week1Rule: "all"}, journey.Counts{Enrolled: 4, Started: 3, Diligent: 1, Succeeded: 2}},
		{journey.Question{Basis: "ever"}, journey.Counts{Enrolled: 5, Started: 4, Diligent: 2, Succeeded: 3}},
	} {
		w.question.SessionID = s.ID
		if got := countsOf(t, db, w.question); got != w.want {
			t.Errorf("%+v: %+v, want %+v", w.question, got, w.want)
		}
	}
	if _, err := book.Import(system, gradebook.Intake{SessionID: "EDGES", FileName: "x.csv", CollectedAt: day(2), Content: legacy("1,at,1,1,1,1,1,1,1,A")}); !errors.Is(err, gradebook.ErrTimeTaken) {
		t.Error(err)
	}
	before := countsOf(t, db, journey.Question{SessionID: s.ID})
	if c, err := book.Import(system, gradebook.Intake{SessionID: "EDGES", FileName: "x.csv", CollectedAt: day(3), Content: legacy("1,at,1,1,1,1,1,1,1,A"), DryRun: true}); err != nil || c.LearnersLeft != 3 {
		t.Error(c, err)
	}
	if after := countsOf(t, db, journey.Question{SessionID: s.ID}); after != before {
		t.Error("a dry run changed", before, after)
	}
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}

// Reports of random content, imported in a random order, answer on every day what they answer when imported in order.
func TestOrderOfImportDoesNotMatter(t *testing.T) {
	db, round := testkit.DB(t), 0
	book := gradebook.New(db, jobs.New(db, nil))
	rapid.Check(t, func(t *rapid.T) {
		round++
		n := rapid.IntRange(2, 4).Draw(t, "reports")
		var reports [][]byte
		for range n {
			var rows []string
			for id := 1; id <= 4; id++ {
				if !rapid.Bool().Draw(t, "present") {
					continue
				}
				cell := func() string { return rapid.SampledFrom([]string{"0", "1", "0.5"}).Draw(t, "cell") }
				rows = append(rows, fmt.Sprintf("%d,u,%s,%s,%s,%s,0,0,0,%s", id, cell(), cell(), cell(), cell(), rapid.SampledFrom([]string{"A", "B"}).Draw(t, "cohort")))
			}
			reports = append(reports, legacy(append(rows, fmt.Sprintf("9,always,0,0,0,0,0,0,0,%d", len(reports)))...))
		}
		order := rapid.Permutation([]int{0, 1, 2, 3}[:n]).Draw(t, "order")
		inOrder, shuffled := newSession(t, db, fmt.Sprintf("O%d", round)), newSession(t, db, fmt.Sprintf("S%d", round))
		for i := range n {
			for s, which := range map[string]int{inOrder.ID: i, shuffled.ID: order[i]} {
				if _, err := book.Import(system, gradebook.Intake{SessionID: s, FileName: "r.csv", CollectedAt: day(which), Content: reports[which]}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for d := -1; d <= n; d++ {
			for _, question := range []journey.Question{{AsOf: day(d)}, {AsOf: day(d), Basis: "ever", Week1Rule: "any"}, {Week1Rule: "all"}} {
				a, b := question, question
				a.SessionID, b.SessionID = inOrder.ID, shuffled.ID
				if x, y := countsOf(t, db, a), countsOf(t, db, b); x != y {
					t.Fatalf("day %d %+v: in order %+v, order %v %+v", d, question, x, order, y)
				}
			}
			for _, cohort := range []string{"A", "B"} {
				var x, y []string
				if err := db.View(system, "cohort", func(ctx context.Context, tx *postgres.Tx) (err error) {
					if x, err = gradebook.CohortTx(ctx, tx, inOrder.ID, cohort, day(d), time.Time{}); err != nil {
						return err
					}
					y, err = gradebook.CohortTx(ctx, tx, shuffled.ID, cohort, day(d), time.Time{})
					return err
				}); err != nil || len(x) != len(y) {
					t.Fatalf("cohort %s on day %d: %d and %d (%v)", cohort, d, len(x), len(y), err)
				}
			}
		}
	})
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}

// Nobody but the house sees people and enrolments; a learner sees herself.
func TestRowsAreHiddenFromOthers(t *testing.T) {
	db := testkit.DB(t)
	newSession(t, db, "WALL")
	if _, err := gradebook.New(db, jobs.New(db, nil)).Import(system, gradebook.Intake{SessionID: "WALL", FileName: "r.csv", CollectedAt: day(0), Content: legacy("1,a,0,0,0,0,0,0,0,A", "2,b,0,0,0,0,0,0,0,A")}); err != nil {
		t.Fatal(err)
	}
	see := func(actor string) (n int, one string) {
		if err := db.View(postgres.WithActor(context.Background(), actor), "see", func(ctx context.Context, tx *postgres.Tx) error {
			var ids []string
			err := tx.Select(ctx, &ids, postgres.Query{Name: "see", SQL: "select learner_id from enrolment.enrolments e join identity.people p on p.id = e.learner_id"})
			if n = len(ids); n > 0 {
				one = ids[0]
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n, one
	}
	n, learner := see("system")
	if n != 2 {
		t.Fatal(n)
	}
	for actor, want := range map[string]int{"staff:1": 2, "learner:" + learner: 1, "learner:per_x": 0, "public": 0, "partner:esp": 0, "": 0} {
		if got, _ := see(actor); got != want {
			t.Errorf("%q sees %d rows, not %d", actor, got, want)
		}
	}
}

// A report that came compressed is found as it came, and read again when an older one comes.
func TestACompressedReportIsKeptAsItCame(t *testing.T) {
	db := testkit.DB(t)
	s := newSession(t, db, "GZ")
	book := gradebook.New(db, jobs.New(db, nil))
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(legacy("1,a,0.5,1,0,0,0,0,0,A"))
	_ = z.Close()
	c, err := book.Import(system, gradebook.Intake{SessionID: s.ID, FileName: "r.csv.gz", CollectedAt: day(2), Content: zipped.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	if name, content, err := book.File(system, s.ID, c.ID); err != nil || name != "r.csv.gz" || !bytes.Equal(content, zipped.Bytes()) {
		t.Error(name, len(content), err)
	}
	if _, err := book.Import(system, gradebook.Intake{SessionID: s.ID, FileName: "r.csv", CollectedAt: day(1), Content: legacy("1,a,0.1,0,0,0,0,0,0,A")}); err != nil {
		t.Error(err)
	}
	if got := countsOf(t, db, journey.Question{SessionID: s.ID}); got.Succeeded != 1 {
		t.Errorf("%+v", got)
	}
}
