// Package sheet reads what people save from a spreadsheet as CSV: with or without a byte order mark, in UTF-8, UTF-16 or
// Windows-1252, compressed or not, with commas, semicolons or tabs, and with any ends of lines.
package sheet

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
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

// Text undoes compression and encoding; the result is UTF-8 without a mark and without NUL, of at most maxBytes.
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
	if err == nil && !utf8.Valid(raw) {
		raw, err = charmap.Windows1252.NewDecoder().Bytes(raw)
	}
	if err != nil {
		return nil, errors.Join(ErrUnreadable, err)
	}
	if bytes.IndexByte(raw, 0) >= 0 { // whatever the encoding: PostgreSQL keeps no NUL
		return nil, ErrUnreadable
	}
	if bytes.IndexByte(raw, '\n') < 0 { // an old Mac ends its lines with a carriage return alone
		raw = bytes.ReplaceAll(raw, []byte{'\r'}, []byte{'\n'})
	}
	return raw, nil
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
