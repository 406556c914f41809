package exchange

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// CSV writes a document as a ZIP of tables, for people with spreadsheets. The same document is the same bytes.
func (d Document) CSV() ([]byte, error) {
	raw, err := d.JSON()
	if err != nil {
		return nil, err
	}
	wrong := &problems{}
	root := readTree(raw, wrong)
	if err := wrong.fault(); err != nil {
		return nil, err
	}
	w := &tableWriter{rows: map[string][][]string{}}
	w.row(layout, root, nil)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, s := range sheets() {
		f, err := z.CreateHeader(&zip.FileHeader{Name: s.file, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write([]byte("\ufeff")); err != nil { // or else a spreadsheet takes it for an old encoding
			return nil, err
		}
		c := csv.NewWriter(f)
		c.UseCRLF = true
		if err := c.WriteAll(append([][]string{s.header()}, w.rows[s.file]...)); err != nil {
			return nil, err
		}
	}
	err = z.Close()
	return out.Bytes(), err
}

func (s sheetOf) header() []string {
	out := append([]string{}, s.ids...)
	for _, c := range s.own {
		out = append(out, c.name)
	}
	return out
}

type tableWriter struct{ rows map[string][][]string }

// list writes each item of a list.
func (w *tableWriter) list(s spec, items []*node, around []string, path string) {
	for i, item := range items {
		ids := append([]string{}, around...)
		number := path + strconv.Itoa(i+1)
		for _, x := range s.ids {
			if x.member == "" {
				ids = append(ids, number)
			} else {
				ids = append(ids, cellOf(item.member(x.member), false))
			}
		}
		w.row(s, item, ids)
		if s.nests != "" {
			if inner := item.inside(strings.Split(s.nests, ".")); inner != nil {
				w.list(s, inner.items, around, number+".")
			}
		}
	}
}

// row writes an item and what hangs on it.
func (w *tableWriter) row(s spec, item *node, ids []string) {
	cells := append([]string{}, ids...)
	for _, c := range s.columns() {
		cells = append(cells, cellOf(item.inside(c.path), c.list))
	}
	w.rows[s.file] = append(w.rows[s.file], cells)
	for _, child := range s.of {
		for _, name := range child.one {
			if found := item.member(name); found != nil {
				at := append([]string{}, ids...)
				if name != "quiz" {
					at = append(at, "") // of no lecture
				}
				w.row(child, found, append(at, name))
			}
		}
		if child.one == nil {
			if found := item.inside(strings.Split(child.member, ".")); found != nil {
				w.list(child, found.items, ids, "")
			}
		}
	}
}

// inside goes down through members; nil where one is absent.
func (n *node) inside(path []string) *node {
	for _, name := range path {
		if n = n.member(name); n == nil {
			return nil
		}
	}
	return n
}

// cellOf writes a value into a cell. A text that a spreadsheet would take for a formula gets an apostrophe in front, and so does
// one that has one; a return and a backslash are escaped, in lists the bar too.
func cellOf(n *node, isList bool) string {
	if n == nil {
		return ""
	}
	if isList {
		all := make([]string, len(n.items))
		for i, item := range n.items {
			all[i] = strings.ReplaceAll(escapeCell(item.text), "|", `\|`)
		}
		return guarded(strings.Join(all, "|"))
	}
	switch {
	case n.kind == truth && n.text == "true":
		return "Y"
	case n.kind == truth:
		return "N"
	case n.kind == text:
		return guarded(escapeCell(n.text))
	}
	return n.text
}

func escapeCell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "\r", `\r`)
}

const formulaSigns = "=+-@\t'\ufeff"

func guarded(s string) string {
	if s != "" && strings.ContainsRune(formulaSigns, []rune(s)[0]) {
		return "'" + s
	}
	return s
}

// textOf reads a cell as cellOf writes it. A backslash before anything else is a backslash.
func textOf(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if j := strings.IndexByte(`\r|`, s[i+1]); j >= 0 {
				out.WriteByte("\\\r|"[j])
				i++
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// textsOf parts a cell of a list.
func textsOf(s string) (out []string) {
	begin := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '|':
			out = append(out, textOf(s[begin:i]))
			begin = i + 1
		}
	}
	return append(out, textOf(s[begin:]))
}

// readNumber reads the number of a row, or the path of one that nests: "2", "2.1".
func readNumber(s string, nests bool) ([]int, error) {
	parts := strings.Split(s, ".")
	if len(parts) > 1 && !nests || len(parts) > 10 {
		return nil, fmt.Errorf("%q is no number", s)
	}
	out := make([]int, len(parts))
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 1_000_000 {
			return nil, fmt.Errorf("%q is no number", s)
		}
		out[i] = n
	}
	return out, nil
}
