package stripegate

import (
	"context"

	"github.com/stripe/stripe-go/v76"

	"cursus/internal/domain/payments"
)

// Book gives Stripe's record of our payments, a charge each. Charges that do not carry our payment id belong to somebody else who
// uses the account. It reads every charge: it is for a reconciliation, not for a page. Amounts are in the currency of the charge,
// before Stripe's fees and conversions.
func (g *Gate) Book(ctx context.Context) ([]payments.Charge, error) {
	var out []payments.Charge
	ours := map[string]int{} // place in out, by Stripe's id
	page := stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)}
	charges := g.charges.List(&stripe.ChargeListParams{ListParams: page})
	for charges.Next() {
		ch := charges.Charge()
		if ch.Metadata[metaPayment] == "" || ch.Status != stripe.ChargeStatusSucceeded {
			continue
		}
		captured, err := fromStripe(ch.AmountCaptured, string(ch.Currency))
		if err != nil {
			return nil, err
		}
		refunded, err := fromStripe(ch.AmountRefunded, string(ch.Currency))
		if err != nil {
			return nil, err
		}
		ours[ch.ID] = len(out)
		out = append(out, payments.Charge{PaymentID: ch.Metadata[metaPayment], Currency: captured.Currency, CapturedMinor: captured.Minor, RefundedMinor: refunded.Minor})
	}
	if err := charges.Err(); err != nil {
		return nil, faultOf(err)
	}
	disputes := g.disputes.List(&stripe.DisputeListParams{ListParams: page})
	for disputes.Next() {
		d := disputes.Dispute()
		if d.Status != stripe.DisputeStatusLost || d.Charge == nil {
			continue
		}
		i, known := ours[d.Charge.ID]
		if !known {
			continue
		}
		a, err := fromStripe(d.Amount, string(d.Currency))
		if err != nil {
			return nil, err
		}
		out[i].LostMinor += a.Minor
	}
	return out, faultOf(disputes.Err())
}
