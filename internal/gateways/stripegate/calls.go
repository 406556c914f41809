package stripegate

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v76"

	"cursus/internal/domain/payments"
)

// Names of our ids in the metadata of Stripe's objects. The payment intent hands its metadata to the charge.
const (
	metaPayment = "payment_id"
	metaOrder   = "order_id"
	metaRefund  = "refund_id"

	// metaCard marks intents of payments by a card that is kept: "page" of one that its owner makes on a pay page, "kept" of one that
	// is made without her. What an intent without it says, its session says too.
	metaCard = "card"
	cardPage = "page"
	cardKept = "kept"
)

// OpenCheckout opens a hosted pay page. Everything that is sent comes from the request, so that a repeated call with the
// same key has the same parameters and finds the first one's page.
func (g *Gate) OpenCheckout(ctx context.Context, r payments.CheckoutRequest) (payments.CheckoutSession, error) {
	minor, currency, err := toStripe(r.Amount)
	if err != nil {
		return payments.CheckoutSession{}, err
	}
	if r.IdempotencyKey == "" {
		return payments.CheckoutSession{}, ErrNoKey
	}
	meta := map[string]string{metaPayment: r.PaymentID, metaOrder: r.OrderID}
	p := &stripe.CheckoutSessionParams{
		Params:            stripe.Params{Context: ctx, IdempotencyKey: &r.IdempotencyKey},
		Metadata:          meta,
		Mode:              stripe.String(string(stripe.CheckoutSessionModePayment)),
		ClientReferenceID: &r.PaymentID,
		SuccessURL:        &r.SuccessURL,
		CancelURL:         &r.CancelURL,
		LineItems: []*stripe.CheckoutSessionLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
				Currency: &currency, UnitAmount: &minor,
				ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: &r.Description},
			},
		}},
		PaymentIntentData: &stripe.CheckoutSessionPaymentIntentDataParams{Description: &r.Description, Metadata: meta},
	}
	p.Customer, p.CustomerEmail = customerOf(r.CustomerID, r.Email)
	if r.KeepCard {
		p.PaymentMethodTypes = []*string{stripe.String("card")}
		p.PaymentIntentData.SetupFutureUsage = stripe.String(string(stripe.PaymentIntentSetupFutureUsageOffSession))
		p.PaymentIntentData.Metadata = map[string]string{metaPayment: r.PaymentID, metaOrder: r.OrderID, metaCard: cardPage}
		if p.Customer == nil {
			p.CustomerCreation = stripe.String(string(stripe.CheckoutSessionCustomerCreationAlways))
		}
	}
	if r.Lang != "" {
		p.Locale = &r.Lang
	}
	if !r.ExpiresAt.IsZero() {
		p.ExpiresAt = stripe.Int64(r.ExpiresAt.Unix())
	}
	return g.open(p)
}

// customerOf names a customer of Stripe, or gives the address of one who is none yet: Stripe takes one of the two.
func customerOf(id, email string) (customer, address *string) {
	switch {
	case id != "":
		return &id, nil
	case email != "":
		return nil, &email
	}
	return nil, nil
}

func (g *Gate) open(p *stripe.CheckoutSessionParams) (payments.CheckoutSession, error) {
	s, err := g.checkouts.New(p)
	if err != nil {
		return payments.CheckoutSession{}, faultOf(err)
	}
	if s.ID == "" || s.URL == "" {
		return payments.CheckoutSession{}, ErrUnavailable.Because(errHalf) // asked again under the same key
	}
	out := payments.CheckoutSession{ID: s.ID, URL: s.URL, ExpiresAt: time.Unix(s.ExpiresAt, 0).UTC()}
	if s.PaymentIntent != nil {
		out.PaymentIntentID = s.PaymentIntent.ID
	}
	return out, nil
}

// ExpireCheckout closes an open pay page. One that is complete or closed already is ErrFinished.
func (g *Gate) ExpireCheckout(ctx context.Context, sessionID, idempotencyKey string) error {
	if idempotencyKey == "" {
		return ErrNoKey
	}
	_, err := g.checkouts.Expire(sessionID, &stripe.CheckoutSessionExpireParams{
		Params: stripe.Params{Context: ctx, IdempotencyKey: &idempotencyKey},
	})
	// Stripe has no code of its own for this refusal; the call has no parameter but the id, whose absence is a 404.
	if f := faultOf(err); errors.Is(f, ErrRefused) {
		return ErrFinished.Because(err)
	} else if f != nil {
		return f
	}
	return nil
}

// Refund gives money back on a captured payment.
func (g *Gate) Refund(ctx context.Context, r payments.RefundRequest) (payments.ProviderRefund, error) {
	minor, _, err := toStripe(r.Amount)
	if err != nil {
		return payments.ProviderRefund{}, err
	}
	if r.IdempotencyKey == "" {
		return payments.ProviderRefund{}, ErrNoKey
	}
	if r.AskedLongAgo {
		if made, err := g.made(ctx, r); err != nil || made.ID != "" {
			return made, err
		}
	}
	out, err := g.refunds.New(&stripe.RefundParams{
		Params:        stripe.Params{Context: ctx, IdempotencyKey: &r.IdempotencyKey},
		Metadata:      map[string]string{metaRefund: r.RefundID, metaPayment: r.PaymentID},
		PaymentIntent: &r.PaymentIntentID,
		Amount:        &minor,
		Reason:        stripe.String(string(stripe.RefundReasonRequestedByCustomer)),
	})
	if err != nil {
		return payments.ProviderRefund{}, faultOf(err)
	}
	if out.ID == "" || out.Status == "" {
		return payments.ProviderRefund{}, ErrUnavailable.Because(errHalf)
	}
	return payments.ProviderRefund{ID: out.ID, Status: string(out.Status)}, nil
}

// made finds a refund that was made for a request before: one that stands rather than one that failed; empty where there is none.
func (g *Gate) made(ctx context.Context, r payments.RefundRequest) (found payments.ProviderRefund, err error) {
	all := g.refunds.List(&stripe.RefundListParams{ListParams: stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)}, PaymentIntent: &r.PaymentIntentID})
	for all.Next() {
		x := all.Refund()
		if x.Metadata[metaRefund] != r.RefundID {
			continue
		}
		failed := x.Status == stripe.RefundStatusFailed || x.Status == stripe.RefundStatusCanceled
		if found.ID == "" || !failed {
			found = payments.ProviderRefund{ID: x.ID, Status: string(x.Status)}
		}
	}
	return found, faultOf(all.Err())
}

// get reads one object by its path, raw.
func (g *Gate) get(ctx context.Context, path string, into stripe.LastResponseSetter) error {
	return faultOf(g.api.Call(http.MethodGet, path, g.key, &stripe.Params{Context: ctx}, into))
}
