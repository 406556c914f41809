package gradebook

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The plain forms: what any platform, or somebody with a spreadsheet, can write. A learner is called by what the platform calls her: an id, a
// username or an address.

// timeForms are how platforms and spreadsheets write an instant; without a zone it is UTC, and a date with strokes has its day first.
var timeForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05 UTC", "2006-01-02T15:04:05", "2006-01-02T15:04",
	"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "02/01/2006 15:04:05", "02/01/2006 15:04", "02/01/2006",
}

// parseTime reads an instant of a file: RFC 3339, or a date with or without a time, in UTC. It is exact to the microsecond, as the books are.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1990 && t.Year() < 2200 {
			return t.UTC().Truncate(time.Microsecond), true
		}
	}
	return time.Time{}, false
}

const badTime = "A time is written 2026-03-01T09:00:00Z or 2026-03-01."

// plain refuses a form of which a column that is read stands twice. Error: ErrNotAReport.
func (t *table) plain() error {
	for _, name := range []string{"learner", "exercise", "score", "attempted_at", "enrolled_at", "left_at"} {
		if t.twice[name] {
			return ErrNotAReport.Detailf("The column %s stands twice.", name)
		}
	}
	return nil
}

// cell gives a cell by the name of its column; "" where there is none.
func (t *table) cell(record []string, name string) string {
	if i, ok := t.at[name]; ok {
		return strings.TrimSpace(record[i])
	}
	return ""
}

// learner reads who a row is of.
func (t *table) learner(record []string) (key, name string, at int, code, detail string) {
	if at, code, detail = t.short(record); code != "" {
		if i := t.at["learner"]; i < len(record) {
			key = strings.Clone(strings.TrimSpace(record[i]))
		}
		return key, "", at, code, detail
	}
	key, name = strings.Clone(t.cell(record, "learner")), strings.Clone(t.cell(record, "name"))
	if key == "" || len(key) > 255 {
		return "", "", t.at["learner"], "bad-learner", "The learner's id, username or address is missing or too long."
	}
	if utf8.RuneCountInString(name) > 255 {
		return key, "", t.at["name"], "bad-learner", "The name is longer than 255 characters."
	}
	return key, name, 0, "", ""
}

// parseRoster reads learner, enrolled_at, left_at: a row for each time that somebody was enrolled. It says of each whether she is enrolled at the time of
// the file, and since when she was or was not; of who is not in it, it says nothing.
func parseRoster(t *table) (r Report, err error) {
	if err = t.plain(); err != nil {
		return r, err
	}
	r = Report{Kind: Roster, Family: Plain, Partial: true}
	r.Cohorts = t.has("cohort")
	stays := map[string][]stay{}
	err = t.each(func(record []string, line int) {
		row, s, at, code, detail := t.stay(record)
		for _, other := range stays[row.Key] {
			if code == "" && s.overlaps(other) {
				at, code, detail = t.at["enrolled_at"], "duplicated", fmt.Sprintf("By line %d she is enrolled at that time already.", other.line)
			}
		}
		if code != "" {
			r.Rejects = append(r.Rejects, Reject{Line: line, Column: at + 1, Code: code, Detail: detail, Subject: row.Key})
			return
		}
		row.line, s.line = line, line
		r.Rows, stays[row.Key] = append(r.Rows, row), append(stays[row.Key], s)
	})
	r.stayed(stays)
	return r, err
}

// stay is a time during which a roster says that somebody was enrolled; of one that goes on, left is nought.
type stay struct {
	came, left time.Time
	cohort     string
	line       int
}

func (s stay) overlaps(o stay) bool {
	if s.came.After(o.came) {
		s, o = o, s
	}
	return s.left.IsZero() || s.left.After(o.came) || s.came.Equal(o.came)
}

func (t *table) stay(record []string) (row Row, s stay, at int, code, detail string) {
	if row.Key, row.Username, at, code, detail = t.learner(record); code != "" {
		return row, s, at, code, detail
	}
	var ok bool
	if s.came, ok = parseTime(t.cell(record, "enrolled_at")); !ok {
		return row, s, t.at["enrolled_at"], "bad-time", badTime
	}
	if s.cohort = strings.Clone(t.cell(record, "cohort")); utf8.RuneCountInString(s.cohort) > 255 {
		return row, s, t.at["cohort"], "bad-cohort", "The cohort's name is longer than 255 characters."
	}
	row.Enrolled = true
	if said := t.cell(record, "left_at"); said != "" {
		if s.left, ok = parseTime(said); !ok {
			return row, s, t.at["left_at"], "bad-time", badTime
		}
		if s.left.Before(s.came) {
			return row, s, t.at["left_at"], "left-before", "She left before she was enrolled."
		}
		row.Enrolled = false
	}
	return row, s, 0, "", ""
}

