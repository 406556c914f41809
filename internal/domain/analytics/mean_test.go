package analytics

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Halves are rounded up, below nought too; the quantiles are those of the tables, also beyond the one that is kept.
func TestMeansAreHalfUpWithTheIntervalOfStudent(t *testing.T) {
	for _, c := range [][3]int64{{1, 2, 1}, {-1, 2, 0}, {-3, 2, -1}, {401 * 100, 220, 182}, {1081 * 100, 220, 491}, {1482 * 100, 220, 674}, {0, 5, 0}, {-7, 3, -2}} {
		if got := halfUp(c[0], c[1]); got != c[2] {
			t.Errorf("%d / %d is %d, want %d", c[0], c[1], got, c[2])
		}
	}
	for df, want := range map[int64]float64{1: 12.7062, 9: 2.2622, 30: 2.0423, 31: 2.0395, 40: 2.0211, 60: 2.0003, 120: 1.9799, 100000: 1.9600} {
		if got := quantile(df); math.Abs(got-want) > 0.0001 {
			t.Errorf("t of %d is %f, want %f", df, got, want)
		}
	}
	// 2, 4, 4, 4, 5, 5, 7, 9: mean 5, s² = 32/7, interval 5 ± 2.3646·0.7559
	m := meanOf([]sample{{1, 1, 2}, {3, 1, 4}, {2, 1, 5}, {1, 1, 7}, {1, 1, 9}})
	if m.Hundredths != 500 || m.N != 8 || *m.Low != 321 || *m.High != 679 {
		t.Errorf("%+v %d %d", m, *m.Low, *m.High)
	}
	if meanOf(nil) != nil || meanOf([]sample{{1, 1, 3}}).Low != nil {
		t.Error("a mean of nobody, or an interval of one")
	}
}

// However people are grouped the mean is the same, and lies in its interval; who says the same of every skill as often as she is asked widens nothing.
func TestAMeanIsThatOfItsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, 10), 2, 60).Draw(t, "values")
		var each, twice []sample
		var sum int64
		for _, v := range values {
			each, twice, sum = append(each, sample{1, 1, v}), append(twice, sample{1, 2, 2 * v}), sum+v
		}
		a, b := meanOf(each), meanOf(twice)
		if want := halfUp(100*sum, int64(len(values))); a.Hundredths != want || *a.Low > want || *a.High < want {
			t.Fatalf("%+v of %v", a, values)
		}
		if *a.Low != *b.Low || *a.High != *b.High || a.N != b.N || a.Hundredths != b.Hundredths {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}
