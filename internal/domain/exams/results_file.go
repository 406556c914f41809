package exams

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/sheet"
)

// Limits of a file of results: its bytes, also as text, and its rows.
const (
	MaxResultsBytes = 8 << 20
	maxResultsRows  = 10_000
)

// Faults of a file of results. ErrResultsRefused carries the place as a field.
var (
	ErrResultsRefused  = fault.New(fault.Unprocessable, "results-refused", "The file was not read, and nothing was changed.")
	ErrNoResults       = fault.New(fault.NotFound, "no-such-results", "The session has no such file of results.")
	ErrResultsNotKept  = fault.New(fault.NotFound, "file-not-kept", "The bytes of this file are not kept.")
	ErrResultsTooLarge = fault.New(fault.TooLarge, "results-too-large", "A file of results has at most 8 MiB and 10,000 rows.")
)

// resultRow is what a file says of one attempt.
type resultRow struct {
	line        int
	course      string
	username    string
	email       string // as identity has it
	code        string
	minutes     int // of the attempt; 0: not said
	sample      bool
	startedAt   *time.Time
	completedAt *time.Time
	state       AttemptState
	scorePPM    *int
	findings    []Incident
	refused     *RowOutcome // what is wrong with it
}

// states are the words of a status. A sample whose set-up is not done is no attempt yet.
var fileStates = map[string]AttemptState{
	"created": Created, "download_software_clicked": Downloading, "ready_to_start": ReadyToStart, "started": Started, "ready_to_submit": ReadyToSubmit,
	"timed_out": TimedOut, "submitted": Submitted, "second_review_required": SecondReview, "verified": Verified, "rejected": Rejected, "error": Errored,
	"ready_to_resume": Errored, "resumed": Errored, "declined": Declined, "expired": Expired,
}

// verdicts are the words of a review, of today and of the legacy format: what they make of an attempt that waits for one.
var verdicts = map[string]AttemptState{
	"passed": Verified, "clean": Verified, "violation": Verified, "rulesviolation": Verified, "suspicious": SecondReview, "notreviewed": Errored,
}

var (
	resultsRequired = []string{"course_id", "attempt_code", "status"}
	resultsOptional = []string{"username", "email", "allowed_time_limit_mins", "is_sample_attempt", "started_at", "completed_at", "review_status",
		"Suspicious Count", "Suspicious Comments", "Rules Violation Count", "Rules Violation Comments", "score"}
)

// column is the name of a column without what people write differently.
func column(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '_' || r == '-' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

func unreadable(line, col int, code, detail string) error {
	out := *ErrResultsRefused
	out.Detail = fmt.Sprintf("%s Line %d, column %d: %s", out.Detail, line, col, detail)
	out.Fields = []fault.Field{{Pointer: fmt.Sprintf("results.csv:%d:%d", line, col), Code: code, Detail: detail}}
	return &out
}

// IsResults says whether a file has the columns of a file of results.
func IsResults(raw []byte) bool {
	data, err := sheet.Text(raw, MaxResultsBytes)
	if err != nil || len(data) == 0 {
		return false
	}
	t := &resultsTable{in: sheet.Reader(data), at: map[string]int{}}
	var wrong *fault.Fault // of a header in which a column stands twice, the reader of results says so
	err = t.header()
	return err == nil || errors.As(err, &wrong) && wrong.Fields[0].Code == "duplicate-column"
}

// ReadAll reads a file of results whole; one that is too large is cut, and refused by who reads its rows.
func ReadAll(src sheet.Source) ([]byte, error) {
	f, err := src()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, MaxResultsBytes+1))
}