// stayed says when each came and left, in the order of the times. Who leaves at the instant at which she is back has not left. Her last stay says in
// which cohort she is.
func (r *Report) stayed(all map[string][]stay) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		stays := all[key]
		slices.SortFunc(stays, func(a, b stay) int { return a.came.Compare(b.came) })
		for i, s := range stays {
			if i == 0 || !stays[i-1].left.Equal(s.came) {
				r.Events = append(r.Events, Event{Key: key, Column: presence, At: s.came, Value: 1})
			}
			if !s.left.IsZero() && (i+1 == len(stays) || !stays[i+1].came.Equal(s.left)) {
				r.Events = append(r.Events, Event{Key: key, Column: presence, At: s.left, Value: 0})
			}
		}
	}
	for i, row := range r.Rows {
		r.Rows[i].Cohort = all[row.Key][len(all[row.Key])-1].cohort
	}
}

// settle says of a roster who is enrolled at the time at which it was made: a leave may be announced in it. Who is to come later is refused.
func (r *Report) settle(at time.Time) {
	if r.Kind != Roster {
		return
	}
	now, to := map[string]int64{}, map[string]bool{}
	r.Events = slices.DeleteFunc(r.Events, func(e Event) bool {
		if e.At.After(at) {
			to[e.Key] = to[e.Key] || e.Value == 1
			return true
		}
		now[e.Key] = e.Value
		return false
	})
	r.Rows = slices.DeleteFunc(r.Rows, func(row Row) bool {
		_, was := now[row.Key]
		if to[row.Key] && !was {
			r.Rejects = append(r.Rejects, Reject{Line: row.line, Column: 1, Code: "in-the-future", Detail: "She is to be enrolled after the time of the file.", Subject: row.Key})
		}
		return to[row.Key] && !was
	})
	for i, row := range r.Rows {
		r.Rows[i].Enrolled = now[row.Key] == 1
	}
}

// places are those of the columns of a report that is being read.
type places map[Column]int

// of finds the place of a column, making it where it is new.
func (p places) of(r *Report, c Column) int {
	at, known := p[c]
	if !known {
		at = len(r.Columns)
		p[c], r.Columns = at, append(r.Columns, c)
	}
	return at
}

const badLabel = "An exercise has a name of 1 to 255 characters."

func okLabel(label string) bool {
	return label != "" && utf8.RuneCountInString(label) <= 255 && writable(label)
}

// writable says whether the database takes a text: JSON can spell a letter that it does not.
func writable(text string) bool { return !strings.ContainsRune(text, 0) }

// parseLong reads learner, exercise, score and, optionally, attempted_at: a row per score, at the time of the attempt. Without a time it is
// that of the file. The exercise grade is the total.
func parseLong(t *table) (r Report, err error) {
	if err = t.plain(); err != nil {
		return r, err
	}
	r = Report{Kind: Long, Family: Plain, Partial: true}
	place, on := places{}, scale{}
	err = t.each(func(record []string, line int) {
		if blank(record) {
			return
		}
		e, label, at, code, detail := t.score(record)
		if code == "" || code == "bad-score" {
			on.see(record[t.at["score"]], t.comma, e.Value, code == "", line, t.at["score"]+1)
		}
		if code != "" {
			r.Rejects = append(r.Rejects, Reject{Line: line, Column: at + 1, Code: code, Detail: detail, Subject: e.Key})
			return
		}
		c := Column{Kind: "exercise", Label: label}
		if strings.EqualFold(label, "grade") || strings.EqualFold(label, "total") {
			c = Column{Kind: "grade", Label: "grade"}
		}
		e.Column, e.line = place.of(&r, c), line
		r.Events = append(r.Events, e)
	})
	return r, cmp.Or(err, on.refused())
}

func (t *table) score(record []string) (e Event, label string, at int, code, detail string) {
	if e.Key, e.Username, at, code, detail = t.learner(record); code != "" {
		return e, "", at, code, detail
	}
	label = strings.Clone(t.cell(record, "exercise"))
	if !okLabel(label) {
		return e, "", t.at["exercise"], "bad-label", badLabel
	}
	var ok bool
	if e.Value, ok = plainScore(record[t.at["score"]], t.comma); !ok {
		return e, "", t.at["score"], "bad-score", badPlainScore
	}
	if said := t.cell(record, "attempted_at"); said != "" {
		if e.At, ok = parseTime(said); !ok {
			return e, "", t.at["attempted_at"], "bad-time", badTime
		}
	}
	return e, label, 0, "", ""
}

