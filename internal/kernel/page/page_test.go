package page_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/kernel/page"
)

// What a list gave as a cursor leads back to the same key, and nothing else is taken for one.
func TestCursorsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-z0-9_]{1,60}`).Draw(t, "key")
		r, err := page.Parse(0, page.Cursor(key))
		if err != nil || r.After != key || r.Limit != page.DefaultLimit {
			t.Fatal(r, err)
		}
	})
	for _, cursor := range []string{"x", "!!", "a2I", page.Cursor("a\x00b")} {
		if _, err := page.Parse(1, cursor); !errors.Is(err, page.ErrCursor) {
			t.Errorf("%q was taken for a cursor: %v", cursor, err)
		}
	}
	for limit, ok := range map[int]bool{-1: false, 1: true, page.MaxLimit: true, page.MaxLimit + 1: false} {
		if _, err := page.Parse(limit, ""); (err == nil) != ok {
			t.Error(limit, err)
		}
	}
	if page.Cursor("") != "" {
		t.Error("the end of a list has a cursor")
	}
}