// readResults reads the proctored exam results report of Open edX: any separator and encoding of a spreadsheet, plain or gzip. A column `score`,
// which that report lacks, may say what the attempt is worth, from 0 to 1. What is wrong with one row stands in it; a file without its
// columns, or of several courses, is refused. Errors: ErrResultsRefused, ErrResultsTooLarge.
func readResults(raw []byte) ([]resultRow, error) {
	if len(raw) > MaxResultsBytes {
		return nil, ErrResultsTooLarge
	}
	data, err := sheet.Text(raw, MaxResultsBytes)
	var bad *sheet.BadLetter
	switch {
	case errors.As(err, &bad):
		return nil, unreadable(bad.Line, bad.Column, "bad-encoding", "The letter here cannot be read.")
	case errors.Is(err, sheet.ErrTooLarge):
		return nil, ErrResultsTooLarge
	case err != nil || len(data) == 0:
		return nil, unreadable(1, 1, "unreadable", "The file is empty, cut, or in no encoding that is known.")
	}
	t := &resultsTable{in: sheet.Reader(data), at: map[string]int{}}
	if err := t.header(); err != nil {
		return nil, err
	}
	var all []resultRow
	codes := map[string]int{}
	for {
		cells, err := t.in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			return nil, unreadable(broken.Line, broken.Column, "bad-csv", "A quotation mark is missing or stands in the wrong place.")
		}
		if err != nil {
			return nil, unreadable(t.line+1, 1, "unreadable", "The row cannot be read.")
		}
		t.cells = cells
		t.line, _ = t.in.FieldPos(0)
		if !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			continue
		}
		row := t.row()
		if first, twice := codes[row.code]; twice && row.refused == nil {
			t.refuse("attempt_code", "duplicated", fmt.Sprintf("Line %d says something of this attempt already.", first))
			row.refused = t.refused
		}
		codes[row.code] = row.line
		if row.refused == nil && len(all) > 0 && all[0].refused == nil && row.course != all[0].course {
			return nil, unreadable(row.line, 1, "several-courses", "The file is of several courses: import one at a time.")
		}
		if all = append(all, row); len(all) > maxResultsRows {
			return nil, ErrResultsTooLarge
		}
	}
	return all, nil
}

// resultsTable reads the rows below a header.
type resultsTable struct {
	in      *csv.Reader
	at      map[string]int // of the columns that are asked for
	width   int
	cells   []string
	line    int
	refused *RowOutcome
}

func (t *resultsTable) header() error {
	cells, err := t.in.Read()
	if err != nil {
		return unreadable(1, 1, "bad-csv", "The first line cannot be read.")
	}
	t.width = len(cells)
	asked := map[string]string{}
	for _, name := range append(append([]string{}, resultsRequired...), resultsOptional...) {
		asked[column(name)] = name
	}
	for i, said := range cells {
		name, ok := asked[column(said)]
		if !ok {
			continue
		}
		if _, twice := t.at[name]; twice {
			_, col := t.in.FieldPos(i)
			return unreadable(1, col, "duplicate-column", "The column "+name+" stands twice.")
		}
		t.at[name] = i
	}
	for _, name := range resultsRequired {
		if _, ok := t.at[name]; !ok {
			return unreadable(1, 1, "missing-column", "The first line has no column "+name+".")
		}
	}
	_, named := t.at["username"]
	if _, addressed := t.at["email"]; !named && !addressed {
		return unreadable(1, 1, "missing-column", "The first line has no column username and none email.")
	}
	return nil
}

// refuse notes the first thing that is wrong with the row.
func (t *resultsTable) refuse(name, code, detail string) {
	if t.refused != nil {
		return
	}
	col := 1
	if i, ok := t.at[name]; ok && i < len(t.cells) {
		_, col = t.in.FieldPos(i)
	}
	t.refused = &RowOutcome{Line: t.line, Column: col, Outcome: RowRefused, Code: code, Detail: detail}
}

func (t *resultsTable) row() resultRow {
	t.refused = nil
	r := resultRow{line: t.line}
	if len(t.cells) != t.width {
		t.refuse("", "row-length", fmt.Sprintf("The row has %d cells, the first line %d.", len(t.cells), t.width))
	}
	r.course, r.code, r.username = t.must("course_id"), t.must("attempt_code"), t.cell("username", 255)
	if said := t.cell("email", 255); said != "" {
		address, err := identity.NormalEmail(said)
		if err != nil {
			t.refuse("email", "bad-email", "This is no address.")
		}
		r.email = address
	}
	if r.username == "" && r.email == "" {
		t.refuse("username", "missing-value", "Neither a username nor an address says whose attempt it is.")
	}
	r.minutes = t.count("allowed_time_limit_mins", 1440)
	r.sample = t.yes("is_sample_attempt")
	r.startedAt, r.completedAt = t.time("started_at"), t.time("completed_at")
	if r.startedAt != nil && r.completedAt != nil && r.completedAt.Before(*r.startedAt) {
		t.refuse("completed_at", "before-start", "It ended before it began.")
	}
	r.state = t.state()
	r.scorePPM = t.score()
	t.findings(&r, "Suspicious", 50)
	t.findings(&r, "Rules Violation", 80)
	r.refused = t.refused
	return r
}

