package sales

import (
	"context"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Faults of cancelling.
var (
	ErrNotOpen  = fault.New(fault.Conflict, "order-not-open", "This order does not wait for its payment any more.")
	ErrUnderWay = fault.New(fault.Conflict, "payment-under-way", "The payment of this order is on its way at the bank. It can be given back when it is there.")
)

// CancelOrder cancels an order that was not paid, as far as the actor may see it: its seat is free at once, and its pay page is
// closed by a job. Money that comes nevertheless goes back. Cancelling again changes nothing. Errors: ErrNoOrder, ErrNotOpen,
// ErrUnderWay.
func (s *Service) CancelOrder(ctx context.Context, id string) (Order, error) {
	if _, err := s.Order(ctx, id); err != nil {
		return Order{}, err
	}
	actor := postgres.Actor(ctx)
	err := s.db.InTx(postgres.WithActor(ctx, "system"), "cancel order", func(ctx context.Context, tx *postgres.Tx) error {
		o, err := one(ctx, tx, "Lock", id)
		if err != nil || o.State == Canceled {
			return err
		}
		if o.State != AwaitingPayment {
			return ErrNotOpen
		}
		if o.PaymentID != "" {
			if o.Way.ByHand() {
				err = s.giveUp(ctx, tx, o)
			} else {
				err = s.abandon(ctx, tx, o.PaymentID)
			}
			if err != nil {
				return err
			}
		}
		if err := s.move(ctx, tx, &o, Canceled); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "order.canceled", Object: o.ID, Detail: map[string]any{"by": actor}})
	})
	if err != nil {
		return Order{}, err
	}
	return s.Order(ctx, id)
}

// abandon ends a payment that nobody is to make any more.
func (s *Service) abandon(ctx context.Context, tx *postgres.Tx, paymentID string) error {
	p, err := payments.LockTx(ctx, tx, paymentID)
	if err != nil {
		return err
	}
	if p.State == payments.Pending || p.State.Paid() {
		return ErrUnderWay
	}
	if err := payments.MoveTx(ctx, tx, p, payments.Expired); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, payments.PageAbandoned{PaymentID: p.ID})
}
