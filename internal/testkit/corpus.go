package testkit

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Corpus is what fuzzing once found and keeps in testdata/fuzz of the test's package, by the names of the files.
func Corpus(t testing.TB, fuzz string) map[string][]byte { return CorpusOf(t, ".", fuzz) }

// CorpusOf is that of another package, by the way to its folder.
func CorpusOf(t testing.TB, folder, fuzz string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "testdata", "fuzz", fuzz, "*"))
	if err != nil || len(names) == 0 {
		t.Fatal("nothing is kept of ", fuzz, ": ", err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, quoted, _ := strings.Cut(strings.TrimSpace(string(raw)), "[]byte(")
		text, err := strconv.Unquote(strings.TrimSuffix(quoted, ")"))
		if err != nil {
			t.Fatal(name, err)
		}
		all[filepath.Base(name)] = []byte(text)
	}
	return all
}
