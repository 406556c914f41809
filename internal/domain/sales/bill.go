package sales

import (
	"context"
	"errors"
	"fmt"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// OrderBilled says that the order of a month was invoiced.
type OrderBilled struct {
	OrderID string `json:"order_id"`
}

// Kind names the job.
func (OrderBilled) Kind() string { return "sales.order_billed" }

// BillDue invoices the orders of months that are over, once each, one transaction each. before is called with the account of each, outside of
// it: what was said of its places while the month ran, and was not done yet, is done then. It gives how many were invoiced.
func (s *Service) BillDue(ctx context.Context, before func(ctx context.Context, account string) error) (int, error) {
	return s.eachMonth(ctx, "bill month", "AccountsToBill", []any{s.db.Now()}, before, s.billTx)
}

// billTx invoices an order whose month is over: what it collected is sold now, and owed. Again it does nothing.
func (s *Service) billTx(ctx context.Context, tx *postgres.Tx, id string) (bool, error) {
	o, err := one(ctx, tx, "Lock", id)
	if err != nil || o.State != Accruing {
		return false, err
	}
	a, _, err := MonthTx(ctx, tx, id)
	if err != nil || tx.Now().Before(a.EndsAt) {
		return false, err
	}
	if o.Total.IsZero() {
		if _, err := tx.Exec(ctx, q.Q("BillAccount"), o.ID, o.State, nil, nil, tx.Now()); err != nil {
			return false, err
		}
		return true, s.fulfilTx(ctx, tx, &o)
	}
	parts, err := PartsTx(ctx, tx, o.ID)
	if err != nil {
		return false, err
	}
	if err := accrue(ctx, tx, o, o.ID+":billed", "billed", parts, false); err != nil {
		return false, err
	}
	shares := make([]share, len(parts))
	for i, p := range parts {
		shares[i] = share{p.EnrolmentID, p.Sold}
	}
	if err := s.post(ctx, tx, o.ID+":sale", "sale", o.Total, o, ledger.Receivable, ledger.Revenue, shares...); err != nil {
		return false, err
	}
	contact, err := identity.PersonTx(ctx, tx, o.BuyerID)
	if err != nil {
		return false, err
	}
	due := tx.Now().AddDate(0, 0, a.DueDays)
	p, err := payments.CreateByHandTx(ctx, tx, payments.NewByHand{
		OrderID: o.ID, Holder: payments.Bank, Amount: o.Total, Description: o.description(500), Email: contact.Email, Lang: o.Lang, BuyerReference: a.Account + " " + a.First.Format("2006-01"),
		Demo: o.Demo, ExpiresAt: due,
	})
	if err != nil {
		return false, err
	}
	if !Life.Allows(o.State, Billed) {
		return false, errNotInLife
	}
	o.State, o.DueAt, o.PaymentID = Billed, &due, p.ID
	o.paidBy(p)
	if _, err := tx.Exec(ctx, q.Q("BillAccount"), o.ID, o.State, due, p.ID, tx.Now()); err != nil {
		return false, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "order.billed", Object: o.ID, Detail: map[string]any{
		"account": a.Account, "month": a.First.Format("2006-01"), "places": o.Lines[0].Quantity, "total": o.Total, "due_at": due}}); err != nil {
		return false, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, OrderBilled{o.ID}); err != nil {
		return false, err
	}
	buyer, err := o.buyerTx(ctx, tx)
	if err != nil {
		return false, err
	}
	if _, err := invoicing.InvoiceTx(ctx, tx, s.issuer, o.document(buyer)); err != nil {
		return false, err
	}
	failpoint.Here("month invoiced, not committed")
	tx.Committed(func() { failpoint.Here("month billed") })
	return true, nil
}

// paidBill notes that the money of an order that was billed is there: it was sold and invoiced with its month.
func (s *Service) paidBill(ctx context.Context, tx *postgres.Tx, o *Order) error {
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "order.paid", Object: o.ID, Detail: map[string]any{"total": o.Total}}); err != nil {
		return err
	}
	if err := s.post(ctx, tx, o.PaymentID+":capture", "capture", o.Total, *o, s.paidFrom(*o), ledger.Receivable); err != nil {
		return err
	}
	return paid(ctx, tx, o)
}

// remindAfter is how many days after it was due an invoice of a month is asked for again, once each.
var remindAfter = []int{3, 10, 21}

// RemindOfBilled asks again for invoices of months that are late, once for each step of the ladder. It gives how many.
func (s *Service) RemindOfBilled(ctx context.Context) (int, error) {
	late := s.db.Now().AddDate(0, 0, -remindAfter[0])
	return s.eachMonth(ctx, "remind of invoice", "AccountsToRemind", []any{len(remindAfter), late}, nil, s.remindTx)
}

// remindTx asks again for one, if a step has come: the last that has, so that who was not reminded for long is not reminded of all at once.
func (s *Service) remindTx(ctx context.Context, tx *postgres.Tx, id string) (bool, error) {
	o, err := one(ctx, tx, "Lock", id)
	if err != nil || o.State != Billed {
		return false, err
	}
	a, _, err := MonthTx(ctx, tx, id)
	if err != nil {
		return false, err
	}
	step := a.Reminders
	for step < len(remindAfter) && !tx.Now().Before(o.DueAt.AddDate(0, 0, remindAfter[step])) {
		step++
	}
	if step == a.Reminders {
		return false, nil
	}
	if _, err := tx.Exec(ctx, q.Q("AccountReminded"), id, step); err != nil {
		return false, err
	}
	news := "account_reminder"
	if step == len(remindAfter) {
		news = "account_last_notice"
	}
	if err := s.tell(ctx, tx, o, news, fmt.Sprintf("%s.%d", o.PaymentID, step), o.Total); err != nil {
		return false, err
	}
	return true, audit.AppendTx(ctx, tx, audit.Entry{Action: "order.reminded", Object: id, Detail: map[string]any{"step": step, "due_at": o.DueAt}})
}

// eachMonth does something with each order of a list of months, one transaction each, after what before does with its account, if anything. What
// goes wrong with one is told at the end, and holds up no other. It gives for how many it was done.
func (s *Service) eachMonth(ctx context.Context, name, list string, args []any, before func(ctx context.Context, account string) error,
	do func(ctx context.Context, tx *postgres.Tx, id string) (bool, error),
) (n int, err error) {
	ctx = postgres.WithActor(ctx, "system")
	const some = 100
	var errs []error
	for after := ""; ; {
		var due []Month
		if err := s.db.View(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Select(ctx, &due, q.Q(list), append(args, after, some)...)
		}); err != nil {
			return n, errors.Join(append(errs, err)...)
		}
		for _, x := range due {
			did, err := false, error(nil)
			if before != nil {
				err = before(ctx, x.Account)
			}
			if err == nil {
				err = s.db.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) (err error) {
					did, err = do(ctx, tx, x.OrderID)
					return err
				})
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", x.OrderID, err))
			} else if did {
				n++
			}
		}
		if len(due) < some {
			return n, errors.Join(errs...)
		}
		after = due[some-1].OrderID
	}
}
