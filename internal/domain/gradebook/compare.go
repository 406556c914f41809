package gradebook

import (
	"context"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
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
	if p.cohorts, err = cohortsAsOf(ctx, k.tx, k.sessionID, at); err != nil {
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

func cohortsAsOf(ctx context.Context, tx *postgres.Tx, sessionID string, at time.Time) (map[string]string, error) {
	var rows []struct {
		EnrolmentID string `db:"enrolment_id"`
		Cohort      string `db:"cohort"`
	}
	if err := tx.Select(ctx, &rows, q.Q("CohortsAsOf"), sessionID, at); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.EnrolmentID] = r.Cohort
	}
	return out, nil
}

// compare finds what the report changes at its time, and what must be said again at the time of the next report so that
// nothing changes from there on. Learners who were in a report before and are not in this one have left, except those
// whose row could not be read.
func (k *intake) compare(ctx context.Context, r Report, rows []string, platform string) error {
	before, err := k.past(ctx, k.at)
	if err != nil {
		return err
	}
	var after past
	if !k.next.IsZero() {
		if after, err = k.past(ctx, k.next); err != nil {
			return err
		}
	}
	var members []string
	if err := k.tx.Select(ctx, &members, q.Q("Members"), k.sessionID); err != nil {
		return err
	}
	accounted := make(map[string]bool, len(rows))
	for i, id := range rows {
		accounted[id] = true
		was, then := before.states[id], after.states[id]
		if k.fresh[id] {
			then = 0 // what the opening of the journey says of the next report's time is not true: it does not know her
		} else if k.next.IsZero() && r.Rows[i].Enrolled && !was.Has(journey.Enrolled) {
			k.collection.LearnersBack++
		}
		k.setStage(id, journey.Enrolled, r.Rows[i].Enrolled, was, then)
		state := k.rules.state(k.compareCells(r.Columns, r.Rows[i].Cells, id, before, after))
		for _, stage := range derived {
			k.setStage(id, stage, state.Has(stage), was, then)
		}
		k.setCohort(id, r.Rows[i].Cohort, before, after)
	}
	var unread, subjects []string
	for _, reject := range r.Rejects {
		subjects = append(subjects, reject.Subject)
	}
	if err := k.tx.Select(ctx, &unread, q.Q("MembersOfSubjects"), k.sessionID, platform, pq.Array(subjects)); err != nil {
		return err
	}
	for _, id := range unread {
		accounted[id] = true
	}
	for _, id := range members {
		if was := before.states[id]; !accounted[id] && was.Has(journey.Enrolled) {
			k.collection.LearnersLeft++
			k.setStage(id, journey.Enrolled, false, was, after.states[id])
		}
	}
	_, err = k.tx.Exec(ctx, q.Q("AddMembers"), pq.Array(rows), k.sessionID)
	return err
}

func (k *intake) setStage(id string, stage journey.Stage, holds bool, before, after journey.State) {
	if before.Has(stage) != holds {
		k.changes = append(k.changes, journey.Change{EnrolmentID: id, Stage: stage, At: k.at, Reached: holds, Cause: k.collection.ID})
	}
	if !k.next.IsZero() && after.Has(stage) != holds {
		k.changes = append(k.changes, journey.Change{EnrolmentID: id, Stage: stage, At: k.next, Reached: after.Has(stage), Cause: k.collection.ID})
	}
}

// compareCells keeps the cells that differ and gives all cells of the learner as they are with this report: a column that
// the report does not have keeps what it said before.
func (k *intake) compareCells(columns []Column, cells []int64, id string, before, after past) map[int]int64 {
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
		if then := valueOf(after.cells[id], c, columns[i]); !k.next.IsZero() && then != v {
			k.addCell(id, c, k.next, then)
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

func (k *intake) setCohort(id, cohort string, before, after past) {
	add := func(at time.Time, name string) {
		k.cohortIDs, k.cohortTimes, k.cohortNames = append(k.cohortIDs, id), append(k.cohortTimes, at.Format(time.RFC3339Nano)), append(k.cohortNames, name)
	}
	if before.cohorts[id] != cohort {
		add(k.at, cohort)
	}
	if !k.next.IsZero() && after.cohorts[id] != cohort {
		add(k.next, after.cohorts[id])
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
	if _, err := k.tx.Exec(ctx, q.Q("AddCells"), k.sessionID, pq.Array(k.cellIDs), pq.Array(k.cellColumns), pq.Array(k.cellTimes), pq.Array(k.cellValues)); err != nil {
		return err
	}
	if _, err := k.tx.Exec(ctx, q.Q("AddCohorts"), k.sessionID, pq.Array(k.cohortIDs), pq.Array(k.cohortTimes), pq.Array(k.cohortNames)); err != nil {
		return err
	}
	return journey.RecordTx(ctx, k.tx, k.changes)
}
