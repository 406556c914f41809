package app_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// pricesStory makes a price and a voucher through the API, rewrites both over the version that was read, and leaves their ids to the
// walker.
func (w *world) pricesStory(t *testing.T, walker *apitest.Walker, token string) {
	t.Helper()
	ask := func(operation string, status int, change func(r *apitest.Request)) (a apitest.Answer) {
		t.Helper()
		r := walker.Example(operation)
		r.Token = token
		if change != nil {
			change(&r)
		}
		if a = walker.Do(t, r); a.Status != status {
			t.Errorf("%s: %d, not %d\n%.500s", operation, a.Status, status, a.Body)
		}
		return a
	}
	var made struct{ ID, Code, Kind string }
	var page struct {
		Prices   []struct{ ID string }
		Vouchers []struct {
			ID    string
			Codes int
		}
	}
	match := func(tag string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set("If-Match", tag) }
	}
	tag := ask("addPrice", 201, func(r *apitest.Request) { r.Header.Set("Idempotency-Key", "story-price") })
	again := ask("addPrice", 201, func(r *apitest.Request) { r.Header.Set("Idempotency-Key", "story-price") })
	if tag.JSON(t, &made); string(tag.Body) != string(again.Body) {
		t.Errorf("a repeated key made another price:\n%s\n%s", tag.Body, again.Body)
	}
	walker.Values["price_id"] = made.ID
	ask("putPrice", 200, match(tag.Header.Get("ETag")))
	ask("putPrice", 412, match(tag.Header.Get("ETag")))
	ask("putPrice", 404, func(r *apitest.Request) { match("*")(r); r.Path["offer"] = w.paid.ID })
	if ask("listPrices", 200, nil).JSON(t, &page); len(page.Prices) != 1 || page.Prices[0].ID != made.ID {
		t.Errorf("%+v", page)
	}

	// An offer begins as a draft beside the one on sale, and goes on sale when it was read and the other one withdrawn.
	var offer struct {
		ID, State string
		Moves     []struct{ To string }
	}
	ask("createEditionOffer", 201, func(r *apitest.Request) {
		r.Body = []byte(`{"formula":"QUALIFYING","price":{"amount_minor":12000,"currency":"USD"},"publication":"draft"}`)
	}).JSON(t, &offer)
	step := func(to string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Path["offer"], r.Body = offer.ID, []byte(`{"to":"`+to+`"}`) }
	}
	ask("moveOffer", 409, step("published"))
	ask("moveOffer", 200, step("review"))
	if ask("moveOffer", 200, step("published")).JSON(t, &offer); offer.State != "standing" || len(offer.Moves) != 2 || offer.Moves[0].To != "published" {
		t.Errorf("%+v", offer)
	}

	tag = ask("createVoucher", 201, func(r *apitest.Request) { r.Header.Set("Idempotency-Key", "story-batch") })
	if tag.JSON(t, &made); made.Kind != "batch" || made.Code != "" {
		t.Errorf("%+v", made)
	}
	walker.Values["voucher_id"] = made.ID
	file := string(ask("exportVoucherCodes", 200, nil).Body)
	if lines := strings.Split(strings.TrimSpace(file), "\n"); len(lines) != 4 || lines[0] != "code,state,order" || !strings.HasSuffix(lines[3], ",free,") {
		t.Errorf("the file of the codes is\n%s", file)
	}
	own := func(r *apitest.Request) {
		r.Header.Set("Idempotency-Key", "story-code")
		r.Body = []byte(`{"name":"Welcome","amounts":[{"amount_minor":1000,"currency":"EUR"}],"code":"welcome 26","scope":{"sessions":["PRD-9"]}}`)
	}
	if ask("createVoucher", 201, own).JSON(t, &made); made.Code != "WELCOME 26" {
		t.Errorf("%+v", made)
	}
	ask("createVoucher", 409, func(r *apitest.Request) { own(r); r.Header.Set("Idempotency-Key", "story-code-2") })
	ask("createVoucher", 422, func(r *apitest.Request) {
		own(r)
		r.Header.Set("Idempotency-Key", "story-code-3")
		r.Body = []byte(strings.Replace(string(r.Body), "PRD-9", "PRD-NO", 1))
	})
	ask("getVoucher", 200, nil)
	ask("putVoucher", 200, match(tag.Header.Get("ETag")))
	ask("putVoucher", 412, match(tag.Header.Get("ETag")))
	ask("listVoucherUses", 200, nil)
	if ask("listVouchers", 200, func(r *apitest.Request) { r.Query = "q=WELC0ME26" }).JSON(t, &page); len(page.Vouchers) != 1 || page.Vouchers[0].ID != made.ID {
		t.Errorf("a voucher is not found by its code: %+v", page)
	}
}

