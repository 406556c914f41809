package app_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
)

// In every currency of ISO 4217 an order is quoted, paid and half given back, and what the buyer pays at the provider is what she was quoted:
// in its unit where that is another one than the standard's (100 times as many for ISK and UGX, a hundredth for MGA), and nowhere else. What
// Stripe does not count as we do is not asked for at all. The books of both agree in the end.
func TestEveryCurrencyFromTheQuoteToTheProvider(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	const minor = 123_000
	var all []sales.Order
	for _, c := range money.Currencies() {
		if c != "EUR" {
			w.price(offers.Price{OfferID: w.paid.ID, Price: money.Of(minor, c)})
		}
		if c == "EUR" || c == "XOF" {
			continue // an amount of their own, below
		}
		buyer := w.person(fmt.Sprintf("%s@example.org", c), string(c)).ID
		order := sales.PlaceOrder{BuyerID: buyer, OfferID: w.paid.ID, Currency: c, IdempotencyKey: "k"}
		quote, err := w.h.Sales.QuoteOrder(ctx, order)
		if err != nil || quote.Total != money.Of(minor, c) {
			t.Errorf("%s: quoted %v, %v", c, quote.Total, err)
		}
		o, err := w.h.Sales.PlaceOrder(ctx, order)
		if slices.Contains([]money.Currency{"IQD", "LYD", "CLF", "UYW", "UYI"}, c) {
			if code(err) != "stripe-currency" {
				t.Errorf("%s, which Stripe does not count as we do: %v", c, err)
			}
			continue
		}
		if err != nil || o.Total != quote.Total {
			t.Errorf("%s: %v, %v", c, o.Total, err)
			continue
		}
		want := map[money.Currency]int64{"ISK": minor * 100, "UGX": minor * 100, "MGA": minor / 100}[c]
		if want == 0 {
			want = minor
		}
		if total := w.asked(o); total != want {
			t.Errorf("%s: %v is asked for as %d, want %d", c, o.Total, total, want)
		}
		all = append(all, o)
	}
	euro := w.order(w.person("eur@example.org", "E").ID, w.paid, "k")
	xof := w.price(offers.Price{OfferID: w.paid.ID, Price: money.Of(100_000, "XOF")}) // less than that of above, so it is the one
	franc, err := w.h.Sales.PlaceOrder(ctx, sales.PlaceOrder{BuyerID: w.person("xof@example.org", "X").ID, OfferID: w.paid.ID, Currency: xof.Price.Currency, IdempotencyKey: "k"})
	if err != nil || w.asked(euro) != 15_000 || w.asked(franc) != 100_000 {
		t.Errorf("150.00 EUR is asked for as %d and 100 000 XOF as %d: %v", w.asked(euro), w.asked(franc), err)
	}
	if all = append(all, euro, franc); len(all) < 140 {
		t.Error("only", len(all), "currencies were sold in")
	}
	for _, o := range all {
		w.pay(o, visa)
	}
	for i, o := range all {
		all[i] = w.becomes(o, sales.Paid)
		half := o.Total.Minor / 2 / 1000 * 1000
		if _, err := w.h.Sales.Refund(system, sales.RefundOrder{OrderID: o.ID, AmountMinor: &half, Reason: "half", IdempotencyKey: "r" + o.ID}); err != nil {
			t.Error(o.Total, err)
		}
	}
	w.quiet()
	for _, o := range all {
		if now := w.state(o); now.State != sales.PartiallyRefunded && now.Total.Minor > 1000 {
			t.Errorf("%v of %v came back: %s", now.Credited, now.Total, now.State)
		}
	}
	w.verify()
}

// asked is the number that the provider asks the buyer of an order for.
func (w *world) asked(o sales.Order) int64 {
	w.t.Helper()
	return int64(w.stripeGet("/v1/checkout/sessions/" + w.payment(o).CheckoutID)["amount_total"].(float64))
}
