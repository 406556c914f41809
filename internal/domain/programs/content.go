package programs

import "cursus/internal/domain/catalog"

// Content is what a version of a program says. The root asks for all of its parts that are not optional.
type Content struct {
	Title         catalog.Text `json:"title"`
	Summary       catalog.Text `json:"summary"`
	Audience      catalog.Text `json:"audience"`
	Language      string       `json:"language"`      // in which it is taught: "fr"
	Organisations []string     `json:"organisations"` // that certify together
	Parts         []Node       `json:"parts"`
}

// Node is one requirement: exactly one of its three is there.
type Node struct {
	Course   *CourseRule   `json:"course,omitempty"`
	Workshop *WorkshopRule `json:"workshop,omitempty"`
	Group    *Group        `json:"group,omitempty"`
}

// Group is kept when Need of its parts are; optional parts do not count.
type Group struct {
	Title catalog.Text `json:"title"`
	Need  int          `json:"need"`
	Parts []Node       `json:"parts"`
}

// CourseRule is a course and when it counts. Without MinGradePPM (millionths) the success that the session itself asks for does.
type CourseRule struct {
	Key            string        `json:"key"`
	Optional       bool          `json:"optional"`
	MinGradePPM    *int          `json:"min_grade_ppm,omitempty"`
	After          []string      `json:"after"`       // all of these courses of the program are passed before it opens
	AfterAny       []string      `json:"after_any"`   // one of these is; none: nothing more
	Equivalents    []Equivalence `json:"equivalents"` // courses outside the program that count for this one
	WorkloadHours  int           `json:"workload_hours"`
	ECTSHundredths int           `json:"ects_hundredths"`
}

// Equivalence is a course outside the program that counts: with a certificate of it where Certified, with a grade of MinGradePPM
// where that is given, otherwise with its session's own success. Wherever a program names such a course it asks the same of it;
// otherwise a better result could move from one course of the program to another and take from the learner what was done.
type Equivalence struct {
	Key         string `json:"key"`
	Certified   bool   `json:"certified"`
	MinGradePPM *int   `json:"min_grade_ppm,omitempty"`
}

// WorkshopRule asks for days attended and a production, in the workshops of a course of the program.
type WorkshopRule struct {
	Key              string `json:"key"` // of the course
	Optional         bool   `json:"optional"`
	Days             int    `json:"days"`
	MinProductionPPM *int   `json:"min_production_ppm,omitempty"`
	WorkloadHours    int    `json:"workload_hours"`
	ECTSHundredths   int    `json:"ects_hundredths"`
}

// optional says whether a part does not count for what stands around it.
func (n Node) optional() bool {
	return n.Course != nil && n.Course.Optional || n.Workshop != nil && n.Workshop.Optional
}

// root is the content as a group that asks for everything that is not optional.
func (c Content) root() Group { return Group{Need: counting(c.Parts), Parts: c.Parts} }

func counting(parts []Node) (n int) {
	for _, p := range parts {
		if !p.optional() {
			n++
		}
	}
	return n
}

// Courses are the course rules in the order of the program.
func (c Content) Courses() []CourseRule {
	var all []CourseRule
	walk(c.Parts, "/parts", func(n Node, _ string) {
		if n.Course != nil {
			all = append(all, *n.Course)
		}
	})
	return all
}

// walk visits every part in order, a group before what it holds, with its JSON pointer.
func walk(parts []Node, at string, visit func(n Node, pointer string)) {
	for i, n := range parts {
		pointer := at + "/" + itoa(i)
		visit(n, pointer)
		if n.Group != nil {
			walk(n.Group.Parts, pointer+"/group/parts", visit)
		}
	}
}

// Span is the least and the most that a choice has which is no larger than it has to be, with what has to be passed before it.
type Span struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Totals are what the required part of a program comes to, over every choice of k of n; Optional is what may be added.
type Totals struct {
	WorkloadHours          Span `json:"workload_hours"`
	ECTSHundredths         Span `json:"ects_hundredths"`
	OptionalWorkloadHours  int  `json:"optional_workload_hours"`
	OptionalECTSHundredths int  `json:"optional_ects_hundredths"`
}

// Totals adds workload and ECTS up.
func (c Content) Totals() Totals {
	var t Totals
	t.WorkloadHours = c.span(hours)
	t.ECTSHundredths = c.span(ects)
	walk(c.Parts, "", func(n Node, _ string) {
		if n.optional() {
			t.OptionalWorkloadHours += hours(n)
			t.OptionalECTSHundredths += ects(n)
		}
	})
	return t
}

func hours(n Node) int {
	switch {
	case n.Course != nil:
		return n.Course.WorkloadHours
	case n.Workshop != nil:
		return n.Workshop.WorkloadHours
	}
	return 0
}

func ects(n Node) int {
	switch {
	case n.Course != nil:
		return n.Course.ECTSHundredths
	case n.Workshop != nil:
		return n.Workshop.ECTSHundredths
	}
	return 0
}

// Tidy gives the content with empty lists instead of none, so that its JSON always has the documented form.
func (c Content) Tidy() Content {
	if c.Organisations == nil {
		c.Organisations = []string{}
	}
	c.Parts = tidy(c.Parts)
	return c
}

func tidy(parts []Node) []Node {
	out := make([]Node, len(parts))
	for i, n := range parts {
		if out[i] = n; n.Course != nil {
			rule := *n.Course
			rule.After, rule.AfterAny = append([]string{}, rule.After...), append([]string{}, rule.AfterAny...)
			rule.Equivalents = append([]Equivalence{}, rule.Equivalents...)
			out[i].Course = &rule
		}
		if n.Group != nil {
			group := *n.Group
			group.Parts = tidy(group.Parts)
			out[i].Group = &group
		}
	}
	return out
}
