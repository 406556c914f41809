package stripesandbox

import "fmt"

var refundReasons = map[string]bool{"duplicate": true, "fraudulent": true, "requested_by_customer": true}

func createRefund(c *change, f form, _ string) (any, *apiError) {
	if bad := f.only("payment_intent", "charge", "amount", "metadata", "reason"); bad != nil {
		return nil, bad
	}
	reason := f.text("reason")
	if reason != nil && !refundReasons[*reason] {
		return nil, badParam("reason", "", "Invalid reason: "+*reason)
	}
	ch, bad := c.refundable(f)
	if bad != nil {
		return nil, bad
	}
	left := ch.AmountCaptured - ch.AmountRefunded
	amount, given, bad := f.whole("amount")
	if bad != nil {
		return nil, bad
	}
	if !given {
		amount = left
	}
	switch {
	case c.chargedBack(ch):
		return nil, badState("charge_disputed", "Charge "+ch.ID+" has been charged back; cannot issue a refund.")
	case left == 0:
		return nil, badState("charge_already_refunded", "Charge "+ch.ID+" has already been refunded.")
	case amount < 1:
		return nil, badParam("amount", "parameter_invalid_integer", "Invalid positive integer")
	case amount > left:
		return nil, badState("", fmt.Sprintf("Refund amount (%d) is greater than unrefunded amount on charge (%d)", amount, left))
	}
	r := &refund{
		ID: newID("re"), Object: "refund", Amount: amount, Charge: ch.ID, Created: c.now.Unix(), Currency: ch.Currency,
		DestinationDetails: destinationDetails{Type: ch.PaymentMethodDetails.Type}, Metadata: f.tree("metadata"),
		PaymentIntent: ch.PaymentIntent, Reason: reason, Status: "succeeded",
	}
	if r.DestinationDetails.Type == "card" {
		r.DestinationDetails.Card = &destinationCard{Type: "refund"}
	}
	r.BalanceTransaction = &c.post("refund", "refund", r.ID, r.Currency, -amount).ID
	before := map[string]any{"amount_refunded": ch.AmountRefunded, "refunded": ch.Refunded}
	ch.AmountRefunded += amount
	ch.Refunded = ch.AmountRefunded == ch.AmountCaptured
	c.saveRefund(r)
	c.saveCharge(ch)
	c.emit("charge.refunded", ch, before)
	c.emit("refund.created", r, nil)
	return r, nil
}

// chargedBack says whether a bank holds or kept the money of a charge. A dispute that was won lets refunds pass again,
// though the charge stays marked as disputed.
func (c *change) chargedBack(ch *charge) bool {
	for _, d := range c.disputes.rows {
		if d.Charge == ch.ID && (d.Status == "needs_response" || d.Status == "under_review" || d.Status == "lost") {
			return true
		}
	}
	return false
}

func (c *change) refundable(f form) (*charge, *apiError) {
	id := f.Get("charge")
	if intentID := f.Get("payment_intent"); intentID != "" {
		pi, ok := c.intents.get(intentID)
		if !ok {
			return nil, missing("payment_intent", intentID)
		}
		if pi.LatestCharge == nil {
			return nil, badState("", "This PaymentIntent ("+pi.ID+") does not have a successful charge to refund.")
		}
		id = *pi.LatestCharge
	}
	if id == "" {
		return nil, badParam("payment_intent", "parameter_missing", "One of the following params should be provided for this request: payment_intent or charge.")
	}
	ch, ok := c.charges.get(id)
	if !ok {
		return nil, missing("charge", id)
	}
	if !ch.Captured {
		return nil, badState("", "Charge "+ch.ID+" was not successful and cannot be refunded.")
	}
	return ch, nil
}

// failRefund is the bank that sends a refund back: the money returns to the seller.
func (c *change) failRefund(r *refund) *apiError {
	if r.Status != "succeeded" && r.Status != "pending" {
		return badState("", "The refund is "+r.Status+".")
	}
	ch, _ := c.charges.get(r.Charge)
	before := map[string]any{"status": r.Status}
	r.Status, r.FailureReason = "failed", "lost_or_stolen_card"
	r.FailureBalanceTx = c.post("refund_failure", "refund_failure", r.ID, r.Currency, r.Amount).ID
	ch.AmountRefunded -= r.Amount
	ch.Refunded = false
	c.saveRefund(r)
	c.saveCharge(ch)
	c.emit("charge.refund.updated", r, before)
	c.emit("refund.updated", r, before)
	return nil
}
