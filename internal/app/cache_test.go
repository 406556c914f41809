package app_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport"
	"cursus/internal/transport/api/apitest"
)

// replica is one of several processes over one database.
type replica struct {
	h      *app.House
	walker *apitest.Walker
}

func (w *world) replica() replica {
	w.t.Helper()
	h, err := app.Open(context.Background(), w.cfg, app.Options{Clock: w.clock})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = h.Close() })
	return replica{h, w.walk(h)}
}

// walk serves a house and waits until its cache hears of changes.
func (w *world) walk(h *app.House) *apitest.Walker {
	w.t.Helper()
	var server *transport.Server
	server, err := app.NewServer(h, contract.YAML, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	walker, err := apitest.New(contract.YAML, server.Test)
	if err != nil {
		w.t.Fatal(err)
	}
	return walker
}

// title reads the title of the course PRD as the public does.
func (r replica) title(t testing.TB) string {
	t.Helper()
	q := r.walker.Example("getCourse")
	q.Path["course"] = "PRD"
	var c struct{ Title struct{ EN string } }
	a := r.walker.Do(t, q)
	a.JSON(t, &c)
	if a.Status != http.StatusOK {
		t.Fatal(a.Status)
	}
	return c.Title.EN
}

func rename(w *world, h *app.House, title string) {
	w.t.Helper()
	if err := h.DB.InTx(system, "rename", func(ctx context.Context, tx *postgres.Tx) error {
		return catalog.PutCourseTx(ctx, tx, catalog.Course{Key: "PRD", Title: catalog.Text{EN: title}})
	}); err != nil {
		w.t.Fatal(err)
	}
}

// settled waits until a replica keeps answers: only then a test of staleness says something.
func (r replica) settled(w *world) {
	w.t.Helper()
	w.until("the replica keeps answers", func() bool { r.title(w.t); return r.h.Kept() > 0 })
}

// What is changed through one process is seen through another at once, though both keep their answers; and a process that was cut
// off from the news keeps nothing until it hears them again, and then nothing old.
func TestAChangeIsSeenOnEveryReplica(t *testing.T) {
	w := newWorld(t)
	one, two := w.replica(), w.replica()
	one.settled(w)
	two.settled(w)
	for _, title := range []string{"First", "Second", "Third"} {
		rename(w, one.h, title)
		for _, r := range []replica{one, two} {
			began := time.Now()
			w.until("the new title", func() bool { return r.title(t) == title })
			if took := time.Since(began); took > time.Second { // the clock of the house stands still: nothing grows old by itself
				t.Errorf("it took %s", took)
			}
		}
	}
	two.settled(w)
	owner := testkit.Owner(t, w.dsn)
	for i, title := range []string{"Fourth", "Fifth"} {
		var cut int
		if err := owner.QueryRow(`select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name = 'cursus-listener'`).Scan(&cut); err != nil || cut < 2 {
			t.Fatal(cut, err)
		}
		w.until("the loss is noticed", func() bool { return two.h.Kept() == 0 })
		rename(w, w.h, title)
		for range 20 {
			if got := two.title(t); got != title {
				t.Fatalf("cut off for the time %d it shows %q", i+1, got)
			}
		}
		one.settled(w)
		two.settled(w)
		if got := two.title(t); got != title {
			t.Fatalf("after it was cut off it shows %q", got)
		}
	}
}

// The state of a session follows from its dates, also where the answer is kept.
func TestTimeChangesWhatIsKept(t *testing.T) {
	w := newWorld(t)
	until := w.clock.Now().Add(time.Second)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: "PRD-10", CourseKey: "PRD", Title: catalog.Text{EN: "Data networks"}, Platform: "fun", ThresholdPPM: 500_000, EnrolUntil: &until,
		})
		return err
	})
	r := w.replica()
	r.settled(w)
	state := func() string {
		q := r.walker.Example("getSession")
		q.Path["session"] = "PRD-10"
		var s struct{ State string }
		r.walker.Do(t, q).JSON(t, &s)
		return s.State
	}
	before := state()
	w.clock.Advance(time.Second)
	if after := state(); before != "open" || after != "running" && after != "closed" {
		t.Errorf("it was %s and is %s", before, after)
	}
}

// Every table that the public reads tells of its changes; one that does not is named here with the reason.
func TestEveryPublicTableTells(t *testing.T) {
	silent := map[string]string{
		"catalog.course_versions": "working copies", "catalog.moves": "history", "catalog.charters": "rules for authors", "catalog.conformance": "reports for authors",
	}
	var found []struct {
		Name  string `db:"name"`
		Tells bool   `db:"tells"`
	}
	err := testkit.DB(t).View(system, "test", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &found, postgres.Query{Name: "test", SQL: `select schemaname || '.' || tablename as name,
		  exists (select 1 from pg_trigger g where g.tgname = 'tells_public' and g.tgrelid = (quote_ident(schemaname) || '.' || quote_ident(tablename))::regclass) as tells
		  from pg_tables where schemaname in ('catalog', 'programs', 'offers')`})
	})
	if err != nil || len(found) < 10 {
		t.Fatal(len(found), err)
	}
	for _, table := range found {
		if (silent[table.Name] != "") == table.Tells {
			t.Errorf("%s tells: %v. Kept answers hear of a change by the trigger tells_public (migration 00036); give it one, or name the table above with the reason", table.Name, table.Tells)
		}
	}
}
