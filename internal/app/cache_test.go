package app_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
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

// walk serves a house over its contract.
func (w *world) walk(h *app.House) *apitest.Walker {
	w.t.Helper()
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
		"catalog.course_versions": "working copies", "catalog.moves": "history", "catalog.session_versions": "history", "catalog.collection_versions": "working copies", "catalog.charters": "rules for authors", "catalog.conformance": "reports for authors",
		"offers.vouchers": "for staff", "offers.voucher_amounts": "for staff", "offers.codes": "secret",
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

// Programs and editions are kept as courses are, and every commit that may change one is seen; what is left of an offer is never kept.
func TestProgramsAreKeptUntilTheyChange(t *testing.T) {
	w := newWorld(t)
	quota := 3
	e := w.program("NET", nil, money.Of(9_000, "EUR"), &quota, 10_000, 5_000)
	w.program("OTHER", nil, money.Of(9_000, "EUR"), nil, 10_000)
	r := w.replica()
	r.settled(w)
	get := func(operation string) string {
		q := r.walker.Example(operation)
		for name, value := range map[string]string{"program": "NET", "edition": e.Key} {
			if _, asked := q.Path[name]; asked {
				q.Path[name] = value
			}
		}
		switch q.Query = ""; operation {
		case "listEditions":
			q.Query = "program=NET"
		case "compareOffers":
			q.Query = "of=" + e.Key
		}
		a := r.walker.Do(t, q)
		if a.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", operation, a.Status, a.Body)
		}
		return string(a.Body)
	}
	reads := []string{"listPrograms", "getProgram", "listEditions", "getEdition"}
	for _, operation := range append(reads, "compareOffers") {
		w.until(operation, func() bool { // what is told of an earlier commit may come late, and drops what is kept
			before := r.h.Kept()
			get(operation)
			return (r.h.Kept() > before) == (operation != "compareOffers")
		})
	}
	rename := func(title string) {
		c := programs.Content{Title: catalog.Text{EN: title}, Language: "fr", Parts: []programs.Node{{Course: &programs.CourseRule{Key: e.sessions[0].CourseKey}}}}
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := programs.SaveDraftTx(ctx, tx, "NET", c, 0)
			for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
				if err == nil {
					_, err = programs.MoveProgramTx(ctx, tx, "NET", to, "", 0)
				}
			}
			return err
		})
	}
	plan := programs.EditionPlan{Program: "NET", Version: 1, Title: catalog.Text{EN: "Renamed in Dakar"}, Lang: "fr"}
	opens := w.clock.Now().AddDate(0, 2, 3).UTC()
	for _, s := range e.sessions {
		plan.Sessions = append(plan.Sessions, programs.SessionPlan{Session: s.Key, Opening: programs.OnDate, OpensAt: &opens})
	}
	starts := w.clock.Now().AddDate(0, 5, 0).UTC()
	for _, c := range []struct {
		what   string
		change func()
		of     []string
		says   string
	}{
		{"a version", func() { rename("Another title") }, reads[:2], "Another title"},
		{"an edition and its openings", func() {
			w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
				_, err := programs.PutEditionTx(ctx, tx, e.Key, plan, 0)
				return err
			})
		}, reads, opens.Format("2006-01-02")},
		{"the dates of a session", func() {
			w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
				return touch(ctx, tx, e.sessions[0].ID, starts)
			})
		}, reads, starts.Format("2006-01-02")},
	} {
		for _, operation := range c.of {
			w.until(operation+" is kept", func() bool { get(operation); return r.h.Kept() > 0 })
			if strings.Contains(get(operation), c.says) {
				t.Fatalf("%s says %q before it changes", operation, c.says)
			}
		}
		c.change()
		for _, operation := range c.of {
			began := time.Now()
			w.until(c.what+" in "+operation, func() bool { return strings.Contains(get(operation), c.says) })
			if took := time.Since(began); took > time.Second { // the clock of the house stands still: nothing grows old by itself
				t.Errorf("%s: %s took %s", operation, c.what, took)
			}
		}
	}
	left := func() string { return get("compareOffers") }
	if !strings.Contains(left(), `"left":3`) {
		t.Fatal(left())
	}
	w.order(w.person("zoe@example.org", "Zoé").ID, e.offer, "k")
	if now := left(); !strings.Contains(now, `"left":2`) {
		t.Error("an order is not seen at once:", now)
	}
	w.clock.Advance(time.Hour) // the order runs out, and nothing is committed
	if now := left(); !strings.Contains(now, `"left":3`) {
		t.Error("an order that ran out still holds a place:", now)
	}
}