// buy orders an offer with a voucher.
func (w *world) buy(buyer string, o offers.Offer, voucher, key string) (sales.Order, error) {
	w.t.Helper()
	return w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: buyer, OfferID: o.ID, Lang: "en", Voucher: voucher, IdempotencyKey: key})
}

func (w *world) voucher(v offers.Voucher, count int) (made offers.Voucher) {
	w.t.Helper()
	if v.Name == "" {
		v.Name = "test"
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		made, err = offers.CreateVoucherTx(ctx, tx, offers.NewVoucher{Voucher: v, Count: count})
		return err
	})
	return made
}

func (w *world) price(p offers.Price) (added offers.Price) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		added, err = offers.AddPriceTx(ctx, tx, p)
		return err
	})
	return added
}

func (w *world) uses(id string) (v sales.VoucherStanding) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		v, err = sales.VoucherTx(ctx, tx, id)
		return err
	})
	return v
}

func ptr[T any](x T) *T { return &x }

// rush has many people do something at once and counts the answers by their code; "" is success.
func (w *world) rush(people []identity.Person, do func(i int, p identity.Person) error) map[string]int {
	w.t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	got := map[string]int{}
	for i, p := range people {
		group.Go(func() {
			err := do(i, p)
			mu.Lock()
			defer mu.Unlock()
			got[code(err)]++
		})
	}
	group.Wait()
	return got
}

func (w *world) crowd(n int) (people []identity.Person) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		people = nil
		for i := range n {
			p, err := identity.PutPersonTx(ctx, tx, fmt.Sprintf("crowd-%d@example.org", i), "B", "en")
			if err != nil {
				return err
			}
			people = append(people, p)
		}
		return nil
	})
	return people
}

// inRounds repeats a stampede: a hundred times where CURSUS_LONG is set, otherwise as often as fits into 20 seconds, and three times at least.
func inRounds(t *testing.T, stampede func(round int)) {
	t.Helper()
	n, begun := 0, time.Now()
	for n < 100 && !t.Failed() && (n < 3 || os.Getenv("CURSUS_LONG") != "" || time.Since(begun) < 20*time.Second) {
		stampede(n)
		n++
	}
	t.Log(n, "rounds")
}

// Two hundred buyers want the last use of a voucher, the last codes of a batch and the last early price: exactly as many get it as
// there are, in every round; the others are told why.
func TestTheLastUseOfAVoucher(t *testing.T) {
	w := newWorld(t)
	people := w.crowd(200)
	inRounds(t, func(round int) {
		v := w.voucher(offers.Voucher{PercentPPM: ptr(100_000), Limit: ptr(1)}, 0)
		got := w.rush(people, func(i int, p identity.Person) error {
			_, err := w.buy(p.ID, w.paid, strings.ToLower(v.Code), fmt.Sprint("last", round, i))
			return err
		})
		if got[""] != 1 || got["voucher-used-up"] != 199 || len(got) != 2 {
			t.Fatal("round", round, got)
		}
		if u := w.uses(v.ID); u.Held != 1 || u.Used != 0 {
			t.Error("round", round, u.Held, u.Used)
		}
	})
	batch := w.voucher(offers.Voucher{Amounts: []money.Amount{money.Of(1000, "EUR")}}, 3)
	var codes []sales.CodeStanding
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		codes, err = sales.CodesTx(ctx, tx, batch.ID)
		return err
	})
	got := w.rush(people[:60], func(i int, p identity.Person) error {
		_, err := w.buy(p.ID, w.paid, codes[i%3].Code, fmt.Sprint("batch", i))
		return err
	})
	if got[""] != 3 || got["voucher-code-used"] != 57 {
		t.Error("codes that work once:", got)
	}
	w.price(offers.Price{OfferID: w.paid.ID, Price: money.Of(9900, "EUR"), EarlyUntil: ptr(50)})
	w.clock.Advance(46 * time.Minute) // what was held is free again
	totals := map[string]int{}
	var mu sync.Mutex
	got = w.rush(people, func(i int, p identity.Person) error {
		o, err := w.buy(p.ID, w.paid, "", fmt.Sprint("early", i))
		mu.Lock()
		defer mu.Unlock()
		totals[o.Total.Decimal()]++
		return err
	})
	if got[""] != 200 || totals["99.00"] != 50 || totals["150.00"] != 150 {
		t.Error("the price of the first fifty:", got, totals)
	}
	w.verify()
}

