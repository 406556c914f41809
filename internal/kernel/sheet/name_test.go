package sheet_test

import (
	"strings"
	"testing"

	"cursus/internal/kernel/sheet"
)

// A name that a browser sends may have folders of either kind, signs that no name has, and no end: what is kept is short, plain, and never empty.
func TestPlainName(t *testing.T) {
	for name, want := range map[string]string{
		"grades.csv": "grades.csv", `C:\Users\Ann\été.csv`: "été.csv", "../../etc/passwd": "passwd", "a\x00b\n.csv": "ab.csv", "bad\xff.csv": "bad.csv",
		"": "file.csv", "..": "file.csv", "/ ": "file.csv", strings.Repeat("é", 300) + ".csv": strings.Repeat("é", 196) + ".csv",
	} {
		if got := sheet.PlainName(name, "file.csv"); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
