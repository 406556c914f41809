package app_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/origin"
)

// Ten wrong codes of a person, and sixty from one address, are all that is looked at in a quarter of an hour: then the right one is refused
// too, from her and from there, with the time after which it is taken; everybody else goes on. Through the API that is 429 with Retry-After.
func TestCodesOfVouchersAreNotGuessed(t *testing.T) {
	w := newWorld(t)
	right := w.voucher(offers.Voucher{PercentPPM: ptr(100_000), Code: "WELC0ME"}, 0).Code
	people := w.crowd(12)
	quote := func(ctx context.Context, i int, code string) error {
		_, err := w.h.Sales.QuoteOrder(ctx, sales.PlaceOrder{BuyerID: people[i].ID, OfferID: w.paid.ID, Voucher: code})
		return err
	}
	ctx := context.Background()
	for n := range 9 {
		if err := quote(ctx, 0, fmt.Sprint("WRONG-", n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.buy(people[0].ID, w.paid, "WRONG-9", "k"); code(err) != "voucher-unknown" { // the tenth
		t.Error(err)
	}
	err := quote(ctx, 0, right)
	if f := fault.From(err); f.Code != "too-many-guesses" || f.Wait < 890 || f.Wait > 901 {
		t.Error(f.Code, f.Wait)
	}
	if _, err := w.buy(people[0].ID, w.paid, right, "k2"); code(err) != "too-many-guesses" {
		t.Error(err)
	}
	if err := quote(ctx, 0, ""); err != nil {
		t.Error("without a code:", err)
	}
	if err := quote(ctx, 1, right); err != nil {
		t.Error("somebody else:", err)
	}
	school := origin.With(ctx, "192.0.2.7")
	for n := range 60 {
		if err := quote(school, 2+n%10, fmt.Sprint("WRONG-", n)); err != nil {
			t.Fatal(n, err)
		}
	}
	if err := quote(school, 1, right); code(err) != "too-many-guesses" {
		t.Error("from an address that tried sixty:", err)
	}
	if err := quote(origin.With(ctx, "192.0.2.8"), 1, right); err != nil {
		t.Error("from another address:", err)
	}
	walker := w.walk(w.h)
	a := &asker{t: t, w: walker, token: w.token(people[0].ID)}
	r := walker.Example("quoteOrder")
	r.Token, r.Body = a.token, []byte(fmt.Sprintf(`{"offer_id":%q,"voucher":%q}`, w.paid.ID, right))
	got := walker.Do(t, r)
	if after, _ := strconv.Atoi(got.Header.Get("Retry-After")); got.Status != 429 || after < 890 {
		t.Errorf("%d %q %s", got.Status, got.Header.Get("Retry-After"), got.Body)
	}
	w.clock.Advance(15*time.Minute + time.Second)
	if err := quote(school, 0, right); err != nil {
		t.Error("a quarter of an hour later:", err)
	}
	w.counts(map[string]int{"select count(*) from sales.guesses where who like '%192.0%'": 0})
	w.verify()
}

func (w *world) token(person string) string {
	w.t.Helper()
	token, _, err := w.h.Identity.NewToken(system, person, "test", nil, time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}
