package programs_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

func on(n int) *time.Time {
	at := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n)
	return &at
}

// says gives a step that edits a session.
func says(key string, edit func(n *catalog.NewSession)) func(ctx context.Context, tx *postgres.Tx) error {
	return func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, key)
		if err != nil {
			return err
		}
		n := s.Says()
		edit(&n)
		_, err = programs.PutSessionTx(ctx, tx, key, n, 0)
		return err
	}
}

func dated(from, until int) func(n *catalog.NewSession) {
	return func(n *catalog.NewSession) { n.StartsAt, n.EndsAt = on(from), on(until) }
}

func closed(n *catalog.NewSession) { n.Closed = true }

// dates is an edition E of C00 and C01, one a month, from day 0 to day 60; C01-1 runs from day 10 to day 40.
func dates(t *testing.T, db *postgres.DB) programs.EditionPlan {
	t.Helper()
	c := sequence("C00", "C01")
	p := plan(c)
	p.StartsAt, p.EndsAt = on(0), on(60)
	p.Sessions[0].Opening, p.Sessions[1].Opening = programs.Monthly, programs.Monthly
	inTx(t, db, says("C01-1", dated(10, 40)))
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := publish(ctx, tx, "P", c, programs.New); err != nil {
			return err
		}
		if _, err := programs.PutEditionTx(ctx, tx, "E", p, programs.New); err != nil {
			return err
		}
		_, err := programs.MoveEditionTx(ctx, tx, "E", catalog.InReview, "", 0)
		return err
	})
	return p
}

// What breaks: an edition is on sale, and an officer who moves the dates of one of its sessions, or closes it, makes it one that nobody
// can follow; or she edits what is archived, as if it were there.
func TestASessionOfAnEditionInForceKeepsItOpen(t *testing.T) {
	db := house(t, 2)
	dates(t, db)
	maps := func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.PutExercisesTx(ctx, tx, "C01-1", []catalog.Exercise{{Label: "HW 01", Week: 1, Activity: catalog.Quiz}}, 0)
		return err
	}
	for _, step := range []struct {
		what string
		do   func(ctx context.Context, tx *postgres.Tx) error
		code string
		at   []string
	}{
		{"an edition that is read holds nothing", says("C01-1", closed), "", nil},
		{"but is not published with a session that is closed", moveEdition(catalog.Published), "edition-cannot-be-followed", []string{"/sessions/1/session session-closed"}},
		{"it opens again", says("C01-1", func(n *catalog.NewSession) { n.Closed = false }), "", nil},
		{"and the edition is published", moveEdition(catalog.Published), "", nil},
		{"the session is closed", says("C01-1", closed), "edition-cannot-be-followed", []string{"/closed session-closed"}},
		{"it begins when the edition is over", says("C01-1", dated(60, 70)), "edition-cannot-be-followed", []string{"/starts_at begins-after-end"}},
		{"it is over when the edition begins", says("C01-1", dated(-9, 0)), "edition-cannot-be-followed", []string{"/ends_at over-before-start"}},
		{"it is over when its month comes", says("C01-1", dated(10, 31)), "edition-cannot-be-followed", []string{"/ends_at opens-after-end"}},
		{"a day later it is not", says("C01-1", dated(10, 32)), "", nil},
		{"what opens nothing may change", says("C01-1", func(n *catalog.NewSession) { n.Audience = "master" }), "", nil},
		{"a session that the edition has not", says("C01-2", closed), "", nil},
		{"it is long over, and closed", says("C01-1", dated(-9000, -8000)), "edition-cannot-be-followed", []string{"/ends_at over-before-start"}},
		{"the edition is archived", moveEdition(catalog.Archived), "", nil},
		{"and the session is free", says("C01-1", dated(60, 70)), "", nil},
		{"it is archived", moveSession("C01-1", catalog.Archived), "", nil},
		{"and edited", says("C01-1", dated(60, 80)), "session-archived", nil},
		{"or mapped", maps, "session-archived", nil},
		{"it comes back", moveSession("C01-1", catalog.Drafted), "", nil},
		{"and is edited", says("C01-1", dated(60, 80)), "", nil},
		{"and mapped", maps, "", nil},
	} {
		if code, at := refusal(db, step.do); code != step.code || !reflect.DeepEqual(at, step.at) {
			t.Errorf("%s: %q %q in place of %q %q", step.what, code, at, step.code, step.at)
		}
	}
}

