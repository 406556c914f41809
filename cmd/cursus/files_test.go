package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"strings"
	"testing"

	"cursus/internal/testkit"
)

// Files of several kinds in one command: tried with the difference, taken in with what is said of columns, begun again after a file was refused, and
// what is said of a column that no file has.
func TestImportFilesOfAnyKind(t *testing.T) {
	dsn := testkit.OwnerDSN(t)
	t.Setenv("CURSUS_DATABASE_URL", dsn)
	write := folder(t)
	weeks := write("weeks.csv", "exercise,week\nHW 1,1\nHW 2,2\n")
	first := write("a_grade_report_2026-03-01-0900.csv", "id,username,grade,HW 1,HW 2\n1,ada,0.5,1,0.5\n2,bob,0.5,1,0.5\n")
	second := write("a_grade_report_2026-03-08-0900.csv", "id,username,grade,HW 1,HW Two,Poll,Poll\n1,ada,0.2,0,0.5,1,1\n3,eve,0.5,1,0.5,1,1\n4,short\n")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("id,thread_id,author,created_at,type\np1,,ada,2026-03-07T08:00:00Z,question\n")); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	posts := write("posts_2026-03-08-0900.csv.gz", packed.String())
	undated := write("undated.csv", "learner,HW 1\nada,1\n")
	said := []string{"--map", "HW Two=exercise:HW 2", "--map", "Poll=new:1", "--map", "Poll=ignore"}
	for i, step := range []struct {
		args   []string
		status int
		says   []string
		not    string
	}{
		{[]string{"session", "--key", "S", "--course", "PRD", "--exercises", weeks}, 0, []string{"2 exercises"}, ""},
		{[]string{"--session", "S", first}, 0, []string{"0900.csv: grade_report, 2 rows, 2 new"}, "files:"},
		{[]string{"--session", "S", "--dry-run", second, posts}, 1, []string{
			"(dry run): grade_report, 3 rows, 1 new, 1 left", "1 (line 2): scores, 3 first, 1 lowered, 1 dropped", "bob: left", "3 (line 3): new", `new exercises: ["HW Two"`, `["HW 2"]`, `what the column "HW Two" is; perhaps --map "HW Two=exercise:HW 2"`,
			"line 4, column 3: The row has 2 cells, the header 7. (row-length)", "(dry run): forum_csv; posts: 1 new", "2 files: 2 tried, 0 imported before, 0 refused; 1 rows left out",
		}, ""},
		{[]string{"--session", "S", "--map", "HW Tow=ignore", second}, 1, []string{"no-such-column", "HW Tow"}, "grade_report,"},
		{[]string{"--session", "S", "--map", "HW Two=homework", second}, 1, []string{"bad-mapping"}, "grade_report,"},
		{append([]string{"--session", "S", undated, second, posts}, said...), 1, []string{"undated.csv: not taken in.", "1 new, 1 left", "posts: 1 new", "3 files: 2 taken in, 0 imported before, 1 refused; 1 rows left out"}, "nobody has said"},
		{append([]string{"--session", "S", second, posts}, said...), 0, []string{"2 files: 0 taken in, 2 imported before, 0 refused; 0 rows left out", "its columns are what --map says"}, "not taken in"},
		{[]string{"files", "--session", "S", "--kind", "forum", undated}, 1, []string{"undated.csv", "not-a-forum"}, ""},
		{[]string{"--session", "none", first, posts}, 1, []string{"no-such-session"}, "posts_"},
	} {
		var out bytes.Buffer
		status := run(context.Background(), append([]string{"import"}, step.args...), streams{&out, &out})
		for _, says := range step.says {
			if !strings.Contains(out.String(), says) {
				t.Errorf("%d: does not say %q:\n%s", i, says, out.String())
			}
		}
		if status != step.status || step.not != "" && strings.Contains(out.String(), step.not) {
			t.Errorf("%d: status %d, want %d without %q:\n%s", i, status, step.status, step.not, out.String())
		}
	}
	var intakes, ignored int
	if err := testkit.Owner(t, dsn).QueryRow(`select (select count(*) from gradebook.collections), (select count(*) from gradebook.mappings where label = 'Poll' and occurrence = 1 and meaning = 'ignored')`).Scan(&intakes, &ignored); err != nil || intakes != 2 || ignored != 1 {
		t.Error(intakes, ignored, err)
	}
}
