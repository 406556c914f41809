package journey

import (
	"context"
	"time"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

// MaxSets is how many sessions SetsTx can be asked for at once.
const MaxSets = 62

// Sets counts learners by the set of sessions in which a stage holds of them: bit i of the key is the i-th session. Who is in none is not
// counted, so every count of an intersection or a union is a sum of these.
type Sets map[uint64]int64

// In counts the learners who are in all sessions of a mask, whatever else they are in.
func (s Sets) In(mask uint64) (n int64) {
	for sets, learners := range s {
		if sets&mask == mask {
			n += learners
		}
	}
	return n
}

// SetsTx answers for at most MaxSets sessions, each named once. The basis current counts who has not left; ever whoever had the stage.
func SetsTx(ctx context.Context, tx *postgres.Tx, sessions []string, stage Stage, basis string, asOf, knownAt time.Time) (Sets, error) {
	of := mask(stage)
	if basis != "ever" {
		of |= mask(Enrolled)
	}
	var rows []struct {
		Sets     int64 `db:"sets"`
		Learners int64 `db:"learners"`
	}
	args := []any{pq.Array(sessions), of, basis == "ever"}
	statement := "SetsNow"
	if !asOf.IsZero() || !knownAt.IsZero() {
		statement, args = "SetsAsOf", append(args, orEnd(asOf), orEnd(knownAt))
	}
	err := tx.Select(ctx, &rows, q.Q(statement), args...)
	out := Sets{}
	for _, r := range rows {
		out[uint64(r.Sets)] = r.Learners //nolint:gosec // 62 bits at most
	}
	return out, err
}
