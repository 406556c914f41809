package gradebook

import (
	"context"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// prepareColumns makes the columns that are new and places them by the session's exercise map.
func (k *intake) prepareColumns(ctx context.Context) error {
	var kinds, labels, titles []string
	var occurrences []int64
	for _, c := range k.report.Columns {
		kinds, labels, occurrences = append(kinds, c.Kind), append(labels, c.Label), append(occurrences, int64(c.Occurrence))
		titles = append(titles, k.report.Titles[c.Label])
	}
	before, err := columnsTx(ctx, k.tx, k.session.ID)
	if err != nil {
		return err
	}
	if _, err := k.tx.Exec(ctx, q.Q("AddColumns"), k.session.ID, pq.Array(kinds), pq.Array(labels), pq.Array(occurrences), pq.Array(titles)); err != nil {
		return err
	}
	known, err := columnsTx(ctx, k.tx, k.session.ID)
	if err != nil {
		return err
	}
	exercises, err := catalog.ExercisesTx(ctx, k.tx, k.session.ID)
	if err != nil {
		return err
	}
	k.columns = columnIDs(known)
	for _, c := range k.report.Columns {
		k.ids = append(k.ids, k.columns[c])
	}
	k.rules, k.collection.Unmapped = newRules(known, exercises, k.session.ThresholdPPM)
	k.collection.NewColumns, k.collection.AbsentColumns = columnDifference(before, k.report)
	return nil
}

// column is a column of a session as it is kept.
type column struct {
	ID         int    `db:"id"`
	Kind       string `db:"kind"`
	Label      string `db:"label"`
	Occurrence int    `db:"occurrence"`
}

func (c column) key() Column { return Column{c.Kind, c.Label, c.Occurrence} }

func columnsTx(ctx context.Context, tx *postgres.Tx, sessionID string) (all []column, err error) {
	err = tx.Select(ctx, &all, q.Q("Columns"), sessionID)
	return all, err
}

func columnIDs(all []column) map[Column]int {
	out := make(map[Column]int, len(all))
	for _, c := range all {
		out[c.key()] = c.ID
	}
	return out
}

// columnDifference says which exercises a report has for the first time, and which of those before it has no longer.
func columnDifference(before []column, r Report) (fresh, absent []string) {
	had, there := columnIDs(before), map[Column]bool{}
	for _, c := range r.Columns {
		there[c] = true
		if _, known := had[c]; !known && c.Kind == "exercise" && !slices.Contains(fresh, c.Label) {
			fresh = append(fresh, c.Label)
		}
	}
	if k := r.Kind; k != Grades && k != Pulled && k != Wide {
		return fresh, nil // others say part of it
	}
	for _, c := range before {
		if c.Kind == "exercise" && !there[c.key()] && !slices.Contains(absent, c.Label) {
			absent = append(absent, c.Label)
		}
	}
	return fresh, absent
}
