package ident

import (
	"sort"
	"testing"
)

// Lists are paged by id, so an id made later must sort later.
func TestIdentifiersSortAndCarryTheirPrefix(t *testing.T) {
	ids := make([]string, 2000)
	for i := range ids {
		ids[i] = New("ord")
		if !Has(ids[i], "ord") || Has(ids[i], "inv") {
			t.Fatal(ids[i])
		}
	}
	if !sort.StringsAreSorted(ids) {
		t.Fatal("identifiers do not sort by the time of their making")
	}
	if a, b := Secret(16), Secret(16); a == b || len(a) != 26 {
		t.Fatal("a secret of 128 bits has 26 characters and is not repeated", a, b)
	}
}
