package programs

import "slices"

// next says what to do now: every open course and every workshop that the certificate still asks for, in the order of the program, and
// every one that unlocks such a course. Where there is none: the date to wait for, or what stands in the way.
func (w *walker) next(p Path) []Step {
	steps := []Step{}
	if p.Complete {
		return steps
	}
	var wait, blocked *CoursePath
	asked := w.unlocking(p)
	for i := range p.Courses {
		c := &p.Courses[i]
		switch {
		case !asked[i]:
		case c.Standing == Open:
			steps = append(steps, Step{Code: "follow", Course: c.Course, Reasons: []Reason{}})
		case c.Standing == Upcoming && (wait == nil || c.OpensAt.Before(*wait.OpensAt)):
			wait = c
		case c.Standing == Locked && c.Needed && blocked == nil:
			blocked = c
		}
	}
	steps = append(steps, w.attend(p.Requirements, false)...)
	switch {
	case len(steps) > 0:
	case wait != nil:
		steps = append(steps, Step{Code: "wait", Course: wait.Course, At: wait.OpensAt, Reasons: wait.Reasons})
	case blocked != nil:
		steps = append(steps, Step{Code: "blocked", Course: blocked.Course, Reasons: blocked.Reasons})
	}
	return steps
}

// unlocking says of each course whether the certificate still asks for it, or for a course that it unlocks. An optional course, or one of a
// choice that is made already, is asked for by nobody else than the course after it: without it a learner would be told that nothing can be done.
func (w *walker) unlocking(p Path) []bool {
	asked := slices.Clone(w.needed)
	comes := func(key string) bool { // it is passed anyway
		at := w.place[key]
		return w.needed[at] && p.Courses[at].Standing != Locked
	}
	var unlock func(c CoursePath)
	unlock = func(c CoursePath) {
		for _, r := range c.Reasons {
			if r.Code == NeedsOneOf && slices.ContainsFunc(r.Courses, comes) {
				continue
			}
			for _, key := range r.Courses {
				if at := w.place[key]; !asked[at] {
					asked[at] = true
					unlock(p.Courses[at])
				}
			}
		}
	}
	for i, c := range p.Courses {
		if w.needed[i] {
			unlock(c)
		}
	}
	return asked
}

// attend lists the workshops that are still needed.
func (w *walker) attend(r Requirement, settled bool) (steps []Step) {
	switch {
	case r.Done || settled || r.Optional:
	case r.Workshop != "":
		steps = append(steps, Step{Code: "attend", Course: r.Workshop, Reasons: r.Missing})
	default:
		for _, part := range r.Parts {
			steps = append(steps, w.attend(part, r.Done)...)
		}
	}
	return steps
}

// sums adds up what is done, and the least that is left.
func (w *walker) sums(p *Path) {
	for _, n := range w.leaves {
		if w.kept(n) {
			p.HoursDone += hours(n)
			p.ECTSDone += ects(n)
		}
	}
	p.HoursLeft, p.ECTSLeft = w.left(hours), w.left(ects)
}

// left is the least that she still has to do.
func (w *walker) left(of func(Node) int) int {
	return sums{root: w.Content.root(), of: of, kept: w.kept, rules: w.byKey}.least()
}

// Late says of each course whether a learner is behind the schedule with it: it is needed and not done, and either the next one by
// date has opened, or it has been open for a month, as far as dates decide.
func (p Path) Late() []bool {
	late := make([]bool, len(p.Courses))
	for i, c := range p.Courses {
		if !c.Needed || c.OpensAt == nil {
			continue
		}
		due := addMonths(*c.OpensAt, 1)
		for _, n := range p.Courses[i+1:] {
			if n.OpensAt != nil && n.OpensAt.After(*c.OpensAt) {
				due = *n.OpensAt
				break
			}
		}
		late[i] = !p.At.Before(due)
	}
	return late
}

// Behind says whether a learner is behind with some course.
func (p Path) Behind() bool { return slices.Contains(p.Late(), true) }
