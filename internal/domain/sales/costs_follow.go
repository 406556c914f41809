package sales

import (
	"cmp"
	"context"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// move is what of the money of an order goes from one enrolment to another (empty: to or from nobody yet).
type move struct {
	from, to string
	minor    int64
}

// movePostings are the postings by which money of an order goes from enrolments to others, and with it, in proportion, what of the sale was kept by a
// provider or is a partner's: these come with the money, and a learner who brings it costs them. What she used herself (labs, workshop days) stays hers.
// There is one for each currency: a provider may keep its fee in another one.
func movePostings(ctx context.Context, tx *postgres.Tx, o Order, reference, kind string, moves []move) ([]ledger.Posting, error) {
	moves = slices.DeleteFunc(moves, func(m move) bool { return m.minor == 0 })
	if len(moves) == 0 {
		return nil, nil
	}
	if err := ledger.HoldKeptTx(ctx, tx, o.ID); err != nil {
		return nil, err
	}
	postings := []ledger.Posting{{Reference: reference, Kind: kind, Currency: o.Total.Currency, OccurredAt: tx.Now()}}
	goes := func(c money.Currency, account string, minor int64, m move) {
		i := slices.IndexFunc(postings, func(p ledger.Posting) bool { return p.Currency == c })
		if i < 0 {
			i = len(postings)
			postings = append(postings, ledger.Posting{Reference: reference + ":" + string(c), Kind: kind, Currency: c, OccurredAt: tx.Now()})
		}
		postings[i].Entries = append(postings[i].Entries, ledger.Entry{Account: account, Minor: -minor, OrderID: o.ID, EnrolmentID: m.from},
			ledger.Entry{Account: account, Minor: minor, OrderID: o.ID, EnrolmentID: m.to})
	}
	of, sources := map[string][]move{}, []string{}
	for _, m := range moves {
		of[m.from], sources = append(of[m.from], m), append(sources, m.from)
		goes(o.Total.Currency, ledger.Revenue, -m.minor, m)
	}
	var rows []struct {
		EnrolmentID string         `db:"enrolment_id"`
		Account     string         `db:"account"`
		Currency    money.Currency `db:"currency"`
		Minor       int64          `db:"minor"`
		Sold        int64          `db:"sold"`
	}
	if err := tx.Select(ctx, &rows, q.Q("KeptOfSale"), o.ID, pq.Array(sources)); err != nil {
		return nil, err
	}
	for _, r := range rows {
		going, weights, rest := of[r.EnrolmentID], []int64{}, r.Sold
		for _, m := range going {
			weights, rest = append(weights, m.minor), rest-m.minor
		}
		sign := int64(cmp.Compare(r.Minor, 0))
		parts, err := money.Of(sign*r.Minor, r.Currency).Allocate(append(weights, max(rest, 0)))
		if err != nil {
			return nil, err
		}
		for i, m := range going {
			if kept := sign * parts[i].Minor; kept != 0 {
				goes(r.Currency, r.Account, kept, m)
			}
		}
	}
	return postings, nil
}
