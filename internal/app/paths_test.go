package app_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
)

// reaches says of a learner that she reached a stage in a session, in which an order of its own enrols her where none has yet.
func (w *world) reaches(learner, session string, stage journey.Stage) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		e, found, err := enrolment.FindTx(ctx, tx, learner, s.ID)
		if err == nil && !found {
			e.ID, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: learner, SessionID: s.ID, OrderID: "ord_alone_" + session, Formula: "DISCOVERY", Entitlements: []string{"knowledge"}})
		}
		if err != nil {
			return err
		}
		return journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: e.ID, Stage: stage, Reached: true, At: tx.Now(), Cause: "col_test"}})
	})
}

// standings says where a learner stands, course by course, and how many of her sessions are locked.
func (w *world) standings(learner, edition string) (said string, complete bool) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		a, err := paths.OfLearnerTx(ctx, tx, learner, edition)
		if err != nil {
			return err
		}
		locked, err := paths.LockedTx(ctx, tx, learner)
		for _, c := range a.Path.Courses {
			said += c.Course + " " + string(c.Standing) + ", "
			s, _ := a.Edition.SessionOf(c.Course)
			if _, shut := locked[s.SessionID]; shut != (c.Standing == programs.Locked || c.Standing == programs.Upcoming) {
				w.t.Errorf("%s is %s and locked=%v", c.Course, c.Standing, shut)
			}
		}
		said += fmt.Sprint(len(locked), " locked")
		complete = a.Path.Complete
		return err
	})
	return said, complete
}

// From the purchase to the last pass, on the clock: a month opens the next course only for who passed what it builds on, an earlier
// certificate counts for the course that it stands for, and the cohort adds up. Stages are written into the journey by hand here, past the
// exam, so the books are not verified; internal/demo walks the same edition through every door.
func TestAnEditionIsFollowedToItsEnd(t *testing.T) {
	w := newWorld(t)
	starts := w.clock.Now()
	_, offer := w.basics(starts)
	ada, bob, eve := w.person("ada@example.org", "Ada"), w.person("bob@example.org", "Bob"), w.person("eve@example.org", "Eve")
	w.follows(ada.ID, offer, "k-ada")
	w.follows(bob.ID, offer, "k-bob")
	prd := w.session.Key
	for _, step := range []struct {
		months  int
		session string
		stage   journey.Stage
		want    string
	}{
		{0, "", "", "ALDDT open, PRD locked, LAN locked, FTTH locked, 3 locked"},
		{0, "ALDDT-7", journey.Succeeded, "ALDDT done, PRD upcoming, LAN locked, FTTH locked, 3 locked"},
		{1, "", "", "ALDDT done, PRD open, LAN locked, FTTH locked, 2 locked"},
		{2, "", "", "ALDDT done, PRD open, LAN locked, FTTH locked, 2 locked"},
		{2, prd, journey.Succeeded, "ALDDT done, PRD done, LAN open, FTTH locked, 1 locked"},
		{2, "LAN-7", journey.Succeeded, "ALDDT done, PRD done, LAN done, FTTH open, 0 locked"},
		{2, "FIBRE-1", journey.Succeeded, "ALDDT done, PRD done, LAN done, FTTH open, 0 locked"}, // passed, and the rule wants a certificate
		{2, "FIBRE-1", journey.Certified, "ALDDT done, PRD done, LAN done, FTTH done, 0 locked"},
	} {
		w.clock.Advance(starts.AddDate(0, step.months, 0).Sub(w.clock.Now()))
		if step.session != "" {
			w.reaches(ada.ID, step.session, step.stage)
		}
		got, complete := w.standings(ada.ID, "BASICS-1")
		if got != step.want || complete != (step.stage == journey.Certified) {
			t.Errorf("after %d months, %s %s: %s (complete: %v)\nwant %s", step.months, step.session, step.stage, got, complete, step.want)
		}
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := programs.EditionTx(ctx, tx, "BASICS-1")
		if err != nil {
			return err
		}
		c, err := paths.CohortTx(ctx, tx, e)
		if c.Members != 2 || c.Complete != 1 || c.Behind != 1 {
			t.Errorf("%+v", c)
		}
		for i, row := range c.Courses {
			if open := i == 0; row.Done != 1 || row.Open+row.Locked+row.Upcoming != 1 || (row.Open == 1) != open {
				t.Errorf("%+v", row)
			}
		}
		if _, err := paths.OfLearnerTx(ctx, tx, eve.ID, "BASICS-1"); err == nil {
			t.Error("who follows no edition has a path through it")
		}
		return err
	})
}

