package programs

import (
	"cmp"
	"time"
)

// Facts are all that the engine knows of a learner.
type Facts struct {
	Results   []Result
	Workshops []WorkshopFact
	Enrolled  map[string]bool // courses of the edition in whose session she is
}

// Result is how far a learner got in one session of a course. Passed is the session's own success; GradePPM is in millionths, nil
// without a grade.
type Result struct {
	Course    string    `json:"course"`
	Session   string    `json:"session"`
	GradePPM  *int      `json:"grade_ppm,omitempty"`
	Passed    bool      `json:"passed"`
	Certified bool      `json:"certified"`
	At        time.Time `json:"at"`
}

// WorkshopFact is how many days of the workshops of one session of a course a learner attended, and what her production was worth.
type WorkshopFact struct {
	Course        string `json:"course"`
	Session       string `json:"session"`
	Days          int    `json:"days"`
	ProductionPPM *int   `json:"production_ppm,omitempty"`
}

// reaches says whether a result is up to a bar: a grade where one is asked for, otherwise success. A certificate is success: its
// exam asked for more.
func (r Result) reaches(minGradePPM *int) bool {
	if minGradePPM != nil {
		return r.GradePPM != nil && *r.GradePPM >= *minGradePPM
	}
	return r.Passed || r.Certified
}

// accepts says whether a result of the outside course counts.
func (e Equivalence) accepts(r Result) bool {
	if r.Course != e.Key || e.Certified && !r.Certified {
		return false
	}
	return e.Certified && e.MinGradePPM == nil || r.reaches(e.MinGradePPM)
}

// before orders results by when they came to be, so that an answer does not depend on the order in which they are given.
func (r Result) before(o Result) bool {
	if c := r.At.Compare(o.At); c != 0 {
		return c < 0
	}
	return cmp.Less(r.Session, o.Session)
}

// Credit is the result that a course counts by.
type Credit struct {
	Course     string `json:"course"`
	Session    string `json:"session"`
	Equivalent bool   `json:"equivalent"` // it is one of another course
	Result     Result `json:"-"`
}

// own gives the earliest result of the course itself that counts for it.
func (c *CourseRule) own(results []Result) (best Result, ok bool) {
	for _, r := range results {
		if r.Course == c.Key && r.reaches(c.MinGradePPM) && (!ok || r.before(best)) {
			best, ok = r, true
		}
	}
	return best, ok
}

// credits says by which result each course of the program counts.
//
// A course counts for itself first. What is left is assigned to the courses that name it as an equivalence, each outside course to one
// course at most, however many of its sessions were passed. Who gets it is the lexicographically greatest choice: required courses
// before optional ones, then in the order of the program; augmenting paths find it (these sets of courses form a transversal matroid,
// and an outside course that is added never pushes a course out of its greedy basis). Because a program asks the same of an outside
// course wherever it names it, a result opens all of its edges at once or none: so new results never take a course away.
func credits(courses []CourseRule, results []Result) []*Credit {
	out := make([]*Credit, len(courses))
	accepted := map[string]Result{}
	for i := range courses {
		c := &courses[i]
		if r, ok := c.own(results); ok {
			out[i] = &Credit{Course: r.Course, Session: r.Session, Result: r}
		}
		for _, e := range c.Equivalents {
			for _, r := range results {
				if best, ok := accepted[e.Key]; e.accepts(r) && (!ok || r.before(best)) {
					accepted[e.Key] = r
				}
			}
		}
	}
	holder := map[string]int{}
	for _, optional := range []bool{false, true} {
		for i, c := range courses {
			if out[i] == nil && c.Optional == optional && len(c.Equivalents) > 0 {
				assign(courses, accepted, holder, i, map[string]bool{})
			}
		}
	}
	for key, i := range holder {
		out[i] = &Credit{Course: key, Session: accepted[key].Session, Equivalent: true, Result: accepted[key]}
	}
	return out
}

// assign finds an outside course for a course, moving others to another one of theirs where it has to.
func assign(courses []CourseRule, accepted map[string]Result, holder map[string]int, i int, tried map[string]bool) bool {
	for _, e := range courses[i].Equivalents {
		if _, ok := accepted[e.Key]; !ok || tried[e.Key] {
			continue
		}
		tried[e.Key] = true
		if other, taken := holder[e.Key]; !taken || assign(courses, accepted, holder, other, tried) {
			holder[e.Key] = i
			return true
		}
	}
	return false
}

// kept says whether a workshop requirement is, by one session's workshops together.
func (w WorkshopRule) kept(facts []WorkshopFact) bool {
	for _, f := range facts {
		if f.Course == w.Key && f.Days >= w.Days && (w.MinProductionPPM == nil || f.ProductionPPM != nil && *f.ProductionPPM >= *w.MinProductionPPM) {
			return true
		}
	}
	return false
}

// missing says what the session that got furthest lacks.
func (w WorkshopRule) missing(facts []WorkshopFact) (all []Reason) {
	days, production := 0, -1
	for _, f := range facts {
		if f.Course == w.Key {
			days = max(days, f.Days)
			if f.ProductionPPM != nil {
				production = max(production, *f.ProductionPPM)
			}
		}
	}
	if days < w.Days {
		all = append(all, Reason{Code: DaysMissing, Days: w.Days - days})
	}
	switch {
	case w.MinProductionPPM == nil || production >= *w.MinProductionPPM:
	case production < 0:
		all = append(all, Reason{Code: ProductionMissing, NeedPPM: *w.MinProductionPPM})
	default:
		all = append(all, Reason{Code: ProductionBelow, NeedPPM: *w.MinProductionPPM, ByPPM: *w.MinProductionPPM - production})
	}
	if all == nil { // each is reached, but not in one session
		all = append(all, Reason{Code: DaysMissing, Days: w.Days})
	}
	return all
}
