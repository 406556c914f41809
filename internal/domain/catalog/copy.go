package catalog

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zones are known wherever the program runs

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// CopySession asks for a session like another one, in a later term. Either Weeks says by how much the dates move, or StartsOn from
// when the copy may begin: then they move by the fewest whole weeks that bring its start to that day or after it, so that every weekday
// stays. What is empty is proposed: the next number that is free, the key and the platform's key that go with it.
type CopySession struct {
	From        string `json:"-"` // id or key
	Key         string `json:"key,omitempty"`
	PlatformKey string `json:"platform_key,omitempty"`
	Number      int    `json:"number,omitempty"`
	Weeks       int    `json:"weeks,omitempty"`
	StartsOn    string `json:"starts_on,omitempty"` // a date, 2027-03-01
	Zone        string `json:"zone,omitempty"`      // where the hours are those of the clock on the wall; empty: Europe/Paris
}

// Copied is a copy, and what it has of the session that it was made from.
type Copied struct {
	Session  Session
	From     string // key
	Weeks    int
	Zone     string
	Has      []string // parts that were copied
	HasNot   []string // parts that were left, for somebody to decide on
	Replayed bool     // it was there already
}

// DefaultZone is where the schools of the house are.
const DefaultZone = "Europe/Paris"

const maxWeeks = 520

// ErrCopy refuses a copy that cannot be placed.
var ErrCopy = fault.New(fault.Unprocessable, "session-without-dates", "The session has no start: say by how many weeks its dates move.")

// ShiftWeeks moves an instant by whole weeks as people in a zone live them: weekday and time of day stay, also across a change of the clocks.
// The result is in UTC, as all stored times are.
func ShiftWeeks(t time.Time, weeks int, zone *time.Location) time.Time {
	return t.In(zone).AddDate(0, 0, 7*weeks).UTC()
}

