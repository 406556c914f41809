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
	for name, raw := range testkit.Corpus(t, "FuzzStatements") {
		files["statements "+name] = raw
	}
	files["nul"] = []byte("learner,HW 1,grade\na\x00b,0.5,1\n")
	files["nul in a head"] = []byte("learner,HW\x00 1,grade\nada,0.5,1\n")
	spelled := map[string]string{ // JSON can spell what no database takes
		"of a learner": `{"actor":{"account":{"name":"a\u0000b"}},"verb":{"id":"earned"},"object":{"id":"HW 1"},"result":{"score":{"scaled":1}},"timestamp":"2026-03-01T10:00:00Z"}`,
		"of an object": `{"actor":{"account":{"name":"ada"}},"verb":{"id":"earned"},"object":{"id":"a\u0000b"},"result":{"score":{"scaled":1}},"timestamp":"2026-03-01T10:00:00Z"}`,
		"of a title":   `{"actor":{"account":{"name":"ada"}},"verb":{"id":"earned"},"object":{"id":"HW 1","definition":{"name":{"en":"a\u0000b"}}},"result":{"score":{"scaled":1}},"timestamp":"2026-03-01T10:00:00Z"}`,
	}
	for place, line := range map[string]string{"a user": `{"enrolments":[{"user":"a\u0000b","is_active":true}]}`, "a grade": `{"gradebook":[{"user_id":7,"username":"a\u0000b","percent":1}]}`, "an address": `{"gradebook":[{"user_id":7,"username":"ada","email":"a\u0000@x.org","percent":1}]}`, "a bad grade": `{"gradebook":[{"user_id":7,"username":"a\u0000b","percent":7}]}`, "an exercise": `{"gradebook":[{"user_id":7,"username":"ada","percent":1,"section_breakdown":[{"label":"a\u0000b"}]}]}`, "a cohort": `{"cohort":"a\u0000b","members":["ada"]}`, "no cohort": `{"members":["ada"]}`} {
		spelled["pulled: "+place] = `{"pull":{"course":"c","collected_at":"2026-03-03T00:00:00Z","enrolments":true}}` + "\n" + `{"enrolments":[{"user":"ada","is_active":true}]}` + "\n" + line
	}
	for name, text := range spelled {
		files["nul "+name] = []byte(text)
	}
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
