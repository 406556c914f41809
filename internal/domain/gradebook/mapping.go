package gradebook

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Meaning says what a column of reports is.
type Meaning string

// The meanings that people give to columns.
const (
	SameExercise Meaning = "exercise" // another name of an exercise
	NewExercise  Meaning = "new"      // an exercise that the map did not have
	NoExercise   Meaning = "ignored"  // nothing that is graded
	Itself       Meaning = "itself"   // what its name says, as if nobody had said anything
)

// Mapping is what somebody decided of a column, known by its label and its place among the columns of that label.
type Mapping struct {
	Label      string  `db:"label" json:"label"`
	Occurrence int     `db:"occurrence" json:"occurrence"`
	Meaning    Meaning `db:"meaning" json:"meaning"`
	// Exercise is which one a SameExercise is, ExerciseOccurrence its place among columns of that label.
	Exercise           string    `db:"exercise" json:"exercise,omitempty"`
	ExerciseOccurrence int       `db:"exercise_occurrence" json:"exercise_occurrence,omitempty"`
	Week               *int      `db:"week" json:"week,omitempty"` // of a NewExercise, 0 to 53
	DecidedBy          string    `db:"decided_by" json:"decided_by"`
	DecidedAt          time.Time `db:"decided_at" json:"decided_at"`
}

func (m Mapping) column() Column { return Column{"exercise", m.Label, m.Occurrence} }

func (m Mapping) target() Column { return Column{"exercise", m.Exercise, m.ExerciseOccurrence} }

// InWeek is the week of a NewExercise.
func (m Mapping) InWeek() int {
	if m.Week == nil {
		return 0
	}
	return *m.Week
}

// ReadMapping reads what people write of a column: its name, a sign of equality, and exercise:NAME, new:WEEK, ignore or itself. The name of a column
// may hold such a sign, too. False: it is nothing of these.
func ReadMapping(s string) (m Mapping, ok bool) {
	if label, exercise, same := cutLast(s, "=exercise:"); same {
		m = Mapping{Label: label, Meaning: SameExercise, Exercise: exercise}
		return m, label != "" && exercise != ""
	}
	label, is, _ := cutLast(s, "=")
	m.Label = label
	switch week, placed := strings.CutPrefix(is, "new:"); {
	case placed:
		n, err := strconv.Atoi(week)
		m.Meaning, m.Week = NewExercise, &n
		return m, label != "" && err == nil
	case is == "ignore":
		m.Meaning = NoExercise
	case is == "itself":
		m.Meaning = Itself
	}
	return m, label != "" && m.Meaning != ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return strings.TrimSpace(s[:at]), strings.TrimSpace(s[at+len(sep):]), true
}

// same says that nothing new was decided.
func (m Mapping) same(o Mapping) bool {
	return m.column() == o.column() && m.Meaning == o.Meaning && m.target() == o.target() && (m.Week == nil) == (o.Week == nil) && (m.Week == nil || *m.Week == *o.Week)
}

// Mappings are what was decided of the columns of a session. Version counts from 1, before the first decision.
type Mappings struct {
	Version int       `json:"-"`
	Current []Mapping `json:"columns"` // one a column, in the order of their first decision
	History []Mapping `json:"history"` // the newest first
}

// mapped are the decisions that hold.
type mapped map[Column]Mapping

// MappingsTx reads what was decided of the columns of a session (id or key). Error: catalog.ErrNoSession.
func MappingsTx(ctx context.Context, tx *postgres.Tx, session string) (Mappings, error) {
	of, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return Mappings{}, err
	}
	return mappingsTx(ctx, tx, of.ID)
}

func mappingsTx(ctx context.Context, tx *postgres.Tx, sessionID string) (all Mappings, err error) {
	all = Mappings{Current: []Mapping{}, History: []Mapping{}}
	if err := tx.Select(ctx, &all.History, q.Q("Mappings"), sessionID); err != nil {
		return all, err
	}
	at := map[Column]int{}
	for _, m := range slices.Backward(all.History) {
		i, known := at[m.column()]
		if !known {
			i = len(all.Current)
			at[m.column()], all.Current = i, append(all.Current, m)
		}
		all.Current[i] = m
	}
	all.Version = 1 + len(all.History)
	return all, nil
}

func (all Mappings) holding() mapped {
	out := mapped{}
	for _, m := range all.Current {
		if m.Meaning != Itself {
			out[m.column()] = m
		}
	}
	return out
}

// of gives which column is meant by one; false: none.
func (m mapped) of(c Column) (Column, bool) {
	switch said := m[c]; said.Meaning {
	case SameExercise:
		return said.target(), true
	case NoExercise:
		return Column{}, false
	}
	return c, true
}

// elsewhere says that what stands under the name of a column is kept under another one, or nowhere.
func (m mapped) elsewhere(c Column) bool {
	to, is := m.of(c)
	return !is || to != c
}

