package gradebook

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/kernel/sheet"
)

// Values of a cell that are not scores. Scores are billionths, 0 to 1,000,000,000.
const (
	NotAttempted int64 = -1
	NotAvailable int64 = -2
	unsaid       int64 = -3 // the report says nothing of it; never kept
	one          int64 = 1_000_000_000
)

// maxReportBytes bounds a report, also after inflating it.
const maxReportBytes = 256 << 20

// Families of grade reports. A legacy file writes 0 in a cell that was never touched, so there 0 is NotAttempted, unless the file has a mark for that.
const (
	Legacy = "legacy"
	Modern = "modern"
)

// Column is a column of scores, known by its label and its place among the columns of the same label.
type Column struct {
	Kind       string // grade, exercise or average
	Label      string
	Occurrence int
}

// Report is an intake as it was read: what it says of learners at the time at which it was made (Rows), and at times of their own (Events).
type Report struct {
	Kind    Kind
	Family  string
	Columns []Column // of a grade report, the first is the total grade
	Rows    []Row
	Events  []Event
	Rejects []Reject
	Titles  map[string]string // label of an exercise → what people call it, where that is something else
	Partial bool              // who is not in it has not left
	Cohorts bool              // it says in which cohort each is
	Known   []Alias           // other keys of learners, for other intakes
	Issued  []Issued          // certificates that the platform counts
	Ignored []Reject          // what is of no concern here, with the reason
}

// Row is one learner. Cells stand in the order of the report's columns.
type Row struct {
	Subject, Username, Cohort string
	Email                     string // as the platform knows it; may be empty
	Key                       string // where the file does not say what kind of key it has: an id, a username or an address
	Enrolled                  bool
	Quiet                     bool // it says nothing of whether she is enrolled
	Cells                     []int64

	line int
}

// key is what the file calls her.
func (r Row) key() string {
	return cmp.Or(r.Subject, r.Key, r.Username)
}

// Event is what an intake says of a learner since an instant: a score in a column, or that she came (1) or left (0).
type Event struct {
	Key      string
	Username string // where it says so beside the key
	Column   int    // among the report's columns; presence: that she is enrolled or not
	At       time.Time
	Value    int64

	line   int
	id     string // of the statement
	course string // that it says to be of; "" where it does not
}

// presence stands for a column in an event that says whether she is enrolled.
const presence = -1

// Reject is a row that was not taken, with its place in the file.
type Reject struct {
	Line    int    `json:"line" db:"line"`
	Column  int    `json:"column" db:"col"`
	Code    string `json:"code" db:"code"`
	Detail  string `json:"detail" db:"detail"`
	Subject string `json:"-"` // the learner, where the row still says who
	ID      string `json:"-"` // of the statement
}

var tailHeaders = map[string]bool{
	"cohort name": true, "team name": true, "enrollment track": true, "verification status": true, "certificate eligible": true,
	"certificate delivered": true, "certificate type": true, "enrollment status": true,
}

var (
	averageLabel    = regexp.MustCompile(`(^|\s)(Avg|\(Avg\))$`)
	subsectionLabel = regexp.MustCompile(`^.+ [0-9]+: `) // a current report: the assignment type, the number, and what the course calls the subsection
)

// isAverage says whether a column of a grade report is the average of those before it. A course may call a subsection whatever it likes, "Week 2
// (Avg)" too: such a column is an exercise.
func isAverage(family, label string, before []Column) bool {
	if !averageLabel.MatchString(label) {
		return false
	}
	kind := strings.TrimSpace(averageLabel.ReplaceAllString(label, ""))
	if family == Legacy || !subsectionLabel.MatchString(label) {
		return true
	}
	return slices.ContainsFunc(before, func(c Column) bool {
		number, of := strings.CutPrefix(c.Label, kind+" ")
		return of && subsectionLabel.MatchString("x "+number)
	})
}

// text undoes compression and encoding.
func text(raw []byte) ([]byte, error) {
	data, err := sheet.Text(raw, maxReportBytes)
	return data, refusedText(err)
}

