package sales

import (
	"context"
	"fmt"
	"strings"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/platform/postgres"
)

// payWithin is how long a pay page stays open. The provider wants 30 minutes at least, by its own clock.
const payWithin = 45 * time.Minute

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
		if err := o.mustOwnTx(ctx, tx, buyerID); err != nil {
			return err
		}
		if o.State != AwaitingPayment || o.Way.ByHand() || o.Way == Free || o.ExpiresAt != nil && !tx.Now().Before(*o.ExpiresAt) {
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
	p, err := s.asked(ctx, tx, o, buyer)
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, q.Q("SetPayment"), o.ID, p.ID)
	return p.ID, err
}

// AskDue asks for the payment of orders that may be paid since a short while, once each. It gives how many.
func (s *Service) AskDue(ctx context.Context) (int, error) {
	return s.eachListed(ctx, "ask due", "Due", func(ctx context.Context, tx *postgres.Tx, o Order) (bool, error) {
		if o.PaymentID != "" {
			return false, nil
		}
		if err := o.schedule(ctx, tx); err != nil {
			return false, err
		}
		if o.Schedule != nil && (o.Schedule.CardKept || o.Schedule.Instalments[0].State != Planned) { // charged without asking; see ChargeDue
			return false, nil
		}
		if _, err := s.attempt(ctx, tx, o); err != nil {
			return false, err
		}
		return true, s.jobs.EnqueueTx(ctx, tx, OrderPayable{o.ID})
	})
}

// ExpireUnasked closes orders that were never asked to be paid in their time. It gives how many.
func (s *Service) ExpireUnasked(ctx context.Context) (int, error) {
	return s.eachListed(ctx, "expire unasked", "Unasked", func(ctx context.Context, tx *postgres.Tx, o Order) (bool, error) {
		return true, s.move(ctx, tx, &o, Expired)
	})
}

// ExpireForgotten closes orders whose pay page was never opened, because the process or the provider failed, once their
// time is over. It gives how many. All are looked at: attempts of orders that were paid by another one stay as they are, and those that come
// after them must not wait for ever.
func (s *Service) ExpireForgotten(ctx context.Context) (n int, err error) {
	for after := ""; ; {
		ids, last, err := s.payments.Forgotten(ctx, s.db.Now(), after)
		if err != nil || last == "" {
			return n, err
		}
		some, err := s.eachUnpaid(ctx, "expire forgotten", ids, func(ctx context.Context, tx *postgres.Tx, o Order) (bool, error) {
			p, err := payments.LockTx(ctx, tx, o.PaymentID)
			if err != nil || p.State != payments.Created {
				return false, err
			}
			return true, s.unpaid(ctx, tx, o, p, payments.Expired)
		})
		if n, after = n+some, last; err != nil {
			return n, err
		}
	}
}

// eachListed is eachUnpaid of the orders that a statement lists.
func (s *Service) eachListed(ctx context.Context, name, list string, do func(ctx context.Context, tx *postgres.Tx, o Order) (bool, error)) (int, error) {
	var ids []string
	if err := s.db.View(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &ids, q.Q(list), tx.Now())
	}); err != nil {
		return 0, err
	}
	return s.eachUnpaid(ctx, name, ids, do)
}

// eachUnpaid does something with each of some orders that still waits for its payment, one transaction each. It gives for how many
// it was done.
func (s *Service) eachUnpaid(ctx context.Context, name string, ids []string, do func(ctx context.Context, tx *postgres.Tx, o Order) (bool, error)) (n int, err error) {
	for _, id := range ids {
		did := false
		err := s.db.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
			o, err := one(ctx, tx, "Lock", id)
			if did = false; err != nil || o.State != AwaitingPayment {
				return err
			}
			did, err = do(ctx, tx, o)
			return err
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

// ask notes what is to be paid on the provider's pay page, and until when.
func (s *Service) ask(ctx context.Context, tx *postgres.Tx, o *Order, buyer identity.Person) (payments.Payment, error) {
	p, err := s.asked(ctx, tx, *o, buyer)
	o.PaymentID, o.ExpiresAt = p.ID, &p.ExpiresAt
	return p, err
}

// asked notes a payment of all of an order, or of its first instalment, whose pay page stays open as long as it does by default.
func (s *Service) asked(ctx context.Context, tx *postgres.Tx, o Order, buyer identity.Person) (payments.Payment, error) {
	if err := o.schedule(ctx, tx); err != nil {
		return payments.Payment{}, err
	}
	if o.Schedule != nil {
		return s.askedOf(ctx, tx, o, o.Schedule.Instalments[0])
	}
	return s.payments.CreateTx(ctx, tx, payments.NewPayment{
		OrderID: o.ID, Amount: o.Total, Email: buyer.Email, Lang: o.Lang, ExpiresAt: tx.Now().Add(payWithin), Description: o.description(500),
	})
}

// description says what is bought in the language of the order, in so many characters at most.
func (o Order) description(most int) string {
	var lines []string
	for _, l := range o.Lines {
		text := fmt.Sprintf("%s · %s", l.Title.In(o.Lang), l.Formula)
		if l.Quantity > 1 {
			text = fmt.Sprintf("%d × %s", l.Quantity, text)
		}
		lines = append(lines, text)
	}
	text := []rune(strings.Join(lines, "; "))
	if len(text) > most {
		text = append(text[:most-1], '…')
	}
	return string(text)
}
