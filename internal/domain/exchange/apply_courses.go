package exchange

import (
	"fmt"
	"slices"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/workshops"
)

const staysPublished = "stays-published"

// copies are the two copies of a course or a program, with the places of the file's.
type copies struct {
	public, working     *Course
	publicAt, workingAt string
}

func pairs(all []Course) (map[string]*copies, []string) {
	out, keys := map[string]*copies{}, []string{}
	for i := range all {
		c := &all[i]
		p := out[c.Key]
		if p == nil {
			p = &copies{}
			out[c.Key], keys = p, append(keys, c.Key)
		}
		at := fmt.Sprintf("/courses/%d", i)
		if c.State == catalog.Published {
			p.public, p.publicAt = c, at
		} else {
			p.working, p.workingAt = c, at
		}
	}
	return out, keys
}

func (a *applier) courses() {
	house, known := pairs(a.house.Courses)
	file, keys := pairs(a.d.Courses)
	for _, key := range keys {
		c, old := file[key], house[key]
		change := Changed
		switch {
		case old == nil:
			change, old = IsNew, &copies{}
		case (c.public == nil || old.public != nil && same(*c.public, *old.public)) && (same(c.working, old.working) || c.working == nil):
			change = Unchanged
		}
		if a.note("course", key, change) {
			a.course(*c, *old)
		}
	}
	a.kept("course", len(known)-len(keys)+a.counts["course"].newOnes())
}

func (c *Count) newOnes() int {
	if c == nil {
		return 0
	}
	return c.New
}

// course publishes what the public is to see and writes the working copy over it. A working copy that the file does not name stays.
func (a *applier) course(c, old copies) {
	if c.working == nil && old.working != nil && old.working.State != catalog.Archived {
		c.working, c.workingAt = old.working, c.publicAt
	}
	if c.public != nil && (old.public == nil || !same(*c.public, *old.public)) {
		if !a.try(c.publicAt, func() error { return a.publishCourse(*c.public, old) }) {
			return
		}
		a.public = append(a.public, func() { a.try(c.publicAt, func() error { return catalog.FollowableTx(a.ctx, a.tx, c.public.Key) }) })
	}
	if c.working == nil || old.working != nil && same(*c.working, *old.working) && (c.public == nil || old.public != nil && same(*c.public, *old.public)) {
		return
	}
	w := *c.working
	if w.State == catalog.Archived && old.public != nil {
		a.refuse(c.workingAt+"/state", staysPublished, "The course is published, and a file takes nothing from the public. Archive it in the console.")
		return
	}
	to := w.State
	if to == catalog.Archived {
		to = catalog.Drafted
		a.last = append(a.last, func() { a.try(c.workingAt, func() error { return a.moveCourse(w.Key, catalog.Archived) }) })
	}
	a.try(c.workingAt, func() error {
		if err := a.free(w.Key, old); err != nil {
			return err
		}
		if old.working != nil && old.working.State == catalog.Archived {
			if err := a.moveCourse(w.Key, catalog.Drafted); err != nil {
				return err
			}
		}
		if _, err := catalog.PutDraftTx(a.ctx, a.tx, w.Key, w.Draft, catalog.AnyVersion); err != nil {
			return err
		}
		return a.moveCourse(w.Key, to)
	})
}

// free refuses the key of a course that stands outside the collection.
func (a *applier) free(key string, old copies) error {
	if old.public != nil || old.working != nil {
		return nil
	}
	if _, err := catalog.DraftTx(a.ctx, a.tx, key); err == nil && !a.made[key] {
		return catalog.ErrCourseKey
	}
	a.made[key] = true
	return nil
}

func (a *applier) publishCourse(c Course, old copies) error {
	if err := a.free(c.Key, old); err != nil {
		return err
	}
	if c.Unchecked && old.working == nil && (old.public == nil || old.public.Unchecked) {
		return catalog.PutCourseTx(a.ctx, a.tx, catalog.Course{
			Key: c.Key, CollectionKey: c.Collection, Position: c.Position, Title: c.Title, Summary: c.Summary, Level: c.Level, WorkloadHours: c.WorkloadHours,
		})
	}
	if old.working != nil && old.working.State == catalog.Archived {
		if err := a.moveCourse(c.Key, catalog.Drafted); err != nil {
			return err
		}
	}
	if _, err := catalog.PutDraftTx(a.ctx, a.tx, c.Key, c.Draft, catalog.AnyVersion); err != nil {
		return err
	}
	return a.moveCourse(c.Key, catalog.Published)
}

