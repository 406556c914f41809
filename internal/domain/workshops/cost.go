package workshops

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// payable is what is owed for workshops: to the school that lends the room, to those who teach in it.
const payable = "payable:workshop"

type costing struct {
	Number     int            `db:"number"`
	TotalMinor int64          `db:"total_minor"`
	Currency   money.Currency `db:"currency"`
	Enrolments pq.StringArray `db:"enrolments"`
	Shares     pq.Int64Array  `db:"shares"`
}

// Split is how the cost of a day falls on enrolments: on those who were present, or, where nobody came, on those who had a seat. The day's
// own cost and the cost per head, of those present, are added and divided into equal parts by largest remainder.
func Split(cost money.Amount, perHeadMinor int64, present, registered []string) (carriers []string, shares []money.Amount, err error) {
	carriers = present
	total := money.Of(cost.Minor+perHeadMinor*int64(len(present)), cost.Currency)
	if len(carriers) == 0 {
		carriers = registered
	}
	if len(carriers) == 0 {
		if total.IsZero() {
			return nil, nil, nil
		}
		return nil, nil, ErrNobody
	}
	carriers = slices.Clone(carriers)
	slices.Sort(carriers)
	shares, err = total.Allocate(make([]int64, len(carriers)))
	return carriers, shares, err
}

// recostTx brings the ledger to what a held day costs now: nothing happens when that is posted already; otherwise the last posting is taken
// back by one of its own and the cost is posted anew. The day is held by the caller's transaction.
func recostTx(ctx context.Context, tx *postgres.Tx, d Day) error {
	sheet, err := SheetTx(ctx, tx, d.ID)
	if err != nil {
		return err
	}
	var present, registered []string
	for _, seat := range sheet {
		registered = append(registered, seat.EnrolmentID)
		if seat.Status == Present {
			present = append(present, seat.EnrolmentID)
		}
	}
	carriers, parts, err := Split(d.Cost(), d.PerHeadMinor, present, registered)
	if err != nil {
		return err
	}
	next := costing{Number: 1, Currency: d.Currency, Enrolments: carriers, Shares: pq.Int64Array{}}
	for _, p := range parts {
		next.TotalMinor += p.Minor
		next.Shares = append(next.Shares, p.Minor)
	}
	var last costing
	switch err := tx.Get(ctx, &last, q.Q("LastCosting"), d.ID); {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	case last.Currency == next.Currency && slices.Equal(last.Enrolments, next.Enrolments) && slices.Equal(last.Shares, next.Shares):
		return nil
	default:
		next.Number = last.Number + 1
		if err := post(ctx, tx, d, last, true); err != nil {
			return err
		}
	}
	if next.Enrolments == nil {
		next.Enrolments = pq.StringArray{}
	}
	if _, err := tx.Exec(ctx, q.Q("AddCosting"), d.ID, next.Number, next.TotalMinor, next.Currency, next.Enrolments, next.Shares, postgres.Actor(ctx), tx.Now()); err != nil {
		return err
	}
	if err := post(ctx, tx, d, next, false); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "workshop_day.costed", Object: d.ID, Detail: map[string]any{"number": next.Number, "total": money.Of(next.TotalMinor, next.Currency), "enrolments": len(next.Enrolments)}})
}

func post(ctx context.Context, tx *postgres.Tx, d Day, c costing, back bool) error {
	if c.TotalMinor == 0 {
		return nil
	}
	p := ledger.Posting{Reference: fmt.Sprintf("%s:cost:%d", d.ID, c.Number), Kind: "workshop_cost", Currency: c.Currency, OccurredAt: tx.Now()}
	sign := int64(1)
	if back {
		p.Reference, p.Kind, sign = p.Reference+":back", "workshop_cost_back", -1
	}
	for i, id := range c.Enrolments {
		if c.Shares[i] == 0 {
			continue
		}
		p.Entries = append(p.Entries,
			ledger.Entry{Account: ledger.WorkshopCost, Minor: sign * c.Shares[i], EnrolmentID: id},
			ledger.Entry{Account: payable, Minor: -sign * c.Shares[i], EnrolmentID: id})
	}
	return ledger.PostTx(ctx, tx, p)
}
