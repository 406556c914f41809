package gradebook_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/testkit"
)

// What the books hold and the facts do not say is found, told, and left as it is until somebody mends it.
func TestARecheckFindsWhatDiffersAndMendsNothing(t *testing.T) {
	c := testkit.Clock()
	dsn := testkit.OwnerDSN(t)
	db, owner := testkit.Open(t, dsn, c), testkit.Owner(t, dsn)
	s := newSession(t, db, "RECHECK")
	newSession(t, db, "EMPTY")
	book := gradebook.New(db, jobs.New(db, nil))
	if _, err := book.Import(system, gradebook.Intake{SessionID: s.ID, FileName: "r.csv", CollectedAt: day(1), Content: legacy("1,ada,0.6,1,1,1,1,0,0,A", "2,bob,0.1,0,0,0,0,0,0,A")}); err != nil {
		t.Fatal(err)
	}
	recheck := func() gradebook.Recheck {
		t.Helper()
		out, err := book.Recheck(system, "RECHECK")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if all, _, err := book.Rechecks(system, page.Request{Limit: 10}); err != nil || len(all) != 2 || all[1].CheckedAt != nil {
		t.Fatalf("%+v %v", all, err)
	}
	if out := recheck(); out.Differences != 0 || out.Learners != 2 || out.CheckedAt == nil || out.Pending || out.DiffersSince != nil {
		t.Fatalf("%+v", out)
	}
	id := func(learner string) (id string) {
		t.Helper()
		if err := owner.QueryRow(`select m.enrolment_id from gradebook.members m join journey.enrolments e using (enrolment_id) where (e.succeeded_at is not null) = ($1 = 'ada')`, learner).Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	ada, bob := id("ada"), id("bob")
	for name, plant := range map[string]struct {
		do, undo string
		args     []any
		kinds    []string
	}{
		"a stage that no score says": {`insert into journey.changes (enrolment_id, session_id, stage, reached, at, recorded_at, cause) select $1, session_id, 'succeeded', true, known_at, known_at, 'planted' from journey.enrolments where enrolment_id = $1`,
			`delete from journey.changes where enrolment_id = $1 and cause = 'planted'`, []any{bob}, []string{gradebook.StageDiffers, gradebook.RowDiffers}},
		"a time at which nothing happened": {`update journey.enrolments set started_at = started_at - interval '1 day' where enrolment_id = $1`,
			`update journey.enrolments set started_at = started_at + interval '1 day' where enrolment_id = $1`, []any{ada}, []string{gradebook.RowDiffers}},
		"a count that nobody made": {`update gradebook.runs set learners = learners + 1 where session_id = $1 and column_id = (select min(column_id) from gradebook.runs)`,
			`update gradebook.runs set learners = learners - 1 where session_id = $1 and column_id = (select min(column_id) from gradebook.runs)`, []any{s.ID}, []string{gradebook.RunDiffers}},
	} {
		t.Run(name, func(t *testing.T) {
			c.Advance(time.Hour)
			since := c.Now()
			unguarded(t, owner, plant.do, plant.args...)
			first := recheck()
			c.Advance(time.Hour)
			again := recheck()
			if first.Differences == 0 || again.Differences != first.Differences || again.DiffersSince == nil || !again.DiffersSince.Equal(since) {
				t.Fatalf("%+v, then %+v", first, again)
			}
			seen := map[string]bool{}
			for _, d := range again.Examples {
				seen[d.Kind] = true
			}
			for _, kind := range plant.kinds {
				if !seen[kind] || len(seen) != len(plant.kinds) {
					t.Errorf("%+v, want %v", again.Examples, plant.kinds)
				}
			}
			if f, err := book.Figures(system); err != nil || f.Differing != 1 {
				t.Errorf("%+v %v", f, err)
			}
			unguarded(t, owner, plant.undo, plant.args...)
			if out := recheck(); out.Differences != 0 || out.DiffersSince != nil {
				t.Errorf("%+v", out)
			}
		})
	}
	var told int
	if err := owner.QueryRow(`select count(*) from platform.audit where action = 'stages.differ' and object = $1`, s.ID).Scan(&told); err != nil || told != 6 {
		t.Errorf("%d acts say that it differs, want 6: %v", told, err)
	}
	// By itself: the session that nobody compared for the longest time, once a day; a session without learners never.
	for i, want := range []bool{false, true, false} {
		if i == 1 {
			c.Advance(24*time.Hour + time.Minute)
		}
		if asked, err := book.AskRecheck(system); err != nil || asked != want {
			t.Errorf("%d: asked %v, want %v: %v", i, asked, want, err)
		}
	}
	if out, err := book.RecheckOf(system, "RECHECK"); err != nil || !out.Pending {
		t.Errorf("%+v %v", out, err)
	}
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}

// unguarded does as the owner what no role of the house may do: history is only ever added to.
func unguarded(t *testing.T, owner *sql.DB, statement string, args ...any) {
	t.Helper()
	tx, err := owner.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec(`set local session_replication_role = replica`); err != nil { // without triggers
		t.Fatal(err)
	}
	if n, err := tx.Exec(statement, args...); err != nil {
		t.Fatal(err)
	} else if rows, err := n.RowsAffected(); err != nil || rows != 1 {
		t.Fatal(rows, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}
