package sales

import (
	"context"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/payments"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

var turns = map[payments.FactKind]string{
	payments.FactInquiry: "inquiry", payments.FactInquiryClosed: "closed",
	payments.FactDisputeOpened: "opened", payments.FactDisputeWon: "won", payments.FactDisputeLost: "lost",
}

// disputed follows a dispute: a question of the bank is noted and moves nothing; while it is open the order says so, won puts it back, lost
// takes back what it opened.
func (s *Service) disputed(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if !p.State.Paid() {
		return payments.ErrUnknownPayment.Detailf("The dispute came before its capture.")
	}
	turn := turns[f.Kind]
	fresh, err := payments.DisputeTx(ctx, tx, p, f, turn)
	if err != nil || !fresh {
		return err
	}
	if turn == "lost" { // what the buyer was owed, she has now; what she had already otherwise, she owes us
		left, err := o.unspent(ctx, tx)
		if err != nil {
			return err
		}
		if p.State != payments.Captured {
			if left, err = payments.UnowedTx(ctx, tx, p); err != nil {
				return err
			}
		}
		owed, err := payments.SettleOwedTx(ctx, tx, p, f.Amount.Minor)
		if err != nil {
			return err
		}
		excess := max(0, f.Amount.Minor-owed-max(0, left))
		if err := s.payOwed(ctx, tx, o, p, f.DisputeID, owed, excess); err != nil {
			return err
		}
		f.Amount.Minor -= owed + excess
	}
	if debit, ours := surplusAccounts[p.State]; ours {
		if turn == "lost" && !f.Amount.IsZero() {
			err = s.post(ctx, tx, f.DisputeID+":lost", "dispute_lost", f.Amount, o, debit, s.clearing(p))
		}
		return err
	}
	to := o.State
	switch turn {
	case "opened":
		to = Disputed
	case "won":
		var another bool // instalments have a payment each, and each can be disputed
		if err := tx.Get(ctx, &another, q.Q("AtTheBank"), o.ID); err != nil {
			return err
		}
		switch {
		case another:
		case o.Credited.Minor > 0:
			to = PartiallyRefunded
		default:
			to = Paid
		}
	case "lost":
		to = Lost
		if !f.Amount.IsZero() { // otherwise it had been given back before, on paper
			shares, _, err := creditParts(ctx, tx, o, f.Amount, "")
			if err != nil {
				return err
			}
			if err := s.post(ctx, tx, f.DisputeID+":lost", "dispute_lost", f.Amount, o, ledger.Disputes, s.clearing(p), shares...); err != nil {
				return err
			}
			if o.Credited, err = o.Credited.Add(f.Amount); err != nil {
				return err
			}
		}
		if err := s.endPlan(ctx, tx, &o, "the bank gave an instalment back"); err != nil {
			return err
		}
		if err := s.reverse(ctx, tx, o, "dispute lost"); err != nil {
			return err
		}
	}
	if o.State == to || !Life.Allows(o.State, to) { // a refunded order is disputed no more
		err = store(ctx, tx, o)
	} else {
		was := o.State
		if err = s.move(ctx, tx, &o, to); err == nil && (was == Disputed || to == Disputed) {
			err = s.jobs.EnqueueTx(ctx, tx, OrderContested{o.ID})
		}
	}
	if err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "dispute." + turn, Object: o.ID, Detail: map[string]any{"dispute": f.DisputeID, "amount": f.Amount}})
}
