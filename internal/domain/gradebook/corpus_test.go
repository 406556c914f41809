package gradebook_test

import (
	"fmt"
	"testing"

	"cursus/internal/books/journey"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/jobs"
	"cursus/internal/testkit"
)

// What fuzzing found for the parsers is not ours to stumble over behind them either: each such file is taken in, or refused for what stands in it,
// on a dry run as in earnest. A text that the database does not take would be told as a failure of ours.
func TestWhatFuzzingFoundIsTakenInOrRefused(t *testing.T) {
	db := testkit.DB(t)
	book, taken, n := gradebook.New(db, jobs.New(db, nil)), 0, 0
	files := testkit.Corpus(t, "FuzzIntakes")
	files["nul"] = []byte("learner,HW 1,grade\na\x00b,0.5,1\n")
	files["nul in a head"] = []byte("learner,HW\x00 1,grade\nada,0.5,1\n")
	files["no UTF-8"] = []byte("learner,HW 1,grade\na\xc3\x28b,0.5,1\n")
	files["a name without end"] = fmt.Appendf(nil, "learner,HW 1,grade\n%0100000d,0.5,1\n", 7)
	files["the year 99999"] = []byte("learner,exercise,score,attempted_at\nada,HW 1,0.5,99999-03-01\nbob,HW 1,0.5,0000-00-00\ncid,HW 1,0.5,0001-01-01\n")
	for name, raw := range files {
		n++
		s := newSessionOf(t, db, fmt.Sprint("FZ", n), fmt.Sprint("fz", n))
		for _, dry := range []bool{true, false} {
			if _, err := book.Import(system, gradebook.Intake{SessionID: s.ID, FileName: "f.csv", CollectedAt: day(3), Content: raw, DryRun: dry}); err == nil {
				taken++
			} else if fault.From(err).Kind == fault.Internal {
				t.Errorf("%s (dry run: %v): %v\n%.300q", name, dry, err, raw)
			}
		}
	}
	if taken == 0 {
		t.Error("every file was refused")
	}
	testkit.Verify(t, db, append(journey.Checks(), gradebook.Checks()...))
}
