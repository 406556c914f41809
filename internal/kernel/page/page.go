// Package page makes keyset cursors: the place after which a list goes on.
package page

import (
	"encoding/base64"
	"strings"

	"cursus/internal/kernel/fault"
)

// ErrCursor refuses a cursor that we did not make.
var ErrCursor = fault.New(fault.Invalid, "bad-cursor", "The cursor is not one that this list gave.")

// Limits of a list.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Request asks for at most Limit rows after the key.
type Request struct {
	Limit int
	After string // the sort key of the last row seen; "" starts at the beginning
}

// Parse reads the limit (0 = default) and an opaque cursor.
func Parse(limit int, cursor string) (Request, error) {
	if limit == 0 {
		limit = DefaultLimit
	}
	if limit < 1 || limit > MaxLimit {
		return Request{}, fault.InvalidInput(fault.Field{Pointer: "/limit", Code: "out-of-range", Detail: "1 to 200."})
	}
	if cursor == "" {
		return Request{Limit: limit}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || !strings.HasPrefix(string(raw), "k1:") || strings.ContainsRune(string(raw), 0) {
		return Request{}, ErrCursor
	}
	return Request{Limit: limit, After: string(raw[3:])}, nil
}

// Cursor makes the opaque text for a key; an empty key is the end of the list.
func Cursor(key string) string {
	if key == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte("k1:" + key))
}
