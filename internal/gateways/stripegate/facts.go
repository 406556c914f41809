package stripegate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/money"
)

// Fact says what a stored event means for our payments. It reads the event's own object, and asks Stripe only when the
// event was rendered in another API version, or when a charge.refunded does not say which refund it is about.
func (g *Gate) Fact(e payments.ProviderEvent) (payments.Fact, bool, error) {
	if !slices.Contains(Types, e.Type) {
		return payments.Fact{Kind: payments.FactUninteresting}, false, nil
	}
	var told envelope
	if err := json.Unmarshal(e.Raw, &told); err != nil {
		return payments.Fact{}, false, ErrEvent.Because(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), g.timeout)
	defer cancel()
	object, err := g.ownVersion(ctx, e, told.Data.Object)
	if err != nil {
		return payments.Fact{}, false, err
	}
	var f payments.Fact
	switch e.Type {
	case "checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed", "checkout.session.expired":
		f, err = sessionFact(e.Type, object)
	case "payment_intent.succeeded", "payment_intent.payment_failed":
		f, err = intentFact(e.Type, object)
	case "setup_intent.succeeded":
		f, err = setupFact(object)
	case "charge.refunded":
		f, err = g.chargeFact(ctx, object)
	case "charge.refund.updated", "refund.created", "refund.updated", "refund.failed":
		f, err = refundFact(object)
	default:
		f, err = disputeFact(e.Type, object)
	}
	if errors.Is(err, money.ErrCurrency) {
		return payments.Fact{Kind: payments.FactUninteresting}, false, nil // not ours: we never sent that currency
	}
	if err != nil {
		return payments.Fact{}, false, err
	}
	if f.MethodID != "" {
		f.LeftAt = e.CreatedAt
	}
	return f, f.Kind != payments.FactUninteresting, nil
}

// rawObject receives an object as bytes.
type rawObject struct {
	stripe.APIResource
	json.RawMessage
}

// UnmarshalJSON keeps the bytes; the embedded types would otherwise both offer theirs.
func (r *rawObject) UnmarshalJSON(b []byte) error { r.RawMessage = slices.Clone(b); return nil }

// ownVersion gives the object in the shape of our API version. The object may be newer than the event; facts are counted
// once by the provider's ids, so what a newer object says early is not counted again later.
func (g *Gate) ownVersion(ctx context.Context, e payments.ProviderEvent, object json.RawMessage) (json.RawMessage, error) {
	if e.APIVersion == APIVersion {
		return object, nil
	}
	var id struct {
		ID     string `json:"id"`
		Object string `json:"object"`
	}
	if err := json.Unmarshal(object, &id); err != nil || id.ID == "" {
		return nil, ErrEvent.Because(err)
	}
	paths := map[string]string{
		"checkout.session": "/v1/checkout/sessions/%s", "charge": "/v1/charges/%s", "refund": "/v1/refunds/%s", "dispute": "/v1/disputes/%s",
		"payment_intent": "/v1/payment_intents/%s", "setup_intent": "/v1/setup_intents/%s",
	}
	path, ok := paths[id.Object]
	if !ok {
		return nil, ErrEvent.Detailf("The event is about an object that we do not know.")
	}
	fresh := &rawObject{}
	if err := g.get(ctx, stripe.FormatURLPath(path, id.ID), fresh); err != nil {
		return nil, err
	}
	return fresh.RawMessage, nil
}

func sessionFact(kind string, object json.RawMessage) (payments.Fact, error) {
	var s stripe.CheckoutSession
	if err := json.Unmarshal(object, &s); err != nil || s.ID == "" {
		return payments.Fact{}, ErrEvent.Because(err)
	}
	f := payments.Fact{Kind: payments.FactUninteresting, CheckoutID: s.ID, PaymentID: cmp.Or(s.Metadata[metaPayment], s.ClientReferenceID)}
	if s.Mode != stripe.CheckoutSessionModePayment || f.PaymentID == "" {
		return f, nil // an endpoint can be shared with another product of the same account
	}
	if s.PaymentIntent != nil {
		f.PaymentIntentID = s.PaymentIntent.ID
	}
	if len(s.PaymentMethodTypes) == 1 {
		f.Method = s.PaymentMethodTypes[0]
	}
	var err error
	if f.Amount, err = fromStripe(s.AmountTotal, string(s.Currency)); err != nil {
		return payments.Fact{}, err
	}
	switch kind {
	case "checkout.session.completed":
		f.Kind = payments.FactPending
		if s.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid {
			f.Kind = payments.FactCaptured
		}
	case "checkout.session.async_payment_succeeded":
		f.Kind = payments.FactCaptured
	case "checkout.session.async_payment_failed":
		f.Kind = payments.FactFailed
	case "checkout.session.expired":
		f.Kind = payments.FactExpired
	}
	return f, nil
}

