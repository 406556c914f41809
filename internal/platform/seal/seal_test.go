package seal_test

import (
	"errors"
	"testing"

	"cursus/internal/platform/seal"
)

const key = "a secret for tests, long enough 1"

// A row copied over another, a key for something else, or another server's key opens nothing.
func TestWhatIsSealedOpensInItsPlaceAlone(t *testing.T) {
	s, err := seal.New([]byte(key), "one")
	if err != nil {
		t.Fatal(err)
	}
	sealed := s.Seal([]byte("plain"), "row 1")
	if plain, err := s.Open(sealed, "row 1"); err != nil || string(plain) != "plain" {
		t.Error(string(plain), err)
	}
	if _, err := s.Open(sealed, "row 2"); !errors.Is(err, seal.ErrNotReadable) {
		t.Error("in another place:", err)
	}
	for _, other := range [][2]string{{key, "two"}, {key + "!", "one"}} {
		o, err := seal.New([]byte(other[0]), other[1])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Open(sealed, "row 1"); !errors.Is(err, seal.ErrNotReadable) {
			t.Error(other, err)
		}
	}
	if _, err := seal.New([]byte("short"), "one"); !errors.Is(err, seal.ErrWeak) {
		t.Error(err)
	}
}