// A use is held with the order and free when the order expires; who pays late has it if it is still free, and her money back if not.
func TestAUseIsHeldWithItsOrder(t *testing.T) {
	w := newWorld(t)
	v := w.voucher(offers.Voucher{PercentPPM: ptr(200_000), Limit: ptr(1), Code: "ONLY-0NE"}, 0)
	ana, bea, cyd := w.person("ana@example.org", "Ana").ID, w.person("bea@example.org", "Bea").ID, w.person("cyd@example.org", "Cyd").ID
	first, err := w.buy(ana, w.paid, "only one", "a")
	if err != nil || first.Total != money.Of(12000, "EUR") || first.Lines[0].Discount.Minor != 3000 || first.Lines[0].Reason != "voucher ONLY-0NE" {
		t.Fatalf("%+v %v", first, err)
	}
	if _, err := w.buy(bea, w.paid, "only-one", "b"); code(err) != "voucher-used-up" {
		t.Fatal("a held use was taken:", err)
	}
	kept := w.keep()
	w.pay(first, visa) // in time, but its event is late
	w.until("its event", func() bool { return len(kept()) > 0 })
	w.clock.Advance(46 * time.Minute)
	second, err := w.buy(bea, w.paid, "0nly0ne", "b2")
	if err != nil {
		t.Fatal("the use did not come back:", err)
	}
	w.setHook(w.receive)
	w.pay(second, visa)
	w.becomes(second, sales.Paid)
	w.clock.Advance(-46 * time.Minute) // so that the signature is fresh
	for _, e := range kept() {
		if err := w.h.Payments.Receive(context.Background(), []byte(e[0]), e[1]); err != nil {
			t.Error(err)
		}
	}
	w.clock.Advance(46 * time.Minute)
	w.becomes(first, sales.Canceled)
	w.until("the surplus went back", func() bool { return w.payment(first).RefundedMinor == 12000 })
	if u := w.uses(v.ID); u.Used != 1 || u.Held != 0 {
		t.Error(u.Used, u.Held)
	}
	w.refund(second, 0)
	w.becomes(second, sales.Refunded)
	third, err := w.buy(cyd, w.paid, "ONLYONE", "c")
	if err != nil {
		t.Fatal("a use that was wholly given back is free again:", err)
	}
	w.pay(third, visa)
	w.becomes(third, sales.Paid)
	w.verify()
}

// pageOf is what the provider says of an order's pay page: open, complete or expired.
func (w *world) pageOf(o sales.Order) string {
	w.t.Helper()
	return fmt.Sprint(w.stripeGet("/v1/checkout/sessions/" + w.payment(o).CheckoutID)["status"])
}

// Who gives another voucher than that of her open order has a new order in place of the old; the same one gives the same order.
func TestAnotherVoucherMakesAnotherOrder(t *testing.T) {
	w := newWorld(t)
	v := w.voucher(offers.Voucher{Amounts: []money.Amount{money.Of(5000, "EUR"), money.Of(20_000, "XOF")}, PerPerson: ptr(1)}, 0)
	w.price(offers.Price{OfferID: w.paid.ID, Price: money.Of(98_000, "XOF")})
	zoe := w.person("zoe@example.org", "Zoé").ID
	plain, err := w.buy(zoe, w.paid, "", "1")
	if err != nil || plain.Total.Minor != 15000 {
		t.Fatal(plain, err)
	}
	if _, err := w.buy(zoe, w.paid, "NO-SUCH-CODE", "2"); code(err) != "voucher-unknown" {
		t.Error(err)
	}
	with, err := w.buy(zoe, w.paid, v.Code, "3")
	if err != nil || with.ID == plain.ID || with.Total.Minor != 10000 || w.state(plain).State != sales.Canceled {
		t.Error(with.ID == plain.ID, with.Total, w.state(plain).State, err)
	}
	again, err := w.buy(zoe, w.paid, v.Code, "4")
	if err != nil || again.ID != with.ID {
		t.Error("the same voucher made another order", err)
	}
	francs, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: zoe, OfferID: w.paid.ID, Voucher: v.Code, Currency: "XOF", IdempotencyKey: "5"})
	if err != nil || francs.Total != money.Of(78_000, "XOF") || w.payment(francs).Amount() != money.Of(78_000, "XOF") {
		t.Error(francs.Total, err)
	}
	if _, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: zoe, OfferID: w.paid.ID, Currency: "USD", IdempotencyKey: "6"}); code(err) != "not-in-this-currency" {
		t.Error(err)
	}
	for _, o := range []sales.Order{plain, with} { // nobody can pay the order that was given up
		w.until("its page is closed", func() bool { return w.pageOf(o) == "expired" })
	}
	w.pay(francs, visa)
	w.becomes(francs, sales.Paid)
	if u := w.uses(v.ID); u.Used != 1 || u.Held != 0 {
		t.Error(u.Used, u.Held)
	}
	free := w.voucher(offers.Voucher{PercentPPM: ptr(1_000_000)}, 0)
	o, err := w.buy(w.person("free@example.org", "F").ID, w.paid, free.Code, "7")
	if err != nil || o.State != sales.Paid || !o.Total.IsZero() || o.PayURL != "" {
		t.Error("a voucher of all of it leaves nothing to pay:", o.State, o.Total, err)
	}
	w.verify()
}