// places gives which column each column of a report is; the kind of one that is nothing is empty. Error: ErrTwoColumns where two of them are one
// exercise: nobody could say which one counts.
func (m mapped) places(columns []Column) (is []Column, err error) {
	seen := map[Column]Column{}
	for _, c := range columns {
		to, there := m.of(c)
		if other, twice := seen[to]; there && twice {
			return nil, ErrTwoColumns.Detailf("The columns %q and %q of the file are one exercise, %q, by what was said of them.", other.Label, c.Label, to.Label)
		}
		seen[to], is = c, append(is, to)
	}
	return is, nil
}

// read puts each column of a report where it belongs. Error: ErrTwoColumns.
func (m mapped) read(r *Report) error {
	is, err := m.places(r.Columns)
	if err != nil || slices.Equal(is, r.Columns) {
		return err
	}
	to, from := make([]int, len(is)), []int{}
	var columns []Column
	for i, c := range is {
		if to[i] = -1; c.Kind != "" {
			to[i], columns, from = len(columns), append(columns, c), append(from, i)
		}
	}
	r.Columns = columns
	for i, row := range r.Rows {
		if len(row.Cells) == 0 {
			continue
		}
		cells := make([]int64, len(from))
		for n, was := range from {
			cells[n] = row.Cells[was]
		}
		r.Rows[i].Cells = cells
	}
	events := r.Events[:0:0]
	for _, e := range r.Events {
		if e.Column != presence {
			if e.Column = to[e.Column]; e.Column < 0 {
				continue
			}
		}
		events = append(events, e)
	}
	r.Events = events
	return nil
}

// maxMappings bounds what is decided at once; the longest course that we know has 60 columns.
const maxMappings = 1000

// MapColumnsTx decides what columns of a session (id or key) are. Expected is the version that the caller read; 0: any. What intakes that
// came before say under the names is told again, so that it does not matter when somebody decides. Errors: catalog.ErrNoSession, ErrMappingChanged,
// ErrTwoColumns, invalid input with its place; of a new exercise those of catalog.PutExercisesTx.
func MapColumnsTx(ctx context.Context, tx *postgres.Tx, session string, decisions []Mapping, expected int) (Mappings, error) {
	of, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return Mappings{}, err
	}
	if _, err := tx.Exec(ctx, q.Q("LockSession"), of.ID); err != nil {
		return Mappings{}, err
	}
	if expected > 0 {
		before, err := mappingsTx(ctx, tx, of.ID)
		if err != nil {
			return before, err
		}
		if before.Version != expected {
			return before, ErrMappingChanged
		}
	}
	return mapColumnsTx(ctx, tx, of.ID, decisions)
}

// mapColumnsTx does it, under the lock of the session.
func mapColumnsTx(ctx context.Context, tx *postgres.Tx, sessionID string, decisions []Mapping) (Mappings, error) {
	before, err := mappingsTx(ctx, tx, sessionID)
	if err != nil || len(decisions) == 0 {
		return before, err
	}
	exercises, err := catalog.ExercisesTx(ctx, tx, sessionID)
	if err != nil {
		return before, err
	}
	kept, err := columnsTx(ctx, tx, sessionID)
	if err != nil {
		return before, err
	}
	fresh, err := checkMappings(before, decisions, exercises, kept)
	if err != nil || len(fresh) == 0 {
		return before, err
	}
	if err := addMappings(ctx, tx, sessionID, fresh); err != nil {
		return before, err
	}
	if err := placeNew(ctx, tx, sessionID, exercises, fresh); err != nil {
		return before, err
	}
	after, err := mappingsTx(ctx, tx, sessionID)
	if err != nil {
		return after, err
	}
	retold := 0
	if of := affected(before.holding(), fresh, kept); len(of) > 0 {
		if retold, err = retellTx(ctx, tx, sessionID, of, after.holding()); err != nil {
			return after, err
		}
	}
	return after, audit.AppendTx(ctx, tx, audit.Entry{Action: "columns.mapped", Object: sessionID, Before: map[string]any{"columns": before.Current},
		After: map[string]any{"columns": after.Current}, Detail: map[string]int{"decisions": len(fresh), "cells": retold}})
}

// affected are the columns of which intakes that came before say something else after decisions. Of a name that none of them had they say the same.
func affected(before mapped, fresh []Mapping, kept []column) (all []Column) {
	for _, m := range fresh {
		was, decided := before[m.column()]
		if !decided && !slices.ContainsFunc(kept, func(k column) bool { return k.key() == m.column() }) {
			continue
		}
		all = append(all, m.column())
		if m.Meaning == SameExercise {
			all = append(all, m.target())
		}
		if was.Meaning == SameExercise {
			all = append(all, was.target())
		}
	}
	return all
}

