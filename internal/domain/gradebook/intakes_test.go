package gradebook

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func parsed(t *testing.T, file string) Report {
	t.Helper()
	r, err := Parse([]byte(file))
	if err != nil {
		t.Fatalf("%q: %v", file, err)
	}
	return r
}

func said(r Report) string {
	var b strings.Builder
	for _, row := range r.Rows {
		fmt.Fprint(&b, row.key(), " ", row.Enrolled, " ", row.Cells, "; ")
	}
	for _, e := range r.Events {
		label := "presence"
		if e.Column >= 0 {
			label = r.Columns[e.Column].Label
		}
		fmt.Fprint(&b, e.Key, " ", label, " ", e.At.Format("01-02T15:04"), " ", e.Value, "; ")
	}
	for _, x := range r.Rejects {
		fmt.Fprintf(&b, "%d:%d %s; ", x.Line, x.Column, x.Code)
	}
	for _, x := range r.Ignored {
		fmt.Fprintf(&b, "%d %s; ", x.Line, x.Code)
	}
	return b.String()
}

const statementForm = `{"id":"%s","actor":{"account":{"homePage":"https://lms.example","name":"%s"}},"verb":{"id":"%s"},"object":{"id":"%s","definition":{"type":"%s","name":{"en":"Quiz 1"}}},"result":{"score":{"scaled":%s}},"timestamp":"2026-03-01T10:00:00Z"}`

func statementOf(n int, verb, object, kind, score string) string {
	return fmt.Sprintf(statementForm, fmt.Sprintf("00000000-0000-5000-8000-%012d", n), "ada", verb, object, kind, score)
}

const (
	evaluated = "https://w3id.org/xapi/acrossx/verbs/evaluated"
	earned    = "http://id.tincanapi.com/verb/earned"
	quiz1     = "https://lms.example/xblock/block-v1:IMT+PRD+9+type@problem+block@q1"
	prd       = "https://lms.example/course/course-v1:IMT+PRD+9"
)

// Each kind of file is told by what stands in it and is read cell by cell; what cannot be read is refused in its place.
func TestEveryKindOfIntake(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		kind Kind
		want string
	}{
		"roster":                 {"learner,enrolled_at,left_at\nada,2026-03-01,\nbob,2026-03-01T08:00:00Z,2026-03-05\neve,soon,\ndan,2026-03-02,2026-03-01\n", Roster, "ada true []; bob false []; ada presence 03-01T00:00 1; bob presence 03-01T08:00 1; bob presence 03-05T00:00 0; 4:2 bad-time; 5:3 left-before; "},
		"long":                   {"learner;exercise;score;attempted_at\nada;HW 1;0,5;2026-03-01 10:00\nada;grade;1;\nbob;HW 1;1,2;\nbob;HW 1;\n", Long, "ada HW 1 03-01T10:00 500000000; ada grade 01-01T00:00 1000000000; 4:3 bad-score; 5:4 row-length; "},
		"wide":                   {"learner,HW 1,HW 1,grade,HW Avg\nada,0.5,,0.25,0.5\nbob,Not Attempted,0,,0\nada,1,1,1,1\n", Wide, "ada true [500000000 -1 250000000 500000000]; bob true [-1 0 0 0]; 4:1 duplicated; "},
		"problems":               {"Student ID,Email,Username,Enrollment Status,Grade,H: Q - P (Earned),H: Q - P (Possible),H: Q - R (Earned),H: Q - R (Possible)\n42,a@x.org,ada,enrolled,0.81,3.0,4.0,Not Attempted,2.0\n43,,bob,unenrolled,0,Not Available,Not Available,1,3\n44,,eve,enrolled,0,5,4,0,2\n", Problems, "42 true [810000000 750000000 -1]; 43 false [0 -2 333333333]; 4:6 bad-score; "},
		"older problems":         {"Student ID,Email,Username,Final Grade,H: Q - P (Earned),H: Q - P (Possible)\n42,a@x.org,ada,0.81,3.0,4.0\n", Problems, "42 true [810000000 750000000]; "},
		"profiles":               {"id,username,name,email,year_of_birth,mailing_address,enrollment_date,cohort,external_user_key\n42,ada,Ada L,a@x.org,1815,London,2026-03-01T00:00:00+00:00,[unassigned],S1\n", Profiles, "42 true []; 42 presence 03-01T00:00 1; "},
		"anonymised ids":         {"User ID,Anonymized User ID,Course Specific Anonymized User ID\n42,abc,def\n,x,y\n", IDs, "3:1 bad-learner; "},
		"issued":                 {"CourseID,Certificate Type,Total Certificates Issued,Date Report Run\ncourse-v1:a+b+c,verified,12,\"March 1, 2026\"\nx,honor,many,\n", Counted, "3:3 bad-number; "},
		"statements":             {"[" + statementOf(1, evaluated, quiz1, "http://adlnet.gov/expapi/activities/question", "0.5") + "," + statementOf(2, earned, prd, "http://adlnet.gov/expapi/activities/course", "1") + "," + statementOf(3, "http://adlnet.gov/expapi/verbs/initialized", quiz1, "", "1") + "," + statementOf(4, evaluated, quiz1, "", "-0.5") + `,{"id":3}]`, XAPI, "ada block-v1:IMT+PRD+9+type@problem+block@q1 03-01T10:00 500000000; ada grade 03-01T10:00 1000000000; 4:1 bad-score; 5:1 bad-statement; 3 not-graded; "},
		"statements, one a line": {statementOf(1, "http://adlnet.gov/expapi/verbs/registered", prd, "", "1") + "\n" + statementOf(2, evaluated, quiz1, "", "2e-1"), XAPI, "ada presence 03-01T10:00 1; ada block-v1:IMT+PRD+9+type@problem+block@q1 03-01T10:00 200000000; "},
		"pull":                   {`{"pull":{"course":"c","collected_at":"2026-03-01T00:00:00Z","exercises":true,"enrolments":true}}` + "\n" + `{"enrolments":[{"user":"ada","is_active":true},{"user":"bob","is_active":false}]}` + "\n" + `{"gradebook":[{"user_id":42,"username":"ada","email":"a@x.org","percent":0.5,"section_breakdown":[{"label":"HW 01","percent":1.0,"attempted":true},{"label":"HW 02","percent":0.0,"attempted":false}]},{"user_id":44,"username":"eve","percent":0,"section_breakdown":[]}]}`, Pulled, "42 true [500000000 1000000000 -1]; bob false [-3 -3 -3]; 44 true [0 -3 -3]; "},
	} {
		t.Run(name, func(t *testing.T) {
			r := parsed(t, c.file)
			if r.Kind != c.kind || said(r) != c.want {
				t.Errorf("%s:\n%s\nwant %s:\n%s", r.Kind, said(r), c.kind, c.want)
			}
		})
	}
	ids, profile := parsed(t, "User ID,Anonymized User ID,Course Specific Anonymized User ID\n42,abc,def\n"), parsed(t, "id,username,email,external_user_key\n42,ada,a@x.org,S1\n")
	if fmt.Sprint(ids.Known, profile.Known) != "[{42 anonymous abc} {42 anonymous def}] [{42 external S1}]" {
		t.Error(ids.Known, profile.Known)
	}
	if issued := parsed(t, "CourseID,Certificate Type,Total Certificates Issued,Date Report Run\nc,verified,12,2026-03-01\n").Issued; len(issued) != 1 || issued[0].Total != 12 || issued[0].RunAt.IsZero() {
		t.Error(issued)
	}
}

