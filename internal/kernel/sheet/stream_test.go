package sheet_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"cursus/internal/kernel/sheet"
)

const bound = 1 << 12

// FuzzOpen fails where a file that is read as a stream, a byte at a time, is not what it is when it is read whole: the same text, or refused at the
// same place.
func FuzzOpen(f *testing.F) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte("a,b\r\n1,é\r\n"))
	_ = w.Close()
	for _, seed := range [][]byte{
		[]byte("a,b\n1,2\n"), []byte("\ufeffa;b\n1,5;é\n"), {0xff, 0xfe, 'a', 0, ',', 0, 'b', 0, '\n', 0}, {0xfe, 0xff, 0, 'a', 0, '\n'}, []byte("a,b\rc\xe9,\xe9d\r"), []byte("é,ü\nx\xff\n"),
		[]byte("a\nb\x00\n"), []byte("caf\xe9\x00\n"), z.Bytes(), z.Bytes()[:z.Len()-6], {0x1f, 0x8b}, nil, bytes.Repeat([]byte("x"), bound+1), []byte("PK\x03\x04\xff\x00"), []byte("é\xc3"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		want, refused := sheet.Text(raw, bound)
		var got []byte
		in, err := sheet.Open(func() (io.ReadCloser, error) { return io.NopCloser(iotest.OneByteReader(bytes.NewReader(raw))), nil }, bound)
		if err == nil {
			got, err = io.ReadAll(in)
		}
		for _, is := range []error{sheet.ErrTooLarge, sheet.ErrUnreadable, sheet.ErrWorkbook} {
			if errors.Is(err, is) != errors.Is(refused, is) {
				t.Fatalf("%q: %v as a stream, %v as a whole", raw, err, refused)
			}
		}
		var a, b *sheet.BadLetter
		if errors.As(err, &a) != errors.As(refused, &b) || a != nil && *a != *b {
			t.Fatalf("%q: %v as a stream, %v as a whole", raw, err, refused)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%q: %q as a stream, %q as a whole", raw, got, want)
		}
	})
}
