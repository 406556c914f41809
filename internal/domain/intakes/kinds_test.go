package intakes_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"cursus/internal/domain/intakes"
)

// aKind is a kind of file in two editions: what it says of three people at first, and what it says later, when scores changed, somebody dropped to nought, somebody left and
// somebody came. Rows are given without their separators, so that each can be written in every dialect; an empty later says that the kind has none.
type aKind struct {
	name   string
	kind   string // in the history
	header []string
	first  [][]string
	later  [][]string
	back   [][]string // who left is here again
	want   map[string]int
	backs  int    // how many are back by that
	twice  string // what becomes of a header in which the last column stands twice: a code, or "" where both are kept apart
	short  string // the code of a row that is short
	is     string // what is said to be of the kind; empty: it is recognised
}

func kinds() []aKind {
	return []aKind{
		{
			name: "grade_report", kind: "grade_report", header: []string{"Student ID", "Email", "Username", "Grade", "HW 01", "HW 02", "Cohort Name", "Enrollment Status"},
			first: [][]string{{"201", "", "renée", "0.4", "0.5", "0.5", "PRO", "enrolled"}, {"202", "", "eli", "0.1", "0.25", "Not Attempted", "", "enrolled"}, {"203", "", "fay", "0", "Not Attempted", "Not Attempted", "", "enrolled"}},
			later: [][]string{{"201", "", "renée", "0.5", "0.75", "0", "PRO", "enrolled"}, {"202", "", "eli", "0.1", "0.25", "Not Attempted", "", "unenrolled"}, {"203", "", "fay", "0.1", "1", "Not Attempted", "", "enrolled"}, {"204", "", "gus", "0", "Not Attempted", "Not Attempted", "", "enrolled"}},
			back:  [][]string{{"202", "", "eli", "0.1", "0.25", "Not Attempted", "", "enrolled"}},
			want:  map[string]int{"new": 1, "left": 1, "raised": 3, "dropped": 1, "first": 1}, backs: 1, short: "row-length",
		},
		{
			name: "grade_report_legacy", kind: "grade_report", header: []string{"id", "username", "grade", "HW 01", "HW 02", "HW Avg", "Cohort Name"},
			first: [][]string{{"201", "renée", "0.4", "0.5", "0.5", "0.5", "PRO"}, {"202", "eli", "0.1", "0.25", "0", "0.1", ""}, {"203", "fay", "0", "0", "0", "0", ""}},
			later: [][]string{{"201", "renée", "0.5", "0.75", "0", "0.4", "PRO"}, {"203", "fay", "0.1", "1", "0", "0.5", ""}, {"204", "gus", "0", "0", "0", "0", ""}},
			back:  [][]string{{"202", "eli", "0.1", "0.25", "0", "0.1", ""}},
			want:  map[string]int{"new": 1, "left": 1, "dropped": 1}, backs: 1, short: "row-length",
		},
		{
			name: "problem_grade_report", kind: "problem_report", header: []string{"Student ID", "Email", "Username", "Enrollment Status", "Grade", "HW 1: A - P1 (Earned)", "HW 1: A - P1 (Possible)"},
			first: [][]string{{"201", "", "renée", "enrolled", "0.4", "3.5", "4.0"}, {"202", "", "eli", "enrolled", "0.1", "Not Attempted", "4.0"}},
			later: [][]string{{"201", "", "renée", "enrolled", "0.5", "0", "4.0"}, {"202", "", "eli", "not enrolled", "0.1", "Not Attempted", "4.0"}, {"204", "", "gus", "enrolled", "0", "2.0", "4.0"}},
			back:  [][]string{{"201", "", "renée", "enrolled", "0.5", "0", "4.0"}, {"202", "", "eli", "enrolled", "0.1", "Not Attempted", "4.0"}, {"204", "", "gus", "enrolled", "0", "2.0", "4.0"}},
			want:  map[string]int{"new": 1, "dropped": 1, "raised": 1, "first": 1}, backs: 1, short: "row-length",
		},
		{
			name: "student_profile_info", kind: "profiles", header: []string{"id", "username", "name", "email", "enrollment_mode", "enrollment_date", "cohort"},
			first: [][]string{{"201", "renée", "Renée D", "r@example.org", "audit", "2019-03-01", "PRO"}},
			later: [][]string{{"201", "renée", "Renée D", "r@example.org", "audit", "2019-03-01", "PRO"}, {"204", "gus", "Gus", "", "audit", "2019-03-10", ""}},
			want:  map[string]int{"new": 1, "left": 0}, short: "row-length",
		},
		{
			name: "anonymized_ids", kind: "anonymised_ids", header: []string{"User ID", "Anonymized User ID", "Course Specific Anonymized User ID"},
			first: [][]string{{"101", "a1", "c1"}}, later: [][]string{{"101", "a1", "c1"}, {"102", "a2", "c2"}}, want: map[string]int{"rejected": 0}, short: "row-length",
		},
		{
			name: "issued_certificates", kind: "issued_certificates", header: []string{"CourseID", "Certificate Type", "Total Certificates Issued", "Date Report Run"},
			first: [][]string{{"course-v1:IMT+PRD+7", "honor", "12", "2019-03-08"}}, later: [][]string{{"course-v1:IMT+PRD+7", "honor", "14", "2019-03-15"}}, want: map[string]int{"rows": 1}, short: "row-length",
		},
		{
			name: "roster", kind: "roster", header: []string{"learner", "name", "enrolled_at", "left_at"},
			first: [][]string{{"201", "Renée", "2019-03-01", ""}, {"202", "Eli", "2019-03-01", ""}},
			later: [][]string{{"201", "Renée", "2019-03-01", ""}, {"202", "Eli", "2019-03-01", "2019-03-12"}, {"204", "Gus", "2019-03-10", ""}},
			back:  [][]string{{"202", "Eli", "2019-03-20", ""}},
			want:  map[string]int{"new": 1}, short: "row-length", twice: "not-a-grade-report",
		},
		{
			name: "scores_long", kind: "scores_long", header: []string{"learner", "exercise", "score", "attempted_at"},
			first: [][]string{{"renée@example.org", "HW 01", "0.5", "2019-03-02"}, {"202", "HW 01", "0.25", "2019-03-02"}},
			later: [][]string{{"renée@example.org", "HW 01", "0", "2019-03-10"}, {"202", "HW 01", "0.75", "2019-03-10"}, {"204", "HW 02", "1", "2019-03-10"}},
			want:  map[string]int{"new": 1, "dropped": 1, "raised": 1, "first": 1}, short: "row-length", twice: "not-a-grade-report",
		},
		{
			name: "scores_wide", kind: "scores_wide", header: []string{"learner", "name", "status", "HW 01", "HW 02"},
			first: [][]string{{"201", "Renée", "enrolled", "0.5", "0.5"}, {"202", "Eli", "enrolled", "0.25", ""}},
			later: [][]string{{"201", "Renée", "enrolled", "0.75", "0"}, {"204", "Gus", "enrolled", "", ""}},
			back:  [][]string{{"202", "Eli", "enrolled", "0.25", ""}},
			want:  map[string]int{"new": 1, "left": 1, "raised": 1, "dropped": 1}, backs: 1, short: "row-length",
		},
		{
			name: "proctored_exam_results_report", kind: "results", header: []string{"course_id", "username", "email", "attempt_code", "started_at", "status", "score"},
			first: [][]string{{"c", "renée", "l0@example.org", "A", "2019-05-07T08:00:00Z", "submitted", ""}, {"c", "", "l1@example.org", "B", "2019-05-07T08:00:00Z", "verified", "0.9"}},
			later: [][]string{{"c", "renée", "l0@example.org", "A", "2019-05-07T08:00:00Z", "verified", "0.8"}, {"c", "", "l1@example.org", "B", "2019-05-07T08:00:00Z", "verified", "0"}, {"c", "", "l2@example.org", "C", "2019-05-07T08:00:00Z", "verified", "0.7"}, {"c", "", "nobody@example.org", "D", "2019-05-07T08:00:00Z", "verified", "0.7"}},
			want:  map[string]int{"added": 1, "changed": 2, "rejected": 1}, short: "row-length", twice: "results-refused",
		},
		{
			name: "course_survey_results", kind: "closing", header: []string{"user_id", "email", "s1 before", "s1 after", "sat"},
			first: [][]string{{"101", "l0@example.org", "3", "8", "9"}, {"999", "zoé@example.org", "3", "8", "9"}},
			later: [][]string{{"101", "l0@example.org", "3", "0", "9"}, {"102", "l1@example.org", "3", "8", "9"}},
			want:  map[string]int{"added": 1, "changed": 1, "rejected": 0}, short: "wrong-width",
		},
		{
			name: "limesurvey", kind: "opening", is: intakes.OfOpening, header: []string{"id", "submitdate", "lastpage", "token", "s1[before]", "sat. Réussi ?"},
			first: [][]string{{"1", "2019-03-02 10:00:00", "3", "t1", "4", "9"}, {"2", "", "1", "t2", "4", ""}},
			later: [][]string{{"1", "2019-03-02 10:00:00", "3", "t1", "4", "9"}, {"3", "2019-03-09 10:00:00", "3", "t3", "0", "9"}},
			want:  map[string]int{"added": 1, "unchanged": 1}, short: "wrong-width",
		},
		{
			name: "forum", kind: "forum", header: []string{"id", "created_at", "author", "thread_id", "answered", "body"},
			first: [][]string{{"p1", "2019-03-02T10:00:00Z", "renée", "", "false", "Où ?"}},
			later: [][]string{{"p1", "2019-03-02T10:00:00Z", "renée", "", "true", "Où ?"}, {"p2", "2019-03-09T10:00:00Z", "eli", "p1", "", "Là."}, {"p3", "2019-03-09T10:00:00Z", "eli", "p9", "", "?"}},
			want:  map[string]int{"added": 1, "changed": 1, "rejected": 1}, short: "wrong-width",
		},
	}
}

