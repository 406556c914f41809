package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/testkit"
)

func (w *world) giveSeatsBack(o sales.Order, key string, lines ...sales.RefundLine) (sales.Order, error) {
	return w.h.Sales.Refund(staffCtx("refunder"), sales.RefundOrder{OrderID: o.ID, Lines: lines, Reason: "fewer came", IdempotencyKey: key})
}

// Seats that nobody was given go back by their number, and their places are free when the money has gone; of a claimed one goes a part,
// or all of it, and then it is hers no more.
func TestSeatsOfAPoolAreGivenBack(t *testing.T) {
	w := newWorld(t)
	boss := w.managed("ACME")
	offer := w.limited("BACK-1", 5, 3333)
	o := w.bought(boss.ID, "k", sales.Item{OfferID: offer.ID, Quantity: 5})
	k := w.claimLink(o, 1, 5, boss.ID)
	awa, zoe, bob := w.person("awa@example.org", "Awa"), w.person("zoe@example.org", "Zoé"), w.person("bob@example.org", "Bob")
	x, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, awa.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.tryOrder(bob.ID, offer, "b"); code(err) != "sold-out" {
		t.Error(err)
	}
	for want, l := range map[string]sales.RefundLine{
		"no-seat-left": {Line: 1, Seats: 5}, "no-such-line": {Line: 2, Seats: 1}, "no-such-seat": {Line: 1, SeatID: "sea_none"}, "invalid-input": {Line: 1, Seats: 1, Minor: 3}, "refund-exceeds-payment": {Line: 1, SeatID: x.ID, Minor: 3334},
	} {
		if _, err := w.giveSeatsBack(o, want, l); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	w.verify()
	if _, err := w.giveSeatsBack(o, "k1", sales.RefundLine{Line: 1, Seats: 2}, sales.RefundLine{Line: 1, SeatID: x.ID, Minor: 1000}); err != nil {
		t.Fatal(err)
	}
	w.until("two seats and a part went back", func() bool { return w.state(o).Credited == money.Of(7666, "EUR") })
	w.verify()
	pools, seats := w.pools(o, boss.ID)
	if pools[0].Free != 2 || pools[0].Returned != 2 || pools[0].Claimed != 1 || len(seats) != 1 {
		t.Errorf("%+v %+v", pools, seats)
	}
	if _, err := w.tryOrder(bob.ID, offer, "b2"); err != nil {
		t.Error("a place that was given back cannot be sold:", err)
	}
	if _, err := w.giveSeatsBack(o, "k2", sales.RefundLine{Line: 1, SeatID: x.ID}); err != nil {
		t.Fatal(err)
	}
	w.until("the rest of the seat went back", func() bool { return w.state(o).Credited == money.Of(9999, "EUR") })
	w.verify()
	w.counts(map[string]int{
		"select count(*) from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id where g.revoked_at is null and e.learner_id = '" + awa.ID + "'": 0,
		"select count(*) from invoicing.documents where kind = 'credit_note'":                                                                                         2,
	})
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, zoe.ID); err != nil {
		t.Error("what is left can be claimed:", err)
	}
	w.verify()
}

// A refund of seats that another person does not agree to leaves them to the pool; while it waits nobody is given them.
func TestARejectedReturnOfSeats(t *testing.T) {
	w := newWorld(t)
	boss := w.managed("ACME")
	o := w.bought(boss.ID, "k", sales.Item{OfferID: w.limited("BACK-2", 10, 30000).ID, Quantity: 3})
	k := w.claimLink(o, 1, 3, boss.ID)
	if _, err := w.giveSeatsBack(o, "k1", sales.RefundLine{Line: 1, Seats: 2}); err != nil {
		t.Fatal(err)
	}
	if pools, _ := w.pools(o, boss.ID); pools[0].Free != 1 || pools[0].Returned != 2 {
		t.Errorf("%+v", pools)
	}
	awa, zoe := w.person("awa@example.org", "Awa"), w.person("zoe@example.org", "Zoé")
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, awa.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, zoe.ID); code(err) != "no-seat-left" {
		t.Error("a seat whose money is on its way back was given:", err)
	}
	w.verify()
	open, err := w.h.Sales.Case(system, o.ID)
	if err != nil || len(open.Refunds) != 1 || open.Refunds[0].State != "proposed" {
		t.Fatal(open.Refunds, err)
	}
	if _, err := w.h.Sales.DecideRefund(staffCtx("another"), open.Refunds[0].ID, false, "no"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, zoe.ID); err != nil {
		t.Error("the pool has not its seats again:", err)
	}
	w.verify()
}

