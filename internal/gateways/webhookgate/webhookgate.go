// Package webhookgate is the way out of the house for webhooks. Whoever may enter an address must not reach with it what stands beside
// us: a database, a cloud's metadata, an inside page. So an address is judged twice: its text when it is entered, and each address that
// its name stands for at the very moment of dialling.
package webhookgate

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cursus/internal/domain/webhooks"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
)

// What a receiver may cost.
const (
	timeout     = 15 * time.Second
	maxHeader   = 16 << 10
	maxResponse = 2 << 10 // of what is kept
	agent       = "Cursus-Webhooks/1"
)

// Resolver finds the addresses of a name.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options of New; the zero value is for production.
type Options struct {
	Inside   []string      // addresses with port that may be inside and may be spoken to over http, such as 127.0.0.1:9000
	Resolver Resolver      // nil: the machine's
	Ports    []uint16      // none: 443 and 8443
	Timeout  time.Duration // 0: 15 seconds
	Clock    clock.Clock   // nil: the machine's
}

// Gate posts webhooks.
type Gate struct {
	client   *http.Client
	resolver Resolver
	named    map[netip.AddrPort]bool
	ports    map[uint16]bool
	clock    clock.Clock
}

// ErrInside refuses a setting that names no address with a port.
var ErrInside = fault.New(fault.Invalid, "bad-webhook-inside", "An inside receiver is an address with its port, such as 127.0.0.1:9000.")

// New makes a gate.
func New(o Options) (*Gate, error) {
	g := &Gate{resolver: o.Resolver, named: map[netip.AddrPort]bool{}, ports: map[uint16]bool{}, clock: o.Clock}
	if g.resolver == nil {
		g.resolver = net.DefaultResolver
	}
	if g.clock == nil {
		g.clock = clock.System{}
	}
	if len(o.Ports) == 0 {
		o.Ports = []uint16{443, 8443}
	}
	for _, p := range o.Ports {
		g.ports[p] = true
	}
	for _, text := range o.Inside {
		at, err := netip.ParseAddrPort(strings.TrimSpace(text))
		if err != nil {
			return nil, ErrInside.Because(err)
		}
		g.named[at] = true
	}
	if o.Timeout == 0 {
		o.Timeout = timeout
	}
	g.client = &http.Client{
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{ // without a proxy: one would dial for us, where nobody judges
			DialContext:            g.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    o.Timeout,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConnsPerHost:    4,
			MaxIdleConns:           64,
			IdleConnTimeout:        30 * time.Second,
		},
	}
	return g, nil
}

var errInside = errors.New("an inside address")

// dial connects to a host. All addresses of its name have to be public: who answers with one of each kind has something in mind. What is
// judged is what is dialled, not a name that could stand for another address a moment later.
func (g *Gate) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addresses, err := g.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, a := range addresses {
		if !g.mayDial(net.JoinHostPort(a.String(), port)) {
			return nil, errInside
		}
	}
	d := net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if !g.mayDial(address) {
			return errInside
		}
		return nil
	}}
	for _, a := range addresses {
		var c net.Conn
		if c, err = d.DialContext(ctx, network, net.JoinHostPort(a.Unmap().String(), port)); err == nil {
			return c, nil
		}
	}
	return nil, err
}

func (g *Gate) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	all, err := g.resolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(all) == 0 {
		err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	return all, err
}

func (g *Gate) mayDial(address string) bool {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return false
	}
	plain := netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	return g.named[plain] || g.ports[at.Port()] && !inside(at.Addr())
}

// Send posts a message and says what became of it. It follows no redirect and keeps the beginning of the answer.
func (g *Gate) Send(ctx context.Context, m webhooks.Message) (a webhooks.Answer) {
	began := g.clock.Now()
	defer func() { a.Took = max(0, g.clock.Now().Sub(began)) }()
	u, err := g.read(m.URL) // the rules may have become stricter since it was entered
	if err != nil {
		return webhooks.Answer{Failure: "refused_address"}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(m.Body))
	if err != nil {
		return webhooks.Answer{Failure: "refused_address"}
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": agent, "webhook-id": m.ID, "webhook-timestamp": strconv.FormatInt(m.At.Unix(), 10), "webhook-signature": m.Signature,
	} {
		r.Header.Set(name, value)
	}
	answer, err := g.client.Do(r)
	if err != nil {
		return webhooks.Answer{Failure: failureOf(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxResponse))
	if err != nil && len(text) == 0 && answer.StatusCode < 300 {
		return webhooks.Answer{Failure: failureOf(err)} // what broke off is no yes
	}
	return webhooks.Answer{Status: answer.StatusCode, Response: readable(text), Later: laterOf(answer)}
}

// laterOf is how long a receiver that has too much to do asks us to wait.
func laterOf(r *http.Response) time.Duration {
	if r.StatusCode != http.StatusTooManyRequests && r.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	seconds, err := strconv.ParseUint(r.Header.Get("Retry-After"), 10, 17)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// failureOf names why there was no answer, in words that tell nothing of our network.
func failureOf(err error) string {
	var dns *net.DNSError
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var timed net.Error
	switch {
	case errors.Is(err, errInside):
		return "refused_address"
	case errors.As(err, &timed) && timed.Timeout() || errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.As(err, &dns):
		return "no_such_host"
	case errors.As(err, &verification), errors.As(err, &record), strings.Contains(err.Error(), "tls:"):
		return "bad_tls"
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return "no_connection"
	}
	return "broken_answer"
}

// readable makes the beginning of an answer fit for the table and for a page.
func readable(b []byte) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(b), "?"), "\x00", "?")
}
