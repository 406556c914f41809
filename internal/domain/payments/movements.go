package payments

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// foreignMovements are what payments of other systems did to the balance: what the provider holds and pays out is theirs too.
func foreignMovements(fees []Fee, payers map[int]payer) (all []Movement) {
	for i, f := range fees {
		if _, ours := payers[i]; !ours {
			all = append(all, Movement{ID: f.ID, Kind: MovedOther, Currency: f.Amount.Currency, Minor: f.Moved, Fee: f.Amount.Minor, At: f.At})
		}
	}
	return all
}

func (s *Service) postMovements(ctx context.Context, all []Movement) (posted int, err error) {
	err = s.db.InTx(ctx, "movements", func(ctx context.Context, tx *postgres.Tx) error {
		posted, err = s.postMovementsTx(ctx, tx, all)
		return err
	})
	return posted, err
}

// postMovementsTx posts what moved the balance of the provider without a payment of ours, and is not posted yet.
func (s *Service) postMovementsTx(ctx context.Context, tx *postgres.Tx, all []Movement) (int, error) {
	var ids, kinds, currencies, at []string
	var minors, fees []int64
	for _, m := range all {
		if m.Minor == 0 && m.Fee == 0 {
			continue
		}
		ids, kinds, currencies = append(ids, m.ID), append(kinds, string(m.Kind)), append(currencies, string(m.Currency))
		minors, fees, at = append(minors, m.Minor), append(fees, m.Fee), append(at, m.At.Format(time.RFC3339Nano))
	}
	if len(ids) == 0 {
		return 0, nil
	}
	var fresh []string
	if err := tx.Select(ctx, &fresh, q.Q("AddMovements"), s.gateway.Name(), pq.Array(ids), pq.Array(kinds), pq.Array(minors), pq.Array(fees), pq.Array(currencies), pq.Array(at), tx.Now()); err != nil || len(fresh) == 0 {
		return 0, err
	}
	isFresh := map[string]bool{}
	for _, id := range fresh {
		isFresh[id] = true
	}
	var postings []ledger.Posting
	for _, m := range all {
		if p := s.movementPosting(m); isFresh[m.ID] && len(p.Entries) > 1 {
			postings = append(postings, p)
		}
	}
	if err := ledger.PostTx(ctx, tx, postings...); err != nil {
		return 0, err
	}
	return len(fresh), audit.AppendTx(ctx, tx, audit.Entry{Action: "movements.posted", Object: s.gateway.Name(), Detail: map[string]any{"movements": len(fresh)}})
}

// movementPosting is a movement on the account of what the provider holds for us: against the bank where it paid out, which changes no result; against
// others, whose money it is; and against costs, of no order and no enrolment, where the provider took something of the account itself.
func (s *Service) movementPosting(m Movement) ledger.Posting {
	p := ledger.Posting{Reference: "moved:" + m.ID, Kind: "moved_" + string(m.Kind), Currency: m.Currency, OccurredAt: m.At}
	against, cost := -m.Minor, m.Fee
	account := ledger.Others(s.gateway.Name())
	switch m.Kind {
	case MovedOut:
		account = ledger.Clearing(Bank)
	case MovedFee:
		against, cost = 0, m.Fee-m.Minor
	default:
		against, cost = -m.Net(), 0 // what others pay for is no cost of ours
	}
	for _, e := range []ledger.Entry{{Account: ledger.Clearing(s.gateway.Name()), Minor: m.Net()}, {Account: account, Minor: against}, {Account: ledger.AccountFee(s.gateway.Name()), Minor: cost}} {
		if e.Minor != 0 {
			p.Entries = append(p.Entries, e)
		}
	}
	return p
}

// compareMovementsTx compares each movement that is posted with what the provider says, and finds those that should be and are not. It gives by
// how much the balance changed by the posted ones, as the provider says, per currency.
func (s *Service) compareMovementsTx(ctx context.Context, tx *postgres.Tx, read feesRead, all []Movement) (moved map[money.Currency]int64, differences []string, err error) {
	var posted []struct {
		ID       string         `db:"id"`
		Net      int64          `db:"net"`
		Currency money.Currency `db:"currency"`
	}
	if err := tx.Select(ctx, &posted, q.Q("Movements"), s.gateway.Name()); err != nil {
		return nil, nil, err
	}
	theirs, known := map[string]Movement{}, map[string]bool{}
	for _, m := range all {
		theirs[m.ID] = m
	}
	moved = map[money.Currency]int64{}
	for _, p := range posted {
		known[p.ID] = true
		m := theirs[p.ID]
		if m.Net() != p.Net || m.Currency != p.Currency {
			differences = append(differences, fmt.Sprintf(`{"movement":%q,"provider_minor":%d,"posted_minor":%d}`, p.ID, m.Net(), p.Net))
		}
		moved[m.Currency] += m.Net()
	}
	delete(moved, "") // the provider does not know it
	for _, m := range all {
		if !known[m.ID] && m.Net() != 0 && m.At.Before(*read.Until) {
			differences = append(differences, fmt.Sprintf(`{"movement":%q,"provider_minor":%d,"posted_minor":0}`, m.ID, m.Net()))
		}
	}
	return moved, differences, nil
}
