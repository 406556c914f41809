package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
)

// Copying keeps weekdays and the hours on the wall, hence the durations in days and hours, whatever the clocks change between.
func TestShiftsKeepWeekdayAndHour(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom([]string{"Europe/Paris", "Africa/Dakar", "America/New_York", "Asia/Shanghai"}).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		// 08:00 to 19:59: hours that no change of clocks skips
		at := func(name string) time.Time {
			return time.Date(2026, 1, rapid.IntRange(1, 1500).Draw(t, name), rapid.IntRange(8, 19).Draw(t, name+" hour"), rapid.IntRange(0, 59).Draw(t, name+" minute"), 0, 0, zone).UTC()
		}
		a, b, weeks := at("a"), at("b"), rapid.IntRange(-100, 100).Draw(t, "weeks")
		x, y := catalog.ShiftWeeks(a, weeks, zone), catalog.ShiftWeeks(b, weeks, zone)
		wall := func(t time.Time) string { return t.In(zone).Format("Mon 15:04:05") }
		if wall(a) != wall(x) || wall(b) != wall(y) {
			t.Fatalf("%s became %s", wall(a), wall(x))
		}
		naive := func(t time.Time) time.Time {
			l := t.In(zone)
			return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC)
		}
		if naive(b).Sub(naive(a)) != naive(y).Sub(naive(x)) {
			t.Fatal("the duration on the wall's clock changed")
		}
	})
}

// Overlaps do not depend on the order, are real, touch no bound, and none is missing.
func TestOverlapsAreSymmetricAndExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []catalog.Session
		for i := range rapid.IntRange(0, 8).Draw(t, "sessions") {
			from := rapid.IntRange(0, 10).Draw(t, "from")
			starts, ends := noon.AddDate(0, 0, from), noon.AddDate(0, 0, from+rapid.IntRange(1, 6).Draw(t, "days"))
			all = append(all, catalog.Session{Key: fmt.Sprint("S", i), Audience: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "for"), StartsAt: &starts, EndsAt: &ends})
		}
		got := catalog.Overlaps(all)
		if again := catalog.Overlaps(rapid.Permutation(all).Draw(t, "order")); !slices.Equal(got, again) {
			t.Fatal(got, again)
		}
		pairs := map[string]bool{}
		for _, o := range got {
			if !o.From.Before(o.Until) {
				t.Fatal("an overlap without length:", o)
			}
			pairs[o.A+o.B], pairs[o.B+o.A] = true, true
		}
		for _, a := range all {
			for _, b := range all {
				meets := a.Key != b.Key && a.For() != "" && a.For() == b.For() && a.StartsAt.Before(*b.EndsAt) && b.StartsAt.Before(*a.EndsAt)
				if meets != pairs[a.Key+b.Key] {
					t.Fatal(a.Key, b.Key, "meet:", meets)
				}
			}
		}
	})
}

func TestKeysCountUp(t *testing.T) {
	for key, want := range map[string]string{"PRD-9": "PRD-10", "session03": "session04", "s99": "s100", "IOT": "IOT-2", "course-v1:IMT+PRD+session08": "course-v1:IMT+PRD+session09"} {
		if got := catalog.NextKey(key); got != want {
			t.Errorf("after %s comes %s, want %s", key, got, want)
		}
	}
}

