package sales

import (
	"context"
	"unicode/utf8"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// SayRepaid says that what a refund that came back left owed was paid to its buyer otherwise, by a transfer under a reference. Another
// person has to agree before it is booked: nobody else but they see that money go. Errors: payments.ErrRefundUnknown,
// payments.ErrNothingOwed, payments.ErrRepaymentSaid, payments.ErrRepaidBefore, an invalid field, those of idempotency.
func (s *Service) SayRepaid(ctx context.Context, refundID, reference, key string) (o Order, err error) {
	if n := utf8.RuneCountInString(reference); n < 1 || n > 100 {
		return o, fault.InvalidInput(fault.Field{Pointer: "/reference", Code: "bad-length", Detail: "1 to 100 characters."})
	}
	id, err := once(ctx, s, postgres.Actor(ctx), key, "say repaid", []string{refundID, reference}, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		o, _, err := lockRefund(ctx, tx, refundID)
		if err != nil {
			return "", err
		}
		r, err := payments.SayRepaidTx(ctx, tx, refundID, reference)
		if err != nil {
			return "", err
		}
		return o.ID, audit.AppendTx(ctx, tx, audit.Entry{Action: "repayment.said", Object: o.ID, Detail: map[string]any{"refund": r.ID, "reference": reference, "amount_minor": r.OwedMinor}})
	})
	if err != nil {
		return o, err
	}
	return s.Order(ctx, id)
}

// DecideRepaid has another person agree that what was owed was paid otherwise, or not. Agreed, it leaves the bank's account in the
// ledger and is owed no more. Errors: payments.ErrRefundUnknown, payments.ErrRefundDecided, payments.ErrSecondPerson,
// payments.ErrNothingOwed and those of idempotency. Once per key of who decides; again it gives the order as it stands then.
func (s *Service) DecideRepaid(ctx context.Context, refundID string, agree bool, key string) (Order, error) {
	id, err := once(ctx, s, postgres.Actor(ctx), key, "decide repayment", []any{refundID, agree}, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		o, err := s.decideRepaidTx(ctx, tx, refundID, agree)
		return o.ID, err
	})
	if err != nil {
		return Order{}, err
	}
	return s.Order(ctx, id)
}

func (s *Service) decideRepaidTx(ctx context.Context, tx *postgres.Tx, refundID string, agree bool) (o Order, err error) {
	o, p, err := lockRefund(ctx, tx, refundID)
	if err != nil {
		return o, err
	}
	r, minor, err := payments.DecideRepaidTx(ctx, tx, refundID, agree)
	if err != nil {
		return o, err
	}
	if agree {
		if err := s.post(ctx, tx, r.ID+":repaid", "repaid", money.Of(minor, money.Currency(p.CapturedCurrency)), o, returning, ledger.Clearing(payments.Bank)); err != nil {
			return o, err
		}
	}
	action := map[bool]string{false: "repayment.refused", true: "repayment.agreed"}[agree]
	return o, audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: o.ID, Detail: map[string]any{"refund": r.ID, "reference": r.RepaidAs, "amount_minor": minor}})
}

// lockRefund finds the order and the payment of a refund and holds them, the order first, as everywhere.
func lockRefund(ctx context.Context, tx *postgres.Tx, refundID string) (o Order, p payments.Payment, err error) {
	r, err := payments.RefundTx(ctx, tx, refundID)
	if err != nil {
		return o, p, err
	}
	if p, err = payments.OneTx(ctx, tx, r.PaymentID); err != nil {
		return o, p, err
	}
	if o, err = one(ctx, tx, "Lock", p.OrderID); err != nil {
		return o, p, err
	}
	p, err = payments.LockTx(ctx, tx, p.ID)
	return o, p, err
}
