package gradebook_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// said is what a file was read as, a line for each thing: what a person would check it against.
func said(r gradebook.Report) string {
	var b strings.Builder
	for _, c := range r.Columns {
		fmt.Fprintf(&b, "%s %q\n", c.Kind, c.Label)
	}
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "%s%s %q enrolled=%v", row.Subject, row.Key, row.Username, row.Enrolled)
		for _, v := range row.Cells {
			fmt.Fprintf(&b, " %.3f", float64(v)/1e9)
		}
		b.WriteString("\n")
	}
	for _, x := range r.Rejects {
		fmt.Fprintf(&b, "line %d, column %d: %s\n", x.Line, x.Column, x.Code)
	}
	return b.String()
}

const currentTail = `,Cohort Name,"Experiment Group (A/B, or C)",Team Name,Enrollment Track,Verification Status,Certificate Eligible,Certificate Delivered,Certificate Type,Enrollment Status`

// Reports as the platform writes them, with what courses put into names: a comma, a line end, semicolons, an average that is none. Read otherwise, an exercise
// would be lost, or its scores would stand under the name of its neighbour.
func TestNamesThatACourseGives(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"a subsection called (Avg)": {
			"Student ID,Email,Username,Grade,\"Homework 1: Intro, basics\",Homework 2: Week 2 (Avg),Homework (Avg),Part 1: Labs 1: A,Part 1: Labs 2: B,Part 1: Labs (Avg),Final Exam" + currentTail + "\r\n" +
				"42,Ada@example.org,Ada,0.81,0.9,Not Attempted,0.45,1.0,0.0,0.5,0.95,\"Default, Group\",,\"Team \"\"A\"\"\r\nx\",verified,ID Verified,Y,N,N/A,enrolled\r\n" +
				"43,,,0.0,Not Attempted,Not Attempted,0.0,Not Attempted,Not Attempted,0.0,Not Attempted,,,,audit,N/A,N,N,N/A,unenrolled\r\n",
			"grade \"grade\"\nexercise \"Homework 1: Intro, basics\"\nexercise \"Homework 2: Week 2 (Avg)\"\naverage \"Homework (Avg)\"\nexercise \"Part 1: Labs 1: A\"\nexercise \"Part 1: Labs 2: B\"\naverage \"Part 1: Labs (Avg)\"\nexercise \"Final Exam\"\n" +
				"42 \"Ada\" enrolled=true 0.810 0.900 -0.000 0.450 1.000 0.000 0.500 0.950\n43 \"\" enrolled=false 0.000 -0.000 -0.000 0.000 -0.000 -0.000 0.000 -0.000\n",
		},
		"names with commas, saved by a spreadsheet": {
			"Student ID;Email;Username;Grade;Homework 1: a, b, c;Homework 2: d, e, f, g, h, i, j;Homework (Avg);Enrollment Status\r\n42;a@b.c;ada;0,81;0,9;0,5;0,7;enrolled\r\n43;c@b.c;bob;0;Not Attempted;0,5\r\n",
			"grade \"grade\"\nexercise \"Homework 1: a, b, c\"\nexercise \"Homework 2: d, e, f, g, h, i, j\"\naverage \"Homework (Avg)\"\n42 \"ada\" enrolled=true 0.810 0.900 0.500 0.700\nline 3, column 7: row-length\n",
		},
		"names with semicolons": {
			"Student ID,Email,Username,Grade,\"Homework 1: a; b; c; d\ne; f\",Homework 2: g; h; i,Homework (Avg),Enrollment Status\r\n42,a@b.c,ada,0.81,0.9,0.5,0.7,enrolled\r\n",
			"grade \"grade\"\nexercise \"Homework 1: a; b; c; d\\ne; f\"\nexercise \"Homework 2: g; h; i\"\naverage \"Homework (Avg)\"\n42 \"ada\" enrolled=true 0.810 0.900 0.500 0.700\n",
		},
		"an old report with a mark for what was not attempted": {
			"id,email,username,grade,HW 01,HW 02,HW Avg\r\n1,a@b.c,ada,0,0,Not Attempted,0\r\n2,,bob,0,Not Attempted,1.0,0.5\r\n",
			"grade \"grade\"\nexercise \"HW 01\"\nexercise \"HW 02\"\naverage \"HW Avg\"\n1 \"ada\" enrolled=true 0.000 0.000 -0.000 0.000\n2 \"bob\" enrolled=true 0.000 -0.000 1.000 0.500\n",
		},
		"an old report without": {
			"id,email,username,grade,HW 01,HW 02,HW Avg\r\n1,a@b.c,ada,0,0,0,0\r\n2,,bob,0.5,0,1.0,0.5\r\n",
			"grade \"grade\"\nexercise \"HW 01\"\nexercise \"HW 02\"\naverage \"HW Avg\"\n1 \"ada\" enrolled=true 0.000 -0.000 -0.000 -0.000\n2 \"bob\" enrolled=true 0.500 -0.000 1.000 0.500\n",
		},
	} {
		r, err := gradebook.Parse([]byte(c.file))
		if got := said(r); err != nil || got != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
	}
}