func TestExerciseMapsOfEveryDialect(t *testing.T) {
	for name, file := range map[string]string{
		"commas": "exercise,week,scored,weight\nHW 01,1,Y,0.5\nLab 02,2,N,50%\n", "semicolons, mark": "\ufeffExercice;Semaine;scored;Poids\r\nHW 01;1;oui;0,5\r\n;;;\r\nLab 02;2;non;50 %\r\n",
		"tabs, old Mac": "exercise\tweek\tscored\tweight\rHW 01\t1\tY\t0.5\rLab 02\t2\tN\t.5\r",
	} {
		got, err := catalog.ReadExerciseMap(strings.NewReader(file))
		if name == "tabs, old Mac" {
			if f := fault.From(err); len(f.Fields) != 1 || f.Fields[0].Pointer != "line 3, column 4" || f.Fields[0].Code != "bad-weight" {
				t.Error(f.Fields)
			}
			continue
		}
		if err != nil || len(got) != 2 || got[0].WeightPPM != 500_000 || got[1].WeightPPM != 500_000 || got[1].Scored || got[1].Activity != catalog.Lab {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	_, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week,scored,weight,activity\nA,x,Y,1,quiz\nA,1,maybe,-1,nap\n"))
	var places []string
	for _, f := range fault.From(err).Fields {
		places = append(places, f.Pointer+" "+f.Code)
	}
	want := "line 2, column 2 bad-week|line 3, column 1 duplicate|line 3, column 3 bad-scored|line 3, column 4 bad-weight|line 3, column 5 bad-activity"
	if !errors.Is(err, catalog.ErrExerciseMap) || strings.Join(places, "|") != want {
		t.Error(places)
	}
}

// What was mapped stays; what earlier sessions or the label know is placed; what nobody knows is listed.
func TestProposalsFromTheHeaderOfAReport(t *testing.T) {
	current := []catalog.Exercise{{Label: "HW 01", Week: 3, Activity: catalog.Quiz}, {Label: "Bonus", Activity: catalog.Quiz}}
	course := []catalog.Exercise{{Label: "HW 08", Week: 2, Scored: true, Activity: catalog.Quiz}}
	p := catalog.ProposeFromLabels(current, course, nil, []string{"HW 01", "HW 02", "HW 08", "Lab 04", "TD 05", "Homework 1: Week 6", "Final Exam"})
	var got []string
	for _, e := range p.Exercises {
		got = append(got, fmt.Sprintf("%s=%d/%s", e.Label, e.Week, e.From))
	}
	want := "HW 01=3/map HW 02=0/nobody HW 08=2/course Lab 04=4/label TD 05=5/label Homework 1: Week 6=6/label Final Exam=0/nobody Bonus=0/map"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("%s\nwant %s", s, want)
	}
	if !slices.Equal(p.Unplaced, []string{"HW 02", "Final Exam"}) || !slices.Equal(p.Absent, []string{"Bonus"}) {
		t.Error(p.Unplaced, p.Absent)
	}
}

// A label that names nothing but a week's title is placed in that week; one that fits two weeks equally is left to people.
func TestALabelIsPlacedByTheTitlesOfTheFramework(t *testing.T) {
	chapters := []catalog.Chapter{
		{Title: catalog.Text{EN: "Routing", FR: "Routage"}, Lectures: []catalog.Lecture{{Title: catalog.Text{EN: "What it is for"}}}},
		{Title: catalog.Text{EN: "Routing between operators"}, Lectures: []catalog.Lecture{{Title: catalog.Text{EN: "What it is for"}}}},
		{Title: catalog.Text{EN: "Transport"}, Lab: &catalog.Activity{Title: catalog.Text{FR: "Au simulateur TCP"}}},
	}
	p := catalog.ProposeFromLabels(nil, nil, chapters, []string{"Quiz: routage", "Quiz: Routing between operators", "Au simulateur TCP", "What it is for", "Transport, week 2", "Final Exam"})
	var got []string
	for _, e := range p.Exercises {
		got = append(got, fmt.Sprint(e.Label, " ", e.Week, " ", e.From))
	}
	want := []string{"Quiz: routage 1 course", "Quiz: Routing between operators 2 course", "Au simulateur TCP 3 course", "What it is for 0 nobody", "Transport, week 2 2 label", "Final Exam 0 nobody"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if !slices.Equal(p.Unplaced, []string{"What it is for", "Final Exam"}) {
		t.Error(p.Unplaced)
	}
}
