// Package webhookgate is the way out of the house for webhooks. It goes where platform/outward lets it.
package webhookgate

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/webhooks"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/outward"
)

// What a receiver may cost.
const (
	maxResponse = 2 << 10 // of what is kept
	agent       = "Cursus-Webhooks/1"
)

// Options of New; the zero value is for production.
type Options struct {
	Inside   []string         // addresses with port that may be inside and may be spoken to over http, such as 127.0.0.1:9000
	Resolver outward.Resolver // nil: the machine's
	Ports    []uint16         // none: 443 and 8443
	Timeout  time.Duration    // 0: 15 seconds
	Clock    clock.Clock      // nil: the machine's
}

// Gate posts webhooks.
type Gate struct {
	guard  *outward.Guard
	client *http.Client
	clock  clock.Clock
}

// Faults of this gate.
var (
	ErrInside = fault.New(fault.Invalid, "bad-webhook-inside", "An inside receiver is an address with its port, such as 127.0.0.1:9000.")
	ErrURL    = fault.New(fault.Invalid, "bad-webhook-url", "The address is that of a public server: https://, a name with a dot or a public address, port 443 or 8443, and neither a user nor a fragment.")
)

// New makes a gate. Error: ErrInside for a setting that names no address with a port.
func New(o Options) (*Gate, error) {
	guard, client, err := outward.New(outward.Options{Inside: o.Inside, Resolver: o.Resolver, Ports: o.Ports, Timeout: o.Timeout})
	if err != nil {
		return nil, ErrInside.Because(err)
	}
	g := &Gate{guard: guard, client: client, clock: o.Clock}
	if g.clock == nil {
		g.clock = clock.System{}
	}
	return g, nil
}

// Check refuses an address that is not that of a public server as far as its text tells; whom a name stands for is judged when it is
// called. Error: ErrURL.
func (g *Gate) Check(address string) error {
	if _, ok := g.guard.Read(address); !ok {
		return ErrURL
	}
	return nil
}

// Send posts a message and says what became of it. It follows no redirect and keeps the beginning of the answer.
func (g *Gate) Send(ctx context.Context, m webhooks.Message) (a webhooks.Answer) {
	began := g.clock.Now()
	defer func() { a.Took = max(0, g.clock.Now().Sub(began)) }()
	u, ok := g.guard.Read(m.URL) // the rules may have become stricter since it was entered
	if !ok {
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
		return webhooks.Answer{Failure: outward.Failure(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxResponse))
	if err != nil && len(text) == 0 && answer.StatusCode < 300 {
		return webhooks.Answer{Failure: outward.Failure(err)} // what broke off is no yes
	}
	return webhooks.Answer{Status: answer.StatusCode, Response: readable(text), Later: outward.Later(answer)}
}

// readable makes the beginning of an answer fit for the table and for a page.
func readable(b []byte) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(b), "?"), "\x00", "?")
}
