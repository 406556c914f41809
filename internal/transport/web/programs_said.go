package web

import (
	"strings"

	"cursus/internal/domain/programs"
)

// Called is what a page needs to speak of paths in words: the titles of courses, and the marks of those that the learner tried without
// reaching what they ask for.
type Called struct {
	Names map[string]Text
	Marks map[string]Mark
}

// Mark is the best grade of a learner in a course, and the grade that it asks for, in millionths.
type Mark struct{ GradePPM, NeedPPM int }

// Calling is the view with these words for courses.
func (v View) Calling(c Called) View {
	v.called = c
	return v
}

// Named is the title of a course, empty where the page knows none that says more than the key.
func (v View) Named(key string) string {
	if title := v.called.Names[key].In(v.Lang); title != key {
		return title
	}
	return ""
}

// Course is a course within a sentence: its title with its key, or the key alone where the page knows no title.
func (v View) Course(key string) string {
	if title := v.Named(key); title != "" {
		return title + " (" + key + ")"
	}
	return key
}

// Courses are several courses within a sentence.
func (v View) Courses(keys []string) string {
	all := make([]string, len(keys))
	for i, key := range keys {
		all[i] = v.Course(key)
	}
	return strings.Join(all, ", ")
}

// Equivalent says what counts for a course.
func (v View) Equivalent(e programs.Equivalence) (string, error) {
	switch {
	case e.Certified && e.MinGradePPM != nil:
		return v.T("program.equivalent.both", v.Course(e.Key), v.Grade(*e.MinGradePPM))
	case e.Certified:
		return v.T("program.equivalent.certified", v.Course(e.Key))
	case e.MinGradePPM != nil:
		return v.T("program.equivalent.grade", v.Course(e.Key), v.Grade(*e.MinGradePPM))
	}
	return v.T("program.equivalent", v.Course(e.Key))
}

// Why says exactly why a course is not open or not done, with the figures: what a grade is, and what is needed.
func (v View) Why(course string, r programs.Reason) (string, error) {
	key, mark := "why."+r.Code, Mark{GradePPM: r.NeedPPM - r.ByPPM, NeedPPM: r.NeedPPM}
	switch r.Code {
	case programs.OpensOn, programs.Over:
		day, err := v.Day(r.At)
		if err != nil {
			return "", err
		}
		return v.T(key, day)
	case programs.NeedsPassed, programs.NeedsPrevious:
		said, err := v.T(key, v.Courses(r.Courses))
		tried := r.ByPPM > 0
		if !tried && len(r.Courses) == 1 {
			mark, tried = v.called.Marks[r.Courses[0]]
		}
		if err != nil || !tried {
			return said, err
		}
		below, err := v.T("why.below", v.Grade(mark.GradePPM), v.Grade(mark.NeedPPM))
		return said + " " + below, err
	case programs.NeedsOneOf:
		return v.T(key, v.Courses(r.Courses))
	case programs.NotPassed:
		if mark, tried := v.called.Marks[course]; tried {
			return v.T("why.grade_below", v.Grade(mark.GradePPM), v.Grade(mark.NeedPPM))
		}
	case programs.GradeBelow, programs.ProductionBelow:
		return v.T(key, v.Grade(mark.GradePPM), v.Grade(mark.NeedPPM))
	case programs.DaysMissing:
		return v.T(key, r.Days)
	case programs.ProductionMissing:
		return v.T(key, v.Grade(r.NeedPPM))
	}
	return v.T(key)
}
