package stripesandbox

import (
	"net/http"
	"slices"
	"strings"
)

// method is a card that a customer left. It is known by its id alone: nobody asks the sandbox for it.
type method struct {
	ID       string `json:"id"`
	Customer string `json:"customer"`
	Number   string `json:"number"`
	Outcome  string `json:"outcome,omitempty"` // decline code of what happened to it since; empty: what its number says
}

// onFile says what a charge without its owner does to a card: nothing, a decline code, or that its owner must confirm.
func (m *method) onFile() string {
	kind := cards[m.Number]
	switch {
	case m.Outcome == "pays":
		return ""
	case m.Outcome != "":
		return m.Outcome
	case kind.later != "":
		return kind.later
	}
	return kind.decline
}

type setupIntent struct {
	ID                  string            `json:"id"`
	Object              string            `json:"object"`
	Application         null              `json:"application"`
	AutomaticMethods    null              `json:"automatic_payment_methods"`
	CancellationReason  null              `json:"cancellation_reason"`
	ClientSecret        string            `json:"client_secret"`
	Created             int64             `json:"created"`
	Customer            *string           `json:"customer"`
	Description         null              `json:"description"`
	FlowDirections      null              `json:"flow_directions"`
	LastSetupError      null              `json:"last_setup_error"`
	LatestAttempt       null              `json:"latest_attempt"`
	Livemode            bool              `json:"livemode"`
	Mandate             null              `json:"mandate"`
	Metadata            map[string]string `json:"metadata"`
	NextAction          null              `json:"next_action"`
	OnBehalfOf          null              `json:"on_behalf_of"`
	PaymentMethod       *string           `json:"payment_method"`
	PaymentMethodConfig null              `json:"payment_method_configuration_details"`
	PaymentMethodOpts   struct{}          `json:"payment_method_options"`
	PaymentMethodTypes  []string          `json:"payment_method_types"`
	SingleUseMandate    null              `json:"single_use_mandate"`
	Status              string            `json:"status"`
	Usage               string            `json:"usage"`
}

// customerFor reads whose session it is: a customer that is there, or one that is made when the session is complete.
func customerFor(c *change, f form, s *session) *apiError {
	if id := f.text("customer"); id != nil {
		if f.Has("customer_email") || f.Has("customer_creation") {
			return badParam("customer", "", "You may only specify one of these parameters: customer, customer_email, customer_creation.")
		}
		if !slices.Contains(c.customers, *id) {
			return missing("customer", *id)
		}
		s.Customer, s.CustomerCreation = id, nil
		return nil
	}
	if creation := f.text("customer_creation"); creation != nil {
		if *creation != "always" && *creation != "if_required" {
			return badParam("customer_creation", "", "Invalid customer_creation: "+*creation)
		}
		s.CustomerCreation = creation
	}
	return nil
}

// setupSession opens a page on which a card is left.
func setupSession(c *change, f form, row *sessionRow) *apiError {
	if f.Has("line_items[0][quantity]") || f.Has("payment_intent_data[description]") {
		return badParam("line_items", "", "You can not pass `line_items` or `payment_intent_data` in `setup` mode.")
	}
	if !slices.Equal(row.S.PaymentMethodTypes, []string{"card"}) {
		return badParam("payment_method_types", "", "The sandbox sets up cards only.")
	}
	currency := f.Get("currency")
	if len(currency) != 3 || currency != strings.ToLower(currency) {
		return badParam("currency", "", "Invalid currency: "+currency)
	}
	si := &setupIntent{
		ID: newID("seti"), Object: "setup_intent", Created: c.now.Unix(), Metadata: f.tree("setup_intent_data[metadata]"), PaymentMethodTypes: row.S.PaymentMethodTypes,
		Status: "requires_payment_method", Usage: "off_session", Customer: row.S.Customer,
	}
	si.ClientSecret = si.ID + "_secret_" + strings.TrimPrefix(newID("x"), "x_")
	row.S.Mode, row.S.Currency, row.S.PaymentStatus, row.S.SetupIntent, row.S.PaymentMethodColl = "setup", currency, "no_payment_required", &si.ID, "always"
	row.ItemName = "…"
	c.saveSetup(si)
	c.emit("setup_intent.created", si, nil)
	return nil
}

// leaveCard ends a page on which a card is left. Stripe asks its bank, so that one that is declined is not kept, except for the numbers
// that are made for it.
func (c *change) leaveCard(row *sessionRow, number string) outcome {
	si, _ := c.setups.get(*row.S.SetupIntent)
	if kind := cards[number]; kind.decline != "" && !kind.attaches {
		failure := &errorBody{Type: "card_error", Code: "card_declined", DeclineCode: kind.decline, Message: "Your card was declined."}
		si.Status = "requires_payment_method"
		c.saveSetup(si)
		c.emit("setup_intent.setup_failed", si, nil)
		return outcome{"declined", failure}
	}
	si.PaymentMethod = ref(newID("pm"))
	si.Customer = c.keep(row, *si.PaymentMethod, number)
	si.Status = "succeeded"
	c.saveSetup(si)
	c.emit("setup_intent.succeeded", si, nil)
	row.Authenticate = ""
	c.complete(row, &charge{BillingDetails: billingDetails{Email: row.S.CustomerEmail}}, "no_payment_required")
	return outcome{Status: "complete"}
}

