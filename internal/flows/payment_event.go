package flows

import (
	"context"
	"errors"

	"cursus/internal/domain/payments"
	"cursus/internal/platform/jobs"
)

// paymentEvent applies what the payment provider told us. An event that is ahead of what it is about waits for it.
func (h *House) paymentEvent(ctx context.Context, e payments.EventStored) error {
	return early(h.Sales.Apply(ctx, e.EventID))
}

// refundRequested asks the provider to give money back.
func (h *House) refundRequested(ctx context.Context, r payments.RefundRequested) error {
	return early(h.Sales.BookRefund(ctx, r.RefundID))
}

// early says of what cannot be booked yet that something else has to be told first: the capture, or the failure of an earlier refund,
// without which more would go back than came.
func early(err error) error {
	if errors.Is(err, payments.ErrUnknownPayment) || errors.Is(err, payments.ErrTooMuch) {
		return jobs.NotYet(err)
	}
	return err
}

// pageAbandoned closes the pay page of an order that was cancelled.
func (h *House) pageAbandoned(ctx context.Context, e payments.PageAbandoned) error {
	return h.Payments.ClosePage(ctx, e.PaymentID)
}