// in writes rows with a separator; a decimal comma goes with the semicolon.
func in(sep string, header []string, rows [][]string) string {
	var b strings.Builder
	for _, r := range append([][]string{header}, rows...) {
		cells := slices.Clone(r)
		for i, c := range cells {
			if sep == ";" && isScore(c) {
				cells[i] = strings.Replace(c, ".", ",", 1)
			}
		}
		b.WriteString(strings.Join(cells, sep) + "\n")
	}
	return b.String()
}

func isScore(s string) bool {
	var f float64
	n, _ := fmt.Sscanf(s, "%g", &f)
	return n == 1 && strings.Contains(s, ".") && !strings.ContainsAny(s, "@:-")
}

func utf16le(s string) string {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

func (k aKind) name7(day int) string {
	return fmt.Sprintf("IMT_PRD_%s_2019-03-%02d-0900.csv", k.name, day)
}

// send has one file tried, as what it is said to be.
func (h *house) one(k aKind, name, content string) intakes.Batch {
	h.Helper()
	b := h.send([2]string{name, content})
	if k.is != "" {
		h.must(h.room.Decide(ann, b.ID, intakes.Decision{Exams: true, Files: map[string]intakes.Said{b.Files[0].ID: {Kind: k.is}}}))
		b = h.work(b.ID)
	}
	return b
}

// Of every kind of file: a try says the difference and changes nothing; what it says is what is done; each row has an outcome; the file is kept as it came; the same bytes again
// change nothing; scores that drop to nought, who leaves and who comes back are told.
func TestEveryKindOfFile(t *testing.T) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			h := newHouse(t)
			first, later := in(",", k.header, k.first), in(",", k.header, k.later)
			h.apply(h.one(k, k.name7(8), first))
			h.kept(k.name7(8), first, k.kind)
			before := h.state()
			tried := h.one(k, k.name7(15), later)
			if h.state() != before {
				t.Error("a try changed something:", before, h.state())
			}
			if f := tried.Files[0]; f.State != intakes.FileTried || f.Does.Kind != k.kind {
				t.Fatalf("%+v %+v", f, f.Problem)
			}
			for what, n := range k.want {
				if got := count(tried.Files[0], what); got != n {
					t.Errorf("%s: %d, want %d: %+v", what, got, n, tried.Files[0].Does.Counts)
				}
			}
			done := h.apply(tried)
			if fmt.Sprint(done.Files[0].Does.Counts) != fmt.Sprint(tried.Files[0].Does.Counts) {
				t.Errorf("done %+v, tried %+v", done.Files[0].Does.Counts, tried.Files[0].Does.Counts)
			}
			i := h.kept(k.name7(15), later, k.kind)
			told := map[string]int{}
			for _, o := range h.outcomes(i.ID) {
				told[o.Outcome]++
				told["dropped"] += o.Dropped
			}
			if told[intakes.Rejected] != i.Rejected || told["dropped"] != max(count(done.Files[0], "dropped"), 0) || told["new"] != i.New || told["left"] != i.Left {
				t.Errorf("the outcomes %v are not what %+v counts", told, i)
			}
			after := h.state()
			if again := h.one(k, k.name7(16), later); !again.Files[0].Does.Replayed || h.state() != after {
				t.Errorf("the same bytes again: %+v", again.Files[0].Does)
			}
			if k.back == nil {
				return
			}
			b := h.apply(h.one(k, k.name7(22), in(",", k.header, k.back)))
			if n := count(b.Files[0], "back"); n != k.backs {
				t.Errorf("%d are back, want %d: %+v", n, k.backs, b.Files[0].Does)
			}
		})
	}
}

