package sales

import (
	"context"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/platform/postgres"
)

// OrderPayable says that an order may be paid from now on.
type OrderPayable struct {
	OrderID string `json:"order_id"`
}

// Kind names the job.
func (OrderPayable) Kind() string { return "sales.order_payable" }

// Pay gives an order that waits for its payment a pay page: the one that is open, or a new one where that has closed and the order
// lives on. Errors: ErrNoOrder, ErrNotPayable, ErrNotPayableYet with the day, and those of the provider.
func (s *Service) Pay(ctx context.Context, orderID, buyerID string) (Order, error) {
	var o Order
	var paymentID string
	ctx = postgres.WithActor(ctx, "system")
	err := s.db.InTx(ctx, "pay order", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if o, err = one(ctx, tx, "Lock", orderID); err != nil {
			return err
		}
		if o.BuyerID != buyerID {
			return ErrNoOrder
		}
		if o.State != AwaitingPayment || o.Way != Card || o.ExpiresAt != nil && !tx.Now().Before(*o.ExpiresAt) {
			return ErrNotPayable
		}
		terms, err := termsTx(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if terms.PayableFrom != nil && tx.Now().Before(*terms.PayableFrom) {
			return ErrNotPayableYet.At("/order", "payable-from", terms.PayableFrom.Format(time.RFC3339))
		}
		paymentID, err = s.attempt(ctx, tx, o)
		return err
	})
	if err != nil {
		return o, err
	}
	failpoint.Here("payment asked again")
	if _, err := s.payments.OpenCheckout(ctx, paymentID); err != nil {
		return o, err
	}
	return s.Order(ctx, orderID)
}

// attempt is the payment that an order can be paid with now.
func (s *Service) attempt(ctx context.Context, tx *postgres.Tx, o Order) (string, error) {
	if o.PaymentID != "" {
		p, err := payments.LockTx(ctx, tx, o.PaymentID)
		if err != nil {
			return "", err
		}
		if !p.State.Paid() && p.State != payments.Failed && p.State != payments.Expired && tx.Now().Before(p.ExpiresAt) || p.State == payments.Pending {
			return p.ID, nil
		}
	}
	buyer, err := identity.PersonTx(ctx, tx, o.BuyerID)
	if err != nil {
		return "", err
	}
	p, err := s.payments.CreateTx(ctx, tx, payments.NewPayment{
		OrderID: o.ID, Amount: o.Total, Email: buyer.Email, Lang: o.Lang, ExpiresAt: tx.Now().Add(payWithin), Description: o.description(500),
	})
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, q.Q("SetPayment"), o.ID, p.ID)
	return p.ID, err
}

// AskDue asks for the payment of orders that may be paid since a short while, once each. It gives how many.
func (s *Service) AskDue(ctx context.Context) (n int, err error) {
	return s.eachOf(ctx, "ask due", "Due", func(ctx context.Context, tx *postgres.Tx, o Order) error {
		if o.PaymentID != "" {
			return nil
		}
		if _, err := s.attempt(ctx, tx, o); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(ctx, tx, OrderPayable{o.ID})
	})
}

// ExpireUnasked closes orders that were never asked to be paid in their time. It gives how many.
func (s *Service) ExpireUnasked(ctx context.Context) (n int, err error) {
	return s.eachOf(ctx, "expire unasked", "Unasked", func(ctx context.Context, tx *postgres.Tx, o Order) error {
		return s.move(ctx, tx, &o, Expired)
	})
}

// eachOf does something with each order that a statement lists and that still waits for its payment, one transaction each.
func (s *Service) eachOf(ctx context.Context, name, list string, do func(ctx context.Context, tx *postgres.Tx, o Order) error) (n int, err error) {
	var ids []string
	if err := s.db.View(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &ids, q.Q(list), tx.Now())
	}); err != nil {
		return 0, err
	}
	for _, id := range ids {
		did := false
		err := s.db.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
			o, err := one(ctx, tx, "Lock", id)
			if did = err == nil && o.State == AwaitingPayment; !did {
				return err
			}
			return do(ctx, tx, o)
		})
		if err != nil {
			return n, err
		}
		if did {
			n++
		}
	}
	return n, nil
}
