package gradebook

import (
	"slices"
	"time"

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
func newRules(columns []column, exercises []catalog.Exercise, thresholdPPM int) (r rules, unmapped []string) {
	r.threshold = int64(thresholdPPM) * 1000
	known := map[string]bool{}
	place := func(c column, e catalog.Exercise) {
		if !e.Scored {
			return
		}
		r.scored = append(r.scored, c.ID)
		switch {
		case e.Activity != catalog.Quiz:
		case e.Week == 1:
			r.week1 = append(r.week1, c.ID)
		case e.Week == 2:
			r.week2 = append(r.week2, c.ID)
		}
	}
	for _, e := range exercises {
		known[e.Label] = true
		for _, c := range columns {
			if c.Kind == "exercise" && c.Label == e.Label {
				place(c, e)
			}
		}
	}
	for _, c := range columns {
		switch {
		case c.Kind == "grade":
			r.grade = c.ID
		case c.Kind == "exercise" && !known[c.Label]:
			place(c, catalog.Exercise{Scored: true})
			unmapped = append(unmapped, c.Label)
		}
	}
	return r, unmapped
}

// state derives the stages from the cells of one learner at an instant; a cell that is not there was not attempted.
func (r rules) state(cells map[int]timeline[int64], at time.Time) (s journey.State) {
	did := func(column int) bool { return cells[column].at(at, NotAttempted) >= 0 }
	s = s.With(journey.Started, slices.ContainsFunc(r.scored, did))
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
	return s.With(journey.Succeeded, r.grade != 0 && cells[r.grade].at(at, 0) >= r.threshold)
}

// differences are the changes after which the journey of a learner says at every instant what her cells say.
func (r rules) differences(id string, cells map[int]timeline[int64], stages map[journey.Stage]timeline[bool], cause string) (out []journey.Change) {
	var times []time.Time
	if came := stages[journey.Enrolled]; len(came) > 0 {
		times = append(times, came[0].at) // a threshold of nought is reached by being there
	}
	for _, l := range cells {
		for _, s := range l {
			times = append(times, s.at)
		}
	}
	for _, stage := range derived {
		for _, s := range stages[stage] {
			times = append(times, s.at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	times = slices.CompactFunc(times, time.Time.Equal)
	holds := map[journey.Stage]bool{}
	for _, at := range times {
		state := r.state(cells, at)
		for _, stage := range derived {
			said, there := stages[stage].has(at)
			if there {
				holds[stage] = said
			}
			if want := state.Has(stage); want != holds[stage] {
				holds[stage] = want
				out = append(out, journey.Change{EnrolmentID: id, Stage: stage, At: at, Reached: want, Cause: cause})
			}
		}
	}
	return out
}
