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
// is. Again it does nothing. Errors: payments.ErrRefundUnknown, payments.ErrNotByHand, payments.ErrPaidBack, an invalid field, those of
// idempotency.
func (s *Service) PaidBack(ctx context.Context, refundID, reference, key string) error {
	if n := utf8.RuneCountInString(reference); n < 1 || n > 100 {
		return fault.InvalidInput(fault.Field{Pointer: "/reference", Code: "bad-length", Detail: "1 to 100 characters."})
	}
	_, err := once(ctx, s, postgres.Actor(ctx), key, "paid back", []string{refundID, reference}, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		r, p, err := refundByHand(ctx, tx, refundID)
		if err != nil {
			return refundID, err
		}
		paid := "by_hand:" + p.Provider + ":" + reference
		if r.State == "succeeded" && r.ProviderRefund == paid {
			return refundID, nil
		}
		if r.State != "requested" || r.Reversal {
			return refundID, payments.ErrNotByHand
		}
		if err := s.applyTx(ctx, tx, givenBack(p, r, paid)); err != nil {
			return refundID, err
		}
		return refundID, audit.AppendTx(ctx, tx, audit.Entry{Action: "refund.paid_back", Object: p.OrderID, Detail: map[string]any{"refund": r.ID, "reference": reference, "amount_minor": r.AmountMinor}})
	})
	return err
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
// ErrNoReversal, payments.ErrTooMuch where some of it is on its way back, payments.ErrRefundReason, those of idempotency.
func (s *Service) AskReversal(ctx context.Context, organisation, receiptID, reason, key string) (refundID string, err error) {
	return once(ctx, s, postgres.Actor(ctx), key, "ask reversal", []string{organisation, receiptID, reason}, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		r, err := payments.ReceiptTx(ctx, tx, receiptID)
		if err == nil && r.Organisation != organisation {
			err = payments.ErrNoReceipt
		}
		if err != nil {
			return "", err
		}
		if r.PaymentID == "" {
			return "", ErrNoReversal
		}
		o, err := one(ctx, tx, "Lock", r.OrderID)
		if err != nil {
			return "", err
		}
		p, err := payments.LockTx(ctx, tx, r.PaymentID)
		if err != nil {
			return "", err
		}
		if p.State != payments.Captured || p.Left() == 0 || o.PaymentID != p.ID {
			return "", ErrNoReversal
		}
		back, err := s.payments.RequestRefundTx(ctx, tx, p, payments.NewRefund{Minor: p.Left(), Reason: reason, Propose: true})
		if err != nil {
			return "", err
		}
		if err := payments.MarkReversalTx(ctx, tx, back.ID); err != nil {
			return "", err
		}
		return back.ID, audit.AppendTx(ctx, tx, audit.Entry{Action: "reversal.asked", Object: o.ID, Detail: map[string]any{"receipt": r.ID, "refund": back.ID, "amount_minor": back.AmountMinor, "reason": reason}})
	})
}

// DecideReversal has another person of a school's desk confirm a reversal, or not. Confirmed, it takes back ledger, enrolment and
// invoice as a refund does. Errors: payments.ErrRefundUnknown, payments.ErrRefundDecided, payments.ErrSecondPerson, those of idempotency.
func (s *Service) DecideReversal(ctx context.Context, organisation, receiptID string, agree bool, key string) error {
	_, err := once(ctx, s, postgres.Actor(ctx), key, "decide reversal", []any{organisation, receiptID, agree}, func(ctx context.Context, tx *postgres.Tx) (refundID string, err error) {
		if err = tx.Get(ctx, &refundID, q.Q("ReversalOf"), organisation, receiptID); err == nil && refundID == "" {
			err = payments.ErrRefundUnknown
		}
		if err != nil {
			return "", err
		}
		_, err = s.decideRefundTx(ctx, tx, refundID, agree)
		return refundID, err
	})
	return err
}
