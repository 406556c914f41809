package gradebook

import (
	"bufio"
	"bytes"
	"io"
	"slices"

	"cursus/internal/kernel/sheet"
)

// Kind says what an intake is.
type Kind string

// The kinds of intakes. Each is told by what stands in the file, never by its name.
const (
	Grades   Kind = "grade_report"
	Problems Kind = "problem_report"
	Wide     Kind = "scores_wide" // a column per exercise
	Long     Kind = "scores_long" // a row per score
	Roster   Kind = "roster"
	Profiles Kind = "profiles"       // student_profile_info
	IDs      Kind = "anonymised_ids" // anonymized_ids
	Counted  Kind = "issued_certificates"
	XAPI     Kind = "xapi"
	Pulled   Kind = "pull" // answers of the grades API of a platform
)

// Plain is the family of the forms that any platform can write.
const Plain = "plain"

// snapshots say how learners stood at the time at which they were made, and are read again when an older one comes. Of two made at the same
// instant the later in this list has the last word.
var snapshots = []Kind{Roster, Pulled, Wide, Problems, Grades}

// rank is the place among snapshots; -1: it says what happened at times of its own, and is never read again.
func (k Kind) rank() int { return slices.Index(snapshots, k) }

// exercises says whether an intake of the kind can say something of exercises.
func (k Kind) exercises() bool { return !slices.Contains([]Kind{Profiles, IDs, Roster, Counted}, k) }

// Parse reads an intake of any kind. A row that cannot be read becomes a Reject and never shifts into another column. A file of no known kind,
// or without anybody in it where that would mean that everybody left, is refused. Errors: ErrTooLarge, ErrUnreadable, ErrNotAReport, ErrNobody.
func Parse(raw []byte) (Report, error) {
	data, err := text(raw)
	if err != nil {
		return Report{}, err
	}
	return parse(bytes.NewReader(data))
}

// Read is Parse of a file that is too large to be held: what is held is what it says.
func Read(src sheet.Source) (Report, error) {
	in, err := sheet.Open(src, maxReportBytes)
	if err != nil {
		return Report{}, refusedText(err)
	}
	defer func() { _ = in.Close() }()
	return parse(in)
}

func parse(r io.Reader) (Report, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, _ := in.Peek(4096)
	if head = bytes.TrimLeft(head, " \t\r\n"); len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		return parseJSON(head[0], in)
	}
	t, err := openTable(sheet.ReaderOf(in))
	if err != nil {
		return Report{}, err
	}
	return t.reader()(t)
}

// Knows says whether a text begins with a header that is read here, whatever stands below it.
func Knows(head []byte) bool {
	t, err := openTable(sheet.Reader(head))
	if err != nil {
		return false
	}
	if t.named() != nil {
		return true
	}
	_, err = readHeader(t.header)
	return err == nil
}

// reader is what reads a table, by its header.
func (t *table) reader() func(*table) (Report, error) {
	if read := t.named(); read != nil {
		return read
	}
	return parseGrades
}

// named is the reader of a table that names its columns; nil: it is a grade report, or nothing.
func (t *table) named() func(*table) (Report, error) {
	switch {
	case t.has("student id", "username") && !t.has("grade") && (t.has("error") || t.has("error_msg")):
		return func(*table) (Report, error) { return Report{}, ErrNotGraded }
	case problems(t.header):
		return parseProblems
	case !t.has("learner") && (t.has("exercise", "week") || t.has("exercice", "semaine")):
		return func(*table) (Report, error) { return Report{}, ErrIsMap }
	case t.has("user id", "anonymized user id"):
		return parseIDs
	case t.has("certificate type", "total certificates issued"):
		return parseIssued
	case t.has("learner", "exercise", "score"):
		return parseLong
	case t.has("learner", "enrolled_at"):
		return parseRoster
	case t.has("learner"):
		return parseWide
	case t.has("id", "username") && !t.has("grade") && (t.has("email") || t.has("enrollment_mode") || t.has("name")):
		return parseProfiles
	}
	return nil
}
