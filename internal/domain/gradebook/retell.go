package gradebook

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// telling reads again what the intakes of a session say of some columns.
type telling struct {
	tx         *postgres.Tx
	people     people
	session    catalog.Session
	by         mapped
	columns    map[Column]int
	of         map[Column]bool
	enrolments map[string]string // person → enrolment
	said       map[string]map[int]map[time.Time]saying
	named      map[string]map[time.Time]bool // enrolment → instants at which a file that is read again names her
	wiped      map[time.Time]bool            // instants of files that are not kept any more: they said what the books say
}

// saying is what an intake says of a cell; rank as Kind.rank.
type saying struct {
	rank  int
	value int64
}

// retellTx makes the cells of columns say what the intakes say under names as they are mapped now, and derives the stages anew. It gives how
// many cells it wrote.
func retellTx(ctx context.Context, tx *postgres.Tx, sessionID string, of []Column, by mapped) (int, error) {
	session, err := catalog.LockSessionTx(ctx, tx, sessionID)
	if err != nil {
		return 0, err
	}
	t := telling{tx: tx, people: people{tx, session.Platform}, session: session, by: by, of: map[Column]bool{}, enrolments: map[string]string{},
		said: map[string]map[int]map[time.Time]saying{}, named: map[string]map[time.Time]bool{}, wiped: map[time.Time]bool{}}
	for _, c := range of {
		t.of[c] = true
	}
	if err := addColumns(ctx, tx, sessionID, slices.Collect(maps.Keys(t.of)), nil); err != nil {
		return 0, err
	}
	all, err := columnsTx(ctx, tx, sessionID)
	if err != nil {
		return 0, err
	}
	t.columns = columnIDs(all)
	var members []member
	if err := tx.Select(ctx, &members, q.Q("Members"), sessionID); err != nil {
		return 0, err
	}
	for _, m := range members {
		t.enrolments[m.LearnerID] = m.EnrolmentID
	}
	if err := t.readAll(ctx); err != nil {
		return 0, err
	}
	written, err := t.write(ctx)
	if err != nil {
		return 0, err
	}
	_, changes, err := derivedTx(ctx, tx, session)
	if err != nil {
		return 0, err
	}
	return written, journey.RecordTx(ctx, tx, changes)
}

// readAll reads each file that is kept.
func (t *telling) readAll(ctx context.Context) error {
	var stored []Collection
	if err := t.tx.Select(ctx, &stored, q.Q("Collections"), t.session.ID); err != nil {
		return err
	}
	for _, c := range stored {
		if !c.Kind.exercises() {
			continue
		}
		var content []byte // one at a time: a session can have many
		err := t.tx.Get(ctx, &content, q.Q("Content"), t.session.ID, c.ID)
		if err != nil {
			return err
		}
		if len(content) == 0 {
			t.wiped[c.CollectedAt.UTC()] = true
			continue
		}
		if content, err = unpack(content); err != nil {
			return err
		}
		if err := t.readOne(ctx, c.ID, c.CollectedAt.UTC(), content); err != nil {
			return err
		}
	}
	return nil
}

func (t *telling) readOne(ctx context.Context, id string, at time.Time, content []byte) error {
	r, err := Parse(content)
	if err != nil {
		return err
	}
	if r.Events, err = t.accepted(ctx, id, at, r.Events); err != nil {
		return err
	}
	is, err := t.by.places(r.Columns)
	if err != nil {
		return err
	}
	all := make([]learner, 0, len(r.Rows)+len(r.Events))
	for _, row := range r.Rows {
		all = append(all, row.learner())
	}
	for _, e := range r.Events {
		all = append(all, learner{any: e.Key, name: e.Username})
	}
	who, err := t.people.find(ctx, all)
	if err != nil {
		return err
	}
	for i, person := range who {
		enrolment := t.enrolments[person]
		if person == "" || enrolment == "" {
			continue
		}
		if i < len(r.Rows) {
			t.name(enrolment, at)
			for c, v := range r.Rows[i].Cells {
				t.say(enrolment, is[c], at, saying{r.Kind.rank(), v})
			}
			continue
		}
		e := r.Events[i-len(r.Rows)]
		t.name(enrolment, e.At)
		t.say(enrolment, is[e.Column], e.At, saying{-1, e.Value})
	}
	return nil
}