// waits returns when a transaction of this database waits for another one.
func waits(t *testing.T, db *postgres.DB) {
	t.Helper()
	for range 1000 {
		var n int
		if err := db.View(staff, "waiting", func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &n, postgres.Query{Name: "Waiting", SQL: `select count(*) from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`})
		}); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the second transaction did not wait for the first")
}

// What breaks: an edition is published, or its dates are changed, while the dates of its session change; each looks at what was there
// before the other, and nobody can follow what is on sale.
func TestAnEditionAndItsSessionChangeOneAfterTheOther(t *testing.T) {
	later := says("C01-1", dated(45, 55))
	shorter := func(p programs.EditionPlan) func(ctx context.Context, tx *postgres.Tx) error {
		return func(ctx context.Context, tx *postgres.Tx) error {
			p.EndsAt = on(45)
			_, err := programs.PutEditionTx(ctx, tx, "E", p, 0)
			return err
		}
	}
	for name, x := range map[string]struct {
		published, editionFirst bool
		code                    string
		at                      []string
	}{
		"published first":             {false, true, "edition-cannot-be-followed", []string{"/ends_at over-before-start"}},
		"published second":            {false, false, "edition-cannot-be-followed", []string{"/sessions/1/session over-before-start"}},
		"an edition's dates first":    {true, true, "edition-cannot-be-followed", []string{"/starts_at begins-after-end"}},
		"an edition's dates second":   {true, false, "edition-cannot-be-followed", []string{"/sessions/1/session begins-after-end"}},
		"a session nobody waits with": {true, false, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			db := house(t, 2)
			p := dates(t, db)
			edition, session := moveEdition(catalog.Published), says("C01-1", dated(-20, -10))
			if x.published {
				inTx(t, db, edition)
				edition, session = shorter(p), later
			}
			if x.code == "" {
				session = says("C01-1", dated(10, 41))
			}
			first, second := session, edition
			if x.editionFirst {
				first, second = edition, session
			}
			type outcome struct {
				code string
				at   []string
			}
			done := make(chan outcome, 1)
			inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
				if err := first(ctx, tx); err != nil {
					return err
				}
				go func() {
					code, at := refusal(db, second)
					done <- outcome{code, at}
				}()
				waits(t, db)
				return nil
			})
			if got := <-done; got.code != x.code || !reflect.DeepEqual(got.at, x.at) {
				t.Errorf("%q %q in place of %q %q", got.code, got.at, x.code, x.at)
			}
		})
	}
}

