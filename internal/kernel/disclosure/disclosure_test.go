package disclosure_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/kernel/disclosure"
)

// published is what a partner reads of some counts.
func published(cells []int) string {
	shown, total := disclosure.Suppress(cells)
	text := ""
	for _, n := range append(shown, total) {
		if n == nil {
			text += "? "
		} else {
			text += fmt.Sprint(*n, " ")
		}
	}
	return text
}

// No count from 1 to 9 is told, nor can be worked out: what is published would be the same for other counts, in which it is another. It
// breaks when one cell alone is kept back beside a total, or two of fewer than ten people.
func TestSmallCountsCannotBeWorkedOut(t *testing.T) {
	const most = 40                // people in all, so that every world of a total is among these
	worlds := map[string][][]int{} // what is published → every world in which it is
	for a := range most {
		for b := range most - a {
			for c := range most - a - b {
				w := []int{a, b, c}
				worlds[published(w)] = append(worlds[published(w)], w)
			}
		}
	}
	for text, all := range worlds {
		for i := range 3 {
			values, small := map[int]bool{}, false
			for _, w := range all {
				values[w[i]] = true
				small = small || w[i] > 0 && w[i] < 10
			}
			if small && len(values) < 3 {
				t.Fatalf("%q tells that count %d is one of %v", text, i, values)
			}
		}
	}
}

// What is shown is true; small numbers are not shown; where no number is small, all are.
func TestWhatIsShownIsTrue(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		cells := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 8).Draw(r, "cells")
		shown, total := disclosure.Suppress(cells)
		sum, small := 0, false
		for i, n := range cells {
			sum += n
			small = small || n > 0 && n < 10
			if shown[i] != nil && (*shown[i] != n || n > 0 && n < 10) {
				r.Fatalf("%v shows %d", cells, *shown[i])
			}
		}
		for i := range cells {
			if !small && shown[i] == nil {
				r.Fatalf("%v hides %d for nothing", cells, cells[i])
			}
		}
		if hidden := total == nil; hidden != (sum > 0 && sum < 10) || !hidden && *total != sum {
			r.Fatalf("%v: the total is %v", cells, total)
		}
	})
}

// Who knows some people of a group by name takes them away from its count: what is left is as quiet as a count is.
func TestTheOthersOfAGroupCannotBeWorkedOut(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		cells := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 8).Draw(r, "cells")
		known, others, named := make([]int, len(cells)), 0, 0
		for i, n := range cells {
			known[i] = rapid.IntRange(0, n).Draw(r, "known")
			others, named = others+n-known[i], named+known[i]
		}
		shown, total := disclosure.SuppressBeside(cells, known)
		hidden, left := 0, 0
		for i, n := range shown {
			if n == nil {
				hidden, left = hidden+1, left+cells[i]-known[i]
			} else if u := *n - known[i]; u > 0 && u < disclosure.Least || *n > 0 && *n < disclosure.Least {
				r.Fatalf("%d are told of, %d of them are known by name", *n, known[i])
			}
		}
		if total != nil && hidden == 1 && len(cells) > 1 {
			r.Fatalf("the total of %v tells the one that is kept back of %v", shown, cells)
		}
		if hidden > 0 && hidden < len(cells) && left > 0 && left < disclosure.Least {
			r.Fatalf("%d people of whom nobody knows are in %d of %d groups", left, hidden, len(cells))
		}
	})
}
