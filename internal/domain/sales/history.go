package sales

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
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

// mostHappenings are the most that a page shows of what happened to an order.
const mostHappenings = 500

// History tells what happened to an order, the oldest first, as far as the actor may see it, and the key after which the list goes on.
// Errors: ErrNoOrder, page.ErrCursor.
func (s *Service) History(ctx context.Context, id string, r page.Request) (out []Happening, next string, err error) {
	after, err := afterHappening(r.After)
	if err != nil {
		return nil, "", err
	}
	if _, err := s.Order(ctx, id); err != nil {
		return nil, "", err
	}
	err = s.db.View(postgres.WithActor(ctx, "system"), "history of an order", func(ctx context.Context, tx *postgres.Tx) error {
		var rows []struct {
			happened
			Detail   string `db:"detail"`
			Number   int64  `db:"number"`
			Minor    *int64 `db:"minor"`
			Currency string `db:"currency"`
		}
		if err := tx.Select(ctx, &rows, q.Q("History"), id, after.ID, after.At, after.Rank, after.What, r.Limit+1); err != nil {
			return err
		}
		out, next = nil, ""
		if len(rows) > r.Limit {
			rows, next = rows[:r.Limit], rows[r.Limit-1].key()
		}
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
	return out, next, err
}

// happened is the place of a happening among all of its order: many may have happened in one transaction, at one time.
type happened struct {
	At   time.Time `db:"at"`
	Rank int       `db:"rank"`
	What string    `db:"what"`
	ID   string    `db:"id"`
}

func (h happened) key() string {
	return fmt.Sprintf("%s %d %s %s", h.At.UTC().Format(time.RFC3339Nano), h.Rank, h.What, h.ID)
}

// afterHappening reads a key.
func afterHappening(key string) (h happened, err error) {
	if key == "" {
		return h, nil
	}
	parts := strings.Split(key, " ")
	if len(parts) != 4 || parts[3] == "" {
		return h, page.ErrCursor
	}
	h.What, h.ID = parts[2], parts[3]
	at, notTime := time.Parse(time.RFC3339Nano, parts[0])
	rank, notNumber := strconv.Atoi(parts[1])
	if notTime != nil || notNumber != nil || rank < 0 || rank > 9 {
		return h, page.ErrCursor
	}
	h.At, h.Rank = at, rank
	return h, nil
}
