package stripesandbox

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"time"
)

// The /sandbox operations stand in for people and banks: a buyer at the pay page, a bank that disputes or decides, a
// network that loses, repeats and mixes webhooks. They take JSON only, so that no page of another site can call them.

func (s *Sandbox) control(h func(c *change, id string, body []byte) (any, *apiError)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			writeError(w, &apiError{errorBody{Type: "invalid_request_error", Message: "Send JSON."}, http.StatusUnsupportedMediaType, true})
			return
		}
		raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			writeError(w, badParam("", "", "The request body cannot be read."))
			return
		}
		out, bad := s.change("", "", func(c *change) (any, *apiError) {
			v, bad := h(c, r.PathValue("id"), raw)
			if bad != nil {
				return nil, bad
			}
			shown, err := json.Marshal(v) // under the lock: the values are the book's own
			if err != nil {
				return nil, errBroken
			}
			return shown, nil
		})
		if bad != nil {
			writeError(w, bad)
			return
		}
		writeRaw(w, http.StatusOK, out.([]byte))
	}
}

func read(body []byte, into any) *apiError {
	if err := json.Unmarshal(body, into); err != nil {
		return badParam("", "", "Not the JSON that is expected: "+err.Error())
	}
	return nil
}

// controlPay is the buyer: {"card":"4242…"} or an IBAN; {"authenticate":"complete"|"fail"} ends a 3-D Secure step, in the
// same call or in the next.
func (s *Sandbox) controlPay(c *change, id string, body []byte) (any, *apiError) {
	var in struct{ Card, Name, Authenticate string }
	if bad := read(body, &in); bad != nil {
		return nil, bad
	}
	row, ok := c.sessions.get(id)
	if !ok {
		return nil, missing("checkout.session", id)
	}
	var out outcome
	var bad *apiError
	if in.Card != "" {
		out, bad = c.pay(row, in.Card, in.Name)
	}
	if bad == nil && in.Authenticate != "" && (in.Card == "" || out.Status == "requires_action") {
		out, bad = c.authenticate(row, in.Authenticate == "complete")
	}
	if bad != nil {
		return nil, bad
	}
	return map[string]any{"status": out.Status, "error": out.Error, "session": &row.S}, nil
}

// controlSettle ends a delayed payment: {"outcome":"succeed"|"fail"}.
func (s *Sandbox) controlSettle(c *change, id string, body []byte) (any, *apiError) {
	var in struct{ Outcome string }
	if bad := read(body, &in); bad != nil {
		return nil, bad
	}
	row, ok := c.sessions.get(id)
	if !ok {
		return nil, missing("checkout.session", id)
	}
	if row.SettleAt == 0 || in.Outcome != "succeed" && in.Outcome != "fail" {
		return nil, badState("", "No delayed payment waits, or the outcome is not succeed or fail.")
	}
	c.settle(row, in.Outcome == "succeed")
	return &row.S, nil
}

func (s *Sandbox) controlFailRefund(c *change, id string, _ []byte) (any, *apiError) {
	r, ok := c.refunds.get(id)
	if !ok {
		return nil, missing("refund", id)
	}
	return r, c.failRefund(r)
}

// controlOpenDispute is the buyer's bank: {"payment_intent":…, "amount":…, "reason":…, "inquiry":…}; amount 0 is all.
func (s *Sandbox) controlOpenDispute(c *change, _ string, body []byte) (any, *apiError) {
	var in struct {
		PaymentIntent string `json:"payment_intent"`
		Amount        int64  `json:"amount"`
		Reason        string `json:"reason"`
		Inquiry       bool   `json:"inquiry"`
	}
	if bad := read(body, &in); bad != nil {
		return nil, bad
	}
	pi, ok := c.intents.get(in.PaymentIntent)
	if !ok || pi.LatestCharge == nil {
		return nil, missing("payment_intent", in.PaymentIntent)
	}
	ch, _ := c.charges.get(*pi.LatestCharge)
	left := ch.AmountCaptured - ch.AmountRefunded
	if in.Amount == 0 {
		in.Amount = left
	}
	if in.Reason == "" {
		in.Reason = "fraudulent"
	}
	if ch.Disputed || in.Amount < 1 || in.Amount > left {
		return nil, badState("", "The charge is already disputed, or less is left on it.")
	}
	return c.openDispute(ch, in.Amount, in.Reason, in.Inquiry), nil
}

