package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"reflect"
	"regexp"
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

// providerCalls are what each method of the door asks of the provider, as "method path". A new method, or a call that is not here, fails
// TestTheSkyAtEveryCall until the story below makes it.
var providerCalls = map[string][]string{
	"Name": nil, "Live": nil, "ReadEvent": nil,
	"OpenCheckout":   {"POST /v1/checkout/sessions"},
	"ExpireCheckout": {"POST /v1/checkout/sessions/*/expire"},
	"OpenSetup":      {"POST /v1/checkout/sessions"},
	"Charge":         {"POST /v1/payment_intents"},
	"Refund":         {"POST /v1/refunds"},
	"Fact": {
		"GET /v1/checkout/sessions/*", "GET /v1/refunds/*", "GET /v1/charges/*", "GET /v1/disputes/*", "GET /v1/payment_intents/*", "GET /v1/setup_intents/*",
		"GET /v1/refunds",
	},
	"EventsSince": {"GET /v1/events"},
	"Book":        {"GET /v1/charges", "GET /v1/disputes"},
	"Balance":     {"GET /v1/balance_transactions"},
}

// weather is what comes instead of an answer, and how often.
type weather struct {
	times int
	come  func(rw http.ResponseWriter, r *http.Request, do func() *httptest.ResponseRecorder)
}

// sky stands between the house and the provider: the first times that it is asked something, it does as its weather does.
type sky struct {
	mu sync.Mutex
	weather
	provider http.Handler
	seen     map[string]int    // attempts, by what was asked for
	calls    map[string]bool   // "method path" that met the weather
	during   func(call string) // what happens before an answer comes
}

// How often the weather is bad: once more than the library asks by itself where nobody answers, and once where it is told not to ask again,
// so that a job, a sweep or a buyer has to.
const (
	unanswered = 4
	answered   = 1
)

var ids = regexp.MustCompile(`/(cs|re|ch|dp|pi|seti|evt)_[A-Za-z0-9_]+`)

func (s *sky) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	call := r.Method + " " + ids.ReplaceAllString(r.URL.Path, "/*")
	s.mu.Lock()
	s.seen[call+r.URL.Path+r.Header.Get("Idempotency-Key")]++
	bad := s.seen[call+r.URL.Path+r.Header.Get("Idempotency-Key")] <= s.times
	s.calls[call] = true
	s.mu.Unlock()
	do := func() *httptest.ResponseRecorder {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		s.provider.ServeHTTP(rec, again)
		return rec
	}
	if bad {
		s.come(rw, r, do)
		return
	}
	answer := do()
	if s.during != nil {
		s.during(call)
	}
	for k, v := range answer.Header() {
		rw.Header()[k] = v
	}
	rw.WriteHeader(answer.Code)
	_, _ = rw.Write(answer.Body.Bytes())
}

func says(status int, body string) weather {
	return weather{answered, func(rw http.ResponseWriter, _ *http.Request, _ func() *httptest.ResponseRecorder) {
		rw.Header().Set("Stripe-Should-Retry", "false") // so that the house has to, and not the library
		rw.WriteHeader(status)
		_, _ = rw.Write([]byte(body))
	}}
}