// refusedText says why a text cannot be read, and where: nil stays nil.
func refusedText(err error) error {
	var bad *sheet.BadLetter
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sheet.ErrTooLarge):
		return ErrTooLarge
	case errors.Is(err, sheet.ErrWorkbook):
		return ErrWorkbook
	case errors.As(err, &bad):
		return ErrUnreadable.At(fmt.Sprintf("line %d, column %d", bad.Line, bad.Column), "bad-encoding", "The letter here cannot be read.").Because(err)
	}
	return ErrUnreadable.Because(err)
}

// Exercises reads the header of a grade report of either family, and nothing else of it: the labels of its exercises, in their order,
// without the total grade and the averages; a label that stands twice is given once. Errors: those of Parse.
func Exercises(raw []byte) (labels []string, family string, err error) {
	data, err := text(raw)
	if err != nil {
		return nil, "", err
	}
	t, err := openTable(sheet.Reader(data))
	if err != nil {
		return nil, "", err
	}
	if problems(t.header) {
		return nil, "", ErrNotAReport
	}
	l, err := readHeader(t.header)
	for _, c := range l.columns {
		if c.Kind == "exercise" && c.Occurrence == 0 {
			labels = append(labels, c.Label)
		}
	}
	return labels, l.family, err
}

// layout says which column of the file holds what; -1 is absent.
type layout struct {
	family                            string
	subject, username, cohort, status int
	email                             int
	first                             int // of the score columns, the total grade
	columns                           []Column
}

func readHeader(header []string) (layout, error) {
	l := layout{subject: -1, username: -1, cohort: -1, status: -1, email: -1, first: -1}
	end := len(header)
	for i, h := range header {
		switch name := strings.ToLower(strings.TrimSpace(h)); {
		case l.first < 0 && name == "student id":
			l.family, l.subject = Modern, i
		case l.first < 0 && name == "id":
			l.family, l.subject = Legacy, i
		case l.first < 0 && name == "email":
			l.email = i
		case l.first < 0 && name == "username":
			l.username = i
		case l.first < 0 && name == "grade":
			l.first = i
		case l.first >= 0 && (tailHeaders[name] || strings.HasPrefix(name, "experiment group (")):
			end = min(end, i)
			switch name {
			case "cohort name":
				l.cohort = i
			case "enrollment status":
				l.status = i
			}
		}
	}
	if l.subject < 0 || l.username < 0 || l.first < 0 {
		return l, ErrNotAReport
	}
	l.columns = []Column{{Kind: "grade", Label: "grade"}}
	seen := map[Column]int{}
	for _, h := range header[l.first+1 : end] {
		c := Column{Kind: "exercise", Label: strings.TrimSpace(h)}
		if c.Label == "" || utf8.RuneCountInString(c.Label) > 255 {
			return l, ErrNotAReport.Detailf("A score column has no name, or one of more than 255 characters.")
		}
		if isAverage(l.family, c.Label, l.columns) {
			c.Kind = "average"
		}
		c.Occurrence = seen[c]
		seen[Column{Kind: c.Kind, Label: c.Label}]++
		l.columns = append(l.columns, c)
	}
	return l, nil
}

// parseGrades reads a grade report of either family. A row that cannot be read becomes a Reject and never shifts into another
// column; a learner who is in it twice is taken once.
func parseGrades(t *table) (Report, error) {
	l, err := readHeader(t.header)
	if err != nil {
		return Report{}, err
	}
	r := Report{Kind: Grades, Family: l.family, Columns: append([]Column(nil), l.columns...), Cohorts: l.cohort >= 0}
	err = r.rows(t, l.subject, func(record []string) (Row, int, string, string) { return l.row(t, record) })
	// A report with a status names those who left, too. Who is not in it is one whose grade the platform failed to compute, or who is of no concern
	// to a report of the verified alone.
	r.Partial = l.status >= 0
	if r.Family == Legacy && !r.marks() {
		r.noughtsAreUntouched()
	}
	return r, err
}