const badPlainScore = "A score is a number from 0 to 1, a percentage such as 85 %, Not Attempted, Not Available or -."

// plainScore reads a score of a plain form: beside what grade reports write, a percentage or a dash, as other platforms do.
func plainScore(s string, decimalComma bool) (int64, bool) {
	s = strings.TrimSpace(s)
	if s == "-" {
		return NotAttempted, true
	}
	if percent, is := strings.CutSuffix(s, "%"); is {
		of := points(strings.TrimSpace(percent), decimalComma)
		if of == nil {
			return 0, false
		}
		return billionths(of.Quo(of, big.NewRat(100, 1)))
	}
	return parseCell(s, decimalComma)
}

// scale watches whether scores are points or per cent without the sign: then a 1 among them is no full score.
type scale struct {
	fit, above int
	where      string // the first that is above 1
}

func (s *scale) see(said string, decimalComma bool, v int64, ok bool, line, column int) {
	switch {
	case ok && v > 0:
		s.fit++
	case !ok && points(strings.TrimSpace(said), decimalComma) != nil:
		if s.above++; s.where == "" {
			s.where = fmt.Sprintf("line %d, column %d", line, column)
		}
	}
}

// refused says that most scores are above 1. Error: ErrScale.
func (s *scale) refused() error {
	if s.above <= s.fit {
		return nil
	}
	return ErrScale.At(s.where, "bad-score", badPlainScore)
}

// asides are the columns of a wide form that are no exercises.
var asides = map[string]bool{"learner": true, "name": true, "cohort": true, "status": true, "email": true}

// parseWide reads learner and a column per exercise; grade is the total, an empty cell was not attempted. Who is not in it has left only where
// the file has a column status, so that it speaks of enrolments.
func parseWide(t *table) (r Report, err error) {
	if err = t.plain(); err != nil {
		return r, err
	}
	r = Report{Kind: Wide, Family: Plain}
	r.Cohorts = t.has("cohort")
	speaks := t.has("status")
	r.Partial = !speaks
	var place []int // of the columns, in the file
	seen := map[Column]int{}
	for i, h := range t.header {
		label := strings.TrimSpace(h)
		if low := strings.ToLower(label); asides[low] && t.at[low] == i {
			continue
		}
		if !okLabel(label) {
			return r, ErrNotAReport.Detailf("A score column has no name, or one of more than 255 characters.")
		}
		c := Column{Kind: "exercise", Label: label}
		switch {
		case strings.EqualFold(label, "grade") && t.at["grade"] == i:
			c = Column{Kind: "grade", Label: "grade"}
		case averageLabel.MatchString(label):
			c.Kind = "average"
		}
		bare := c
		c.Occurrence = seen[bare] // two exercises may have one name: they are told apart by their order
		seen[bare]++
		place = append(place, i)
		r.Columns = append(r.Columns, c)
	}
	if len(r.Columns) == 0 {
		return r, ErrNotAReport.Detailf("The file has no column of scores.")
	}
	on := scale{}
	err = r.rows(t, t.at["learner"], func(record []string) (row Row, at int, code, detail string) {
		if row.Key, row.Username, at, code, detail = t.learner(record); code != "" {
			return row, at, code, detail
		}
		row.Enrolled, row.Quiet, row.Cohort = true, !speaks, strings.Clone(t.cell(record, "cohort"))
		if utf8.RuneCountInString(row.Cohort) > 255 {
			return row, t.at["cohort"], "bad-cohort", "The cohort's name is longer than 255 characters."
		}
		if speaks {
			switch strings.ToLower(t.cell(record, "status")) {
			case "enrolled":
			case "unenrolled":
				row.Enrolled = false
			default:
				return row, t.at["status"], "bad-status", "The enrolment status is enrolled or unenrolled."
			}
		}
		row.Cells = make([]int64, len(r.Columns))
		for c, i := range place {
			said := strings.TrimSpace(record[i])
			if said == "" {
				said = "Not Attempted"
			}
			v, ok := plainScore(said, t.comma)
			line, _ := t.in.FieldPos(0)
			on.see(said, t.comma, v, ok, line, i+1)
			if !ok {
				return row, i, "bad-score", badPlainScore
			}
			if v < 0 && r.Columns[c].Kind == "grade" {
				v = 0
			}
			row.Cells[c] = v
		}
		return row, 0, "", ""
	})
	return r, cmp.Or(err, on.refused())
}
