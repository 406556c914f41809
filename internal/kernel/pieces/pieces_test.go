package pieces_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"cursus/internal/kernel/pieces"
)

// What is kept in pieces is what came, whatever its length; a piece that went missing is no shorter file.
func TestPieces(t *testing.T) {
	for _, n := range []int{0, 1, 1 << 20, 5<<20 + 3} {
		content := make([]byte, n)
		for i := range content {
			content[i] = byte(rand.Uint32()) //nolint:gosec // what does not compress
		}
		var kept [][]byte
		if err := pieces.Write(bytes.NewReader(content), func(at int, piece []byte) error {
			if at != len(kept) || len(piece) > 2<<20 {
				t.Fatal("a piece is out of place or too long:", at, len(piece))
			}
			kept = append(kept, bytes.Clone(piece))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		get := func(at int) ([]byte, error) {
			if at >= len(kept) {
				return nil, pieces.ErrNone
			}
			return kept[at], nil
		}
		in, err := pieces.Read(get)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(in); err != nil || !bytes.Equal(got, content) {
			t.Fatal("what is read is not what was written:", n, len(got), err)
		}
		if len(kept) < 2 {
			continue
		}
		kept = kept[:len(kept)-1]
		if in, err = pieces.Read(get); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(in); err == nil {
			t.Error("a file without its last piece was read as a shorter one")
		}
	}
	if _, err := pieces.Read(func(int) ([]byte, error) { return nil, pieces.ErrNone }); !errors.Is(err, pieces.ErrNone) {
		t.Error(err)
	}
}
