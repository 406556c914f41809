package payments

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"cursus/internal/books/ledger"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Book is the provider's own record of our payments; nothing without a provider. It reads all of it.
func (s *Service) Book(ctx context.Context) ([]Charge, error) {
	if s.gateway == nil {
		return nil, nil
	}
	return s.gateway.Book(ctx)
}

// Reconcile compares the provider's own book (captures − refunds − lost disputes − the fees that are posted, and what was paid out or moved otherwise) with our clearing account, per
// currency, and each fee with what the provider says, and gives the differences. It reads the provider's whole record.
func (s *Service) Reconcile(ctx context.Context) ([]string, error) {
	if s.gateway == nil {
		return nil, nil
	}
	book, err := s.gateway.Book(ctx)
	if err != nil {
		return nil, err
	}
	read, err := s.feesRead(ctx, true)
	if err != nil {
		return nil, err
	}
	var fees []Fee
	var moved []Movement
	if read.Until != nil {
		if fees, moved, err = s.gateway.Balance(ctx, *read.Since, time.Time{}); err != nil {
			return nil, err
		}
	}
	theirs := map[money.Currency]int64{}
	for _, c := range book {
		theirs[c.Currency] += c.Left()
	}
	var ours []struct {
		Currency money.Currency `db:"currency"`
	}
	var differences []string
	err = s.db.View(postgres.WithActor(ctx, "system"), "reconcile", func(ctx context.Context, tx *postgres.Tx) error {
		ours, differences = nil, nil
		if err := tx.Select(ctx, &ours, q.Q("Currencies")); err != nil {
			return err
		}
		for _, c := range ours {
			theirs[c.Currency] += 0 // a currency that only we know of is compared too
		}
		kept, foreign, feeDifferences, err := s.compareFeesTx(ctx, tx, read, fees)
		if err != nil {
			return err
		}
		gone, moveDifferences, err := s.compareMovementsTx(ctx, tx, read, slices.Concat(moved, foreign))
		if err != nil {
			return err
		}
		differences = slices.Concat(differences, feeDifferences, moveDifferences)
		for c := range kept {
			theirs[c] += 0
		}
		for c := range gone {
			theirs[c] += 0
		}
		for c, minor := range theirs {
			balance, err := ledger.BalanceTx(ctx, tx, ledger.Clearing(s.gateway.Name()), c)
			if err != nil {
				return err
			}
			if minor += gone[c] - kept[c]; balance != minor {
				differences = append(differences, fmt.Sprintf(`{"currency":%q,"provider_minor":%d,"clearing_minor":%d}`, c, minor, balance))
			}
		}
		return nil
	})
	sort.Strings(differences)
	return differences, err
}
