package gradebook

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
)

// laterReport is a snapshot after an instant of which this intake says something, although it was imported before.
type laterReport struct {
	at      time.Time
	rank    int
	wiped   bool // its file is not kept any more: it said what the books say
	full    bool // who is not in it has left
	cohorts bool
	rows    map[string]*Row // by enrolment
	unread  map[string]bool // enrolments whose row could not be read
	columns map[int]int     // column → place among the cells of a row
}

// earliest is the first instant of which an intake says something.
func (k *intake) earliest() time.Time {
	first := k.at
	for _, e := range k.report.Events {
		if e.At.Before(first) {
			first = e.At
		}
	}
	return first
}

func (k *intake) readLater(ctx context.Context) error {
	if len(k.rows) == 0 && len(k.events) == 0 {
		return nil
	}
	var stored []struct {
		CollectedAt time.Time `db:"collected_at"`
		Kind        Kind      `db:"kind"`
		Content     []byte    `db:"content"`
	}
	if err := k.tx.Select(ctx, &stored, q.Q("LaterCollections"), k.session.ID, k.earliest(), pq.Array(snapshots)); err != nil {
		return err
	}
	for _, c := range stored {
		l := laterReport{at: c.CollectedAt.UTC(), rank: c.Kind.rank(), rows: map[string]*Row{}, unread: map[string]bool{}, columns: map[int]int{}}
		if l.at.Equal(k.at) && l.rank == k.rank {
			return ErrTimeTaken
		}
		if len(c.Content) == 0 {
			l.wiped = true
			k.later = append(k.later, l)
			continue
		}
		content, err := unpack(c.Content)
		if err != nil {
			return err
		}
		r, err := Parse(content)
		if err != nil {
			return fmt.Errorf("stored report of %s: %w", c.CollectedAt, err)
		}
		r.settle(l.at)
		if err := k.by.read(&r); err != nil {
			return err
		}
		l.full, l.cohorts = !r.Partial, r.Cohorts
		for i, c := range r.Columns {
			if id, known := k.columns[c]; known {
				l.columns[id] = i
			}
		}
		all := make([]learner, 0, len(r.Rows)+len(r.Rejects))
		for _, row := range r.Rows {
			all = append(all, row.learner())
		}
		for _, reject := range r.Rejects {
			all = append(all, r.rejected(reject))
		}
		who, err := k.people.find(ctx, all)
		if err != nil {
			return err
		}
		for i, person := range who {
			id := k.enrolments[person]
			switch {
			case person == "" || id == "":
			case i < len(r.Rows):
				l.rows[id] = &r.Rows[i]
			default:
				l.unread[id] = true
			}
		}
		k.later = append(k.later, l)
	}
	slices.SortStableFunc(k.later, func(a, b laterReport) int {
		if d := a.at.Compare(b.at); d != 0 {
			return d
		}
		return a.rank - b.rank
	})
	return nil
}

// rejected is who is behind a row that could not be read.
func (r Report) rejected(x Reject) learner {
	switch r.Kind {
	case Grades, Problems, Profiles:
		return learner{id: x.Subject}
	case Pulled:
		return learner{username: x.Subject}
	}
	return learner{any: x.Subject}
}

// after says whether a report has the word after an instant, or after one of a rank that was made at the very instant.
func (l *laterReport) after(at time.Time, rank int) bool {
	return l.at.After(at) || l.at.Equal(at) && l.rank > rank
}

// nextCell gives what the next snapshot says of a cell.
func (k *intake) nextCell(id string, column int, at time.Time, rank int, otherwise int64) (then time.Time, v int64, ok bool) {
	for i := range k.later {
		l := &k.later[i]
		if !l.after(at, rank) {
			continue
		}
		if l.wiped {
			return l.at, k.cells[id][column].at(l.at, otherwise), true
		}
		row := l.rows[id]
		place, has := l.columns[column]
		if row == nil || !has || row.Cells[place] == unsaid {
			continue
		}
		return l.at, row.Cells[place], true
	}
	return then, 0, false
}

// nextPresence gives what the next snapshot says of whether somebody is enrolled, as a whole one does by not naming her.
func (k *intake) nextPresence(id string, at time.Time, rank int) (then time.Time, enrolled, ok bool) {
	for i := range k.later {
		l := &k.later[i]
		if !l.after(at, rank) {
			continue
		}
		if l.wiped {
			return l.at, k.stages[id][journey.Enrolled].at(l.at, false), true
		}
		row := l.rows[id]
		if l.unread[id] || row == nil && !l.full || row != nil && row.Quiet {
			continue
		}
		return l.at, row != nil && row.Enrolled, true
	}
	return then, false, false
}

// nextCohort gives in which cohort the next snapshot says that somebody is.
func (k *intake) nextCohort(id string) (then time.Time, name string, ok bool) {
	for i := range k.later {
		l := &k.later[i]
		if !l.after(k.at, k.rank) {
			continue
		}
		if l.wiped {
			return l.at, k.cohorts[id].at(l.at, ""), true
		}
		if row := l.rows[id]; l.cohorts && row != nil {
			return l.at, row.Cohort, true
		}
	}
	return then, "", false
}