// touch moves the start of a session, as the calendar does.
func touch(ctx context.Context, tx *postgres.Tx, session string, starts time.Time) error {
	_, err := tx.Exec(ctx, postgres.Query{Name: "touch", SQL: `update catalog.sessions set starts_at = $2 where id = $1`}, session, starts)
	return err
}

// Pages of any size put together are the whole list, each thing once, in its order, also when something is taken away in between.
func TestPagesOfProgramsAndEditions(t *testing.T) {
	w := newWorld(t)
	var keys []string
	for i := range 7 {
		key := fmt.Sprintf("P%d", i)
		w.program(key, nil, money.Of(9_000, "EUR"), nil, 100)
		keys = append(keys, key)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { // more editions of two programs: with dates, of the same date, without
		at := w.clock.Now().UTC()
		for i, starts := range []*time.Time{&at, &at, nil, new(at.AddDate(0, 1, 0))} {
			for _, key := range []string{"P2", "P3"} {
				plan := programs.EditionPlan{Program: key, Version: 1, Title: catalog.Text{EN: "More"}, Lang: "fr", StartsAt: starts}
				s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: fmt.Sprintf("%s-M%d", key, i), CourseKey: key + "-C0", Title: catalog.Text{EN: "More"}, Platform: "fun"})
				if err != nil {
					return err
				}
				plan.Sessions = []programs.SessionPlan{{Session: s.Key, Opening: programs.AtOnce}}
				name := fmt.Sprintf("%s-E%d", key, i)
				_, err = programs.PutEditionTx(ctx, tx, name, plan, programs.New)
				for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
					if err == nil {
						_, err = programs.MoveEditionTx(ctx, tx, name, to, "", 0)
					}
				}
				if err != nil {
					return err
				}
			}
		}
		_, err := programs.PutEditionTx(ctx, tx, "P0-DRAFT", programs.EditionPlan{Program: "P0", Version: 1, Title: catalog.Text{EN: "A draft"}, Lang: "fr"}, programs.New)
		return err
	})
	rooms := app.NewRooms(w.h)
	var want []string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := programs.EditionsTx(ctx, tx, "")
		for _, e := range all {
			if e.State == catalog.Published {
				want = append(want, e.Key)
			}
		}
		return err
	})
	if len(want) != 15 {
		t.Fatal(want)
	}
	for _, limit := range []int{1, 2, 3, 7, 15, 200} {
		var got, named, of []string
		for p := (page.Request{Limit: limit}); ; {
			some, next, err := rooms.Editions(system, "", p)
			if err != nil || len(some) > limit {
				t.Fatal(len(some), err)
			}
			for _, e := range some {
				got = append(got, e.Key)
			}
			if p.After = next; next == "" {
				break
			}
		}
		for p := (page.Request{Limit: limit}); ; {
			some, next, err := rooms.Editions(system, "P3", p)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range some {
				of = append(of, e.ProgramKey)
			}
			if p.After = next; next == "" {
				break
			}
		}
		for p := (page.Request{Limit: limit}); ; {
			some, next, err := rooms.Programs(system, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range some {
				named = append(named, x.Key)
				if n := len(x.Editions); n != 1 && (n != 5 || x.Key != "P2" && x.Key != "P3") {
					t.Errorf("%s has %d editions", x.Key, n)
				}
			}
			if p.After = next; next == "" {
				break
			}
		}
		if !slices.Equal(got, want) || !slices.Equal(named, keys) || strings.Join(of, "") != strings.Repeat("P3", 5) {
			t.Errorf("in pages of %d: %v\n%v\n%v", limit, got, named, of)
		}
	}
	if some, next, err := rooms.Editions(system, "NOTHING", page.Request{Limit: 5}); err != nil || len(some) != 0 || next != "" {
		t.Error(some, next, err)
	}
}
