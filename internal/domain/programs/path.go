package programs

import (
	"slices"
	"time"

	"cursus/internal/domain/catalog"
)

// Standing is where a course of a program stands for a learner.
type Standing string

// The standings. A course that is upcoming waits for a date and for nothing else.
const (
	Open     Standing = "open"
	Upcoming Standing = "upcoming"
	Locked   Standing = "locked"
	Done     Standing = "done"
)

// Codes of reasons. The first six say why a course is not open, the others what a requirement lacks.
const (
	OpensOn       = "opens_on"       // At
	NeedsPassed   = "needs_passed"   // Courses[0]; ByPPM where its grade is below its bar
	NeedsOneOf    = "needs_one_of"   // Courses
	NeedsPrevious = "needs_previous" // Courses[0]; ByPPM as above
	NotEnrolled   = "not_enrolled"   // in the session of the course
	NoSession     = "no_session"     // the edition has none for it
	Over          = "over"           // At: its session, or the edition, has ended

	NotPassed         = "not_passed"
	GradeBelow        = "grade_below"        // NeedPPM, ByPPM
	DaysMissing       = "days_missing"       // Days
	ProductionMissing = "production_missing" // NeedPPM
	ProductionBelow   = "production_below"   // NeedPPM, ByPPM
)

// Reason says exactly why something is not open or not done: a code and what belongs to it.
type Reason struct {
	Code    string     `json:"code"`
	Courses []string   `json:"courses,omitempty"`
	At      *time.Time `json:"at,omitempty"`
	NeedPPM int        `json:"need_ppm,omitempty"`
	ByPPM   int        `json:"by_ppm,omitempty"`
	Days    int        `json:"days,omitempty"`
}

// CoursePath is one course for one learner. Reasons say why it is neither open nor done, Missing why it is not done.
type CoursePath struct {
	Course         string     `json:"course"`
	Session        string     `json:"session,omitempty"`
	Standing       Standing   `json:"standing"`
	Optional       bool       `json:"optional"`
	Needed         bool       `json:"needed"` // the certificate still asks for it, or for another in its place
	Opening        Opening    `json:"opening,omitempty"`
	OpensAt        *time.Time `json:"opens_at,omitempty"`  // as far as dates decide
	GradePPM       *int       `json:"grade_ppm,omitempty"` // the best so far
	Credit         *Credit    `json:"credit,omitempty"`
	Reasons        []Reason   `json:"reasons"`
	Missing        []Reason   `json:"missing"`
	WorkloadHours  int        `json:"workload_hours"`
	ECTSHundredths int        `json:"ects_hundredths"`
}

// Requirement is the tree of the certificate: how many of a group's parts are kept, and how many it needs.
type Requirement struct {
	Course   string        `json:"course,omitempty"`
	Workshop string        `json:"workshop,omitempty"`
	Title    catalog.Text  `json:"title"`
	Optional bool          `json:"optional"`
	Need     int           `json:"need"`
	Have     int           `json:"have"`
	Of       int           `json:"of"`
	Done     bool          `json:"done"`
	Missing  []Reason      `json:"missing"`
	Parts    []Requirement `json:"parts"`
}

// Step is what a learner does next: follow a course, attend a workshop, wait for a date, or, where nothing is open and no date would
// change that, what stands in the way (blocked).
type Step struct {
	Code    string     `json:"code"` // follow, attend, wait, blocked
	Course  string     `json:"course"`
	At      *time.Time `json:"at,omitempty"`
	Reasons []Reason   `json:"reasons"`
}

// Path is the whole answer for one learner at one instant.
type Path struct {
	At           time.Time    `json:"at"`
	Complete     bool         `json:"complete"` // nothing is missing for the certificate
	Courses      []CoursePath `json:"courses"`
	Next         []Step       `json:"next"`
	Requirements Requirement  `json:"requirements"`
	Totals       Totals       `json:"totals"`
	HoursDone    int          `json:"hours_done"`
	HoursLeft    int          `json:"hours_left"` // at least
	ECTSDone     int          `json:"ects_done_hundredths"`
	ECTSLeft     int          `json:"ects_left_hundredths"` // at least
}

