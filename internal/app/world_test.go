package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/openedx"
	"cursus/internal/gateways/proctoring"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/gateways/webhookgate"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// world is a whole house on a database of its own, beside a Stripe sandbox that speaks to it over HTTP, both on one clock.
type world struct {
	t       testing.TB
	h       *app.House
	clock   *clock.Manual
	dsn     string
	cfg     config.Config
	stripe  string // address of the sandbox
	sandbox *stripesandbox.Sandbox
	hookMu  sync.Mutex
	hook    http.HandlerFunc
	session catalog.Session
	free    offers.Offer
	paid    offers.Offer
}

const (
	stripeKey  = "sk_test_sandbox"
	hookSecret = "whsec_sandbox_secret"
)

var system = postgres.WithActor(context.Background(), "system")

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOf(t, stripesandbox.Fees{})
}

// newWorldOf is a world whose Stripe keeps fees.
func newWorldOf(t testing.TB, fees stripesandbox.Fees) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.Clock(), dsn: testkit.OwnerDSN(t)}
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.hookMu.Lock()
		hook := w.hook
		w.hookMu.Unlock()
		hook(rw, r)
	}))
	t.Cleanup(hook.Close)
	w.setHook(w.receive)
	var err error
	w.sandbox, err = stripesandbox.Open(stripesandbox.Config{
		PublicURL: "http://pay.test", Folder: t.TempDir(), SecretKey: stripeKey, WebhookURL: hook.URL, WebhookSecret: hookSecret,
		Sign: stripegate.Sign, Clock: w.clock, RetryBase: 5 * time.Millisecond, Fees: fees,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.sandbox.Close() })
	stripe := httptest.NewServer(w.sandbox)
	t.Cleanup(stripe.Close)
	w.stripe = stripe.URL
	w.cfg = testConfig(w.dsn, w.stripe, t.TempDir())
	w.cfg.BaseURL = "http://cursus.test"
	w.open()
	w.furnish()
	return w
}

func testConfig(dsn, stripe, mails string) config.Config {
	return config.Config{
		DatabaseURL: dsn, Secret: "a secret for tests, long enough 1", StripeKey: stripeKey, StripeWebhookSecret: hookSecret, StripeURL: stripe,
		Mail: "file://" + mails, MailFrom: "Cursus <no-reply@cursus.test>", Issuer: "IMT", IssuerCode: "IMT", Signatory: "D. Irector", Demo: true,
		RefundAlone: map[string]int64{"EUR": 50000, "XOF": 330000},
	}
}

// setHook says what becomes of the events that the sandbox sends.
func (w *world) setHook(hook http.HandlerFunc) {
	w.hookMu.Lock()
	defer w.hookMu.Unlock()
	w.hook = hook
}

// open opens the house; a second call is a restart after a crash.
func (w *world) open() {
	w.t.Helper()
	gate, err := webhookgate.New(webhookgate.Options{Inside: w.cfg.WebhookInside, Resolver: nobody{}, Clock: w.clock})
	if err != nil {
		w.t.Fatal(err)
	}
	door, err := openedx.New(openedx.Options{Inside: w.cfg.LMSInside, Resolver: nobody{}, Clock: w.clock})
	if err != nil {
		w.t.Fatal(err)
	}
	proctor, err := proctoring.New(proctoring.Options{Inside: []string{proctors.at()}, Resolver: nobody{}, Clock: w.clock})
	if err != nil {
		w.t.Fatal(err)
	}
	h, err := app.Open(context.Background(), w.cfg, app.Options{Clock: w.clock, Hooks: gate, LMS: door, Labs: willing{}, Proctor: proctor})
	if err != nil {
		w.t.Fatal(err)
	}
	w.h = h
	if err := h.Jobs.Start(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.close(h) })
}

// nobody is a resolver that knows no name: no test asks another machine.
type nobody struct{}

func (nobody) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (w *world) close(h *app.House) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = h.Jobs.Stop(ctx)
	_ = h.Close()
}

func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = w.h.Payments.Receive(r.Context(), body, r.Header.Get("Stripe-Signature"))
	}
	if err != nil {
		w.t.Logf("webhook: %v", err)
		rw.WriteHeader(http.StatusInternalServerError)
		return
	}
	rw.WriteHeader(http.StatusNoContent)
}