// A report that says of each whether she is enrolled leaves out whom the platform failed to grade, and of a report of the verified all others: they have not left.
func TestWhoIsNotInACurrentReportHasNotLeft(t *testing.T) {
	db := testkit.DB(t)
	s := newSession(t, db, "ERR")
	book := gradebook.New(db, jobs.New(db, nil))
	head := "Student ID,Email,Username,Grade,HW 01,Enrollment Status\r\n"
	for n, rows := range []string{"1,,ada,0.1,0.5,enrolled\r\n2,,bob,0.2,0.5,enrolled\r\n3,,cid,0.0,Not Attempted,enrolled\r\n", "1,,ada,0.3,0.75,enrolled\r\n3,,cid,0.0,Not Attempted,unenrolled\r\n"} {
		c, err := book.Import(system, gradebook.Intake{SessionID: "ERR", FileName: "r.csv", CollectedAt: day(n), Content: []byte(head + rows)})
		if err != nil || c.RowsRejected != 0 || c.LearnersLeft != n {
			t.Fatalf("%v: cid has left by the second, and nobody else: %+v", err, c)
		}
		if got := [4]int{c.ScoresFirst, c.ScoresRaised, c.ScoresLowered, c.ScoresDropped}; got != [2][4]int{{4, 0, 0, 0}, {0, 2, 0, 0}}[n] {
			t.Errorf("first, raised, lowered, dropped: %v", got)
		}
	}
	if got, want := countsOf(t, db, journey.Question{SessionID: s.ID, AsOf: day(1)}), (journey.Counts{Enrolled: 2, Started: 2}); got != want {
		t.Errorf("ada and bob are enrolled, and both started: %+v", got)
	}
	if _, err := book.Import(system, gradebook.Intake{SessionID: "ERR", FileName: "r.csv", CollectedAt: day(2), Content: []byte(head)}); err == nil {
		t.Error("a report without anybody was taken in")
	}
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}

// Who left and came back has a row for each time in a roster; other platforms write percentages, dashes, and times of their own zone. What cannot be is told
// with its place, and nothing of such a row counts.
func TestPlainFormsAsPlatformsWriteThem(t *testing.T) {
	r, err := gradebook.Parse([]byte("learner,enrolled_at,left_at,cohort\nada,2026-02-01 09:00:00+01:00,,B\nada,2026-01-05T09:00:00+0100,20/01/2026 09:00,A\nada,2026-01-10,2026-01-12,C\nbob,2026-01-05 08:00:00 UTC,2026-01-07,\nbob,2026-01-07,2026-01-09,\ncid,2026-01-05,\n"))
	got := ""
	for _, e := range r.Events {
		got += fmt.Sprintf("%s %s %d; ", e.Key, e.At.Format("01-02 15:04"), e.Value)
	}
	if want := "ada 01-05 08:00 1; ada 01-20 09:00 0; ada 02-01 08:00 1; bob 01-05 08:00 1; bob 01-09 00:00 0; "; err != nil || got != want {
		t.Errorf("%v: %s, want %s", err, got, want)
	}
	if want := "line 4, column 2: duplicated\nline 7, column 4: row-length\n"; !strings.HasSuffix(said(r), want) || len(r.Rows) != 4 || r.Rows[0].Cohort != "B" || r.Rows[1].Cohort != "B" {
		t.Errorf("%s, want %s", said(r), want)
	}
	r, err = gradebook.Parse([]byte("learner;Quiz 1;Quiz 2;grade\nada;85,00\u00a0%;-;50 %\nbob;100 %;12,5%;0,1\ncid;8,5;0;0\ndan;101 %;0;0\n"))
	if want := "exercise \"Quiz 1\"\nexercise \"Quiz 2\"\ngrade \"grade\"\nada \"\" enrolled=true 0.850 -0.000 0.500\nbob \"\" enrolled=true 1.000 0.125 0.100\nline 4, column 2: bad-score\nline 5, column 2: bad-score\n"; err != nil || said(r) != want {
		t.Errorf("%v: %s, want %s", err, said(r), want)
	}
}

