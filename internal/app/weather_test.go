package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

const (
	declined = "4000000000000002"
	threeD   = "4000002500003155"
	iban     = "DE89370400440532013000"
)

// keep lets the sandbox's events be collected instead of received, but for those of intents, which say nothing more of what is paid on a
// page and keeps no card.
func (w *world) keep() (kept func() [][2]string) {
	var mu sync.Mutex
	var all [][2]string
	w.setHook(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if mu.Lock(); !strings.Contains(string(body), `"type":"payment_intent.`) {
			all = append(all, [2]string{string(body), r.Header.Get("Stripe-Signature")})
		}
		mu.Unlock()
		rw.WriteHeader(http.StatusNoContent)
	})
	return func() [][2]string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func (w *world) deliver(e [2]string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(e[0]))
	r.Header.Set("Stripe-Signature", e[1])
	rw := httptest.NewRecorder()
	w.receive(rw, r)
	if rw.Code != http.StatusNoContent {
		w.t.Errorf("a delivery was answered %d", rw.Code)
	}
}

// The same webhook 50 times at once has one effect.
func TestOneEventFiftyTimesAtOnce(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.person("a@example.org", "A").ID, w.paid, "k")
	kept := w.keep()
	w.pay(o, visa)
	w.until("the events", func() bool { return len(kept()) >= 1 })
	time.Sleep(50 * time.Millisecond)
	var group sync.WaitGroup
	for range 50 {
		for _, e := range kept() {
			group.Go(func() { w.deliver(e) })
		}
	}
	group.Wait()
	w.becomes(o, sales.Paid)
	w.quiet()
	w.counts(map[string]int{
		"select count(*) from enrolment.grants": 1, "select count(*) from invoicing.documents": 1, "select count(*) from ledger.transactions": 2,
		"select count(*) from enrolment.enrolments": 1, "select count(*) from payments.payments where state = 'captured'": 1,
	})
	w.verify()
}

func (w *world) counts(want map[string]int) {
	w.t.Helper()
	for query, n := range want {
		var got int
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &got, postgres.Query{Name: "test", SQL: query})
		})
		if got != n {
			w.t.Errorf("%s: %d, want %d", query, got, n)
		}
	}
}

// lostOne buys, and loses the payment to a dispute, while the events are kept.
func (w *world) lostOne(o sales.Order) {
	w.pay(o, visa)
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.intents()[w.payment(o).CheckoutID], "reason": "fraudulent"})
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "lost"})
}

// returnedOne buys, and the whole amount is given back in the provider's dashboard.
func (w *world) returnedOne(o sales.Order) {
	w.pay(o, visa)
	w.stripePost("/v1/refunds", url.Values{"payment_intent": {w.intents()[w.payment(o).CheckoutID]}, "amount": {"15000"}})
}

func (w *world) stripePost(path string, form url.Values) map[string]any {
	return w.stripeDo(http.MethodPost, path, strings.NewReader(form.Encode()))
}

func (w *world) stripeGet(path string) map[string]any { return w.stripeDo(http.MethodGet, path, nil) }

func (w *world) stripeDo(method, path string, body io.Reader) map[string]any {
	w.t.Helper()
	r, err := http.NewRequest(method, w.stripe+path, body) //nolint:noctx // a test
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+stripeKey)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(r)
}

func (w *world) do(r *http.Request) map[string]any {
	w.t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	out := map[string]any{}
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil || answer.StatusCode != http.StatusOK {
		w.t.Fatal(answer.Status, out, err)
	}
	return out
}

// intents gives the sandbox's payment intent of each of its checkout sessions.
func (w *world) intents() map[string]string {
	out := map[string]string{}
	list, _ := w.stripeGet("/v1/checkout/sessions?limit=100")["data"].([]any)
	for _, x := range list {
		s, _ := x.(map[string]any)
		out[fmt.Sprint(s["id"])] = fmt.Sprint(s["payment_intent"])
	}
	return out
}

