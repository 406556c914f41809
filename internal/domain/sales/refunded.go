package sales

import (
	"context"
	"errors"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// refunded books money that goes back, once per refund of the provider.
func (s *Service) refunded(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if !p.State.Paid() {
		return payments.ErrUnknownPayment.Detailf("The refund came before its capture.")
	}
	left, err := o.unspent(ctx, tx)
	if err != nil {
		return err
	}
	b, err := payments.BookRefundTx(ctx, tx, p, f, left)
	if err != nil || !b.Fresh {
		return err
	}
	r := b.Refund
	if err := s.payOwed(ctx, tx, o, p, r.ID, b.Owed, b.Excess); err != nil {
		return err
	}
	amount := money.Of(r.AmountMinor-b.Owed-b.Excess, money.Currency(p.CapturedCurrency))
	if amount.IsZero() {
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "refund.owed_paid", Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount_minor": r.AmountMinor, "too_much_minor": b.Excess}})
	}
	if debit, ours := surplusAccounts[p.State]; ours {
		return s.post(ctx, tx, r.ID+":refund", "refund", amount, o, debit, s.clearing(p))
	}
	shares, of, err := creditParts(ctx, tx, o, amount, r.ID)
	if err != nil {
		return err
	}
	if err := s.post(ctx, tx, r.ID+":refund", "refund", amount, o, ledger.Refunds, s.clearing(p), shares...); err != nil {
		return err
	}
	if o.Credited, err = o.Credited.Add(amount); err != nil {
		return err
	}
	// The note of the refund before that of what is owed no more: each takes from what the invoice has left.
	if err := creditNote(ctx, tx, invoicing.Credit{OrderID: o.ID, Reference: r.ID, Reason: r.Reason, Amount: amount, Lines: of}); err != nil {
		return err
	}
	if o.Way == Instalments && o.State.inForce() {
		held, err := heldTx(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if held == 0 { // all that was paid went back: nothing more is owed
			if err := s.endPlan(ctx, tx, &o, "everything that was paid was given back"); err != nil {
				return err
			}
		}
	}
	to := PartiallyRefunded
	if o.State == Withdrawn || o.State == Defaulted {
		to = o.State
	}
	if o.State == Lost { // told late: the bank had given the rest back already, and took everything back
		to = Lost
	} else if o.Credited == o.Total {
		to = Refunded
		if err := s.reverse(ctx, tx, o, "refunded"); err != nil {
			return err
		}
	} else {
		if o.State == Disputed {
			to = Disputed
		}
		if o.Pool() {
			if err := s.returned(ctx, tx, o, r.ID); err != nil {
				return err
			}
		}
		if err := s.tell(ctx, tx, o, map[bool]string{false: "refunded_partly", true: "withdrawal_refunded"}[o.State == Withdrawn], r.ID, amount); err != nil {
			return err
		}
	}
	if err := s.credit(ctx, tx, &o, to); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "order." + string(to), Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount": amount}})
}

// creditNote writes a credit note by the lines that gave. Notes of before this was said spread every amount over all lines: where a
// line of the invoice has less left than its part for that reason, the note spreads too, because money that went must have its paper.
func creditNote(ctx context.Context, tx *postgres.Tx, c invoicing.Credit) error {
	_, err := invoicing.CreditTx(ctx, tx, c)
	if errors.Is(err, invoicing.ErrCredit) {
		c.Lines = nil
		_, err = invoicing.CreditTx(ctx, tx, c)
	}
	return err
}

// surplusAccounts hold what came by a payment that was not its order's.
var surplusAccounts = map[payments.State]string{payments.Surplus: overpaid, payments.Mismatch: suspense}

// payOwed books what leaves a payment and is given back by no order: what was owed since a refund came back, and what is too much, which
// the buyer owes us. id is that of the refund or the dispute.
func (s *Service) payOwed(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, id string, owed, excess int64) error {
	if owed > 0 {
		if err := s.post(ctx, tx, id+":owed", "owed_paid", money.Of(owed, money.Currency(p.CapturedCurrency)), o, returning, s.clearing(p)); err != nil {
			return err
		}
	}
	if excess <= 0 {
		return nil
	}
	return s.post(ctx, tx, id+":excess", "paid_too_much", money.Of(excess, money.Currency(p.CapturedCurrency)), o, overpaid, s.clearing(p))
}

// credit moves the order, or stores the credited amount where the state stays.
func (s *Service) credit(ctx context.Context, tx *postgres.Tx, o *Order, to State) error {
	if to != o.State {
		return s.move(ctx, tx, o, to)
	}
	return store(ctx, tx, *o)
}

// reverse takes back what the order opened; what stands above hears of it by a job.
func (s *Service) reverse(ctx context.Context, tx *postgres.Tx, o Order, reason string) error {
	if err := s.freed(ctx, tx, o); err != nil {
		return err
	}
	enrolments, err := enrolment.RevokeTx(ctx, tx, o.ID, reason)
	if err == nil && o.Pool() {
		err = s.endSeats(ctx, tx, o, reason)
	}
	if err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, OrderReversed{OrderID: o.ID, Enrolments: enrolments, Reason: reason})
}

// refundFailed notes that a refund came back to us. The buyer keeps her credit note, and we owe her the money.
func (s *Service) refundFailed(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if !p.State.Paid() {
		return payments.ErrUnknownPayment.Detailf("The refund came before its capture.")
	}
	x, err := payments.FailRefundTx(ctx, tx, p, f)
	if err != nil {
		return err
	}
	r, c := x.Refund, money.Currency(p.CapturedCurrency)
	from := surplusAccounts[p.State]
	if x.Booked {
		from = s.clearing(p)
	}
	if x.Owed > 0 {
		if err := s.post(ctx, tx, r.ID+":refund-failed", "refund_failed", money.Of(x.Owed, c), o, from, returning); err != nil {
			return err
		}
	}
	if x.Excess > 0 {
		if err := s.post(ctx, tx, r.ID+":excess-failed", "refund_failed", money.Of(x.Excess, c), o, from, overpaid); err != nil {
			return err
		}
	}
	if x.Booked {
		amount := money.Of(r.AmountMinor, c)
		if err := s.tell(ctx, tx, o, "refund_failed", r.ID, amount); err != nil {
			return err
		}
	} else if o.Pool() {
		if err := s.stay(ctx, tx, o, r.ID); err != nil {
			return err
		}
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "refund.failed", Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount_minor": r.AmountMinor}})
}