func (a *applier) moveCourse(key string, to catalog.Publication) error {
	w, err := catalog.DraftTx(a.ctx, a.tx, key)
	if err != nil {
		return err
	}
	for _, next := range ways(w.State, to) {
		move := catalog.BringCourseTx
		if next == catalog.Archived {
			move = programs.MoveCourseTx
		}
		if _, _, err := move(a.ctx, a.tx, key, next, "", catalog.AnyVersion); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) sessions() {
	each(a, "session", "/sessions", a.d.Sessions, a.house.Sessions, func(s Session) string { return s.Key }, func(path string, s Session, old *Session) {
		if old == nil {
			a.try(path, func() error { return a.newSession(s) })
		} else {
			a.try(path, func() error { return a.session(path, s, *old) })
		}
		var was []Day
		if old != nil {
			was = old.Days
		}
		a.days(path, s, was)
	})
}

// says turns a session of a file into what the catalogue takes.
func (s Session) says() catalog.NewSession {
	n := catalog.NewSession{
		Key: s.Key, CourseKey: s.Course, Number: s.Number, Title: s.Title, Kind: s.Kind, Platform: s.Platform, PlatformKey: s.PlatformKey, CourseURL: s.CourseURL,
		Audience: s.Audience, Language: s.Language, ThresholdPPM: s.ThresholdPPM, StartsAt: s.StartsAt, EndsAt: s.EndsAt, EnrolFrom: s.EnrolFrom,
		EnrolUntil: s.EnrolUntil, Closed: s.Closed, Capacity: s.Capacity, MinDays: s.MinDays, ProductionPPM: s.ProductionPPM, Publication: s.State,
		Policy: catalog.Policy{}, Exercises: s.exercises(),
	}
	for _, p := range s.Policy {
		n.Policy = append(n.Policy, catalog.AssignmentType(p))
	}
	return n
}

func (s Session) exercises() (out []catalog.Exercise) {
	for _, e := range s.Exercises {
		out = append(out, catalog.Exercise{Label: e.Label, Week: e.Week, Scored: e.Scored, Activity: e.Activity, WeightPPM: e.WeightPPM})
	}
	return out
}

func (a *applier) newSession(s Session) error {
	_, err := catalog.CreateSessionTx(a.ctx, a.tx, s.says())
	return err
}

func (a *applier) session(path string, s, old Session) error {
	if old.State == catalog.Published && s.State != catalog.Published {
		a.refuse(path+"/state", staysPublished, "The session is published, and a file takes nothing from the public.")
		return nil
	}
	bare := func(s Session) Session { s.Exercises, s.Days, s.State = nil, nil, ""; return s }
	says, maps := !same(bare(s), bare(old)), !same(s.Exercises, old.Exercises)
	if old.State == catalog.Archived && (says || maps) {
		if err := a.moveSession(s.Key, catalog.Drafted); err != nil {
			return err
		}
	}
	if maps {
		if _, err := catalog.PutExercisesTx(a.ctx, a.tx, s.Key, s.exercises(), 0); err != nil {
			return err
		}
	}
	if says {
		if _, err := sales.PutSessionTx(a.ctx, a.tx, s.Key, s.says(), 0); err != nil {
			return err
		}
	}
	return a.moveSession(s.Key, s.State)
}

func (a *applier) moveSession(key string, to catalog.Publication) error {
	s, err := catalog.SessionTx(a.ctx, a.tx, key)
	if err != nil {
		return err
	}
	for _, next := range ways(s.Publication, to) {
		if _, err := catalog.MoveSessionTx(a.ctx, a.tx, key, next, "", 0); err != nil {
			return err
		}
	}
	return nil
}

// dayName tells the days of a session apart.
func dayName(d Day) string { return d.StartsAt.UTC().String() + " " + d.Place }

// days plans what is new and changes what is only planned. A day that was held was paid for: it stays.
func (a *applier) days(path string, s Session, old []Day) {
	if same(s.Days, old) || a.failed != nil {
		return
	}
	session, err := catalog.SessionTx(a.ctx, a.tx, s.Key)
	if err != nil { // it was refused
		return
	}
	there, err := workshops.DaysTx(a.ctx, a.tx, session.ID)
	if err != nil {
		a.failed = err
		return
	}
	for i, d := range s.Days {
		at := fmt.Sprintf("%s/workshop_days/%d", path, i)
		n := workshops.NewDay{
			Title: d.Title, Place: d.Place, Zone: d.Zone, StartsAt: d.StartsAt, EndsAt: d.EndsAt, Capacity: d.Capacity, Currency: d.Currency,
			CostMinor: d.CostMinor, PerHeadMinor: d.PerHeadMinor,
		}
		k := slices.IndexFunc(there, func(x workshops.Day) bool { return x.State != workshops.Canceled && dayName(dayOf(x)) == dayName(d) })
		switch {
		case k < 0:
			a.try(at, func() error { _, err := workshops.CreateDayTx(a.ctx, a.tx, s.Key, n); return err })
		case same(dayOf(there[k]), d):
		case there[k].State == workshops.Held:
			a.refuse(at, "day-held", "This day was held, and its cost is in the books. Correct it in the console.")
		default:
			a.try(at, func() error { _, err := workshops.PutDayTx(a.ctx, a.tx, there[k].ID, n, 0); return err })
		}
	}
}