// controlDecideDispute is the bank's word: {"outcome":"won"|"lost"}, from the seller's side.
func (s *Sandbox) controlDecideDispute(c *change, id string, body []byte) (any, *apiError) {
	var in struct{ Outcome string }
	if bad := read(body, &in); bad != nil {
		return nil, bad
	}
	d, ok := c.disputes.get(id)
	if !ok {
		return nil, missing("dispute", id)
	}
	if in.Outcome != "won" && in.Outcome != "lost" {
		return nil, badParam("outcome", "", "The outcome is won or lost.")
	}
	return d, c.decide(d, in.Outcome == "won")
}

// controlWebhooks replaces the mischief; {} ends it and lets go what was held. "resend" posts one event, or "all", again.
func (s *Sandbox) controlWebhooks(c *change, _ string, body []byte) (any, *apiError) {
	var in struct {
		Duplicate int    `json:"duplicate"`
		Reorder   bool   `json:"reorder"`
		DelayMS   int    `json:"delay_ms"`
		Drop      int    `json:"drop"`
		Hold      bool   `json:"hold"`
		Resend    string `json:"resend"`
		Copies    int    `json:"copies"`
	}
	if bad := read(body, &in); bad != nil {
		return nil, bad
	}
	if in.Duplicate < 0 || in.Duplicate > 1000 || in.Copies < 0 || in.Copies > 1000 || in.DelayMS < 0 {
		return nil, badParam("duplicate", "", "At most 1000 copies; no negative numbers.")
	}
	s.post.set(mischief{in.Duplicate, in.Reorder, time.Duration(in.DelayMS) * time.Millisecond, in.Drop, in.Hold})
	var again []string
	for _, e := range c.book.events.rows {
		if in.Resend == e.ID || in.Resend == "all" && c.listens(e.Type) {
			again = append(again, e.ID)
		}
	}
	if in.Resend != "" && in.Resend != "all" && len(again) == 0 {
		return nil, missing("event", in.Resend)
	}
	s.post.resend(again, in.Copies)
	return map[string]any{"resent": len(again)}, nil
}

func (c *change) listens(kind string) bool {
	for _, t := range c.cfg.WebhookTypes {
		if t == kind {
			return c.cfg.WebhookURL != ""
		}
	}
	return false
}

// Book is the sandbox's own record, for comparison with the books of whoever uses it.
type Book struct {
	Balance      map[string]int64 `json:"balance"`       // per currency, minor units: sum of the balance transactions, net of fees
	Captured     map[string]int64 `json:"captured"`      // succeeded charges
	Refunded     map[string]int64 `json:"refunded"`      // refunds that reached the buyer
	DisputesLost map[string]int64 `json:"disputes_lost"` // decided against the seller
	DisputesOpen map[string]int64 `json:"disputes_open"` // withdrawn and undecided
	Sessions     int              `json:"sessions"`
	Charges      int              `json:"charges"`
	Events       int              `json:"events"`
	Undelivered  int              `json:"undelivered"`
	Posted       int64            `json:"posted"`  // deliveries that the endpoint accepted since the start
	Refused      int64            `json:"refused"` // attempts that it did not
}

func (s *Sandbox) showBook(w http.ResponseWriter, _ *http.Request) {
	raw, err := json.MarshalIndent(s.Book(), "", "  ")
	if err != nil {
		writeError(w, errBroken)
		return
	}
	writeRaw(w, http.StatusOK, raw)
}

// Book sums the sandbox's record.
func (s *Sandbox) Book() Book {
	b := s.book
	b.mu.Lock()
	defer b.mu.Unlock()
	out := Book{
		Balance: map[string]int64{}, Captured: map[string]int64{}, Refunded: map[string]int64{}, DisputesLost: map[string]int64{},
		DisputesOpen: map[string]int64{}, Sessions: len(b.sessions.rows), Charges: len(b.charges.rows), Events: len(b.events.rows),
	}
	for _, t := range b.txns.rows {
		out.Balance[t.Currency] += t.Net
	}
	for _, ch := range b.charges.rows {
		out.Captured[ch.Currency] += ch.AmountCaptured
	}
	for _, r := range b.refunds.rows {
		if r.Status == "succeeded" {
			out.Refunded[r.Currency] += r.Amount
		}
	}
	for _, d := range b.disputes.rows {
		switch d.Status {
		case "lost":
			out.DisputesLost[d.Currency] += d.Amount
		case "needs_response", "under_review":
			out.DisputesOpen[d.Currency] += d.Amount
		}
	}
	for _, e := range b.events.rows {
		out.Undelivered += e.Pending
	}
	s.post.mu.Lock()
	out.Posted, out.Refused = s.post.posted, s.post.refused
	s.post.mu.Unlock()
	return out
}
