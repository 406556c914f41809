package exchange_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"cursus/internal/domain/exchange"
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
