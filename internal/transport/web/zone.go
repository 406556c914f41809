package web

import (
	"time"

	"cursus/internal/domain/catalog"
)

// zone is the clock that the console's forms are read by; what is stored is UTC.
var zone = func() *time.Location {
	l, err := time.LoadLocation(catalog.DefaultZone)
	if err != nil {
		return time.UTC
	}
	return l
}()

const (
	localForm    = "2006-01-02T15:04"
	localSeconds = "2006-01-02T15:04:05"
)

// localTime writes an instant for a field of type datetime-local: with its seconds where it has some, so that a form that is sent back
// untouched changes nothing; nil is empty.
func localTime(t *time.Time, in *time.Location) string {
	if t == nil {
		return ""
	}
	if l := t.In(in); l.Second() != 0 {
		return l.Format(localSeconds)
	}
	return t.In(in).Format(localForm)
}

// instant reads a field of type datetime-local by a clock. An hour that a change to summer time leaves out is no time; one that the change
// back repeats is the first of the two.
func instant(said string, in *time.Location) (time.Time, bool) {
	for _, form := range []string{localForm, localSeconds} {
		t, err := time.ParseInLocation(form, said, in)
		if err != nil {
			continue
		}
		if t.Format(form) != said {
			return time.Time{}, false
		}
		if earlier := t.Add(-time.Hour); earlier.Format(form) == said {
			t = earlier
		}
		return t.UTC(), true
	}
	return time.Time{}, false
}
