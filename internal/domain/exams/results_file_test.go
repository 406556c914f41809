package exams

import (
	"bytes"
	"compress/gzip"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"cursus/internal/kernel/fault"
)

const resultsHeader = "course_id,provider,track,exam_name,username,email,attempt_code,allowed_time_limit_mins,is_sample_attempt,started_at,completed_at,status,review_status," +
	"Suspicious Count,Suspicious Comments,Rules Violation Count,Rules Violation Comments\r\n"

const resultsFile = resultsHeader +
	`course-v1:IMT+PRD+s9,rpnow,verified,Final,zoe,zoe@example.org,C1,90,False,2026-05-01 09:00:00+00:00,2026-05-01 10:00:00+00:00,verified,Clean,0,,0,` + "\r\n" +
	`course-v1:IMT+PRD+s9,rpnow,verified,Final,bob,,C2,,False,2026-05-01T09:00:00Z,,submitted,Suspicious,2,"à droite; sort, revient",1,téléphone` + "\r\n" +
	`course-v1:IMT+PRD+s9,rpnow,verified,Final,,ann@example.org,C3,None,True,,,created,,,,,` + "\r\n"

func read(t testing.TB, raw []byte) []resultRow {
	t.Helper()
	rows, err := readResults(raw)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// What a spreadsheet makes of the report says the same: with a mark, in other encodings and separators, with other ends of lines, compressed.
func TestAFileOfResultsInEveryDialect(t *testing.T) {
	want := read(t, []byte(resultsFile))
	if len(want) != 3 || want[0].state != Verified || want[1].state != SecondReview || want[2].state != Created || !want[2].sample || want[0].minutes != 90 ||
		len(want[0].findings) != 0 || len(want[1].findings) != 2 || !strings.Contains(want[1].findings[0].Note, "à droite; sort, revient") ||
		want[1].startedAt == nil || want[1].completedAt != nil {
		t.Fatalf("%+v", want)
	}
	semicolons := strings.NewReplacer(",", ";", "; ", ", ").Replace(strings.ReplaceAll(resultsFile, `"à droite; sort, revient"`, "§"))
	semicolons = strings.ReplaceAll(semicolons, "§", `"à droite; sort, revient"`)
	tabs := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(resultsFile, `"à droite; sort, revient"`, "§"), ",", "\t"), "§", "à droite; sort, revient")
	latin, _ := charmap.Windows1252.NewEncoder().String(resultsFile)
	wide, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(resultsFile)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(resultsFile))
	_ = z.Close()
	for name, raw := range map[string]string{
		"mark": "\ufeff" + resultsFile, "LF": strings.ReplaceAll(resultsFile, "\r\n", "\n"), "semicolons": semicolons, "tabs": tabs, "Windows-1252": latin, "UTF-16": wide,
		"gzip": packed.String(), "names": strings.NewReplacer("attempt_code", "Attempt Code", "Suspicious Count", "suspicious_count").Replace(resultsFile),
	} {
		got := read(t, []byte(raw))
		for i := range want {
			if i >= len(got) || got[i].refused != nil || got[i].code != want[i].code || got[i].state != want[i].state || len(got[i].findings) != len(want[i].findings) ||
				(got[i].startedAt == nil) != (want[i].startedAt == nil) {
				t.Errorf("%s: row %d: %+v, want %+v", name, i, got[i], want[i])
			}
		}
	}
}