// PathOf judges a version in an edition for a learner. It is pure: the same arguments give the same answer, in whatever order the
// results stand.
func PathOf(c Content, e Edition, f Facts, now time.Time) Path { return Compile(c).Path(e, f, now) }

// Path is PathOf with rules that are ready.
func (r *Rules) Path(e Edition, f Facts, now time.Time) Path {
	n := len(r.courses)
	w := &walker{
		Rules: r, edition: e, facts: f, now: now, credits: credits(r.courses, f.Results), needed: make([]bool, n), best: make([]*int, n),
		lack: make([][]Reason, n), sessions: make([]*EditionSession, n), opens: make([]*time.Time, n),
	}
	w.look()
	p := Path{At: now, Totals: r.totals, Courses: make([]CoursePath, n), Next: []Step{}}
	p.Requirements = w.group(r.Content.root(), false)
	p.Complete = p.Requirements.Done
	w.dates()
	for i := range w.courses {
		p.Courses[i] = w.course(i)
	}
	p.Next = w.next(p)
	w.sums(&p)
	return p
}

// walker holds what is known while a path is judged; lists are by the place of a course.
type walker struct {
	*Rules
	edition  Edition
	facts    Facts
	now      time.Time
	credits  []*Credit         // nil: the course is not done
	needed   []bool            // the certificate still asks for it
	best     []*int            // the highest grade of the course's own results
	lack     [][]Reason        // why it is not done
	sessions []*EditionSession // in which it is followed
	opens    []*time.Time
}

// look finds the session of each course, its best grade, and what it lacks.
func (w *walker) look() {
	for i := range w.edition.Sessions {
		s := &w.edition.Sessions[i]
		if at, ok := w.place[s.CourseKey]; ok && w.sessions[at] == nil {
			w.sessions[at] = s
		}
	}
	for _, r := range w.facts.Results {
		if at, ok := w.place[r.Course]; ok && r.GradePPM != nil && (w.best[at] == nil || *r.GradePPM > *w.best[at]) {
			w.best[at] = r.GradePPM
		}
	}
	for i := range w.courses {
		if w.credits[i] == nil {
			w.lack[i] = w.lacks(i)
		}
	}
}

// done says whether a course of the program counts.
func (w *walker) done(key string) bool {
	at, ok := w.place[key]
	return ok && w.credits[at] != nil
}

// group judges a group; settled says that something around it is kept, so that nothing in it is needed any more.
func (w *walker) group(g Group, settled bool) Requirement {
	r := Requirement{Title: g.Title, Need: g.Need, Of: counting(g.Parts), Missing: []Reason{}, Parts: make([]Requirement, 0, len(g.Parts))}
	for _, n := range g.Parts { // first what is kept, because that settles the others
		if !n.optional() && w.kept(n) {
			r.Have++
		}
	}
	r.Done = r.Have >= r.Need
	for _, n := range g.Parts {
		r.Parts = append(r.Parts, w.requirement(n, settled || r.Done))
	}
	return r
}

func (w *walker) kept(n Node) bool {
	switch {
	case n.Course != nil:
		return w.done(n.Course.Key)
	case n.Workshop != nil:
		return n.Workshop.kept(w.facts.Workshops)
	case n.Group != nil:
		have := 0
		for _, part := range n.Group.Parts {
			if !part.optional() && w.kept(part) {
				have++
			}
		}
		return have >= n.Group.Need
	}
	return false
}

func (w *walker) requirement(n Node, settled bool) Requirement {
	if n.Group != nil {
		return w.group(*n.Group, settled)
	}
	r := Requirement{Optional: n.optional(), Need: 1, Of: 1, Done: w.kept(n), Missing: []Reason{}, Parts: []Requirement{}}
	if r.Done {
		r.Have = 1
	}
	if n.Course != nil {
		r.Course = n.Course.Key
		at := w.place[r.Course]
		w.needed[at] = !r.Done && !r.Optional && !settled
		if !r.Done {
			r.Missing = w.lack[at]
		}
		return r
	}
	if r.Workshop = n.Workshop.Key; !r.Done {
		r.Missing = n.Workshop.missing(w.facts.Workshops)
	}
	return r
}

