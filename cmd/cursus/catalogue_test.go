package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cursus/internal/testkit"
)

// A catalogue goes in and out by commands, as JSON and as tables; a broken file is refused with status 1, line, path and rule, and changes
// nothing.
func TestACatalogueByCommands(t *testing.T) {
	t.Setenv("CURSUS_DATABASE_URL", testkit.OwnerDSN(t))
	dir, paper := t.TempDir(), "../../internal/demo/flirt.json"
	whole, err := os.ReadFile(paper)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	broken := bytes.Replace(whole, []byte(`"level": "bachelor"`), []byte(`"level": "beginner"`), 1)
	line := 1 + bytes.Count(broken[:bytes.Index(broken, []byte(`"beginner"`))], []byte("\n"))
	cut := whole[:len(whole)/2]
	for name, content := range map[string][]byte{"broken.json": broken, "cut.json": cut, "no.zip": []byte("PK this is none")} {
		if err := os.WriteFile(at(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		args   string
		status int
		says   []string
	}{
		{"catalogue export --collection FLIRT " + at("none.json"), 1, []string{"no-such-collection"}},
		{"catalogue import --dry-run " + paper, 0, []string{"collection\tFLIRT\tnew", "course: 6 new", "dry run: nothing was changed"}},
		{"catalogue export --collection FLIRT " + at("none.json"), 1, []string{"no-such-collection"}},
		{"catalogue import " + paper, 0, []string{"course: 6 new, 0 changed, 0 unchanged"}},
		{"catalogue export --collection FLIRT " + at("first.json"), 0, []string{"first.json: "}},
		{"catalogue import " + at("broken.json"), 1, []string{"catalogue-refused", "/courses/3/level: bad-level", "Line " + strconv.Itoa(line)}},
		{"catalogue import --dry-run " + at("broken.json"), 1, []string{"catalogue-refused", "/courses/3/level: bad-level", "Line " + strconv.Itoa(line)}},
		{"catalogue import " + at("cut.json"), 1, []string{"catalogue-refused", "bad-json", "Line "}},
		{"catalogue import " + at("no.zip"), 1, []string{"catalogue-refused", "not-a-zip"}},
		{"catalogue import " + at("missing.json"), 2, []string{"missing.json"}},
		{"catalogue export --collection FLIRT " + at("second.json"), 0, []string{"second.json: "}},
		{"catalogue export --collection FLIRT " + at("tables.zip"), 0, []string{"tables.zip: "}},
		{"catalogue import " + at("tables.zip"), 0, []string{"course: 0 new, 0 changed, 6 unchanged", "nothing was changed"}},
		{"catalogue export --collection FLIRT --format xml " + at("x"), 2, []string{"format"}},
		{"verify", 0, []string{"checks hold"}},
	} {
		var out, err bytes.Buffer
		status := run(context.Background(), strings.Fields(step.args), streams{&out, &err})
		said := out.String() + err.String()
		for _, word := range step.says {
			if status != step.status || !strings.Contains(said, word) {
				t.Errorf("cursus %s: status %d, want %d with %q:\n%s", step.args, status, step.status, word, said)
			}
		}
	}
	for _, name := range []string{"first.json", "second.json"} { // what was brought in, and what the broken files left of it
		if got, err := os.ReadFile(at(name)); err != nil || !bytes.Equal(got, whole) {
			t.Errorf("%s is not the file that was brought in: %d bytes of %d, %v", name, len(got), len(whole), err)
		}
	}
}