// What is wrong is named by line and column: of a row, which stands alone, or of the file, of which nothing is read then.
func TestWhatIsWrongWithAFileOfResults(t *testing.T) {
	row := func(change ...string) string { return strings.NewReplacer(change...).Replace(resultsFile) }
	for _, x := range []struct {
		name, raw, code string
		line, column    int
	}{
		{"status", row(",verified,Clean", ",approved,Clean"), "unknown-status", 2, 0},
		{"review", row(",verified,Clean", ",verified,Lovely"), "unknown-review", 2, 0},
		{"set-up", row(",verified,Clean", ",onboarding_missing,"), "not-an-attempt", 2, 0},
		{"time", row("2026-05-01 09:00:00+00:00", "01/05/2026"), "bad-time", 2, 0},
		{"order", row("2026-05-01 10:00:00+00:00", "2026-05-01 08:00:00+00:00"), "before-start", 2, 0},
		{"number", row(",C1,90,", ",C1,1.5,"), "bad-number", 2, 0},
		{"sample", row(",False,2026-05-01 09", ",maybe,2026-05-01 09"), "bad-value", 2, 0},
		{"nobody", row(",ann@example.org,", ",,"), "missing-value", 4, 0},
		{"address", row("ann@example.org", "ann"), "bad-email", 4, 44},
		{"twice", row(",C3,", ",C1,"), "duplicated", 4, 0},
		{"short", resultsFile + "course-v1:IMT+PRD+s9,rpnow\r\n", "row-length", 5, 1},
		{"letter", row(",zoe,", ",z\x01oe,"), "bad-character", 2, 0},
	} {
		rows := read(t, []byte(x.raw))
		i := slices.IndexFunc(rows, func(r resultRow) bool { return r.refused != nil })
		if i < 0 || rows[i].refused.Code != x.code || rows[i].refused.Line != x.line || rows[i].refused.Column < 1 || x.column > 0 && rows[i].refused.Column != x.column {
			t.Errorf("%s: %+v", x.name, rows)
		} else if slices.ContainsFunc(rows[i+1:], func(r resultRow) bool { return r.refused != nil }) {
			t.Errorf("%s: more is refused than is wrong: %+v", x.name, rows)
		}
	}
	for name, raw := range map[string]string{
		"empty": "", "column": strings.Replace(resultsFile, "attempt_code", "code", 1), "twice": strings.Replace(resultsFile, "provider", "status", 1),
		"who": strings.NewReplacer("username", "u", "email", "e").Replace(resultsFile), "courses": row("bob,,", "bob,,", "course-v1:IMT+PRD+s9,rpnow,verified,Final,bob", "course-v1:IMT+PRD+s8,rpnow,verified,Final,bob"),
		"quote": row(`"à droite`, `x"à droite`), "cut gzip": "\x1f\x8b\x08\x00",
	} {
		_, err := readResults([]byte(raw))
		var f *fault.Fault
		if !errors.As(err, &f) || !errors.Is(err, ErrResultsRefused) || len(f.Fields) != 1 || !strings.HasPrefix(f.Fields[0].Pointer, "results.csv:") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readResults(bytes.Repeat([]byte("x"), MaxResultsBytes+1)); !errors.Is(err, ErrResultsTooLarge) {
		t.Error(err)
	}
}

// A score is exact to a millionth, half up, with a point or a comma; what is no number from 0 to 1 is refused.
func TestAScoreOfAFile(t *testing.T) {
	for said, want := range map[string]int{"0": 0, "1": 1_000_000, "0.85": 850_000, "0,5": 500_000, "0.0000005": 1, "0.00000049": 0, "1.0": 1_000_000, "1.01": -1, "-0.1": -1, "1e-2": -1, "1/3": -1, "a": -1} {
		rows := read(t, []byte("course_id;attempt_code;status;email;score\nc;A;verified;a@example.org;"+said+"\n"))
		switch got := rows[0]; {
		case want < 0 && (got.refused == nil || got.refused.Code != "bad-score"), want >= 0 && (got.refused != nil || *got.scorePPM != want):
			t.Errorf("%s: %+v", said, got)
		}
	}
}

// FuzzResults gives the reader anything: it reads it, or says where it is wrong, and never panics.
func FuzzResults(f *testing.F) {
	f.Add([]byte(resultsFile))
	f.Add([]byte("\ufeff" + strings.ReplaceAll(resultsFile, ",", ";")))
	f.Add([]byte(resultsHeader + `"`))
	f.Add([]byte("course_id\tattempt_code\tstatus\temail\tscore\n c\t'=1\tverified\ta@b.org\t0,5\n"))
	f.Add([]byte{0x1f, 0x8b, 8, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		rows, err := readResults(raw)
		var said *fault.Fault
		if err != nil && !errors.As(err, &said) {
			t.Fatal(err)
		}
		for _, r := range rows {
			switch {
			case r.line < 2:
				t.Fatalf("%+v", r)
			case r.refused != nil && (r.refused.Line != r.line || r.refused.Column < 1 || r.refused.Code == ""):
				t.Fatalf("%+v", r.refused)
			case r.refused == nil && (r.code == "" || r.state == "" || r.username == "" && r.email == ""):
				t.Fatalf("%+v", r)
			}
		}
	})
}

// A file moves an attempt along edges alone, by nothing that only people may do, to what it says; where it cannot, the table says why, and what
// would lead back moves nothing.
func TestTheWayOfARowIsAlongTheTable(t *testing.T) {
	states := []AttemptState{}
	for s := range rank {
		states = append(states, s)
	}
	slices.Sort(states)
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.SampledFrom(states).Draw(t, "from"), rapid.SampledFrom(states).Draw(t, "to")
		events, refused := way(from, to)
		at := from
		for i, e := range events {
			next, ok := edges[at][e]
			if !ok || e == EvAllowResume || e == EvResume || i < len(events)-1 && !slices.Contains(along, next) {
				t.Fatalf("%s does not lead from %s on the way to %s", e, at, to)
			}
			at = next
		}
		switch {
		case refused == nil && at != to:
			t.Fatalf("the way from %s to %s ends at %s", from, to, at)
		case refused == nil && rank[to] < rank[from] && from != Verified:
			t.Fatalf("from %s back to %s", from, to)
		case refused != nil && (from == to || len(events) > 0):
			t.Fatalf("%s to %s: %v", from, to, refused)
		}
	})
}