var skies = map[string]weather{
	"done, and cut before it says so": {unanswered, func(_ http.ResponseWriter, _ *http.Request, do func() *httptest.ResponseRecorder) {
		do()
		panic(http.ErrAbortHandler)
	}},
	"done, and a 502 says otherwise": {answered, func(rw http.ResponseWriter, r *http.Request, do func() *httptest.ResponseRecorder) {
		do()
		says(http.StatusBadGateway, "<html>bad gateway</html>").come(rw, r, do)
	}},
	"429":            says(http.StatusTooManyRequests, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`),
	"500":            says(http.StatusInternalServerError, `{"error":{"type":"api_error"}}`),
	"garbage":        says(http.StatusOK, "<html>\x00\xff"),
	"half an answer": says(http.StatusOK, `{"id":"cs_1","url":"https:`),
	"nobody there": {unanswered, func(http.ResponseWriter, *http.Request, func() *httptest.ResponseRecorder) {
		panic(http.ErrAbortHandler)
	}},
}

// under puts a sky between the house and its provider.
func (w *world) under(comes weather) *sky {
	w.t.Helper()
	s := &sky{weather: comes, provider: w.sandbox, seen: map[string]int{}, calls: map[string]bool{}}
	server := httptest.NewServer(s)
	w.t.Cleanup(server.Close)
	w.close(w.h)
	w.cfg.StripeURL = server.URL
	w.open()
	return s
}

// insists asks until it is answered, as a buyer or a sweep does.
func (w *world) insists(what string, ask func() error) {
	w.t.Helper()
	var err error
	for range 3 * unanswered {
		if err = ask(); err == nil {
			return
		}
		if code(err) != "stripe-unavailable" {
			break
		}
	}
	w.t.Errorf("%s: %v", what, err)
}

// story makes every call of the door that a room makes: it orders, cancels, gives back, hears of a refund and a dispute in another version of
// the API, fetches what it missed, and compares the books. Each order must come to its end without a person.
func (w *world) story() {
	ordered := func(name string) (o sales.Order) {
		p := w.person(name+"@example.org", name)
		w.insists("order", func() (err error) {
			o, err = w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: p.ID, OfferID: w.paid.ID, Lang: "en", IdempotencyKey: "k"})
			return err
		})
		return o
	}
	left := ordered("left")
	if _, err := w.h.Sales.CancelOrder(system, left.ID); err != nil {
		w.t.Error(err)
	}
	w.until("its page is closed", func() bool { return w.pageOf(left) == "expired" })

	back := ordered("back")
	w.pay(back, visa)
	w.becomes(back, sales.Paid)
	if err := w.gives(back, 4000, "r"); err != nil {
		w.t.Error(err)
	}
	w.until("the money is back", func() bool { return w.state(back).Credited == money.Of(4000, "EUR") })

	w.setHook(func(rw http.ResponseWriter, r *http.Request) { // told in a version that does not exist yet, and so asked for in ours
		body, _ := io.ReadAll(r.Body)
		body = bytes.ReplaceAll(body, []byte(`"api_version":"`+stripegate.APIVersion+`"`), []byte(`"api_version":"2099-01-01"`))
		if err := w.h.Payments.Receive(r.Context(), body, stripegate.Sign(body, hookSecret, w.clock.Now())); err != nil {
			w.t.Error(err)
		}
		rw.WriteHeader(http.StatusNoContent)
	})
	newer := ordered("newer")
	w.pay(newer, visa)
	w.becomes(newer, sales.Paid)
	w.stripePost("/v1/refunds", url.Values{"payment_intent": {w.payment(newer).IntentID}, "amount": {"1000"}})
	w.until("the refund of the dashboard is there", func() bool { return w.state(newer).Credited == money.Of(1000, "EUR") })
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(newer).IntentID, "reason": "fraudulent"})
	w.becomes(newer, sales.Disputed)
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "won"})
	w.becomes(newer, sales.PartiallyRefunded)
	parts := w.instalmentsUnderIt()
	w.setHook(w.receive)

	w.tell("/sandbox/webhooks", map[string]any{"drop": -1})
	missed := ordered("missed")
	w.pay(missed, visa)
	w.insists("catch up", func() error {
		_, err := w.h.Payments.CatchUp(system, w.clock.Now().Add(-time.Hour))
		return err
	})
	w.becomes(missed, sales.Paid)
	w.tell("/sandbox/webhooks", map[string]any{})

	w.quiet()
	w.insists("what the provider kept", func() error { _, err := w.h.Payments.SweepFees(system); return err })
	w.insists("the book", func() error { _, err := w.h.Payments.Reconcile(system); return err })
	if _, standing := w.reconcile(); len(standing) > 0 {
		w.t.Error(standing)
	}
	if p := w.payment(back); p.RefundedMinor != 4000 {
		w.t.Error("given back twice, or not at all:", p.RefundedMinor)
	}
	w.counts(map[string]int{
		"select count(*) from sales.orders": 5, "select count(*) from payments.payments": 6, "select count(*) from payments.refunds": 2,
		"select count(*) from invoicing.documents where kind = 'invoice'": 4, "select count(*) from invoicing.documents where kind = 'credit_note'": 2,
	})
	if got := w.state(parts).Schedule.Instalments[1].State; got != sales.InstalmentIn {
		w.t.Error("the second instalment is", got)
	}
	w.verify()
}

// instalmentsUnderIt pays the first instalment on a page, leaves another card on another page, and has the second one charged a month later.
func (w *world) instalmentsUnderIt() (o sales.Order) {
	w.t.Helper()
	offer, buyer := w.inParts("PRT-S", "", 9000, offers.SuspendAccess), w.person("parts@example.org", "Parts").ID
	w.insists("order in instalments", func() (err error) {
		o, err = w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: buyer, OfferID: offer.ID, Lang: "en", Way: sales.Instalments, IdempotencyKey: "parts"})
		return err
	})
	w.tell("/sandbox/pay/"+w.payment(o).CheckoutID, map[string]any{"card": visa})
	w.becomes(o, sales.Paid)
	w.until("the card is kept", func() bool { return w.state(o).Schedule.CardKept })
	var page string
	w.insists("leave a card", func() (err error) { page, err = w.h.Sales.LeaveCard(system, o.ID, buyer); return err })
	w.tell("/sandbox/pay/"+path.Base(page), map[string]any{"card": visa})
	w.quiet()
	w.clock.Advance(32 * day)
	if n, err := w.h.Sales.ChargeDue(system); n != 1 || err != nil {
		w.t.Error(n, err)
	}
	w.until("the second instalment is paid", func() bool { return w.state(o).Schedule.Instalments[1].State == sales.InstalmentIn })
	return o
}

