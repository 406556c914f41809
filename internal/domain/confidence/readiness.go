package confidence

import (
	"slices"
	"time"

	"cursus/internal/kernel/disclosure"
)

// Definition names the rule of readiness. It changes when the rule does.
const Definition = "readiness/1"

// The results by which somebody is held against others.
const (
	ByMock  = "mock"  // the best result of a mock exam
	ByGrade = "grade" // the global grade of the course
)

// bandPPM is how wide a band of results is: ten points of a hundred.
const bandPPM = 100_000

const whole = 1_000_000

// Results are what somebody did in a course, in millionths; nil: nothing of the kind.
type Results struct {
	GradePPM *int
	MockPPM  *int
}

func (r Results) of(by string) *int {
	if by == ByMock {
		return r.MockPPM
	}
	return r.GradePPM
}

// Peer is somebody of this or an earlier session of the course who sat its exam: her results on the day of her first result, and that result.
type Peer struct {
	Results
	Passed bool
}

// Standing says how those fared who stood where somebody stands. Of fewer than ten people nothing is told: By is empty.
type Standing struct {
	By      string
	FromPPM int // the band, from and up to, the last one inclusive
	ToPPM   int
	Sat     int // how many of this band sat the exam
	Passed  int // how many of them passed at their first sitting
}

// Model is what is known of those who sat.
type Model []Peer

// Of holds results against those of the others: by the mock exam, which is nearest to the exam, or else by the grade. The band is that of ten
// points in which her result lies; where fewer than ten people of it sat the exam, the bands beside it are taken in. Where they are fewer still,
// the next kind of result is looked at, and in the end there is nothing to tell.
func (m Model) Of(r Results) Standing {
	for _, by := range []string{ByMock, ByGrade} {
		mine := r.of(by)
		if mine == nil {
			continue
		}
		band := bandOf(*mine)
		for beside := range 2 {
			s := Standing{By: by, FromPPM: max(0, (band-beside)*bandPPM), ToPPM: min(whole, (band+beside+1)*bandPPM)}
			for _, p := range m {
				if theirs := p.of(by); theirs != nil && bandOf(*theirs) >= band-beside && bandOf(*theirs) <= band+beside {
					s.Sat++
					if p.Passed {
						s.Passed++
					}
				}
			}
			if s.Sat >= disclosure.Least {
				return s
			}
		}
	}
	return Standing{}
}

// bandOf gives the number of the band of a result; a full result is in the last one.
func bandOf(ppm int) int { return min(ppm/bandPPM, whole/bandPPM-1) }

// WeekResult is the mean over the scored exercises of a week of somebody, in millionths; what was not done counts as nothing.
type WeekResult struct {
	Week int
	PPM  int
	Done int // how many of its exercises have a score
}

// Week is how somebody stands in a week beside those who passed the exam. Half of them have MedianPPM or more.
type Week struct {
	WeekResult
	Passed    int  // how many of those who passed it is of
	MedianPPM *int // nil: of fewer than ten people nothing is told
	Review    bool // she stands lower than half of them: a good place to look again
}

// weeksOf holds weeks against those of the people who passed. A week that she did not begin counts once it is over; started is the start of her
// session, zero where nobody said it.
func weeksOf(mine []WeekResult, passed map[int][]int, started, at time.Time) (all []Week) {
	for _, w := range mine {
		if over := !started.IsZero() && !at.Before(started.AddDate(0, 0, 7*w.Week)); w.Done == 0 && !over {
			continue
		}
		x := Week{WeekResult: w, Passed: len(passed[w.Week])}
		if x.Passed >= disclosure.Least {
			sorted := slices.Sorted(slices.Values(passed[w.Week]))
			median := sorted[len(sorted)/2]
			x.MedianPPM, x.Review = &median, w.PPM < median
		} else {
			x.Passed = 0
		}
		all = append(all, x)
	}
	return all
}
