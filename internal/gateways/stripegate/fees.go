package stripegate

import (
	"context"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"

	"cursus/internal/domain/payments"
)

// Balance lists Stripe's balance transactions, the oldest first: those of charges, refunds and disputes with what was kept of each, and those of the
// account alone (payouts, fees of a month). until is exclusive; the zero time sets no bound. Amounts are in the currency of the balance, which is
// not that of the charge where Stripe converts.
func (g *Gate) Balance(ctx context.Context, from, until time.Time) (fees []payments.Fee, moved []payments.Movement, err error) {
	p := &stripe.BalanceTransactionListParams{
		ListParams:   stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)},
		CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix()},
	}
	if !until.IsZero() {
		p.CreatedRange.LesserThan = until.Unix()
	}
	p.AddExpand("data.source") // says whose payment it is
	all := g.balance.List(p)
	for all.Next() {
		t := all.BalanceTransaction()
		amount, err := fromStripe(t.Amount, string(t.Currency))
		if err != nil {
			return nil, nil, err
		}
		fee, err := fromStripe(t.Fee, string(t.Currency))
		if err != nil {
			return nil, nil, err
		}
		if f, ofPayment := feeOf(t); ofPayment {
			f.Amount, f.Moved = fee, amount.Minor
			fees = append(fees, f)
			continue
		}
		moved = append(moved, payments.Movement{ID: t.ID, Kind: movementOf(t.Type), Currency: amount.Currency, Minor: amount.Minor, Fee: fee.Minor, At: time.Unix(t.Created, 0).UTC()})
	}
	slices.Reverse(fees)
	slices.Reverse(moved)
	return fees, moved, faultOf(all.Err())
}

// movementOf says why the balance moved where no payment did it.
func movementOf(t stripe.BalanceTransactionType) payments.MovementKind {
	switch t {
	case stripe.BalanceTransactionTypePayout, stripe.BalanceTransactionTypePayoutCancel, stripe.BalanceTransactionTypePayoutFailure:
		return payments.MovedOut
	case stripe.BalanceTransactionTypeStripeFee, stripe.BalanceTransactionTypeStripeFxFee, stripe.BalanceTransactionTypeTaxFee:
		return payments.MovedFee
	}
	return payments.MovedOther
}

// feeOf says whose payment moved it; false where none did.
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
