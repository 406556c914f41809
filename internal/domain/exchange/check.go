package exchange

import (
	"fmt"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
)

// check says what is wrong with a document by itself, before any room is asked: its format, names that stand twice, names of nothing.
// house is what the house has of the collection.
func (a *applier) check() {
	d := a.d
	if d.Format != Format {
		a.refuse("/format", "unknown-format", "The format "+Format+" is read.")
	}
	if d.Collection.Key == "" {
		a.refuse("/collection/key", "required", "A catalogue is of a collection.")
	}
	if d.Collection.State != "" {
		a.state("/collection", d.Collection.State)
	}
	if d.Collection.Draft != (Words{}) && (d.Collection.State == "" || d.Collection.State == catalog.Published) {
		a.refuse("/collection/draft", "no-draft", "What is published has no working copy beside it.")
	}
	a.checkCourses()
	once(a, "/organisations", d.Organisations, func(o Organisation) string { return o.Key })
	once(a, "/formulas", d.Formulas, func(f Formula) string { return f.Key })
	once(a, "/sessions", d.Sessions, func(s Session) string { return s.Key })
	once(a, "/editions", d.Editions, func(e Edition) string { return e.Key })
	once(a, "/offers", d.Offers, Offer.name)
	courses := map[string]bool{}
	for _, doc := range []Document{a.house, d} {
		for _, c := range doc.Courses {
			courses[c.Key] = true
		}
	}
	for i, s := range d.Sessions {
		at := fmt.Sprintf("/sessions/%d", i)
		if !courses[s.Course] {
			a.refuse(at+"/course", "no-such-course", "The collection has no course with this key.")
		}
		a.state(at, s.State)
		once(a, at+"/workshop_days", s.Days, dayName)
	}
	a.checkPrograms(courses)
	for i, e := range d.Editions {
		a.state(fmt.Sprintf("/editions/%d", i), e.State)
	}
}

// once refuses a name that stands twice in a list.
func once[T any](a *applier, path string, all []T, name func(T) string) {
	seen := map[string]bool{}
	for i, x := range all {
		if n := name(x); seen[n] {
			a.refuse(fmt.Sprintf("%s/%d", path, i), "duplicate", "This stands twice in the file.")
		} else {
			seen[n] = true
		}
	}
}

func (a *applier) state(path string, s catalog.Publication) {
	if catalog.PublicationLife.Moves[s] == nil {
		a.refuse(path+"/state", "unknown-state", "draft, review, published or archived.")
	}
}

func (a *applier) checkCourses() {
	once(a, "/courses", a.d.Courses, func(c Course) string { return fmt.Sprint(c.Key, " ", c.State == catalog.Published) })
	inside := map[string]bool{}
	for _, c := range a.d.Courses {
		inside[c.Key] = inside[c.Key] || c.Collection == a.d.Collection.Key
	}
	for i, c := range a.d.Courses {
		at := fmt.Sprintf("/courses/%d", i)
		a.state(at, c.State)
		if !inside[c.Key] {
			a.refuse(at+"/collection", "other-collection", "The course is not of the collection of this file.")
		}
		if c.Unchecked && (c.State != catalog.Published || !plain(c.Draft)) {
			a.refuse(at+"/unchecked", "bad-unchecked", "Only a published course that says no more than the catalogue lists goes round the charter.")
		}
	}
}

func (a *applier) checkPrograms(courses map[string]bool) {
	last, working := map[string]int{}, map[string]bool{}
	named := map[string]bool{}
	for i, p := range a.d.Programs {
		at := fmt.Sprintf("/programs/%d", i)
		a.state(at, p.State)
		switch {
		case p.State == catalog.Published && p.Version != last[p.Key]+1:
			a.refuse(at+"/version", "version-gap", fmt.Sprintf("The published versions stand in their order, from 1; here %d is next.", last[p.Key]+1))
		case p.State == catalog.Published:
			last[p.Key]++
		case p.Version != 0:
			a.refuse(at+"/version", "bad-version", "What is not published has no number.")
		case working[p.Key]:
			a.refuse(at, "duplicate", "A program has one working copy.")
		default:
			working[p.Key] = true
		}
		eachCourse(p.Parts, at+"/parts", func(c programs.CourseRule, at string) {
			named[p.Key] = true
			if !courses[c.Key] {
				a.refuse(at+"/key", "no-such-course", "The collection has no course "+c.Key+".")
			}
			for j, e := range c.Equivalents {
				if !courses[e.Key] {
					a.refuse(fmt.Sprintf("%s/equivalents/%d/key", at, j), "no-such-course", "The collection has no course "+e.Key+".")
				}
			}
		})
	}
	for i, p := range a.d.Programs {
		if !named[p.Key] {
			a.refuse(fmt.Sprintf("/programs/%d/parts", i), "no-course", "A program of a collection names one of its courses at least.")
		}
	}
}

// eachCourse visits the courses of a program with their places.
func eachCourse(parts []programs.Node, at string, visit func(c programs.CourseRule, at string)) {
	for i, n := range parts {
		here := fmt.Sprintf("%s/%d", at, i)
		if n.Course != nil {
			visit(*n.Course, here+"/course")
		}
		if n.Group != nil {
			eachCourse(n.Group.Parts, here+"/group/parts", visit)
		}
	}
}