// accepted are the scores among the events of an intake that were taken in when it came.
func (t *telling) accepted(ctx context.Context, id string, at time.Time, events []Event) (out []Event, err error) {
	var taken []string
	if err := t.tx.Select(ctx, &taken, q.Q("StatementsOf"), t.session.ID, id); err != nil {
		return nil, err
	}
	first := make(map[string]bool, len(taken))
	for _, id := range taken {
		first[id] = true
	}
	for _, e := range events {
		if e.At.IsZero() {
			e.At = at
		}
		if e.Column == presence || e.id != "" && !first[e.id] || e.refused(t.session, at) != "" {
			continue
		}
		out = append(out, e)
	}
	return out, nil
}

func (t *telling) name(enrolment string, at time.Time) {
	if t.named[enrolment] == nil {
		t.named[enrolment] = map[time.Time]bool{}
	}
	t.named[enrolment][at] = true
}

// say keeps what has the last word at an instant: the snapshot of the higher rank, and the better of two scores of events.
func (t *telling) say(enrolment string, c Column, at time.Time, s saying) {
	if !t.of[c] || s.value == unsaid {
		return
	}
	if t.said[enrolment] == nil {
		t.said[enrolment] = map[int]map[time.Time]saying{}
	}
	column := t.columns[c]
	if t.said[enrolment][column] == nil {
		t.said[enrolment][column] = map[time.Time]saying{}
	}
	had, there := t.said[enrolment][column][at]
	if !there || s.rank > had.rank || s.rank == had.rank && s.value > had.value {
		t.said[enrolment][column][at] = s
	}
}

// write adds the cells after which the columns say that. What no file that is read again could have said stays.
func (t *telling) write(ctx context.Context) (int, error) {
	cells, err := cellsOf(ctx, t.tx, t.session.ID, nil)
	if err != nil {
		return 0, err
	}
	var out newCells
	for _, enrolment := range slices.Sorted(maps.Values(t.enrolments)) {
		for c := range t.of {
			column := t.columns[c]
			is, was := t.wanted(enrolment, column, cells[enrolment][column]), cells[enrolment][column]
			times := make([]time.Time, 0, len(is)+len(was))
			for _, s := range slices.Concat(is, was) {
				times = append(times, s.at)
			}
			slices.SortFunc(times, time.Time.Compare)
			for _, at := range slices.CompactFunc(times, time.Time.Equal) {
				want := is.at(at, NotAttempted)
				_, there := was.has(at)
				said, event := t.said[enrolment][column][at]
				event = event && said.rank < 0 // an older intake that comes later must find what it said
				if was.at(at, NotAttempted) != want || event && !there {
					out.add(enrolment, column, at, want)
					was = was.with(at, want)
				}
			}
		}
	}
	return len(out.ids), out.write(ctx, t.tx, t.session.ID)
}

// wanted is what a cell is to say over time.
func (t *telling) wanted(enrolment string, column int, was timeline[int64]) (is timeline[int64]) {
	for _, s := range was {
		if t.wiped[s.at] || !t.named[enrolment][s.at] {
			is = is.with(s.at, s.value)
		}
	}
	for at, s := range t.said[enrolment][column] {
		is = is.with(at, s.value)
	}
	return is
}

// newCells are cells to be added.
type newCells struct {
	ids, times      []string
	columns, values []int64
}

func (n *newCells) add(enrolment string, column int, at time.Time, value int64) {
	n.ids, n.times = append(n.ids, enrolment), append(n.times, at.Format(time.RFC3339Nano))
	n.columns, n.values = append(n.columns, int64(column)), append(n.values, value)
}

// write adds them, and keeps the counts of exercises anew.
func (n *newCells) write(ctx context.Context, tx *postgres.Tx, sessionID string) error {
	if len(n.ids) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, q.Q("AddCells"), sessionID, pq.Array(n.ids), pq.Array(n.columns), pq.Array(n.times), pq.Array(n.values), tx.Now()); err != nil {
		return err
	}
	for _, statement := range []string{"ForgetRuns", "KeepRuns"} {
		if _, err := tx.Exec(ctx, q.Q(statement), sessionID); err != nil {
			return err
		}
	}
	return nil
}
