package stripesandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/payments"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

const (
	key    = "sk_test_abcdefghijklmnop"
	secret = "whsec_abcdefghijklmnopqrstuvwxyz012345"
)

type delivery struct {
	raw       []byte
	signature string
}

// A purchase over HTTP: the gate opens a pay page, a declined card changes nothing, a good one captures, the signed webhook
// says so in our words, a forged one is refused, refunds stop at what was paid, and the book adds up, also after a restart.
func TestPurchaseAndRefundOverHTTP(t *testing.T) {
	got := make(chan delivery, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got <- delivery{raw, r.Header.Get("Stripe-Signature")}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer hook.Close()
	cfg := stripesandbox.Config{Addr: "127.0.0.1:0", Folder: t.TempDir(), SecretKey: key, WebhookURL: hook.URL, WebhookSecret: secret, Sign: stripegate.Sign}
	open := func() (*stripesandbox.Sandbox, *httptest.Server, *stripegate.Gate) {
		front := httptest.NewUnstartedServer(nil)
		cfg.PublicURL = "http://" + front.Listener.Addr().String()
		s, err := stripesandbox.Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		front.Config.Handler = s
		front.Start()
		g, err := stripegate.New(stripegate.Config{SecretKey: key, WebhookSecret: secret, BaseURL: cfg.PublicURL})
		if err != nil {
			t.Fatal(err)
		}
		return s, front, g
	}
	s, front, g := open()
	ctx := context.Background()
	request := payments.CheckoutRequest{PaymentID: "pay_1", OrderID: "ord_1", Description: "QUALIFYING", Email: "ada@example.org",
		Amount: money.Of(15000, "EUR"), Lang: "en", SuccessURL: "http://127.0.0.1/ok", CancelURL: "http://127.0.0.1/no",
		ExpiresAt: time.Now().Add(time.Hour), IdempotencyKey: "pay_1-1"}
	page, err := g.OpenCheckout(ctx, request)
	if err != nil || !strings.HasPrefix(page.URL, cfg.PublicURL) {
		t.Fatal(page, err)
	}
	if again, err := g.OpenCheckout(ctx, request); err != nil || again.ID != page.ID {
		t.Fatal("the same key opened another page", again, err)
	}
	request.Amount.Minor = 1
	if _, err := g.OpenCheckout(ctx, request); err == nil {
		t.Error("the same key with another amount was taken")
	}
	pay := func(card string) {
		r, err := http.Post(cfg.PublicURL+"/sandbox/pay/"+page.ID, "application/json", strings.NewReader(`{"card":"`+card+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
	}
	pay("4000000000000002")
	if b, err := balance(g.Book(ctx)); err != nil || b["EUR"] != 0 {
		t.Fatal("a declined card paid", b, err)
	}
	pay("4242424242424242")
	intent := ""
	fact := func(want payments.FactKind, minor int64) {
		for {
			select {
			case d := <-got:
				if _, err := g.ReadEvent(d.raw, strings.Replace(d.signature, "v1=", "v1=00", 1), time.Now()); fault.From(err).Kind != fault.Unauthenticated {
					t.Fatal("a forged signature passed:", err)
				}
				e, err := g.ReadEvent(d.raw, d.signature, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				if f, ok, err := g.Fact(e); err != nil {
					t.Fatal(err)
				} else if ok && f.Kind == want && f.Amount == money.Of(minor, "EUR") {
					if f.PaymentIntentID != "" {
						intent = f.PaymentIntentID
					}
					return
				}
			case <-time.After(10 * time.Second):
				t.Fatal("no webhook said", want)
			}
		}
	}
	fact(payments.FactCaptured, 15000)
	refund := func(id string, minor int64) error {
		_, err := g.Refund(ctx, payments.RefundRequest{RefundID: id, PaymentID: "pay_1", PaymentIntentID: intent, Amount: money.Of(minor, "EUR"), IdempotencyKey: id})
		return err
	}
	if err := errors.Join(refund("ref_1", 5000), refund("ref_1", 5000)); err != nil {
		t.Fatal(err)
	}
	fact(payments.FactRefunded, 5000)
	if err := refund("ref_2", 10001); err == nil {
		t.Error("more was refunded than was paid")
	}
	for range 2 {
		if b, err := balance(g.Book(ctx)); err != nil || b["EUR"] != 10000 {
			t.Fatal(b, err)
		}
		front.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, front, g = open() // the book outlives the process
	}
	front.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// balance sums a book per currency.
func balance(book []payments.Charge, err error) (map[money.Currency]int64, error) {
	sums := map[money.Currency]int64{}
	for _, c := range book {
		sums[c.Currency] += c.Left()
	}
	return sums, err
}
