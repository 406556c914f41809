package gradebook

import (
	"context"
	"slices"

	"cursus/internal/platform/postgres"
	"github.com/lib/pq"
)

// prepareColumns makes the columns that are new and places them by the session's exercise map.
func (k *intake) prepareColumns(ctx context.Context) error {
	before, err := columnsTx(ctx, k.tx, k.session.ID)
	if err != nil {
		return err
	}
	if err := addColumns(ctx, k.tx, k.session.ID, k.report.Columns, k.report.Titles); err != nil {
		return err
	}
	known, err := columnsTx(ctx, k.tx, k.session.ID)
	if err != nil {
		return err
	}
	k.columns = columnIDs(known)
	for _, c := range k.report.Columns {
		k.ids = append(k.ids, k.columns[c])
	}
	k.rules, k.collection.Unmapped = newRules(k.by.themselves(known), k.exercises, k.session.ThresholdPPM)
	k.collection.NewColumns, k.collection.AbsentColumns = columnDifference(k.by.themselves(before), k.report)
	k.missing = k.collection.AbsentColumns
	for _, e := range k.exercises {
		if !slices.ContainsFunc(k.report.Columns, func(c Column) bool { return c.Kind == "exercise" && c.Label == e.Label }) && !slices.Contains(k.missing, e.Label) {
			k.missing = append(k.missing, e.Label)
		}
	}
	return nil
}

func addColumns(ctx context.Context, tx *postgres.Tx, sessionID string, columns []Column, titlesOf map[string]string) error {
	var kinds, labels, titles []string
	var occurrences []int64
	for _, c := range columns {
		kinds, labels, occurrences = append(kinds, c.Kind), append(labels, c.Label), append(occurrences, int64(c.Occurrence))
		titles = append(titles, titlesOf[c.Label])
	}
	_, err := tx.Exec(ctx, q.Q("AddColumns"), sessionID, pq.Array(kinds), pq.Array(labels), pq.Array(occurrences), pq.Array(titles))
	return err
}

// themselves are the kept columns that are what their names say.
func (m mapped) themselves(all []column) (out []column) {
	for _, c := range all {
		if !m.elsewhere(c.key()) {
			out = append(out, c)
		}
	}
	return out
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
