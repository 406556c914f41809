package clock

import (
	"strconv"
	"strings"
	"time"
)

var months = strings.Fields("janvier février mars avril mai juin juillet août septembre octobre novembre décembre")

// Day writes the day of an instant, in UTC, as English ("5 October 2026") or, for fr, French ("5 octobre 2026") does.
func Day(t time.Time, lang string) string {
	t = t.UTC()
	if lang != "fr" {
		return t.Format("2 January 2006")
	}
	d := strconv.Itoa(t.Day())
	if d == "1" {
		d = "1er"
	}
	return d + " " + months[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

// Instant reads an RFC 3339 time, or a day such as 2018-10-31, which stands for its last microsecond in UTC. Nothing is the zero time.
func Instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1).Add(-time.Microsecond), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err
}
