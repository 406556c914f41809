package catalog

import (
	"context"
	"slices"
	"strings"
	"time"

	"cursus/internal/platform/postgres"
)

// Overlap is a time in which two sessions for one audience are broadcast together. A period ends before its end: where one ends as another
// begins there is no overlap.
type Overlap struct {
	A, B        string // keys, the one that begins first, or else is first by key
	Audience    string
	From, Until time.Time
}

// Overlaps finds every pair of sessions for one audience whose broadcasting periods meet, in the order of time. Sessions without a start,
// an end or an audience are judged by nobody. Pure, and symmetric: the order of the sessions does not matter.
func Overlaps(sessions []Session) (out []Overlap) {
	all := slices.DeleteFunc(slices.Clone(sessions), func(s Session) bool {
		return s.StartsAt == nil || s.EndsAt == nil || s.For() == "" || !s.StartsAt.Before(*s.EndsAt)
	})
	slices.SortFunc(all, func(a, b Session) int {
		if c := a.StartsAt.Compare(*b.StartsAt); c != 0 {
			return c
		}
		return strings.Compare(a.Key, b.Key)
	})
	for i, a := range all {
		for _, b := range all[i+1:] {
			if !b.StartsAt.Before(*a.EndsAt) {
				break // the others begin later still
			}
			if a.For() != b.For() {
				continue
			}
			until := *a.EndsAt
			if b.EndsAt.Before(until) {
				until = *b.EndsAt
			}
			out = append(out, Overlap{A: a.Key, B: b.Key, Audience: a.For(), From: *b.StartsAt, Until: until})
		}
	}
	return out
}

// CalendarTx lists the sessions of a collection (empty: of all) that are not archived and touch a period, by audience and start.
func CalendarTx(ctx context.Context, tx *postgres.Tx, collection string, from, to time.Time) ([]Session, error) {
	all, err := SessionsWhereTx(ctx, tx, SessionFilter{Collection: collection, From: &from, To: &to, Limit: maxCalendar})
	all = slices.DeleteFunc(all, func(s Session) bool { return s.Publication == Archived || s.StartsAt == nil || s.EndsAt == nil })
	slices.SortStableFunc(all, func(a, b Session) int {
		if c := strings.Compare(a.For(), b.For()); c != 0 {
			return c
		}
		return a.StartsAt.Compare(*b.StartsAt)
	})
	return all, err
}

// maxCalendar bounds a year; a large network broadcasts some hundreds of sessions.
const maxCalendar = 2000
