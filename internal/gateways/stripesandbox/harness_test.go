package stripesandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/payments"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/money"
)

const (
	testKey    = "sk_test_sandbox"
	testSecret = "whsec_sandbox_secret"
)

// world is a sandbox behind HTTP, a gate that speaks to it through the judges, and an endpoint that keeps its events.
type world struct {
	t       testing.TB
	cfg     stripesandbox.Config
	clock   *clock.Manual
	url     string
	sandbox *stripesandbox.Sandbox
	gate    *stripegate.Gate

	mu       sync.Mutex
	handler  http.Handler
	received []payments.ProviderEvent
	refuse   int  // so many deliveries are answered with 500 first
	unjudged bool // deliveries are only answered, for the benchmark
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		h := w.handler
		w.mu.Unlock()
		h.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	endpoint := httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(endpoint.Close)
	w.url = server.URL
	w.cfg = stripesandbox.Config{
		PublicURL: server.URL, Folder: t.TempDir(), SecretKey: testKey, WebhookURL: endpoint.URL, WebhookSecret: testSecret,
		Sign: stripegate.Sign, Clock: w.clock, RetryBase: time.Millisecond,
	}
	w.gate = w.newGate(judgedTransport{t, http.DefaultTransport})
	w.open()
	t.Cleanup(func() { _ = w.sandbox.Close() })
	return w
}

func (w *world) newGate(transport http.RoundTripper) *stripegate.Gate {
	g, err := stripegate.New(stripegate.Config{
		SecretKey: testKey, WebhookSecret: testSecret, BaseURL: w.url, Clock: w.clock, Transport: transport,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) open() {
	s, err := stripesandbox.Open(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.sandbox, w.handler = s, s
	w.mu.Unlock()
}

// receive is the endpoint: it checks the signature as the product does, and judges the event.
func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unjudged {
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	if w.refuse > 0 {
		w.refuse--
		rw.WriteHeader(http.StatusInternalServerError)
		return
	}
	e, err := w.gate.ReadEvent(raw, r.Header.Get("Stripe-Signature"), w.clock.Now())
	if err != nil {
		w.t.Errorf("a delivered event: %v", err)
	}
	if err := judgeObject(raw); err != nil {
		w.t.Error(err)
	}
	w.received = append(w.received, e)
	rw.WriteHeader(http.StatusNoContent)
}

// settled waits until every event of our types was delivered, then gives the received ones.
func (w *world) settled() []payments.ProviderEvent {
	w.t.Helper()
	for range 1000 {
		if w.sandbox.Book().Undelivered == 0 {
			w.mu.Lock()
			defer w.mu.Unlock()
			return append([]payments.ProviderEvent(nil), w.received...)
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.t.Fatal("events are still undelivered after 5 s")
	return nil
}

// facts applies received events as the product does, each event id once, and gives the facts of interest by kind.
func (w *world) facts() map[payments.FactKind][]payments.Fact {
	w.t.Helper()
	out, seen := map[payments.FactKind][]payments.Fact{}, map[string]bool{}
	for _, e := range w.settled() {
		if seen[e.ID] {
			continue
		}
		seen[e.ID] = true
		f, interesting, err := w.gate.Fact(e)
		if err != nil {
			w.t.Fatalf("%s: %v", e.Type, err)
		}
		if interesting {
			out[f.Kind] = append(out[f.Kind], f)
		}
	}
	return out
}

func (w *world) checkoutRequest(name string, amount money.Amount) payments.CheckoutRequest {
	return payments.CheckoutRequest{
		PaymentID: "pay_" + name, OrderID: "ord_" + name, Description: "PRD 7 · QUALIFYING – Élève d’été", Email: "learner@example.org",
		Amount: amount, Lang: "fr", SuccessURL: "https://cursus.example/orders/ord_" + name + "?checkout={CHECKOUT_SESSION_ID}",
		CancelURL: "https://cursus.example/cancel", ExpiresAt: w.clock.Now().Add(time.Hour), IdempotencyKey: "pay_" + name + "/1",
	}
}

func (w *world) checkout(name string, amount money.Amount) payments.CheckoutSession {
	w.t.Helper()
	s, err := w.gate.OpenCheckout(context.Background(), w.checkoutRequest(name, amount))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// bought opens a checkout, pays it by card and gives its payment intent.
func (w *world) bought(name string, amount money.Amount) (payments.CheckoutSession, string) {
	w.t.Helper()
	s := w.checkout(name, amount)
	answer := w.tell("/sandbox/pay/"+s.ID, map[string]any{"card": "4242 4242 4242 4242"})
	return s, answer["session"].(map[string]any)["payment_intent"].(string)
}

// tell calls a /sandbox operation that must succeed.
func (w *world) tell(path string, body any) map[string]any {
	w.t.Helper()
	status, answer := w.ask(path, body)
	if status != http.StatusOK {
		w.t.Fatalf("%s: %d %v", path, status, answer)
	}
	return answer
}

func (w *world) ask(path string, body any) (int, map[string]any) {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.Post(w.url+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, answer
}

func (w *world) refund(name, intent string, amount money.Amount) (payments.ProviderRefund, error) {
	return w.gate.Refund(context.Background(), payments.RefundRequest{
		RefundID: "ref_" + name, PaymentID: "pay_" + name, PaymentIntentID: intent, Amount: amount, IdempotencyKey: "ref_" + name + "/1",
	})
}

// one asserts that there is exactly one fact of a kind.
func one(t testing.TB, facts map[payments.FactKind][]payments.Fact, kind payments.FactKind) payments.Fact {
	t.Helper()
	if len(facts[kind]) != 1 {
		t.Fatalf("%d facts %q, want 1: %s", len(facts[kind]), kind, fmt.Sprint(facts))
	}
	return facts[kind][0]
}

func euros(minor int64) money.Amount { return money.Of(minor, "EUR") }
