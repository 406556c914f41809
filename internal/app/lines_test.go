package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// shelf makes open sessions of one course, each with an offer at a price of its own.
func (w *world) shelf(prices ...int64) (out []offers.Offer) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for i, minor := range prices {
			s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
				Key: fmt.Sprintf("SHELF-%d", i), CourseKey: fmt.Sprintf("SHELF-C%d", i), Title: catalog.Text{EN: "Course"}, Platform: "fun", ThresholdPPM: 500_000,
			})
			if err != nil {
				return err
			}
			o, err := offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Qualifying, Price: money.Of(minor, "EUR")})
			if err != nil {
				return err
			}
			out = append(out, o)
		}
		return nil
	})
	return out
}

// An order of several lines is paid once, invoiced once, and opens all of it; what goes back goes back of every line, to the cent.
func TestAnOrderOfSeveralLines(t *testing.T) {
	w := newWorld(t)
	e := w.program("NET", nil, money.Of(9999, "EUR"), nil, 10000, 5000, 3700)
	shelf := w.shelf(3333, 0)
	zoe := w.person("zoe@example.org", "Zoé")
	items := []sales.Item{{OfferID: e.offer.ID, Quantity: 1}, {OfferID: shelf[0].ID, Quantity: 1}, {OfferID: shelf[1].ID, Quantity: 1}}
	place := func(key string, items ...sales.Item) (sales.Order, error) {
		return w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: zoe.ID, Items: items, Lang: "fr", IdempotencyKey: key})
	}
	o, err := place("k1", items...)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := place("k2", items[2], items[0], items[1]); err != nil || again.ID != o.ID {
		t.Error("the same in another order of its items:", again.ID, err)
	}
	if _, err := place("k3", items[1]); code(err) != "order-open-already" {
		t.Error("a line that waits for its payment in another order:", err)
	}
	if o.Total != money.Of(13332, "EUR") || len(o.Lines) != 3 || o.Title().FR == "" || o.Way != sales.Card {
		t.Fatalf("the order: %+v", o)
	}
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	if n := len(o.Enrolments()); n != 5 || o.Lines[0].MembershipID == "" || o.InvoiceNumber == "" {
		t.Errorf("%d enrolments, %+v", n, o)
	}
	w.verify()
	for _, minor := range []int64{1, 100, 4567} {
		w.refund(o, minor)
		o.Credited.Minor += minor
		w.until("a part went back", func() bool { return w.state(o).Credited.Minor == o.Credited.Minor })
		w.verify()
	}
	w.refund(o, 0)
	o = w.becomes(o, sales.Refunded)
	for _, l := range o.Lines {
		if l.Credited != l.Total {
			t.Errorf("of a refunded order something is left: %+v", l)
		}
	}
	w.verify()
	if _, err := place("k4", items...); err != nil {
		t.Error("after the refund all can be bought again:", err)
	}
}

// field is the code of the first field that an error complains of.
func field(err error) string {
	if f := fault.From(err); err != nil && len(f.Fields) > 0 {
		return f.Fields[0].Code
	}
	return ""
}

// What cannot stand in one order is refused before anything is written.
func TestOrdersThatAreRefused(t *testing.T) {
	w := newWorld(t)
	shelf := w.shelf(3333, 4444)
	zoe := w.person("zoe@example.org", "Zoé")
	var francs offers.Offer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		francs, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: shelf[1].SessionKey, Formula: offers.Qualifying, Price: money.Of(2_900_000, "XOF")})
		return err
	})
	many := make([]sales.Item, 21)
	for i := range many {
		many[i] = sales.Item{OfferID: shelf[0].ID, Quantity: 1}
	}
	for want, items := range map[string][]sales.Item{
		"session-twice": {{OfferID: shelf[0].ID, Quantity: 1}, {OfferID: shelf[0].ID, Quantity: 1}},
		"one-currency":  {{OfferID: shelf[0].ID, Quantity: 1}, {OfferID: francs.ID, Quantity: 1}},
		"no-such-offer": {{OfferID: shelf[0].ID, Quantity: 1}, {OfferID: "off_x", Quantity: 1}},
		"too-many":      many,
		"one-place":     {{OfferID: shelf[0].ID, Quantity: 2}},
		"one-of":        nil,
	} {
		_, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: zoe.ID, Items: items, Lang: "en", IdempotencyKey: want})
		if code(err) != want && field(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	w.counts(map[string]int{"select count(*) from sales.orders": 0, "select count(*) from sales.lines": 0, "select count(*) from payments.payments": 0})
}

// Whatever is in orders and whatever goes back of them, parts are what the ledger says of each enrolment: the walk is random, the
// invariants judge it.
func TestRandomOrdersAddUp(t *testing.T) {
	w := newWorld(t)
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	shelf := w.shelf(61, 99, 3333, 15000)
	e := w.program("NET", nil, money.Of(9999, "EUR"), nil, 10000, 0, 3700)
	all := append(shelf, e.offer)
	for i := range 6 {
		who := w.person(fmt.Sprintf("r%d@example.org", i), "R")
		var items []sales.Item
		for _, at := range r.Perm(len(all))[:1+r.IntN(len(all))] {
			items = append(items, sales.Item{OfferID: all[at].ID, Quantity: 1})
		}
		o, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: who.ID, Items: items, Lang: "en", IdempotencyKey: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		w.pay(o, visa)
		o = w.becomes(o, sales.Paid)
		for range r.IntN(4) {
			left := o.Total.Minor - o.Credited.Minor
			if left == 0 {
				break
			}
			minor := 1 + r.Int64N(left)
			w.refund(o, minor)
			o.Credited.Minor += minor
			w.until("it went back", func() bool { return w.state(o).Credited.Minor == o.Credited.Minor })
		}
	}
	w.verify()
}
