package gradebook

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/internal/kernel/sheet"
)

// source is a file of rows as anybody reads it who knows nothing of its kinds: what a parser says has to stand in it.
type source struct {
	header []string
	rows   map[int][]string // by line
	filled int              // rows with something in them
	comma  bool
}

func readSource(t *testing.T, data []byte) source {
	in := sheet.Reader(data)
	records, lines := [][]string{}, []int{}
	for {
		record, err := in.Read()
		if err != nil {
			break
		}
		line, _ := in.FieldPos(0)
		records, lines = append(records, record), append(lines, line)
	}
	if len(records) == 0 {
		t.Fatal("a file of no rows was read")
	}
	s := source{header: records[0], rows: map[int][]string{}, comma: in.Comma == ';'}
	for i, record := range records[1:] {
		s.rows[lines[i+1]] = record
		if strings.TrimSpace(strings.Join(record, "")) != "" {
			s.filled++
		}
	}
	return s
}

// nth is the place of a column of scores that stands several times; -1: it does not.
func (s source) nth(kind Kind, label string, occurrence int) int {
	seen := map[string]bool{}
	for i, h := range s.header {
		name := strings.ToLower(strings.TrimSpace(h))
		first := !seen[name]
		seen[name] = true
		if kind == Wide && first && (asides[name] || name == "grade") || kind == Grades && (!seen["grade"] || first && name == "grade") {
			continue
		}
		if strings.TrimSpace(h) == label {
			if occurrence--; occurrence < 0 {
				return i
			}
		}
	}
	return -1
}

// at is a cell by a name of its column in whatever letters.
func (s source) at(row []string, names ...string) string {
	for _, n := range names {
		for i, h := range s.header {
			if strings.ToLower(strings.TrimSpace(h)) == n {
				return strings.TrimSpace(row[i])
			}
		}
	}
	return ""
}

// number reads a score without the parser's own rules; nil: it is none.
func (s source) number(cell string) *big.Rat {
	if s.comma {
		cell = strings.Replace(cell, ",", ".", 1)
	}
	if n, ok := new(big.Rat).SetString(strings.TrimSpace(cell)); ok {
		return n
	}
	return nil
}

// says tells whether a value is what a cell says, to the billionth.
func (s source) says(kind Kind, family, cell string, v int64) bool {
	cell = strings.TrimSpace(cell)
	plain := kind == Wide || kind == Long
	if percent, is := strings.CutSuffix(cell, "%"); is && plain {
		n := s.number(percent)
		return n != nil && near(n.Quo(n, big.NewRat(100, 1)), v)
	}
	if cell == "-" && plain {
		return v == NotAttempted || v == 0 && kind == Wide // of a total
	}
	switch v {
	case NotAvailable:
		return cell == "Not Available"
	case NotAttempted:
		if cell == "Not Attempted" || cell == "" && kind == Wide {
			return true
		}
		n := s.number(cell) // legacy reports say nought of what nobody tried
		return family == Legacy && n != nil && near(n, 0)
	}
	if n := s.number(cell); n != nil {
		return near(n, v)
	}
	return v == 0 && strings.HasPrefix(cell, "Not ") || v == 0 && cell == "" && kind == Wide // of a total
}

func near(n *big.Rat, v int64) bool {
	d := new(big.Rat).Sub(new(big.Rat).Mul(n, big.NewRat(one, 1)), big.NewRat(v, 1))
	return d.Abs(d).Cmp(big.NewRat(1, 1)) <= 0
}

// stands fails where something of a report does not stand in the file under its header and in the row of its learner, or where a row was lost.
func stands(t *testing.T, raw []byte, r Report) {
	data, err := text(raw)
	if err != nil {
		t.Fatal(err)
	}
	switch r.Kind {
	case XAPI:
		statementsStand(t, data, r)
		return
	case Grades, Problems, Wide, Long, Roster:
	default:
		return
	}
	s := readSource(t, data)
	if n := len(r.Rows) + len(r.Rejects); r.Kind != Long && n != len(s.rows) {
		t.Fatalf("%d rows and rejects of %d rows", n, len(s.rows))
	} else if n += len(r.Events); r.Kind == Long && n != s.filled {
		t.Fatalf("%d scores and rejects of %d rows", n, s.filled)
	}
	for _, row := range r.Rows {
		from := s.rows[row.line]
		if len(from) != len(s.header) {
			t.Fatalf("line %d has %d cells, the header %d", row.line, len(from), len(s.header))
		}
		if who := s.at(from, "student id", "id", "learner"); (r.Kind == Wide || r.Kind == Roster) && s.at(from, "learner") != row.key() || r.Kind != Wide && r.Kind != Roster && who == "" {
			t.Fatalf("line %d is of %q, not of %q", row.line, who, row.key())
		}
		if !slices.ContainsFunc(from, func(c string) bool { return strings.TrimSpace(c) == row.key() }) {
			t.Fatalf("line %d says nothing of %q: %q", row.line, row.key(), from)
		}
		for i, c := range r.Columns {
			if c.Kind == "grade" {
				continue
			}
			if r.Kind == Problems {
				earned := s.nth(r.Kind, c.Label+earnedSuffix, c.Occurrence)
				if earned < 0 || !s.earned(from[earned], from[earned+1], row.Cells[i]) {
					t.Fatalf("line %d: %q is %d, in %q", row.line, c.Label, row.Cells[i], from)
				}
				continue
			}
			if at := s.nth(r.Kind, c.Label, c.Occurrence); at < 0 || !s.says(r.Kind, r.Family, from[at], row.Cells[i]) {
				t.Fatalf("line %d: %q (%d) is %d, in %q", row.line, c.Label, c.Occurrence, row.Cells[i], from)
			}
		}
	}
	for _, e := range r.Events {
		if e.Column == presence {
			s.comes(t, e)
			continue
		}
		from := s.rows[e.line]
		label := s.at(from, "exercise")
		if c := r.Columns[e.Column]; s.at(from, "learner") != e.Key || c.Kind == "exercise" && label != c.Label || c.Kind == "grade" && !strings.EqualFold(label, "grade") && !strings.EqualFold(label, "total") ||
			!s.says(r.Kind, r.Family, s.at(from, "score"), e.Value) {
			t.Fatalf("line %d: %+v of %+v, in %q", e.line, e, c, from)
		}
		if at, ok := parseTime(s.at(from, "attempted_at")); ok != !e.At.IsZero() || ok && !at.Equal(e.At) {
			t.Fatalf("line %d: %v, in %q", e.line, e.At, from)
		}
	}
}

