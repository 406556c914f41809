// Package sheet reads what people save from a spreadsheet as CSV: with or without a byte order mark, in UTF-8, UTF-16 or
// Windows-1252, compressed or not, with commas, semicolons or tabs, and with any ends of lines.
package sheet

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// What cannot be read.
var (
	ErrUnreadable = errors.New("the file is in no encoding that is known, or is cut")
	ErrTooLarge   = errors.New("the file is too large")
)

// BadLetter is an ErrUnreadable that knows its place: the line and, in bytes, the column, both from 1.
type BadLetter struct{ Line, Column int }

func (b *BadLetter) Error() string {
	return fmt.Sprintf("line %d, column %d: %v", b.Line, b.Column, ErrUnreadable)
}

// Unwrap makes it ErrUnreadable.
func (b *BadLetter) Unwrap() error { return ErrUnreadable }

func badLetter(data []byte, at int) error {
	before := data[:at]
	return &BadLetter{bytes.Count(before, []byte{'\n'}) + 1, at - bytes.LastIndexByte(before, '\n')}
}

// Text undoes compression and encoding; the result is UTF-8 without a mark and without NUL, of at most maxBytes. Errors: ErrTooLarge;
// ErrUnreadable, as a BadLetter where it has a place.
func Text(raw []byte, maxBytes int64) ([]byte, error) {
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, errors.Join(ErrUnreadable, err)
		}
		if raw, err = io.ReadAll(io.LimitReader(z, maxBytes+1)); err != nil {
			return nil, errors.Join(ErrUnreadable, err)
		}
	}
	if int64(len(raw)) > maxBytes {
		return nil, ErrTooLarge
	}
	var err error
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}), bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		raw, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(raw)
	case bytes.HasPrefix(raw, []byte("\ufeff")):
		raw = raw[3:]
	}
	if at, ours := damage(raw); err == nil && at >= 0 {
		if ours {
			return nil, badLetter(raw, at)
		}
		raw, err = charmap.Windows1252.NewDecoder().Bytes(raw)
	}
	if err != nil {
		return nil, errors.Join(ErrUnreadable, err)
	}
	if at := bytes.IndexByte(raw, 0); at >= 0 { // whatever the encoding: PostgreSQL keeps no NUL
		return nil, badLetter(raw, at)
	}
	if bytes.IndexByte(raw, '\n') < 0 { // an old Mac ends its lines with a carriage return alone
		raw = bytes.ReplaceAll(raw, []byte{'\r'}, []byte{'\n'})
	}
	return raw, nil
}

// damage finds the first byte that is no UTF-8; -1: there is none. It is UTF-8 nevertheless, and was damaged or cut, where no fewer of
// its letters are whole letters of several bytes than are not: read as Windows-1252, each of them would become two.
func damage(raw []byte) (at int, isUTF8 bool) {
	at = -1
	whole, broken := 0, 0
	for i := 0; i < len(raw); {
		if raw[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(raw[i:])
		switch {
		case r != utf8.RuneError || n > 1:
			whole++
		default:
			if broken++; at < 0 {
				at = i
			}
		}
		i += n
	}
	return at, whole >= broken
}

// Separator is the one of comma, semicolon and tab that the header has most of.
func Separator(data []byte) rune {
	header, _, _ := bytes.Cut(data, []byte("\n"))
	best, count := ',', 0
	for _, sep := range []rune{',', ';', '\t'} {
		if n := bytes.Count(header, []byte(string(sep))); n > count {
			best, count = sep, n
		}
	}
	return best
}

// Reader reads rows of any width; with a semicolon between cells, decimals have a comma.
func Reader(data []byte) *csv.Reader {
	in := csv.NewReader(bytes.NewReader(data))
	in.Comma, in.FieldsPerRecord = Separator(data), -1
	return in
}
