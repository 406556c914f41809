package progress

import (
	"context"
	"encoding/json"
	"io"

	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Board is a group as its page shows it, of one moment. Shared and Members say how many of all its members agree to be seen by name.
type Board struct {
	Group    Group
	Learners []Learner
	Next     string // the key after which the learners go on
	Counts   Counts
	Members  int
	Shared   int
	Weeks    []Week // of which there is a digest, the newest first
	Reads    bool   // who looks gets the digest by mail
}

// Board shows a group to who may follow it. Errors: those of Learners.
func (s *Service) Board(ctx context.Context, personID, groupID string, f Filter, p page.Request) (b Board, err error) {
	if err := f.check(); err != nil {
		return b, err
	}
	err = s.db.View(asSystem(ctx), "board of a group", func(ctx context.Context, tx *postgres.Tx) error {
		g, staff, err := openTx(ctx, tx, personID, groupID)
		if err != nil {
			return err
		}
		b = Board{Group: g}
		sessions, members, err := allTx(ctx, tx, g)
		if err != nil {
			return err
		}
		for _, m := range members {
			if b.Members++; m.Shared {
				b.Shared++
			}
		}
		if b.Counts, err = countsTx(ctx, tx, g, sessions, members, !staff); err != nil {
			return err
		}
		b.Weeks = told(sessions, tx.Now())
		if err := tx.Get(ctx, &b.Reads, q.Q("Reads"), g.ID, personID); err != nil {
			return err
		}
		b.Learners, b.Next, err = foundTx(ctx, tx, g, f, p)
		return err
	})
	return b, err
}

// WriteJSON writes the counts of a group and all of its learners who match, in the shapes that the API has for them. Errors: those of Learners.
func (s *Service) WriteJSON(ctx context.Context, personID, groupID string, f Filter, w io.Writer) error {
	b, err := s.Board(ctx, personID, groupID, f, everybody)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(struct {
		Counts   Counts    `json:"counts"`
		Learners []Learner `json:"learners"`
	}{b.Counts, b.Learners})
}