// What a purchase, a dispute and a refund tell may come in any order: the end is that of the order in which they happened.
func TestEventsInEveryOrder(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		story  func(sales.Order)
		events int
		end    sales.State
	}{"lost": {w.lostOne, 4, sales.Lost}, "returned": {w.returnedOne, 3, sales.Refunded}} {
		var all []sales.Order
		var group sync.WaitGroup
		for n, order := range permutations(c.events) {
			o := w.order(w.person(fmt.Sprintf("%s%d@example.org", name, n), "A").ID, w.paid, "k")
			all = append(all, o)
			kept := w.keep()
			c.story(o)
			w.until("the events", func() bool { return len(kept()) >= c.events })
			events := kept()
			if len(events) != c.events {
				t.Fatalf("%s has %d events: %v", name, len(events), events)
			}
			group.Go(func() {
				for _, i := range order {
					w.deliver(events[i])
					time.Sleep(30 * time.Millisecond) // so that it is worked on before the next one comes
				}
			})
		}
		group.Wait()
		for _, o := range all {
			if now := w.becomes(o, c.end); now.Credited != now.Total {
				t.Errorf("%s: %v of %v credited", name, now.Credited, now.Total)
			}
		}
	}
	w.verify()
}

func permutations(n int) (out [][]int) {
	var place func(done []int)
	place = func(done []int) {
		if len(done) == n {
			out = append(out, slices.Clone(done))
			return
		}
		for i := range n {
			if !slices.Contains(done, i) {
				place(append(slices.Clone(done), i))
			}
		}
	}
	place(nil)
	return out
}

// Declined, authenticated, delayed and failed: an order is paid only by money that came.
func TestWaysToPay(t *testing.T) {
	w := newWorld(t)
	no := w.order(w.person("no@example.org", "No").ID, w.paid, "k")
	w.pay(no, declined)
	w.quiet()
	if w.state(no).State != sales.AwaitingPayment {
		t.Error("a declined card paid")
	}
	w.pay(no, visa) // she tries again on the same page
	w.becomes(no, sales.Paid)

	strong := w.order(w.person("3ds@example.org", "Three").ID, w.paid, "k")
	w.tell("/sandbox/pay/"+w.payment(strong).CheckoutID, map[string]any{"card": threeD, "authenticate": "complete"})
	w.becomes(strong, sales.Paid)

	for outcome, end := range map[string]sales.State{"succeed": sales.Paid, "fail": sales.Expired} {
		o := w.order(w.person(outcome+"@example.org", outcome).ID, w.paid, "k")
		w.pay(o, iban)
		w.until("the payment is pending", func() bool { return w.payment(o).State == payments.Pending })
		if w.state(o).State != sales.AwaitingPayment {
			t.Error("a promise paid")
		}
		w.tell("/sandbox/settle/"+w.payment(o).CheckoutID, map[string]any{"outcome": outcome})
		w.becomes(o, end)
	}

	late := w.order(w.person("late@example.org", "Late").ID, w.paid, "k")
	w.clock.Advance(time.Hour)
	w.becomes(late, sales.Expired)
	if again := w.order(late.BuyerID, w.paid, "k2"); again.ID == late.ID || again.State != sales.AwaitingPayment {
		t.Error("an expired order cannot be followed by another")
	}
	w.verify()
}

// Refunds in parts, never more than was paid, and a dispute that is won leaves everything as it was.
func TestRefundsAndDisputes(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.person("a@example.org", "A").ID, w.paid, "k")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	refund := func(minor int64, key string) error {
		_, err := w.h.Sales.Refund(system, sales.RefundOrder{OrderID: o.ID, AmountMinor: &minor, Reason: "a part", IdempotencyKey: key})
		return err
	}
	for range 3 { // the same key refunds once
		if err := refund(5000, "r1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := refund(6000, "r1"); code(err) != "idempotency-key-reused" {
		t.Error("another refund under the same key:", err)
	}
	w.becomes(o, sales.PartiallyRefunded)
	if err := refund(10001, "r2"); !errors.Is(err, payments.ErrTooMuch) {
		t.Error("more than was paid:", err)
	}
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(o).IntentID, "amount": 10000, "reason": "fraudulent"})
	w.becomes(o, sales.Disputed)
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "won"})
	w.becomes(o, sales.PartiallyRefunded)
	if err := refund(10000, "r3"); err != nil {
		t.Fatal(err)
	}
	end := w.becomes(o, sales.Refunded)
	if end.Credited.Minor != 15000 {
		t.Error(end.Credited)
	}
	w.quiet()
	w.counts(map[string]int{
		"select count(*) from invoicing.documents where kind = 'credit_note'": 2,
		"select count(*) from enrolment.grants where revoked_at is null":      0,
	})
	if err := refund(1, "r4"); !errors.Is(err, sales.ErrNotPaid) {
		t.Error("a refunded order was refunded:", err)
	}
	w.verify()
}

