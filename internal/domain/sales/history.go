package sales

import (
	"context"
	"time"

	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Happening is one thing that happened to an order: placed, captured, surplus, mismatch, expired, canceled, payment_mismatch,
// invoice, credit_note, proforma, receipt, enrolled, revoked, transferred, refund_requested, refunded, refund_failed, dispute_inquiry,
// dispute_closed, dispute_opened, dispute_won or dispute_lost. Detail is a number, a method, the key of a session, an address, or the name of
// who of staff placed the order; Amount what moved.
type Happening struct {
	At     time.Time     `json:"at"`
	What   string        `json:"what"`
	Detail string        `json:"detail,omitempty"`
	Amount *money.Amount `json:"amount,omitempty"`
}

// History tells what happened to an order, the oldest first, as far as the actor may see it. Errors: ErrNoOrder.
func (s *Service) History(ctx context.Context, id string) (out []Happening, err error) {
	if _, err := s.Order(ctx, id); err != nil {
		return nil, err
	}
	err = s.db.View(postgres.WithActor(ctx, "system"), "history of an order", func(ctx context.Context, tx *postgres.Tx) error {
		var rows []struct {
			At       time.Time `db:"at"`
			What     string    `db:"what"`
			Detail   string    `db:"detail"`
			Number   int64     `db:"number"`
			Minor    *int64    `db:"minor"`
			Currency string    `db:"currency"`
		}
		if err := tx.Select(ctx, &rows, q.Q("History"), id); err != nil {
			return err
		}
		out = nil
		for _, r := range rows {
			h := Happening{At: r.At, What: r.What, Detail: r.Detail}
			if r.Number > 0 {
				h.Detail = invoicing.NumberOf(r.Detail, r.Number)
			}
			if r.Minor != nil {
				a := money.Of(*r.Minor, money.Currency(r.Currency))
				h.Amount = &a
			}
			out = append(out, h)
		}
		return nil
	})
	return out, err
}
