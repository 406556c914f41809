package gradebook

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// table reads a file of rows, whatever its dialect. Every file that comes in as rows is read through it.
type table struct {
	in     *csv.Reader
	header []string
	at     map[string]int  // place of each name of the header, lower-case; of one that stands twice, the first
	twice  map[string]bool // which stand twice
	comma  bool            // decimals have one
}

// openTable reads the header of a text. Errors: ErrNotAReport where there is none.
func openTable(in *csv.Reader) (t *table, err error) {
	t = &table{in: in, at: map[string]int{}, twice: map[string]bool{}}
	if t.header, err = t.in.Read(); err != nil {
		return nil, ErrNotAReport.Because(err)
	}
	t.in.ReuseRecord, t.comma = true, t.in.Comma == ';'
	for i, h := range t.header {
		name := strings.ToLower(strings.TrimSpace(h))
		if _, there := t.at[name]; there {
			t.twice[name] = true
		} else {
			t.at[name] = i
		}
	}
	return t, nil
}

// place is that of the first of the names that the header has; -1: it has none.
func (t *table) place(names ...string) int {
	for _, n := range names {
		if i, ok := t.at[n]; ok {
			return i
		}
	}
	return -1
}

// has says whether the header has all of the names.
func (t *table) has(names ...string) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return t.place(n) < 0 })
}

// each reads the rows below the header; a record is valid until the next one. Errors: ErrUnreadable.
func (t *table) each(take func(record []string, line int)) error {
	for {
		record, err := t.in.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			return ErrUnreadable.At(fmt.Sprintf("line %d, column %d", bad.Line, bad.Column), "bad-csv", "A quotation mark is out of place.")
		case err != nil:
			return ErrUnreadable.Because(err)
		}
		line, _ := t.in.FieldPos(0)
		take(record, line)
	}
}

// person reads who a row of a file of Open edX is of, by the places of her id, her user name and her address; -1: there is no such column.
func (t *table) person(record []string, id, username, email int) (row Row, at int, code, detail string) {
	if id < len(record) {
		row.Subject = strings.Clone(strings.TrimSpace(record[id]))
	}
	if at, code, detail = t.short(record); code != "" {
		return row, at, code, detail
	}
	row.Username, row.Enrolled = strings.Clone(record[username]), true
	if row.Subject == "" || len(row.Subject) > 255 {
		return row, id, "bad-learner", "The learner's id is missing or too long."
	}
	if utf8.RuneCountInString(row.Username) > 255 {
		return row, username, "bad-learner", "The user name is longer than 255 characters."
	}
	if email >= 0 && len(record[email]) <= 254 {
		row.Email = strings.Clone(record[email])
	}
	return row, 0, "", ""
}

// short says what is wrong with a row that has not as many cells as the header: it would shift.
func (t *table) short(record []string) (at int, code, detail string) {
	if len(record) == len(t.header) {
		return 0, "", ""
	}
	return min(len(record), len(t.header)), "row-length", fmt.Sprintf("The row has %d cells, the header %d.", len(record), len(t.header))
}

// blank says that nothing stands in a row: a spreadsheet keeps lines that were emptied.
func blank(record []string) bool {
	for _, c := range record {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}
