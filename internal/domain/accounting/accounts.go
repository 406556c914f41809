package accounting

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// BalancesTx lists the accounts with their balances per currency as of an instant: what had occurred by then.
func BalancesTx(ctx context.Context, tx *postgres.Tx, asOf time.Time) (rows []Row, err error) {
	rows = []Row{}
	err = tx.Select(ctx, &rows, q.Q("Balances"), asOf)
	return rows, err
}

// Filter says which entries of an account are listed; what is empty does not limit.
type Filter struct {
	Account  string
	Currency string
	From     *time.Time
	Until    *time.Time
}

// EntriesTx lists the entries of an account, the newest first, and the key after which the list goes on.
func EntriesTx(ctx context.Context, tx *postgres.Tx, f Filter, p page.Request) (rows []Entry, next string, err error) {
	var before *int64
	if p.After != "" {
		id, err := strconv.ParseInt(p.After, 10, 64)
		if err != nil {
			return nil, "", page.ErrCursor
		}
		before = &id
	}
	rows = []Entry{}
	if err := tx.Select(ctx, &rows, q.Q("Entries"), f.Account, f.Currency, f.From, f.Until, before, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(rows) == 0 && before == nil {
		var known bool
		if err := tx.Get(ctx, &known, q.Q("Known"), f.Account); err != nil || !known {
			return nil, "", cmp.Or[error](err, ErrAccount)
		}
	}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		next = fmt.Sprint(rows[p.Limit-1].ID)
	}
	return rows, next, nil
}

// OrderStatement is everything that the ledger says of an order, in its order, and what each account holds of it.
type OrderStatement struct {
	OrderID  string  `json:"order"`
	Entries  []Entry `json:"entries"`
	Balances []Row   `json:"balances"`
}

// OrderTx gives the statement of an order. Error: no such order.
func OrderTx(ctx context.Context, tx *postgres.Tx, orderID string) (s OrderStatement, err error) {
	s = OrderStatement{OrderID: orderID, Entries: []Entry{}, Balances: []Row{}}
	var known bool
	if err := tx.Get(ctx, &known, q.Q("OrderKnown"), orderID); err != nil || !known {
		return s, cmp.Or[error](err, ErrNoOrderOfThis)
	}
	if err := tx.Select(ctx, &s.Entries, q.Q("OfOrder"), orderID); err != nil {
		return s, err
	}
	err = tx.Select(ctx, &s.Balances, q.Q("BalancesOfOrder"), orderID)
	return s, err
}