// earned says whether a value is what was earned of what was possible.
func (s source) earned(earned, possible string, v int64) bool {
	of, whole := s.number(earned), s.number(possible)
	switch v {
	case NotAttempted:
		return strings.TrimSpace(earned) == "Not Attempted"
	case NotAvailable:
		return strings.TrimSpace(earned) == "Not Available" || of != nil && whole != nil && of.Sign() == 0 && whole.Sign() == 0
	}
	return of != nil && whole != nil && whole.Sign() > 0 && near(of.Quo(of, whole), v)
}

// comes fails where no row of a learner says that she came or left at a time.
func (s source) comes(t *testing.T, e Event) {
	name := "enrolled_at"
	if e.Value == 0 {
		name = "left_at"
	}
	for _, row := range s.rows {
		if len(row) == len(s.header) && s.at(row, "learner") == e.Key {
			if at, ok := parseTime(s.at(row, name)); ok && at.Equal(e.At) {
				return
			}
		}
	}
	t.Fatalf("no row says that: %+v", e)
}

// statementsStand does it for statements: learner, object, time and score of an event stand in the statement of its place.
func statementsStand(t *testing.T, data []byte, r Report) {
	in := json.NewDecoder(bytes.NewReader(bytes.TrimLeft(data, " \t\r\n")))
	var statements []json.RawMessage
	if begins := bytes.TrimLeft(data, " \t\r\n"); begins[0] == '[' {
		if err := in.Decode(&statements); err != nil {
			t.Fatal(err)
		}
	} else {
		for in.More() {
			var one json.RawMessage
			if err := in.Decode(&one); err != nil {
				t.Fatal(err)
			}
			statements = append(statements, one)
		}
	}
	if n := len(r.Events) + len(r.Rejects) + len(r.Ignored); n != len(statements) {
		t.Fatalf("%d events, rejects and ignored of %d statements", n, len(statements))
	}
	for _, e := range r.Events {
		words := wordsOf(statements[e.line-1])
		has := func(is func(string) bool) bool { return slices.ContainsFunc(words, is) }
		if !has(func(w string) bool { return strings.TrimSpace(strings.TrimPrefix(w, "mailto:")) == e.Key }) {
			t.Fatalf("statement %d says nothing of %q: %s", e.line, e.Key, statements[e.line-1])
		}
		if !has(func(w string) bool {
			at, err := time.Parse(time.RFC3339Nano, w)
			return err == nil && at.UTC().Truncate(time.Microsecond).Equal(e.At)
		}) {
			t.Fatalf("statement %d is not of %v: %s", e.line, e.At, statements[e.line-1])
		}
		if e.Column == presence {
			continue
		}
		if c := r.Columns[e.Column]; c.Kind == "exercise" && !has(func(w string) bool { return strings.HasSuffix(w, c.Label) }) {
			t.Fatalf("statement %d says nothing of %q: %s", e.line, c.Label, statements[e.line-1])
		}
		numbers := []*big.Rat{new(big.Rat)}
		for _, w := range words {
			if n := number(json.Number(w)); n != nil && len(numbers) < 12 {
				numbers = append(numbers, n)
			}
		}
		if len(numbers) < 12 && !scoredBy(numbers, e.Value) {
			t.Fatalf("statement %d does not say %d: %s", e.line, e.Value, statements[e.line-1])
		}
	}
}

// scoredBy says whether a value is one of the numbers, or one of them between two others.
func scoredBy(numbers []*big.Rat, v int64) bool {
	for _, n := range numbers {
		if near(n, v) {
			return true
		}
		for _, least := range numbers {
			for _, most := range numbers {
				if span := new(big.Rat).Sub(most, least); span.Sign() > 0 && near(span.Quo(new(big.Rat).Sub(n, least), span), v) {
					return true
				}
			}
		}
	}
	return false
}

// wordsOf are all texts and numbers of a statement, wherever they stand.
func wordsOf(raw json.RawMessage) (words []string) {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	for {
		token, err := in.Token()
		if err != nil {
			return words
		}
		switch x := token.(type) {
		case string:
			words = append(words, x)
		case json.Number:
			words = append(words, x.String())
		}
	}
}
