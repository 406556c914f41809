package gradebook

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/platform/postgres"
)

// concerned are the enrolments of which the intake says something; a whole one says of every member that she is here or not.
func (k *intake) concerned() []string {
	ids := make(map[string]bool, len(k.rows)+len(k.members))
	for _, id := range k.rows {
		ids[id] = true
	}
	for _, id := range k.events {
		ids[id] = true
	}
	if !k.report.Partial {
		for id := range k.members {
			ids[id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// readPast reads what the books say of who is concerned.
func (k *intake) readPast(ctx context.Context) (err error) {
	ids := k.concerned()
	if len(ids) == 0 {
		return nil
	}
	if 2*len(ids) > len(k.members) {
		ids = nil // of the whole session it is faster
	}
	if k.stages, err = stagesOf(ctx, k.tx, k.session.ID, ids); err != nil {
		return err
	}
	if k.cells, err = cellsOf(ctx, k.tx, k.session.ID, ids); err != nil {
		return err
	}
	k.cohorts = map[string]timeline[string]{}
	if !k.report.Cohorts {
		return nil
	}
	var rows []struct {
		EnrolmentID string    `db:"enrolment_id"`
		At          time.Time `db:"at"`
		Cohort      string    `db:"cohort"`
	}
	if err := k.tx.Select(ctx, &rows, q.Q("CohortsOf"), pq.Array(ids), k.session.ID); err != nil {
		return err
	}
	for _, r := range rows {
		k.cohorts[r.EnrolmentID] = k.cohorts[r.EnrolmentID].with(r.At.UTC(), r.Cohort)
	}
	return nil
}

func stagesOf(ctx context.Context, tx *postgres.Tx, sessionID string, ids []string) (map[string]map[journey.Stage]timeline[bool], error) {
	history, err := journey.HistoryTx(ctx, tx, sessionID, ids, append(slices.Clone(derived), journey.Enrolled)...)
	if err != nil {
		return nil, err
	}
	out := make(map[string]map[journey.Stage]timeline[bool], len(history))
	for id, stages := range history {
		of := make(map[journey.Stage]timeline[bool], len(stages))
		for stage, steps := range stages {
			for _, s := range steps {
				of[stage] = append(of[stage], step[bool]{s.At, s.Reached})
			}
		}
		out[id] = of
	}
	return out, nil
}

func cellsOf(ctx context.Context, tx *postgres.Tx, sessionID string, ids []string) (map[string]map[int]timeline[int64], error) {
	var cells []struct {
		EnrolmentID string    `db:"enrolment_id"`
		ColumnID    int       `db:"column_id"`
		At          time.Time `db:"at"`
		Value       int64     `db:"value"`
	}
	if err := tx.Select(ctx, &cells, q.Q("CellsOf"), pq.Array(ids), sessionID); err != nil {
		return nil, err
	}
	out := map[string]map[int]timeline[int64]{}
	for _, c := range cells {
		if out[c.EnrolmentID] == nil {
			out[c.EnrolmentID] = map[int]timeline[int64]{}
		}
		out[c.EnrolmentID][c.ColumnID] = out[c.EnrolmentID][c.ColumnID].with(c.At.UTC(), c.Value)
	}
	return out, nil
}

// compare finds what the intake changes: at times of its own, then at its time. What it changes at an instant must not change what the next
// snapshot says, so that is said again there. Members of whom a whole report says nothing have left, except those whose row could not be read.
func (k *intake) compare(ctx context.Context) error {
	r := &k.report
	for i, e := range r.Events {
		if e.Column == presence {
			k.setPresence(k.events[i], e.At, -1, e.Value == 1)
		}
	}
	for i, e := range r.Events {
		id := k.events[i]
		if e.Column == presence {
			continue
		}
		k.assume(id, e.At, -1)
		if was, there := k.cells[id][k.ids[e.Column]].has(e.At); there && was > e.Value {
			continue // of two scores at one instant the better one counts, whichever comes first
		}
		k.setCell(id, e.Column, e.At, -1, e.Value)
	}
	for _, id := range k.concerned() {
		k.reconsider(id) // what its rows say is compared with what its events left
	}
	accounted := make(map[string]bool, len(k.rows))
	for i, id := range k.rows {
		row := r.Rows[i]
		accounted[id] = true
		if !row.Quiet {
			if len(k.later) == 0 && row.Enrolled && !k.fresh[id] && !k.stages[id][journey.Enrolled].at(k.at, false) {
				k.collection.LearnersBack++
				k.tell(id).Change = IsBack
			}
			if !row.Enrolled && !k.fresh[id] && k.stages[id][journey.Enrolled].at(k.at, false) {
				k.collection.LearnersLeft++
				k.tell(id).Change = HasLeft
			}
			k.setPresence(id, k.at, k.rank, row.Enrolled)
		} else {
			k.assume(id, k.at, k.rank)
		}
		for c, v := range row.Cells {
			if v != unsaid {
				k.setCell(id, c, k.at, k.rank, v)
			}
		}
		if r.Cohorts {
			k.setCohort(id, row.Cohort)
		}
	}
	if !r.Partial {
		if err := k.leave(ctx, accounted); err != nil {
			return err
		}
	}
	var fresh []string
	for _, id := range slices.Concat(k.rows, k.events) {
		if !k.members[id] {
			k.members[id], fresh = true, append(fresh, id)
		}
		accounted[id] = true
	}
	for _, id := range k.concerned() {
		k.reconsider(id)
		if accounted[id] {
			k.changes = append(k.changes, k.rules.differences(id, k.cells[id], k.stages[id], k.collection.ID)...)
		}
	}
	if len(fresh) > 0 {
		if _, err := k.tx.Exec(ctx, q.Q("AddMembers"), pq.Array(fresh), k.session.ID); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(k.reassumed)) {
		at := make([]string, len(k.assumed[id]))
		for i, t := range k.assumed[id] {
			at[i] = t.Format(time.RFC3339Nano)
		}
		if _, err := k.tx.Exec(ctx, q.Q("SetAssumed"), id, pq.Array(at)); err != nil {
			return err
		}
	}
	return nil
}

// assume takes somebody who has a score to be enrolled since then, where nothing says anything of the time before.
func (k *intake) assume(id string, at time.Time, rank int) {
	l := k.stages[id][journey.Enrolled]
	if len(l) > 0 && l[0].at.Before(at) || slices.ContainsFunc(k.assumed[id], at.Equal) {
		return
	}
	if len(l) > 0 && l[0].at.Equal(at) && (!k.fresh[id] || k.spoken[id]) {
		return // somebody says so
	}
	then, says, ok := k.nextPresence(id, at, rank)
	if !ok || !then.Equal(at) {
		k.setStage(id, journey.Enrolled, at, true)
	}
	if ok && k.stages[id][journey.Enrolled].at(then, false) != says {
		k.setStage(id, journey.Enrolled, then, says)
	}
	if ok && then.Equal(at) {
		return // a snapshot says what was so at the very instant
	}
	k.assumed[id], k.reassumed[id] = append(k.assumed[id], at), true
	slices.SortFunc(k.assumed[id], time.Time.Compare)
}

// reconsider lets what was assumed of somebody give way to what was said of the time before. What the next snapshot says stays so.
func (k *intake) reconsider(id string) {
	for _, at := range k.assumed[id] {
		l := k.stages[id][journey.Enrolled]
		want := true
		if i := l.from(at); i > 0 {
			want = l[i-1].value
		}
		if l.at(at, false) == want {
			continue
		}
		then, says, ok := k.nextPresence(id, at, math.MaxInt)
		k.setStage(id, journey.Enrolled, at, want)
		if ok && k.stages[id][journey.Enrolled].at(then, false) != says {
			k.setStage(id, journey.Enrolled, then, says)
		}
	}
}

// leave says of the members whom a whole report does not name that they have left.
func (k *intake) leave(ctx context.Context, accounted map[string]bool) error {
	unread := make([]learner, 0, len(k.report.Rejects))
	for _, x := range k.report.Rejects {
		unread = append(unread, k.report.rejected(x))
	}
	who, err := k.people.find(ctx, unread)
	if err != nil {
		return err
	}
	for _, person := range who {
		if id := k.enrolments[person]; person != "" && id != "" {
			accounted[id] = true
		}
	}
	for _, id := range k.concerned() {
		if !accounted[id] && k.stages[id][journey.Enrolled].at(k.at, false) {
			k.collection.LearnersLeft++
			k.tell(id).Change = HasLeft
			k.setPresence(id, k.at, k.rank, false)
		}
	}
	return nil
}

// setPresence says that somebody is enrolled or not since an instant. What an intake that is not read again (rank -1) says is written even where it
// changes nothing: an older one that comes later must find it.
func (k *intake) setPresence(id string, at time.Time, rank int, enrolled bool) {
	if i := slices.IndexFunc(k.assumed[id], at.Equal); i >= 0 {
		k.assumed[id], k.reassumed[id] = slices.Delete(k.assumed[id], i, i+1), true
	}
	k.spoken[id] = true
	then, says, ok := k.nextPresence(id, at, rank)
	was := k.stages[id][journey.Enrolled]
	_, there := was.has(at)
	if was.at(at, false) != enrolled || rank < 0 && !there {
		k.setStage(id, journey.Enrolled, at, enrolled)
	}
	if ok && k.stages[id][journey.Enrolled].at(then, false) != says {
		k.setStage(id, journey.Enrolled, then, says)
	}
}

func (k *intake) setStage(id string, stage journey.Stage, at time.Time, holds bool) {
	if k.stages[id] == nil {
		k.stages[id] = map[journey.Stage]timeline[bool]{}
	}
	k.stages[id][stage] = k.stages[id][stage].with(at, holds)
	k.changes = append(k.changes, journey.Change{EnrolmentID: id, Stage: stage, At: at, Reached: holds, Cause: k.collection.ID})
}

// setCell says what a cell holds since an instant, as setPresence does.
func (k *intake) setCell(id string, place int, at time.Time, rank int, v int64) {
	column, otherwise := k.ids[place], nothing(k.report.Columns[place])
	was := k.cells[id][column]
	then, says, ok := k.nextCell(id, column, at, rank, otherwise)
	_, there := was.has(at)
	if before := was.at(at, otherwise); before != v || rank < 0 && !there {
		k.addCell(id, column, at, v)
		k.count(id, k.report.Columns[place].Kind, before, v)
	}
	if ok && k.cells[id][column].at(then, otherwise) != says {
		k.addCell(id, column, then, says)
	}
}

// count says in which direction scores went. An average says again what the scores under it say; whom nobody knew before had no total that could rise.
func (k *intake) count(id, kind string, before, v int64) {
	if before == v {
		return
	}
	k.collection.CellsChanged++
	of := k.tell(id)
	switch {
	case kind == "average":
	case kind == "grade" && k.fresh[id]:
		k.collection.ScoresFirst++
		of.First++
	case before > 0 && v <= 0:
		k.collection.ScoresDropped++
		of.Dropped++
	case before >= 0 && v > before:
		k.collection.ScoresRaised++
		of.Raised++
	case before >= 0 && v < before:
		k.collection.ScoresLowered++
		of.Lowered++
	default:
		k.collection.ScoresFirst++
		of.First++
	}
}

// nothing is a cell's value where nothing was written: no attempt, and a total grade of nought.
func nothing(c Column) int64 {
	if c.Kind == "grade" {
		return 0
	}
	return NotAttempted
}

func (k *intake) addCell(id string, column int, at time.Time, value int64) {
	if k.cells[id] == nil {
		k.cells[id] = map[int]timeline[int64]{}
	}
	k.cells[id][column] = k.cells[id][column].with(at, value)
	k.added.add(id, column, at, value)
}

func (k *intake) setCohort(id, cohort string) {
	add := func(at time.Time, name string) {
		k.cohorts[id] = k.cohorts[id].with(at, name)
		k.cohortIDs, k.cohortTimes, k.cohortNames = append(k.cohortIDs, id), append(k.cohortTimes, at.Format(time.RFC3339Nano)), append(k.cohortNames, name)
	}
	then, name, ok := k.nextCohort(id)
	if k.cohorts[id].at(k.at, "") != cohort {
		add(k.at, cohort)
	}
	if ok && k.cohorts[id].at(then, "") != name {
		add(then, name)
	}
}
