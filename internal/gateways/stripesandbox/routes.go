package stripesandbox

import (
	"net/http"
	"slices"
)

func (s *Sandbox) routes() {
	stripe := map[string]handler{
		"POST /v1/checkout/sessions":             createSession,
		"GET /v1/checkout/sessions":              listSessions,
		"GET /v1/checkout/sessions/{id}":         getSession,
		"POST /v1/checkout/sessions/{id}/expire": expireSession,
		"GET /v1/payment_intents/{id}":           getIntent,
		"POST /v1/payment_intents":               createIntent,
		"GET /v1/payment_intents":                listIntents,
		"GET /v1/setup_intents/{id}":             getSetup,
		"GET /v1/charges":                        listCharges,
		"GET /v1/charges/{id}":                   getCharge,
		"POST /v1/refunds":                       createRefund,
		"GET /v1/refunds":                        listRefunds,
		"GET /v1/refunds/{id}":                   getRefund,
		"GET /v1/disputes":                       listDisputes,
		"GET /v1/disputes/{id}":                  getDispute,
		"POST /v1/disputes/{id}":                 answerDispute,
		"POST /v1/disputes/{id}/close":           closeDispute,
		"GET /v1/events":                         listEvents,
		"GET /v1/events/{id}":                    getEvent,
		"GET " + transactionsPath:                listTransactions,
	}
	for pattern, h := range stripe {
		s.mux.HandleFunc(pattern, s.api(h))
	}
	s.mux.HandleFunc("/v1/", s.api(func(*change, form, string) (any, *apiError) {
		return nil, &apiError{errorBody{Type: "invalid_request_error", Message: "The sandbox does not have this operation."}, http.StatusNotFound, true}
	}))
	s.mux.HandleFunc("GET /pay/{id}", s.showPayPage)
	s.mux.HandleFunc("POST /pay/{id}", s.submitPayPage)
	s.mux.HandleFunc("POST /sandbox/pay/{id}", s.control(s.controlPay))
	s.mux.HandleFunc("POST /sandbox/settle/{id}", s.control(s.controlSettle))
	s.mux.HandleFunc("POST /sandbox/refunds/{id}/fail", s.control(s.controlFailRefund))
	s.mux.HandleFunc("POST /sandbox/disputes", s.control(s.controlOpenDispute))
	s.mux.HandleFunc("POST /sandbox/disputes/{id}", s.control(s.controlDecideDispute))
	s.mux.HandleFunc("POST /sandbox/customers/{id}", s.control(s.controlCustomer))
	s.mux.HandleFunc("POST /sandbox/payouts", s.control(controlPayout))
	s.mux.HandleFunc("POST /sandbox/account-fees", s.control(controlAccountFee))
	s.mux.HandleFunc("POST /sandbox/webhooks", s.control(s.controlWebhooks))
	s.mux.HandleFunc("GET /sandbox/book", s.showBook)
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
}

func getSession(c *change, f form, id string) (any, *apiError) {
	if row, ok := c.sessions.get(id); ok {
		return &row.S, f.only()
	}
	return nil, missing("checkout.session", id)
}

func listSessions(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("limit", "starting_after", "created", "payment_intent", "status"); bad != nil {
		return nil, bad
	}
	page, bad := list(f, &c.sessions, "/v1/checkout/sessions", func(r *sessionRow) int64 { return r.S.Created }, func(r *sessionRow) bool {
		return (!f.Has("status") || r.S.Status == f.Get("status")) &&
			(!f.Has("payment_intent") || r.S.PaymentIntent != nil && *r.S.PaymentIntent == f.Get("payment_intent"))
	})
	if bad != nil {
		return nil, bad
	}
	answer := page.(map[string]any)
	shown := []*session{}
	for _, row := range answer["data"].([]*sessionRow) {
		shown = append(shown, &row.S)
	}
	answer["data"] = shown
	return answer, nil
}

func getIntent(c *change, f form, id string) (any, *apiError) {
	if v, ok := c.intents.get(id); ok {
		return v, f.only()
	}
	return nil, missing("payment_intent", id)
}

func listIntents(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("limit", "starting_after", "created", "customer"); bad != nil {
		return nil, bad
	}
	return list(f, &c.intents, "/v1/payment_intents", func(v *intent) int64 { return v.Created }, func(v *intent) bool {
		return !f.Has("customer") || v.Customer != nil && *v.Customer == f.Get("customer")
	})
}