// Of points or per cent without a sign, a 1 would be all where it is one of a hundred: such a file is refused as a whole, with its first place. One slip is that of its row.
func TestScoresOfAnotherScaleAreRefused(t *testing.T) {
	for _, file := range []string{"learner,exercise,score\nada,Quiz,1\nbob,Quiz,85\ncid,Quiz,40.5\n", "learner;Quiz;Lab\nada;1;-\nbob;8,5;7\ncid;10;0\n"} {
		_, err := gradebook.Parse([]byte(file))
		if f := fault.From(err); !errors.Is(err, gradebook.ErrScale) || len(f.Fields) != 1 || f.Fields[0].Pointer != "line 3, column "+map[bool]string{true: "3", false: "2"}[strings.Contains(file, "exercise")] {
			t.Errorf("%q: %+v", file, err)
		}
	}
	if r, err := gradebook.Parse([]byte("learner,exercise,score\nada,Quiz,1\nbob,Quiz,85\n")); err != nil || len(r.Events) != 1 || len(r.Rejects) != 1 {
		t.Error("a slip is not of its row alone:", err, r.Rejects)
	}
}

// A roster says on which days somebody was here, also between two times; a dry run of it later finds nothing that differs.
func TestARosterOfWhoCameBack(t *testing.T) {
	db := testkit.DB(t)
	s := newSession(t, db, "BACK")
	book := gradebook.New(db, jobs.New(db, nil))
	const roster = "learner,enrolled_at,left_at\nada,2018-09-20,\nada,2018-09-17,2018-09-19\nbob,2018-09-17,2018-09-18\nbob,2018-10-20,\n"
	c, err := book.Import(system, gradebook.Intake{SessionID: "BACK", FileName: "r.csv", CollectedAt: day(10), Content: []byte(roster)})
	if err != nil || c.RowsRejected != 0 || c.RowsRead != 4 {
		t.Fatalf("%v: %+v", err, c)
	}
	for at, want := range map[int]int64{0: 2, 1: 1, 2: 0, 3: 1, 10: 1} {
		if got := countsOf(t, db, journey.Question{SessionID: s.ID, AsOf: day(at)}); got.Enrolled != want {
			t.Errorf("day %d: %d are enrolled, want %d", at, got.Enrolled, want)
		}
	}
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}

// The report of another course would un-enrol everybody and enrol others: before it is applied somebody is asked to look. A file of whom the platform failed to
// grade says nothing of anybody.
func TestAFileOfAnotherCourseIsDoubted(t *testing.T) {
	db := testkit.DB(t)
	if err := db.InTx(system, "session", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "D", CourseKey: "PRD", Title: catalog.Text{EN: "D"}, Platform: "fun", PlatformKey: "course-v1:MinesTelecom+04003+session07", ThresholdPPM: 500_000})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	book := gradebook.New(db, jobs.New(db, nil))
	for _, c := range []struct{ name, rows, want string }{
		{"anonymised-MinesTelecom_04003_session07_grade_report_2018-09-17-2117 (1).csv", "1,,ada,0.1,0.5,enrolled\n2,,bob,0.2,0.5,enrolled\n", "[]"},
		{"MinesTelecom_04003_session08_grade_report_2018-09-26-2108.csv", "2,,bob,0.2,0.5,enrolled\n3,,cid,0.2,0.5,enrolled\n", "[named-otherwise]"},
		{"MinesTelecom_04003_session08_grade_report_2018-10-05-2055.csv", "8,,eve,0.2,0.5,enrolled\n", "[named-otherwise nobody-known]"},
		{"my own_2018-10-10-2055.csv", "9,,fay,0.2,0.5,enrolled\n", "[nobody-known]"},
	} {
		got, err := book.Import(system, gradebook.Intake{SessionID: "D", FileName: c.name, Content: []byte("Student ID,Email,Username,Grade,HW 01,Enrollment Status\n" + c.rows), DryRun: c.want != "[]"})
		if err != nil || fmt.Sprint(got.Warnings) != c.want {
			t.Errorf("%s: %v, %v, want %s", c.name, err, got.Warnings, c.want)
		}
	}
	if _, err := gradebook.Parse([]byte("exercise,week,scored,weight\nHW 01,1,Y,0.1\n")); !errors.Is(err, gradebook.ErrIsMap) {
		t.Error("a map of exercises:", err)
	}
	if _, err := gradebook.Parse([]byte("PK\x03\x04\x14\x00\xff")); !errors.Is(err, gradebook.ErrWorkbook) {
		t.Error("a workbook:", err)
	}
	for _, file := range []string{"Student ID,Username,Error\r\n1,ada,boom\r\n", "Student ID,Email,Username,error_msg\r\n1,a@b.c,ada,boom\r\n"} {
		if _, err := gradebook.Parse([]byte(file)); !errors.Is(err, gradebook.ErrNotGraded) {
			t.Errorf("%q: %v", file, err)
		}
	}
}
