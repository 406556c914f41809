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

// A day stands for all of itself; an instant is what it says, wherever it was written; nothing is no time, and anything else is refused.
func TestInstantsAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]string{
		"2018-10-31": "2018-10-31T23:59:59.999999Z", "2018-10-31T21:00:00+02:00": "2018-10-31T19:00:00Z", "": "0001-01-01T00:00:00Z",
	} {
		if got, err := clock.Instant(text); err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q is %v (%v)", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "2018-02-30", "2018-10-31 21:00"} {
		if at, err := clock.Instant(text); err == nil {
			t.Errorf("%q is %v", text, at)
		}
	}
}
