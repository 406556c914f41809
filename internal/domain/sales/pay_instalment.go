package sales

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ErrNotDue refuses to pay an instalment that nobody owes.
var ErrNotDue = fault.New(fault.Conflict, "instalment-not-owed", "This instalment is not owed, or is being paid.")

// PayInstalment opens a pay page for an instalment that is owed, with another card or with its owner before it, and gives the order with the
// address in Next. Errors: ErrNoOrder, ErrNotDue, ErrNotPayableYet, those of idempotency and of the provider.
func (s *Service) PayInstalment(ctx context.Context, orderID, buyerID string, n int, key string) (Order, error) {
	ctx = postgres.WithActor(ctx, "system")
	var before Order
	if err := s.db.View(ctx, "order in instalments", func(ctx context.Context, tx *postgres.Tx) (err error) {
		before, err = OrderTx(ctx, tx, orderID)
		return err
	}); err != nil {
		return Order{}, err
	}
	if before.BuyerID != buyerID {
		return Order{}, ErrNoOrder
	}
	if before.State == AwaitingPayment && before.Way == Instalments && n == 1 {
		return s.Pay(ctx, orderID, buyerID)
	}
	paymentID, err := once(ctx, s, "buyer:"+buyerID, key, "pay instalment", []any{orderID, n}, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		o, err := one(ctx, tx, "Lock", orderID)
		if err != nil {
			return "", err
		}
		if o.Way != Instalments || !o.State.inForce() {
			return "", ErrNotDue
		}
		if err := o.schedule(ctx, tx); err != nil {
			return "", err
		}
		i := o.Schedule.number(n)
		if i == nil || !i.State.Open() || i.State == Charging {
			return "", ErrNotDue
		}
		pages, err := payments.OpenPagesTx(ctx, tx, o.ID, n)
		if err != nil {
			return "", err
		}
		if len(pages) > 0 {
			return pages[0], nil
		}
		p, err := s.askedOf(ctx, tx, o, *i)
		return p.ID, err
	})
	if err != nil {
		return Order{}, err
	}
	failpoint.Here("instalment asked")
	url, err := s.payments.OpenCheckout(ctx, paymentID)
	if err != nil {
		return Order{}, err
	}
	o, err := s.Order(ctx, orderID)
	o.PayURL, o.Next.URL = url, url
	return o, err
}

// LeaveCard gives the address of a page on which the buyer of an order in instalments leaves a card: the first one, where nothing may be
// asked for yet, or another one. Errors: ErrNoOrder, ErrNotDue, and those of the provider.
func (s *Service) LeaveCard(ctx context.Context, orderID, buyerID string) (string, error) {
	ctx = postgres.WithActor(ctx, "system")
	var o Order
	var buyer identity.Person
	if err := s.db.View(ctx, "whose card", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if o, err = OrderTx(ctx, tx, orderID); err == nil && o.BuyerID != buyerID {
			err = ErrNoOrder
		}
		if err != nil {
			return err
		}
		if o.Way != Instalments || o.State != AwaitingPayment && !o.State.inForce() {
			return ErrNotDue
		}
		if err := o.schedule(ctx, tx); err != nil {
			return err
		}
		if o.Schedule.Next() == nil {
			return ErrNotDue
		}
		buyer, err = identity.PersonTx(ctx, tx, buyerID)
		return err
	}); err != nil {
		return "", err
	}
	return s.payments.OpenSetup(ctx, o.ID, buyer.Email, o.Lang, o.Schedule.customerID, o.Total.Currency)
}

// takeCard notes the card that was left for an order; what was refused for want of one is tried with it.
func (s *Service) takeCard(ctx context.Context, tx *postgres.Tx, f payments.Fact) error {
	o, err := one(ctx, tx, "Lock", f.OrderID)
	if err != nil || o.Way != Instalments {
		return err
	}
	if err := keepCard(ctx, tx, o.ID, f); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "order.card_left", Object: o.ID})
}
