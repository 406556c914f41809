package app_test

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// longProgram is 40 courses in four groups of 3 of 5 that hold pairs (1 of 2), each group after one course of the group before.
func longProgram() (c programs.Content) {
	c = programs.Content{Title: catalog.Text{EN: "Forty courses", FR: "Quarante cours"}, Language: "fr"}
	n := 0
	for g := range 4 {
		outer := programs.Group{Title: catalog.Text{EN: fmt.Sprint("Part ", g)}, Need: 3}
		for range 5 {
			inner := programs.Group{Title: catalog.Text{EN: "A choice"}, Need: 1}
			for range 2 {
				rule := programs.CourseRule{Key: courseOf(n), WorkloadHours: 25, ECTSHundredths: 100}
				if g > 0 {
					rule.AfterAny = []string{courseOf(n - 10), courseOf(n - 9 - 2*(n%2))}
				}
				inner.Parts = append(inner.Parts, programs.Node{Course: &rule})
				n++
			}
			outer.Parts = append(outer.Parts, programs.Node{Group: &inner})
		}
		c.Parts = append(c.Parts, programs.Node{Group: &outer})
	}
	return c
}

const withResults = 12

func courseOf(n int) string { return fmt.Sprintf("LONG-%02d", n) }

// longEdition sells an edition of the long program to a learner and imports her results in 12 of its courses, most of them good.
func (w *world) longEdition() (learner, key string) {
	w.t.Helper()
	zoe := w.person("zoe@example.org", "Zoé")
	plan := programs.EditionPlan{Program: "LONG", Lang: "fr"}
	exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHomework 1: Week 1,1\nHomework 2: Week 2,2\n"))
	if err != nil {
		w.t.Fatal(err)
	}
	var sessions []catalog.Session
	var offer offers.Offer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for n := range 40 {
			s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
				Key: courseOf(n) + "-1", CourseKey: courseOf(n), Title: catalog.Text{EN: "Course"}, Platform: "fun", ThresholdPPM: 500_000,
				Exercises: exercises,
			})
			if err != nil {
				return err
			}
			sessions = append(sessions, s)
			plan.Sessions = append(plan.Sessions, programs.SessionPlan{Session: s.Key, Opening: programs.AtOnce})
		}
		if _, err := programs.SaveDraftTx(ctx, tx, "LONG", longProgram(), programs.New); err != nil {
			return err
		}
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if _, err := programs.MoveProgramTx(ctx, tx, "LONG", to, "", 0); err != nil {
				return err
			}
		}
		e, err := programs.PutEditionTx(ctx, tx, "LONG-1", plan, programs.New)
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if err == nil {
				e, err = programs.MoveEditionTx(ctx, tx, "LONG-1", to, "", 0)
			}
		}
		if err != nil {
			return err
		}
		offer, err = offers.CreateTx(ctx, tx, offers.NewOffer{Edition: e.ID, Formula: offers.Qualifying, Price: money.Of(90_000, "EUR")})
		return err
	})
	o := w.order(zoe.ID, offer, "long")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.LinkTx(ctx, tx, zoe.ID, w.session.Platform, "42")
	})
	w.clock.Advance(24 * time.Hour)
	for n := range withResults {
		w.session = sessions[n]
		w.grades(w.clock.Now(), fmt.Sprintf("42,zoe@example.org,zoe,0.%d,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled", 35+3*n))
	}
	w.quiet()
	return zoe.ID, "LONG-1"
}

// statementsOfAPath is how many statements an answer takes: the rules of the version are kept, all else is one.
const statementsOfAPath = 1

// BenchmarkPath asks what comes next and why not in a program of 40 courses with nested choices, for a learner with results: the whole answer
// out of the database, in turn with a transaction of as many bare round trips, and then the engine alone on the same facts.
func BenchmarkPath(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as a server has it
	w := newWorld(b)
	learner, key := w.longEdition()
	var answer paths.Answer
	view := func(fn func(ctx context.Context, tx *postgres.Tx) error) time.Duration {
		began := time.Now()
		if err := w.h.DB.View(system, "path", fn); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	whole := func(ctx context.Context, tx *postgres.Tx) (err error) {
		answer, err = paths.OfLearnerTx(ctx, tx, learner, key)
		return err
	}
	one := postgres.Query{Name: "one", SQL: "select 1"}
	bare := func(ctx context.Context, tx *postgres.Tx) error {
		var n int
		for range statementsOfAPath {
			if err := tx.Get(ctx, &n, one); err != nil {
				return err
			}
		}
		return nil
	}
	for range 100 {
		view(whole)
		view(bare)
	}
	if p := answer.Path; len(p.Courses) != 40 || len(p.Next) == 0 || p.Complete {
		b.Fatalf("%+v", p)
	}
	facts := programs.Facts{Enrolled: map[string]bool{}}
	for n := range 40 {
		facts.Enrolled[courseOf(n)] = true
		if n < withResults {
			grade := 350_000 + 30_000*n
			facts.Results = append(facts.Results, programs.Result{Course: courseOf(n), Session: courseOf(n) + "-1", Passed: grade >= 500_000, GradePPM: &grade, At: w.clock.Now()})
		}
	}
	for range b.N {
		var took, trips, engine [1000]time.Duration
		for i := range took {
			took[i], trips[i] = view(whole), view(bare)
		}
		for i := range engine {
			began := time.Now()
			programs.PathOf(answer.Content, answer.Edition, facts, w.clock.Now())
			engine[i] = time.Since(began)
		}
		for _, all := range [][]time.Duration{took[:], trips[:], engine[:]} {
			slices.Sort(all)
		}
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		b.ReportMetric(ms(took[500]), "p50-ms")
		b.ReportMetric(ms(took[990]), "p99-ms")
		b.ReportMetric(ms(trips[500]), "bare-p50-ms")
		b.ReportMetric(ms(trips[990]), "bare-p99-ms")
		b.ReportMetric(float64(took[500])/float64(trips[500]), "x-bare-p50")
		b.ReportMetric(float64(took[990])/float64(trips[990]), "x-bare-p99")
		b.ReportMetric(ms(engine[500]), "engine-p50-ms")
		b.ReportMetric(ms(engine[990]), "engine-p99-ms")
	}
}
