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
	if err := all.Err(); err != nil {
		return nil, nil, faultOf(err)
	}
	slices.Reverse(fees)
	slices.Reverse(moved)
	return fees, moved, g.namePayments(ctx, fees)
}

// namePayments says of what does not carry our payment's id whose it is: a dispute, or a refund that somebody made in the dashboard, is of the payment of
// its charge. A charge that is not among them is asked for by its intent.
func (g *Gate) namePayments(ctx context.Context, fees []payments.Fee) error {
	named := map[string]string{}
	for _, f := range fees {
		if f.Kind == payments.FeeOfCharge {
			named[f.PaymentIntentID] = f.PaymentID
		}
	}
	for i := range fees {
		f := &fees[i]
		if f.PaymentID != "" || f.PaymentIntentID == "" {
			continue
		}
		id, known := named[f.PaymentIntentID]
		if !known {
			intent, err := g.intents.Get(f.PaymentIntentID, &stripe.PaymentIntentParams{Params: stripe.Params{Context: ctx}})
			if err != nil {
				return faultOf(err)
			}
			id = intent.Metadata[metaPayment]
			named[f.PaymentIntentID] = id
		}
		f.PaymentID = id
	}
	return nil
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