// A quote says what an order then costs, whatever prices and vouchers there are, and stores nothing.
func TestAQuoteIsWhatTheOrderCosts(t *testing.T) {
	w := newWorld(t)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ESP", "École")
	})
	member := w.person("member@example.org", "M").ID
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.JoinTx(ctx, tx, "ESP", member) })
	until := w.h.Clock.Now().Add(time.Hour)
	w.price(offers.Price{OfferID: w.paid.ID, Price: money.Of(13000, "EUR"), ValidUntil: &until})
	w.price(offers.Price{OfferID: w.paid.ID, Price: money.Of(7500, "EUR"), Audience: "ESP"})
	w.price(offers.Price{OfferID: w.paid.ID, Price: money.Of(9900, "EUR"), EarlyUntil: ptr(1)})
	v := w.voucher(offers.Voucher{PercentPPM: ptr(333_333), Scope: offers.Scope{Formulas: []string{offers.Qualifying}}}, 0)
	other := w.voucher(offers.Voucher{PercentPPM: ptr(333_333), Scope: offers.Scope{Formulas: []string{offers.Discovery}}}, 0)
	stranger, late := w.person("s@example.org", "S").ID, w.person("l@example.org", "L").ID
	for i, c := range []struct {
		buyer, voucher, why, refused string
		total                        int64
	}{
		{member, v.Code, "organisation", "", 5000}, {stranger, v.Code, "window", "", 8667}, {late, "", "window", "", 13000}, {late, other.Code, "window", "voucher-other-formula", 13000},
		{late, "xxxx", "window", "voucher-unknown", 13000},
	} {
		ask := sales.PlaceOrder{BuyerID: c.buyer, OfferID: w.paid.ID, Voucher: c.voucher, IdempotencyKey: fmt.Sprint("q", i)}
		quote, err := w.h.Sales.QuoteOrder(context.Background(), ask)
		refused := ""
		if quote.Refused != nil {
			refused = quote.Refused.Code
		}
		if err != nil || quote.Total.Minor != c.total || quote.Lines[0].Why != c.why || refused != c.refused {
			t.Errorf("%d: %+v %v %v", i, quote, refused, err)
		}
		o, err := w.h.Sales.PlaceOrder(context.Background(), ask)
		if code(err) != c.refused || err == nil && o.Total != quote.Total {
			t.Errorf("%d: quoted %v, ordered %v: %v", i, quote.Total, o.Total, err)
		}
	}
	w.clock.Advance(2 * time.Hour)
	if q, err := w.h.Sales.QuoteOrder(context.Background(), sales.PlaceOrder{BuyerID: late, OfferID: w.paid.ID}); err != nil || q.Lines[0].Why != "early" || *q.Lines[0].Left != 1 {
		t.Errorf("what was held for the first buyers is free again: %+v %v", q, err)
	}
	if _, err := w.h.Sales.QuoteOrder(context.Background(), sales.PlaceOrder{BuyerID: late, OfferID: "off_none"}); code(err) != "no-such-offer" {
		t.Error(err)
	}
	w.verify()
}
