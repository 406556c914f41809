package stripesandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Stripe's bounds of expires_at.
const (
	shortestSession = 30 * time.Minute
	longestSession  = 24 * time.Hour
)

// smallest is the least amount that Stripe charges, in the currency's own minor units; others have no bound here.
var smallest = map[string]int64{"eur": 50, "usd": 50, "gbp": 30, "chf": 50, "cad": 50, "jpy": 50}

// threeDecimals are currencies whose last digit Stripe wants to be zero.
var threeDecimals = []string{"bhd", "jod", "kwd", "omr", "tnd"}

// noFraction are currencies that Stripe counts in hundredths of which there are none.
var noFraction = []string{"isk", "ugx"}

var locales = []string{"auto", "en", "en-GB", "fr", "fr-CA"}

func createSession(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("mode", "success_url", "cancel_url", "client_reference_id", "customer_email", "expires_at", "line_items",
		"locale", "metadata", "payment_intent_data", "payment_method_types", "customer", "customer_creation", "currency", "setup_intent_data"); bad != nil {
		return nil, bad
	}
	if mode := f.Get("mode"); mode != "payment" && mode != "setup" {
		return nil, badParam("mode", "", "The sandbox has sessions of mode payment and setup only.")
	}
	var total int64
	var currency, name string
	var bad *apiError
	if f.Get("mode") == "payment" {
		if f.Has("currency") || f.Has("setup_intent_data[metadata]") {
			return nil, badParam("currency", "", "The items say the currency.")
		}
		if total, currency, name, bad = lineItems(f); bad != nil {
			return nil, bad
		}
	}
	usage := f.text("payment_intent_data[setup_future_usage]")
	if usage != nil && *usage != "off_session" {
		return nil, badParam("payment_intent_data[setup_future_usage]", "", "The sandbox keeps cards for off_session.")
	}
	expires, bad := expiry(c, f)
	if bad != nil {
		return nil, bad
	}
	for _, key := range []string{"success_url", "cancel_url"} {
		if u, err := url.Parse(strings.ReplaceAll(f.Get(key), "{CHECKOUT_SESSION_ID}", "x")); (key == "success_url" || f.Has(key)) &&
			(err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			return nil, badParam(key, "url_invalid", "Not a valid URL: "+key)
		}
	}
	locale := f.text("locale")
	if locale != nil && !slices.Contains(locales, *locale) {
		return nil, badParam("locale", "", "The sandbox speaks English and French.")
	}
	email := f.text("customer_email")
	if email != nil && !strings.Contains(*email, "@") {
		return nil, badParam("customer_email", "email_invalid", "Invalid email address: "+*email)
	}
	methods, bad := methodTypes(f, currency)
	if bad != nil {
		return nil, bad
	}
	id := "cs_test_" + strings.TrimPrefix(newID("x"), "x_")
	page := c.cfg.PublicURL + "/pay/" + id
	row := &sessionRow{
		S: session{
			ID: id, Object: "checkout.session", CancelURL: f.text("cancel_url"),
			ClientReferenceID: f.text("client_reference_id"), Created: c.now.Unix(), Currency: currency,
			CustomFields: []struct{}{}, CustomerCreation: ref("if_required"), CustomerEmail: email, ExpiresAt: expires, Locale: locale,
			Metadata: f.tree("metadata"), Mode: "payment", PaymentMethodColl: "if_required", PaymentMethodTypes: methods,
			PaymentStatus: "unpaid", ShippingOptions: []struct{}{}, Status: "open", SuccessURL: f.Get("success_url"),
			UIMode: "hosted", URL: &page,
		},
		ItemName: name, Description: f.text("payment_intent_data[description]"), IntentMeta: f.tree("payment_intent_data[metadata]"), FutureUsage: usage,
	}
	if bad := customerFor(c, f, &row.S); bad != nil {
		return nil, bad
	}
	if f.Get("mode") == "setup" {
		if bad := setupSession(c, f, row); bad != nil {
			return nil, bad
		}
	} else {
		row.S.AmountSubtotal, row.S.AmountTotal = &total, &total
	}
	if email != nil {
		row.S.CustomerDetails = &customerDetails{Email: email, TaxExempt: "none", TaxIDs: []struct{}{}}
	}
	c.saveSession(row)
	return &row.S, nil
}

