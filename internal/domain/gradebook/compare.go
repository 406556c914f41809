package gradebook

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// past is what the books say of a session at an instant.
type past struct {
	states  map[string]journey.State
	cells   map[string]map[int]int64
	cohorts map[string]string
}

func (k *intake) past(ctx context.Context, at time.Time) (p past, err error) {
	if p.states, err = journey.StatesTx(ctx, k.tx, k.sessionID, at); err != nil {
		return p, err
	}
	if p.cohorts, err = cohortsAsOf(ctx, k.tx, k.sessionID, at, nil); err != nil {
		return p, err
	}
	var cells []struct {
		EnrolmentID string `db:"enrolment_id"`
		ColumnID    int    `db:"column_id"`
		Value       int64  `db:"value"`
	}
	if err := k.tx.Select(ctx, &cells, q.Q("CellsAsOf"), k.sessionID, at); err != nil {
		return p, err
	}
	p.cells = map[string]map[int]int64{}
	for _, c := range cells {
		if p.cells[c.EnrolmentID] == nil {
			p.cells[c.EnrolmentID] = map[int]int64{}
		}
		p.cells[c.EnrolmentID][c.ColumnID] = c.Value
	}
	return p, nil
}

func cohortsAsOf(ctx context.Context, tx *postgres.Tx, sessionID string, at time.Time, knownAt *time.Time) (map[string]string, error) {
	var rows []struct {
		EnrolmentID string `db:"enrolment_id"`
		Cohort      string `db:"cohort"`
	}
	if err := tx.Select(ctx, &rows, q.Q("CohortsAsOf"), sessionID, at, knownAt); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.EnrolmentID] = r.Cohort
	}
	return out, nil
}

// laterReport is a report that was imported before this one although it was made after it.
type laterReport struct {
	at            time.Time
	named, unread map[string]bool // the learners it has a row for, and those whose row could not be read
	past          past            // what the books say of its time, before this import
}

func (k *intake) readLater(ctx context.Context) error {
	var stored []struct {
		CollectedAt time.Time `db:"collected_at"`
		Content     []byte    `db:"content"`
	}
	if err := k.tx.Select(ctx, &stored, q.Q("LaterCollections"), k.sessionID, k.at); err != nil {
		return err
	}
	for _, c := range stored {
		r, err := Parse(c.Content)
		if err != nil {
			return fmt.Errorf("stored report of %s: %w", c.CollectedAt, err)
		}
		l := laterReport{at: c.CollectedAt, named: map[string]bool{}, unread: map[string]bool{}}
		for _, row := range r.Rows {
			l.named[row.Subject] = true
		}
		for _, reject := range r.Rejects {
			l.unread[reject.Subject] = true
		}
		if l.past, err = k.past(ctx, l.at); err != nil {
			return err
		}
		k.later = append(k.later, l)
	}
	return nil
}

// next gives the first later report that says anything of a learner's scores, and the first that says whether she is
// enrolled (as a later report does by not naming her); nil where none does.
func (k *intake) next(subject string) (scores, presence *laterReport) {
	for i := range k.later {
		l := &k.later[i]
		if presence == nil && !l.unread[subject] {
			presence = l
		}
		if l.named[subject] {
			return l, presence
		}
	}
	return nil, presence
}

// compare finds what the report changes at its time, and what must be said again at the time of the next report on the
// same learner so that nothing changes from there on. Learners who were in a report before and are not in this one have
// left, except those whose row could not be read.
func (k *intake) compare(ctx context.Context, r Report, rows []string, platform string) error {
	before, err := k.past(ctx, k.at)
	if err != nil {
		return err
	}
	var members []struct {
		EnrolmentID string `db:"enrolment_id"`
		Subject     string `db:"subject"`
	}
	if err := k.tx.Select(ctx, &members, q.Q("Members"), k.sessionID, platform); err != nil {
		return err
	}
	accounted := make(map[string]bool, len(rows))
	for i, id := range rows {
		row := r.Rows[i]
		accounted[row.Subject] = true
		was := before.states[id]
		scores, presence := k.next(row.Subject)
		if k.fresh[id] {
			was = was.With(journey.Enrolled, true) // her journey opens with this report
		} else if len(k.later) == 0 && row.Enrolled && !was.Has(journey.Enrolled) {
			k.collection.LearnersBack++
		}
		k.setStage(id, journey.Enrolled, row.Enrolled, was, presence)
		state := k.rules.state(k.compareCells(r.Columns, row.Cells, id, before, scores))
		for _, stage := range derived {
			k.setStage(id, stage, state.Has(stage), was, scores)
		}
		k.setCohort(id, row.Cohort, before, scores)
	}
	for _, reject := range r.Rejects {
		accounted[reject.Subject] = true
	}
	known := make(map[string]bool, len(members))
	for _, m := range members {
		known[m.EnrolmentID] = true
		if was := before.states[m.EnrolmentID]; !accounted[m.Subject] && was.Has(journey.Enrolled) {
			_, presence := k.next(m.Subject)
			k.collection.LearnersLeft++
			k.setStage(m.EnrolmentID, journey.Enrolled, false, was, presence)
		}
	}
	if rows = slices.DeleteFunc(slices.Clone(rows), func(id string) bool { return known[id] }); len(rows) > 0 {
		_, err = k.tx.Exec(ctx, q.Q("AddMembers"), pq.Array(rows), k.sessionID)
	}
	return err
}

