package stripesandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// card is what one of Stripe's published test numbers does.
type card struct {
	brand, country string
	decline        string // decline_code; empty: accepted
	threeD         bool   // asks for the 3-D Secure step first
	disputed       bool   // the owner disputes the payment at once
	later          string // decline_code of a charge without its owner
	attaches       bool   // it can be left although it is declined
}

// cards are Stripe's own test numbers. Any other number is refused as incorrect.
var cards = map[string]card{
	"4242424242424242": {brand: "visa", country: "US"},
	"4000002500000003": {brand: "visa", country: "FR"},
	"5555555555554444": {brand: "mastercard", country: "US"},
	"4000000000000002": {brand: "visa", country: "US", decline: "generic_decline"},
	"4000000000009995": {brand: "visa", country: "US", decline: "insufficient_funds"},
	"4000002500003155": {brand: "visa", country: "US", threeD: true},
	"4000002760003184": {brand: "visa", country: "DE", threeD: true, later: "authentication_required"},
	"4000008260003178": {brand: "visa", country: "US", threeD: true, later: "insufficient_funds"},
	"4000000000000341": {brand: "visa", country: "US", decline: "generic_decline", attaches: true},
	"4000008400001629": {brand: "visa", country: "US", threeD: true, decline: "generic_decline"},
	"4000000000000259": {brand: "visa", country: "US", disputed: true},
}

// ibans are Stripe's test accounts for SEPA debit: true pays, false fails, both after a while.
var ibans = map[string]bool{
	"DE89370400440532013000":      true,
	"FR1420041010050500013M02606": true,
	"DE62370400440532013001":      false,
	"FR8420041010050500013M02607": false,
}

// outcome tells the pay page what became of an attempt.
type outcome struct {
	Status string     `json:"status"` // complete, requires_action, declined
	Error  *errorBody `json:"error,omitempty"`
}

// pay tries a card number or an IBAN on an open session.
func (c *change) pay(row *sessionRow, number, name string) (outcome, *apiError) {
	number = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(number))
	if row.S.Status != "open" {
		return outcome{}, badState("", "This Checkout Session is "+row.S.Status+".")
	}
	if row.S.ExpiresAt <= c.now.Unix() {
		c.expire(row)
		return outcome{}, badState("", "This Checkout Session has expired.")
	}
	if pays, known := ibans[number]; known {
		return c.payLater(row, number, name, pays)
	}
	kind, known := cards[number]
	if !known {
		return outcome{}, &apiError{errorBody{Type: "card_error", Code: "incorrect_number", Message: "Your card number is incorrect.", Param: "number"}, http.StatusPaymentRequired, true}
	}
	if row.S.Mode == "setup" {
		if kind.threeD {
			row.Authenticate = number
			c.saveSession(row)
			return outcome{Status: "requires_action"}, nil
		}
		return c.leaveCard(row, number), nil
	}
	pi := c.intentOf(row)
	if kind.threeD {
		row.Authenticate = number
		pi.Status, pi.PaymentMethod = "requires_action", ref(newID("pm"))
		pi.NextAction = &nextAction{Type: "redirect_to_url", RedirectToURL: redirectToURL{
			ReturnURL: *row.S.URL, URL: *row.S.URL + "?step=authenticate",
		}}
		c.saveIntent(pi)
		c.saveSession(row)
		c.emit("payment_intent.requires_action", pi, nil)
		return outcome{Status: "requires_action"}, nil
	}
	return c.finishCard(row, pi, number, name, nil), nil
}

// authenticate ends the 3-D Secure step that a card asked for.
func (c *change) authenticate(row *sessionRow, succeeded bool) (outcome, *apiError) {
	if row.S.Status != "open" || row.Authenticate == "" {
		return outcome{}, badState("", "No card waits for its 3-D Secure step.")
	}
	number := row.Authenticate
	row.Authenticate = ""
	c.saveSession(row)
	if row.S.Mode == "setup" {
		if !succeeded {
			return outcome{"declined", &errorBody{Type: "card_error", Code: "setup_intent_authentication_failure", Message: "We are unable to authenticate your payment method."}}, nil
		}
		return c.leaveCard(row, number), nil
	}
	pi := c.intentOf(row)
	if !succeeded {
		pi.Status, pi.NextAction, pi.PaymentMethod = "requires_payment_method", nil, nil
		pi.LastPaymentError = &errorBody{
			Type: "card_error", Code: "payment_intent_authentication_failure",
			Message: "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
		}
		c.saveIntent(pi)
		c.emit("payment_intent.payment_failed", pi, nil)
		return outcome{"declined", pi.LastPaymentError}, nil
	}
	return c.finishCard(row, pi, number, "", &threeDInfo{Flow: "challenge", Result: "authenticated", Version: "2.2.0"}), nil
}

