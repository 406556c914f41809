package stripegate

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/money"
)

// calls are all that we ask of Stripe.
var calls = map[string]struct {
	creates bool // carries a key, and answers with what it made
	do      func(context.Context, *Gate) error
}{
	"open a page": {true, func(ctx context.Context, g *Gate) error {
		_, err := g.OpenCheckout(ctx, payments.CheckoutRequest{PaymentID: "pay_1", Amount: money.Of(15000, "EUR"), IdempotencyKey: "k"})
		return err
	}},
	"refund": {true, func(ctx context.Context, g *Gate) error {
		_, err := g.Refund(ctx, payments.RefundRequest{RefundID: "ref_1", PaymentIntentID: "pi_1", Amount: money.Of(100, "EUR"), IdempotencyKey: "k"})
		return err
	}},
	"open a page for a card": {true, func(ctx context.Context, g *Gate) error {
		_, err := g.OpenSetup(ctx, payments.SetupRequest{OrderID: "ord_1", Currency: "EUR", ExpiresAt: time.Unix(1, 0), IdempotencyKey: "k"})
		return err
	}},
	"charge a card": {true, func(ctx context.Context, g *Gate) error {
		_, err := g.Charge(ctx, payments.ChargeRequest{PaymentID: "pay_1", CustomerID: "cus_1", MethodID: "pm_1", Amount: money.Of(100, "EUR"), IdempotencyKey: "k"})
		return err
	}},
	"look for a charge of long ago": {false, func(ctx context.Context, g *Gate) error {
		_, err := g.Charge(ctx, payments.ChargeRequest{PaymentID: "pay_1", CustomerID: "cus_1", MethodID: "pm_1", Amount: money.Of(100, "EUR"), IdempotencyKey: "k", AskedLongAgo: true})
		return err
	}},
	"look for a refund of long ago": {false, func(ctx context.Context, g *Gate) error {
		_, err := g.Refund(ctx, payments.RefundRequest{RefundID: "ref_1", PaymentIntentID: "pi_1", Amount: money.Of(100, "EUR"), IdempotencyKey: "k", AskedLongAgo: true})
		return err
	}},
	"close a page":  {false, func(ctx context.Context, g *Gate) error { return g.ExpireCheckout(ctx, "cs_1", "k") }},
	"list events":   {false, func(ctx context.Context, g *Gate) error { _, err := g.EventsSince(ctx, time.Unix(1, 0)); return err }},
	"read the book": {false, func(ctx context.Context, g *Gate) error { _, err := g.Book(ctx); return err }},
	"read an event of another version": {false, func(_ context.Context, g *Gate) error {
		_, _, err := g.Fact(payments.ProviderEvent{Type: "refund.created", APIVersion: "2099-01-01", Raw: []byte(`{"data":{"object":{"id":"re_1","object":"refund"}}}`)})
		return err
	}},
	"find the refund of a charge": {false, func(_ context.Context, g *Gate) error {
		_, _, err := g.Fact(payments.ProviderEvent{Type: "charge.refunded", APIVersion: APIVersion, Raw: []byte(`{"data":{"object":{"id":"ch_1","object":"charge"}}}`)})
		return err
	}},
}

// weather is what can come instead of an answer.
var weather = map[string]http.HandlerFunc{
	"429":            answers(http.StatusTooManyRequests, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`),
	"500":            answers(http.StatusInternalServerError, `{"error":{"type":"api_error"}}`),
	"503 of a proxy": answers(http.StatusServiceUnavailable, "<html>busy</html>"),
	"garbage":        answers(http.StatusOK, "<html>\x00\xff"),
	"half an answer": answers(http.StatusOK, `{"id":"cs_1","url":"https:`),
	"nothing":        answers(http.StatusOK, ""),
	"cut before":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"cut in the body": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "900")
		_, _ = w.Write([]byte(`{"id"`))
	},
	"never": func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second); panic(http.ErrAbortHandler) }, // our time-out is shorter
}

func answers(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Stripe-Should-Retry", "false")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// Whatever comes instead of an answer, at every call, is a fault that says "later", so that the job of the call asks again: never
// success, and never a final refusal of what may have been done. Every attempt carries the same key, so what was done is not done twice.
func TestWeatherAtEveryCall(t *testing.T) {
	var group sync.WaitGroup // most of it is waiting between attempts
	for name, call := range calls {
		for sky, handler := range weather {
			group.Go(func() {
				keys, err := under(t, handler, call.do)
				if !errors.Is(err, ErrUnavailable) {
					t.Errorf("%s, %s: %v, want %v", name, sky, err, ErrUnavailable)
				}
				if len(keys) != 1 || call.creates && !keys["k"] {
					t.Errorf("%s, %s: the attempts carried the keys %v", name, sky, keys)
				}
			})
		}
		if call.creates {
			group.Go(func() {
				if _, err := under(t, answers(http.StatusOK, "{}"), call.do); !errors.Is(err, ErrUnavailable) {
					t.Errorf("%s: nothing was made, and yet: %v", name, err)
				}
			})
		}
	}
	group.Wait()
}

// under makes one call in some weather, and gives the keys that its attempts carried.
func under(t *testing.T, handler http.HandlerFunc, do func(context.Context, *Gate) error) (keys map[string]bool, err error) {
	t.Helper()
	var mu sync.Mutex
	keys = map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		keys[r.Header.Get("Idempotency-Key")] = true
		mu.Unlock()
		handler(w, r)
	}))
	defer server.Close()
	g, err := New(Config{SecretKey: "sk_test_x", WebhookSecret: secret, BaseURL: server.URL, Timeout: 300 * time.Millisecond})
	if err != nil {
		return keys, err
	}
	err = do(context.Background(), g)
	mu.Lock()
	defer mu.Unlock()
	return keys, err
}
