// Package outward keeps what we call outside. Whoever may enter an address must not reach with it what stands beside us: a database, a
// cloud's metadata, an inside page. So an address is judged twice: its text when it is entered, and each address that its name stands
// for at the very moment of dialling. What an operator named in the settings may be inside, and may be spoken to over http.
package outward

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Resolver finds the addresses of a name.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options of New; the zero value lets public servers be called alone.
type Options struct {
	Inside   []string      // addresses with port that may be inside, such as 127.0.0.1:9000
	Hosts    []string      // the same, or names with port that may stand for what is inside, such as lms:8000
	Resolver Resolver      // nil: the machine's
	Ports    []uint16      // none: 443 and 8443
	Timeout  time.Duration // of a call; 0: 15 seconds
}

// maxHeader is what the header of an answer may cost, in bytes.
const maxHeader = 16 << 10

// Guard judges addresses.
type Guard struct {
	resolver Resolver
	named    map[netip.AddrPort]bool
	hosts    map[string]bool
	ports    map[uint16]bool
}

// New makes a guard and the client that it lets out. It refuses what is no address, or no name, with a port.
func New(o Options) (*Guard, *http.Client, error) {
	g := &Guard{resolver: o.Resolver, named: map[netip.AddrPort]bool{}, hosts: map[string]bool{}, ports: map[uint16]bool{}}
	if g.resolver == nil {
		g.resolver = net.DefaultResolver
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
			return nil, nil, err
		}
		g.named[at] = true
	}
	for _, text := range o.Hosts {
		text = strings.TrimSpace(text)
		if at, err := netip.ParseAddrPort(text); err == nil {
			g.named[at] = true
			continue
		}
		host, port, err := net.SplitHostPort(text)
		if _, number := strconv.ParseUint(port, 10, 16); err != nil || number != nil || host == "" {
			return nil, nil, fmt.Errorf("%q is no address and no name with a port", text)
		}
		g.hosts[strings.ToLower(net.JoinHostPort(host, port))] = true
	}
	return g, g.client(cmp.Or(o.Timeout, 15*time.Second)), nil
}

// client speaks to what the guard lets it, follows no redirect and asks no proxy: one would dial for us, where nobody judges.
func (g *Guard) client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            g.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    timeout,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConnsPerHost:    4,
			MaxIdleConns:           64,
			IdleConnTimeout:        30 * time.Second,
		},
	}
}

var errInside = errors.New("an inside address")

// dial connects to a host. All addresses of its name have to be public: who answers with one of each kind has something in mind. What is
// judged is what is dialled, not a name that could stand for another address a moment later.
func (g *Guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addresses, err := g.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	may := g.mayDial
	if g.hosts[strings.ToLower(address)] {
		may = func(string) bool { return true }
	}
	for _, a := range addresses {
		if !may(net.JoinHostPort(a.String(), port)) {
			return nil, errInside
		}
	}
	d := net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if !may(address) {
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

func (g *Guard) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	all, err := g.resolver.LookupNetIP(ctx, "ip", host)
	if err == nil && len(all) == 0 {
		err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	return all, err
}

func (g *Guard) mayDial(address string) bool {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return false
	}
	plain := netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	return g.named[plain] || g.ports[at.Port()] && !inside(at.Addr())
}

// Later is how long a server that has too much to do asks us to wait; 0 where it does not.
func Later(r *http.Response) time.Duration {
	if r.StatusCode != http.StatusTooManyRequests && r.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	seconds, err := strconv.ParseUint(r.Header.Get("Retry-After"), 10, 17)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// Failure names why there was no answer, in words that tell nothing of our network: refused_address, timeout, no_such_host, bad_tls,
// no_connection, broken_answer.
func Failure(err error) string {
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