// checkMappings gives the decisions that say something new. A name leads to an exercise in one step.
func checkMappings(before Mappings, decisions []Mapping, exercises []catalog.Exercise, kept []column) (fresh []Mapping, err error) {
	if len(decisions) > maxMappings {
		return nil, fault.InvalidInput(fault.Field{Pointer: "/columns", Code: "too-many", Detail: "At most 1,000 columns."})
	}
	holds := before.holding()
	seen := map[Column]bool{}
	var wrong []fault.Field
	refuse := func(i int, field, code, detail string) {
		wrong = append(wrong, fault.Field{Pointer: fmt.Sprintf("/columns/%d/%s", i, field), Code: code, Detail: detail})
	}
	for i, d := range decisions {
		c := d.column()
		switch {
		case !okLabel(d.Label) || d.Occurrence < 0 || d.Occurrence > 1000:
			refuse(i, "label", "bad-label", badLabel)
		case seen[c]:
			refuse(i, "label", "duplicate", "A column stands twice in the list.")
		case !slices.Contains([]Meaning{SameExercise, NewExercise, NoExercise, Itself}, d.Meaning):
			refuse(i, "meaning", "bad-meaning", "exercise, new, ignored or itself.")
		case (d.Meaning == SameExercise) != (d.Exercise != "") || d.ExerciseOccurrence < 0:
			refuse(i, "exercise", "bad-exercise", "Say which exercise it is, and of no other meaning.")
		case d.Meaning == SameExercise && !known(d.target(), exercises, kept) && !holds.elsewhere(d.target()):
			refuse(i, "exercise", "no-such-exercise", "Neither the map of the session nor an earlier file has this exercise.")
		case d.Meaning == SameExercise && d.target() == c:
			refuse(i, "exercise", "same-column", "The column is this exercise already.")
		case (d.Meaning == NewExercise) != (d.Week != nil) || d.Week != nil && (*d.Week < 0 || *d.Week > 53):
			refuse(i, "week", "bad-week", "A new exercise is of a week, 0 to 53; no other meaning has one.")
		case d.Meaning == NewExercise && slices.ContainsFunc(exercises, func(e catalog.Exercise) bool { return e.Label == d.Label }) && !holds[c].same(d):
			refuse(i, "label", "exercise-known", "The map of the session has this exercise.")
		}
		seen[c] = true
		if d.Meaning == Itself {
			delete(holds, c)
		} else {
			holds[c] = d
		}
	}
	for i, d := range decisions { // over what holds after all of them
		if d.Meaning == SameExercise && holds.elsewhere(d.target()) {
			refuse(i, "exercise", "named-elsewhere", "The exercise stands under another name itself. Name that one.")
		}
		if holds.elsewhere(d.column()) {
			for _, m := range holds {
				if m.Meaning == SameExercise && m.target() == d.column() {
					refuse(i, "label", "named-by-another", fmt.Sprintf("The column %q is said to be this one. Decide of it first.", m.Label))
				}
			}
		}
	}
	if wrong != nil {
		return nil, fault.InvalidInput(wrong...)
	}
	for _, d := range decisions {
		if !slices.ContainsFunc(before.Current, d.same) {
			fresh = append(fresh, d)
		}
	}
	return fresh, nil
}

// known says whether an exercise is one of the map or of earlier files.
func known(c Column, exercises []catalog.Exercise, kept []column) bool {
	return slices.ContainsFunc(exercises, func(e catalog.Exercise) bool { return e.Label == c.Label }) || slices.ContainsFunc(kept, func(k column) bool { return k.key() == c })
}

func addMappings(ctx context.Context, tx *postgres.Tx, sessionID string, fresh []Mapping) error {
	var labels, meanings, exercises []string
	var occurrences, places, weeks []int64
	for _, m := range fresh {
		week := int64(-1)
		if m.Week != nil {
			week = int64(*m.Week)
		}
		labels, meanings, exercises = append(labels, m.Label), append(meanings, string(m.Meaning)), append(exercises, m.Exercise)
		occurrences, places, weeks = append(occurrences, int64(m.Occurrence)), append(places, int64(m.ExerciseOccurrence)), append(weeks, week)
	}
	_, err := tx.Exec(ctx, q.Q("AddMappings"), sessionID, pq.Array(labels), pq.Array(occurrences), pq.Array(meanings), pq.Array(exercises), pq.Array(places), pq.Array(weeks), clip(postgres.Author(ctx)), tx.Now())
	return err
}

// placeNew puts new exercises into the map of the session, at its end.
func placeNew(ctx context.Context, tx *postgres.Tx, sessionID string, exercises []catalog.Exercise, fresh []Mapping) error {
	n := len(exercises)
	for _, m := range fresh {
		if m.Meaning == NewExercise && !slices.ContainsFunc(exercises, func(e catalog.Exercise) bool { return e.Label == m.Label }) {
			exercises = append(exercises, catalog.NewExercise(m.Label, *m.Week))
		}
	}
	if len(exercises) == n {
		return nil
	}
	_, err := catalog.PutExercisesTx(ctx, tx, sessionID, exercises, 0)
	return err
}
