package progress

import (
	"fmt"
	"testing"
	"time"
)

// The page names the weeks that were mailed: from the one in which a session begins until the one in which the last of its eight weeks after the
// end is; none of the time between two sessions, none that is not over, and no more than twelve.
func TestThePageNamesTheWeeksThatAreTold(t *testing.T) {
	day := func(year int, month time.Month, day int) *time.Time {
		at := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
		return &at
	}
	first := session{Begins: day(2026, 1, 6), Ends: day(2026, 1, 7)} // told of until Wednesday 4 March, in W10
	for _, x := range []struct {
		sessions []session
		now      *time.Time
		want     string
	}{
		{[]session{first}, day(2026, 1, 9), "[]"},
		{[]session{first}, day(2026, 1, 20), "[2026-W03 2026-W02]"},
		{[]session{first}, day(2026, 6, 1), "[2026-W10 2026-W09 2026-W08 2026-W07 2026-W06 2026-W05 2026-W04 2026-W03 2026-W02]"},
		{[]session{first, {Begins: day(2026, 5, 12)}, {}}, day(2026, 6, 1), "[2026-W22 2026-W21 2026-W20 2026-W10 2026-W09 2026-W08 2026-W07 2026-W06 2026-W05 2026-W04 2026-W03 2026-W02]"},
		{[]session{{Begins: day(2025, 1, 6)}}, day(2026, 6, 1), "[2026-W22 2026-W21 2026-W20 2026-W19 2026-W18 2026-W17 2026-W16 2026-W15 2026-W14 2026-W13 2026-W12 2026-W11]"},
		{nil, day(2026, 6, 1), "[]"},
	} {
		if got := fmt.Sprint(told(x.sessions, *x.now)); got != x.want {
			t.Errorf("%s: %s, want %s", x.now, got, x.want)
		}
	}
}
