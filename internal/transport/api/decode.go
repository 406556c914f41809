package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
)

// maxDepth bounds how deep a body may be nested; ours are four deep.
const maxDepth = 16

// errSyntax refuses what is no JSON at all.
var errSyntax = fault.New(fault.Invalid, "not-json", "The body is not one JSON value in UTF-8.")

// decode reads a JSON body into maps, lists, strings, booleans, nils and json.Numbers, and takes only one reading of it: no member
// twice, also in another case, no text that is not UTF-8 or has a NUL, no number with a point or beyond 64 bits, nothing afterwards.
func decode(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, errSyntax
	}
	d := &decoder{in: json.NewDecoder(bytes.NewReader(raw))}
	d.in.UseNumber()
	v, err := d.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.in.Token(); !errors.Is(err, io.EOF) {
		return nil, errSyntax.Detailf("Something follows the JSON value of the body.")
	}
	return v, nil
}

type decoder struct{ in *json.Decoder }

func (d *decoder) value(pointer string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, at(pointer, "too-deep", "This is nested too deep.")
	}
	token, err := d.in.Token()
	if err != nil {
		return nil, errSyntax.Because(err)
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return d.object(pointer, depth)
		}
		return d.list(pointer, depth)
	case json.Number:
		if _, err := strconv.ParseInt(v.String(), 10, 64); err != nil {
			return nil, at(pointer, "not-an-integer", "A number is whole, is written without point and exponent, and has at most 64 bits.")
		}
	case string:
		if !readable(v) {
			return nil, at(pointer, "unreadable-text", "A text has no NUL and no broken character.")
		}
	}
	return token, nil
}

func (d *decoder) object(pointer string, depth int) (any, error) {
	members, folded := map[string]any{}, map[string]bool{}
	for d.in.More() {
		token, err := d.in.Token()
		if err != nil {
			return nil, errSyntax.Because(err)
		}
		name, _ := token.(string) // the decoder takes nothing else before a colon
		here := pointer + "/" + step(name)
		if fold := strings.ToLower(name); folded[fold] {
			return nil, at(here, "duplicate", "This stands twice in its object.")
		} else {
			folded[fold] = true
		}
		if members[name], err = d.value(here, depth+1); err != nil {
			return nil, err
		}
	}
	return members, d.close()
}

func (d *decoder) list(pointer string, depth int) (any, error) {
	items := []any{}
	for d.in.More() {
		v, err := d.value(pointer+"/"+strconv.Itoa(len(items)), depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, d.close()
}

func (d *decoder) close() error {
	if _, err := d.in.Token(); err != nil {
		return errSyntax.Because(err)
	}
	return nil
}

// readable says whether a text came whole. The replacement character stands where a broken one was.
func readable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\uFFFD")
}

// step writes a name into a JSON pointer.
func step(name string) string {
	return clip(strings.NewReplacer("~", "~0", "/", "~1").Replace(name), 100)
}

// clip shortens a text that came from outside before it is repeated.
func clip(s string, runes int) string {
	if utf8.RuneCountInString(s) <= runes {
		return s
	}
	return string([]rune(s)[:runes]) + "…"
}

func at(pointer, code, detail string) error {
	return fault.InvalidInput(fault.Field{Pointer: pointer, Code: code, Detail: detail})
}
