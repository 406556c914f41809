package progress_test

import (
	"testing"

	"cursus/internal/books/journey"
	"cursus/internal/domain/progress"
)

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
