package app

import (
	"context"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// deskOf finds the desk of a school that takes a currency now.
func deskOf(ctx context.Context, tx *postgres.Tx, organisation string, c money.Currency) (sales.DeskOf, bool, error) {
	all, err := accounting.DesksTx(ctx, tx, []string{organisation}, c)
	if err != nil || len(all) == 0 {
		return sales.DeskOf{}, false, err
	}
	return sales.DeskOf{Organisation: all[0].Organisation, Holder: all[0].Holder}, true, nil
}