// lacks says why a course is not done: the nearest that its own results come.
func (w *walker) lacks(i int) []Reason {
	c, best := &w.courses[i], w.best[i]
	if c.MinGradePPM == nil || best == nil {
		return []Reason{{Code: NotPassed}}
	}
	return []Reason{{Code: GradeBelow, NeedPPM: *c.MinGradePPM, ByPPM: *c.MinGradePPM - *best}}
}

// dates works out when each course opens as far as dates decide: the latest of the start of the edition, the start of the session and
// the date of the rule.
func (w *walker) dates() {
	months := 0
	for i, s := range w.sessions {
		var at *time.Time
		if s != nil {
			at = later(w.edition.StartsAt, s.StartsAt)
			switch s.Opening {
			case OnDate:
				at = later(at, s.OpensAt)
			case Monthly:
				if w.edition.StartsAt != nil {
					month := addMonths(*w.edition.StartsAt, months)
					at = later(at, &month)
				}
				months++
			}
		}
		w.opens[i] = at
	}
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}

// addMonths gives the same day n months later, or the last day of that month where it has no such day. In UTC.
func addMonths(t time.Time, n int) time.Time {
	t = t.UTC()
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

func (w *walker) course(i int) CoursePath {
	c, s := &w.courses[i], w.sessions[i]
	if s == nil {
		s = &EditionSession{}
	}
	p := CoursePath{
		Course: c.Key, Session: s.SessionKey, Optional: c.Optional, Needed: w.needed[i], Opening: s.Opening, OpensAt: w.opens[i],
		GradePPM: w.best[i], Credit: w.credits[i], Reasons: []Reason{}, Missing: []Reason{}, WorkloadHours: c.WorkloadHours, ECTSHundredths: c.ECTSHundredths,
	}
	if p.Credit != nil {
		p.Standing = Done
		return p
	}
	p.Missing, p.Standing = w.lack[i], Open
	if why := w.reasons(i); why != nil {
		p.Reasons = why
	}
	for _, r := range p.Reasons {
		if r.Code != OpensOn {
			p.Standing = Locked
			return p
		}
		p.Standing = Upcoming
	}
	return p
}

// reasons says why a course that is not done is not open either; none: it is open.
func (w *walker) reasons(i int) (all []Reason) {
	c, s := &w.courses[i], w.sessions[i]
	if s == nil {
		return []Reason{{Code: NoSession}}
	}
	for _, end := range []*time.Time{w.edition.EndsAt, s.EndsAt} {
		if end != nil && !w.now.Before(*end) {
			return []Reason{{Code: Over, At: end}}
		}
	}
	if !w.facts.Enrolled[c.Key] {
		all = append(all, Reason{Code: NotEnrolled})
	}
	for _, key := range c.After {
		if !w.done(key) {
			all = append(all, w.needs(NeedsPassed, key))
		}
	}
	if len(c.AfterAny) > 0 && !slices.ContainsFunc(c.AfterAny, w.done) {
		all = append(all, Reason{Code: NeedsOneOf, Courses: c.AfterAny})
	}
	if s.Opening == AfterPrevious {
		if key := w.previous(i); key != "" && !w.done(key) {
			all = append(all, w.needs(NeedsPrevious, key))
		}
	}
	if at := w.opens[i]; at != nil && w.now.Before(*at) {
		all = append(all, Reason{Code: OpensOn, At: at})
	}
	return all
}

// needs names a course that is not passed, and by how much where it has a grade below its bar.
func (w *walker) needs(code, key string) Reason {
	r := Reason{Code: code, Courses: []string{key}}
	if at, ok := w.place[key]; ok && w.lack[at] != nil && w.lack[at][0].Code == GradeBelow {
		r.NeedPPM, r.ByPPM = w.lack[at][0].NeedPPM, w.lack[at][0].ByPPM
	}
	return r
}

// previous is the nearest course before one that is passed or still needed; "" when there is none. What is optional, or was one of
// several and is not needed any more, holds nobody up.
func (w *walker) previous(i int) string {
	for i--; i >= 0; i-- {
		if c := &w.courses[i]; !c.Optional && (w.credits[i] != nil || w.needed[i]) {
			return c.Key
		}
	}
	return ""
}
