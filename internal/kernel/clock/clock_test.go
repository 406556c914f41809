package clock_test

import (
	"testing"
	"time"

	"cursus/internal/kernel/clock"
)

// PostgreSQL keeps microseconds in UTC: a time that does not survive it would differ from itself after a restart.
func TestTimesSurviveTheDatabase(t *testing.T) {
	m := clock.NewManual(time.Date(2026, 3, 2, 9, 0, 0, 1999, time.FixedZone("CET", 3600)))
	for _, now := range []time.Time{clock.System{}.Now(), m.Now()} {
		if now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
			t.Error(now)
		}
	}
	began := m.Now()
	m.Advance(time.Hour)
	if m.Now().Sub(began) != time.Hour {
		t.Error(m.Now())
	}
	m.Set(began.Add(-time.Hour)) // clocks jump back, too
	if !m.Now().Before(began) {
		t.Error(m.Now())
	}
}
