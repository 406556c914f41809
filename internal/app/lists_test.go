package app_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// pagesMakeTheWhole reads a list whole, and again in pages of one and of two, and wants the same in the same order each time.
func pagesMakeTheWhole[T any](t *testing.T, name string, least int, id func(T) string, list func(page.Request) ([]T, string, error)) (whole []string) {
	t.Helper()
	read := func(limit int) (ids []string) {
		for r := (page.Request{Limit: limit}); len(ids) < 1000; {
			all, next, err := list(r)
			if err != nil || len(all) > limit {
				t.Fatal(name, len(all), err)
			}
			for _, x := range all {
				ids = append(ids, id(x))
			}
			if next == "" {
				return ids
			}
			r.After = next
		}
		t.Fatal(name, "does not end")
		return nil
	}
	if whole = read(page.MaxLimit); len(whole) < least {
		t.Errorf("%s: only %v", name, whole)
	}
	for limit := 1; limit <= 2; limit++ {
		if parts := read(limit); !slices.Equal(parts, whole) {
			t.Errorf("%s, %d at a time: %v, whole %v", name, limit, parts, whole)
		}
	}
	return whole
}

// Lists of commerce that may grow long go on where a page of them ends, also where many things have the same time.
func TestListsOfCommerceGoOn(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	awa, zoe := w.person("awa@example.org", "Awa"), w.person("zoe@example.org", "Zoé")

	// Where somebody waits.
	for i := range 3 {
		var o offers.Offer
		one := 1
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.ID, Formula: offers.Qualifying, Price: money.Of(10_000, []money.Currency{"USD", "GBP", "CHF"}[i]), Quota: &one})
			return err
		})
		w.order(w.person(fmt.Sprintf("last%d@example.org", i), "L").ID, o, fmt.Sprint("last", i))
		if _, err := w.h.Sales.Wait(ctx, o.ID, zoe.ID); err != nil {
			t.Fatal(err)
		}
	}
	pagesMakeTheWhole(t, "waits", 3, func(x sales.Waiting) string { return x.ID }, func(r page.Request) ([]sales.Waiting, string, error) { return w.h.Sales.Waits(ctx, zoe.ID, r) })

	// The links of a pool, and its history: five seats are claimed at the same time.
	boss := w.managed("ACME")
	pool := w.bought(boss.ID, "pool", sales.Item{OfferID: w.limited("LISTS-1", 10, 900).ID, Quantity: 7})
	by := sales.By{PersonID: boss.ID}
	for i := range 3 {
		k := w.claimLink(pool, 1, 7-i, boss.ID)
		for n := range 2 {
			if _, err := w.h.Sales.ClaimSeat(ctx, k.Token, w.person(fmt.Sprintf("seat%d%d@example.org", i, n), "S").ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	pagesMakeTheWhole(t, "links", 3, func(x sales.ClaimLink) string { return x.ID }, func(r page.Request) ([]sales.ClaimLink, string, error) {
		return w.h.Sales.ClaimLinks(ctx, pool.ID, by, r)
	})
	history := pagesMakeTheWhole(t, "history", 9, func(x sales.Happening) string { return fmt.Sprint(x.At, x.What, x.Detail) }, func(r page.Request) ([]sales.Happening, string, error) {
		return w.h.Sales.History(system, pool.ID, r)
	})
	if len(history) != 9 { // placed, captured, six enrolled, invoice
		t.Error(history)
	}
	for _, bad := range []string{"x", "2026 1 placed ord_x", "2026-01-01T00:00:00Z x placed ord_x", "2026-01-01T00:00:00Z 10 placed ord_x", "2026-01-01T00:00:00Z 1 placed ", "a b c d e"} {
		if _, _, err := w.h.Sales.History(system, pool.ID, page.Request{Limit: 1, After: bad}); code(err) != "bad-cursor" {
			t.Errorf("%q: %v", bad, err)
		}
	}

	// Places that are offered to somebody, one of which cannot be taken any more.
	for i := range 3 {
		o := w.order(awa.ID, w.later(fmt.Sprint("LATER-", i)), fmt.Sprint("later", i))
		w.pay(o, visa)
		w.becomes(o, sales.Paid)
		if _, err := w.h.Sales.OfferTransfer(ctx, o.ID, 1, awa.ID, zoe.Email); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			w.refund(o, 0)
			w.becomes(o, sales.Refunded)
		}
	}
	pagesMakeTheWhole(t, "offered places", 2, func(x sales.Handover) string { return x.ID }, func(r page.Request) ([]sales.Handover, string, error) { return w.h.Sales.OfferedTo(ctx, zoe.ID, r) })

	// Refunds that wait: two proposals before two that came back, the newest of each first.
	var proposed, owed []string
	for i := range 4 {
		o := w.order(awa.ID, w.run(fmt.Sprint("DEAR-", i), "", 60_000), fmt.Sprint("dear", i))
		w.pay(o, visa)
		o = w.becomes(o, sales.Paid)
		if i%2 == 0 {
			w.refund(o, 1000)
			w.until("a part went back", func() bool { return w.state(o).Credited.Minor == 1000 })
			owed = append([]string{w.bounces(o)}, owed...)
			continue
		}
		if _, err := w.h.Sales.Refund(staffCtx("ann"), sales.RefundOrder{OrderID: o.ID, Reason: "the course was cancelled", IdempotencyKey: o.ID}); err != nil {
			t.Fatal(err)
		}
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			var id string
			err := tx.Get(ctx, &id, postgres.Query{Name: "newest", SQL: "select id from payments.refunds where state = 'proposed' order by id desc limit 1"})
			proposed = append([]string{id}, proposed...)
			return err
		})
	}
	refunds := func(r page.Request) (all []sales.RefundCase, next string, err error) {
		err = w.h.DB.View(system, "refunds", func(ctx context.Context, tx *postgres.Tx) error {
			all, next, err = sales.OpenRefundsTx(ctx, tx, r)
			return err
		})
		return all, next, err
	}
	if got := pagesMakeTheWhole(t, "refunds", 4, func(x sales.RefundCase) string { return x.ID }, refunds); !slices.Equal(got, append(proposed, owed...)) {
		t.Error("not the most urgent first:", got, proposed, owed)
	}
	for _, bad := range []string{"x", "x:ref", "3:ref", "-1:ref"} {
		if _, _, err := refunds(page.Request{Limit: 1, After: bad}); code(err) != "bad-cursor" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	w.verify()
}
