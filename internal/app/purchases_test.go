package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// How many buyers buy at the same time, and how many purchases are measured, after those with which each connection learns its
// statements.
const (
	buyersAtOnce = 16
	purchases    = 1500
	warmUp       = 150
	webhooks     = "/v1/webhooks/stripe"
)

// shop is a house behind HTTP beside a sandbox, for measuring.
type shop struct {
	*world
	url    string
	client *http.Client
	paid   sync.Map // order id → chan struct{}
}

// newShop opens one. hook is where the sandbox posts its events; empty: to the house.
func newShop(b *testing.B, hook string) *shop {
	b.Helper()
	w := &world{t: b, clock: clock.NewManual(clock.System{}.Now()), dsn: testkit.OwnerDSN(b)}
	s := &shop{world: w, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	site, stripe := listen(b), httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.sandbox.ServeHTTP(rw, r) }))
	b.Cleanup(stripe.Close)
	s.url, w.stripe = "http://"+site.Addr().String(), stripe.URL
	w.cfg = testConfig(w.dsn, w.stripe, b.TempDir())
	w.cfg.BaseURL = s.url
	if hook == "" {
		hook = s.url + webhooks
	}
	var err error
	if w.sandbox, err = stripesandbox.Open(stripesandbox.Config{
		PublicURL: w.stripe, Folder: b.TempDir(), SecretKey: stripeKey, WebhookURL: hook, WebhookSecret: hookSecret,
		Sign: stripegate.Sign, RetryBase: 20 * time.Millisecond,
	}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.sandbox.Close() })
	if w.h, err = app.Open(context.Background(), w.cfg, app.Options{}); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(system)
	ended := make(chan error, 1)
	go func() { ended <- w.h.Serve(ctx, app.Serving{Contract: contract.YAML, Listen: site, Worker: true}) }()
	b.Cleanup(func() { stop(); b.Log(<-ended, w.h.Close()) })
	w.furnish()
	return s
}

// buyer makes a person who may buy, with a token.
func (s *shop) buyerToken(i int) string {
	p := s.person(fmt.Sprintf("b%d@example.org", i), "Buyer")
	token, _, err := s.h.Identity.NewToken(system, p.ID, "bench", nil, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func (s *shop) post(url, token, body string, into any) error {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body))) //nolint:noctx // a benchmark
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Idempotency-Key", ident.Secret(8))
	}
	a, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = a.Body.Close() }()
	raw, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode >= 300 {
		return fmt.Errorf("%s: %d %s %w", url, a.StatusCode, raw, err)
	}
	return json.Unmarshal(raw, into)
}

// purchase buys once: from the order to the enrolment and the invoice.
func (s *shop) purchase(token string) error {
	var o struct {
		ID          string `json:"id"`
		CheckoutURL string `json:"checkout_url"`
	}
	if err := s.post(s.url+"/v1/orders", token, fmt.Sprintf(`{"offer_id":%q,"lang":"en"}`, s.world.paid.ID), &o); err != nil {
		return err
	}
	done := make(chan struct{})
	s.paid.Store(o.ID, done)
	var paid struct{ Status string }
	if err := s.post(s.stripe+"/sandbox/pay/"+filepath.Base(o.CheckoutURL), "", `{"card":"`+visa+`"}`, &paid); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-time.After(30 * time.Second):
		return fmt.Errorf("%s was not paid within 30 s", o.ID)
	}
}

// watch tells each buyer when her order is paid: one question for all of them, so that the measuring costs little.
func (s *shop) watch(ctx context.Context) {
	for ctx.Err() == nil {
		var waiting, ids []string
		s.paid.Range(func(id, _ any) bool { waiting = append(waiting, id.(string)); return true })
		_ = s.h.DB.LookAll(system, &ids, postgres.Query{Name: "watch", SQL: "select id from sales.orders where id = any($1::text[]) and state = 'paid'"}, "{"+strings.Join(waiting, ",")+"}")
		for _, id := range ids {
			if done, ok := s.paid.LoadAndDelete(id); ok {
				close(done.(chan struct{}))
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// BenchmarkPurchases measures whole purchases over HTTP, sandbox included: order, pay page, webhook, settlement with payment,
// ledger, enrolment, journey, invoice and jobs.
func BenchmarkPurchases(b *testing.B) {
	for range b.N {
		s := newShop(b, "")
		tokens := make([]string, warmUp+purchases)
		for i := range tokens {
			tokens[i] = s.buyerToken(i)
		}
		ctx, stop := context.WithCancel(context.Background())
		go s.watch(ctx)
		each(b, buyersAtOnce, warmUp, func(i int) error { return s.purchase(tokens[purchases+i]) })
		took := make([]time.Duration, purchases)
		before, began := s.spent(b), time.Now()
		each(b, buyersAtOnce, purchases, func(i int) error {
			start := time.Now()
			err := s.purchase(tokens[i])
			took[i] = time.Since(start)
			return err
		})
		all := time.Since(began)
		after := s.spent(b)
		stop()
		slices.Sort(took)
		b.ReportMetric(float64((after.ours-before.ours).Microseconds())/1000/purchases, "cpu-ms/purchase") // with the sandbox's and the buyers'
		b.ReportMetric(float64((after.postgres-before.postgres).Microseconds())/1000/purchases, "postgres-cpu-ms/purchase")
		b.ReportMetric(float64(purchases)/all.Seconds(), "purchases/s")
		b.ReportMetric(float64(took[purchases/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[purchases*99/100].Microseconds())/1000, "p99-ms")
		if os.Getenv("CURSUS_BENCH_VERIFY") != "" { // before pgbench, whose rows are not whole orders
			s.verify()
		}
		if limit, latencies := s.pgbench(b, buyersAtOnce); limit > 0 {
			b.ReportMetric(limit, "pgbench-purchases/s")
			b.ReportMetric(latencies[len(latencies)/2], "pgbench-p50-ms")
			b.ReportMetric(latencies[len(latencies)*99/100], "pgbench-p99-ms")
			b.ReportMetric(float64(purchases)/all.Seconds()/limit, "of-pgbench")
		}
	}
}
