package progress_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/progress"
)

// A time is in its week and in no other; a week reads back as it was written; what is no week is refused. It breaks when the week that holds the
// fourth of January is not the first of its year, or a year of 53 weeks has 52.
func TestWeeks(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 4_000_000_000).Draw(r, "at"), 0)
		w := progress.WeekOf(at)
		year, week := at.UTC().ISOWeek()
		back, err := progress.ParseWeek(w.String())
		if err != nil || back != w || at.Before(w.From()) || !at.Before(w.Until()) || w.From().Weekday() != time.Monday || progress.WeekOf(w.From().Add(-1)) != w.Before() {
			r.Fatalf("%v is in %v of %d-%d (%v)", at, w, year, week, err)
		}
		if y, n := w.From().ISOWeek(); y != year || n != week {
			r.Fatalf("%v is in %d-%d", at, y, n)
		}
	})
	for _, s := range []string{"", "2026", "2026-W00", "2026-W54", "2025-W53", "2026-48", "2026-W48x", "2026-W4", "x026-W48"} {
		if w, err := progress.ParseWeek(s); err == nil {
			t.Errorf("%q is %v", s, w)
		}
	}
}
