// Package pieces keeps the bytes of a file compressed and cut, so that a long one is never held.
package pieces

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
)

// size is how long a piece is, more or less.
const size = 1 << 20

// Write reads all of a file, and has each piece of it put, in their order. A file without bytes has one piece.
func Write(from io.Reader, put func(n int, piece []byte) error) error {
	out := &cutter{put: put}
	z, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, from); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return out.flush()
}

type cutter struct {
	put  func(n int, piece []byte) error
	n    int
	kept bytes.Buffer
}

func (c *cutter) Write(b []byte) (int, error) {
	c.kept.Write(b)
	if c.kept.Len() < size {
		return len(b), nil
	}
	return len(b), c.flush()
}

func (c *cutter) flush() error {
	if c.kept.Len() == 0 {
		return nil
	}
	err := c.put(c.n, c.kept.Bytes())
	c.n++
	c.kept.Reset()
	return err
}

// ErrNone says that there is no such piece: what get gives behind the last one.
var ErrNone = errors.New("there is no such piece")

// Read gives the file again. Error: ErrNone where nothing is kept of it.
func Read(get func(n int) ([]byte, error)) (io.Reader, error) {
	r := &reader{get: get}
	if _, err := r.more(); err != nil {
		return nil, err
	}
	return gzip.NewReader(r)
}

type reader struct {
	get  func(n int) ([]byte, error)
	n    int
	left []byte
}

func (r *reader) more() (ok bool, err error) {
	if len(r.left) == 0 {
		if r.left, err = r.get(r.n); err == nil {
			r.n++
		}
	}
	return err == nil, err
}

func (r *reader) Read(b []byte) (int, error) {
	if ok, err := r.more(); errors.Is(err, ErrNone) {
		return 0, io.EOF // of a file that was wiped meanwhile, the end of gzip is missing, and says so
	} else if !ok {
		return 0, err
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	return n, nil
}
