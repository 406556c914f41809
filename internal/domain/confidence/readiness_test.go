package confidence

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/kernel/disclosure"
)

func drawResults(t *rapid.T) (r Results) {
	some := rapid.Ptr(rapid.IntRange(0, whole), true)
	return Results{some.Draw(t, "grade"), some.Draw(t, "mock")}
}

// Whatever the results: what is told is a count of people around her result, of ten at least, by the mock exam where that can be told; and where
// nothing is told, there are no ten people to tell of.
func TestReadinessTellsOfTenPeopleOrOfNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var peers []Peer
		for range rapid.IntRange(0, 60).Draw(t, "peers") {
			peers = append(peers, Peer{drawResults(t), rapid.Bool().Draw(t, "passed")})
		}
		mine := drawResults(t)
		s := Model(peers).Of(mine)
		near := func(by string, from, to int) (sat, passed int) {
			for _, p := range peers {
				if x := p.of(by); x != nil && *x >= from && (*x < to || to == whole && *x == whole) {
					sat++
					if p.Passed {
						passed++
					}
				}
			}
			return sat, passed
		}
		if s.By == "" {
			for _, by := range []string{ByMock, ByGrade} {
				if x := mine.of(by); x != nil {
					if sat, _ := near(by, max(0, bandOf(*x)*bandPPM-bandPPM), min(whole, bandOf(*x)*bandPPM+2*bandPPM)); sat >= disclosure.Least {
						t.Fatalf("nothing is told by %s, though %d sat", by, sat)
					}
				}
			}
			if s != (Standing{}) {
				t.Fatalf("something is told of too few: %+v", s)
			}
			return
		}
		x := mine.of(s.By)
		if x == nil || *x < s.FromPPM || *x > s.ToPPM {
			t.Fatalf("%+v is not about %+v", s, mine)
		}
		if sat, passed := near(s.By, s.FromPPM, s.ToPPM); sat != s.Sat || passed != s.Passed || sat < disclosure.Least {
			t.Fatalf("%+v, want %d of %d", s, passed, sat)
		}
		if w := s.ToPPM - s.FromPPM; w > 3*bandPPM || w < bandPPM {
			t.Fatalf("a band of %d", w)
		}
		if s.By == ByGrade && mine.MockPPM != nil {
			if sat, _ := near(ByMock, max(0, (bandOf(*mine.MockPPM)-1)*bandPPM), min(whole, (bandOf(*mine.MockPPM)+2)*bandPPM)); sat >= disclosure.Least {
				t.Fatal("the mock exam could have told")
			}
		}
	})
}

// One more who passed near her never lowers what she is told, and who stands far away changes nothing.
func TestReadinessFollowsThoseWhoStandThere(t *testing.T) {
	at := func(ppm int) Results { return Results{GradePPM: &ppm} }
	rapid.Check(t, func(t *rapid.T) {
		n, passed := rapid.IntRange(10, 40).Draw(t, "n"), 0
		var peers []Peer
		for range n {
			p := Peer{at(rapid.IntRange(700_000, 799_999).Draw(t, "grade")), rapid.Bool().Draw(t, "passed")}
			if p.Passed {
				passed++
			}
			peers = append(peers, p)
		}
		before := Model(peers).Of(at(750_000))
		if before != (Standing{ByGrade, 700_000, 800_000, n, passed}) {
			t.Fatalf("%+v of %d with %d", before, n, passed)
		}
		more := Model(append(slices.Clone(peers), Peer{at(760_000), true}, Peer{at(100_000), false})).Of(at(750_000))
		if more.Sat != n+1 || more.Passed != passed+1 {
			t.Fatalf("%+v after %+v", more, before)
		}
	})
}

// A week is held against half of those who passed, and only when she began it or it is over; of nine people nothing is said.
func TestWeeksSayWhereToLookAgain(t *testing.T) {
	started := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	mine := []WeekResult{{Week: 1, PPM: 400_000, Done: 2}, {Week: 2, PPM: 900_000, Done: 2}, {Week: 3, PPM: 0, Done: 0}, {Week: 4, PPM: 0, Done: 0}}
	tens := func(n int) (all []int) {
		for i := range n {
			all = append(all, (i+1)*100_000/n*10)
		}
		return all
	}
	passed := map[int][]int{1: tens(10), 2: tens(10), 3: tens(9), 4: tens(10)}
	all := weeksOf(mine, passed, started, started.AddDate(0, 0, 21))
	if len(all) != 3 || !all[0].Review || all[1].Review || all[2].Review || all[2].MedianPPM != nil || all[2].Passed != 0 || *all[0].MedianPPM != 600_000 {
		t.Fatalf("%+v", all)
	}
	if n := len(weeksOf(mine, passed, time.Time{}, started)); n != 2 {
		t.Error("weeks of a session whose start nobody said:", n)
	}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.IntRange(0, whole), disclosure.Least, 50).Draw(t, "passed")
		w := weeksOf([]WeekResult{{1, rapid.IntRange(0, whole).Draw(t, "mine"), 1}}, map[int][]int{1: all}, started, started)[0]
		n := 0
		for _, x := range all {
			if x >= *w.MedianPPM {
				n++
			}
		}
		if 2*n < len(all) || w.Review != (w.PPM < *w.MedianPPM) {
			t.Fatalf("%+v: %d of %d have it", w, n, len(all))
		}
	})
}

// The step that has come is the nearest to the end of those whose day is there; before the first one and after the end there is none.
func TestTheStepThatHasCome(t *testing.T) {
	closes := time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SliceOfNDistinct(rapid.Int64Range(1, 60), 0, 6, rapid.ID[int64]).Draw(t, "days")
		at := closes.Add(time.Duration(rapid.IntRange(-70*24*60, 24*60).Draw(t, "minutes")) * time.Minute)
		step, come := stepAt(days, closes, at)
		want := int64(0)
		left := closes.Sub(at)
		for _, d := range slices.Sorted(slices.Values(days)) {
			if left <= time.Duration(d)*24*time.Hour {
				want = d
				break
			}
		}
		if left <= 0 {
			want = 0
		}
		if come != (want > 0) || come && int64(step) != want {
			t.Fatalf("%v left of %v: step %d %v, want %d", left, days, step, come, want)
		}
	})
}
