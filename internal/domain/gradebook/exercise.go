package gradebook

import (
	"bytes"
	"context"
	"errors"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

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
