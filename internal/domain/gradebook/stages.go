package gradebook

import (
	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
)

// derived are the stages that grades decide; the others belong to other rooms.
var derived = []journey.Stage{journey.Started, journey.Week1First, journey.Week1All, journey.Week1Any, journey.Week2First, journey.Succeeded}

// rules is which columns of a session decide which stage. A column is known by its number in the gradebook.
type rules struct {
	grade     int
	threshold int64 // billionths
	scored    []int // every scored exercise, mapped or not
	week1     []int // the quizzes of week 1 in the order of the course: who has the free formula can do no other exercise
	week2     []int
}

// newRules places the columns of a session by its exercise map. An exercise that the map does not know counts as scored and
// belongs to no week; its label is in unmapped. Averages and the total are no exercises.
func newRules(columns map[Column]int, order []Column, exercises []catalog.Exercise, thresholdPPM int) (r rules, unmapped []string) {
	r.threshold = int64(thresholdPPM) * 1000
	known := map[string]bool{}
	place := func(c Column, e catalog.Exercise) {
		if !e.Scored {
			return
		}
		r.scored = append(r.scored, columns[c])
		switch {
		case e.Activity != catalog.Quiz:
		case e.Week == 1:
			r.week1 = append(r.week1, columns[c])
		case e.Week == 2:
			r.week2 = append(r.week2, columns[c])
		}
	}
	for _, e := range exercises {
		known[e.Label] = true
		for _, c := range order {
			if c.Kind == "exercise" && c.Label == e.Label {
				place(c, e)
			}
		}
	}
	for _, c := range order {
		switch {
		case c.Kind == "grade":
			r.grade = columns[c]
		case c.Kind == "exercise" && !known[c.Label]:
			place(c, catalog.Exercise{Scored: true})
			unmapped = append(unmapped, c.Label)
		}
	}
	return r, unmapped
}

// state derives the stages from the cells of one learner; a cell that is not there was not attempted.
func (r rules) state(cells map[int]int64) (s journey.State) {
	did := func(column int) bool { v, ok := cells[column]; return ok && v >= 0 }
	for _, c := range r.scored {
		if did(c) {
			s = s.With(journey.Started, true)
			break
		}
	}
	n := 0
	for _, c := range r.week1 {
		if did(c) {
			n++
		}
	}
	if len(r.week1) > 0 {
		s = s.With(journey.Week1First, did(r.week1[0])).With(journey.Week1Any, n > 0).With(journey.Week1All, n == len(r.week1))
	}
	if len(r.week2) > 0 {
		s = s.With(journey.Week2First, did(r.week2[0]))
	}
	return s.With(journey.Succeeded, cells[r.grade] >= r.threshold)
}
