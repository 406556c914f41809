package cohorts

import (
	"context"
	"fmt"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// prepare finds who is to pay at the school, and gives what places her order.
func (s *Service) prepare(ctx context.Context, tx *postgres.Tx, c Cohort, m *Member) (next func(ctx context.Context) error, err error) {
	if m.PersonID == "" {
		if m.Email == "" || c.Agreement == InvoicedMonthly { // nobody owes for who may never come
			m.WaitsFor = ForAccount
			return nil, nil
		}
		p, err := identity.PutPersonTx(ctx, tx, m.Email, m.Name(), m.Lang)
		if err != nil {
			return nil, err
		}
		m.PersonID = p.ID
	}
	if err := known(ctx, tx, c, *m); err != nil {
		return nil, err
	}
	offer, err := offers.OfferTx(ctx, tx, c.OfferID)
	if err != nil {
		return nil, err
	}
	desk, found, err := s.desks(ctx, tx, c.Organisation, offer.Price.Currency)
	if err == nil && !found {
		err = sales.ErrNoWay
	}
	if err != nil {
		return nil, err
	}
	until, err := sales.JoinUntilTx(ctx, tx, c.OfferID)
	if err != nil {
		return nil, err
	}
	if until == nil {
		far := m.AddedAt.Add(openHold)
		until = &far
	}
	order := sales.PlaceOrder{
		BuyerID: m.PersonID, PlacedBy: m.AddedBy, OfferID: c.OfferID, Lang: m.Lang, Currency: offer.Price.Currency, Way: sales.Desk, Desk: desk, HoldUntil: until,
		IdempotencyKey: fmt.Sprintf("%s-%d", m.ID, m.Tries),
	}
	if offer.Price.IsZero() {
		order.Way, order.Desk, order.HoldUntil = "", sales.DeskOf{}, nil
	}
	if c.Agreement == InvoicedMonthly {
		order.BilledTo = c.Organisation
	}
	id := m.ID
	return func(ctx context.Context) error { return s.place(ctx, id, order) }, nil
}

// onAccount pays an order on the account of its school: what it costs stands among what the school owes, under the key of the order, and enrols
// its learner in the same transaction.
func (s *Service) onAccount(ctx context.Context, o sales.Order, c sales.PlaceOrder) error {
	if o.State != sales.AwaitingPayment {
		return nil
	}
	_, err := s.sales.Receive(ctx, sales.Receive{
		Desk: c.Desk, OrderID: o.ID, Amount: o.Total, Reference: c.IdempotencyKey, Payer: c.BilledTo, Label: "on account, by the month", ReceivedAt: o.PlacedAt,
		IdempotencyKey: "account-" + c.IdempotencyKey,
	})
	return err
}

// place orders for a member, and notes her order. The key is that of her try: what a crash interrupted gives the same order again.
func (s *Service) place(ctx context.Context, memberID string, c sales.PlaceOrder) error {
	o, err := s.sales.PlaceOrder(ctx, c)
	if err != nil {
		return err
	}
	if c.BilledTo != "" {
		if err := s.onAccount(ctx, o, c); err != nil {
			return err
		}
	}
	return s.db.InTx(ctx, "member ordered", func(ctx context.Context, tx *postgres.Tx) error {
		m, cohort, err := hold(ctx, tx, memberID)
		if err != nil || m.OrderID != "" {
			return err
		}
		m.OrderID, m.Tries, m.WaitsFor, m.Due = o.ID, m.Tries+1, ForPayment, m.State != Waiting && m.State != Suspended
		if err := s.compare(ctx, tx, cohort, &m); err != nil {
			return err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "cohort.ordered", Object: m.ID, Detail: map[string]any{"cohort": m.CohortID, "order": o.ID, "by": m.AddedBy}}); err != nil {
			return err
		}
		if m.Due {
			if err := s.jobs.EnqueueTx(ctx, tx, Stirred{m.CohortID}); err != nil {
				return err
			}
		}
		return store(ctx, tx, m)
	})
}

// cancel cancels the unpaid order of who left. One that is being paid meanwhile is refused, and tried again: once it is paid it stays, and its
// money is a matter of refunds.
func (s *Service) cancel(ctx context.Context, memberID, orderID string) error {
	if _, err := s.sales.CancelOrder(ctx, orderID); err != nil {
		return err
	}
	return s.settle(ctx, memberID)
}