// weeksUntil is the fewest weeks that bring an instant to the day of another one or after it.
func weeksUntil(t, day time.Time, zone *time.Location) int {
	date := func(t time.Time) time.Time {
		y, m, d := t.In(zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	days := int(date(day).Sub(date(t)) / (24 * time.Hour))
	weeks := days / 7
	if days > 0 && days%7 != 0 {
		weeks++
	}
	return weeks
}

var trailingNumber = regexp.MustCompile(`^(.*?)(\d+)$`)

// NextKey counts a key up: PRD-9 gives PRD-10, session03 gives session04. A key without a number gets -2.
func NextKey(key string) string {
	m := trailingNumber.FindStringSubmatch(key)
	if m == nil {
		return key + "-2"
	}
	n, err := strconv.Atoi(m[2])
	if err != nil {
		return key + "-2"
	}
	next := strconv.Itoa(n + 1)
	return m[1] + strings.Repeat("0", max(0, len(m[2])-len(next))) + next
}

// CopySessionTx makes the copy as a draft, once per key: asked again with the key of a copy of this session it gives that one. Dates,
// exercise map, grade policy and all that the session says are copied; offers, learners and workshop days belong to rooms above.
// Errors: ErrNoSession, ErrSessionKey, ErrCopy.
func CopySessionTx(ctx context.Context, tx *postgres.Tx, c CopySession) (Copied, error) {
	s, err := LockSessionTx(ctx, tx, c.From)
	if err != nil {
		return Copied{}, err
	}
	out := Copied{From: s.Key, Zone: c.Zone, Has: []string{}, HasNot: []string{"offers", "enrolments"}}
	if out.Zone == "" {
		out.Zone = DefaultZone
	}
	zone, err := time.LoadLocation(out.Zone)
	if err != nil || out.Zone == "Local" {
		return out, fault.InvalidInput(fault.Field{Pointer: "/zone", Code: "unknown-zone", Detail: "A name of the time zone database, such as Africa/Dakar."})
	}
	if c.Key != "" {
		there, err := SessionTx(ctx, tx, c.Key)
		if err == nil {
			if there.CopiedFrom != s.ID {
				return out, ErrSessionKey
			}
			out.Session, out.Replayed = there, true
			if s.StartsAt != nil && there.StartsAt != nil {
				out.Weeks = weeksUntil(*s.StartsAt, *there.StartsAt, zone)
			}
			return out, nil
		}
		if !errors.Is(err, ErrNoSession) {
			return out, err
		}
	}
	if out.Weeks, err = c.weeks(s, zone); err != nil {
		return out, err
	}
	exercises, err := ExercisesTx(ctx, tx, s.ID)
	if err != nil {
		return out, err
	}
	n := s.Says()
	n.Publication, n.Closed, n.copiedFrom, n.Exercises = Drafted, false, s.ID, exercises
	if err := c.name(ctx, tx, &n); err != nil {
		return out, err
	}
	for _, t := range []**time.Time{&n.StartsAt, &n.EndsAt, &n.EnrolFrom, &n.EnrolUntil} {
		if *t != nil {
			moved := ShiftWeeks(**t, out.Weeks, zone)
			*t = &moved
		}
	}
	out.has(n, s)
	if out.Session, err = CreateSessionTx(ctx, tx, n); err != nil {
		return out, err
	}
	return out, audit.AppendTx(ctx, tx, audit.Entry{Action: "session.copied", Object: out.Session.ID, Detail: map[string]any{"from": s.ID, "weeks": out.Weeks}})
}

// has lists what the copy took over and what it left.
func (o *Copied) has(n NewSession, s Session) {
	for _, part := range []struct {
		name        string
		there, left bool
	}{
		{"title", true, false}, {"dates", s.StartsAt != nil || s.EndsAt != nil, false}, {"enrolment_window", s.EnrolFrom != nil || s.EnrolUntil != nil, false},
		{"exercises", len(n.Exercises) > 0, false}, {"policy", len(n.Policy) > 0, false}, {"threshold", true, false}, {"capacity", n.Capacity != nil, false},
		{"platform_key", n.PlatformKey != "", s.PlatformKey != "" && n.PlatformKey == ""},
	} {
		if part.there {
			o.Has = append(o.Has, part.name)
		}
		if part.left {
			o.HasNot = append(o.HasNot, part.name)
		}
	}
}

func (c CopySession) weeks(s Session, zone *time.Location) (int, error) {
	weeks := c.Weeks
	if c.StartsOn != "" {
		day, err := time.ParseInLocation(time.DateOnly, c.StartsOn, zone)
		if err != nil {
			return 0, fault.InvalidInput(fault.Field{Pointer: "/starts_on", Code: "bad-date", Detail: "A date such as 2027-03-01."})
		}
		if s.StartsAt == nil {
			return 0, ErrCopy
		}
		weeks = weeksUntil(*s.StartsAt, day, zone)
	}
	if weeks < -maxWeeks || weeks > maxWeeks {
		return 0, fault.InvalidInput(fault.Field{Pointer: "/weeks", Code: "out-of-range", Detail: "At most ten years."})
	}
	return weeks, nil
}

// name gives the copy its number, its key and its platform's key: what was asked for, or else the next that is free. The titles follow the
// number where they end with it.
func (c CopySession) name(ctx context.Context, tx *postgres.Tx, n *NewSession) error {
	was, source := n.Number, n.Key
	if n.Number = c.Number; n.Number == 0 && was > 0 {
		n.Number = was + 1
	}
	n.Key, n.PlatformKey = c.Key, or(c.PlatformKey, nextRun(n.PlatformKey))
	if n.Key == "" {
		n.Key = NextKey(source)
		for {
			_, err := SessionTx(ctx, tx, n.Key)
			if errors.Is(err, ErrNoSession) {
				break
			}
			if err != nil {
				return err
			}
			n.Key = NextKey(n.Key)
			if c.Number == 0 && n.Number > 0 {
				n.Number++
			}
		}
	}
	if was > 0 && n.Number > 0 {
		old, next := strconv.Itoa(was), strconv.Itoa(n.Number)
		for _, t := range []*string{&n.Title.EN, &n.Title.FR} {
			if m := trailingNumber.FindStringSubmatch(*t); m != nil && m[2] == old {
				*t = m[1] + next
			}
		}
	}
	return nil
}

// nextRun counts the run of a platform's key up where it ends with a number; otherwise nobody knows its name yet.
func nextRun(key string) string {
	if trailingNumber.MatchString(key) {
		return NextKey(key)
	}
	return ""
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