// lineItems reads items with price_data, which is how a seller without a catalogue at Stripe names its price.
func lineItems(f form) (total int64, currency, name string, bad *apiError) {
	for i := range 100 {
		p := fmt.Sprintf("line_items[%d]", i)
		if !f.Has(p + "[price_data][currency]") {
			break
		}
		unit, given, bad := f.whole(p + "[price_data][unit_amount]")
		if bad != nil {
			return 0, "", "", bad
		}
		if !given || unit < 0 || unit > 99_999_999 {
			return 0, "", "", badParam(p+"[price_data][unit_amount]", "parameter_invalid_integer", "unit_amount is 0 to 99999999.")
		}
		quantity, given, bad := f.whole(p + "[quantity]")
		if bad != nil || !given || quantity < 1 || quantity > 999_999 {
			return 0, "", "", badParam(p+"[quantity]", "parameter_missing", "Missing required param: "+p+"[quantity].")
		}
		cur := f.Get(p + "[price_data][currency]")
		if len(cur) != 3 || cur != strings.ToLower(cur) || currency != "" && cur != currency {
			return 0, "", "", badParam(p+"[price_data][currency]", "", "Invalid currency: "+cur)
		}
		if f.Get(p+"[price_data][product_data][name]") == "" {
			return 0, "", "", badParam(p+"[price_data][product_data][name]", "parameter_missing", "Missing required param: name.")
		}
		currency, total = cur, total+unit*quantity
		name += strings.Repeat(", ", min(len(name), 1)) + f.Get(p+"[price_data][product_data][name]")
	}
	switch {
	case currency == "":
		return 0, "", "", badParam("line_items", "parameter_missing", "Missing required param: line_items.")
	case total < max(smallest[currency], 1):
		return 0, "", "", badParam("line_items", "amount_too_small", "The Checkout Session's total amount due is below the minimum of the currency.")
	case total > 99_999_999:
		return 0, "", "", badParam("line_items", "amount_too_large", "The Checkout Session's total amount is too large.")
	case slices.Contains(threeDecimals, currency) && total%10 != 0:
		return 0, "", "", badParam("line_items", "", "Amounts of three-decimal currencies end in zero.")
	case slices.Contains(noFraction, currency) && total%100 != 0:
		return 0, "", "", badParam("line_items", "", "Amounts in this currency end in two zeros.")
	}
	return total, currency, name, nil
}

func expiry(c *change, f form) (int64, *apiError) {
	at, given, bad := f.whole("expires_at")
	if bad != nil {
		return 0, bad
	}
	if !given {
		return c.now.Add(longestSession).Unix(), nil
	}
	// Stripe lets a minute pass between the caller's clock and its own.
	if d := time.Unix(at, 0).Sub(c.now); d < shortestSession-time.Minute || d > longestSession+time.Minute {
		return 0, badParam("expires_at", "", "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from Checkout Session creation.")
	}
	return at, nil
}

// methodTypes are the asked ones, or what an account with cards and SEPA debit would offer for the currency.
func methodTypes(f form, currency string) ([]string, *apiError) {
	var asked []string
	for i := 0; f.Has(fmt.Sprintf("payment_method_types[%d]", i)); i++ {
		asked = append(asked, f.Get(fmt.Sprintf("payment_method_types[%d]", i)))
	}
	for _, m := range asked {
		if m != "card" && (m != "sepa_debit" || currency != "eur") {
			return nil, badParam("payment_method_types", "", "The sandbox has card, and sepa_debit for eur.")
		}
	}
	if asked != nil {
		return asked, nil
	}
	if currency == "eur" {
		return []string{"card", "sepa_debit"}, nil
	}
	return []string{"card"}, nil
}

func expireSession(c *change, f form, id string) (any, *apiError) {
	if bad := f.only(); bad != nil {
		return nil, bad
	}
	row, ok := c.sessions.get(id)
	if !ok {
		return nil, missing("checkout.session", id)
	}
	if row.S.Status != "open" {
		return nil, badState("", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `"+row.S.Status+"`.")
	}
	c.expire(row)
	return &row.S, nil
}

func (c *change) expire(row *sessionRow) {
	row.S.Status, row.S.URL, row.Authenticate = "expired", nil, ""
	if row.S.PaymentIntent != nil {
		if pi, ok := c.intents.get(*row.S.PaymentIntent); ok {
			at, why := c.now.Unix(), "automatic"
			pi.Status, pi.CanceledAt, pi.CancellationReason, pi.NextAction = "canceled", &at, &why, nil
			c.saveIntent(pi)
			c.emit("payment_intent.canceled", pi, nil)
		}
	}
	c.saveSession(row)
	c.emit("checkout.session.expired", &row.S, nil)
}

func (c *change) expireDue() {
	for _, id := range c.openIDs() {
		if row, ok := c.sessions.get(id); ok && row.S.Status == "open" && row.S.ExpiresAt <= c.now.Unix() {
			c.expire(row)
		}
	}
}

func (c *change) settleDue() {
	for _, id := range c.openIDs() {
		if row, ok := c.sessions.get(id); ok && row.SettleAt != 0 && row.SettleAt <= c.now.Unix() {
			c.settle(row, !row.SettleFails)
		}
	}
}

func (c *change) openIDs() []string {
	ids := make([]string, 0, len(c.open))
	for id := range c.open {
		ids = append(ids, id)
	}
	return ids
}
