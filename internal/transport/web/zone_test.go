package web

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A time that was written into a form and is read back is the same instant, in winter, in summer, and around each change of the clocks.
func TestATimeReadBackIsTheSameInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		changes := []time.Time{time.Date(2027, 3, 28, 1, 0, 0, 0, time.UTC), time.Date(2027, 10, 31, 1, 0, 0, 0, time.UTC), time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)}
		at := rapid.SampledFrom(changes).Draw(t, "near").Add(time.Duration(rapid.IntRange(-200_000, 200_000).Draw(t, "seconds")) * time.Second)
		said := localTime(&at, zone)
		got, ok := instant(said, zone)
		if repeated := at.Sub(changes[1]); repeated >= 0 && repeated < time.Hour { // written like the hour before it, which is what is read
			at = at.Add(-time.Hour)
		}
		if !ok || !got.Equal(at) || got.Location() != time.UTC {
			t.Fatalf("%s is written %q and read back as %s, %v", at, said, got, ok)
		}
		if again := localTime(&got, zone); again != said {
			t.Fatalf("%q is written again as %q", said, again)
		}
	})
}

func TestTimesOfTheConsoleAreThoseOfParis(t *testing.T) {
	for said, want := range map[string]string{
		"2027-01-05T08:00": "2027-01-05T07:00:00Z", "2027-07-05T08:00": "2027-07-05T06:00:00Z", "2027-12-31T23:59:59": "2027-12-31T22:59:59Z",
		"2027-03-28T01:59": "2027-03-28T00:59:00Z", "2027-03-28T03:00": "2027-03-28T01:00:00Z", "2027-10-31T02:30": "2027-10-31T00:30:00Z",
		"2027-03-28T02:30": "", "tomorrow": "", "2027-02-30T08:00": "",
	} {
		got, ok := instant(said, zone)
		if ok != (want != "") || ok && got.Format(time.RFC3339) != want {
			t.Errorf("%q is %s, %v; want %q", said, got, ok, want)
		}
		at, err := whenOf("/valid_from", said)
		if (err == nil) != (want != "") || err == nil && !at.Equal(got) {
			t.Errorf("the form of offers reads %q as %v, %v", said, at, err)
		}
	}
}