// However a file was saved, it says the same, and a file that cannot be one of its kind is refused whole.
func TestDialectsOfPlainForms(t *testing.T) {
	file := "learner,exercise,score,attempted_at\nzoé,HW 1,0.5,2026-03-01\nbob,\"Q, 2\",1,2026-03-02\n"
	want := said(parsed(t, file))
	for name, other := range map[string]string{
		"byte order mark": "\ufeff" + file, "tabs": strings.ReplaceAll(file, ",", "\t"), "crlf": strings.ReplaceAll(file, "\n", "\r\n"),
		"windows-1252": strings.ReplaceAll(file, "é", "\xe9"), "semicolons": strings.NewReplacer("\"Q, 2\"", "Q, 2", "0.5", "0,5", ",HW", ";HW", "zoé,", "zoé;", ",2026", ";2026", "bob,", "bob;", ",1", ";1", "learner,exercise,score,attempted_at", "learner;exercise;score;attempted_at", "HW 1,", "HW 1;").Replace(file),
	} {
		if name == "tabs" {
			other = strings.ReplaceAll(other, "\"Q\t 2\"", "\"Q, 2\"")
		}
		if got := said(parsed(t, other)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for _, bad := range []string{
		"learner,exercise,score,score\na,b,1,0\n", "learner,exercise,note,note,score,score\na,b,x,x,1,0\n", "learner,HW,HW,learner\na,1,1,b\n", "learner,\nada,1\n", "learner\nada\n", "{", "[{}", "[] []", `{"pull":{}}`, "Student ID,Username,Grade,A (Earned),B (Possible)\n1,a,1,1,1\n", "Student ID,Username,Grade,A (Earned)\n1,a,1,1\n",
	} {
		if r, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%q was taken for a %s", bad, r.Kind)
		}
	}
}

// What is written into cells is what is read out of them, column by column: nothing shifts.
func TestCellsReadAreCellsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exercises, learners := rapid.IntRange(1, 6).Draw(t, "exercises"), rapid.IntRange(1, 5).Draw(t, "learners")
		sep := rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "separator")
		value := func() (string, int64) {
			v := rapid.Int64Range(-2, 1000).Draw(t, "score")
			switch v {
			case -1:
				return "Not Attempted", NotAttempted
			case -2:
				return "Not Available", NotAvailable
			}
			text := fmt.Sprintf("%d.%03d", v/1000, v%1000)
			if sep == ";" {
				text = strings.Replace(text, ".", ",", 1)
			}
			return text, v * 1_000_000
		}
		wide, long, report := "learner", strings.Join([]string{"learner", "exercise", "score"}, sep)+"\n", "Student ID"+sep+"Username"+sep+"Grade"
		for e := range exercises {
			wide += sep + fmt.Sprintf("E%d", e)
			report += sep + fmt.Sprintf("E%d (Earned)", e) + sep + fmt.Sprintf("E%d (Possible)", e)
		}
		wide, report = wide+"\n", report+"\n"
		want := map[string]int64{}
		for l := range learners {
			wide += fmt.Sprintf("L%d", l)
			report += fmt.Sprintf("L%d%sL%d%s0", l, sep, l, sep)
			for e := range exercises {
				text, v := value()
				want[fmt.Sprintf("L%d E%d", l, e)] = v
				wide += sep + text
				long += strings.Join([]string{fmt.Sprintf("L%d", l), fmt.Sprintf("E%d", e), text}, sep) + "\n"
				report += sep + text + sep + "1"
			}
			wide, report = wide+"\n", report+"\n"
		}
		for kind, file := range map[Kind]string{Wide: wide, Long: long, Problems: report} {
			r, err := Parse([]byte(file))
			if err != nil || r.Kind != kind || len(r.Rejects) > 0 {
				t.Fatalf("%q: %+v %v", file, r, err)
			}
			got := map[string]int64{}
			for _, row := range r.Rows {
				for c, v := range row.Cells {
					if r.Columns[c].Kind == "exercise" {
						got[row.key()+" "+r.Columns[c].Label] = v
					}
				}
			}
			for _, e := range r.Events {
				got[e.Key+" "+r.Columns[e.Column].Label] = e.Value
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s: %v, want %v", kind, got, want)
			}
		}
	})
}