func (k *intake) setStage(id string, stage journey.Stage, holds bool, before journey.State, next *laterReport) {
	if before.Has(stage) != holds {
		k.changes = append(k.changes, journey.Change{EnrolmentID: id, Stage: stage, At: k.at, Reached: holds, Cause: k.collection.ID})
	}
	if next != nil && next.past.states[id].Has(stage) != holds {
		k.changes = append(k.changes, journey.Change{EnrolmentID: id, Stage: stage, At: next.at, Reached: !holds, Cause: k.collection.ID})
	}
}

// compareCells keeps the cells that differ and gives all cells of the learner as they are with this report: a column that
// the report does not have keeps what it said before.
func (k *intake) compareCells(columns []Column, cells []int64, id string, before past, next *laterReport) map[int]int64 {
	merged := make(map[int]int64, len(cells))
	for c, v := range before.cells[id] {
		merged[c] = v
	}
	for i, v := range cells {
		c := k.columns[columns[i]]
		if v != valueOf(before.cells[id], c, columns[i]) {
			k.addCell(id, c, k.at, v)
			k.collection.CellsChanged++
		}
		if next != nil {
			if then := valueOf(next.past.cells[id], c, columns[i]); then != v {
				k.addCell(id, c, next.at, then)
			}
		}
		merged[c] = v
	}
	return merged
}

// valueOf is a cell's value where nothing was written: no attempt, and a total grade of nought.
func valueOf(cells map[int]int64, column int, c Column) int64 {
	if v, ok := cells[column]; ok {
		return v
	}
	if c.Kind == "grade" {
		return 0
	}
	return NotAttempted
}

func (k *intake) addCell(id string, column int, at time.Time, value int64) {
	k.cellIDs, k.cellTimes = append(k.cellIDs, id), append(k.cellTimes, at.Format(time.RFC3339Nano))
	k.cellColumns, k.cellValues = append(k.cellColumns, int64(column)), append(k.cellValues, value)
}

func (k *intake) setCohort(id, cohort string, before past, next *laterReport) {
	add := func(at time.Time, name string) {
		k.cohortIDs, k.cohortTimes, k.cohortNames = append(k.cohortIDs, id), append(k.cohortTimes, at.Format(time.RFC3339Nano)), append(k.cohortNames, name)
	}
	if before.cohorts[id] != cohort {
		add(k.at, cohort)
	}
	if next != nil && next.past.cohorts[id] != cohort {
		add(next.at, next.past.cohorts[id])
	}
}

// write stores the collection and what it changes.
func (k *intake) write(ctx context.Context, sum, packed []byte) error {
	c := k.collection
	if _, err := k.tx.Exec(ctx, q.Q("AddCollection"), c.ID, k.sessionID, c.CollectedAt, k.tx.Now(), sum, c.FileName, packed, c.Family,
		c.RowsRead, c.RowsRejected, c.LearnersNew, c.LearnersLeft, c.LearnersBack, c.CellsChanged); err != nil {
		return err
	}
	var lines, columns []int64
	var codes, details []string
	for _, r := range c.Rejects {
		lines, columns = append(lines, int64(r.Line)), append(columns, int64(r.Column))
		codes, details = append(codes, r.Code), append(details, r.Detail)
	}
	if _, err := k.tx.Exec(ctx, q.Q("AddRejects"), c.ID, pq.Array(lines), pq.Array(columns), pq.Array(codes), pq.Array(details)); err != nil {
		return err
	}
	if _, err := k.tx.Exec(ctx, q.Q("AddCells"), k.sessionID, pq.Array(k.cellIDs), pq.Array(k.cellColumns), pq.Array(k.cellTimes), pq.Array(k.cellValues), k.tx.Now()); err != nil {
		return err
	}
	for _, statement := range []string{"ForgetRuns", "KeepRuns"} {
		if _, err := k.tx.Exec(ctx, q.Q(statement), k.sessionID); err != nil {
			return err
		}
	}
	if _, err := k.tx.Exec(ctx, q.Q("AddCohorts"), k.sessionID, pq.Array(k.cohortIDs), pq.Array(k.cohortTimes), pq.Array(k.cohortNames)); err != nil {
		return err
	}
	if err := journey.RecordTx(ctx, k.tx, k.changes); err != nil {
		return err
	}
	return audit.AppendTx(ctx, k.tx, audit.Entry{Action: "grades.imported", Object: c.ID, Detail: map[string]any{
		"session": k.sessionID, "collected_at": c.CollectedAt, "sha256": hex.EncodeToString(sum), "rows": c.RowsRead, "rejected": c.RowsRejected,
	}})
}
