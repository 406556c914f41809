package gradebook

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"cursus/internal/kernel/sheet"
)

// table reads a file of rows, whatever its dialect. Every file that comes in as rows is read through it.
type table struct {
	in     *csv.Reader
	header []string
	comma  bool // decimals have one
}

// openTable reads the header of a text. Errors: ErrNotAReport where there is none.
func openTable(data []byte) (t *table, err error) {
	t = &table{in: sheet.Reader(data)}
	if t.header, err = t.in.Read(); err != nil {
		return nil, ErrNotAReport.Because(err)
	}
	t.in.ReuseRecord, t.comma = true, t.in.Comma == ';'
	return t, nil
}

// next gives a row, which is valid until the next one, and its line. At the end the error is io.EOF.
func (t *table) next() (record []string, line int, err error) {
	if record, err = t.in.Read(); err != nil {
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil, 0, io.EOF
		case errors.As(err, &bad):
			return nil, 0, ErrUnreadable.At(fmt.Sprintf("line %d, column %d", bad.Line, bad.Column), "bad-csv", "A quotation mark is out of place.")
		}
		return nil, 0, ErrUnreadable.Because(err)
	}
	line, _ = t.in.FieldPos(0)
	return record, line, nil
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

// named gives the place of each name of the header, lower-case; a name that stands twice has its first place and is in twice.
func named(header []string) (at map[string]int, twice string) {
	at = make(map[string]int, len(header))
	for i, h := range header {
		name := strings.ToLower(strings.TrimSpace(h))
		if _, there := at[name]; there && twice == "" && name != "" {
			twice = name
			continue
		}
		at[name] = i
	}
	return at, twice
}
