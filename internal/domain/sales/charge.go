package sales

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Dunning says how an instalment that was not paid is asked for again.
type Dunning struct {
	RetryDays  []int // after it was due, growing; after the last it is in default
	RemindDays int   // before it is due
}

func (d Dunning) orUsual() Dunning {
	if len(d.RetryDays) == 0 {
		d.RetryDays = []int{3, 5, 7}
	}
	return Dunning{d.RetryDays, cmp.Or(d.RemindDays, 3)}
}

// again is when an instalment is tried after so many attempts; false: no more. What was late already is not tried twice in a day.
func (d Dunning) again(i Instalment, now time.Time) (time.Time, bool) {
	if i.Attempts > len(d.RetryDays) {
		return time.Time{}, false
	}
	at := i.DueAt.AddDate(0, 0, d.RetryDays[max(i.Attempts, 1)-1])
	if soonest := now.AddDate(0, 0, 1); at.Before(soonest) {
		at = soonest
	}
	return at, true
}

// InstalmentDue says that the card of an order is to be charged with a payment.
type InstalmentDue struct {
	PaymentID string `json:"payment_id"`
}

// Kind names the job.
func (InstalmentDue) Kind() string { return "sales.instalment_due" }

// AccessRestored says that an order in default was paid up, so that what waited for that can go on.
type AccessRestored struct {
	OrderID    string   `json:"order_id"`
	Enrolments []string `json:"enrolments"`
}

// Kind names the job.
func (AccessRestored) Kind() string { return "sales.access_restored" }

// ErrNotDue refuses to pay an instalment that nobody owes.
var ErrNotDue = fault.New(fault.Conflict, "instalment-not-owed", "This instalment is not owed, or is being paid.")

// tellOf tells the buyer of an order something about an instalment.
func (s *Service) tellOf(ctx context.Context, tx *postgres.Tx, o Order, news string, i Instalment, until *time.Time) error {
	return s.jobs.EnqueueTx(ctx, tx, OrderNews{
		OrderID: o.ID, News: news, About: fmt.Sprintf("%s.%d.%d", o.ID, i.N, i.Attempts), Minor: i.Amount.Minor, Currency: i.Amount.Currency, Instalment: i.N, Until: until,
	})
}

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

// RemindOfDue tells buyers of instalments that will be due soon, once each. It gives how many.
func (s *Service) RemindOfDue(ctx context.Context) (int, error) {
	return s.eachInstalled(ctx, "remind of instalments", "ToRemind", s.db.Now().AddDate(0, 0, s.dunning.RemindDays), func(ctx context.Context, tx *postgres.Tx, o *Order) (bool, error) {
		did := false
		for _, i := range o.Schedule.Instalments {
			if i.State != Planned || !o.State.inForce() || i.DueAt.After(tx.Now().AddDate(0, 0, s.dunning.RemindDays)) {
				continue
			}
			n, err := tx.Exec(ctx, q.Q("Reminded"), o.ID, i.N, tx.Now())
			if err != nil {
				return false, err
			}
			if n == 0 || !tx.Now().Before(i.DueAt) {
				continue
			}
			did = true
			if err := s.tellOf(ctx, tx, *o, "instalment_reminder", i, &i.DueAt); err != nil {
				return false, err
			}
		}
		return did, nil
	})
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
		return true, s.move(ctx, tx, o, Defaulted)
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
		Instalment: i.N, CustomerID: o.Schedule.customerID,
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
	refused, err := s.payments.Charge(ctx, p, o.Schedule.customerID, o.Schedule.methodID)
	if err != nil || refused == nil {
		return err
	}
	return s.db.InTx(ctx, "charge refused", func(ctx context.Context, tx *postgres.Tx) error { return s.applyTx(ctx, tx, *refused) })
}

// notPaid notes that an instalment was not paid, tells the buyer, and says when it is tried again; after the last time it is in default.
func (s *Service) notPaid(ctx context.Context, tx *postgres.Tx, o *Order, i *Instalment, why string) error {
	i.Why = why
	if i.State != Charging { // nothing was charged, and the time counts all the same
		i.Attempts++
	}
	at, more := s.dunning.again(*i, tx.Now())
	if !more && o.State != AwaitingPayment {
		return s.inDefault(ctx, tx, o, i)
	}
	i.NextAt = &at
	to, news := Refused, "instalment_refused"
	if why == payments.NeedsOwner {
		to, news = NeedsOwner, "instalment_authenticate"
	}
	if !more { // an order of which nothing was paid yet ends by itself
		i.NextAt = nil
	}
	if err := moveInstalment(ctx, tx, *o, i, to); err != nil {
		return err
	}
	if err := s.tellOf(ctx, tx, *o, news, *i, i.NextAt); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "instalment.refused", Object: o.ID, Detail: map[string]any{"n": i.N, "why": why, "attempts": i.Attempts}})
}

// inDefault holds back what the order opened, as its plan says, until the instalment is paid.
func (s *Service) inDefault(ctx context.Context, tx *postgres.Tx, o *Order, i *Instalment) error {
	hold, news := enrolment.HoldAll, "access_suspended"
	if o.Schedule.OnDefault == offers.KeepAccess {
		hold, news = enrolment.HoldCertificate, "last_notice"
	}
	if i.NextAt = nil; o.Schedule.OnDefault == offers.EndAccess {
		end := tx.Now().AddDate(0, 0, *o.Schedule.EndAfterDays)
		i.NextAt = &end
	}
	if err := moveInstalment(ctx, tx, *o, i, InDefault); err != nil {
		return err
	}
	if _, err := enrolment.HoldTx(ctx, tx, o.ID, hold); err != nil {
		return err
	}
	if err := s.tellOf(ctx, tx, *o, news, *i, i.NextAt); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "order.in_default", Object: o.ID, Detail: map[string]any{"n": i.N, "why": i.Why, "hold": hold}})
}

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

// restore lets go what was held back while an instalment was in default.
func (s *Service) restore(ctx context.Context, tx *postgres.Tx, o Order, i Instalment) error {
	enrolments, err := enrolment.HoldTx(ctx, tx, o.ID, enrolment.NoHold)
	if err != nil {
		return err
	}
	if err := s.tellOf(ctx, tx, o, "access_restored", i, nil); err != nil {
		return err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, AccessRestored{o.ID, enrolments}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "order.restored", Object: o.ID, Detail: map[string]any{"n": i.N}})
}

// instalmentRefused takes that a charge without its owner was refused, once per attempt. What fails on a pay page says nothing: another
// card can be tried on it.
func (s *Service) instalmentRefused(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, why string) error {
	if err := o.schedule(ctx, tx); err != nil || o.Schedule == nil {
		return err
	}
	i := o.Schedule.number(p.Instalment)
	if i == nil || i.State != Charging || i.paymentID != p.ID {
		return nil
	}
	return s.notPaid(ctx, tx, &o, i, cmp.Or(why, "declined"))
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
