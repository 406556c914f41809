package stripegate

import (
	"context"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"

	"cursus/internal/domain/payments"
)

// Fees lists what Stripe kept of charges, refunds and disputes, the oldest first: one of each balance transaction that has a fee. What
// it takes of the account alone (a monthly fee, a payout) is of no payment and not among them. until is exclusive; the zero time sets no bound.
// Amounts are in the currency of the balance, which is not that of the charge where Stripe converts.
func (g *Gate) Fees(ctx context.Context, from, until time.Time) ([]payments.Fee, error) {
	p := &stripe.BalanceTransactionListParams{
		ListParams:   stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)},
		CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix()},
	}
	if !until.IsZero() {
		p.CreatedRange.LesserThan = until.Unix()
	}
	p.AddExpand("data.source") // says whose payment it is
	var out []payments.Fee
	all := g.balance.List(p)
	for all.Next() {
		t := all.BalanceTransaction()
		f, ofPayment := feeOf(t)
		if !ofPayment || t.Fee == 0 {
			continue
		}
		var err error
		if f.Amount, err = fromStripe(t.Fee, string(t.Currency)); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	slices.Reverse(out)
	return out, faultOf(all.Err())
}

// feeOf says whose fee it is; false where it is no payment's.
func feeOf(t *stripe.BalanceTransaction) (f payments.Fee, ofPayment bool) {
	if t.Source == nil {
		return f, false
	}
	f = payments.Fee{ID: t.ID, At: time.Unix(t.Created, 0).UTC()}
	var intent *stripe.PaymentIntent
	switch s := t.Source; {
	case s.Charge != nil:
		f.Kind, f.PaymentID, intent = payments.FeeOfCharge, s.Charge.Metadata[metaPayment], s.Charge.PaymentIntent
	case s.Refund != nil:
		f.Kind, f.PaymentID, intent = payments.FeeOfRefund, s.Refund.Metadata[metaPayment], s.Refund.PaymentIntent
	case s.Dispute != nil:
		f.Kind, intent = payments.FeeOfDispute, s.Dispute.PaymentIntent
	default:
		return f, false
	}
	if intent != nil {
		f.PaymentIntentID = intent.ID
	}
	return f, true
}
