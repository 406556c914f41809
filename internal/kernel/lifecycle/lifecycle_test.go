package lifecycle_test

import (
	"slices"
	"strings"
	"testing"

	"cursus/internal/kernel/lifecycle"
)

type state string

var light = lifecycle.Table[state]{Name: "light", Start: "red", Moves: map[state][]state{"red": {"green"}, "green": {"amber", "broken"}, "amber": {"red"}}}

func TestOnlyDeclaredMovesAreAllowed(t *testing.T) {
	for _, from := range light.States() {
		for _, to := range light.States() {
			if light.Allows(from, to) != slices.Contains(light.Next(from), to) {
				t.Errorf("%s to %s", from, to)
			}
		}
	}
	if light.Allows("red", "amber") || light.Allows("broken", "red") || light.Allows("nowhere", "red") {
		t.Error("a move that is not in the table is allowed")
	}
	if !light.Terminal("broken") || light.Terminal("red") {
		t.Error("broken is the end, red is not")
	}
	light.Next("red")[0] = "broken"
	if light.Allows("red", "broken") {
		t.Error("who asks for the next states can change the table")
	}
	if d := light.Mermaid(); !strings.Contains(d, "[*] --> red") || !strings.Contains(d, "green --> broken") || !strings.Contains(d, "broken --> [*]") || strings.Count(d, "-->") != 6 {
		t.Error(d)
	}
}