// Of every kind of file: a row that is short is left out with its line, and nothing of it shifts; in every dialect of a spreadsheet the file does what it does with commas.
func TestNothingShiftsInAnyKindOfFile(t *testing.T) {
	dialects := map[string]func(k aKind, rows [][]string) string{
		"semicolon": func(k aKind, rows [][]string) string { return in(";", k.header, rows) },
		"tab":       func(k aKind, rows [][]string) string { return in("\t", k.header, rows) },
		"mark": func(k aKind, rows [][]string) string {
			return "\ufeff" + strings.ReplaceAll(in(",", k.header, rows), "\n", "\r\n")
		},
		"utf-16": func(k aKind, rows [][]string) string { return utf16le(in("\t", k.header, rows)) },
		"latin-1": func(k aKind, rows [][]string) string {
			s, _ := charmap.Windows1252.NewEncoder().String(in(";", k.header, rows))
			return s
		},
	}
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			h := newHouse(t)
			short := slices.Clone(k.later)
			short = append(short, k.later[0][:len(k.header)-1])
			b := h.one(k, k.name7(15), in(",", k.header, short))
			if f := b.Files[0]; f.Does == nil || len(f.Does.Left) == 0 || f.Does.Left[len(f.Does.Left)-1].Line != len(short)+1 || f.Does.Left[len(f.Does.Left)-1].Code != k.short {
				t.Errorf("a short row: %+v %+v", f.Does, f.Problem)
			}
			want := fmt.Sprint(h.one(k, k.name7(15), in(",", k.header, k.later)).Files[0].Does.Counts)
			for name, write := range dialects {
				f := h.one(k, k.name7(15), write(k, k.later)).Files[0]
				if f.Does == nil || fmt.Sprint(f.Does.Counts) != want || f.Does.Kind != k.kind {
					t.Errorf("%s: %+v %+v, want %s", name, f.Does, f.Problem, want)
				}
			}
			twice := append(slices.Clone(k.header), k.header[len(k.header)-1])
			rows := [][]string{}
			for _, r := range k.later {
				rows = append(rows, append(slices.Clone(r), r[len(r)-1]))
			}
			f := h.one(k, k.name7(15), in(",", twice, rows)).Files[0]
			switch {
			case k.twice != "":
				if f.Problem == nil || f.Problem.Code != k.twice {
					t.Errorf("a header in which a column stands twice: %+v %+v", f.Does, f.Problem)
				}
			case f.Does == nil || count(f, "new") != countOf(want, "new") || count(f, "added") != countOf(want, "added"):
				t.Errorf("a header in which a column stands twice: %+v %+v, want %s", f.Does, f.Problem, want)
			}
		})
	}
}

