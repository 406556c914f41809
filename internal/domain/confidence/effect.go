package confidence

import (
	"context"
	"time"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

// The arms of the measure of what reminders and calls do.
const (
	ArmBefore   = "before"   // came to be fit, and had their days, before anybody was reminded or called
	ArmSince    = "since"    // came to be fit since then
	ArmReminded = "reminded" // were reminded first then; who had to be by lot was
	ArmHeldOut  = "held_out" // were left alone by lot
	ArmCalled   = "called"   // were called; by the choice of coaches
)

// Arm counts people, and those of them who booked and who sat within the days.
type Arm struct {
	People int64 `db:"people"`
	Booked int64 `db:"booked"`
	Sat    int64 `db:"sat"`
}

// EffectTx counts the arms in sessions, each person for so many days from when she came to be fit, or was first reminded, left out or called. Who has not
// had all of them by the instant is not counted. As of zero: now; known at zero: with everything.
func EffectTx(ctx context.Context, tx *postgres.Tx, sessions []string, days int, asOf, knownAt time.Time) (map[string]Arm, error) {
	if asOf.IsZero() {
		asOf = tx.Now()
	}
	if knownAt.IsZero() {
		knownAt = tx.Now()
	}
	var rows []struct {
		Name string `db:"arm"`
		Arm
	}
	err := tx.Select(ctx, &rows, q.Q("Effect"), pq.Array(sessions), asOf, knownAt, days)
	out := map[string]Arm{}
	for _, r := range rows {
		out[r.Name] = r.Arm
	}
	return out, err
}