// marks says whether a report has a mark for what was not attempted: then a nought in it is a score.
func (r *Report) marks() bool {
	return slices.ContainsFunc(r.Rows, func(row Row) bool {
		return slices.Contains(row.Cells, NotAttempted)
	})
}

// noughtsAreUntouched reads the noughts of a report without such a mark.
func (r *Report) noughtsAreUntouched() {
	for _, row := range r.Rows {
		for i, v := range row.Cells[1:] {
			if v == 0 {
				row.Cells[i+1] = NotAttempted
			}
		}
	}
}

// rows reads what follows the header; subject is the column of the learner, for what is said of a row that is twice there.
func (r *Report) rows(t *table, subject int, read func(record []string) (row Row, at int, code, detail string)) error {
	seen := map[string]bool{}
	err := t.each(func(record []string, line int) {
		events, known := len(r.Events), len(r.Known)
		row, at, code, detail := read(record)
		if code == "" && seen[row.key()] {
			at, code, detail = subject, "duplicated", "The learner is in the file twice."
		}
		if code != "" {
			r.Events, r.Known = r.Events[:events], r.Known[:known] // nothing of it counts
			r.Rejects = append(r.Rejects, Reject{Line: line, Column: at + 1, Code: code, Detail: detail, Subject: row.key()})
			return
		}
		seen[row.key()] = true
		row.line = line
		r.Rows = append(r.Rows, row)
	})
	if err == nil && len(r.Rows) == 0 && !r.Partial { // it would un-enrol everybody
		return ErrNobody
	}
	return err
}

func (l layout) row(t *table, record []string) (row Row, at int, code, detail string) {
	if row, at, code, detail = t.person(record, l.subject, l.username, l.email); code != "" {
		return row, at, code, detail
	}
	row.Cells = make([]int64, len(l.columns))
	for i := range l.columns {
		v, ok := parseCell(record[l.first+i], t.comma)
		if !ok || (i == 0 && v < 0) {
			return row, l.first + i, "bad-score", "A score is a number from 0 to 1, Not Attempted or Not Available."
		}
		row.Cells[i] = v
	}
	if l.cohort >= 0 {
		if row.Cohort = strings.Clone(record[l.cohort]); utf8.RuneCountInString(row.Cohort) > 255 {
			return row, l.cohort, "bad-cohort", "The cohort's name is longer than 255 characters."
		}
	}
	if l.status >= 0 {
		switch record[l.status] {
		case "enrolled":
		case "unenrolled":
			row.Enrolled = false
		default:
			return row, l.status, "bad-status", "The enrolment status is enrolled or unenrolled."
		}
	}
	return row, 0, "", ""
}

// parseCell reads a score from 0 to 1 into billionths, half up at the tenth decimal, without a float on the way. A few
// reports write an exponent (1e-05).
func parseCell(s string, decimalComma bool) (int64, bool) {
	switch s {
	case "0", "0.0":
		return 0, true
	case "1", "1.0":
		return one, true
	case "Not Attempted":
		return NotAttempted, true
	case "Not Available":
		return NotAvailable, true
	}
	s = strings.TrimSpace(s)
	if decimalComma {
		s = strings.Replace(s, ",", ".", 1)
	}
	shift := 0
	if m, e, ok := strings.Cut(strings.ToLower(s), "e-"); ok {
		if len(e) == 0 || len(e) > 2 {
			return 0, false
		}
		for _, d := range []byte(e) {
			if d < '0' || d > '9' {
				return 0, false
			}
			shift = shift*10 + int(d-'0')
		}
		s = m
	}
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" || len(whole) > 3 || len(frac) > 40 {
		return 0, false
	}
	digits := strings.Repeat("0", shift) + whole + frac
	point := len(whole)
	if len(digits) < point+10 {
		digits += strings.Repeat("0", point+10-len(digits))
	}
	var v int64
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		if i < point+9 {
			v = v*10 + int64(digits[i]-'0')
		}
	}
	if digits[point+9] >= '5' {
		v++
	}
	return v, v <= one
}
