package catalog

import (
	"context"
	"time"

	"cursus/internal/platform/postgres"
)

// SessionSheet is a session as staff see it: what it says, its exercises, and who moved it.
type SessionSheet struct {
	ID string `json:"id"`
	NewSession
	State      State      `json:"state"`
	Level      string     `json:"level,omitempty"`
	Version    int        `json:"version"`
	CopiedFrom string     `json:"copied_from,omitempty"`
	GradedAt   *time.Time `json:"graded_at,omitempty"`
	Exercises  []Exercise `json:"exercises"`
	Moves      []Move     `json:"moves"`
}

// Sheet gives what staff see of a session at an instant, without exercises and moves.
func (s Session) Sheet(now time.Time) SessionSheet {
	x := SessionSheet{ID: s.ID, NewSession: s.Says(), State: s.StateAt(now), Level: s.Level, Version: s.Version, CopiedFrom: s.CopiedFrom, GradedAt: s.GradedAt,
		Exercises: []Exercise{}, Moves: []Move{}}
	for _, t := range []**time.Time{&x.StartsAt, &x.EndsAt, &x.EnrolFrom, &x.EnrolUntil, &x.GradedAt} {
		if *t != nil {
			u := (*t).UTC()
			*t = &u
		}
	}
	return x
}

// SessionSheetTx gives the whole sheet of a session by id or key.
func SessionSheetTx(ctx context.Context, tx *postgres.Tx, idOrKey string) (SessionSheet, error) {
	s, err := SessionTx(ctx, tx, idOrKey)
	if err != nil {
		return SessionSheet{}, err
	}
	x := s.Sheet(tx.Now())
	exercises, err := ExercisesTx(ctx, tx, s.ID)
	if err != nil {
		return x, err
	}
	x.Exercises = append(x.Exercises, exercises...)
	x.Moves, err = MovesTx(ctx, tx, "session", s.ID)
	for i := range x.Moves {
		x.Moves[i].At = x.Moves[i].At.UTC()
	}
	return x, err
}
