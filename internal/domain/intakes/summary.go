package intakes

import (
	"slices"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
)

// Limits of what a summary names: learners and rows that were left out, and columns that it asks about.
const (
	shown = 100
	asked = 200
)

// Summary is what a file does, or did, as far as a page shows it.
type Summary struct {
	IntakeID    string                    `json:"intake"`
	Kind        string                    `json:"kind"` // as Intake.Kind
	CollectedAt time.Time                 `json:"collected_at"`
	Replayed    bool                      `json:"replayed"`
	Counts      []Count                   `json:"counts"`
	Learners    []gradebook.LearnerChange `json:"learners"` // the first of whom it changes something
	More        int                       `json:"more"`     // of how many others
	Left        []LeftOut                 `json:"left"`     // the first rows that were left out
	Questions   []gradebook.Question      `json:"questions"`
	Warnings    []string                  `json:"warnings"` // what to look at before it is applied
	Unmapped    []string                  `json:"unmapped"`
	New         []string                  `json:"new_columns"`
	Absent      []string                  `json:"absent_columns"`
	Columns     []surveys.Mapped          `json:"columns"` // of a survey
}

// Count is a number of what a file does, and what is counted.
type Count struct {
	What string `json:"what"`
	N    int    `json:"n"`
}

// LeftOut is a row that was left out.
type LeftOut struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Problem is why a file was refused.
type Problem struct {
	Code   string        `json:"code"`
	Detail string        `json:"detail"`
	Fields []fault.Field `json:"fields"`
}

// Summarise says it.
func Summarise(t Taken) Summary {
	s := Summary{IntakeID: t.ID(), Kind: t.Kind, CollectedAt: t.CollectedAt(), Replayed: t.Replayed()}
	left := func(x LeftOut) { s.Left = append(s.Left, x) }
	switch {
	case t.Grades != nil:
		c := t.Grades
		s.Kind, s.Unmapped, s.New, s.Absent = string(c.Kind), c.Unmapped, c.NewColumns, c.AbsentColumns
		s.Counts = []Count{
			{"rows", c.RowsRead}, {"new", c.LearnersNew}, {"back", c.LearnersBack}, {"left", c.LearnersLeft}, {"first", c.ScoresFirst}, {"raised", c.ScoresRaised},
			{"lowered", c.ScoresLowered}, {"dropped", c.ScoresDropped}, {"rejected", c.RowsRejected}, {"passed", c.LinesIgnored},
		}
		s.Learners, s.More = c.Learners[:min(len(c.Learners), shown)], max(len(c.Learners)-shown, 0)
		s.Warnings = c.Warnings
		s.Questions = c.Questions[:min(len(c.Questions), asked)]
		for _, x := range c.Rejects {
			left(LeftOut{x.Line, x.Column, x.Code, x.Detail})
		}
	case t.Answers != nil:
		a := t.Answers
		s.Columns = a.Map
		s.Counts = []Count{{"added", a.New}, {"changed", a.Changed}, {"unchanged", a.Unchanged}, {"rejected", a.Rejected}}
		for _, x := range a.Outcomes {
			if x.Outcome == surveys.RowRejected {
				left(LeftOut{x.Line, x.Column, x.Code, x.Detail})
			}
		}
	case t.Results != nil:
		r := t.Results
		s.Counts = []Count{{"added", r.Count(exams.RowNew)}, {"changed", r.Count(exams.RowChanged)}, {"unchanged", r.Count(exams.RowUnchanged)}, {"rejected", r.Count(exams.RowRefused)}}
		for _, x := range r.Rows {
			if x.Outcome == exams.RowRefused {
				left(LeftOut{x.Line, x.Column, x.Code, x.Detail})
			}
		}
	}
	slices.SortStableFunc(s.Left, func(a, b LeftOut) int { return a.Line - b.Line })
	s.Left = s.Left[:min(len(s.Left), shown)]
	return s
}

// ofFile gives what is wrong with one file; nil: it is nothing of the file, so that all of them wait.
func ofFile(err error) *Problem {
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return nil
	}
	return &Problem{f.Code, f.Detail, f.Fields}
}