func (w *world) inTx(fn func(ctx context.Context, tx *postgres.Tx) error) {
	w.t.Helper()
	if err := w.h.DB.InTx(system, "test", fn); err != nil {
		w.t.Fatal(err)
	}
}

// furnish makes a session with the two offers of the paper.
func (w *world) furnish() {
	w.t.Helper()
	exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHomework 1: Week 1,1\nHomework 2: Week 2,2\n"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		w.session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: "PRD-9", CourseKey: "PRD", Title: catalog.Text{EN: "Data networks", FR: "Réseaux de données"}, Platform: "fun", ThresholdPPM: 500_000, Exercises: exercises,
		})
		if err != nil {
			return err
		}
		if w.free, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.ID, Formula: offers.Discovery, Price: money.Of(0, "EUR")}); err != nil {
			return err
		}
		w.paid, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.ID, Formula: offers.Qualifying, Price: money.Of(15000, "EUR")})
		return err
	})
}

func (w *world) person(email, name string) (p identity.Person) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = identity.PutPersonTx(ctx, tx, email, name, "en")
		return err
	})
	return p
}

func (w *world) order(buyer string, o offers.Offer, key string) sales.Order {
	w.t.Helper()
	placed, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: buyer, OfferID: o.ID, Lang: "en", IdempotencyKey: key})
	if err != nil {
		w.t.Fatal(err)
	}
	return placed
}

// tell sends a control operation to the sandbox.
func (w *world) tell(path string, body any) map[string]any {
	w.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := http.Post(w.stripe+path, "application/json", bytes.NewReader(b)) //nolint:noctx // a test
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	raw, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d %s %v", path, r.StatusCode, raw, err)
	}
	out := map[string]any{}
	_ = json.Unmarshal(raw, &out)
	return out
}

func (w *world) payment(o sales.Order) (p payments.Payment) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = payments.OneTx(ctx, tx, o.PaymentID)
		return err
	})
	return p
}

func (w *world) pay(o sales.Order, card string) map[string]any {
	w.t.Helper()
	return w.tell("/sandbox/pay/"+w.payment(o).CheckoutID, map[string]any{"card": card})
}

// until waits for something that happens by itself.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	for range 1500 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	var errs []string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &errs, postgres.Query{Name: "test", SQL: `select kind || ' ' || attempts || ' ' || coalesce(worker, '') || ' ' || failure from jobs.queue`})
	})
	w.t.Fatalf("in vain waited for: %s\n%s", what, strings.Join(errs, "\n"))
}

func (w *world) state(o sales.Order) sales.Order {
	w.t.Helper()
	now, err := w.h.Sales.Order(system, o.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return now
}

func (w *world) becomes(o sales.Order, s sales.State) sales.Order {
	w.t.Helper()
	w.until(fmt.Sprintf("%s is %s", o.ID, s), func() bool { return w.state(o).State == s })
	return w.state(o)
}

// quiet waits until no job is to be done.
func (w *world) quiet() {
	w.t.Helper()
	w.until("the queue is empty", func() bool {
		c, err := w.h.Jobs.Count(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		return c.Ready == 0
	})
}

// verify ends every test of the whole house.
func (w *world) verify() {
	w.t.Helper()
	w.quiet()
	broken, err := w.h.Verify(system)
	if err != nil {
		w.t.Error(err)
	}
	for _, v := range broken {
		w.t.Errorf("invariant %s, %s: %v", v.Check.Invariant, v.Check.Name, v.Rows)
	}
	c, err := w.h.Jobs.Count(context.Background())
	if err != nil || c.Dead != 0 {
		w.t.Error("dead jobs:", c.Dead, err)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { // one that is tried again later is not ready, and would never be seen
		var panicked []string
		err := tx.Select(ctx, &panicked, postgres.Query{Name: "test", SQL: "select kind || ': ' || failure from jobs.queue where failure like 'panic:%'"})
		for _, p := range panicked {
			w.t.Error("a job that fails and is tried again:", p)
		}
		return err
	})
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}
