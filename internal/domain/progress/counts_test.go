package progress_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/books/journey"
	"cursus/internal/domain/progress"
)

// published is what a partner reads of some counts.
func published(cells []int) string {
	shown, total := progress.Suppress(cells)
	text := ""
	for _, n := range append(shown, total) {
		if n == nil {
			text += "? "
		} else {
			text += fmt.Sprint(*n, " ")
		}
	}
	return text
}

// No count from 1 to 9 is told, nor can be worked out: what is published would be the same for other counts, in which it is another. It
// breaks when one cell alone is kept back beside a total, or two of fewer than ten people.
func TestSmallCountsCannotBeWorkedOut(t *testing.T) {
	const most = 40                // people in all, so that every world of a total is among these
	worlds := map[string][][]int{} // what is published → every world in which it is
	for a := range most {
		for b := range most - a {
			for c := range most - a - b {
				w := []int{a, b, c}
				worlds[published(w)] = append(worlds[published(w)], w)
			}
		}
	}
	for text, all := range worlds {
		for i := range 3 {
			values, small := map[int]bool{}, false
			for _, w := range all {
				values[w[i]] = true
				small = small || w[i] > 0 && w[i] < 10
			}
			if small && len(values) < 3 {
				t.Fatalf("%q tells that count %d is one of %v", text, i, values)
			}
		}
	}
}

// What is shown is true; small numbers are not shown; where no number is small, all are.
func TestWhatIsShownIsTrue(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		cells := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 8).Draw(r, "cells")
		shown, total := progress.Suppress(cells)
		sum, small := 0, false
		for i, n := range cells {
			sum += n
			small = small || n > 0 && n < 10
			if shown[i] != nil && (*shown[i] != n || n > 0 && n < 10) {
				r.Fatalf("%v shows %d", cells, *shown[i])
			}
		}
		for i := range cells {
			if !small && shown[i] == nil {
				r.Fatalf("%v hides %d for nothing", cells, cells[i])
			}
		}
		if hidden := total == nil; hidden != (sum > 0 && sum < 10) || !hidden && *total != sum {
			r.Fatalf("%v: the total is %v", cells, total)
		}
	})
}

// The furthest stage is the last that holds, whatever else does; every stage that can be said is among Stages, in its order.
func TestFurthest(t *testing.T) {
	order := []struct {
		want   string
		stages []journey.Stage
	}{
		{"enrolled", nil}, {"started", []journey.Stage{journey.Started}}, {"diligent", []journey.Stage{journey.Week1First, journey.Week2First}},
		{"succeeded", []journey.Stage{journey.Succeeded}}, {"exam_booked", []journey.Stage{journey.ExamBooked}}, {"exam_sat", []journey.Stage{journey.ExamSat}},
		{"exam_passed", []journey.Stage{journey.ExamPassed}}, {"certified", []journey.Stage{journey.Certified}},
	}
	s := journey.State(0)
	for i, step := range order {
		for _, stage := range step.stages {
			s = s.With(stage, true)
		}
		if got := progress.Furthest(s); got != step.want || progress.Stages[i] != step.want {
			t.Errorf("%s, not %s", got, step.want)
		}
	}
	if got := progress.Furthest(journey.State(0).With(journey.Week2First, true)); got != "enrolled" {
		t.Error("the second week alone is diligence:", got)
	}
}

// Who did something in each week that is over is on time; who skipped one is behind; who did nothing is silent; nobody is judged before a week
// is over.
func TestPace(t *testing.T) {
	for _, x := range []struct {
		over, did int
		succeeded bool
		want      progress.Pace
	}{
		{0, 0, false, progress.NotBegun}, {1, 0, false, progress.Silent}, {1, 1, false, progress.OnTime}, {3, 2, false, progress.Behind}, {3, 0, true, progress.OnTime},
	} {
		if got := progress.PaceOf(x.over, x.did, x.succeeded); got != x.want {
			t.Errorf("%+v is %s", x, got)
		}
	}
}
