package progress

import (
	"context"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/disclosure"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Cell counts the learners of one group. Nil: so few, or so near to what would tell so few, that it is kept back.
type Cell struct {
	Name  string `json:"name"`
	Count *int   `json:"count"`
}

// SessionCounts are how many learners of a group are how far in a session; each learner is in one cell of each list.
type SessionCounts struct {
	Session  string       `json:"session"` // key
	Title    catalog.Text `json:"-"`
	Open     bool         `json:"open"` // the numbers may still grow
	Learners *int         `json:"learners"`
	Furthest []Cell       `json:"furthest"`
	Pace     []Cell       `json:"pace"`
}

// Counts are the numbers of a group. Suppressed says that small ones are kept back, as for everybody but staff.
type Counts struct {
	Cohort     string          `json:"cohort"` // or the order whose seats they sit on
	Suppressed bool            `json:"suppressed"`
	Sessions   []SessionCounts `json:"sessions"`
}

// Counts gives the numbers of a group. Errors: those of openTx.
func (s *Service) Counts(ctx context.Context, personID, groupID string) (out Counts, err error) {
	err = s.db.View(asSystem(ctx), "counts of a group", func(ctx context.Context, tx *postgres.Tx) error {
		g, staff, err := openTx(ctx, tx, personID, groupID)
		if err != nil {
			return err
		}
		sessions, members, err := allTx(ctx, tx, g)
		if err != nil {
			return err
		}
		out, err = countsTx(ctx, tx, g, sessions, members, !staff)
		return err
	})
	return out, err
}

// countsTx counts everybody who follows, whether or not she agrees to be seen by name.
func countsTx(ctx context.Context, tx *postgres.Tx, g Group, sessions []session, members []member, suppress bool) (out Counts, err error) {
	out = Counts{Cohort: g.ID, Suppressed: suppress, Sessions: []SessionCounts{}}
	facts, err := factsTx(ctx, tx, sessions, members)
	if err != nil {
		return out, err
	}
	for _, x := range sessions {
		out.Sessions = append(out.Sessions, counted(x, members, facts, tx.Now(), suppress))
	}
	return out, nil
}

var everybody = page.Request{Limit: 1_000_000} // a cohort has no more seats

// counted counts those who follow one session. A school knows by name how far those are who agree to it: of the others it learns no small number
// either.
func counted(x session, members []member, facts known, now time.Time, suppress bool) SessionCounts {
	furthest, pace := newTally(len(Stages)), newTally(len(Paces))
	for _, m := range members {
		if f, follows := facts.of(m, x); follows {
			course := f.course(x)
			furthest.add(slices.Index(Stages, course.Stage), m)
			pace.add(slices.Index(Paces, course.Pace), m)
		}
	}
	n := SessionCounts{Session: x.Key, Title: x.title(), Open: x.Ends == nil || now.Before(*x.Ends)}
	n.Furthest, n.Learners = cells(Stages, furthest, suppress)
	n.Pace, _ = cells(Paces, pace, suppress)
	if suppress && (kept(n.Furthest) || kept(n.Pace) || tells(n)) {
		keepBack(n.Pace)
	}
	return n
}

// kept says whether something of a list is kept back. Lists of the same people say much of the same in other words: beside each other they would give
// away what one of them keeps back, so that then only one is told.
func kept(cells []Cell) bool {
	return slices.ContainsFunc(cells, func(c Cell) bool { return c.Count == nil })
}

func keepBack(cells []Cell) {
	for i := range cells {
		cells[i].Count = nil
	}
}

// tells says whether the two lists of a session tell of few together: who did not start is silent, and who succeeded is on time, so that the ones
// taken from the others leave those who started and are silent, or are on time and did not succeed yet.
func tells(n SessionCounts) bool {
	few := func(whole Cell, parts ...Cell) bool {
		if whole.Count == nil {
			return false
		}
		left := *whole.Count
		for _, p := range parts {
			if p.Count == nil {
				return false
			}
			left -= *p.Count
		}
		return left != 0 && left > -disclosure.Least && left < disclosure.Least
	}
	pace := func(p Pace) Cell { return n.Pace[slices.Index(Paces, p)] }
	return few(pace(Silent), n.Furthest[slices.Index(Stages, "enrolled")]) || few(pace(OnTime), n.Furthest[slices.Index(Stages, "succeeded"):]...)
}

// tally counts people by group, and those among them whom a school knows by name.
type tally struct{ all, named []int }

func newTally(groups int) tally { return tally{make([]int, groups), make([]int, groups)} }

func (t tally) add(group int, m member) {
	if t.all[group]++; m.Shared {
		t.named[group]++
	}
}

func cells[S ~string](names []S, counts tally, suppress bool) (out []Cell, total *int) {
	var shown []*int
	if suppress {
		shown, total = disclosure.SuppressBeside(counts.all, counts.named)
	} else {
		sum := 0
		for i := range counts.all {
			shown, sum = append(shown, &counts.all[i]), sum+counts.all[i]
		}
		total = &sum
	}
	for i, name := range names {
		out = append(out, Cell{string(name), shown[i]})
	}
	return out, total
}