func getCharge(c *change, f form, id string) (any, *apiError) {
	if v, ok := c.charges.get(id); ok {
		return v, f.only()
	}
	return nil, missing("charge", id)
}

func listCharges(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("limit", "starting_after", "created", "payment_intent"); bad != nil {
		return nil, bad
	}
	return list(f, &c.charges, "/v1/charges", func(v *charge) int64 { return v.Created }, func(v *charge) bool {
		return !f.Has("payment_intent") || *v.PaymentIntent == f.Get("payment_intent")
	})
}

func getRefund(c *change, f form, id string) (any, *apiError) {
	if v, ok := c.refunds.get(id); ok {
		return v, f.only()
	}
	return nil, missing("refund", id)
}

func listRefunds(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("limit", "starting_after", "created", "payment_intent", "charge"); bad != nil {
		return nil, bad
	}
	return list(f, &c.refunds, "/v1/refunds", func(v *refund) int64 { return v.Created }, func(v *refund) bool {
		return (!f.Has("charge") || v.Charge == f.Get("charge")) && (!f.Has("payment_intent") || *v.PaymentIntent == f.Get("payment_intent"))
	})
}

func getDispute(c *change, f form, id string) (any, *apiError) {
	if v, ok := c.disputes.get(id); ok {
		return v, f.only()
	}
	return nil, missing("dispute", id)
}

func listDisputes(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("limit", "starting_after", "created", "payment_intent", "charge"); bad != nil {
		return nil, bad
	}
	return list(f, &c.disputes, "/v1/disputes", func(v *dispute) int64 { return v.Created }, func(v *dispute) bool {
		return (!f.Has("charge") || v.Charge == f.Get("charge")) && (!f.Has("payment_intent") || *v.PaymentIntent == f.Get("payment_intent"))
	})
}

const transactionsPath = "/v1/balance_transactions"

func listTransactions(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("limit", "starting_after", "created", "type", "source", "currency", "expand"); bad != nil {
		return nil, bad
	}
	page, bad := list(f, &c.txns, transactionsPath, func(v *balanceTx) int64 { return v.Created }, func(v *balanceTx) bool {
		return (!f.Has("type") || v.Type == f.Get("type")) && (!f.Has("source") || v.Source != nil && *v.Source == f.Get("source")) &&
			(!f.Has("currency") || v.Currency == f.Get("currency"))
	})
	if bad != nil || !f.Has("expand[0]") && !f.Has("expand[]") {
		return page, bad
	}
	answer := page.(map[string]any)
	shown := []expandedTx{}
	for _, t := range answer["data"].([]*balanceTx) {
		shown = append(shown, expandedTx{*t, c.sourceOf(t)})
	}
	answer["data"] = shown
	return answer, nil
}

// expandedTx is a balance transaction with the object that it is of in the place of its id.
type expandedTx struct {
	balanceTx
	Source any `json:"source"`
}

func (b *book) sourceOf(t *balanceTx) any {
	if t.Source == nil {
		return nil
	}
	if ch, ok := b.charges.get(*t.Source); ok {
		return ch
	}
	if r, ok := b.refunds.get(*t.Source); ok {
		return r
	}
	if d, ok := b.disputes.get(*t.Source); ok {
		return d
	}
	return t.Source
}

func getEvent(c *change, f form, id string) (any, *apiError) {
	if e, ok := c.book.events.get(id); ok {
		return e.shape(), f.only()
	}
	return nil, missing("event", id)
}

func listEvents(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("limit", "starting_after", "created", "type", "types"); bad != nil {
		return nil, bad
	}
	var types []string
	for k, v := range f.Values {
		if k == "type" || len(k) > 6 && k[:6] == "types[" {
			types = append(types, v...)
		}
	}
	page, bad := list(f, &c.book.events, "/v1/events", func(e *eventRow) int64 { return e.Created }, func(e *eventRow) bool {
		return len(types) == 0 || slices.Contains(types, e.Type)
	})
	if bad != nil {
		return nil, bad
	}
	answer := page.(map[string]any)
	shown := []event{}
	for _, e := range answer["data"].([]*eventRow) {
		shown = append(shown, e.shape())
	}
	answer["data"] = shown
	return answer, nil
}
