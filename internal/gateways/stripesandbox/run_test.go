package stripesandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cursus/internal/domain/payments"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
)

func TestTheJudgesJudge(t *testing.T) {
	for name, raw := range map[string]string{
		"misspelt":     `{"object":"refund","id":"re_1","amount":1,"created":1,"currency":"eur","stauts":"succeeded"}`,
		"wrong type":   `{"object":"refund","id":"re_1","amount":"1","created":1,"currency":"eur"}`,
		"missing":      `{"object":"refund","id":"re_1","created":1,"currency":"eur"}`,
		"inside":       `{"object":"event","id":"evt_1","created":1,"livemode":false,"pending_webhooks":0,"type":"x","data":{"object":{"object":"refund"}}}`,
		"null":         `{"object":"refund","id":null,"amount":1,"created":1,"currency":"eur"}`,
		"unknown enum": `{"error":{"type":"oops"}}`,
	} {
		if judgeObject([]byte(raw)) == nil {
			t.Errorf("%s passes", name)
		}
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://127.0.0.1/v1/refunds", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Stripe-Version", stripegate.APIVersion)
	if complaint := askMock(r, []byte("payment_intent=pi_1&colour=red")); !strings.Contains(complaint, "400") {
		t.Errorf("stripe-mock lets an unknown parameter pass: %q", complaint)
	}
	r.Header.Set("Stripe-Version", "2020-08-27")
	if complaint := askMock(r, []byte("payment_intent=pi_1")); !strings.Contains(complaint, "400") {
		t.Errorf("stripe-mock lets another version pass: %q", complaint)
	}
}

func TestItRefusesToStart(t *testing.T) {
	good := stripesandbox.Config{
		Addr: "127.0.0.1:0", Folder: t.TempDir(), SecretKey: testKey, WebhookURL: "http://127.0.0.1:1/", WebhookSecret: testSecret, Sign: stripegate.Sign,
	}
	for name, c := range map[string]struct {
		spoil func(*stripesandbox.Config)
		want  error
	}{
		"live key":            {func(c *stripesandbox.Config) { c.SecretKey = "sk_live_x" }, stripesandbox.ErrLiveKey},
		"live restricted key": {func(c *stripesandbox.Config) { c.SecretKey = "rk_live_x" }, stripesandbox.ErrLiveKey},
		"no key":              {func(c *stripesandbox.Config) { c.SecretKey = "" }, stripesandbox.ErrKey},
		"open to the network": {func(c *stripesandbox.Config) { c.Addr = "0.0.0.0:0" }, stripesandbox.ErrNotLoopback},
		"every interface":     {func(c *stripesandbox.Config) { c.Addr = ":0" }, stripesandbox.ErrNotLoopback},
		"no webhook secret":   {func(c *stripesandbox.Config) { c.WebhookSecret = "" }, stripesandbox.ErrSecret},
		"no signer":           {func(c *stripesandbox.Config) { c.Sign = nil }, stripesandbox.ErrNoSigner},
	} {
		cfg := good
		c.spoil(&cfg)
		if err := stripesandbox.Run(context.Background(), cfg); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	good.OnListen = func(string) { cancel() }
	if err := stripesandbox.Run(ctx, good); err != nil && !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("a good one: %v", err)
	}
}

func TestThePayPage(t *testing.T) {
	w := newWorld(t)
	s := w.checkout("a", euros(15000))
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	press := func(v url.Values) (int, string, string) {
		t.Helper()
		res, err := client.PostForm(s.URL, v)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, res.Header.Get("Location"), string(body)
	}
	res, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	for _, want := range []string{`lang="fr"`, "MODE TEST", "150,00\u00a0EUR", "Élève d’été", "https://cursus.example/cancel", "learner@example.org"} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if status, _, body := press(url.Values{"number": {"4000000000000002"}}); status != http.StatusPaymentRequired || !strings.Contains(body, "refusée") {
		t.Errorf("declined: %d", status)
	}
	if status, _, body := press(url.Values{"number": {"<script>"}}); status != http.StatusPaymentRequired || strings.Contains(body, "<script>") {
		t.Errorf("not a number: %d", status)
	}
	if status, to, _ := press(url.Values{"number": {"4000 0025 0000 3155"}}); status != http.StatusSeeOther || to != "/pay/"+s.ID {
		t.Errorf("3-D Secure: %d %s", status, to)
	}
	want := "https://cursus.example/orders/ord_a?checkout=" + s.ID
	for range 2 { // the second press finds a finished page and goes the same way
		if status, to, _ := press(url.Values{"authenticate": {"complete"}}); status != http.StatusSeeOther || to != want {
			t.Errorf("complete: %d %s", status, to)
		}
	}
	if status, _, _ := w.raw(http.MethodGet, "/pay/cs_test_none", nil, "", testKey); status != http.StatusNotFound {
		t.Errorf("a page that is not: %d", status)
	}
	one(t, w.facts(), payments.FactCaptured)
}

// BenchmarkPurchase measures what the sandbox and the gate can bear together: open a checkout, pay, receive the webhook.
func BenchmarkPurchase(b *testing.B) {
	w := newWorld(b)
	w.unjudged = true
	gate := w.newGate(&http.Transport{MaxIdleConnsPerHost: 64})
	payer := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var n atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := w.checkoutRequest("b"+time.Duration(n.Add(1)).String(), euros(15000))
			s, err := gate.OpenCheckout(context.Background(), r)
			if err != nil {
				b.Error(err)
				return
			}
			res, err := payer.Post(w.url+"/sandbox/pay/"+s.ID, "application/json", strings.NewReader(`{"card":"4242424242424242"}`))
			if err != nil || res.StatusCode != http.StatusOK {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	})
	w.settled()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "purchases/s")
}
