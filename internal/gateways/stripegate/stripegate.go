// Package stripegate speaks to Stripe. It is the only room that imports Stripe's library.
//
// It implements payments.Gateway. It holds no state but its connections, and it uses none of the library's global
// variables, so that two gates with two keys can stand in one process. Pointing it at the sandbox instead of Stripe is
// one setting, BaseURL; a live key together with that setting is refused.
package stripegate

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/balancetransaction"
	"github.com/stripe/stripe-go/v76/charge"
	checkout "github.com/stripe/stripe-go/v76/checkout/session"
	"github.com/stripe/stripe-go/v76/dispute"
	"github.com/stripe/stripe-go/v76/paymentintent"
	"github.com/stripe/stripe-go/v76/refund"
	"github.com/stripe/stripe-go/v76/webhook"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/clock"
)

// APIVersion is the version of Stripe's API that our requests name and that our webhook endpoint must be made with.
const APIVersion = stripe.APIVersion

// Config is what a gate needs to know.
type Config struct {
	SecretKey     string            // sk_test_…, sk_live_…, rk_test_… or rk_live_…
	WebhookSecret string            // whsec_…
	BaseURL       string            // empty: Stripe itself; otherwise the sandbox, on loopback
	Timeout       time.Duration     // of one attempt; 0: 20 s
	Clock         clock.Clock       // nil: the machine's
	Transport     http.RoundTripper // nil: one with enough idle connections
}

// Reasons not to open a gate.
var (
	ErrKey           = errors.New("stripe: the secret key must begin with sk_test_, sk_live_, rk_test_ or rk_live_")
	ErrWebhookSecret = errors.New("stripe: the webhook secret must begin with whsec_")
	ErrLiveSandbox   = errors.New("stripe: a live key is never sent to another address than Stripe's")
	ErrBaseURL       = errors.New("stripe: the sandbox address must be http on loopback")
)

const (
	defaultTimeout = 20 * time.Second
	idleConns      = 256 // enough that 200 purchases/s never open a connection per call
)

// Gate is an open way to Stripe. It is safe for concurrent use.
type Gate struct {
	key, secret string
	api         stripe.Backend
	clock       clock.Clock
	timeout     time.Duration
	checkouts   checkout.Client
	intents     paymentintent.Client
	refunds     refund.Client
	charges     charge.Client
	disputes    dispute.Client
	balance     balancetransaction.Client
}

var _ payments.Gateway = (*Gate)(nil)

// New opens a gate, or says what is wrong with its settings. It does not call Stripe.
func New(cfg Config) (*Gate, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Transport == nil {
		cfg.Transport = newTransport()
	}
	backend := &stripe.BackendConfig{
		HTTPClient:        &http.Client{Timeout: cfg.Timeout, Transport: cfg.Transport},
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // errors are returned, not printed
		MaxNetworkRetries: stripe.Int64(2),
		EnableTelemetry:   stripe.Bool(false),
	}
	if cfg.BaseURL != "" {
		backend.URL = stripe.String(cfg.BaseURL)
	}
	api := stripe.GetBackendWithConfig(stripe.APIBackend, backend)
	return &Gate{
		key: cfg.SecretKey, secret: cfg.WebhookSecret, api: api, clock: cfg.Clock, timeout: cfg.Timeout,
		checkouts: checkout.Client{B: api, Key: cfg.SecretKey},
		intents:   paymentintent.Client{B: api, Key: cfg.SecretKey},
		refunds:   refund.Client{B: api, Key: cfg.SecretKey},
		charges:   charge.Client{B: api, Key: cfg.SecretKey},
		disputes:  dispute.Client{B: api, Key: cfg.SecretKey},
		balance:   balancetransaction.Client{B: api, Key: cfg.SecretKey},
	}, nil
}

func (c Config) check() error {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(c.SecretKey, "sk_"), "rk_"), "_")
	ours := strings.HasPrefix(c.SecretKey, "sk_") || strings.HasPrefix(c.SecretKey, "rk_")
	if !ours || kind != "test" && kind != "live" || rest == "" || strings.ContainsAny(c.SecretKey, " \t\r\n") {
		return ErrKey
	}
	if rest, ok := strings.CutPrefix(c.WebhookSecret, "whsec_"); !ok || len(rest) < 8 || strings.ContainsAny(rest, " \t\r\n") {
		return ErrWebhookSecret
	}
	if c.BaseURL == "" {
		return nil
	}
	if kind == "live" {
		return ErrLiveSandbox
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Scheme != "http" || u.User != nil {
		return ErrBaseURL
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return ErrBaseURL
	}
	return nil
}

func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost, t.IdleConnTimeout = idleConns, idleConns, 90*time.Second
	return t
}

// Name is the provider's name in the book of payments.
func (g *Gate) Name() string { return "stripe" }

// Live says whether the key moves real money.
func (g *Gate) Live() bool { return strings.HasPrefix(g.key[len("sk_"):], "live_") }

// Sign makes a Stripe-Signature header with the test helper of Stripe's library. The sandbox is given it.
func Sign(payload []byte, secret string, at time.Time) string {
	return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: payload, Secret: secret, Timestamp: at}).Header
}
