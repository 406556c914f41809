package gradebook

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Modes say in which collection a learner counts who did an exercise.
const (
	FirstDone  = "first_done"  // where her score first appeared
	LastChange = "last_change" // where it last changed
)

// always is later than every collection: a question without an instant is of all that was collected.
var always = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Did counts the learners of one exercise whose score first appeared, or last changed, in the collection of a time. Bands are of the scores
// of those whose score last changed in it: ≤ 0.25, ≤ 0.5, ≤ 0.75, above; upper bounds included.
type Did struct {
	ColumnID              int
	Label                 string
	Occurrence            int // among exercises of the same label, from 0
	At                    time.Time
	FirstDone, LastChange int64
	Bands                 [4]int64
}

// ProgressionTx answers for every exercise of a session that anybody did, in the order of its columns and then of time, as of an instant and
// with what had been recorded by another (zero: now, everything). It counts all who ever did one; a score that was taken back later counts
// with its last value. Without knownAt it reads a few rows, whatever the size of the session.
func ProgressionTx(ctx context.Context, tx *postgres.Tx, sessionID string, asOf, knownAt time.Time) ([]Did, error) {
	if asOf.IsZero() {
		asOf = always
	}
	var rows []struct {
		ColumnID   int       `db:"column_id"`
		Label      string    `db:"label"`
		Occurrence int       `db:"occurrence"`
		At         time.Time `db:"from_at"`
		FirstDone  int64     `db:"first_done"`
		LastChange int64     `db:"last_change"`
		Band0      int64     `db:"band_0"`
		Band1      int64     `db:"band_1"`
		Band2      int64     `db:"band_2"`
		Band3      int64     `db:"band_3"`
	}
	err := tx.Select(ctx, &rows, q.Q("Progression"), sessionID, asOf, given(knownAt))
	out := make([]Did, len(rows))
	for i, r := range rows {
		out[i] = Did{r.ColumnID, r.Label, r.Occurrence, r.At.UTC(), r.FirstDone, r.LastChange, [4]int64{r.Band0, r.Band1, r.Band2, r.Band3}}
	}
	return out, err
}

// given is a bound of a statement: nil where there is none.
func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Doers asks who did an exercise. Zero times, and a nil band, do not narrow.
type Doers struct {
	SessionID     string
	Label         string
	Occurrence    int
	CollectedAt   time.Time // in this collection, by the mode
	Mode          string    // FirstDone (default) or LastChange
	Band          *int      // 0 to 3, of the last score
	AsOf, KnownAt time.Time
}

// Doer is one who did it.
type Doer struct {
	EnrolmentID string    `db:"enrolment_id"`
	FirstAt     time.Time `db:"first_at"`
	LastAt      time.Time `db:"last_at"`
	Score       int64     `db:"score"` // billionths
}

// DoersTx lists them in the order of their enrolments, a page at a time; next is empty at the end. The sum over the collections, and that
// over the bands, is what ProgressionTx counts. Errors: ErrNoExercise.
func DoersTx(ctx context.Context, tx *postgres.Tx, d Doers, p page.Request) (all []Doer, next string, err error) {
	if d.AsOf.IsZero() {
		d.AsOf = always
	}
	var column int
	if err := tx.Get(ctx, &column, q.Q("ExerciseColumn"), d.SessionID, d.Label, d.Occurrence); errors.Is(err, sql.ErrNoRows) {
		return nil, "", ErrNoExercise
	} else if err != nil {
		return nil, "", err
	}
	all = []Doer{}
	if err := tx.Select(ctx, &all, q.Q("Doers"), column, p.After, d.AsOf, given(d.KnownAt), given(d.CollectedAt), d.Mode, d.Band, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all = all[:p.Limit]
		next = all[p.Limit-1].EnrolmentID
	}
	return all, next, nil
}
