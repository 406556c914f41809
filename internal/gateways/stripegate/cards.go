package stripegate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
)

// OpenSetup opens a hosted page on which a card is left for an order.
func (g *Gate) OpenSetup(ctx context.Context, r payments.SetupRequest) (payments.CheckoutSession, error) {
	if !r.Currency.Known() || r.Currency.Exponent() != stripeExponent(r.Currency) {
		return payments.CheckoutSession{}, ErrCurrency
	}
	if r.IdempotencyKey == "" {
		return payments.CheckoutSession{}, ErrNoKey
	}
	p := &stripe.CheckoutSessionParams{
		Params:             stripe.Params{Context: ctx, IdempotencyKey: &r.IdempotencyKey},
		Metadata:           map[string]string{metaOrder: r.OrderID},
		Mode:               stripe.String(string(stripe.CheckoutSessionModeSetup)),
		ClientReferenceID:  &r.OrderID,
		SuccessURL:         &r.SuccessURL,
		CancelURL:          &r.CancelURL,
		Currency:           stripe.String(strings.ToLower(string(r.Currency))),
		PaymentMethodTypes: []*string{stripe.String("card")},
		SetupIntentData:    &stripe.CheckoutSessionSetupIntentDataParams{Metadata: map[string]string{metaOrder: r.OrderID, metaCard: cardPage}},
		ExpiresAt:          stripe.Int64(r.ExpiresAt.Unix()),
	}
	if p.Customer, p.CustomerEmail = customerOf(r.CustomerID, r.Email); p.Customer == nil {
		p.CustomerCreation = stripe.String(string(stripe.CheckoutSessionCustomerCreationAlways))
	}
	if r.Lang != "" {
		p.Locale = &r.Lang
	}
	return g.open(p)
}

// Charge takes an amount from a card that was kept. That the card was refused is known from the answer; that the money is there is
// said by an event, as for every payment.
func (g *Gate) Charge(ctx context.Context, r payments.ChargeRequest) (payments.Charged, error) {
	minor, currency, err := toStripe(r.Amount)
	if err != nil {
		return payments.Charged{}, err
	}
	if r.IdempotencyKey == "" {
		return payments.Charged{}, ErrNoKey
	}
	if r.AskedLongAgo {
		if made, err := g.charged(ctx, r); err != nil || made.PaymentIntentID != "" {
			return made, err
		}
	}
	pi, err := g.intents.New(&stripe.PaymentIntentParams{
		Params:             stripe.Params{Context: ctx, IdempotencyKey: &r.IdempotencyKey},
		Metadata:           map[string]string{metaPayment: r.PaymentID, metaOrder: r.OrderID, metaCard: cardKept},
		Amount:             &minor,
		Currency:           &currency,
		Customer:           &r.CustomerID,
		PaymentMethod:      &r.MethodID,
		PaymentMethodTypes: []*string{stripe.String("card")},
		Description:        &r.Description,
		OffSession:         stripe.Bool(true),
		Confirm:            stripe.Bool(true),
	})
	var refused *stripe.Error
	switch f := fault.From(faultOf(err)); {
	case err == nil:
	case errors.Is(f, ErrDeclined) && errors.As(err, &refused):
		out := payments.Charged{Declined: cmp.Or(string(refused.DeclineCode), string(refused.Code), "declined")}
		if refused.Code == stripe.ErrorCodeAuthenticationRequired {
			out.Declined = payments.NeedsOwner
		}
		if refused.PaymentIntent != nil {
			out.PaymentIntentID = refused.PaymentIntent.ID
		}
		return out, nil
	case errors.Is(f, ErrRefused), errors.Is(f, ErrUnknown): // its card or customer was taken away at Stripe
		return payments.Charged{Declined: payments.CardGone}, nil
	default:
		return payments.Charged{}, f
	}
	if pi.ID == "" || pi.Status == "" {
		return payments.Charged{}, ErrUnavailable.Because(errHalf)
	}
	return chargedBy(pi), nil
}

