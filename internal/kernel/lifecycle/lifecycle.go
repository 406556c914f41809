// Package lifecycle holds the states of a thing and the moves that are allowed, as data.
//
// A move that is not in the table is refused; a terminal state absorbs what comes late. The same table is drawn as a
// Mermaid diagram in the documentation, so that the picture cannot differ from the code.
package lifecycle

import (
	"fmt"
	"sort"
	"strings"
)

// State is any string type.
type State interface{ ~string }

// Table lists the moves that are allowed: from → to, …
type Table[S State] struct {
	Name  string
	Start S
	Moves map[S][]S
}

// Allows says whether a move is in the table.
func (t Table[S]) Allows(from, to S) bool {
	for _, s := range t.Moves[from] {
		if s == to {
			return true
		}
	}
	return false
}

// Terminal says whether nothing leaves the state.
func (t Table[S]) Terminal(s S) bool { return len(t.Moves[s]) == 0 }

// Next lists where a state can go.
func (t Table[S]) Next(s S) []S { return append([]S(nil), t.Moves[s]...) }

// States lists every state of the table, sorted.
func (t Table[S]) States() []S {
	seen := map[S]bool{t.Start: true}
	for from, tos := range t.Moves {
		seen[from] = true
		for _, to := range tos {
			seen[to] = true
		}
	}
	out := make([]S, 0, len(seen))
	for s := range seen {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

// Mermaid draws the table as a state diagram.
func (t Table[S]) Mermaid() string {
	var b strings.Builder
	fmt.Fprintf(&b, "stateDiagram-v2\n    [*] --> %s\n", t.Start)
	for _, from := range t.States() {
		for _, to := range t.Moves[from] {
			fmt.Fprintf(&b, "    %s --> %s\n", from, to)
		}
		if t.Terminal(from) {
			fmt.Fprintf(&b, "    %s --> [*]\n", from)
		}
	}
	return b.String()
}
