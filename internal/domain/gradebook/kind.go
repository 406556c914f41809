package gradebook

import (
	"bytes"
	"slices"
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

// private kinds hold more of people than is needed here: what is needed is kept, the file is not.
func (k Kind) private() bool { return k == Profiles || k == IDs }

// Parse reads an intake of any kind. A row that cannot be read becomes a Reject and never shifts into another column. A file of no known kind,
// or without anybody in it where that would mean that everybody left, is refused. Errors: ErrTooLarge, ErrUnreadable, ErrNotAReport, ErrNobody.
func Parse(raw []byte) (Report, error) {
	data, err := text(raw)
	if err != nil {
		return Report{}, err
	}
	if begins := bytes.TrimLeft(data, " \t\r\n"); len(begins) > 0 && (begins[0] == '{' || begins[0] == '[') {
		return parseJSON(begins)
	}
	t, err := openTable(data)
	if err != nil {
		return Report{}, err
	}
	switch {
	case problems(t.header):
		return parseProblems(t)
	case t.has("user id", "anonymized user id"):
		return parseIDs(t)
	case t.has("certificate type", "total certificates issued"):
		return parseIssued(t)
	case t.has("learner", "exercise", "score"):
		return parseLong(t)
	case t.has("learner", "enrolled_at"):
		return parseRoster(t)
	case t.has("learner"):
		return parseWide(t)
	case t.has("id", "username") && !t.has("grade") && (t.has("email") || t.has("enrollment_mode") || t.has("name")):
		return parseProfiles(t)
	}
	return parseGrades(t)
}
