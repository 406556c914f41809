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
	ErrWorkbook   = fmt.Errorf("a workbook: %w", ErrUnreadable) // of a spreadsheet, as it is before it is saved as CSV
)

// workbook is how a zip file begins, which xlsx and ods are.
var workbook = []byte("PK\x03\x04")

// BadLetter is an ErrUnreadable that knows its place: the line and, in bytes, the column, both from 1.
type BadLetter struct{ Line, Column int }

func (b *BadLetter) Error() string {
	return fmt.Sprintf("line %d, column %d: %v", b.Line, b.Column, ErrUnreadable)
}

// Unwrap makes it ErrUnreadable.
func (b *BadLetter) Unwrap() error { return ErrUnreadable }

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
	if bytes.HasPrefix(raw, workbook) {
		return nil, ErrWorkbook
	}
	var err error
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}), bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		raw, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(raw)
	case bytes.HasPrefix(raw, []byte("\ufeff")):
		raw = raw[3:]
	}
	l := lettersOf(raw)
	if err == nil && l.broken > 0 {
		if l.whole >= l.broken {
			return nil, &l.bad
		}
		raw, err = charmap.Windows1252.NewDecoder().Bytes(raw)
		l = lettersOf(raw)
	}
	if err != nil {
		return nil, errors.Join(ErrUnreadable, err)
	}
	if l.nul.Line > 0 { // whatever the encoding: PostgreSQL keeps no NUL
		return nil, &l.nul
	}
	if l.lines == 0 { // an old Mac ends its lines with a carriage return alone
		raw = bytes.ReplaceAll(raw, []byte{'\r'}, []byte{'\n'})
	}
	return raw, nil
}

// letters tells how the bytes are written that went through it. Text that is no UTF-8 is UTF-8 nevertheless, and was damaged or cut, where no fewer
// of its letters are whole letters of several bytes than are not: read as Windows-1252, each of them would become two.
type letters struct {
	whole, broken int       // letters of several bytes, and bytes that are none
	bad, nul      BadLetter // the first that is broken, and the first NUL; of line 0: there is none
	lines         int       // ends of them
	column        int       // bytes since the last one
	begun         []byte    // a letter of which the rest is to come
}

func lettersOf(text []byte) (l letters) {
	_, _ = l.Write(text) // it takes everything
	l.end()
	return l
}

func (l *letters) Write(p []byte) (int, error) {
	n := len(p)
	if len(l.begun) > 0 {
		p = append(l.begun, p...)
		l.begun = nil
	}
	for i := 0; i < len(p); {
		if b := p[i]; b < utf8.RuneSelf {
			switch {
			case b == '\n':
				l.lines++
				l.column = -1
			case b == 0 && l.nul.Line == 0:
				l.nul = l.here()
			}
			i++
			l.column++
			continue
		}
		if !utf8.FullRune(p[i:]) {
			l.begun = append([]byte{}, p[i:]...)
			break
		}
		i += l.letter(p[i:])
	}
	return n, nil
}

// here is the place of the next byte, both from 1.
func (l *letters) here() BadLetter { return BadLetter{l.lines + 1, l.column + 1} }

func (l *letters) letter(p []byte) int {
	r, n := utf8.DecodeRune(p)
	switch {
	case r != utf8.RuneError || n > 1:
		l.whole++
	default:
		if l.broken++; l.bad.Line == 0 {
			l.bad = l.here()
		}
	}
	l.column += n
	return n
}

// end says that nothing more comes: a letter that has only begun is cut.
func (l *letters) end() {
	for p := l.begun; len(p) > 0; {
		p = p[l.letter(p):]
	}
	l.begun = nil
}

// Separator is the one of comma, semicolon and tab that makes most columns of the header and as many of the row below it; where none does, the one
// that takes that row apart at all, or else the one that makes most columns of the header. What stands between quotation marks is text, and names of columns may hold any of them.
func Separator(data []byte) rune {
	data = data[:min(len(data), buffer)]
	best, most, how := ',', 1, 0
	for _, sep := range []rune{',', ';', '\t'} {
		in := csv.NewReader(bytes.NewReader(data))
		in.Comma, in.FieldsPerRecord, in.LazyQuotes = sep, -1, true
		header, _ := in.Read()
		row, _ := in.Read()
		n, fits := len(header), 0
		switch {
		case n > 1 && n == len(row):
			fits = 2
		case n > 1 && len(row) > 1:
			fits = 1
		}
		if fits > how || fits == how && n > most {
			best, most, how = sep, n, fits
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
