package roster

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/sheet"
)

// What a cell holds at most, in letters.
const (
	maxKey  = 255
	maxName = 255
	maxWord = 40
)

// table reads one CSV: its header by name, then its rows.
type table struct {
	file  string
	in    *csv.Reader
	wrong *problems
	width int
	at    map[string]int // of the columns that are asked for
	cells []string
	line  int
}

// text undoes the encoding of a file. false, and a problem, where it cannot, or there is nothing.
func text(file string, raw []byte, wrong *problems) ([]byte, bool) {
	data, err := sheet.Text(raw, maxText)
	var bad *sheet.BadLetter
	switch {
	case errors.As(err, &bad):
		wrong.add(file, bad.Line, bad.Column, "bad-encoding", "The letter here cannot be read. A file is in UTF-8, UTF-16 with a mark, or Windows-1252.")
	case errors.Is(err, sheet.ErrTooLarge):
		wrong.tooLarge = true
	case err != nil:
		wrong.add(file, 1, 1, "unreadable", "The file is in no encoding that is known, or is cut.")
	case len(data) == 0:
		wrong.add(file, 1, 1, "unreadable", "The file is empty.")
	default:
		return data, true
	}
	return nil, false
}

// open reads the header. Columns are known by their names, whatever their case, spaces and underscores; those that nobody asks for are
// dropped. nil: it is not such a table, which is among the problems.
func open(file string, data []byte, wrong *problems, required, optional []string) *table {
	t := &table{file: file, in: sheet.Reader(data), wrong: wrong, at: map[string]int{}}
	t.in.ReuseRecord = true
	header, err := t.in.Read()
	if err != nil {
		t.broken(err, "The file is empty.")
		return nil
	}
	t.width = len(header)
	asked := map[string]string{}
	for _, name := range append(append([]string{}, required...), optional...) {
		asked[plain(name)] = name
	}
	good := true
	for i, said := range header {
		name, ok := asked[plain(said)]
		if !ok {
			continue
		}
		if _, twice := t.at[name]; twice {
			t.refuse(i, "duplicate-column", "The column "+name+" stands twice.")
			good = false
		}
		t.at[name] = i
	}
	for _, name := range required {
		if _, ok := t.at[name]; !ok {
			wrong.add(file, 1, 1, "missing-column", "The first line has no column "+name+".")
			good = false
		}
	}
	if !good {
		return nil
	}
	return t
}

// plain is the name of a column without what people write differently.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '_' || r == '-' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// next goes to the next row that is not blank. false: there is none, or what follows cannot be read.
func (t *table) next() bool {
	for {
		cells, err := t.in.Read()
		if errors.Is(err, io.EOF) {
			return false
		}
		if err != nil {
			t.broken(err, "The row cannot be read.")
			return false
		}
		t.cells = cells
		t.line, _ = t.in.FieldPos(0)
		if !blank(cells) {
			return true
		}
	}
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// whole says whether the row has the cells of the header: none is missing, as in a file that was cut, and what is beyond is empty.
func (t *table) whole() bool {
	if len(t.cells) < t.width || !blank(t.cells[t.width:]) {
		t.refuse(min(len(t.cells), t.width+1)-1, "row-length", fmt.Sprintf("The row has %d cells, the first line %d.", len(t.cells), t.width))
		return false
	}
	return true
}

func (t *table) broken(err error, otherwise string) {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		t.wrong.add(t.file, bad.Line, bad.Column, "bad-csv", "A quotation mark is missing or stands in the wrong place.")
		return
	}
	t.wrong.add(t.file, t.line+1, 1, "unreadable", otherwise)
}

// refuse says what is wrong with a cell of the row, or of the header.
func (t *table) refuse(cell int, rule, detail string) {
	line, column := t.in.FieldPos(max(cell, 0))
	t.wrong.add(t.file, line, column, rule, detail)
}

// formulaSigns begin what a spreadsheet runs.
const formulaSigns = "=+-@"

// Cell is a text as a roster that is written has it: no spreadsheet takes it for a formula, and Read gives it back.
func Cell(s string) string {
	if s != "" && strings.ContainsRune(formulaSigns, rune(s[0])) {
		return "'" + s
	}
	return s
}

// cell is a cell of the row, in memory of its own: what stands beside it is not kept with it.
func (t *table) cell(name string, most int) string {
	i, ok := t.at[name]
	if !ok || i >= len(t.cells) {
		return ""
	}
	s := strings.TrimSpace(t.cells[i])
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune(formulaSigns, rune(s[1])) { // as Cell writes it, and spreadsheets do
		s = s[1:]
	}
	switch {
	case utf8.RuneCountInString(s) > most:
		t.refuse(i, "too-long", fmt.Sprintf("%s: at most %d letters.", name, most))
		return ""
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }):
		t.refuse(i, "bad-character", name+": there is a letter that cannot be read, or an end of line.")
		return ""
	}
	return strings.Clone(s)
}

// must is a cell that every row has.
func (t *table) must(name string, most int) string {
	before := len(t.wrong.all) + t.wrong.more
	s := t.cell(name, most)
	if s == "" && len(t.wrong.all)+t.wrong.more == before {
		t.refuse(t.at[name], "missing-value", name+": this row has none, so that nothing of the file is taken.")
	}
	return s
}

// key is a learner's key: what a spreadsheet made of it, or what cannot be seen, is not taken for it.
func (t *table) key(name string) string {
	s := t.must(name, maxKey)
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cf, r) }):
		t.refuse(t.at[name], "bad-character", name+": there is a letter that nobody sees.")
	case rounded(s):
		t.refuse(t.at[name], "rounded-key", name+": a spreadsheet rounded this key. Format the column as text and export it again.")
	}
	return s
}

// rounded knows what a spreadsheet makes of a key of twelve digits and more: 2.02311E+11, with a comma in half of the world.
func rounded(s string) bool {
	mantissa, exponent, ok := strings.Cut(s, "E+")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	whole, fraction, point := strings.Cut(strings.ReplaceAll(mantissa, ",", "."), ".")
	return ok && len(whole) == 1 && digits(whole) && (!point || digits(fraction)) && len(exponent) <= 3 && digits(exponent)
}

// email is an address; empty where there is none.
func (t *table) email(name string) string {
	s := t.cell(name, maxName)
	if s == "" {
		return ""
	}
	address, err := identity.NormalEmail(s)
	if err != nil {
		t.refuse(t.at[name], "bad-email", name+": this is no address.")
	}
	return address
}
