package exchange

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"cursus/internal/kernel/sheet"
)

// What the tables may be at most, unpacked.
const (
	maxTableBytes  = 16 << 20
	maxTablesBytes = 48 << 20
)

// tableRow is a row of a table with its cells by column.
type tableRow struct {
	cells  map[string]*node
	at     place
	number []int
	item   *node
	kids   map[string][]*tableRow // by file
}

func (r *tableRow) cell(name string) string {
	if n := r.cells[name]; n != nil {
		return n.text
	}
	return ""
}

// tableReader makes the tree of a document from its tables.
type tableReader struct {
	wrong *problems
	rows  map[string][]*tableRow // by file
	known map[string]map[string]*tableRow
}

// readTables gives the tree of a ZIP of tables; nil where it cannot be read.
func readTables(raw []byte, wrong *problems) *node {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		wrong.add("", place{}, "not-a-zip", "The ZIP cannot be read: it is cut or damaged.")
		return nil
	}
	r := &tableReader{wrong: wrong, rows: map[string][]*tableRow{}, known: map[string]map[string]*tableRow{}}
	files, total := map[string]*zip.File{}, int64(0)
	for _, f := range z.File {
		if files[f.Name] != nil {
			wrong.add("", place{file: clip(f.Name)}, "duplicate", "The ZIP has this file twice.")
		}
		files[f.Name] = f
	}
	for _, s := range sheets() {
		f := files[s.file]
		if delete(files, s.file); f == nil {
			wrong.add("", place{file: s.file}, "missing-file", "The ZIP has no such file. A table without rows has its header.")
			continue
		}
		content, err := unzip(f)
		if total += int64(len(content)); err != nil || total > maxTablesBytes {
			wrong.add("", place{file: s.file}, "unreadable", "The file cannot be read: it is cut, damaged, too large or in no known encoding.")
			continue
		}
		r.table(s, content)
	}
	for name := range files {
		wrong.add("", place{file: clip(name)}, "unknown-file", "There is no such table.")
	}
	if len(wrong.all) > 0 {
		return nil
	}
	return r.tree()
}

func clip(name string) string {
	if len(name) > 60 {
		name = name[:60]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), "?")
}

func unzip(f *zip.File) ([]byte, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	raw, err := io.ReadAll(io.LimitReader(in, maxTableBytes+1))
	if err != nil {
		return nil, err
	}
	return sheet.Text(raw, maxTableBytes)
}

// table reads one file: the header, then the rows, each cell with its place.
func (r *tableReader) table(s sheetOf, content []byte) {
	in := sheet.Reader(content)
	header, err := in.Read()
	if err != nil {
		r.wrong.add("", place{s.file, 1, 1}, "no-header", "The table has no header.")
		return
	}
	lists := map[string]bool{}
	for _, c := range s.own {
		lists[c.name] = c.list
	}
	wanted := s.header()
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
		if line, column := in.FieldPos(i); !slices.Contains(wanted, header[i]) {
			r.wrong.add("", place{s.file, line, column}, "unknown-column", fmt.Sprintf("There is no column %.40q in this table.", header[i]))
		} else if slices.Index(header, header[i]) < i {
			r.wrong.add("", place{s.file, line, column}, "duplicate-column", "This column stands twice.")
		}
	}
	for _, name := range wanted {
		if !slices.Contains(header, name) {
			r.wrong.add("", place{s.file, 1, 1}, "missing-column", "The column "+name+" is missing.")
		}
	}
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			at := place{s.file, 0, 0}
			var parse *csv.ParseError
			if errors.As(err, &parse) {
				at.line, at.column = parse.Line, parse.Column
			}
			r.wrong.add("", at, "bad-csv", "The row cannot be read: a quotation mark is missing or stands in the wrong place.")
			return
		}
		line, _ := in.FieldPos(0)
		row := &tableRow{cells: map[string]*node{}, at: place{s.file, line, 1}, kids: map[string][]*tableRow{}}
		for i, said := range cells {
			line, column := in.FieldPos(i)
			at := place{s.file, line, column}
			if said == "" {
				continue
			}
			if i >= len(header) {
				r.wrong.add("", at, "too-many-cells", "The row has more cells than the header.")
				break
			}
			row.cells[header[i]] = cellNode(said, lists[header[i]], at)
		}
		if len(row.cells) > 0 {
			r.rows[s.file] = append(r.rows[s.file], row)
		}
	}
}

func cellNode(said string, isList bool, at place) *node {
	said = strings.TrimPrefix(said, "'")
	if !isList {
		return &node{kind: cell, text: textOf(said), at: at}
	}
	n := &node{kind: list, at: at}
	for _, one := range textsOf(said) {
		n.items = append(n.items, &node{kind: cell, text: one, at: at})
	}
	return n
}

// tree hangs every row on the one that it names, and makes the document of them.
func (r *tableReader) tree() *node {
	heads := r.rows[layout.file]
	if len(heads) != 1 {
		r.wrong.add("", place{layout.file, 1, 1}, "one-row", "This table has one row.")
		return nil
	}
	r.known[layout.file] = map[string]*tableRow{"": heads[0]}
	r.hang(layout, nil, nil)
	r.object(layout, heads[0])
	return heads[0].item
}

