// Package labgate is the way to the providers of labs. It goes where platform/outward lets it.
package labgate

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"cursus/internal/domain/labs"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/outward"
)

const agent = "Cursus-Labs/1"

// Options of New; the zero value is for production.
type Options struct {
	Inside   []string         // addresses or names with port that may be inside and may be spoken to over http, such as labs:8000
	Resolver outward.Resolver // nil: the machine's
	Timeout  time.Duration    // 0: 15 seconds
}

// Gate speaks to providers.
type Gate struct {
	guard  *outward.Guard
	client *http.Client
}

// ErrInside refuses a setting that names no host with a port.
var ErrInside = fault.New(fault.Invalid, "bad-lab-inside", "An inside provider is an address or a name with its port, such as 127.0.0.1:8000 or labs:8000.")

// New makes a gate. Error: ErrInside.
func New(o Options) (*Gate, error) {
	guard, client, err := outward.New(outward.Options{Hosts: o.Inside, Resolver: o.Resolver, Timeout: o.Timeout})
	if err != nil {
		return nil, ErrInside.Because(err)
	}
	return &Gate{guard: guard, client: client}, nil
}

// Check refuses an address that no provider may have, as far as its text tells. Error: labs.ErrURL.
func (g *Gate) Check(address string) error {
	if _, ok := g.guard.Read(address); !ok {
		return labs.ErrURL
	}
	return nil
}

// Stop posts a stop request. Any 2xx is a yes, and so are 404 and 410: the machine is gone. Error: labs.ErrProvider with why, in words that tell
// nothing of our network.
func (g *Gate) Stop(ctx context.Context, m labs.Message) error {
	u, ok := g.guard.Read(m.URL) // the rules may have become stricter since it was entered
	if !ok {
		return labs.ErrProvider.Detailf("Its address is refused.")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(m.Body))
	if err != nil {
		return labs.ErrProvider.Because(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": agent, "webhook-id": m.ID, "webhook-timestamp": m.Timestamp, "webhook-signature": m.Signature,
	} {
		r.Header.Set(name, value)
	}
	answer, err := g.client.Do(r)
	if err != nil {
		return labs.ErrProvider.Detailf("The provider of the lab was not reached: %s.", outward.Failure(err))
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 2<<10)) // so that the connection can be used again
	if answer.StatusCode/100 == 2 || answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone {
		return nil
	}
	return labs.ErrProvider.Detailf("The provider of the lab answered %d.", answer.StatusCode)
}
