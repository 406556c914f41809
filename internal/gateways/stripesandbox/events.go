package stripesandbox

import (
	"encoding/json"
	"slices"
)

// defaultWebhookTypes are the event types that an endpoint of Cursus enables.
var defaultWebhookTypes = []string{
	"checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed",
	"checkout.session.expired", "charge.refunded", "charge.refund.updated", "refund.created", "refund.updated",
	"charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "charge.dispute.closed",
	"payment_intent.succeeded", "payment_intent.payment_failed", "setup_intent.succeeded",
}

// eventRow is an event as it is kept: the object as it was at that moment.
type eventRow struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Created  int64           `json:"created"`
	Object   json.RawMessage `json:"object"`
	Previous json.RawMessage `json:"previous,omitempty"`
	Request  *string         `json:"request"`
	Key      *string         `json:"key"`
	Pending  int             `json:"pending"` // 1 until the endpoint has said 2xx
}

type event struct {
	ID              string       `json:"id"`
	Object          string       `json:"object"`
	APIVersion      string       `json:"api_version"`
	Created         int64        `json:"created"`
	Data            eventData    `json:"data"`
	Livemode        bool         `json:"livemode"`
	PendingWebhooks int          `json:"pending_webhooks"`
	Request         eventRequest `json:"request"`
	Type            string       `json:"type"`
}

type eventData struct {
	Object   json.RawMessage `json:"object"`
	Previous json.RawMessage `json:"previous_attributes,omitempty"`
}

type eventRequest struct {
	ID  *string `json:"id"`
	Key *string `json:"idempotency_key"`
}

func (e *eventRow) shape() event {
	return event{
		ID: e.ID, Object: "event", APIVersion: apiVersion, Created: e.Created, Data: eventData{e.Object, e.Previous},
		PendingWebhooks: e.Pending, Request: eventRequest{e.Request, e.Key}, Type: e.Type,
	}
}

// emit writes an event with the object as it is now; previous holds the attributes that changed, if Stripe says them.
func (c *change) emit(kind string, object any, previous map[string]any) {
	raw, err := json.Marshal(object)
	if err != nil {
		c.broken = err
		return
	}
	e := &eventRow{ID: newID("evt"), Type: kind, Created: c.now.Unix(), Object: raw}
	if previous != nil {
		if e.Previous, err = json.Marshal(previous); err != nil {
			c.broken = err
			return
		}
	}
	if c.requestID != "" {
		e.Request = &c.requestID
	}
	if c.key != "" {
		e.Key = &c.key
	}
	if c.cfg.WebhookURL != "" && slices.Contains(c.cfg.WebhookTypes, kind) {
		e.Pending = 1
		c.events = append(c.events, e.ID)
	}
	c.book.events.put(e.ID, e)
	c.touch("event", e.ID, e)
}
