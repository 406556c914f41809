package sales

import (
	"context"
	"encoding/json"
	"net/http"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// RefundOrder gives money back. A nil amount is everything that is left. The provider is asked by a job; the order changes
// when the money is on its way.
type RefundOrder struct {
	OrderID        string
	AmountMinor    *int64
	Reason         string
	IdempotencyKey string
}

// Refund requests a refund. Errors: ErrNoOrder, ErrNotPaid, payments.ErrTooMuch, payments.ErrRefundReason and those of idempotency.
func (s *Service) Refund(ctx context.Context, c RefundOrder) (Order, error) {
	actor := postgres.Actor(ctx)
	_, _, err := s.replies.Do(ctx, actor, c.IdempotencyKey, requestHash("refund", c),
		func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
			r, err := s.requestRefund(ctx, tx, c)
			if err != nil {
				return idempotency.Reply{}, err
			}
			b, err := json.Marshal(r.ID)
			return idempotency.Reply{Status: http.StatusAccepted, Body: b}, err
		})
	if err != nil {
		return Order{}, err
	}
	failpoint.Here("refund requested")
	return s.Order(ctx, c.OrderID)
}

func (s *Service) requestRefund(ctx context.Context, tx *postgres.Tx, c RefundOrder) (payments.Refund, error) {
	o, err := one(ctx, tx, "Lock", c.OrderID)
	if err != nil {
		return payments.Refund{}, err
	}
	switch o.State {
	case Paid, PartiallyRefunded, PaymentMismatch:
	default:
		return payments.Refund{}, ErrNotPaid
	}
	if o.PaymentID == "" {
		return payments.Refund{}, ErrNotPaid
	}
	p, err := payments.LockTx(ctx, tx, o.PaymentID)
	if err != nil {
		return payments.Refund{}, err
	}
	minor := p.Left()
	if c.AmountMinor != nil {
		minor = *c.AmountMinor
	}
	r, err := s.payments.RequestRefundTx(ctx, tx, p, minor, c.Reason)
	if err != nil {
		return r, err
	}
	return r, audit.AppendTx(ctx, tx, audit.Entry{Action: "refund.requested", Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount_minor": minor, "reason": c.Reason}})
}

// refunded books money that goes back, once per refund of the provider.
func (s *Service) refunded(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if !p.State.Paid() {
		return payments.ErrUnknownPayment.Detailf("The refund came before its capture.")
	}
	r, booked, err := payments.BookRefundTx(ctx, tx, p, f)
	if err != nil || !booked {
		return err
	}
	amount := money.Of(r.AmountMinor, money.Currency(p.CapturedCurrency))
	if debit, ours := map[payments.State]string{payments.Surplus: overpaid, payments.Mismatch: suspense}[p.State]; ours {
		return s.post(ctx, tx, r.ID+":refund", "refund", amount, o, debit, s.clearing(p))
	}
	shares, err := creditParts(ctx, tx, o, amount)
	if err != nil {
		return err
	}
	if err := s.post(ctx, tx, r.ID+":refund", "refund", amount, o, ledger.Refunds, s.clearing(p), shares...); err != nil {
		return err
	}
	if o.Credited, err = o.Credited.Add(amount); err != nil {
		return err
	}
	to := PartiallyRefunded
	if o.Credited == o.Total {
		to = Refunded
		if err := s.reverse(ctx, tx, o, "refunded"); err != nil {
			return err
		}
	} else if o.State == Disputed {
		to = Disputed
	}
	if err := s.credit(ctx, tx, &o, to); err != nil {
		return err
	}
	if _, err := invoicing.CreditTx(ctx, tx, invoicing.Credit{OrderID: o.ID, Reference: r.ID, Reason: r.Reason, Amount: amount}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "order." + string(to), Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount": amount}})
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
	enrolments, err := enrolment.RevokeTx(ctx, tx, o.ID, reason)
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
	r, booked, err := payments.FailRefundTx(ctx, tx, p, f)
	if err != nil {
		return err
	}
	if booked {
		amount := money.Of(r.AmountMinor, money.Currency(p.CapturedCurrency))
		if err := s.post(ctx, tx, r.ID+":refund-failed", "refund_failed", amount, o, s.clearing(p), returning); err != nil {
			return err
		}
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "refund.failed", Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount_minor": r.AmountMinor}})
}

// disputed follows a dispute: while it is open the order says so, won puts it back, lost takes back what it opened.
func (s *Service) disputed(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if !p.State.Paid() {
		return payments.ErrUnknownPayment.Detailf("The dispute came before its capture.")
	}
	turn := map[payments.FactKind]string{payments.FactDisputeOpened: "opened", payments.FactDisputeWon: "won", payments.FactDisputeLost: "lost"}[f.Kind]
	fresh, err := payments.DisputeTx(ctx, tx, p, f, turn)
	if err != nil || !fresh || p.State != payments.Captured {
		return err
	}
	to := o.State
	switch turn {
	case "opened":
		to = Disputed
	case "won":
		if to = Paid; o.Credited.Minor > 0 {
			to = PartiallyRefunded
		}
	case "lost":
		to = Lost
		shares, err := creditParts(ctx, tx, o, f.Amount)
		if err != nil {
			return err
		}
		if err := s.post(ctx, tx, f.DisputeID+":lost", "dispute_lost", f.Amount, o, ledger.Disputes, s.clearing(p), shares...); err != nil {
			return err
		}
		if o.Credited, err = o.Credited.Add(f.Amount); err != nil {
			return err
		}
		if err := s.reverse(ctx, tx, o, "dispute lost"); err != nil {
			return err
		}
	}
	if o.State == to || !Life.Allows(o.State, to) { // a refunded order is disputed no more
		err = store(ctx, tx, o)
	} else {
		err = s.move(ctx, tx, &o, to)
	}
	if err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "dispute." + turn, Object: o.ID, Detail: map[string]any{"dispute": f.DisputeID, "amount": f.Amount}})
}