// cell is a cell of the row; what spreadsheets put before a formula is not of it.
func (t *resultsTable) cell(name string, most int) string {
	i, ok := t.at[name]
	if !ok || i >= len(t.cells) {
		return ""
	}
	s := strings.TrimSpace(t.cells[i])
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune("=+-@", rune(s[1])) {
		s = s[1:]
	}
	switch {
	case utf8.RuneCountInString(s) > most:
		t.refuse(name, "too-long", fmt.Sprintf("At most %d letters.", most))
		return ""
	case strings.ContainsFunc(s, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	}):
		t.refuse(name, "bad-character", "There is a letter that cannot be read.")
		return ""
	}
	return strings.Clone(s)
}

func (t *resultsTable) must(name string) string {
	s := t.cell(name, 255)
	if s == "" {
		t.refuse(name, "missing-value", "The column "+name+" says nothing here.")
	}
	return s
}

// absent are the words for nothing.
func absent(s string) bool {
	return slices.Contains([]string{"", "n/a", "none", "null", "-"}, strings.ToLower(s))
}

func (t *resultsTable) count(name string, most int) int {
	s := t.cell(name, 40)
	if absent(s) {
		return 0
	}
	n, ok := decimal(s)
	if !ok || !n.IsInt() || n.Cmp(big.NewRat(int64(most), 1)) > 0 {
		t.refuse(name, "bad-number", fmt.Sprintf("A whole number from 0 to %d.", most))
		return 0
	}
	return int(n.Num().Int64())
}

// decimal reads a number that is not below nothing, with a point or a comma; no exponent.
func decimal(s string) (*big.Rat, bool) {
	if strings.Trim(s, "0123456789.,") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(strings.ReplaceAll(s, ",", "."))
}

func (t *resultsTable) yes(name string) bool {
	s := strings.ToLower(t.cell(name, 40))
	switch {
	case slices.Contains([]string{"true", "1", "yes", "y", "vrai", "oui"}, s):
		return true
	case !absent(s) && !slices.Contains([]string{"false", "0", "no", "n", "faux", "non"}, s):
		t.refuse(name, "bad-value", "True or False.")
	}
	return false
}

// Times are of UTC where they do not say otherwise.
var resultTimes = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04"}

func (t *resultsTable) time(name string) *time.Time {
	s := t.cell(name, 60)
	if absent(s) {
		return nil
	}
	for _, layout := range resultTimes {
		if at, err := time.Parse(layout, s); err == nil && at.Year() >= 1990 && at.Year() <= 2200 && (layout != "2006-01-02 15:04:05 MST" || strings.HasSuffix(s, "UTC")) {
			at = at.UTC()
			return &at
		}
	}
	t.refuse(name, "bad-time", "A time such as 2018-10-31 21:00:00 of UTC.")
	return nil
}

// state is where the attempt stands by its status; a review says more of one that was handed in.
func (t *resultsTable) state() AttemptState {
	said := strings.ToLower(t.cell("status", 60))
	to, known := fileStates[said]
	review := column(t.cell("review_status", 60))
	verdict, judged := verdicts[review]
	switch {
	case !known && strings.HasPrefix(said, "onboarding"):
		t.refuse("status", "not-an-attempt", "The set-up of a learner's identity is no attempt.")
	case !known:
		t.refuse("status", "unknown-status", "No status of an attempt.")
	case !judged && !absent(t.cell("review_status", 60)):
		t.refuse("review_status", "unknown-review", "Clean, Rules Violation, Suspicious or Not Reviewed.")
	case judged && to == Submitted:
		return verdict
	}
	return to
}

func (t *resultsTable) score() *int {
	s := t.cell("score", 40)
	if absent(s) {
		return nil
	}
	n, ok := decimal(s)
	if !ok || n.Cmp(big.NewRat(1, 1)) > 0 {
		t.refuse("score", "bad-score", "A number from 0 to 1.")
		return nil
	}
	n.Mul(n, big.NewRat(1_000_000, 1)).Add(n, big.NewRat(1, 2)) // half up
	ppm := int(new(big.Int).Quo(n.Num(), n.Denom()).Int64())
	return &ppm
}

// findings are what a review noticed, as an incident of the sitting.
func (t *resultsTable) findings(r *resultRow, name string, severity int) {
	n := t.count(name+" Count", 100_000)
	said := t.cell(name+" Comments", 100_000)
	if n == 0 && absent(said) {
		return
	}
	note := fmt.Sprintf("%s (%d)", name, n)
	if !absent(said) {
		note += ": " + said
	}
	if letters := []rune(note); len(letters) > 2000 {
		note = string(letters[:1999]) + "…"
	}
	r.findings = append(r.findings, Incident{Kind: "other", Severity: severity, Note: note})
}