// Whatever is claimed, released, given back by seats or by amounts: all adds up. The walk is random, the invariants judge it.
func TestRandomReturnsAddUp(t *testing.T) {
	w := newWorld(t)
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	boss := w.managed("ACME")
	by := sales.By{PersonID: boss.ID}
	e := w.program("NET", nil, money.Of(9999, "EUR"), nil, 10000, 0, 3700)
	o := w.bought(boss.ID, "k", sales.Item{OfferID: e.offer.ID, Quantity: 6}, sales.Item{OfferID: w.paid.ID, Quantity: 5})
	links := []sales.ClaimLink{w.claimLink(o, 1, 6, boss.ID), w.claimLink(o, 2, 5, boss.ID)}
	var people []identity.Person
	for i := range 5 {
		people = append(people, w.person(fmt.Sprintf("w%d@example.org", i), "W"))
	}
	for i := range 30 {
		_, seats := w.pools(o, boss.ID)
		var err error
		line, key := 1+r.IntN(2), fmt.Sprint("k", i)
		switch n := r.IntN(6); {
		case n < 2:
			_, err = w.h.Sales.ClaimSeat(context.Background(), links[line-1].Token, people[r.IntN(len(people))].ID)
		case n == 2 && len(seats) > 0:
			err = w.h.Sales.ReleaseSeat(context.Background(), o.ID, seats[r.IntN(len(seats))].ID, by)
		case n == 3:
			_, err = w.giveSeatsBack(o, key, sales.RefundLine{Line: line, Seats: 1 + r.IntN(2)})
		case n == 4 && len(seats) > 0:
			x := seats[r.IntN(len(seats))]
			_, err = w.giveSeatsBack(o, key, sales.RefundLine{Line: x.Line, SeatID: x.ID, Minor: r.Int64N(2) * (1 + r.Int64N(2000))})
		case n == 5:
			_, err = w.giveSeatsBack(o, key, sales.RefundLine{Line: line, Minor: 1 + r.Int64N(3000)})
		}
		switch code(err) {
		case "", "claim-link-over", "no-seat-left", "already-enrolled", "refund-exceeds-payment", "order-not-paid", "no-seats-to-give", "no-such-seat":
		default:
			t.Fatal(code(err), err)
		}
		if r.IntN(3) == 0 {
			w.quiet()
		}
	}
	w.until("all refunds are booked", func() bool {
		c, err := w.h.Sales.Case(system, o.ID)
		for _, x := range c.Refunds {
			if x.State == "requested" || x.State == "pending" {
				return false
			}
		}
		return err == nil
	})
	w.verify()
}

// Seats that say they were returned and were not are found.
func TestBrokenReturnsAreFound(t *testing.T) {
	w := newWorld(t)
	boss := w.managed("ACME")
	o := w.bought(boss.ID, "k", sales.Item{OfferID: w.limited("BACK-3", 10, 3333).ID, Quantity: 3})
	if _, err := w.giveSeatsBack(o, "k1", sales.RefundLine{Line: 1, Seats: 1}); err != nil {
		t.Fatal(err)
	}
	w.until("it went back", func() bool { return w.state(o).Credited.Minor == 3333 })
	w.verify()
	owner := testkit.Owner(t, w.dsn)
	for _, x := range [][2]string{
		{"update sales.lines set returned = 2", "update sales.lines set returned = 1"},
		{"update sales.seats set state = 'returning'", "update sales.seats set state = 'returned'"},
	} {
		byHand(t, owner, x[0])
		broken, err := w.h.Verify(system)
		if err != nil || len(broken) == 0 {
			t.Error(x[0], broken, err)
		}
		byHand(t, owner, x[1])
	}
	w.verify()
}