// What breaks: what an edition asks of its sessions and what a session in an edition may become are two rules, and between them lies an
// edition that could be followed when it was published, whose sessions were changed as they may, and that is refused as it stands.
func TestWhatIsInForceWouldBePublishedAgain(t *testing.T) {
	db := house(t, 2)
	number := 0
	rapid.Check(t, func(r *rapid.T) {
		number++
		key := fmt.Sprintf("E%d", number)
		day := func(name string) *time.Time {
			if rapid.IntRange(0, 3).Draw(r, name+" is said") == 0 {
				return nil
			}
			return on(rapid.IntRange(-3, 70).Draw(r, name))
		}
		step := func(i int) func(ctx context.Context, tx *postgres.Tx) error {
			from, until, shut := day("starts"), day("ends"), rapid.IntRange(0, 5).Draw(r, "closed") == 0
			if from != nil && until != nil && until.Before(*from) {
				from, until = until, from
			}
			return says(course(i)+"-1", func(n *catalog.NewSession) { n.StartsAt, n.EndsAt, n.Closed = from, until, shut })
		}
		c := sequence("C00", "C01")
		p := plan(c)
		p.Program, p.StartsAt, p.EndsAt = key, on(0), on(rapid.IntRange(20, 60).Draw(r, "edition ends"))
		for i := range p.Sessions {
			p.Sessions[i].Opening = rapid.SampledFrom([]programs.Opening{programs.AtOnce, programs.Monthly, programs.AfterPrevious, programs.OnDate}).Draw(r, "opening")
			if p.Sessions[i].Opening == programs.OnDate {
				p.Sessions[i].OpensAt = on(rapid.IntRange(0, 40).Draw(r, "opens"))
			}
			if code, at := refusal(db, step(i)); code != "" {
				r.Fatal(code, at)
			}
		}
		published, _ := refusal(db, func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := publish(ctx, tx, key, c, programs.New); err != nil {
				return err
			}
			if _, err := programs.PutEditionTx(ctx, tx, key, p, programs.New); err != nil {
				return err
			}
			if _, err := programs.MoveEditionTx(ctx, tx, key, catalog.InReview, "", 0); err != nil {
				return err
			}
			_, err := programs.MoveEditionTx(ctx, tx, key, catalog.Published, "", 0)
			return err
		})
		if published != "" {
			return
		}
		for range rapid.IntRange(1, 4).Draw(r, "edits") {
			code, at := refusal(db, step(rapid.IntRange(0, 1).Draw(r, "session")))
			err := db.InTx(staff, "again", func(ctx context.Context, tx *postgres.Tx) error {
				_, err := programs.PutEditionTx(ctx, tx, key, p, 0)
				return err
			})
			if errors.Is(err, programs.ErrImpossible) || code != "" && code != programs.ErrImpossible.Code {
				r.Fatalf("%s %v, and then %v %+v", code, at, err, fault.From(err).Fields)
			}
		}
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := programs.MoveEditionTx(ctx, tx, key, catalog.Archived, "", 0)
			return err
		})
	})
}

// What breaks: what is over, or closed by hand, is held for ever; or a course is gone that only an edition in force names, since its program
// has another version now.
func TestOnlyWhatIsInForceIsHeld(t *testing.T) {
	db := house(t, 4)
	begin := func(program, edition string, c programs.Content, edit func(p *programs.EditionPlan)) {
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := publish(ctx, tx, program, c, programs.New); err != nil {
				return err
			}
			p := plan(c)
			p.Program = program
			edit(&p)
			if _, err := programs.PutEditionTx(ctx, tx, edition, p, programs.New); err != nil {
				return err
			}
			if _, err := programs.MoveEditionTx(ctx, tx, edition, catalog.InReview, "", 0); err != nil {
				return err
			}
			_, err := programs.MoveEditionTx(ctx, tx, edition, catalog.Published, "", 0)
			return err
		})
	}
	past := dated(-9000, -8000)
	inTx(t, db, says("C02-1", past))
	inTx(t, db, says("C02-2", past))
	begin("P", "OVER", sequence("C00", "C01"), func(p *programs.EditionPlan) { p.StartsAt, p.EndsAt = on(-9000), on(-8000) })
	begin("Q", "E", sequence("C02"), func(*programs.EditionPlan) {})
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := publish(ctx, tx, "Q", sequence("C03"), 0)
		return err
	})
	for _, step := range []struct {
		what string
		do   func(ctx context.Context, tx *postgres.Tx) error
		code string
		at   []string
	}{
		{"a session of an edition that is over", moveSession("C00-1", catalog.Archived), "", nil},
		{"its program", moveProgram(catalog.Archived), "", nil},
		{"a course with a session on sale", moveCourse("C00", catalog.Archived), "course-in-use", []string{" course-in-use"}},
		{"the session is closed", says("C00-2", closed), "", nil},
		{"and then its course goes", moveCourse("C00", catalog.Archived), "", nil},
		{"sessions are over", says("C01-1", past), "", nil},
		{"both", says("C01-2", past), "", nil},
		{"and then their course goes", moveCourse("C01", catalog.Archived), "", nil},
		{"a course that only an edition in force names", moveCourse("C02", catalog.Archived), "course-in-use", []string{" course-in-use"}},
		{"the edition goes", moveEdition(catalog.Archived), "", nil},
		{"and then the course", moveCourse("C02", catalog.Archived), "", nil},
	} {
		if code, at := refusal(db, step.do); code != step.code || !reflect.DeepEqual(at, step.at) {
			t.Errorf("%s: %q %q in place of %q %q", step.what, code, at, step.code, step.at)
		}
	}
}
