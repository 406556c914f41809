package stripegate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

const secret = "whsec_test_secret"

func testGate(t *testing.T, base string) *Gate {
	t.Helper()
	g, err := New(Config{SecretKey: "sk_test_x", WebhookSecret: secret, BaseURL: base, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestNewRefusesBadSettings(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		want error
	}{
		"test key":               {Config{SecretKey: "sk_test_x", WebhookSecret: secret}, nil},
		"live key":               {Config{SecretKey: "sk_live_x", WebhookSecret: secret}, nil},
		"restricted key":         {Config{SecretKey: "rk_live_x", WebhookSecret: secret}, nil},
		"sandbox":                {Config{SecretKey: "sk_test_x", WebhookSecret: secret, BaseURL: "http://127.0.0.1:12111"}, nil},
		"sandbox by name":        {Config{SecretKey: "sk_test_x", WebhookSecret: secret, BaseURL: "http://localhost:12111"}, nil},
		"no key":                 {Config{WebhookSecret: secret}, ErrKey},
		"publishable key":        {Config{SecretKey: "pk_test_x", WebhookSecret: secret}, ErrKey},
		"prefix alone":           {Config{SecretKey: "sk_test_", WebhookSecret: secret}, ErrKey},
		"no prefix":              {Config{SecretKey: "test_x", WebhookSecret: secret}, ErrKey},
		"key with a line end":    {Config{SecretKey: "sk_test_x\n", WebhookSecret: secret}, ErrKey},
		"empty webhook secret":   {Config{SecretKey: "sk_test_x"}, ErrWebhookSecret},
		"other webhook secret":   {Config{SecretKey: "sk_test_x", WebhookSecret: "secret"}, ErrWebhookSecret},
		"prefix of a secret":     {Config{SecretKey: "sk_test_x", WebhookSecret: "whsec_"}, ErrWebhookSecret},
		"live key at a sandbox":  {Config{SecretKey: "sk_live_x", WebhookSecret: secret, BaseURL: "http://127.0.0.1:12111"}, ErrLiveSandbox},
		"live key elsewhere":     {Config{SecretKey: "rk_live_x", WebhookSecret: secret, BaseURL: "https://stripe.example"}, ErrLiveSandbox},
		"sandbox on the network": {Config{SecretKey: "sk_test_x", WebhookSecret: secret, BaseURL: "http://10.0.0.1:12111"}, ErrBaseURL},
		"loopback in the user":   {Config{SecretKey: "sk_test_x", WebhookSecret: secret, BaseURL: "http://127.0.0.1@evil.example"}, ErrBaseURL},
	} {
		g, err := New(c.cfg)
		if !errors.Is(err, c.want) || (g == nil) == (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if g != nil && g.Live() != strings.Contains(c.cfg.SecretKey, "_live_") {
			t.Errorf("%s: live is %v", name, g.Live())
		}
	}
}

func TestSignatures(t *testing.T) {
	g := testGate(t, "")
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	body := []byte(`{"id":"evt_1","object":"event","type":"charge.refunded","created":1772442000,"api_version":"2024-06-20","livemode":false,"data":{"object":{"id":"ch_1"}}}`)
	sign := func(body []byte, d time.Duration) string { return Sign(body, secret, now.Add(d)) }
	for name, c := range map[string]struct {
		body   []byte
		header string
		want   error
	}{
		"now":                 {body, sign(body, 0), nil},
		"300 s ago":           {body, sign(body, -300*time.Second), nil},
		"in 300 s":            {body, sign(body, 300*time.Second), nil},
		"301 s ago":           {body, sign(body, -301*time.Second), ErrSignature},
		"in 301 s":            {body, sign(body, 301*time.Second), ErrSignature},
		"none":                {body, "", ErrSignature},
		"garbage":             {body, "t=,v1=", ErrSignature},
		"no time":             {body, strings.Split(sign(body, 0), ",")[1], ErrSignature},
		"another secret":      {body, Sign(body, "whsec_other_secret", now), ErrSignature},
		"another body":        {append([]byte(" "), body...), sign(body, 0), ErrSignature},
		"fresh time in front": {body, fmt.Sprintf("t=%d,%s", now.Unix(), sign(body, -time.Hour)), ErrSignature},
		"rolled secret":       {body, sign(body, 0) + ",v1=" + strings.Repeat("00", 32), nil},
		"not JSON":            {[]byte("x"), sign([]byte("x"), 0), ErrEvent},
		"null":                {[]byte("null"), sign([]byte("null"), 0), ErrEvent},
		"empty":               {nil, sign(nil, 0), ErrEvent},
		"not an event":        {[]byte(`{"id":"ch_1","object":"charge"}`), sign([]byte(`{"id":"ch_1","object":"charge"}`), 0), ErrEvent},
	} {
		e, err := g.ReadEvent(c.body, c.header, now)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.want == nil && (e.ID != "evt_1" || e.APIVersion != "2024-06-20" || string(e.Raw) != string(body)) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(`{"id":"evt_1","object":"event","type":"refund.created","created":1,"data":{"object":{}}}`))
	f.Add([]byte(`{"id":"evt_1","object":"event","type":"charge.dispute.closed","created":1,"api_version":"2023-10-16","data":{"object":[]}}`))
	g, err := New(Config{SecretKey: "sk_test_x", WebhookSecret: secret, BaseURL: "http://127.0.0.1:1", Timeout: time.Millisecond})
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := g.ReadEvent(body, Sign(body, secret, now), now)
		if err != nil {
			return
		}
		if e.APIVersion == APIVersion && e.Type != "charge.refunded" { // the others would call the network
			_, _, _ = g.Fact(e)
		}
	})
}

func TestErrorsBecomeFaults(t *testing.T) {
	status, answer := 0, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Idempotency-Key") == "" || r.Header.Get("Stripe-Version") != APIVersion {
			t.Errorf("a request without key or version: %v", r.Header)
		}
		w.Header().Set("Stripe-Should-Retry", "false")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	g := testGate(t, server.URL)
	request := payments.RefundRequest{RefundID: "ref_1", PaymentID: "pay_1", PaymentIntentID: "pi_1", Amount: money.Of(100, "EUR"), IdempotencyKey: "k"}
	for _, c := range []struct {
		status int
		kind   string
		want   *fault.Fault
	}{
		{402, "card_error", ErrDeclined}, {400, "invalid_request_error", ErrRefused}, {404, "invalid_request_error", ErrUnknown},
		{400, "idempotency_error", ErrKeyReused}, {401, "invalid_request_error", ErrAuth}, {429, "invalid_request_error", ErrUnavailable},
		{500, "api_error", ErrUnavailable}, {503, "api_error", ErrUnavailable}, {409, "invalid_request_error", ErrUnavailable}, {502, "", ErrUnavailable},
	} {
		status, answer = c.status, `{"error":{"type":"`+c.kind+`","message":"secret words of Stripe"}}`
		if c.kind == "" {
			answer = "<html>bad gateway</html>"
		}
		_, err := g.Refund(context.Background(), request)
		if !errors.Is(err, c.want) {
			t.Errorf("%d %s: %v, want %v", c.status, c.kind, err, c.want)
		}
		if f := fault.From(err); strings.Contains(f.Detail, "secret") {
			t.Errorf("%d: Stripe's words are shown: %s", c.status, f.Detail)
		}
	}
	server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := g.Refund(ctx, request); !errors.Is(err, ErrUnavailable) {
		t.Errorf("nobody there: %v", err)
	}
	request.IdempotencyKey = ""
	if _, err := g.Refund(ctx, request); !errors.Is(err, ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := g.OpenCheckout(ctx, payments.CheckoutRequest{Amount: money.Of(1, "EUR")}); !errors.Is(err, ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
}

func TestAnotherVersionIsAskedForInOurs(t *testing.T) {
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path + " " + r.Header.Get("Stripe-Version")
		_, _ = w.Write([]byte(`{"id":"cs_1","object":"checkout.session","mode":"payment","amount_total":15000,"currency":"eur","payment_status":"paid",
			"client_reference_id":"pay_1","payment_intent":"pi_1","payment_method_types":["card"]}`))
	}))
	defer server.Close()
	g := testGate(t, server.URL)
	e := payments.ProviderEvent{
		ID: "evt_1", Type: "checkout.session.completed", APIVersion: "2099-01-01",
		Raw: []byte(`{"data":{"object":{"id":"cs_1","object":"checkout.session","amount_total":{"new":"shape"}}}}`),
	}
	f, ok, err := g.Fact(e)
	want := payments.Fact{
		Kind: payments.FactCaptured, PaymentID: "pay_1", PaymentIntentID: "pi_1", CheckoutID: "cs_1", Amount: money.Of(15000, "EUR"), Method: "card",
	}
	if err != nil || !ok || f != want || asked != "/v1/checkout/sessions/cs_1 "+APIVersion {
		t.Errorf("%+v %v %v after %q", f, ok, err, asked)
	}
	server.Close()
	e.Raw = []byte(strings.ReplaceAll(string(e.Raw), "cs_1", url.PathEscape("cs_2")))
	if _, _, err := g.Fact(e); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an event that cannot be re-read yet is kept for later: %v", err)
	}
}

func TestEventsOfOthersSayNothing(t *testing.T) {
	g := testGate(t, "")
	for _, e := range []payments.ProviderEvent{
		{Type: "customer.created", Raw: []byte(`{}`)},
		{Type: "checkout.session.completed", Raw: []byte(`{"data":{"object":{"id":"cs_1","mode":"subscription","amount_total":1,"currency":"eur"}}}`)},
		{Type: "checkout.session.completed", Raw: []byte(`{"data":{"object":{"id":"cs_1","mode":"payment","amount_total":1,"currency":"sek"}}}`)},
	} {
		e.APIVersion = APIVersion
		if f, ok, err := g.Fact(e); ok || err != nil || f.Kind != payments.FactUninteresting {
			t.Errorf("%s: %+v %v %v", e.Type, f, ok, err)
		}
	}
	if stripe.Key != "" {
		t.Error("the library's global key was set")
	}
}
