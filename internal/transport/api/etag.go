package api

import (
	"strconv"
	"strings"

	"cursus/internal/kernel/fault"
)

var errChanged = fault.New(fault.Precondition, "changed-meanwhile", "The thing was changed since you read it. Read it again and decide again.")

// etag writes a version as an entity tag.
func etag(version int) string { return `"` + strconv.Itoa(version) + `"` }

// expected reads an If-Match: the version that the caller read, or 0 for any (*). A public read adds a sum of its bytes to the
// version ("3-…"), which does not matter here. A tag that no version has is errChanged; so is a weak one, because If-Match compares
// strongly (RFC 9110, 13.1.1).
func expected(ifMatch string) (int, error) {
	if ifMatch == "*" {
		return 0, nil
	}
	if len(ifMatch) > 2 {
		version, _, _ := strings.Cut(ifMatch[1:len(ifMatch)-1], "-")
		if n, err := strconv.Atoi(version); err == nil && n > 0 && strings.HasPrefix(ifMatch, `"`+strconv.Itoa(n)) {
			return n, nil
		}
	}
	return 0, errChanged
}
