package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// place is where something stands in a file; line and column count from 1, columns in bytes.
type place struct {
	file         string
	line, column int
}

// node is a value of a file with its place, whatever the file: JSON and tables become the same tree, and the same reader goes through
// it. A cell is a text whose type is not known yet.
type node struct {
	kind    kind
	text    string // of a text, a number, a truth value, a cell
	names   []string
	members []*node // of an object, beside names
	items   []*node
	at      place
}

type kind byte

const (
	object kind = iota
	list
	text
	number
	truth
	null
	cell
)

func (k kind) String() string {
	return [...]string{"an object", "a list", "a text", "a number", "true or false", "null", "a cell"}[k]
}

// member finds a member of an object; nil where there is none.
func (n *node) member(name string) *node {
	for i, m := range n.names {
		if m == name {
			return n.members[i]
		}
	}
	return nil
}

func (n *node) put(name string, value *node) {
	n.names, n.members = append(n.names, name), append(n.members, value)
}

// What a file may have at most.
const (
	MaxFileBytes = 8 << 20
	maxNodes     = 2_000_000
	maxDepthJSON = 60
)

// treeReader reads JSON, one value, strictly: no member twice, nothing behind it.
type treeReader struct {
	raw   []byte
	d     *json.Decoder
	wrong *problems
	count int
	at    int // offset up to which lines were counted
	line  int
	begun int // offset of the line
}

// readTree gives the tree of a JSON file; nil where it is no JSON, which is then a problem with its line.
func readTree(raw []byte, wrong *problems) *node {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	r := &treeReader{raw: raw, d: json.NewDecoder(bytes.NewReader(raw)), wrong: wrong, line: 1}
	r.d.UseNumber()
	n, err := r.value("", 0)
	if err == nil {
		if _, err = r.d.Token(); errors.Is(err, io.EOF) {
			return n
		}
		err = errors.New("something stands behind the document")
	}
	offset := int(r.d.InputOffset())
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = int(syntax.Offset) - 1
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		offset, err = len(raw), errors.New("the file ends in the middle")
	}
	wrong.add("", r.place(max(offset, 0)), "bad-json", "This is no JSON: "+err.Error()+".")
	return nil
}

// place turns an offset into line and column. Offsets mostly grow, so that lines are counted once.
func (r *treeReader) place(offset int) place {
	offset = min(offset, len(r.raw))
	if offset < r.at {
		r.at, r.line, r.begun = 0, 1, 0
	}
	for i, b := range r.raw[r.at:offset] {
		if b == '\n' {
			r.line++
			r.begun = r.at + i + 1
		}
	}
	r.at = offset
	return place{line: r.line, column: offset - r.begun + 1}
}

// next skips what stands between values, so that the offset is that of the value.
func (r *treeReader) next() place {
	offset := int(r.d.InputOffset())
	for offset < len(r.raw) && strings.IndexByte(" \t\r\n,:", r.raw[offset]) >= 0 {
		offset++
	}
	return r.place(offset)
}

func (r *treeReader) value(path string, depth int) (*node, error) {
	n := &node{at: r.next()}
	if r.count++; r.count > maxNodes || depth > maxDepthJSON {
		return nil, errors.New("it is too deep or has too many values")
	}
	token, err := r.d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			n.kind = list
			for r.d.More() {
				item, err := r.value(fmt.Sprintf("%s/%d", path, len(n.items)), depth+1)
				if err != nil {
					return nil, err
				}
				n.items = append(n.items, item)
			}
		} else if err := r.members(n, path, depth); err != nil {
			return nil, err
		}
		_, err = r.d.Token()
	case string:
		n.kind, n.text = text, t
	case json.Number:
		n.kind, n.text = number, t.String()
	case bool:
		n.kind, n.text = truth, fmt.Sprint(t)
	default:
		n.kind = null
	}
	return n, err
}

func (r *treeReader) members(n *node, path string, depth int) error {
	for r.d.More() {
		at := r.next()
		name, err := r.d.Token()
		if err != nil {
			return err
		}
		key, _ := name.(string)
		value, err := r.value(path+"/"+escaped(key), depth+1)
		if err != nil {
			return err
		}
		if n.member(key) != nil {
			r.wrong.add(path+"/"+escaped(key), at, "duplicate-member", "This member stands twice.")
			continue
		}
		n.put(key, value)
	}
	return nil
}

// escaped writes a name as a part of a JSON pointer.
func escaped(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
