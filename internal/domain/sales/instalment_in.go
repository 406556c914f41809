package sales

import (
	"context"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// instalmentIn books money that came for an instalment: as its own, as a surplus that goes back, or as a mismatch. With the first the order
// is settled.
func (s *Service) instalmentIn(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if o.Way == Instalments {
		if err := keepCard(ctx, tx, o.ID, f); err != nil {
			return err
		}
	}
	if p.State.Paid() {
		return nil
	}
	if err := o.schedule(ctx, tx); err != nil {
		return err
	}
	var i *Instalment
	if o.Schedule != nil {
		i = o.Schedule.number(p.Instalment)
	}
	state, counter := payments.Captured, ledger.Receivable
	switch {
	case f.Amount != p.Amount():
		state, counter = payments.Mismatch, suspense
	case i == nil || !i.State.Open() || o.State != AwaitingPayment && !o.State.inForce() || o.State == AwaitingPayment && (i.N != 1 || o.superseded):
		state, counter = payments.Surplus, overpaid
	case o.State == AwaitingPayment && o.ExpiresAt != nil && !tx.Now().Before(*o.ExpiresAt):
		if err := s.lateSeats(ctx, tx, o); taken(err) {
			state, counter = payments.Surplus, overpaid
		} else if err != nil {
			return err
		}
	}
	if err := payments.CaptureTx(ctx, tx, p, state, f); err != nil {
		return err
	}
	if state != payments.Captured {
		return s.setAside(ctx, tx, o, p, f, state, counter, o.Way != Instalments)
	}
	was := i.State
	i.paymentID = p.ID
	if err := moveInstalment(ctx, tx, o, i, InstalmentIn); err != nil {
		return err
	}
	if o.State == AwaitingPayment {
		if _, err := tx.Exec(ctx, q.Q("SetPayment"), o.ID, p.ID); err != nil {
			return err
		}
		o.PaymentID = p.ID
		p.Method = f.Method
		o.paidBy(p)
		return s.settle(ctx, tx, o)
	}
	if err := s.post(ctx, tx, p.ID+":capture", "capture", f.Amount, o, s.clearing(p), ledger.Receivable); err != nil {
		return err
	}
	if was == InDefault && !o.Schedule.Defaulted() {
		if err := s.restore(ctx, tx, o, *i); err != nil {
			return err
		}
	}
	if err := s.tellOf(ctx, tx, o, "instalment_charged", *i, nil); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "instalment.paid", Object: o.ID, Detail: map[string]any{"n": i.N, "payment": p.ID, "amount": f.Amount}})
}

// paid is what came of a paid order: all of it, or its instalments until now.
func (o *Order) paid(ctx context.Context, tx *postgres.Tx) (money.Amount, error) {
	if o.Way != Instalments {
		return o.Total, nil
	}
	err := o.schedule(ctx, tx)
	if err != nil || o.Schedule == nil {
		return o.Total, err
	}
	return o.Schedule.received(o.Total.Currency), nil
}

// unspent is what was paid of an order and went back in no way, in minor units. What a plan owes no more was never paid, though it is credited.
func (o *Order) unspent(ctx context.Context, tx *postgres.Tx) (int64, error) {
	left := o.Total.Minor - o.Credited.Minor
	if o.Way != Instalments {
		return left, nil
	}
	err := o.schedule(ctx, tx)
	if err == nil && o.Schedule != nil {
		left -= o.Schedule.Owed(o.Total.Currency).Minor
	}
	return left, err
}

// received is what was paid of an order that is paid in instalments.
func (s Schedule) received(c money.Currency) money.Amount {
	a := money.Zero(c)
	for _, i := range s.Instalments {
		if i.State == InstalmentIn {
			a.Minor += i.Amount.Minor
		}
	}
	return a
}

// endPlan ends the instalments of a paid order: what is not paid is owed no more, and is taken off the invoice. It reads the order again.
func (s *Service) endPlan(ctx context.Context, tx *postgres.Tx, o *Order, reason string) error {
	if err := o.schedule(ctx, tx); err != nil || o.Schedule == nil {
		return err
	}
	rest := o.Schedule.Owed(o.Total.Currency)
	if rest.IsZero() {
		return nil
	}
	for n := range o.Schedule.Instalments {
		i := &o.Schedule.Instalments[n]
		if !i.State.Open() {
			continue
		}
		pages, err := payments.OpenPagesTx(ctx, tx, o.ID, i.N)
		if err != nil {
			return err
		}
		for _, id := range pages {
			if err := s.abandon(ctx, tx, id); err != nil {
				return err
			}
		}
		if err := moveInstalment(ctx, tx, *o, i, Dropped); err != nil {
			return err
		}
	}
	shares, lines, err := creditParts(ctx, tx, *o, rest, "")
	if err != nil {
		return err
	}
	reference := o.ID + ":not-owed"
	if err := s.post(ctx, tx, reference, "not_owed", rest, *o, ledger.Refunds, ledger.Receivable, shares...); err != nil {
		return err
	}
	if err := creditNote(ctx, tx, invoicing.Credit{OrderID: o.ID, Reference: reference, Reason: reason, Amount: rest, Lines: lines}); err != nil {
		return err
	}
	if o.Credited, err = o.Credited.Add(rest); err != nil {
		return err
	}
	if err := store(ctx, tx, *o); err != nil {
		return err
	}
	if *o, err = one(ctx, tx, "Lock", o.ID); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "plan.ended", Object: o.ID, Detail: map[string]any{"not_owed": rest, "because": reason}})
}

// ends is the state in which an order ends that was withdrawn from or is not paid: refunded where nothing of it is left, because all that
// was paid of its plan had gone back before and no refund comes any more that would say so.
func (o Order) ends(as State) State {
	if o.Credited == o.Total && !o.Total.IsZero() {
		return Refunded
	}
	return as
}
