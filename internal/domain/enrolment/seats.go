package enrolment

import (
	"context"

	"cursus/internal/platform/postgres"
)

// SeatsTx counts the seats of a session that are taken: enrolments that nobody has left and no refund took back. Who sells the next
// one adds the orders that wait for their payment, holding the session (catalog.LockSessionTx).
func SeatsTx(ctx context.Context, tx *postgres.Tx, sessionID string) (int, error) {
	var n int
	err := tx.Get(ctx, &n, q.Q("Seats"), sessionID)
	return n, err
}
