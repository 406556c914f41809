package programs

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
)

// What a program may have at most.
const (
	MaxCourses = 60
	maxDepth   = 6
	maxParts   = 100 // of one group
	ppm        = 1_000_000
)

var (
	keyForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)
	langForm = regexp.MustCompile(`^[a-z]{2,3}$`)
)

// checker collects what is wrong with a content.
type checker struct {
	wrong   []fault.Field
	known   func(course string) bool
	place   map[string]int    // of each course in the order of the program
	pointer map[string]string // of each course
	courses []CourseRule
	bars    map[string]string // what is asked of each outside course
}

func (c *checker) refuse(pointer, code, format string, args ...any) {
	c.wrong = append(c.wrong, fault.Field{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
}

// Validate says everything that is wrong with a content, each with its JSON pointer; nil when nothing is. known says whether a course
// is in the catalogue. A content without parts is valid: it is the beginning of a draft.
func (c Content) Validate(known func(course string) bool) error {
	k := &checker{known: known, place: map[string]int{}, pointer: map[string]string{}, bars: map[string]string{}}
	k.head(c)
	k.parts(c.Parts, "/parts", 1)
	for i, course := range k.courses {
		k.course(i, course)
	}
	k.ways()
	walk(c.Parts, "/parts", func(n Node, at string) {
		if n.Workshop != nil {
			k.workshop(*n.Workshop, at+"/workshop")
		}
	})
	if k.wrong != nil {
		slices.SortStableFunc(k.wrong, func(a, b fault.Field) int { return cmp.Compare(a.Pointer, b.Pointer) })
		return fault.InvalidInput(k.wrong...)
	}
	return nil
}

func (c *checker) head(x Content) {
	if x.Title.EN == "" && x.Title.FR == "" || utf8.RuneCountInString(x.Title.EN) > 200 || utf8.RuneCountInString(x.Title.FR) > 200 {
		c.refuse("/title", "bad-title", "1 to 200 characters in one language at least.")
	}
	for pointer, said := range map[string]string{"/summary/en": x.Summary.EN, "/summary/fr": x.Summary.FR, "/audience/en": x.Audience.EN, "/audience/fr": x.Audience.FR} {
		if utf8.RuneCountInString(said) > 5000 {
			c.refuse(pointer, "too-long", "At most 5,000 characters.")
		}
	}
	if !langForm.MatchString(x.Language) {
		c.refuse("/language", "bad-language", "Two or three small letters, such as fr.")
	}
	if len(x.Organisations) > 20 {
		c.refuse("/organisations", "too-many", "At most 20 organisations.")
	}
	for i, o := range x.Organisations {
		if o == "" || utf8.RuneCountInString(o) > 200 || slices.Index(x.Organisations, o) < i {
			c.refuse(fmt.Sprintf("/organisations/%d", i), "bad-name", "1 to 200 characters, each organisation once.")
		}
	}
}

// parts checks the form of a tree and notes its courses.
func (c *checker) parts(parts []Node, at string, depth int) {
	if len(parts) > maxParts {
		c.refuse(at, "too-many", "At most %d parts.", maxParts)
		return
	}
	for i, n := range parts {
		here := fmt.Sprintf("%s/%d", at, i)
		if kinds := btoi(n.Course != nil) + btoi(n.Workshop != nil) + btoi(n.Group != nil); kinds != 1 {
			c.refuse(here, "one-kind", "A part is a course, a workshop or a group.")
			continue
		}
		switch {
		case n.Group != nil && depth == maxDepth:
			c.refuse(here, "too-deep", "Groups stand at most %d deep.", maxDepth-1)
		case n.Group != nil:
			c.group(*n.Group, here+"/group")
			c.parts(n.Group.Parts, here+"/group/parts", depth+1)
		case n.Course != nil:
			c.note(*n.Course, here+"/course")
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (c *checker) group(g Group, at string) {
	if utf8.RuneCountInString(g.Title.EN) > 200 || utf8.RuneCountInString(g.Title.FR) > 200 {
		c.refuse(at+"/title", "bad-title", "At most 200 characters.")
	}
	switch n := counting(g.Parts); {
	case g.Need < 1:
		c.refuse(at+"/need", "out-of-range", "A group needs one of its parts at least.")
	case g.Need > n:
		c.refuse(at+"/need", "more-than-there-are", "The group needs %d and has %d parts that are not optional.", g.Need, n)
	}
}

func (c *checker) note(course CourseRule, at string) {
	switch _, twice := c.place[course.Key]; {
	case !keyForm.MatchString(course.Key):
		c.refuse(at+"/key", "bad-key", "1 to 40 letters, digits, dots, hyphens and underscores.")
		return
	case twice:
		c.refuse(at+"/key", "duplicate", "%s stands twice in the program.", course.Key)
		return
	case len(c.courses) == MaxCourses:
		c.refuse(at, "too-many", "At most %d courses.", MaxCourses)
		return
	case !c.known(course.Key):
		c.refuse(at+"/key", "unknown-course", "%s is not in the catalogue.", course.Key)
	}
	c.place[course.Key], c.pointer[course.Key] = len(c.courses), at
	c.courses = append(c.courses, course)
}

func (c *checker) numbers(at string, grade *int, gradeField string, hours, ects int) {
	if grade != nil && (*grade < 1 || *grade > ppm) {
		c.refuse(at+"/"+gradeField, "out-of-range", "1 to 1,000,000 millionths; leave it out to ask for none.")
	}
	if hours < 0 || hours > 5000 {
		c.refuse(at+"/workload_hours", "out-of-range", "0 to 5,000 hours.")
	}
	if ects < 0 || ects > 30000 {
		c.refuse(at+"/ects_hundredths", "out-of-range", "0 to 30,000 hundredths.")
	}
}

// course checks what one course asks for, once all are known.
func (c *checker) course(i int, course CourseRule) {
	at := c.pointer[course.Key]
	c.numbers(at, course.MinGradePPM, "min_grade_ppm", course.WorkloadHours, course.ECTSHundredths)
	for field, keys := range map[string][]string{"after": course.After, "after_any": course.AfterAny} {
		if len(keys) > MaxCourses {
			c.refuse(at+"/"+field, "too-many", "At most %d courses.", MaxCourses)
			continue
		}
		for j, key := range keys {
			here := fmt.Sprintf("%s/%s/%d", at, field, j)
			_, inside := c.place[key]
			switch {
			case !inside:
				c.refuse(here, "not-in-program", "%s is no course of this program. What was learnt elsewhere counts as an equivalence.", key)
			case key == course.Key:
				c.refuse(here, "prerequisite-cycle", "A course cannot ask for itself.")
			case slices.Index(keys, key) < j:
				c.refuse(here, "duplicate", "%s stands twice here.", key)
			}
		}
	}
	if len(course.Equivalents) > MaxCourses {
		c.refuse(at+"/equivalents", "too-many", "At most %d courses.", MaxCourses)
		return
	}
	for j, e := range course.Equivalents {
		c.equivalence(fmt.Sprintf("%s/equivalents/%d", at, j), e, slices.IndexFunc(course.Equivalents, func(x Equivalence) bool { return x.Key == e.Key }) < j)
	}
}

func (c *checker) equivalence(at string, e Equivalence, twice bool) {
	if e.MinGradePPM != nil && (*e.MinGradePPM < 1 || *e.MinGradePPM > ppm) {
		c.refuse(at+"/min_grade_ppm", "out-of-range", "1 to 1,000,000 millionths; leave it out to ask for none.")
	}
	bar := fmt.Sprint(e.Certified)
	if e.MinGradePPM != nil {
		bar += itoa(*e.MinGradePPM)
	}
	asked, before := c.bars[e.Key]
	_, inside := c.place[e.Key]
	switch {
	case inside:
		c.refuse(at+"/key", "in-program", "%s is a course of this program: its results count for itself.", e.Key)
	case twice:
		c.refuse(at+"/key", "duplicate", "%s stands twice here.", e.Key)
	case !keyForm.MatchString(e.Key) || !c.known(e.Key):
		c.refuse(at+"/key", "unknown-course", "%s is not in the catalogue.", e.Key)
	case before && asked != bar:
		c.refuse(at, "asked-otherwise", "Another course of the program accepts %s for another grade or certificate. A program asks the same of it everywhere.", e.Key)
	}
	c.bars[e.Key] = bar
}

// ways looks whether each course can be reached: by a cycle of prerequisites none of its courses can, and a prerequisite that stands
// later in the order would ask the learner to follow the program against it.
func (c *checker) ways() {
	reached := map[string]bool{}
	usable := func(key string) bool { _, inside := c.place[key]; return !inside || reached[key] } // what is not inside was refused already
	for grown := true; grown; {
		grown = false
		for _, course := range c.courses {
			if !reached[course.Key] && !slices.ContainsFunc(course.After, func(k string) bool { return !usable(k) }) &&
				(len(course.AfterAny) == 0 || slices.ContainsFunc(course.AfterAny, usable)) {
				reached[course.Key], grown = true, true
			}
		}
	}
	later := func(i int, key string) bool { at, inside := c.place[key]; return inside && at > i }
	for i, course := range c.courses {
		at := c.pointer[course.Key]
		if !reached[course.Key] {
			c.refuse(at+"/after", "prerequisite-cycle", "%s can never open: its prerequisites lead back to it, or to others that can never open.", course.Key)
			continue
		}
		for j, key := range course.After {
			if later(i, key) {
				c.refuse(fmt.Sprintf("%s/after/%d", at, j), "prerequisite-later", "%s stands later in the program.", key)
			}
		}
		if len(course.AfterAny) > 0 && !slices.ContainsFunc(course.AfterAny, func(k string) bool { return !later(i, k) }) {
			c.refuse(at+"/after_any", "prerequisite-later", "All of these stand later in the program.")
		}
	}
}

func (c *checker) workshop(w WorkshopRule, at string) {
	c.numbers(at, w.MinProductionPPM, "min_production_ppm", w.WorkloadHours, w.ECTSHundredths)
	if _, inside := c.place[w.Key]; !inside {
		c.refuse(at+"/key", "not-in-program", "The workshop is one of a course of the program.")
	}
	if w.Days < 0 || w.Days > 60 || w.Days == 0 && w.MinProductionPPM == nil {
		c.refuse(at+"/days", "out-of-range", "A workshop asks for 1 to 60 days, or for a production.")
	}
	if asked := "workshop " + w.Key; c.bars[asked] != "" {
		c.refuse(at+"/key", "duplicate", "The workshops of %s are asked for twice.", w.Key)
	} else {
		c.bars[asked] = "once"
	}
}