// finishCard charges a card whose owner is known.
func (c *change) finishCard(row *sessionRow, pi *intent, number, name string, step *threeDInfo) outcome {
	kind := cards[number]
	ch := c.chargeOn(row, pi, name)
	ch.PaymentMethodDetails = cardOf(number, step)
	pi.NextAction = nil
	if kind.decline != "" {
		return c.decline(row, pi, ch, kind.decline)
	}
	if pi.SetupFutureUsage != nil {
		ch.Customer = c.keep(row, *ch.PaymentMethod, number)
		pi.Customer = ch.Customer
	}
	ch.Outcome = approved()
	c.capture(pi, ch)
	c.complete(row, ch, "paid")
	if kind.disputed {
		c.openDispute(ch, ch.Amount, "fraudulent", false)
	}
	return outcome{Status: "complete"}
}

func cardOf(number string, step *threeDInfo) methodDetails {
	kind := cards[number]
	return methodDetails{Type: "card", Card: &cardDetails{
		Brand: kind.brand, Checks: cardChecks{CVC: "pass"}, Country: kind.country, ExpMonth: 12, ExpYear: 2034, Funding: "credit",
		Fingerprint: fingerprint(number), Last4: number[len(number)-4:], Network: kind.brand, ThreeDSecure: step,
	}}
}

func approved() *chargeOutcome {
	return &chargeOutcome{NetworkStatus: "approved_by_network", RiskLevel: "normal", RiskScore: 7, SellerMessage: "Payment complete.", Type: "authorized"}
}

func (c *change) decline(row *sessionRow, pi *intent, ch *charge, code string) outcome {
	failure := declined(ch, code)
	pi.Status, pi.LastPaymentError, pi.PaymentMethod, pi.LatestCharge = "requires_payment_method", failure, nil, &ch.ID
	c.saveCharge(ch)
	c.saveIntent(pi)
	c.saveSession(row)
	c.emit("charge.failed", ch, nil)
	c.emit("payment_intent.payment_failed", pi, nil)
	return outcome{"declined", failure}
}

// declined says of a charge that its bank refused it, and why.
func declined(ch *charge, code string) *errorBody {
	failure := &errorBody{
		Type: "card_error", Code: "card_declined", DeclineCode: code, Message: "Your card was declined.", Charge: ch.ID,
		DocURL: "https://stripe.com/docs/error-codes/card-declined",
	}
	if code == "insufficient_funds" {
		failure.Message = "Your card has insufficient funds."
	}
	ch.Status, ch.FailureCode, ch.FailureMessage = "failed", ref("card_declined"), &failure.Message
	ch.Outcome = &chargeOutcome{
		NetworkStatus: "declined_by_network", Reason: &code, RiskLevel: "normal", RiskScore: 9, Type: "issuer_declined",
		SellerMessage: "The bank returned the decline code `" + code + "`.",
	}
	return failure
}

// payLater starts a debit whose result comes later.
func (c *change) payLater(row *sessionRow, iban, name string, pays bool) (outcome, *apiError) {
	offered := false
	for _, m := range row.S.PaymentMethodTypes {
		offered = offered || m == "sepa_debit"
	}
	if !offered {
		return outcome{}, badState("", "This Checkout Session does not accept SEPA debit.")
	}
	pi := c.intentOf(row)
	ch := c.chargeOn(row, pi, name)
	ch.Status = "pending"
	ch.PaymentMethodDetails = methodDetails{Type: "sepa_debit", Sepa: &sepaDetails{
		BankCode: iban[4:12], Country: iban[:2], Fingerprint: fingerprint(iban), Last4: iban[len(iban)-4:],
	}}
	pi.Status, pi.LatestCharge, pi.PaymentMethod = "processing", &ch.ID, ch.PaymentMethod
	row.SettleFails = !pays
	row.SettleAt = 1 << 61 // until somebody says so
	if c.cfg.DelayedAfter > 0 {
		row.SettleAt = c.now.Add(c.cfg.DelayedAfter).Unix()
	}
	c.saveCharge(ch)
	c.saveIntent(pi)
	c.emit("charge.pending", ch, nil)
	c.emit("payment_intent.processing", pi, nil)
	c.complete(row, ch, "unpaid")
	return outcome{Status: "complete"}, nil
}

