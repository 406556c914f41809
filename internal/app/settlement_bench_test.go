package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// postbox keeps the events of payments that the sandbox posts, for a benchmark that delivers them itself.
type postbox struct {
	*httptest.Server
	mu     sync.Mutex
	bodies [][]byte
}

func newPostbox(b *testing.B) *postbox {
	p := &postbox{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			b.Error(err)
		}
		if !strings.Contains(string(body), `"type":"checkout.session.completed"`) {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.bodies = append(p.bodies, body)
	}))
	b.Cleanup(p.Close)
	return p
}

// each has so many hands work on 0 to n-1.
func each(b *testing.B, hands, n int, work func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	for range hands {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := work(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// untold has so many orders paid at the sandbox, and gives the events that the house has not heard.
func (s *shop) untold(b *testing.B, box *postbox, n int) [][]byte {
	b.Helper()
	buyers := make([]string, n)
	for i := range buyers {
		buyers[i] = s.person(fmt.Sprintf("b%d@example.org", i), "Buyer").ID
	}
	each(b, buyersAtOnce, n, func(i int) error {
		o, err := s.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: buyers[i], OfferID: s.world.paid.ID, Lang: "en", IdempotencyKey: "k"})
		if err != nil {
			return err
		}
		var paid struct{ Status string }
		return s.post(s.stripe+"/sandbox/pay/"+filepath.Base(o.PayURL), "", `{"card":"`+visa+`"}`, &paid)
	})
	s.until("every event is posted", func() bool {
		box.mu.Lock()
		defer box.mu.Unlock()
		return len(box.bodies) >= n
	})
	return box.bodies
}

// BenchmarkWebhooks delivers the events of payments three times each, signed and over HTTP, and waits until every order is settled.
func BenchmarkWebhooks(b *testing.B) {
	const events, times = 1500, 3
	for range b.N {
		box := newPostbox(b)
		s := newShop(b, box.URL)
		var deliveries [][]byte
		for some := range slices.Chunk(s.untold(b, box, events), 50) { // a repetition comes soon after the first, or before it is done
			block := slices.Repeat(some, times)
			rand.Shuffle(len(block), func(i, j int) { block[i], block[j] = block[j], block[i] })
			deliveries = append(deliveries, block...)
		}
		took, began := make([]time.Duration, len(deliveries)), time.Now()
		each(b, buyersAtOnce, len(deliveries), func(i int) error {
			start := time.Now()
			defer func() { took[i] = time.Since(start) }()
			return s.deliver(deliveries[i])
		})
		delivered := time.Since(began)
		s.until("every order is paid", func() bool { return s.orders(b, "paid") == events })
		settled := time.Since(began)
		slices.Sort(took)
		b.ReportMetric(events/settled.Seconds(), "settled/s")
		b.ReportMetric(float64(len(deliveries))/delivered.Seconds(), "deliveries/s")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms-to-2xx")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms-to-2xx")
	}
}

func (s *shop) deliver(body []byte) error {
	r, err := http.NewRequest(http.MethodPost, s.url+webhooks, bytes.NewReader(body)) //nolint:noctx // a benchmark
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Stripe-Signature", stripegate.Sign(body, hookSecret, s.clock.Now()))
	a, err := s.client.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, a.Body)
	if a.StatusCode >= 300 {
		err = fmt.Errorf("webhook: %d", a.StatusCode)
	}
	_ = a.Body.Close()
	return err
}

func (s *shop) orders(b *testing.B, state string) (n int) {
	if err := s.h.DB.View(system, "count", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &n, postgres.Query{Name: "count", SQL: "select count(*) from sales.orders where state = $1"}, state)
	}); err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkGaplessNumbering settles with 32 hands at once, in turns with gapless numbers and without: then each connection counts for
// itself and waits for nobody. The first is all of the product; the second is made here, in the database of the benchmark alone.
func BenchmarkGaplessNumbering(b *testing.B) {
	const hands, block, blocks = 32, 250, 8
	for range b.N {
		box := newPostbox(b)
		s := newShop(b, box.URL)
		events := s.untold(b, box, block*blocks)
		if err := s.h.Jobs.Stop(system); err != nil { // the hands are ours
			b.Fatal(err)
		}
		settle := s.settlers(b, hands)
		owner := testkit.Owner(b, s.dsn)
		do := func(statement string) {
			if _, err := owner.Exec(statement); err != nil {
				b.Fatal(err, statement)
			}
		}
		do(`create function invoicing.unnumbered() returns trigger language plpgsql as $$ begin new.code := new.code || '-' || pg_backend_pid(); return new; end $$`)
		do(`create trigger unnumbered before insert on invoicing.series for each row execute function invoicing.unnumbered()`)
		do(`alter table invoicing.documents drop constraint documents_series_number_key`)
		var took [2]time.Duration
		for i := range blocks {
			mode := i % 2 // numbered first, which makes the series
			do("alter table invoicing.series " + []string{"disable", "enable"}[mode] + " trigger unnumbered")
			ids := make([]string, block)
			for j, body := range events[i*block : (i+1)*block] {
				ids[j] = s.stored(b, body)
			}
			began := time.Now()
			each(b, hands, block, func(j int) error { return settle.Apply(system, ids[j]) })
			if i >= 2 { // the first of each is for the plans and the pools
				took[mode] += time.Since(began)
			}
		}
		if n := s.orders(b, "paid"); n != block*blocks {
			b.Fatal(n, "orders are paid")
		}
		on, off := took[0].Seconds(), took[1].Seconds()
		b.ReportMetric(block*(blocks-2)/2/on, "settled/s")
		b.ReportMetric(block*(blocks-2)/2/off, "unnumbered/s")
		b.ReportMetric(100*(1-off/on), "%-cost")
	}
}

// settlers is the room of sales on so many connections, without a worker.
func (s *shop) settlers(b *testing.B, connections int) *sales.Service {
	b.Helper()
	db, err := postgres.Open(context.Background(), s.dsn, postgres.Options{Role: postgres.AppRole, MaxConns: connections, Clock: s.clock})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	gate, err := stripegate.New(stripegate.Config{SecretKey: stripeKey, WebhookSecret: hookSecret, BaseURL: s.stripe, Clock: s.clock})
	if err != nil {
		b.Fatal(err)
	}
	queue := jobs.New(db, nil)
	return sales.New(db, queue, payments.New(db, queue, gate, s.url), sales.Options{Issuer: invoicing.Issuer{Code: s.cfg.IssuerCode, Name: s.cfg.Issuer}})
}

// stored has the house store an event, and gives its id.
func (s *shop) stored(b *testing.B, body []byte) string {
	b.Helper()
	var e struct{ ID string }
	if err := json.Unmarshal(body, &e); err != nil {
		b.Fatal(err)
	}
	if err := s.h.Payments.Receive(system, body, stripegate.Sign(body, hookSecret, s.clock.Now())); err != nil {
		b.Fatal(err)
	}
	return e.ID
}
