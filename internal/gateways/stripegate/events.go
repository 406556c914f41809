package stripegate

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/form"
	"github.com/stripe/stripe-go/v76/webhook"

	"cursus/internal/domain/payments"
)

// maxSkew is how far the time in a signature may be from ours, in either direction. The library itself checks the past
// only, which would let a captured future-dated event be kept and replayed.
const maxSkew = 300 * time.Second

// Types are the events that say something about our payments: what a webhook endpoint enables and what is listed.
var Types = []string{
	"checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed",
	"checkout.session.expired", "charge.refunded", "charge.refund.updated", "refund.created", "refund.updated", "refund.failed",
	"charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "charge.dispute.closed",
	"payment_intent.succeeded", "payment_intent.payment_failed", "setup_intent.succeeded",
}

// ReadEvent checks the signature over the raw bytes and reads the event. Another API version is read too: the version is
// in the result, and Fact asks Stripe for the object in ours.
func (g *Gate) ReadEvent(raw []byte, signature string, now time.Time) (payments.ProviderEvent, error) {
	if err := webhook.ValidatePayloadIgnoringTolerance(raw, signature, g.secret); err != nil {
		return payments.ProviderEvent{}, ErrSignature.Because(err)
	}
	at, ok := signedAt(signature)
	if skew := now.Sub(at); !ok || skew > maxSkew || skew < -maxSkew {
		return payments.ProviderEvent{}, ErrSignature.Because(errors.New("the signature's time is " + at.String()))
	}
	return read(raw)
}

// envelope is what an event says beside its object. The library's own type makes a tree of maps of the object as well, at every delivery.
type envelope struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	Type       string `json:"type"`
	APIVersion string `json:"api_version"`
	Livemode   bool   `json:"livemode"`
	Created    int64  `json:"created"`
	Data       struct {
		Object json.RawMessage `json:"object"`
	} `json:"data"`
}

// signedAt is the time in the header. The last one counts, as in the library, which has signed over that one.
func signedAt(header string) (at time.Time, ok bool) {
	for _, pair := range strings.Split(header, ",") {
		if v, isTime := strings.CutPrefix(pair, "t="); isTime {
			seconds, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return time.Time{}, false
			}
			at, ok = time.Unix(seconds, 0), true
		}
	}
	return at, ok
}

func read(raw []byte) (payments.ProviderEvent, error) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return payments.ProviderEvent{}, ErrEvent.Because(err)
	}
	if e.Object != "event" || !strings.HasPrefix(e.ID, "evt_") || e.Type == "" || e.Created <= 0 || len(e.Data.Object) == 0 {
		return payments.ProviderEvent{}, ErrEvent
	}
	return payments.ProviderEvent{
		ID: e.ID, Type: e.Type, APIVersion: e.APIVersion, CreatedAt: time.Unix(e.Created, 0).UTC(), Live: e.Livemode,
		Raw: slices.Clone(raw), Idle: idle(e),
	}, nil
}

// eventPage is a list of events with their bytes, which the library's own list does not keep.
type eventPage struct {
	stripe.APIResource
	Data    []json.RawMessage `json:"data"`
	HasMore bool              `json:"has_more"`
}

// EventsSince lists the events of our types created at or after t, oldest first. Stripe lists 30 days back.
func (g *Gate) EventsSince(ctx context.Context, t time.Time) ([]payments.ProviderEvent, error) {
	var out []payments.ProviderEvent
	for after := ""; ; {
		q := &form.Values{}
		q.Add("limit", "100")
		q.Add("created[gte]", strconv.FormatInt(t.Unix(), 10))
		for i, kind := range known {
			q.Add("types["+strconv.Itoa(i)+"]", kind)
		}
		if after != "" {
			q.Add("starting_after", after)
		}
		page := &eventPage{}
		if err := g.api.CallRaw(http.MethodGet, "/v1/events", g.key, q, &stripe.Params{Context: ctx}, page); err != nil {
			return nil, faultOf(err)
		}
		for _, raw := range page.Data {
			p, err := read(raw)
			if err != nil {
				return nil, err
			}
			out, after = append(out, p), p.ID
		}
		if !page.HasMore || len(page.Data) == 0 {
			slices.Reverse(out)
			return out, nil
		}
	}
}

// known are the types that Stripe's API of our version can be asked for; refund.failed came later and reaches us only
// through an endpoint of a newer version.
var known = slices.DeleteFunc(slices.Clone(Types), func(t string) bool { return t == "refund.failed" })
