package accounting

import (
	"context"

	"github.com/lib/pq"

	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Desk is where a school takes money for the institute, by an agreement that holds; Holder names its clearing account.
type Desk struct {
	Organisation string         `db:"organisation"`
	Holder       string         `db:"holder"`
	Currency     money.Currency `db:"currency"`
}

// DesksTx lists the desks of some schools that take a currency now.
func DesksTx(ctx context.Context, tx *postgres.Tx, organisations []string, c money.Currency) (all []Desk, err error) {
	err = tx.Select(ctx, &all, q.Q("Desks"), pq.Array(organisations), c, tx.Now())
	return all, err
}