// hang gives the rows of the specs below one to their parents. around are the columns that name a parent.
func (r *tableReader) hang(parent spec, around []string, parentIDs []id) {
	for _, s := range parent.of {
		own := append([]string{}, around...)
		for _, i := range s.ids {
			own = append(own, i.column)
		}
		if r.known[s.file] == nil {
			r.known[s.file] = map[string]*tableRow{}
		}
		for _, row := range r.rows[s.file] {
			if s.one != nil && !slices.Contains(s.one, row.cell(activityColumn)) {
				r.strayActivity(parent, row)
				continue
			}
			if s.one != nil && parent.file == "chapters.csv" && row.cell("lecture") != "" {
				r.refuse(row, "lecture", "not-of-a-lecture", "A case study or a lab is of a chapter: this cell stays empty.")
				continue
			}
			r.hangRow(s, parent, row, around, own)
		}
		r.hang(s, own, s.ids)
	}
}

// strayActivity refuses a row of activities that is none of chapters or lectures. Each is looked at from both; chapters speak.
func (r *tableReader) strayActivity(parent spec, row *tableRow) {
	if name := row.cell(activityColumn); parent.file == "chapters.csv" && name != "quiz" {
		r.refuse(row, activityColumn, "unknown-activity", "quiz, case_study or lab.")
	}
}

func (r *tableReader) refuse(row *tableRow, column, rule, detail string) {
	at := row.at
	if n := row.cells[column]; n != nil {
		at = n.at
	}
	r.wrong.add("", at, rule, detail)
}

func (r *tableReader) hangRow(s, parent spec, row *tableRow, around, own []string) {
	key := func(columns []string) string {
		all := make([]string, len(columns))
		for i, c := range columns {
			all[i] = row.cell(c)
		}
		return strings.Join(all, "\x00")
	}
	owner, parents := key(around), r.known[parent.file]
	if len(s.ids) > 0 && s.ids[0].member == "" {
		var err error
		if row.number, err = readNumber(row.cell(s.ids[0].column), s.nests != ""); err != nil {
			r.refuse(row, s.ids[0].column, "bad-number", "The number of the row among its siblings, from 1.")
			return
		}
		if len(row.number) > 1 { // inside another row of the same table
			path := row.cell(s.ids[0].column)
			owner, parents = owner+"\x00"+path[:strings.LastIndexByte(path, '.')], r.known[s.file]
			if len(around) == 0 {
				owner = owner[1:]
			}
		}
	}
	to := parents[owner]
	if to == nil {
		column := ""
		if len(around) > 0 {
			column = around[len(around)-1]
		}
		r.refuse(row, column, "no-such-row", "What this row belongs to has no row in "+parent.file+", or one that stands behind it.")
		return
	}
	if s.one == nil {
		mine := key(own)
		if r.known[s.file][mine] != nil {
			r.refuse(row, own[len(own)-1], "duplicate", "Another row has this name or number.")
			return
		}
		r.known[s.file][mine] = row
	}
	to.kids[s.file] = append(to.kids[s.file], row)
}

// object makes the value of a row and of everything that hangs on it.
func (r *tableReader) object(s spec, row *tableRow) {
	row.item = &node{kind: object, at: row.at}
	for _, i := range s.ids {
		if n := row.cells[i.column]; n != nil && i.member != "" {
			row.item.put(i.member, n)
		}
	}
	for _, c := range s.columns() {
		if n := row.cells[c.name]; n != nil {
			row.item.set(c.path, n)
		}
	}
	for _, child := range s.of {
		r.children(child, row, child.member)
	}
	if s.nests != "" {
		r.children(s, row, s.nests)
	}
}

func (r *tableReader) children(s spec, row *tableRow, member string) {
	kids := row.kids[s.file]
	if len(kids) == 0 {
		return
	}
	if s.one != nil {
		for _, kid := range kids {
			if name := kid.cell(activityColumn); slices.Contains(s.one, name) {
				if r.object(s, kid); row.item.member(name) != nil {
					r.refuse(kid, activityColumn, "duplicate", "Another row is this activity.")
					continue
				}
				row.item.put(name, kid.item)
			}
		}
		return
	}
	slices.SortStableFunc(kids, func(a, b *tableRow) int { return slices.Compare(a.number, b.number) })
	all := &node{kind: list, at: kids[0].at}
	for _, kid := range kids {
		r.object(s, kid)
		all.items = append(all.items, kid.item)
	}
	row.item.set(strings.Split(member, "."), all)
}

// set puts a value at a path of members, making the objects on the way.
func (n *node) set(path []string, value *node) {
	for _, name := range path[:len(path)-1] {
		next := n.member(name)
		if next == nil {
			next = &node{kind: object, at: value.at}
			n.put(name, next)
		}
		n = next
	}
	n.put(path[len(path)-1], value)
}