// Money that an order does not need goes back by itself, and another amount than was asked for never pays.
func TestSurplusAndMismatch(t *testing.T) {
	w := newWorld(t)
	a := w.person("a@example.org", "A")
	first := w.order(a.ID, w.paid, "k1")
	kept := w.keep()
	w.pay(first, visa)
	w.until("its event", func() bool { return len(kept()) > 0 })
	w.clock.Advance(50 * time.Minute) // our order is over, but the money is on its way
	second := w.order(a.ID, w.paid, "k2")
	if second.ID == first.ID {
		t.Fatal("an order whose time is over was given again")
	}
	w.setHook(w.receive)
	w.pay(second, visa)
	w.becomes(second, sales.Paid)
	w.clock.Advance(-50 * time.Minute) // so that the signature is fresh
	for _, e := range kept() {
		w.deliver(e)
	}
	w.clock.Advance(50 * time.Minute)
	w.becomes(first, sales.Canceled)
	w.until("the surplus went back", func() bool { return w.payment(first).RefundedMinor == 15000 })

	b := w.order(w.person("b@example.org", "B").ID, w.paid, "k")
	kept = w.keep()
	w.pay(b, visa)
	w.until("its event", func() bool { return len(kept()) > 0 })
	w.setHook(w.receive)
	other := strings.ReplaceAll(kept()[0][0], "15000", "14999")
	w.deliver([2]string{other, stripegate.Sign([]byte(other), hookSecret, w.clock.Now())})
	w.becomes(b, sales.PaymentMismatch)
	w.quiet()
	if w.state(b).Lines[0].Enrolment() != "" {
		t.Error("an order was fulfilled for another amount than its own")
	}
	forged := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(other))
	forged.Header.Set("Stripe-Signature", stripegate.Sign([]byte(other), "whsec_somebody_else", w.clock.Now()))
	if err := w.h.Payments.Receive(context.Background(), []byte(other), forged.Header.Get("Stripe-Signature")); code(err) != "stripe-signature" {
		t.Error("a forged event was taken:", err)
	}
}

// An event that never reached us is asked for, once.
func TestMissedEventsAreCaughtUp(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.person("a@example.org", "A").ID, w.paid, "k")
	w.tell("/sandbox/webhooks", map[string]any{"drop": -1})
	w.pay(o, visa)
	for i, want := range []int{1, 0} {
		n, err := w.h.Payments.CatchUp(system, w.clock.Now().Add(-time.Hour))
		if err != nil || n != want {
			t.Errorf("look %d found %d events of %d: %v", i+1, n, want, err)
		}
	}
	w.becomes(o, sales.Paid)
	w.verify()
}

// An order that is paid after its time, when the last place went to somebody else, gives no place: the money is a surplus and goes back.
func TestPaidTooLateWhenSoldOut(t *testing.T) {
	w := newWorld(t)
	one := 1
	e := w.program("FULL", &one, money.Of(9_000, "EUR"), nil, 10_000)
	late := w.order(w.person("late@example.org", "Late").ID, e.offer, "k1")
	kept := w.keep()
	w.pay(late, visa)
	w.until("its event", func() bool { return len(kept()) > 0 })
	w.clock.Advance(50 * time.Minute) // its time is over, and the money is on its way
	quick := w.order(w.person("quick@example.org", "Quick").ID, e.offer, "k")
	w.setHook(w.receive)
	w.pay(quick, visa)
	w.becomes(quick, sales.Paid)
	for _, event := range kept() { // told only now
		w.deliver([2]string{event[0], stripegate.Sign([]byte(event[0]), hookSecret, w.clock.Now())})
	}
	w.until("the surplus went back", func() bool { return w.payment(late).RefundedMinor == 9_000 })
	w.quiet()
	if now := w.state(late).State; now != sales.Canceled && now != sales.Expired {
		t.Error("who paid too late for the last place is", now)
	}
	w.counts(map[string]int{
		"select count(*) from enrolment.memberships where revoked_at is null": 1,
		"select count(*) from invoicing.documents where kind = 'invoice'":     1,
	})
	for _, p := range w.parts(late) {
		if p.EnrolmentID != "" {
			t.Errorf("who came too late has %+v", p)
		}
	}
	w.verify()
}

