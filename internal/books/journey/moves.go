package journey

import (
	"context"
	"time"

	"cursus/internal/platform/postgres"
)

// Move counts enrolments by what held of them at one instant and at a later one. Been: they had been enrolled by the first.
type Move struct {
	Before, After State
	Been          bool
	N             int64
}

// MovesTx compares a session at two instants, with what had been recorded by a third (zero: everything).
func MovesTx(ctx context.Context, tx *postgres.Tx, sessionID string, from, to, knownAt time.Time) ([]Move, error) {
	var rows []struct {
		Before int   `db:"before"`
		After  int   `db:"after"`
		Been   bool  `db:"been"`
		N      int64 `db:"learners"`
	}
	err := tx.Select(ctx, &rows, q.Q("Moves"), sessionID, from, orEnd(to), orEnd(knownAt))
	all := make([]Move, len(rows))
	for i, r := range rows {
		all[i] = Move{State(r.Before), State(r.After), r.Been, r.N}
	}
	return all, err
}