// Every call that the house makes to its provider meets every weather, more often than the library asks again by itself: what was done is not
// done twice, what was not is done later, every order ends right, and nothing is left for a person. A call that is missing from the list, or
// that the story does not make, fails.
func TestTheSkyAtEveryCall(t *testing.T) {
	door := reflect.TypeFor[payments.Gateway]()
	want := map[string]bool{}
	for i := range door.NumMethod() {
		name := door.Method(i).Name
		calls, listed := providerCalls[name]
		if !listed {
			t.Errorf("%s is missing from the list of calls", name)
		}
		for _, c := range calls {
			want[c] = true
		}
	}
	for name, comes := range skies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := w.under(comes)
			w.story()
			s.mu.Lock()
			defer s.mu.Unlock()
			for c := range want {
				if !s.calls[c] {
					t.Errorf("the story does not make the call %q", c)
				}
			}
			for c := range s.calls {
				if !want[c] {
					t.Errorf("%q is not in the list of calls", c)
				}
			}
		})
	}
}

// What the provider tells of a call comes before its answer: the page is paid before the house knows that it is open, and a refund is told
// before it is answered. The answer changes nothing then.
func TestToldBeforeTheAnswer(t *testing.T) {
	w := newWorld(t)
	s := w.under(weather{})
	heard := func(of string) bool {
		n := 0
		w.inTx(countInto(&n, "select count(*) from payments.events where state <> 'received' and type like '"+of+"'"))
		return n > 0
	}
	var once sync.Map
	s.during = func(call string) {
		if _, twice := once.LoadOrStore(call, true); twice {
			return
		}
		switch call {
		case "POST /v1/checkout/sessions":
			r := httptest.NewRequest(http.MethodGet, "/v1/checkout/sessions?limit=1", nil)
			r.Header.Set("Authorization", "Bearer "+stripeKey)
			rec := httptest.NewRecorder()
			w.sandbox.ServeHTTP(rec, r)
			id := regexp.MustCompile(`cs_test_[A-Za-z0-9]+`).FindString(rec.Body.String())
			w.tell("/sandbox/pay/"+id, map[string]any{"card": visa})
			w.until("it is told", func() bool { return heard("checkout.session.completed") })
		case "POST /v1/refunds":
			w.until("it is told", func() bool { return heard("%refund%") })
		}
	}
	o := w.order(w.person("a@example.org", "A").ID, w.paid, "k")
	w.becomes(o, sales.Paid)
	if err := w.gives(o, 4000, "r"); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	if now := w.state(o); now.State != sales.PartiallyRefunded || now.Credited.Minor != 4000 {
		t.Error(now.State, now.Credited)
	}
	w.counts(map[string]int{"select count(*) from payments.refunds": 1, "select count(*) from invoicing.documents": 2})
	w.verify()
}

// What comes three days late is refused by its signature, as a copy of it would be, and fetched; what is forged is refused and leaves nothing;
// what is of the other mode is kept, refused, and said so; the true one is applied after it.
func TestLateForgedAndOfTheOtherMode(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.person("a@example.org", "A").ID, w.paid, "k")
	kept := w.keep()
	w.pay(o, visa)
	w.until("its event", func() bool { return len(kept()) == 1 })
	e := kept()[0]
	receive := func(body, signature string) string {
		return code(w.h.Payments.Receive(context.Background(), []byte(body), signature))
	}
	if got := receive(e[0], stripegate.Sign([]byte(e[0]), "whsec_somebody_else", w.clock.Now())); got != "stripe-signature" {
		t.Error("forged:", got)
	}
	if got := receive(strings.Replace(e[0], "15000", "1", 1), e[1]); got != "stripe-signature" {
		t.Error("changed on its way:", got)
	}
	w.counts(map[string]int{"select count(*) from payments.events": 0})
	live := strings.Replace(strings.ReplaceAll(e[0], `"livemode":false`, `"livemode":true`), `"id":"evt_1`, `"id":"evt_2`, 1)
	if live == e[0] {
		t.Fatal("the event has no mode")
	}
	if got := receive(live, stripegate.Sign([]byte(live), hookSecret, w.clock.Now())); got != "" {
		t.Error("of the other mode:", got)
	}
	w.until("it is refused", func() bool {
		n := 0
		w.inTx(countInto(&n, "select count(*) from payments.events where state = 'refused' and note <> ''"))
		return n == 1
	})
	if now := w.state(o).State; now != sales.AwaitingPayment {
		t.Error("real money paid a trial:", now)
	}
	w.clock.Advance(3*24*time.Hour + time.Hour)
	if got := receive(e[0], e[1]); got != "stripe-signature" {
		t.Error("three days late:", got)
	}
	w.setHook(w.receive)
	if n, err := w.h.Payments.CatchUp(system, w.clock.Now().Add(-4*24*time.Hour)); n != 1 || err != nil {
		t.Error(n, err)
	}
	w.becomes(o, sales.Paid)
	w.verify()
}

func countInto(n *int, query string) func(ctx context.Context, tx *postgres.Tx) error {
	return func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, n, postgres.Query{Name: "test", SQL: query})
	}
}
