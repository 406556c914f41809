package analytics

import (
	"fmt"
	"strings"
	"testing"

	"cursus/internal/books/journey"
)

// The printed rates of the paper's comparison of courses (its Figure 7; FTTH's impossible 84.9 read as 82.2).
func TestPaperFigure7(t *testing.T) {
	for _, c := range []struct {
		name                                   string
		enrolled, started, diligent, succeeded int64
		want                                   string
	}{
		{"PRD_6", 10796, 1393, 842, 416, "12.9 7.8 3.9 49.4"}, {"FTTH", 6250, 1894, 1163, 956, "30.3 18.6 15.3 82.2"},
		{"Propag", 4325, 260, 120, 48, "6.0 2.8 1.1 40.0"}, {"SR-2", 6080, 511, 438, 346, "8.4 7.2 5.7 79.0"},
		{"LAN_2", 5774, 491, 249, 198, "8.5 4.3 3.4 79.5"},
	} {
		var got []string
		for _, m := range fiveIndicators(journey.Counts{Enrolled: c.enrolled, Started: c.started, Diligent: c.diligent, Succeeded: c.succeeded}) {
			got = append(got, strings.TrimSuffix(percent(m.Rate.Tenths), " %"))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}

func TestWilsonIntervals(t *testing.T) {
	for _, c := range []struct {
		count, of int64
		want      string
	}{
		{9, 20, "45.0 % [25.8 %; 65.8 %]"}, {14, 75, "18.7 % [11.5 %; 28.9 %]"}, {13, 13, "100.0 % [77.2 %; 100.0 %]"},
		{0, 0, "– [–; –]"}, {3, 2, "150.0 % [–; –]"}, {0, 10, "0.0 % [0.0 %; 27.8 %]"},
	} {
		r := NewRate(c.count, c.of)
		if got := fmt.Sprintf("%s [%s; %s]", percent(r.Tenths), percent(r.Low), percent(r.High)); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.count, c.of, got, c.want)
		}
	}
}

// Newcombe's own example (56 of 70 and 48 of 80: 0.0524 to 0.3339), and what may not be called a difference: the paper's two sessions of the
// paid formula.
func TestDifferenceOfTwoShares(t *testing.T) {
	for _, c := range []struct {
		a, b [2]int64
		want string
	}{
		{[2]int64{56, 70}, [2]int64{48, 80}, "200 52 334"}, {[2]int64{9, 20}, [2]int64{18, 41}, "11 -233 262"}, {[2]int64{10, 10}, [2]int64{0, 20}, "1000 679 1000"},
	} {
		d, low, high := Difference(NewRate(c.a[0], c.a[1]), NewRate(c.b[0], c.b[1]))
		if got := fmt.Sprint(*d, *low, *high); got != c.want {
			t.Errorf("%v − %v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
	if d, low, _ := Difference(NewRate(3, 2), NewRate(1, 2)); *d != 1000 || low != nil {
		t.Error("what is no share has an interval")
	}
	for tenths, want := range map[int64]string{-233: "-23.3 %", -5: "-0.5 %", 5: "0.5 %"} { // the sign stands once, and stands where the whole is nought
		if got := percent(&tenths); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if d, _, _ := Difference(NewRate(0, 0), NewRate(1, 2)); d != nil {
		t.Error("nobody has a difference")
	}
}
