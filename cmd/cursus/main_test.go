package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cursus/internal/testkit"
)

// folder gives what writes a file into a folder of the test, and says where it is.
func folder(t *testing.T) (write func(name, content string) string) {
	dir := t.TempDir()
	return func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

// The commands of the README, one after the other, with what they print and how they end.
func TestCommandsOfTheReadme(t *testing.T) {
	dsn := testkit.OwnerDSN(t)
	t.Setenv("CURSUS_DATABASE_URL", dsn)
	write := folder(t)
	weeks := write("weeks.csv", "exercise,week\nHW 01,1\nHW 02,2\n")
	first := write("x_grade_report_2018-09-17-2117.csv", "id,username,grade,HW 01,HW 02\n1,ada,0.5,1,0.5\n2,bob,0,0,0\n")
	second := write("x_grade_report_2018-09-24-2117.csv", "id,username,grade,HW 01,HW 02\n1,ada,0.5,1,0.5\n3,short,0\n")
	for _, step := range []struct {
		args   string
		status int
		says   string
	}{
		{"migrate", 0, "up to date"},
		{"import session --key S --course PRD --threshold 2", 1, "--threshold"},
		{"import session --key S --course PRD --exercises " + weeks, 0, "2 exercises"},
		{"import session --key S --course PRD", 1, "session-key-taken"},
		{"import grades --session S --dry-run " + first, 0, "(dry run): grade_report, 2 rows, 2 new"},
		{"import grades --session S " + second + " " + first, 1, "line 3, column 4: The row has 3 cells"},
		{"import grades --session S " + first, 0, "nothing to do"},
		{"import grades --session S " + weeks, 1, "map-of-exercises"},
		{"import grades --session none " + first, 1, "no-such-session"},
		{"report indicators --session S --as-of 2018-09-18 --format csv", 0, "S,diligent,1,current,first,1,2,500,"},
		{"report indicators --session S --basis ever --format json", 0, `"enrolled": 2`},
		{"report indicators --session S", 0, "100.0 %"},
		{"report indicators --session S --as-of yesterday", 1, "--as-of"},
		{"report indicators --session S --basis often", 2, "basis"},
		{"verify", 0, "checks hold"},
		{"--help", 0, "Usage: cursus"},
		{"sell", 2, "sell"},
	} {
		var out, err bytes.Buffer
		status := run(context.Background(), strings.Fields(step.args), streams{&out, &err})
		if said := out.String() + err.String(); status != step.status || !strings.Contains(said, step.says) {
			t.Errorf("cursus %s: status %d, want %d with %q:\n%s", step.args, status, step.status, step.says, said)
		}
	}
	// Verify is not a formality: a row that differs from its history is shown.
	if _, err := testkit.Owner(t, dsn).Exec(`update journey.enrolments set reached = 0`); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status := run(context.Background(), []string{"verify"}, streams{&out, &out}); status != 1 || !strings.Contains(out.String(), "invariant 18 is broken") ||
		!strings.Contains(out.String(), "the stages of S are not what its facts say: ") {
		t.Error(status, out.String())
	}
}
