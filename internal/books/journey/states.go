package journey

import (
	"context"
	"time"

	"cursus/internal/platform/postgres"
)

// State is the set of stages that hold of an enrolment.
type State int

// Has says whether a stage holds.
func (s State) Has(stage Stage) bool { return int(s)&mask(stage) != 0 }

// With gives the state with a stage set or cleared.
func (s State) With(stage Stage, holds bool) State {
	if holds {
		return s | State(mask(stage))
	}
	return s &^ State(mask(stage))
}

// StatesTx gives what held of each enrolment of a session at an instant, with everything that is recorded now.
func StatesTx(ctx context.Context, tx *postgres.Tx, sessionID string, at time.Time) (map[string]State, error) {
	var rows []struct {
		EnrolmentID string `db:"enrolment_id"`
		Reached     int    `db:"reached"`
	}
	if err := tx.Select(ctx, &rows, q.Q("StatesAsOf"), sessionID, at); err != nil {
		return nil, err
	}
	states := make(map[string]State, len(rows))
	for _, r := range rows {
		states[r.EnrolmentID] = State(r.Reached)
	}
	return states, nil
}
