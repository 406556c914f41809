package sales

import (
	"context"
	"fmt"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/payments"
	"cursus/internal/platform/postgres"
)

// InstalmentDue says that the card of an order is to be charged with a payment.
type InstalmentDue struct {
	PaymentID string `json:"payment_id"`
}

// Kind names the job.
func (InstalmentDue) Kind() string { return "sales.instalment_due" }

// eachInstalled does something with each order of a list that is paid in instalments, one transaction each, to the end of the list: those
// with which nothing can be done now do not stand in the way of the others. It gives for how many it was done.
func (s *Service) eachInstalled(ctx context.Context, name, list string, until time.Time, do func(ctx context.Context, tx *postgres.Tx, o *Order) (bool, error)) (n int, err error) {
	const page = 100
	for after := ""; ; {
		var ids []string
		if err := s.db.View(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Select(ctx, &ids, q.Q(list), until, after, page)
		}); err != nil {
			return n, err
		}
		done, err := s.eachOf(ctx, name, ids, do)
		if n += done; err != nil || len(ids) < page {
			return n, err
		}
		after = ids[page-1]
	}
}

func (s *Service) eachOf(ctx context.Context, name string, ids []string, do func(ctx context.Context, tx *postgres.Tx, o *Order) (bool, error)) (n int, err error) {
	for _, id := range ids {
		did := false
		if err := s.db.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
			o, err := one(ctx, tx, "Lock", id)
			if did = false; err != nil || o.Way != Instalments {
				return err
			}
			if err := o.schedule(ctx, tx); err != nil {
				return err
			}
			did, err = do(ctx, tx, &o)
			return err
		}); err != nil {
			return n, err
		}
		if did {
			n++
		}
	}
	return n, nil
}

// ChargeDue has the instalments charged that are due now, tries those again whose time has come, and ends what was in default for too
// long. It gives with how many orders it did something.
func (s *Service) ChargeDue(ctx context.Context) (int, error) {
	return s.eachInstalled(ctx, "charge instalments", "DueInstalments", s.db.Now(), s.step)
}

// step does with an order what its first instalment asks for whose time has come. While money is on its way back, or the bank has it,
// nothing is charged.
func (s *Service) step(ctx context.Context, tx *postgres.Tx, o *Order) (bool, error) {
	i := o.Schedule.due(tx.Now())
	if i == nil || o.State != Paid && o.State != PartiallyRefunded && (o.State != AwaitingPayment || i.N > 1 || !o.Schedule.CardKept) {
		return false, nil
	}
	if i.State == InDefault {
		if err := s.endPlan(ctx, tx, o, "an instalment was not paid"); err != nil {
			return false, err
		}
		if err := s.reverse(ctx, tx, *o, "defaulted"); err != nil {
			return false, err
		}
		return true, s.move(ctx, tx, o, o.ends(Defaulted))
	}
	var back bool
	if err := tx.Get(ctx, &back, q.Q("GoesBack"), o.ID); err != nil || back {
		return false, err
	}
	pages, err := payments.OpenPagesTx(ctx, tx, o.ID, i.N)
	if err != nil || len(pages) > 0 { // she is at the pay page just now
		return false, err
	}
	if !o.Schedule.CardKept {
		return true, s.notPaid(ctx, tx, o, i, payments.CardGone)
	}
	p, err := s.askedOf(ctx, tx, *o, *i)
	if err != nil {
		return false, err
	}
	i.paymentID, i.NextAt = p.ID, nil
	i.Attempts++
	if err := moveInstalment(ctx, tx, *o, i, Charging); err != nil {
		return false, err
	}
	return true, s.jobs.EnqueueTx(ctx, tx, InstalmentDue{PaymentID: p.ID})
}

// due is the instalment that is owed first of those whose time has come.
func (s Schedule) due(now time.Time) *Instalment {
	for i := range s.Instalments {
		if x := &s.Instalments[i]; x.State.Open() && x.NextAt != nil && !now.Before(*x.NextAt) {
			return x
		}
	}
	return nil
}

// askedOf notes a payment of an instalment.
func (s *Service) askedOf(ctx context.Context, tx *postgres.Tx, o Order, i Instalment) (payments.Payment, error) {
	buyer, err := identity.PersonTx(ctx, tx, o.BuyerID)
	if err != nil {
		return payments.Payment{}, err
	}
	return s.payments.CreateTx(ctx, tx, payments.NewPayment{
		OrderID: o.ID, Amount: i.Amount, Email: buyer.Email, Lang: o.Lang, ExpiresAt: tx.Now().Add(payWithin), Description: fmt.Sprintf("%s (%d/%d)", o.description(480), i.N, len(o.Schedule.Instalments)),
		Instalment: i.N, CustomerID: o.Schedule.customerID, MethodID: o.Schedule.methodID,
	})
}

// Charge charges the card of an order with a payment, and notes a refusal. That the money is there is said by an event.
func (s *Service) Charge(ctx context.Context, paymentID string) error {
	var p payments.Payment
	var o Order
	if err := s.db.View(ctx, "instalment to charge", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if p, err = payments.OneTx(ctx, tx, paymentID); err != nil || p.State != payments.Created {
			return err
		}
		if o, err = OrderTx(ctx, tx, p.OrderID); err != nil {
			return err
		}
		return o.schedule(ctx, tx)
	}); err != nil || p.State != payments.Created || o.Schedule == nil {
		return err
	}
	if i := o.Schedule.number(p.Instalment); i == nil || i.State != Charging || i.paymentID != p.ID { // it ended meanwhile
		return s.db.InTx(ctx, "not charged", func(ctx context.Context, tx *postgres.Tx) error { return payments.MoveTx(ctx, tx, p, payments.Expired) })
	}
	if p.MethodID == "" { // it was asked for before its card was noted
		p.CustomerID, p.MethodID = o.Schedule.customerID, o.Schedule.methodID
	}
	refused, err := s.payments.Charge(ctx, p)
	if err != nil || refused == nil {
		return err
	}
	return s.db.InTx(ctx, "charge refused", func(ctx context.Context, tx *postgres.Tx) error { return s.applyTx(ctx, tx, *refused) })
}