// countOf reads a count out of counts as they are printed.
func countOf(counts, what string) int {
	n := -1
	if _, after, there := strings.Cut(counts, "{"+what+" "); there {
		_, _ = fmt.Sscanf(after, "%d", &n)
	}
	return n
}

// Statements, and what is pulled, are told by what stands in them, one a line or in a list; a post of a forum is none of them.
func TestLinesOfJSONAreToldApart(t *testing.T) {
	h := newHouse(t)
	statement := func(id int, score string) string {
		return fmt.Sprintf(`{"id":"00000000-0000-4000-8000-%012d","actor":{"account":{"name":"201"}},"verb":{"id":"http://adlnet.gov/expapi/verbs/attempted"},"object":{"id":"https://x/xblock/HW 01"},"result":{"score":{"scaled":%s}},"timestamp":"2019-03-0%dT09:00:00Z"}`, id, score, id)
	}
	post := `{"_id":{"$oid":"p1"},"_type":"CommentThread","author_id":"101","created_at":{"$date":"2019-03-02T10:00:00Z"},"thread_type":"question"}`
	for _, c := range []struct{ name, content, kind string }{
		{"a_2019-03-08-0900.json", "[" + statement(1, "0.5") + "," + statement(2, "0") + "]", "xapi"},
		{"b_2019-03-09-0900.jsonl", statement(3, "0.5") + "\n" + statement(4, "1") + "\n", "xapi"},
		{"c_2019-03-10-0900.jsonl", statement(5, "0.5"), "xapi"},
		{"d_2019-03-11-0900.jsonl", post + "\n", "forum"},
	} {
		b := h.apply(h.send([2]string{c.name, c.content}))
		if b.Files[0].State != intakes.FileTaken {
			t.Fatalf("%+v", b.Files[0].Problem)
		}
		h.kept(c.name, c.content, c.kind)
	}
	b := h.send([2]string{"e_2019-03-12-0900.jsonl", statement(3, "0.5") + "\n{\n" + statement(6, "0.5") + "\n"})
	if p := b.Files[0].Problem; p == nil || p.Code != "unreadable-file" {
		t.Errorf("%+v", b.Files[0])
	}
	// A statement that came before, and one that is none, have an outcome each.
	b = h.apply(h.send([2]string{"f_2019-03-13-0900.jsonl", statement(3, "0.5") + "\n" + statement(6, "2") + "\n" + statement(7, "0") + "\n"}))
	var got []string
	for _, o := range h.outcomes(b.Files[0].Does.IntakeID) {
		got = append(got, strings.TrimSpace(fmt.Sprint(o.Line, " ", o.Outcome, " ", o.Code)))
	}
	if fmt.Sprint(got) != "[1 ignored duplicate 2 rejected bad-score 3 scores]" {
		t.Errorf("%q", got)
	}
}