// chargedBy says what became of an intent that was confirmed without its owner.
func chargedBy(pi *stripe.PaymentIntent) payments.Charged {
	out := payments.Charged{PaymentIntentID: pi.ID}
	switch pi.Status {
	case stripe.PaymentIntentStatusRequiresAction:
		out.Declined = payments.NeedsOwner
	case stripe.PaymentIntentStatusRequiresPaymentMethod, stripe.PaymentIntentStatusCanceled:
		if out.Declined = "declined"; pi.LastPaymentError != nil {
			out.Declined = cmp.Or(string(pi.LastPaymentError.DeclineCode), string(pi.LastPaymentError.Code), out.Declined)
		}
	}
	return out
}

// charged finds the intent that was made for a charge before; empty where there is none. An intent belongs to one payment, and a customer
// has few.
func (g *Gate) charged(ctx context.Context, r payments.ChargeRequest) (payments.Charged, error) {
	all := g.intents.List(&stripe.PaymentIntentListParams{ListParams: stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)}, Customer: &r.CustomerID})
	for all.Next() {
		if pi := all.PaymentIntent(); pi.Metadata[metaPayment] == r.PaymentID && pi.Metadata[metaCard] == cardKept {
			return chargedBy(pi), nil
		}
	}
	return payments.Charged{}, faultOf(all.Err())
}

// intentFact reads what an intent says that a card is kept of: that its money is there, or that the card was refused without its owner. A
// card that is refused on a pay page says nothing: the page is still open.
func intentFact(kind string, object json.RawMessage) (payments.Fact, error) {
	var pi stripe.PaymentIntent
	if err := json.Unmarshal(object, &pi); err != nil || pi.ID == "" {
		return payments.Fact{}, ErrEvent.Because(err)
	}
	f := payments.Fact{Kind: payments.FactUninteresting, PaymentID: pi.Metadata[metaPayment], PaymentIntentID: pi.ID, Method: "card"}
	var err error
	if f.Amount, err = fromStripe(pi.Amount, string(pi.Currency)); err != nil {
		return payments.Fact{}, err
	}
	switch of := pi.Metadata[metaCard]; {
	case of == "":
	case kind == "payment_intent.succeeded":
		f.Kind, f.Amount.Minor = payments.FactCaptured, pi.AmountReceived
		if of == cardPage && pi.Customer != nil && pi.PaymentMethod != nil { // a charge of a kept card says nothing of what was left meanwhile
			f.CustomerID, f.MethodID = pi.Customer.ID, pi.PaymentMethod.ID
		}
	case of == cardKept:
		f.Kind, f.Declined = payments.FactFailed, "declined"
		if e := pi.LastPaymentError; e != nil {
			f.Declined = cmp.Or(string(e.DeclineCode), string(e.Code), f.Declined)
			if e.Code == stripe.ErrorCodeAuthenticationRequired {
				f.Declined = payments.NeedsOwner
			}
		}
	}
	return f, nil
}

// setupFact reads which card was left for an order.
func setupFact(object json.RawMessage) (payments.Fact, error) {
	var si stripe.SetupIntent
	if err := json.Unmarshal(object, &si); err != nil || si.ID == "" {
		return payments.Fact{}, ErrEvent.Because(err)
	}
	f := payments.Fact{Kind: payments.FactUninteresting, OrderID: si.Metadata[metaOrder]}
	if f.OrderID != "" && si.Customer != nil && si.PaymentMethod != nil {
		f.Kind, f.CustomerID, f.MethodID = payments.FactCardKept, si.Customer.ID, si.PaymentMethod.ID
	}
	return f, nil
}

// idle says whether an intent of Stripe is of no payment of ours that a card is kept of: most are, as every payment has one.
func idle(e envelope) bool {
	if !strings.HasPrefix(e.Type, "payment_intent.") && !strings.HasPrefix(e.Type, "setup_intent.") {
		return false
	}
	var object struct {
		Metadata map[string]string `json:"metadata"`
	}
	return json.Unmarshal(e.Data.Object, &object) == nil && object.Metadata[metaCard] == ""
}
