package stripegate

import (
	"context"

	"github.com/stripe/stripe-go/v76"

	"cursus/internal/kernel/money"
)

// Book sums Stripe's record of our payments per currency: captures − refunds − lost disputes. Charges that do not carry
// our payment id belong to somebody else who uses the account. It reads every charge: it is for a reconciliation, not for
// a page. Amounts are in the currency of the charge, before Stripe's fees and conversions.
func (g *Gate) Book(ctx context.Context) (map[money.Currency]int64, error) {
	out := map[money.Currency]int64{}
	ours := map[string]bool{}
	page := stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)}
	charges := g.charges.List(&stripe.ChargeListParams{ListParams: page})
	for charges.Next() {
		ch := charges.Charge()
		if ch.Metadata[metaPayment] == "" || ch.Status != stripe.ChargeStatusSucceeded {
			continue
		}
		a, err := fromStripe(ch.AmountCaptured-ch.AmountRefunded, string(ch.Currency))
		if err != nil {
			return nil, err
		}
		ours[ch.ID] = true
		out[a.Currency] += a.Minor
	}
	if err := charges.Err(); err != nil {
		return nil, faultOf(err)
	}
	disputes := g.disputes.List(&stripe.DisputeListParams{ListParams: page})
	for disputes.Next() {
		d := disputes.Dispute()
		if d.Status != stripe.DisputeStatusLost || d.Charge == nil || !ours[d.Charge.ID] {
			continue
		}
		a, err := fromStripe(d.Amount, string(d.Currency))
		if err != nil {
			return nil, err
		}
		out[a.Currency] -= a.Minor
	}
	return out, faultOf(disputes.Err())
}
