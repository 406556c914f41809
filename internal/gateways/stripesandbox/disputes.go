package stripesandbox

import "time"

// openDispute is the bank of the buyer taking the money back. An inquiry asks first and takes nothing.
func (c *change) openDispute(ch *charge, amount int64, reason string, inquiry bool) *dispute {
	d := &dispute{
		ID: newID("dp"), Object: "dispute", Amount: amount, BalanceTransactions: []balanceTx{}, Charge: ch.ID,
		Created: c.now.Unix(), Currency: ch.Currency, EvidenceDetails: evidenceDetails{DueBy: ref(c.now.Add(7 * 24 * time.Hour).Unix())},
		IsChargeRefundable: inquiry, Metadata: map[string]string{}, PaymentIntent: ch.PaymentIntent, Reason: reason,
		Status: "needs_response", Evidence: evidence{CustomerEmail: ch.BillingDetails.Email, CustomerName: ch.BillingDetails.Name},
	}
	if card := ch.PaymentMethodDetails.Card; card != nil {
		d.PaymentMethodDetails = &disputeMethod{Type: "card", Card: disputeCard{Brand: card.Brand}}
	}
	if inquiry {
		d.Status = "warning_needs_response"
		c.saveDispute(d)
		c.emit("charge.dispute.created", d, nil)
		return d
	}
	ch.Disputed = true
	d.BalanceTransactions = append(d.BalanceTransactions, *c.post("adjustment", "dispute", d.ID, d.Currency, -amount))
	c.saveCharge(ch)
	c.saveDispute(d)
	c.emit("charge.dispute.created", d, nil)
	c.emit("charge.dispute.funds_withdrawn", d, nil)
	return d
}

// decide ends a dispute. A won one gives the money back.
func (c *change) decide(d *dispute, won bool) *apiError {
	before := map[string]any{"status": d.Status}
	switch d.Status {
	case "warning_needs_response", "warning_under_review":
		d.Status = "warning_closed"
	case "needs_response", "under_review":
		d.Status = "lost"
		if won {
			d.Status = "won"
			d.BalanceTransactions = append(d.BalanceTransactions, *c.post("adjustment", "dispute_reversal", d.ID, d.Currency, d.Amount))
		}
	default:
		return badState("", "This dispute is already closed.")
	}
	c.saveDispute(d)
	if d.Status == "won" {
		c.emit("charge.dispute.funds_reinstated", d, nil)
	}
	c.emit("charge.dispute.closed", d, before)
	return nil
}

// closeDispute is the seller giving up.
func closeDispute(c *change, f form, id string) (any, *apiError) {
	d, ok := c.disputes.get(id)
	if !ok {
		return nil, missing("dispute", id)
	}
	if bad := f.only(); bad != nil {
		return nil, bad
	}
	return d, c.decide(d, false)
}

// answerDispute takes the two magic texts that Stripe's test mode knows as evidence.
func answerDispute(c *change, f form, id string) (any, *apiError) {
	d, ok := c.disputes.get(id)
	if !ok {
		return nil, missing("dispute", id)
	}
	if bad := f.only("evidence", "submit"); bad != nil {
		return nil, bad
	}
	text := f.Get("evidence[uncategorized_text]")
	if text != "winning_evidence" && text != "losing_evidence" {
		return nil, badParam("evidence[uncategorized_text]", "", "The sandbox understands winning_evidence and losing_evidence.")
	}
	if d.Status != "needs_response" && d.Status != "warning_needs_response" {
		return nil, badState("", "This dispute is already closed.")
	}
	d.Evidence.UncategorizedTxt = &text
	d.EvidenceDetails.HasEvidence, d.EvidenceDetails.SubmissionCount = true, 1
	return d, c.decide(d, text == "winning_evidence")
}
