package surveys_test

import (
	"fmt"
	"testing"
	"time"

	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
	"cursus/internal/testkit"
)

// What fuzzing found for the parsers is not ours to stumble over behind them either: each such file of answers or posts is taken in, or refused for
// what stands in it, on a dry run as in earnest.
func TestWhatFuzzingFoundIsTakenInOrRefused(t *testing.T) {
	c := newCourse(t)
	c.publish(surveys.Closing, closing)
	c.clock.Advance(5000 * time.Hour)
	taken := 0
	try := func(name string, raw []byte, in func(surveys.Intake) (surveys.Import, error)) {
		t.Helper()
		for _, dry := range []bool{true, false} {
			if _, err := in(surveys.Intake{Session: "PRD-8", FileName: "f.csv", CollectedAt: c.clock.Now(), Content: raw, DryRun: dry}); err == nil {
				taken++
			} else if fault.From(err).Kind == fault.Internal {
				t.Errorf("%s (dry run: %v): %v\n%.300q", name, dry, err, raw)
			}
		}
	}
	answers := testkit.Corpus(t, "FuzzSurvey")
	answers["nul"] = []byte("User ID,s1_before,s1_after,free\n101,4,7,a\x00b\n")
	answers["no UTF-8"] = []byte("User ID,s1_before,s1_after,free\n101,4,7,a\xc3\x28b\n")
	answers["more than a number"] = []byte("User ID,s1_before,s1_after\n101,99999999999999999999,7\n")
	answers["a token without end"] = fmt.Appendf(nil, "token,s1_before,s1_after\n%0100000d,4,7\n", 7)
	for name, raw := range answers {
		try("answers "+name, raw, func(in surveys.Intake) (surveys.Import, error) {
			return c.room.ImportAnswers(system, surveys.Closing, in)
		})
	}
	posts := testkit.Corpus(t, "FuzzForum")
	const head = "id,thread_id,author_id,author,created_at,cohort,type,answered\n"
	posts["nul"] = []byte(head + "t\x001,,101,awa,2019-03-05T10:00:00Z,FR\x00EE,question,false\n")
	posts["the year 99999"] = []byte(head + "t1,,101,awa,99999-03-05T10:00:00Z,FREE,question,false\nt2,,101,awa,0001-01-01T00:00:00Z,FREE,question,false\n")
	posts["an id without end"] = fmt.Appendf(nil, head+"%0100000d,,101,awa,2019-03-05T10:00:00Z,FREE,question,false\n", 7)
	for name, raw := range posts {
		try("posts "+name, raw, func(in surveys.Intake) (surveys.Import, error) { return c.room.ImportForum(system, in) })
	}
	if taken == 0 {
		t.Error("every file was refused")
	}
	testkit.Verify(t, c.db, surveys.Checks())
}