func refundFact(object json.RawMessage) (payments.Fact, error) {
	var r stripe.Refund
	if err := json.Unmarshal(object, &r); err != nil || r.ID == "" {
		return payments.Fact{}, ErrEvent.Because(err)
	}
	return factOf(&r)
}

func factOf(r *stripe.Refund) (payments.Fact, error) {
	f := payments.Fact{
		Kind: payments.FactRefunded, ProviderRefund: r.ID, RefundID: r.Metadata[metaRefund], PaymentID: r.Metadata[metaPayment],
	}
	if r.PaymentIntent != nil {
		f.PaymentIntentID = r.PaymentIntent.ID
	}
	if r.Status == stripe.RefundStatusFailed || r.Status == stripe.RefundStatusCanceled {
		f.Kind = payments.FactRefundFailed
	}
	var err error
	f.Amount, err = fromStripe(r.Amount, string(r.Currency))
	return f, err
}

// chargeFact finds the refund that a charge.refunded is about. The charge says only the new total; the refund is the one
// with which the refunds, oldest first, reach that total. Where none does, because one failed in between, the newest is
// meant. A refund that is told twice is counted once, by its id.
func (g *Gate) chargeFact(ctx context.Context, object json.RawMessage) (payments.Fact, error) {
	var ch stripe.Charge
	if err := json.Unmarshal(object, &ch); err != nil || ch.ID == "" {
		return payments.Fact{}, ErrEvent.Because(err)
	}
	it := g.refunds.List(&stripe.RefundListParams{ListParams: stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)}, Charge: &ch.ID})
	var all []*stripe.Refund
	for it.Next() {
		all = append(all, it.Refund())
	}
	if err := it.Err(); err != nil {
		return payments.Fact{}, faultOf(err)
	}
	if len(all) == 0 {
		return payments.Fact{Kind: payments.FactUninteresting}, nil
	}
	total := int64(0)
	for _, r := range slices.Backward(all) { // the list is newest first
		if r.Status == stripe.RefundStatusFailed || r.Status == stripe.RefundStatusCanceled {
			continue
		}
		if total += r.Amount; total == ch.AmountRefunded {
			return factOf(r)
		}
	}
	return factOf(all[0])
}

func disputeFact(kind string, object json.RawMessage) (payments.Fact, error) {
	var d stripe.Dispute
	if err := json.Unmarshal(object, &d); err != nil || d.ID == "" {
		return payments.Fact{}, ErrEvent.Because(err)
	}
	f := payments.Fact{Kind: payments.FactUninteresting, DisputeID: d.ID, Reason: string(d.Reason)}
	if d.EvidenceDetails != nil && d.EvidenceDetails.DueBy > 0 {
		until := time.Unix(d.EvidenceDetails.DueBy, 0).UTC()
		f.AnswerBy = &until
	}
	if d.PaymentIntent != nil {
		f.PaymentIntentID = d.PaymentIntent.ID
	}
	var err error
	if f.Amount, err = fromStripe(d.Amount, string(d.Currency)); err != nil {
		return payments.Fact{}, err
	}
	switch {
	case d.Status == stripe.DisputeStatusWarningNeedsResponse, d.Status == stripe.DisputeStatusWarningUnderReview:
		f.Kind = payments.FactInquiry
	case d.Status == stripe.DisputeStatusWarningClosed:
		f.Kind = payments.FactInquiryClosed
	case kind == "charge.dispute.created", kind == "charge.dispute.funds_withdrawn":
		f.Kind = payments.FactDisputeOpened
	case kind == "charge.dispute.funds_reinstated", kind == "charge.dispute.closed" && d.Status == stripe.DisputeStatusWon:
		f.Kind = payments.FactDisputeWon
	case kind == "charge.dispute.closed" && d.Status == stripe.DisputeStatusLost:
		f.Kind = payments.FactDisputeLost
	}
	return f, nil
}
