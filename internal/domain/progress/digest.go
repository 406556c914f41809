package progress

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// ErrWeek refuses what is no week, and one that is not over.
var ErrWeek = fault.InvalidInput(fault.Field{Pointer: "/week", Code: "bad-week", Detail: "A week that is over, such as 2026-W48."})

// Week is an ISO week. It begins on Monday at 00:00 UTC.
type Week struct{ monday time.Time }

// WeekOf is the week in which a time is.
func WeekOf(t time.Time) Week {
	y, m, d := t.UTC().Date()
	return Week{time.Date(y, m, d-(int(t.UTC().Weekday())+6)%7, 0, 0, 0, 0, time.UTC)}
}

// ParseWeek reads 2026-W48. Error: ErrWeek.
func ParseWeek(s string) (Week, error) {
	var year, week int
	if n, err := fmt.Sscanf(s, "%4d-W%2d", &year, &week); err != nil || n != 2 {
		return Week{}, ErrWeek
	}
	w := WeekOf(time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)) // the fourth of January is in the first week
	if w.monday = w.monday.AddDate(0, 0, 7*(week-1)); w.String() != s {
		return Week{}, ErrWeek
	}
	return w, nil
}

// From is its first moment.
func (w Week) From() time.Time { return w.monday }

// Until is the first moment after it.
func (w Week) Until() time.Time { return w.monday.AddDate(0, 0, 7) }

// Before is the week before.
func (w Week) Before() Week { return Week{w.monday.AddDate(0, 0, -7)} }

func (w Week) String() string {
	year, week := w.monday.ISOWeek()
	return fmt.Sprintf("%04d-W%02d", year, week)
}

// Digest is what a week changed for a group, and where it stood at its end, as both were known at that moment. Only who agrees to it by now is
// named; the counts are of everybody.
type Digest struct {
	Group      Group
	Week       Week
	Members    int // who follow
	Shared     int // of them by name
	Suppressed bool
	Sessions   []SessionDigest // those that had begun
}

// SessionDigest is one session of a digest.
type SessionDigest struct {
	SessionCounts
	Started    []string // who did, in that week, by name
	FellBehind []string // who was not yet behind or silent a week before
	Certified  []string
}

// Name is what the group is called, in a language.
func (d Digest) Name(lang string) string {
	if d.Group.Name != "" {
		return d.Group.Name
	}
	return d.Group.Title.In(lang)
}

// Digest gives the digest of a group for a week that is over, such as 2026-W48. The same week gives the same digest, but for those who left or came to agree, or
// not to, meanwhile. Errors: those of openTx, ErrWeek.
func (s *Service) Digest(ctx context.Context, personID, groupID, week string) (d Digest, err error) {
	err = s.db.View(asSystem(ctx), "digest of a group", func(ctx context.Context, tx *postgres.Tx) error {
		g, staff, err := openTx(ctx, tx, personID, groupID)
		if err != nil {
			return err
		}
		w, err := ParseWeek(week)
		if err != nil {
			return err
		}
		if tx.Now().Before(w.Until()) {
			return ErrWeek
		}
		d, err = digestTx(ctx, tx, g, w, !staff)
		return err
	})
	return d, err
}

func digestTx(ctx context.Context, tx *postgres.Tx, g Group, w Week, suppress bool) (d Digest, err error) {
	d = Digest{Group: g, Week: w, Suppressed: suppress}
	sessions, all, err := allTx(ctx, tx, g)
	if err != nil {
		return d, err
	}
	var members []member
	for _, m := range all {
		if m.follows() && m.Since != nil && m.Since.Before(w.Until()) {
			members = append(members, m)
			if d.Members++; m.Shared {
				d.Shared++
			}
		}
	}
	before, err := factsAtTx(ctx, tx, sessions, members, w.From())
	if err != nil {
		return d, err
	}
	after, err := factsAtTx(ctx, tx, sessions, members, w.Until())
	if err != nil {
		return d, err
	}
	for _, x := range sessions {
		if x.Begins == nil || !x.Begins.Before(w.Until()) {
			continue
		}
		one := SessionDigest{SessionCounts: counted(x, members, after, w.Until(), suppress)}
		for _, m := range members {
			f, ok := after[m.PersonID][x.ID]
			if !ok || !m.Shared || m.Thing != x.Thing {
				continue
			}
			was, name := before[m.PersonID][x.ID], m.called()
			came := func(stage journey.Stage) bool {
				return journey.State(f.Reached).Has(stage) && !journey.State(was.Reached).Has(stage)
			}
			if came(journey.Started) {
				one.Started = append(one.Started, name)
			}
			if came(journey.Certified) {
				one.Certified = append(one.Certified, name)
			}
			if f.lags(x) && !was.lags(x) {
				one.FellBehind = append(one.FellBehind, name)
			}
		}
		d.Sessions = append(d.Sessions, one)
	}
	return d, nil
}

// lags says whether she is behind or silent. Who is unknown is neither.
func (f fact) lags(s session) bool { return f.course(s).Pace.lags() }

// called is how a school finds her.
func (m member) called() string {
	if m.Name == "" {
		return m.StudentKey
	}
	return m.Name + " (" + m.StudentKey + ")"
}

// shownWeeks is how many digests a page names.
const shownWeeks = 12

// told gives the last weeks that are over and had something to tell, the newest first.
func told(sessions []session, now time.Time) (weeks []Week) {
	first := now
	for _, s := range sessions {
		if s.Begins != nil && s.Begins.Before(first) {
			first = *s.Begins
		}
	}
	for w := WeekOf(now).Before(); len(weeks) < shownWeeks && first.Before(w.Until()); w = w.Before() {
		if runs(sessions, w) {
			weeks = append(weeks, w)
		}
	}
	return weeks
}

// afterEnd is how long after its last session ended a group is still told of: exams and certificates come then.
const afterEnd = 56 * 24 * time.Hour

// runs says whether there was something to tell in a week.
func runs(sessions []session, w Week) bool {
	return slices.ContainsFunc(sessions, func(s session) bool {
		return s.Begins != nil && s.Begins.Before(w.Until()) && (s.Ends == nil || w.From().Before(s.Ends.Add(afterEnd)))
	})
}

// Printer sets a digest on paper. The same digest gives the same bytes.
type Printer interface {
	Digest(ctx context.Context, d Digest, lang string, demo bool) ([]byte, error)
}

// Paper is a digest as PDF. Errors: those of Digest.
func (s *Service) Paper(ctx context.Context, personID, groupID, week, lang string) ([]byte, error) {
	d, err := s.Digest(ctx, personID, groupID, week)
	if err != nil {
		return nil, err
	}
	return s.printer.Digest(ctx, d, lang, s.demo)
}