// settle ends a delayed payment.
func (c *change) settle(row *sessionRow, paid bool) {
	pi, _ := c.intents.get(*row.S.PaymentIntent)
	ch, _ := c.charges.get(*pi.LatestCharge)
	row.SettleAt = 0
	if paid {
		c.capture(pi, ch)
		row.S.PaymentStatus = "paid"
		c.saveSession(row)
		c.emit("checkout.session.async_payment_succeeded", &row.S, nil)
		return
	}
	failure := &errorBody{Type: "invalid_request_error", Code: "payment_intent_payment_attempt_failed", Message: "The payment failed.", Charge: ch.ID}
	ch.Status, ch.FailureCode, ch.FailureMessage = "failed", ref("debit_not_authorized"), &failure.Message
	pi.Status, pi.LastPaymentError, pi.PaymentMethod = "requires_payment_method", failure, nil
	c.saveCharge(ch)
	c.saveIntent(pi)
	c.saveSession(row)
	c.emit("charge.failed", ch, nil)
	c.emit("payment_intent.payment_failed", pi, nil)
	c.emit("checkout.session.async_payment_failed", &row.S, nil)
}

// intentOf finds the session's payment intent, which Checkout makes at the first attempt to pay.
func (c *change) intentOf(row *sessionRow) *intent {
	if row.S.PaymentIntent != nil {
		pi, _ := c.intents.get(*row.S.PaymentIntent)
		return pi
	}
	id := newID("pi")
	pi := &intent{
		ID: id, Object: "payment_intent", Amount: *row.S.AmountTotal, CaptureMethod: "automatic_async",
		ClientSecret: id + "_secret_" + strings.TrimPrefix(newID("x"), "x_"), ConfirmationMethod: "automatic", Created: c.now.Unix(),
		Currency: row.S.Currency, Description: row.Description, Metadata: row.IntentMeta, PaymentMethodTypes: row.S.PaymentMethodTypes,
		Status: "requires_payment_method", Customer: row.S.Customer, SetupFutureUsage: row.FutureUsage,
	}
	row.S.PaymentIntent = &id
	c.saveIntent(pi)
	c.saveSession(row)
	c.emit("payment_intent.created", pi, nil)
	return pi
}

// chargeOn is a charge that the buyer makes on the page of a session.
func (c *change) chargeOn(row *sessionRow, pi *intent, name string) *charge {
	by := billingDetails{Email: row.S.CustomerEmail}
	if name != "" {
		by.Name = &name
	}
	return c.newCharge(pi, by, newID("pm"))
}

func (c *change) newCharge(pi *intent, by billingDetails, method string) *charge {
	return &charge{
		ID: newID("ch"), Object: "charge", Amount: pi.Amount, Created: c.now.Unix(), Currency: pi.Currency,
		Description: pi.Description, Metadata: pi.Metadata, PaymentIntent: &pi.ID, PaymentMethod: &method, BillingDetails: by,
	}
}

// capture takes the money of a charge.
func (c *change) capture(pi *intent, ch *charge) {
	ch.Status, ch.Paid, ch.Captured, ch.AmountCaptured = "succeeded", true, true, ch.Amount
	kind := "charge"
	if ch.PaymentMethodDetails.Type != "card" {
		kind = "payment"
	}
	ch.BalanceTransaction = &c.post(kind, "charge", ch.ID, ch.Currency, ch.Amount).ID
	pi.Status, pi.AmountReceived, pi.LatestCharge, pi.PaymentMethod = "succeeded", ch.Amount, &ch.ID, ch.PaymentMethod
	pi.LastPaymentError = nil
	c.saveCharge(ch)
	c.saveIntent(pi)
	c.emit("charge.succeeded", ch, nil)
	c.emit("payment_intent.succeeded", pi, nil)
}

// complete closes the pay page: the buyer has done all that a buyer does.
func (c *change) complete(row *sessionRow, ch *charge, paymentStatus string) {
	row.S.Status, row.S.PaymentStatus, row.S.URL = "complete", paymentStatus, nil
	row.S.CustomerDetails = &customerDetails{
		Address: &address{}, Email: row.S.CustomerEmail, Name: ch.BillingDetails.Name, TaxExempt: "none", TaxIDs: []struct{}{},
	}
	c.saveSession(row)
	c.emit("checkout.session.completed", &row.S, nil)
}

func fingerprint(number string) string {
	sum := sha256.Sum256([]byte("stripe sandbox " + number))
	return hex.EncodeToString(sum[:8])
}

func ref[T any](v T) *T { return &v }