// whole says whether what was read stands in its bounds: otherwise something shifted.
func whole(t *testing.T, r Report) {
	for _, row := range r.Rows {
		if len(row.Cells) != len(r.Columns) {
			t.Fatalf("a row shifted: %d cells, %d columns", len(row.Cells), len(r.Columns))
		}
		for _, c := range row.Cells {
			if c < unsaid || c > one || c == unsaid && r.Kind != Pulled {
				t.Fatal(c)
			}
		}
		if row.key() == "" {
			t.Fatal("a row of nobody")
		}
	}
	for _, e := range r.Events {
		if e.Column < presence || e.Column >= len(r.Columns) || e.Value < NotAvailable || e.Value > one || e.Key == "" || e.At.Year() > 2200 {
			t.Fatalf("%+v", e)
		}
	}
	seen := map[Column]bool{}
	for _, c := range r.Columns {
		if !okLabel(c.Label) || seen[c] {
			t.Fatalf("%+v", c)
		}
		seen[c] = true
	}
}

// FuzzIntakes feeds every parser: the seeds are one file of each kind, and the corpus keeps what broke one. What comes out stands in the file, under
// that header and in the row of that learner.
func FuzzIntakes(f *testing.F) {
	for _, seed := range []string{
		legacyFile, modernFile, "learner,enrolled_at,left_at\nada,2026-03-01,\n", "learner,exercise,score,attempted_at\nada,HW 1,0.5,2026-03-01\n", "learner,HW 1,grade\nada,0.5,1\n",
		"Student ID,Email,Username,Enrollment Status,Grade,P (Earned),P (Possible)\n42,a@x.org,ada,enrolled,0.81,3.0,4.0\n", "id,username,email,enrollment_date\n42,ada,a@x.org,2026-03-01\n",
		"User ID,Anonymized User ID\n42,abc\n", "CourseID,Certificate Type,Total Certificates Issued,Date Report Run\nc,verified,12,2026-03-01\n",
		"[" + statementOf(1, evaluated, quiz1, "", "0.5") + "]", statementOf(1, earned, prd, "", "1e-400000000"),
		"learner;HW;HW;HW Avg;status;cohort\nada;0,5;;0,25;enrolled;A\nbob;Not Attempted;1e-3;0;unenrolled;\nada;1;1;1;enrolled;\neve;1\n",
		"Student ID,Username,Final Grade,P (Earned),P (Possible),P (Earned),P (Possible)\n42,ada,0.5,1,3,Not Available,Not Available\n43,bob,0,0,0,2,2\n",
		"learner\texercise\tscore\nada\tgrade\t1\n\t\t\nada\t\"H\nW\"\t0.333\nbob\tgrade\tnone\n", "learner,enrolled_at,left_at\nada,2026-03-01,2026-03-02\nada,2026-04-01,\neve,soon,\n",
		strings.NewReplacer("\"scaled\":0.5", "\"raw\":3,\"min\":1,\"max\":\"5\"").Replace(statementOf(3, evaluated, quiz1, "", "0.5")),
		`{"pull":{}}{"gradebook":[{"user_id":42,"username":"ada","percent":0.5,"section_breakdown":[{"label":"HW","percent":1,"attempted":true}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Parse(raw)
		if err != nil {
			return
		}
		whole(t, r)
		stands(t, raw, r)
		r.settle(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))
		if _, err := json.Marshal(r.Rejects); err != nil {
			t.Fatal(err)
		}
	})
}
