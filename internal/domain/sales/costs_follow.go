package sales

import (
	"cmp"
	"context"

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

// movePosting is a posting by which money of an order goes from enrolments to others, and with it, in proportion, what of the sale was kept by a
// provider or is a partner's: these come with the money, and a learner who brings it costs them. What she used herself (labs, workshop days) stays hers.
func movePosting(ctx context.Context, tx *postgres.Tx, o Order, reference, kind string, moves []move) (p ledger.Posting, err error) {
	p = ledger.Posting{Reference: reference, Kind: kind, Currency: o.Total.Currency, OccurredAt: tx.Now()}
	var sources []string
	of := map[string][]move{}
	for _, m := range moves {
		if m.minor == 0 {
			continue
		}
		if of[m.from] == nil {
			sources = append(sources, m.from)
		}
		of[m.from] = append(of[m.from], m)
		p.Entries = append(p.Entries, ledger.Entry{Account: ledger.Revenue, Minor: m.minor, OrderID: o.ID, EnrolmentID: m.from},
			ledger.Entry{Account: ledger.Revenue, Minor: -m.minor, OrderID: o.ID, EnrolmentID: m.to})
	}
	if len(sources) == 0 {
		return p, nil
	}
	var rows []struct {
		EnrolmentID string `db:"enrolment_id"`
		Account     string `db:"account"`
		Minor       int64  `db:"minor"`
		Sold        int64  `db:"sold"`
	}
	if err := tx.Select(ctx, &rows, q.Q("KeptOfSale"), o.ID, o.Total.Currency, pq.Array(sources)); err != nil {
		return p, err
	}
	for _, r := range rows {
		going, rest := of[r.EnrolmentID], r.Sold
		var weights []int64
		for _, m := range going {
			weights, rest = append(weights, m.minor), rest-m.minor
		}
		if rest < 0 { // more goes than was sold there: nothing to go by
			continue
		}
		sign := int64(cmp.Compare(r.Minor, 0))
		parts, err := money.Of(sign*r.Minor, o.Total.Currency).Allocate(append(weights, rest))
		if err != nil {
			return p, err
		}
		for i, m := range going {
			if kept := sign * parts[i].Minor; kept != 0 {
				p.Entries = append(p.Entries, ledger.Entry{Account: r.Account, Minor: -kept, OrderID: o.ID, EnrolmentID: m.from},
					ledger.Entry{Account: r.Account, Minor: kept, OrderID: o.ID, EnrolmentID: m.to})
			}
		}
	}
	return p, nil
}
