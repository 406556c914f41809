package gradebook

import (
	"bytes"
	"context"
	"errors"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// Exercise is what became of one exercise: how well those who did it did, and in which collection they did it.
type Exercise struct {
	Label      string            `json:"label"`
	Bands      [4]int            `json:"bands"`       // scores ≤ 0.25, ≤ 0.5, ≤ 0.75, above; upper bounds included
	FirstDone  map[time.Time]int `json:"first_done"`  // learners whose score first appeared in the collection of that time
	LastChange map[time.Time]int `json:"last_change"` // learners whose score last changed in it
}

// ExerciseTx answers for the first column with a label, as of an instant (zero: now), over all who ever did it. A score that
// was taken back later counts with its last value.
func ExerciseTx(ctx context.Context, tx *postgres.Tx, sessionID, label string, asOf time.Time) (Exercise, error) {
	if asOf.IsZero() {
		asOf = tx.Now()
	}
	var done []struct {
		First time.Time `db:"first_at"`
		Last  time.Time `db:"last_at"`
		Score int64     `db:"score"`
	}
	e := Exercise{Label: label, FirstDone: map[time.Time]int{}, LastChange: map[time.Time]int{}}
	if err := tx.Select(ctx, &done, q.Q("Exercise"), sessionID, label, asOf); err != nil {
		return e, err
	}
	for _, d := range done {
		e.FirstDone[d.First.UTC()]++
		e.LastChange[d.Last.UTC()]++
		band := 3
		for i, bound := range [3]int64{one / 4, one / 2, one / 4 * 3} {
			if d.Score <= bound {
				band = i
				break
			}
		}
		e.Bands[band]++
	}
	return e, nil
}

// ImportMap asks for the exercise map of a session from a file: a CSV of the map, which replaces it, or a grade report, whose header is
// compared with it. Expected is the version of the session that the caller read, 0 for any.
type ImportMap struct {
	Session  string // id or key
	Content  []byte
	Expected int
	DryRun   bool // propose, and change nothing
}

// ImportMapTx reads the file, and puts the map that comes of it unless it is a dry run. Errors: catalog.ErrExerciseMap with line and column,
// catalog.ErrChanged, the faults of reading a file.
func ImportMapTx(ctx context.Context, tx *postgres.Tx, in ImportMap) (p catalog.Proposal, s catalog.Session, err error) {
	if s, err = catalog.SessionTx(ctx, tx, in.Session); err != nil {
		return p, s, err
	}
	current, err := catalog.ExercisesTx(ctx, tx, s.ID)
	if err != nil {
		return p, s, err
	}
	labels, _, err := Exercises(in.Content)
	switch {
	case errors.Is(err, ErrNotAReport):
		read, err := catalog.ReadExerciseMap(bytes.NewReader(in.Content))
		if err != nil {
			return p, s, err
		}
		p = catalog.ProposeFromMap(current, read)
	case err != nil:
		return p, s, err
	default:
		course, err := catalog.EarlierExercisesTx(ctx, tx, s)
		if err != nil {
			return p, s, err
		}
		written, err := catalog.PublishedTx(ctx, tx, s.CourseKey)
		if err != nil && !errors.Is(err, catalog.ErrNoCourse) {
			return p, s, err
		}
		p = catalog.ProposeFromLabels(current, course, written.Chapters, labels)
	}
	if in.DryRun {
		if in.Expected != 0 && in.Expected != s.Version {
			return p, s, catalog.ErrChanged
		}
		return p, s, nil
	}
	p.Applied = true
	s, err = catalog.PutExercisesTx(ctx, tx, s.ID, p.Map(), in.Expected)
	return p, s, err
}