// keep gives a card to the customer of a session, who is made where there is none yet.
func (c *change) keep(row *sessionRow, id, number string) *string {
	if row.S.Customer == nil {
		row.S.Customer = ref(newID("cus"))
		c.customers = append(c.customers, *row.S.Customer)
		c.touch("customer", *row.S.Customer, *row.S.Customer)
	}
	c.saveMethod(&method{ID: id, Customer: *row.S.Customer, Number: number})
	return row.S.Customer
}

// createIntent is a charge of a card on file: made and confirmed in one request, without its owner.
func createIntent(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("amount", "currency", "customer", "payment_method", "payment_method_types", "off_session", "confirm", "description", "metadata"); bad != nil {
		return nil, bad
	}
	amount, given, bad := f.whole("amount")
	if bad != nil {
		return nil, bad
	}
	currency := f.Get("currency")
	switch {
	case f.Get("off_session") != "true" || f.Get("confirm") != "true":
		return nil, badParam("confirm", "", "The sandbox makes payment intents that are confirmed off session only; Checkout makes the others.")
	case !given || amount < max(smallest[currency], 1) || amount > 99_999_999:
		return nil, badParam("amount", "amount_too_small", "Amount must be at least the minimum of the currency, and at most 99999999.")
	case len(currency) != 3 || currency != strings.ToLower(currency):
		return nil, badParam("currency", "", "Invalid currency: "+currency)
	case slices.Contains(threeDecimals, currency) && amount%10 != 0:
		return nil, badParam("amount", "", "Amounts of three-decimal currencies end in zero.")
	case f.Get("payment_method_types[0]") != "card" || f.Has("payment_method_types[1]"):
		return nil, badParam("payment_method_types", "", "The sandbox charges cards on file only.")
	case !slices.Contains(c.customers, f.Get("customer")):
		return nil, missing("customer", f.Get("customer"))
	}
	m, ok := c.methods.get(f.Get("payment_method"))
	if !ok {
		return nil, missing("PaymentMethod", f.Get("payment_method"))
	}
	if m.Customer != f.Get("customer") {
		return nil, badParam("payment_method", "", "The PaymentMethod does not belong to the Customer.")
	}
	id := newID("pi")
	pi := &intent{
		ID: id, Object: "payment_intent", Amount: amount, CaptureMethod: "automatic_async", ClientSecret: id + "_secret_" + strings.TrimPrefix(newID("x"), "x_"),
		ConfirmationMethod: "automatic", Created: c.now.Unix(), Currency: currency, Customer: &m.Customer, Description: f.text("description"), Metadata: f.tree("metadata"),
		PaymentMethodTypes: []string{"card"}, PaymentMethod: &m.ID, Status: "requires_confirmation",
	}
	c.saveIntent(pi)
	c.emit("payment_intent.created", pi, nil)
	ch := c.newCharge(pi, billingDetails{}, m.ID)
	ch.Customer = &m.Customer
	ch.PaymentMethodDetails = cardOf(m.Number, nil)
	switch why := m.onFile(); why {
	case "":
		ch.Outcome = approved()
		c.capture(pi, ch)
		return pi, nil
	case "authentication_required":
		return nil, c.refuse(pi, nil, &errorBody{
			Type: "card_error", Code: "authentication_required", DeclineCode: "authentication_required", PaymentIntent: pi,
			Message: "Your card was declined. This transaction requires authentication.", DocURL: "https://stripe.com/docs/error-codes/authentication-required",
		})
	default:
		failure := declined(ch, why)
		failure.PaymentIntent = pi
		return nil, c.refuse(pi, ch, failure)
	}
}

// refuse ends a charge without its owner that failed. Stripe answers 402 with the intent, and tells it by an event too.
func (c *change) refuse(pi *intent, ch *charge, failure *errorBody) *apiError {
	told := *failure
	told.PaymentIntent = nil
	pi.Status, pi.PaymentMethod, pi.LastPaymentError = "requires_payment_method", nil, &told
	if ch != nil {
		pi.LatestCharge = &ch.ID
		c.saveCharge(ch)
		c.emit("charge.failed", ch, nil)
	}
	c.saveIntent(pi)
	c.emit("payment_intent.payment_failed", pi, nil)
	return &apiError{*failure, http.StatusPaymentRequired, false}
}

func getSetup(c *change, f form, id string) (any, *apiError) {
	if v, ok := c.setups.get(id); ok {
		return v, f.only()
	}
	return nil, missing("setup_intent", id)
}

// controlCustomer is what happens to the cards that a customer left: {"outcome":"pays"|"insufficient_funds"|"authentication_required"|…}; empty
// is what their numbers say.
func (s *Sandbox) controlCustomer(c *change, id string, body []byte) (any, *apiError) {
	var in struct{ Outcome string }
	if bad := read(body, &in); bad != nil {
		return nil, bad
	}
	n := 0
	for _, m := range c.methods.rows {
		if m.Customer == id {
			m.Outcome = in.Outcome
			c.saveMethod(m)
			n++
		}
	}
	if n == 0 {
		return nil, missing("customer", id)
	}
	return map[string]any{"cards": n}, nil
}
