package gradebook

import (
	"context"
	"slices"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// Rebuild derives the stages of a session from all its cells anew, whatever an import thought that it changed, and gives the number of changes
// that this makes: none, unless the exercise map was changed since the last intake, or an import was wrong. Error: catalog.ErrNoSession.
func (s *Service) Rebuild(ctx context.Context, session string) (n int, err error) {
	err = s.db.InTx(postgres.WithOwnPlans(ctx), "rebuild stages", func(ctx context.Context, tx *postgres.Tx) error {
		n, err = rebuildTx(ctx, tx, session)
		return err
	})
	return n, err
}

func rebuildTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (int, error) {
	session, err := catalog.SessionTx(ctx, tx, idOrKey)
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, q.Q("LockSession"), session.ID); err != nil {
		return 0, err
	}
	columns, err := columnsTx(ctx, tx, session.ID)
	if err != nil {
		return 0, err
	}
	exercises, err := catalog.ExercisesTx(ctx, tx, session.ID)
	if err != nil {
		return 0, err
	}
	rules, _ := newRules(columns, exercises, session.ThresholdPPM)
	stages, err := stagesOf(ctx, tx, session.ID, nil)
	if err != nil {
		return 0, err
	}
	cells, err := cellsOf(ctx, tx, session.ID, nil)
	if err != nil {
		return 0, err
	}
	var members []string
	if err := tx.Select(ctx, &members, q.Q("MemberIDs"), session.ID); err != nil {
		return 0, err
	}
	slices.Sort(members)
	var changes []journey.Change
	for _, id := range members {
		changes = append(changes, rules.differences(id, cells[id], stages[id], "rebuild")...)
	}
	return len(changes), journey.RecordTx(ctx, tx, changes)
}
