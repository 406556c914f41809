package sales

import (
	"context"
	"unicode/utf8"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ErrNoReversal answers a receipt of a desk that cannot be reversed: it is another desk's, or its order is not paid any more.
var ErrNoReversal = fault.New(fault.Conflict, "not-reversible", "This receipt cannot be reversed: nothing that it paid stands.")

// PaidBack says that a refund of money that came by hand was paid back by the same way, under a reference: it is booked as any refund
// is. Again it does nothing. Errors: payments.ErrRefundUnknown, payments.ErrNotByHand, payments.ErrPaidBack, an invalid field.
func (s *Service) PaidBack(ctx context.Context, refundID, reference string) error {
	if n := utf8.RuneCountInString(reference); n < 1 || n > 100 {
		return fault.InvalidInput(fault.Field{Pointer: "/reference", Code: "bad-length", Detail: "1 to 100 characters."})
	}
	return s.db.InTx(ctx, "paid back", func(ctx context.Context, tx *postgres.Tx) error {
		r, p, err := refundByHand(ctx, tx, refundID)
		if err != nil {
			return err
		}
		paid := "by_hand:" + p.Provider + ":" + reference
		if r.State == "succeeded" && r.ProviderRefund == paid {
			return nil
		}
		if r.State != "requested" || r.Reversal {
			return payments.ErrNotByHand
		}
		if err := s.applyTx(ctx, tx, givenBack(p, r, paid)); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "refund.paid_back", Object: p.OrderID, Detail: map[string]any{"refund": r.ID, "reference": reference, "amount_minor": r.AmountMinor}})
	})
}

// givenBack is the fact that a refund reached the buyer.
func givenBack(p payments.Payment, r payments.Refund, reference string) payments.Fact {
	return payments.Fact{
		Kind: payments.FactRefunded, PaymentID: p.ID, RefundID: r.ID, ProviderRefund: reference, Amount: money.Of(r.AmountMinor, money.Currency(p.CapturedCurrency)),
	}
}

// refundByHand finds a refund of money that came by hand, with its payment, and holds its order and them.
func refundByHand(ctx context.Context, tx *postgres.Tx, refundID string) (r payments.Refund, p payments.Payment, err error) {
	if r, err = payments.RefundTx(ctx, tx, refundID); err != nil {
		return r, p, err
	}
	if p, err = payments.OneTx(ctx, tx, r.PaymentID); err != nil {
		return r, p, err
	}
	if !p.ByHand {
		return r, p, payments.ErrNotByHand
	}
	if _, err = one(ctx, tx, "Lock", p.OrderID); err != nil { // the order before its payment, as everywhere
		return r, p, err
	}
	if p, err = payments.LockTx(ctx, tx, p.ID); err != nil {
		return r, p, err
	}
	r, err = payments.RefundTx(ctx, tx, refundID)
	return r, p, err
}

// AskReversal asks that a receipt of a school's desk be reversed: another person has to confirm. Errors: payments.ErrNoReceipt,
// ErrNoReversal, payments.ErrTooMuch where some of it is on its way back, payments.ErrRefundReason.
func (s *Service) AskReversal(ctx context.Context, organisation, receiptID, reason string) (refundID string, err error) {
	err = s.db.InTx(ctx, "ask reversal", func(ctx context.Context, tx *postgres.Tx) error {
		r, err := payments.ReceiptTx(ctx, tx, receiptID)
		if err == nil && r.Organisation != organisation {
			err = payments.ErrNoReceipt
		}
		if err != nil {
			return err
		}
		if r.PaymentID == "" {
			return ErrNoReversal
		}
		o, err := one(ctx, tx, "Lock", r.OrderID)
		if err != nil {
			return err
		}
		p, err := payments.LockTx(ctx, tx, r.PaymentID)
		if err != nil {
			return err
		}
		if p.State != payments.Captured || p.Left() == 0 || o.PaymentID != p.ID {
			return ErrNoReversal
		}
		back, err := s.payments.RequestRefundTx(ctx, tx, p, payments.NewRefund{Minor: p.Left(), Reason: reason, Propose: true})
		if err != nil {
			return err
		}
		refundID = back.ID
		if err := payments.MarkReversalTx(ctx, tx, back.ID); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "reversal.asked", Object: o.ID, Detail: map[string]any{"receipt": r.ID, "refund": back.ID, "amount_minor": back.AmountMinor, "reason": reason}})
	})
	return refundID, err
}

// DecideReversal has another person of a school's desk confirm a reversal, or not. Confirmed, it takes back ledger, enrolment and
// invoice as a refund does. Errors: payments.ErrNoReceipt, payments.ErrRefundUnknown, payments.ErrRefundDecided, payments.ErrSecondPerson.
func (s *Service) DecideReversal(ctx context.Context, organisation, receiptID string, agree bool) error {
	var refundID string
	err := s.db.View(ctx, "reversal", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &refundID, q.Q("ReversalOf"), organisation, receiptID)
	})
	if err != nil {
		return err
	}
	if refundID == "" {
		return payments.ErrRefundUnknown
	}
	_, err = s.DecideRefund(ctx, refundID, agree)
	return err
}
