package gradebook

import (
	"context"
	"slices"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Rebuild derives the stages of a session from all its cells anew, whatever an import thought that it changed, and gives the number of changes
// that this makes: none, unless the exercise map was changed since the last intake, or an import was wrong. Error: catalog.ErrNoSession.
func (s *Service) Rebuild(ctx context.Context, session string) (n int, err error) {
	err = s.db.InTx(postgres.WithOwnPlans(ctx), "rebuild stages", func(ctx context.Context, tx *postgres.Tx) error {
		of, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		_, changes, err := derivedTx(ctx, tx, of)
		if n = len(changes); err != nil {
			return err
		}
		if err := journey.RecordTx(ctx, tx, changes); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "stages.rebuilt", Object: of.ID, Detail: map[string]any{"changes": n}})
	})
	return n, err
}

// derivedTx derives the stages of the learners of a session from all its cells, and gives their number and the changes after which the journey
// says so. No intake of the session is taken in meanwhile.
func derivedTx(ctx context.Context, tx *postgres.Tx, session catalog.Session) (learners int, changes []journey.Change, err error) {
	if _, err := tx.Exec(ctx, q.Q("LockSession"), session.ID); err != nil {
		return 0, nil, err
	}
	columns, err := columnsTx(ctx, tx, session.ID)
	if err != nil {
		return 0, nil, err
	}
	exercises, err := catalog.ExercisesTx(ctx, tx, session.ID)
	if err != nil {
		return 0, nil, err
	}
	said, err := mappingsTx(ctx, tx, session.ID)
	if err != nil {
		return 0, nil, err
	}
	rules, _ := newRules(said.holding().themselves(columns), exercises, session.ThresholdPPM)
	stages, err := stagesOf(ctx, tx, session.ID, nil)
	if err != nil {
		return 0, nil, err
	}
	cells, err := cellsOf(ctx, tx, session.ID, nil)
	if err != nil {
		return 0, nil, err
	}
	var members []string
	if err := tx.Select(ctx, &members, q.Q("MemberIDs"), session.ID); err != nil {
		return 0, nil, err
	}
	slices.Sort(members)
	for _, id := range members {
		changes = append(changes, rules.differences(id, cells[id], stages[id], "rebuild")...)
	}
	return len(members), changes, nil
}