// A debit that is told when its order's time was over, and its place went to somebody else, keeps no place; its money is a surplus when it
// comes. Kept for ever because a bank was asked, the place would be sold twice.
func TestADebitToldTooLateTakesNoPlace(t *testing.T) {
	w := newWorld(t)
	offer := w.run("PRD-L", "", 9_000)
	one := 1
	e := w.program("LATE", &one, money.Of(9_000, "EUR"), nil, 10_000)
	for name, o := range map[string]offers.Offer{"sold": e.offer, "there": offer} {
		late := w.order(w.person(name+"-late@example.org", "Late").ID, o, "k1")
		kept := w.keep()
		w.pay(late, iban)
		w.until("its event", func() bool { return len(kept()) > 0 })
		w.clock.Advance(50 * time.Minute)
		w.setHook(w.receive)
		quick := w.order(w.person(name+"-quick@example.org", "Quick").ID, o, "k")
		w.pay(quick, visa)
		w.becomes(quick, sales.Paid)
		for _, event := range kept() { // told only now
			w.deliver([2]string{event[0], stripegate.Sign([]byte(event[0]), hookSecret, w.clock.Now())})
		}
		w.quiet()
		if is := w.payment(late).State; (is == payments.Pending) != (name == "there") {
			t.Errorf("%s: the payment is %s", name, is)
		}
		w.tell("/sandbox/settle/"+w.payment(late).CheckoutID, map[string]any{"outcome": "succeed"})
		if name == "there" {
			w.becomes(late, sales.Paid)
			continue
		}
		w.until("the surplus went back", func() bool { return w.payment(late).RefundedMinor == 9_000 })
		w.becomes(late, sales.Canceled)
	}
	w.verify()
}

// A bank is asked by a page that closed, and was told late, when the buyer had another one. That page keeps no place once the order's time is
// over: what it brings is looked at like any money that comes late. Taken as if the place were kept, the last one would be sold twice.
func TestADebitOfAPageThatWasLeftKeepsNoPlace(t *testing.T) {
	w := newWorld(t)
	one := 1
	e := w.program("LEFT", &one, money.Of(9_000, "EUR"), nil, 10_000)
	awa := w.person("awa@example.org", "Awa")
	late, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{
		BuyerID: awa.ID, PlacedBy: w.person("officer@example.org", "O").ID, OfferID: e.offer.ID, Lang: "en", IdempotencyKey: "k"}) // it lives longer than its page
	if err != nil {
		t.Fatal(err)
	}
	kept := w.keep()
	w.pay(late, iban)
	w.until("its event", func() bool { return len(kept()) > 0 })
	w.clock.Advance(50 * time.Minute)
	w.setHook(w.receive)
	other, err := w.h.Sales.Pay(context.Background(), late.ID, awa.ID)
	if err != nil || other.PaymentID == late.PaymentID {
		t.Fatal(err, other.PaymentID)
	}
	for _, event := range kept() { // told only now
		w.deliver([2]string{event[0], stripegate.Sign([]byte(event[0]), hookSecret, w.clock.Now())})
	}
	w.quiet()
	if is := w.payment(late).State; is != payments.Pending {
		t.Fatal("the bank is asked, and the payment is", is)
	}
	w.clock.Set(other.ExpiresAt.Add(time.Minute))
	quick := w.order(w.person("quick@example.org", "Quick").ID, e.offer, "k")
	w.pay(quick, visa)
	w.becomes(quick, sales.Paid)
	w.tell("/sandbox/settle/"+w.payment(late).CheckoutID, map[string]any{"outcome": "succeed"})
	w.until("the surplus went back", func() bool { return w.payment(late).RefundedMinor == 9_000 })
	w.quiet()
	w.counts(map[string]int{"select count(*) from sales.orders where state = 'paid'": 1})
	w.verify()
}