// What the engine is told of an enrolment in one row is what each room answers for itself: stages, grades, days and productions.
func (w *world) factsAgree() {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		var facts []struct {
			ID         string        `db:"enrolment_id"`
			Reached    journey.State `db:"reached"`
			Succeeded  *time.Time    `db:"succeeded_at"`
			Grade      *int64        `db:"grade"`
			Attended   int           `db:"attended"`
			Production *int          `db:"production_ppm"`
		}
		if err := tx.Select(ctx, &facts, postgres.Query{Name: "facts", SQL: `select enrolment_id, reached, succeeded_at, grade, attended, production_ppm from paths.facts`}); err != nil || len(facts) == 0 {
			w.t.Fatal(len(facts), err)
		}
		for _, f := range facts {
			ways, err := journey.RowsTx(ctx, tx, f.ID)
			if err != nil {
				return err
			}
			grades, err := gradebook.GradesTx(ctx, tx, f.ID)
			if err != nil {
				return err
			}
			worked, err := workshops.CompletionTx(ctx, tx, f.ID)
			if err != nil {
				return err
			}
			way, c := ways[f.ID], worked[f.ID]
			at, succeeded := way.First[journey.Succeeded]
			if f.Reached != way.State || (f.Succeeded != nil) != succeeded || succeeded && !f.Succeeded.Equal(at) {
				w.t.Errorf("%s: the journey says %v %v, the view %v %v", f.ID, way.State, at, f.Reached, f.Succeeded)
			}
			grade, graded := 0, false
			if f.Grade != nil {
				grade, graded = gradebook.GradePPM(*f.Grade)
			}
			if g, ok := grades[f.ID]; ok != graded || ok && g != grade {
				w.t.Errorf("%s: the gradebook says %d %v, the view %d %v", f.ID, g, ok, grade, graded)
			}
			if f.Attended != c.Attended || (f.Production == nil) != (c.ProductionPPM == nil) || f.Production != nil && *f.Production != *c.ProductionPPM {
				w.t.Errorf("%s: the workshops say %+v, the view %d days, %v", f.ID, c, f.Attended, f.Production)
			}
		}
		return nil
	})
}

// A long program with regrades, its facts against those of the rooms; another learner has no path through it, nor facts to see.
func TestTheFactsOfAPathAreThoseOfTheRooms(t *testing.T) {
	w := newWorld(t)
	learner, key := w.longEdition()
	w.factsAgree()
	w.clock.Advance(time.Hour)
	w.grades(w.clock.Now(), "42,zoe@example.org,zoe,0.12,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled") // of the last session: a regrade below its bar
	w.quiet()
	w.factsAgree()
	for actor, sees := range map[string]bool{"learner:" + learner: true, "learner:" + w.person("eve@example.org", "Eve").ID: false, "public": false, "system": true} {
		var n int
		err := w.h.DB.View(postgres.WithActor(context.Background(), actor), "look", func(ctx context.Context, tx *postgres.Tx) error {
			if err := tx.Get(ctx, &n, postgres.Query{Name: "n", SQL: "select count(*) from paths.facts"}); err != nil {
				return err
			}
			_, err := paths.OfLearnerTx(ctx, tx, learner, key)
			return err
		})
		if (err == nil) != sees || !sees && code(err) != "not-a-member" || (n == 40) != sees {
			t.Errorf("%s sees %d facts: %v", actor, n, err)
		}
	}
}
