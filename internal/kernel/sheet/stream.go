package sheet

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Source opens the bytes of a file as they came, from the first one, as often as it is asked: a large file is read twice and held never.
type Source func() (io.ReadCloser, error)

// Bytes is the source of a file that is in memory.
func Bytes(content []byte) Source {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

const buffer = 64 << 10

// opened is a file under way, with what has to be closed.
type opened struct {
	io.Reader
	io.Closer
}

// inflate opens a source and undoes its compression.
func inflate(src Source) (*opened, error) {
	f, err := src()
	if err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(f, buffer)
	if head, _ := b.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return &opened{b, f}, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, errors.Join(ErrUnreadable, err, f.Close())
	}
	return &opened{bufio.NewReaderSize(z, buffer), f}, nil
}

// mark opens a source at its first letter: UTF-16 is decoded, the mark of UTF-8 is passed over.
func mark(src Source) (*opened, error) {
	o, err := inflate(src)
	if err != nil {
		return nil, err
	}
	b, ok := o.Reader.(*bufio.Reader)
	if !ok {
		b = bufio.NewReaderSize(o.Reader, buffer)
	}
	head, _ := b.Peek(3)
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		o.Reader = transform.NewReader(b, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder())
		return o, nil
	case bytes.HasPrefix(head, []byte("\ufeff")):
		if _, err := b.Discard(3); err != nil {
			return nil, errors.Join(ErrUnreadable, err, o.Close())
		}
	}
	o.Reader = b
	return o, nil
}

// scan reads all of a source, at most so many bytes of it once it is inflated, and tells how its letters are.
func scan(src Source, open func(Source) (*opened, error), maxBytes int64) (l letters, err error) {
	o, err := open(src)
	if err != nil {
		return l, err
	}
	defer func() { _ = o.Close() }()
	n, err := io.CopyBuffer(struct{ io.Writer }{&l}, struct{ io.Reader }{io.LimitReader(o, maxBytes+1)}, make([]byte, buffer))
	switch {
	case err != nil:
		return l, errors.Join(ErrUnreadable, err)
	case n > maxBytes:
		return l, ErrTooLarge
	}
	l.end()
	return l, nil
}

// Open is Text as a stream, for files that are too large to be held: it reads the source once to learn how it is written, and gives it again as
// UTF-8. Errors: those of Text, and of the source.
func Open(src Source, maxBytes int64) (io.ReadCloser, error) {
	if _, err := scan(src, inflate, maxBytes); err != nil { // the bound is one of bytes, whatever they are
		return nil, err
	}
	if err := notWorkbook(src); err != nil {
		return nil, err
	}
	open := mark
	l, err := scan(src, open, 4*maxBytes)
	if err != nil {
		return nil, err
	}
	if l.broken > 0 {
		if l.whole >= l.broken {
			return nil, &l.bad
		}
		open = func(src Source) (*opened, error) {
			o, err := mark(src)
			if err == nil {
				o.Reader = transform.NewReader(o.Reader, charmap.Windows1252.NewDecoder())
			}
			return o, err
		}
		if l, err = scan(src, open, 4*maxBytes); err != nil {
			return nil, err
		}
	}
	if l.nul.Line > 0 {
		return nil, &l.nul
	}
	o, err := open(src)
	if err == nil && l.lines == 0 {
		o.Reader = returns{o.Reader}
	}
	return o, err
}

func notWorkbook(src Source) error {
	o, err := inflate(src)
	if err != nil {
		return err
	}
	defer func() { _ = o.Close() }()
	if head, _ := bufio.NewReaderSize(o.Reader, 16).Peek(len(workbook)); bytes.Equal(head, workbook) {
		return ErrWorkbook
	}
	return nil
}

// Head is the beginning of a file as Text gives it, of about so many bytes, up to the end of a line: it tells what the file is without reading all of it.
// Errors: ErrUnreadable, and those of the reader.
func Head(r io.Reader, n int) ([]byte, error) {
	b := bufio.NewReaderSize(r, buffer)
	in := io.Reader(b)
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, errors.Join(ErrUnreadable, err)
		}
		in = z
	}
	head := make([]byte, n)
	got, err := io.ReadFull(in, head)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // all of it, or all that is there of what was cut
		head = head[:got]
	case err != nil:
		return nil, err
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		head = head[:n&^1]
	default:
		if at := bytes.LastIndexAny(head, "\r\n"); at > 0 {
			head = head[:at+1]
		}
	}
	return Text(head, int64(n))
}

// returns makes line ends of carriage returns.
type returns struct{ io.Reader }

func (r returns) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// ReaderOf is Reader of a stream.
func ReaderOf(r io.Reader) *csv.Reader {
	b := bufio.NewReaderSize(r, buffer)
	head, _ := b.Peek(buffer)
	in := csv.NewReader(b)
	in.Comma, in.FieldsPerRecord = Separator(head), -1
	return in
}
