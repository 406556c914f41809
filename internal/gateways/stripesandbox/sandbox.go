// Package stripesandbox is a stateful double of Stripe for demonstrations and tests.
//
// It speaks Stripe's wire protocol of API version 2023-10-16 for the few resources that Cursus uses: checkout sessions
// with a hosted pay page, payment intents, charges, refunds, disputes, events, balance transactions and signed webhooks.
// It keeps its own book in its own folder, runs as its own process on loopback, and knows nothing of Cursus: the two meet
// over HTTP only, so that pointing Cursus at the real Stripe is a matter of configuration.
//
// It refuses to start beside a live key. It imports no room of the house but the kernel.
package stripesandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"cursus/internal/kernel/clock"
)

// apiVersion is the version of Stripe's API whose shapes are spoken here.
const apiVersion = "2023-10-16"

// Config is everything that the sandbox needs to know.
type Config struct {
	Addr          string // host:port on loopback; port 0 takes a free one
	PublicURL     string // where browsers reach the pay page; empty: http:// and the listening address
	Folder        string // holds the journal; created when missing
	SecretKey     string // the only bearer key that is accepted, sk_test_…
	WebhookURL    string // where events are posted; empty: events are only listed
	WebhookSecret string // whsec_…
	// Sign makes the Stripe-Signature header. The composition root passes stripegate.Sign, which is the test helper of
	// Stripe's own library, so that the sandbox cannot agree with itself about a wrong signature.
	Sign func(payload []byte, secret string, at time.Time) string

	WebhookTypes  []string      // the endpoint's enabled_events; empty: what Cursus listens to
	Workers       int           // parallel deliveries; 0: 16
	RetryBase     time.Duration // first back-off after a refused delivery, doubled each time; 0: 200 ms
	RetryMax      time.Duration // longest back-off; 0: 1 min
	DelayedAfter  time.Duration // a delayed method settles by itself after this; 0: only when told through /sandbox/settle
	Fees          Fees          // what is kept of payments; nothing by default
	Fsync         bool          // force every commit to the disk before answering
	Clock         clock.Clock   // for what is written in objects; nil: the machine's
	Log           *slog.Logger  // nil: silent
	OnListen      func(url string)
	ShutdownGrace time.Duration // 0: 5 s
	// Beside puts what else a demonstration serves at the same address around the sandbox; nil: nothing.
	Beside func(sandbox http.Handler) http.Handler
}

// Reasons not to start.
var (
	ErrLiveKey     = errors.New("the Stripe sandbox does not start beside a live key")
	ErrKey         = errors.New("the Stripe sandbox needs a secret key that begins with sk_test_ or rk_test_")
	ErrSecret      = errors.New("the Stripe sandbox needs a webhook secret that begins with whsec_")
	ErrNotLoopback = errors.New("the Stripe sandbox listens on loopback only")
	ErrNoSigner    = errors.New("the Stripe sandbox needs a signer for its webhooks (stripegate.Sign)")
)

func (c *Config) complete() error {
	switch {
	case strings.HasPrefix(c.SecretKey, "sk_live_"), strings.HasPrefix(c.SecretKey, "rk_live_"):
		return ErrLiveKey
	case !strings.HasPrefix(c.SecretKey, "sk_test_") && !strings.HasPrefix(c.SecretKey, "rk_test_"):
		return ErrKey
	case c.WebhookURL != "" && (!strings.HasPrefix(c.WebhookSecret, "whsec_") || len(c.WebhookSecret) < 14):
		return ErrSecret
	case c.WebhookURL != "" && c.Sign == nil:
		return ErrNoSigner
	case c.Folder == "":
		return errors.New("the Stripe sandbox needs a folder for its book")
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if len(c.WebhookTypes) == 0 {
		c.WebhookTypes = defaultWebhookTypes
	}
	c.Workers = cmpOr(c.Workers, 16)
	c.RetryBase = cmpOr(c.RetryBase, 200*time.Millisecond)
	c.RetryMax = cmpOr(c.RetryMax, time.Minute)
	c.ShutdownGrace = cmpOr(c.ShutdownGrace, 5*time.Second)
	return nil
}

func cmpOr[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Sandbox is an open book with the HTTP face of Stripe. Close it to stop deliveries and to close the journal.
type Sandbox struct {
	cfg   Config
	book  *book
	post  *courier
	mux   *http.ServeMux
	close context.CancelFunc
	done  chan struct{}
}

// Open replays the journal in the folder and starts delivering what was still undelivered.
func Open(cfg Config) (*Sandbox, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	b, err := openBook(cfg.Folder, cfg.Fsync)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sandbox{cfg: cfg, book: b, mux: http.NewServeMux(), close: cancel, done: make(chan struct{})}
	s.post = newCourier(cfg, b)
	s.routes()
	s.post.start(ctx)
	for _, e := range b.undelivered() {
		s.post.enqueue(e)
	}
	go s.sweep(ctx)
	return s, nil
}

// Close stops deliveries and closes the journal. What was not delivered is delivered after the next start.
func (s *Sandbox) Close() error {
	s.close()
	<-s.done
	s.post.wait()
	return s.book.closeJournal()
}

// ServeHTTP answers as api.stripe.com, as checkout.stripe.com (/pay) and to the tests (/sandbox).
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// sweep closes sessions whose time is over and settles delayed payments that are due.
func (s *Sandbox) sweep(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.sweepOnce()
		}
	}
}

func (s *Sandbox) sweepOnce() {
	_, err := s.change("", "", func(c *change) (any, *apiError) {
		c.expireDue()
		c.settleDue()
		return nil, nil
	})
	if err != nil {
		s.cfg.Log.Error("stripe sandbox sweep", "error", err.Message)
	}
}

// Run opens the sandbox in cfg.Folder and serves it on cfg.Addr until ctx ends.
func Run(ctx context.Context, cfg Config) error {
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return fmt.Errorf("stripe sandbox address: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return ErrNotLoopback
	}
	if err := cfg.complete(); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return err
	}
	if cfg.PublicURL == "" {
		cfg.PublicURL = "http://" + ln.Addr().String()
	}
	s, err := Open(cfg)
	if err != nil {
		_ = ln.Close()
		return err
	}
	handler := http.Handler(s)
	if cfg.Beside != nil {
		handler = cfg.Beside(s)
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	if cfg.OnListen != nil {
		cfg.OnListen("http://" + ln.Addr().String())
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err = <-failed:
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownGrace)
		defer cancel()
		err = srv.Shutdown(grace)
	}
	return errors.Join(err, s.Close())
}
