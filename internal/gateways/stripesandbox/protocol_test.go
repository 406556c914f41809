package stripesandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"

	"cursus/internal/domain/payments"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
)

func TestFiftyCopiesAtOnceAreOneEvent(t *testing.T) {
	w := newWorld(t)
	w.tell("/sandbox/webhooks", map[string]any{"duplicate": 50, "reorder": true})
	w.bought("a", euros(15000))
	for range 500 {
		if len(w.settled()) == 100 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	ids := map[string]int{}
	for _, e := range w.settled() {
		ids[e.ID]++
	}
	if len(ids) != 2 || len(w.settled()) != 100 {
		t.Errorf("received %v, want the events of session and intent 50 times", ids)
	}
	one(t, w.facts(), payments.FactCaptured)
}

func TestHeldEventsComeBackwards(t *testing.T) {
	w := newWorld(t)
	w.tell("/sandbox/webhooks", map[string]any{"hold": true})
	_, intent := w.bought("a", euros(15000))
	if _, err := w.refund("a", intent, euros(15000)); err != nil {
		t.Fatal(err)
	}
	if len(w.received) != 0 {
		t.Fatal("held events were delivered")
	}
	w.tell("/sandbox/webhooks", map[string]any{"reorder": true})
	facts := w.facts()
	one(t, facts, payments.FactCaptured)
	if len(facts[payments.FactRefunded]) != 2 {
		t.Errorf("charge.refunded and refund.created: %+v", facts)
	}
	all := w.tell("/sandbox/webhooks", map[string]any{"resend": "all", "copies": 2})
	if all["resent"] != float64(4) {
		t.Errorf("resent: %v", all)
	}
}

func TestARefusingEndpointIsAskedAgain(t *testing.T) {
	w := newWorld(t)
	w.refuse = 5
	w.bought("a", euros(15000))
	one(t, w.facts(), payments.FactCaptured)
	if b := w.sandbox.Book(); b.Refused != 5 || b.Posted != 2 {
		t.Errorf("refused %d, posted %d; want 5 and 2", b.Refused, b.Posted)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	w := newWorld(t)
	r := w.checkoutRequest("a", euros(15000))
	first := w.checkout("a", euros(15000))
	if again := w.checkout("a", euros(15000)); again != first {
		t.Errorf("the same request again: %+v, want %+v", again, first)
	}
	r.Amount = euros(15001)
	if _, err := w.gate.OpenCheckout(context.Background(), r); !errors.Is(err, stripegate.ErrKeyReused) {
		t.Errorf("the same key with another amount: %v", err)
	}
	body := url.Values{"payment_intent": {"pi_none"}}
	status, head, _ := w.raw(http.MethodPost, "/v1/refunds", body, "k1", testKey)
	if status != http.StatusNotFound || head.Get("Request-Id") == "" {
		t.Errorf("an unknown payment intent: %d", status)
	}
	_, intent := w.bought("b", euros(15000))
	body = url.Values{"payment_intent": {intent}}
	w.raw(http.MethodPost, "/v1/refunds", body, "k2", testKey)
	if _, head, _ = w.raw(http.MethodPost, "/v1/refunds", body, "k2", testKey); head.Get("Idempotent-Replayed") != "true" || head.Get("Idempotency-Key") != "k2" {
		t.Errorf("a replay says so: %v", head)
	}
	w.settled() // a signature made before the clock moves would be a day old
	w.clock.Advance(25 * time.Hour)
	if status, _, _ = w.raw(http.MethodPost, "/v1/refunds", body, "k2", testKey); status != http.StatusBadRequest {
		t.Errorf("after a day the key is forgotten and the charge already refunded: %d", status)
	}
}

func TestTheSandboxKeepsItsBook(t *testing.T) {
	w := newWorld(t)
	w.cfg.Fsync = true
	s, intent := w.bought("a", euros(15000))
	if _, err := w.refund("a", intent, euros(5000)); err != nil {
		t.Fatal(err)
	}
	w.settled()
	w.tell("/sandbox/webhooks", map[string]any{"hold": true})
	w.bought("b", euros(15000))
	before := w.sandbox.Book()
	if _, err := stripesandbox.Open(w.cfg); err == nil {
		t.Error("a second process opened the same book")
	}
	if err := w.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(w.cfg.Folder, "book.jsonl")
	f, err := os.OpenFile(journal, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`[{"k":"charge","id":"ch_torn`); err != nil { // what a crash in the middle of a write leaves
		t.Fatal(err)
	}
	_ = f.Close()
	w.open()
	w.settled() // the undelivered event of b comes after the restart
	if f := w.facts()[payments.FactCaptured]; len(f) != 2 {
		t.Errorf("captured after the restart: %+v", f)
	}
	after := w.sandbox.Book()
	if after.Balance["eur"] != before.Balance["eur"] || after.Events != before.Events || after.Sessions != before.Sessions {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if again := w.checkout("a", euros(15000)); again.ID != s.ID {
		t.Error("the idempotency keys were forgotten")
	}
	w.wantBook("EUR", 25000)
}

func TestSignaturesBothWays(t *testing.T) {
	payload := []byte(`{"id":"evt_1","object":"event","type":"charge.refunded","created":1,"api_version":"2023-10-16","data":{"object":{}}}`)
	now := time.Now()
	if _, err := webhook.ConstructEvent(payload, stripegate.Sign(payload, testSecret, now), testSecret); err != nil {
		t.Errorf("Stripe's library refuses our signature: %v", err)
	}
}

func TestBadRequestsGetStripesErrors(t *testing.T) {
	w := newWorld(t)
	good := func() url.Values {
		return url.Values{
			"mode": {"payment"}, "success_url": {"https://a.example/ok"}, "line_items[0][quantity]": {"1"},
			"line_items[0][price_data][currency]": {"eur"}, "line_items[0][price_data][unit_amount]": {"15000"},
			"line_items[0][price_data][product_data][name]": {"x"},
		}
	}
	if status, _, body := w.raw(http.MethodPost, "/v1/checkout/sessions", good(), "", testKey); status != http.StatusOK {
		t.Fatalf("the good one: %d %s", status, body)
	}
	for name, spoil := range map[string]func(url.Values){
		"mode":        func(v url.Values) { v.Set("mode", "subscription") },
		"unknown":     func(v url.Values) { v.Set("colour", "red") },
		"no url":      func(v url.Values) { v.Del("success_url") },
		"script url":  func(v url.Values) { v.Set("success_url", "javascript:alert(1)") },
		"currency":    func(v url.Values) { v.Set("line_items[0][price_data][currency]", "EUR") },
		"float":       func(v url.Values) { v.Set("line_items[0][price_data][unit_amount]", "150.00") },
		"negative":    func(v url.Values) { v.Set("line_items[0][price_data][unit_amount]", "-1") },
		"too small":   func(v url.Values) { v.Set("line_items[0][price_data][unit_amount]", "49") },
		"no quantity": func(v url.Values) { v.Del("line_items[0][quantity]") },
		"millimes": func(v url.Values) {
			v.Set("line_items[0][price_data][currency]", "tnd")
			v.Set("line_items[0][price_data][unit_amount]", "1001")
		},
		"expires": func(v url.Values) { v.Set("expires_at", "1") },
		"expand":  func(v url.Values) { v.Set("expand[0]", "payment_intent") },
	} {
		v := good()
		spoil(v)
		status, _, body := w.raw(http.MethodPost, "/v1/checkout/sessions", v, "", testKey)
		if err := judgeObject(body); status != http.StatusBadRequest || err != nil {
			t.Errorf("%s: %d %s %v", name, status, body, err)
		}
	}
	if status, _, _ := w.raw(http.MethodGet, "/v1/events", nil, "", "sk_test_other"); status != http.StatusUnauthorized {
		t.Errorf("another key: %d", status)
	}
	if status, _, _ := w.raw(http.MethodGet, "/v1/customers", nil, "", testKey); status != http.StatusNotFound {
		t.Errorf("an operation that is not here: %d", status)
	}
	if status, _, _ := w.raw(http.MethodPost, "/sandbox/webhooks", url.Values{}, "", testKey); status != http.StatusUnsupportedMediaType {
		t.Errorf("not JSON, as a form of another site would be: %d", status)
	}
}

// raw sends one request as a client that is not Stripe's library.
func (w *world) raw(method, path string, body url.Values, key, bearer string) (int, http.Header, []byte) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, w.url+path, strings.NewReader(body.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, res.Header, answer
}

func TestEverythingThatIsListedFitsTheSchema(t *testing.T) {
	w := newWorld(t)
	_, intent := w.bought("a", euros(15000))
	if _, err := w.refund("a", intent, euros(5000)); err != nil {
		t.Fatal(err)
	}
	w.tell("/sandbox/pay/"+w.checkout("b", euros(15000)).ID, map[string]any{"card": "4000000000000002"})
	w.tell("/sandbox/pay/"+w.checkout("c", euros(15000)).ID, map[string]any{"card": "4000002500003155", "authenticate": "complete"})
	w.tell("/sandbox/pay/"+w.checkout("d", euros(15000)).ID, map[string]any{"card": "DE62370400440532013001"})
	w.tell("/sandbox/pay/"+w.checkout("e", euros(15000)).ID, map[string]any{"card": "4000000000000259"})
	three := w.checkout("f", euros(15000)).ID
	w.tell("/sandbox/pay/"+three, map[string]any{"card": "4000002500003155"})
	if err := w.gate.ExpireCheckout(context.Background(), three, "exp_f"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/v1/checkout/sessions", "/v1/charges", "/v1/refunds", "/v1/disputes", "/v1/events?limit=100", "/v1/balance_transactions",
		"/v1/payment_intents/" + intent,
	} {
		status, _, body := w.raw(http.MethodGet, path, nil, "", testKey)
		if err := judgeObject(body); status != http.StatusOK || err != nil {
			t.Errorf("%s: %d %v", path, status, err)
		}
		var page struct{ Data []json.RawMessage }
		if err := json.Unmarshal(body, &page); err != nil || page.Data == nil && !strings.Contains(path, intent) || page.Data != nil && len(page.Data) == 0 {
			t.Errorf("%s lists nothing: %v", path, err)
		}
		for _, raw := range page.Data[:min(1, len(page.Data))] {
			var id struct{ ID string }
			if err := json.Unmarshal(raw, &id); err != nil || strings.Contains(path, "balance") {
				continue
			}
			base, _, _ := strings.Cut(path, "?")
			if status, _, body := w.raw(http.MethodGet, base+"/"+id.ID, nil, "", testKey); status != http.StatusOK || judgeObject(body) != nil {
				t.Errorf("%s/%s: %d %s", base, id.ID, status, body)
			}
		}
	}
}
