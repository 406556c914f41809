package catalog

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Publication is where the working copy of something that staff author stands: a course, a program, an edition.
type Publication string

// The states of publication.
const (
	Drafted   Publication = "draft"     // being written
	InReview  Publication = "review"    // written; somebody else reads it
	Published Publication = "published" // what the public sees
	Archived  Publication = "archived"  // withdrawn: the public sees nothing, and nothing is lost
)

// PublicationLife is every move of a working copy. Nothing is published unread, so the way leads through review. An edit of what is
// in review or published makes it a draft again (its own move, published → draft), while the public goes on seeing the last published
// one. What is in review goes back to draft before it is archived, so that a reviewer is not overruled in silence. What is archived
// can be taken up again, as a draft.
var PublicationLife = lifecycle.Table[Publication]{Name: "publication", Start: Drafted, Moves: map[Publication][]Publication{
	Drafted:   {InReview, Archived},
	InReview:  {Drafted, Published},
	Published: {Drafted, Archived},
	Archived:  {Drafted},
}}

// Move is one step of an object's publication: who, when, why. Version is that of the working copy that was moved; 0: it has none.
type Move struct {
	Version int         `db:"version" json:"version"`
	From    Publication `db:"from_state" json:"from"`
	To      Publication `db:"to_state" json:"to"`
	Note    string      `db:"note" json:"note,omitempty"`
	By      string      `db:"moved_by" json:"by"`
	At      time.Time   `db:"moved_at" json:"at"`
}

const maxNote = 1000

// MoveTx notes that an object goes from one state to another, or refuses: ErrMove for an arrow that PublicationLife does not have. The
// kind is "course", "session", "program", "edition", "offer"; the state itself is a column of the object's own room, which the caller changes in the same
// transaction. The actor is the transaction's.
func MoveTx(ctx context.Context, tx *postgres.Tx, kind, objectID string, version int, from, to Publication, note string) error {
	if utf8.RuneCountInString(note) > maxNote {
		return fault.InvalidInput(fault.Field{Pointer: "/note", Code: "bad-length", Detail: "At most 1,000 characters."})
	}
	if !PublicationLife.Allows(from, to) {
		return ErrMove.Detailf("From %s nothing goes to %s.", from, to)
	}
	if _, err := tx.Exec(ctx, q.Q("AddMove"), kind, objectID, version, from, to, note, postgres.Actor(ctx), tx.Now()); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: kind + ".moved", Object: objectID, Detail: map[string]any{"version": version},
		Before: map[string]any{"publication": from}, After: map[string]any{"publication": to}})
}

// MovesTx lists the moves of an object, the newest first.
func MovesTx(ctx context.Context, tx *postgres.Tx, kind, objectID string) ([]Move, error) {
	out := []Move{}
	err := tx.Select(ctx, &out, q.Q("Moves"), kind, objectID)
	return out, err
}

// MovesOfTx lists the moves of many objects of a kind, the newest first, by their ids.
func MovesOfTx(ctx context.Context, tx *postgres.Tx, kind string, objectIDs []string) (map[string][]Move, error) {
	var rows []struct {
		ObjectID string `db:"object_id"`
		Move
	}
	err := tx.Select(ctx, &rows, q.Q("MovesOf"), kind, pq.Array(objectIDs))
	out := map[string][]Move{}
	for _, r := range rows {
		r.At = r.At.UTC()
		out[r.ObjectID] = append(out[r.ObjectID], r.Move)
	}
	return out, err
}
