package exchange_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exchange"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// edited gives the paper's catalogue with a change.
func edited(t *testing.T, change func(d *exchange.Document)) []byte {
	t.Helper()
	var d exchange.Document
	if err := json.Unmarshal(flirt(t), &d); err != nil {
		t.Fatal(err)
	}
	change(&d)
	raw, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A file takes nothing from the public: what is published stays published, whatever the state that it is given.
func TestAFileTakesNothingFromThePublic(t *testing.T) {
	db := testkit.DB(t)
	take(t, db, flirt(t), false)
	for pointer, change := range map[string]func(d *exchange.Document){
		"/sessions/1/state": func(d *exchange.Document) { d.Sessions[1].State = "draft" },
		"/sessions/7/state": func(d *exchange.Document) { d.Sessions[7].State = "archived" },
		"/courses/2/state":  func(d *exchange.Document) { d.Courses[2].State = "archived" },
		"/programs/0/state": func(d *exchange.Document) {
			d.Programs[0].State, d.Programs[0].Version = "archived", 0
			d.Editions, d.Offers = d.Editions[1:], d.Offers[:0]
		},
	} {
		if fields := refused(t, db, edited(t, change)); !has(fields, pointer, "stays-published", "Line ") {
			t.Errorf("%s: %v", pointer, fields)
		}
	}
	take(t, db, edited(t, func(d *exchange.Document) {
		d.Sessions = d.Sessions[:0]
		d.Editions = d.Editions[:0]
		d.Offers = d.Offers[:0]
	}), false)
	if _, after := export(t, db); string(after) != string(flirt(t)) {
		t.Error("what a file does not name went away")
	}
}

// A workshop day that is planned is changed by a file; one that was held has its cost in the books, and stays.
func TestAHeldDayIsNotChangedByAFile(t *testing.T) {
	db := testkit.DB(t)
	take(t, db, flirt(t), false)
	session := -1
	change := func(more int) []byte { // nobody comes, so that the day costs nothing
		return edited(t, func(d *exchange.Document) {
			for i, s := range d.Sessions {
				if len(s.Days) > 1 {
					session = i
					day := &d.Sessions[i].Days[0]
					day.CostMinor, day.PerHeadMinor, day.Capacity = 0, 0, day.Capacity+more
				}
			}
		})
	}
	if r := take(t, db, change(1), false); r.Same || session < 0 {
		t.Fatal("a planned day was not changed:", r, session)
	}
	err := db.InTx(staff, "hold", func(ctx context.Context, tx *postgres.Tx) error {
		var id string
		if err := tx.Get(ctx, &id, postgres.Query{Name: "first", SQL: `select id from workshops.days order by starts_at limit 1`}); err != nil {
			return err
		}
		_, err := workshops.HoldTx(ctx, tx, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := take(t, db, change(1), false); !r.Same {
		t.Error("the same file again:", r)
	}
	if fields := refused(t, db, change(2)); len(fields) != 1 || !strings.HasSuffix(fields[0].Pointer, "/workshop_days/0") || fields[0].Code != "day-held" || !strings.Contains(fields[0].Detail, "Line ") {
		t.Error(fields)
	}
}

// What breaks: by a file two courses ask for each other, a course asks for one that is nowhere, or a program names a course that nobody
// sees; or a file is refused because a course stands in it before the one that it asks for.
func TestAFileIsJudgedWithTheHouse(t *testing.T) {
	db := testkit.DB(t)
	var public []int // courses that the public sees and that were held against the charter
	var first exchange.Document
	raw := edited(t, func(d *exchange.Document) {
		d.Sessions, d.Programs, d.Editions, d.Offers = d.Sessions[:0], d.Programs[:0], d.Editions[:0], d.Offers[:0]
		for i, c := range d.Courses {
			if c.State == "published" && !c.Unchecked {
				public = append(public, i)
			}
			d.Courses[i].Prerequisites = nil
		}
		first = *d
	})
	if len(public) < 2 {
		t.Fatal(public)
	}
	a, b := public[0], public[1]
	asks := func(i int, key string) func(d *exchange.Document) {
		return func(d *exchange.Document) { d.Courses[i].Prerequisites = []catalog.Prerequisite{{Course: key}} }
	}
	with := func(changes ...func(d *exchange.Document)) []byte {
		var d exchange.Document
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatal(err)
		}
		for _, change := range changes {
			change(&d)
		}
		out, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	take(t, db, raw, false)
	at := func(i int) string { return fmt.Sprintf("/courses/%d/prerequisites/0/course", i) }
	keyA, keyB := first.Courses[a].Key, first.Courses[b].Key
	if fields := refused(t, db, with(asks(a, "NOWHERE"))); !has(fields, at(a), "no-such-course", "Line ") {
		t.Error("nowhere:", fields)
	}
	if fields := refused(t, db, with(asks(a, keyB), asks(b, keyA))); !has(fields, at(a), "prerequisite-cycle", "Line ") || !has(fields, at(b), "prerequisite-cycle", "Line ") {
		t.Error("a cycle in the file:", fields)
	}
	take(t, db, with(asks(a, keyB)), false) // b stands later in the file
	if fields := refused(t, db, with(asks(b, keyA), func(d *exchange.Document) { d.Courses = append(d.Courses[:0:0], d.Courses[b]) })); !has(fields, "/courses/0/prerequisites/0/course", "prerequisite-cycle", "Line ") {
		t.Error("a cycle with the house:", fields)
	}
	take(t, db, with(asks(b, keyA)), false) // turned round: no cycle when all is there
	program := func(d *exchange.Document) {
		var p exchange.Program
		p.Key, p.State, p.Version, p.Title, p.Language = "NEW", "published", 1, catalog.Text{EN: "New"}, "fr"
		p.Parts = []programs.Node{{Course: &programs.CourseRule{Key: "UNSEEN"}}}
		p.Content = p.Tidy()
		d.Programs = append(d.Programs, p)
		d.Courses = append(d.Courses, exchange.Course{Key: "UNSEEN", State: "draft", Draft: catalog.Draft{Collection: d.Collection.Key, Title: catalog.Text{EN: "Unseen"}}})
	}
	if fields := refused(t, db, with(asks(b, keyA), program)); !has(fields, "/programs/0/parts/0/course/key", "course-not-public", "Line ") {
		t.Error("a program of a course that nobody sees:", fields)
	}
}

// What breaks: a session that is archived in the house is other in the file, and the whole import is refused, or the session comes back to
// the public; or by a file it is moved out of an edition that is on sale.
func TestAFileChangesASessionAsTheConsoleDoes(t *testing.T) {
	db := testkit.DB(t)
	late := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	old := exchange.Session{Key: "OLD-1", Course: "PRD", State: "archived", Title: catalog.Text{EN: "Old"}, Kind: catalog.Mooc, Platform: "fun", ThresholdPPM: 500_000, Closed: true}
	with := func(more ...func(d *exchange.Document)) []byte {
		return edited(t, func(d *exchange.Document) {
			d.Sessions = append(d.Sessions, old)
			d.Editions[1].EndsAt = &late
			for _, change := range more {
				change(d)
			}
		})
	}
	there := func() (out exchange.Session) {
		d, _ := export(t, db)
		for _, s := range d.Sessions {
			if s.Key == "OLD-1" {
				out = s
			}
		}
		return out
	}
	take(t, db, with(), false)
	if s := there(); s.State != "archived" || !s.Closed || s.Title.EN != "Old" {
		t.Errorf("%+v", s)
	}
	for _, change := range []func(){
		func() { old.Title.EN = "Older" },
		func() { old.Exercises = []exchange.Exercise{{Label: "HW 01", Week: 1, Activity: catalog.Quiz}} },
		func() { old.State, old.Closed = "draft", false },
	} {
		change()
		take(t, db, with(), false)
		if s := there(); s.State != old.State || s.Closed != old.Closed || s.Title != old.Title || len(s.Exercises) != len(old.Exercises) {
			t.Errorf("%+v in place of %+v", s, old)
		}
	}
	if fields := refused(t, db, with(func(d *exchange.Document) { d.Sessions[0].StartsAt, d.Sessions[0].EndsAt = &late, nil })); !has(fields, "/sessions/0/starts_at", "begins-after-end", "NETWORKS-BASICS-2019") {
		t.Error(fields)
	}
}
