package app_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
)

// A roster enrols who is known, invites who is not, and is all or nothing; the same again changes nothing.
func TestARosterGivesSeats(t *testing.T) {
	w := newWorld(t)
	boss, awa, zoe := w.managed("ACME"), w.person("awa@example.org", "Awa"), w.person("zoe@example.org", "Zoé")
	mine := w.order(zoe.ID, w.paid, "mine")
	w.pay(mine, visa)
	w.becomes(mine, sales.Paid)
	o := w.bought(boss.ID, "k", sales.Item{OfferID: w.paid.ID, Quantity: 3})
	apply := func(dry bool, file string) (sales.RosterResult, error) {
		people, err := sales.ReadRoster([]byte(file))
		if err != nil {
			return sales.RosterResult{}, err
		}
		return w.h.Sales.ApplyRoster(context.Background(), sales.Roster{OrderID: o.ID, Line: 1, People: people, DryRun: dry, By: sales.By{PersonID: boss.ID}})
	}
	const file = "\ufeffName;E-Mail\nAwa D.;AWA@example.org\nNée;nee@example.org\nZ;zoe@example.org\n\n"
	for _, dry := range []bool{true, false} {
		r, err := apply(dry, file)
		if err != nil || r.Enrol != 1 || r.Invite != 1 || r.Skip != 1 || r.Keep != 0 || r.Free != 3 || r.Missing != 0 || r.DryRun != dry {
			t.Fatalf("%+v %v", r, err)
		}
		if n := map[bool]int{true: 0, false: 2}[dry]; true {
			w.counts(map[string]int{"select count(*) from sales.seats": n})
		}
	}
	w.verify()
	again, err := apply(false, file)
	if err != nil || again.Enrol+again.Invite != 0 || again.Keep != 2 || again.Skip != 1 {
		t.Errorf("again: %+v %v", again, err)
	}
	w.quiet()
	if w.mailed("nee@example.org") != 1 || w.mailed("awa@example.org") != 1 {
		t.Error("mails:", w.mailed("nee@example.org"), w.mailed("awa@example.org"))
	}
	// However a file is cut or wrong, either all of it holds or nothing is changed.
	for name, x := range map[string]struct{ file, code string }{
		"an address that is none": {"email\nbob@example.org\nbob\n", "bad-email"},
		"the same twice":          {"bob@example.org\nBob@example.org\n", "twice"},
		"no column of addresses":  {"who,what\nbob,x\n", "bad-roster"},
		"nobody":                  {"email\n", "bad-length"},
		"binary":                  {"\x00\x01", "bad-roster"},
		"more than are free":      {"a@x.org\nb@x.org\n", "no-seat-left"},
	} {
		_, err := apply(false, x.file)
		if code(err) != x.code && field(err) != x.code {
			t.Errorf("%s: %v", name, err)
		}
		if x.code == "bad-email" && fault.From(err).Fields[0].Pointer != "line 3" {
			t.Errorf("the place of what is wrong: %+v", fault.From(err).Fields)
		}
	}
	w.counts(map[string]int{"select count(*) from sales.seats": 2, "select count(*) from identity.people where email like '%bob%'": 0})
	if r, err := apply(true, "a@x.org\nb@x.org\n"); err != nil || r.Missing != 1 || r.Others != 2 {
		t.Errorf("%+v %v", r, err)
	}
	nee := w.person("nee@example.org", "Née")
	if n, err := w.h.Sales.Realise(context.Background(), nee.ID); n != 1 || err != nil {
		t.Error(n, err)
	}
	if _, err := w.tryOrder(awa.ID, w.paid, "again"); code(err) != "already-enrolled" {
		t.Error(err)
	}
	w.verify()
}

// Two rosters of the same people, and claims by link, at once: nobody has two seats and none is given twice.
func TestRostersAtOnce(t *testing.T) {
	w := newWorld(t)
	boss := w.managed("ACME")
	o := w.bought(boss.ID, "k", sales.Item{OfferID: w.limited("ROS-1", 100, 999).ID, Quantity: 20})
	k := w.claimLink(o, 1, 20, boss.ID)
	var list []string
	for i := range 20 {
		if list = append(list, fmt.Sprintf("r%d@example.org", i)); i%2 == 0 {
			w.person(list[i], "R")
		}
	}
	people, err := sales.ReadRoster([]byte(strings.Join(list, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := w.h.Sales.ApplyRoster(context.Background(), sales.Roster{OrderID: o.ID, Line: 1, People: people, By: sales.By{PersonID: boss.ID}}); err != nil {
				t.Error(err)
			}
		})
	}
	for i := 0; i < 20; i += 2 {
		p := w.person(list[i], "R")
		group.Go(func() {
			if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, p.ID); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	w.counts(map[string]int{"select count(*) from sales.seats where state = 'claimed'": 10, "select count(*) from sales.seats where state = 'reserved'": 10})
	w.verify()
}
