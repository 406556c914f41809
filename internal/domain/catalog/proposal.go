package catalog

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"cursus/internal/platform/postgres"
)

// Where the place of a proposed exercise comes from.
const (
	FromMap    = "map"    // it is in the map already, or the file says so
	FromCourse = "course" // an earlier session of the course, or the course itself, has it there
	FromLabel  = "label"  // its label names the week
	FromNobody = "nobody" // week 0: somebody has to place it
)

// Proposed is an exercise of the map that would be, and where its place comes from.
type Proposed struct {
	Exercise
	WeightPPM int64  `json:"weight_ppm"` // said even where it is 0
	From      string `json:"from"`
}

func propose(e Exercise, from string) Proposed { return Proposed{e, e.WeightPPM, from} }

// Proposal is what an import makes of the exercise map of a session. The lists hold labels.
type Proposal struct {
	Source    string     `json:"source"` // "map": a CSV of the map; "report": the header of a grade report
	Applied   bool       `json:"applied"`
	Exercises []Proposed `json:"exercises"`
	New       []string   `json:"new"`      // not in the map until now
	Changed   []string   `json:"changed"`  // in the map with another week, weight, activity or scoring
	Unplaced  []string   `json:"unplaced"` // new, and nothing says in which week
	Absent    []string   `json:"absent"`   // in the map, and not in the file: kept by a report's header, dropped by a map
}

func emptyProposal(source string) Proposal {
	return Proposal{Source: source, Exercises: []Proposed{}, New: []string{}, Changed: []string{}, Unplaced: []string{}, Absent: []string{}}
}

// Map gives the exercises alone.
func (p Proposal) Map() []Exercise {
	out := make([]Exercise, len(p.Exercises))
	for i, e := range p.Exercises {
		out[i] = e.Exercise
		out[i].Position = i + 1
	}
	return out
}

// weekNamed finds a week that a label names: "Homework 1: Week 3", "Quiz semaine 3", "S3".
var weekNamed = regexp.MustCompile(`(?i)(?:\bweek|\bsemaine|\bsem\.?|\bwk)\s*0*(\d{1,2})\b|\b[WS]0*(\d{1,2})\b`)

// weekly finds the number of a work that there is once a week: "Lab 03", "TD 03", "TP3" (the legacy reports of FUN).
var weekly = regexp.MustCompile(`(?i)^(?:lab|td|tp)\s*0*(\d{1,2})$`)

// weekOf reads the week from a label. Other numbers ("HW 08", "Homework 8") count exercises, not weeks, and say nothing.
func weekOf(label string) (week int, ok bool) {
	for _, form := range []*regexp.Regexp{weekNamed, weekly} {
		m := form.FindStringSubmatch(label)
		if m == nil {
			continue
		}
		for _, digits := range m[1:] {
			if n, err := strconv.Atoi(digits); err == nil && n >= 1 && n <= 53 {
				return n, true
			}
		}
	}
	return 0, false
}

// chapterOf finds the week whose title, or the title of something in it, stands in a label, in either language. The longest title that does
// decides; where two weeks have it, nothing is said.
func chapterOf(label string, chapters []Chapter) (week int, ok bool) {
	label, longest := strings.ToLower(label), 0
	for i, c := range chapters {
		titles := []Text{c.Title}
		for _, l := range c.Lectures {
			titles = append(titles, l.Title)
		}
		for _, a := range []*Activity{c.CaseStudy, c.Lab} {
			if a != nil {
				titles = append(titles, a.Title)
			}
		}
		for _, t := range titles {
			for _, said := range []string{t.EN, t.FR} {
				switch n := len(said); {
				case n < 4 || n < longest || !strings.Contains(label, strings.ToLower(said)):
				case n > longest:
					week, ok, longest = i+1, true, n
				default:
					ok = week == i+1 && ok
				}
			}
		}
	}
	return week, ok
}

// ProposeFromLabels makes a map of the columns of a grade report: what was mapped stays as it is, in the order of the report; what is new is
// placed where an earlier session of the course has it, or else where its label says, or else in the week of the course's framework whose
// title is in the label; what the report lacks stays at the end. Pure: nothing is written.
func ProposeFromLabels(current, course []Exercise, chapters []Chapter, labels []string) Proposal {
	p := emptyProposal("report")
	mapped, known, seen := byLabel(current), byLabel(course), map[string]bool{}
	for _, label := range labels {
		if seen[label] {
			continue
		}
		seen[label] = true
		if e, ok := mapped[label]; ok {
			p.Exercises = append(p.Exercises, propose(e, FromMap))
			continue
		}
		p.New = append(p.New, label)
		if e, ok := known[label]; ok {
			p.Exercises = append(p.Exercises, propose(e, FromCourse))
			continue
		}
		e := propose(Exercise{Label: label, Scored: true, Activity: activityOf(label)}, FromNobody)
		if week, ok := weekOf(label); ok {
			e.Week, e.From = week, FromLabel
		} else if week, ok := chapterOf(label, chapters); ok {
			e.Week, e.From = week, FromCourse
		} else {
			p.Unplaced = append(p.Unplaced, label)
		}
		p.Exercises = append(p.Exercises, e)
	}
	for _, e := range current {
		if !seen[e.Label] {
			p.Absent = append(p.Absent, e.Label)
			p.Exercises = append(p.Exercises, propose(e, FromMap))
		}
	}
	return p
}

// EarlierExercisesTx lists what the other sessions of a course map, the newest session first; a label may stand several times.
func EarlierExercisesTx(ctx context.Context, tx *postgres.Tx, s Session) ([]Exercise, error) {
	var e []Exercise
	err := tx.Select(ctx, &e, q.Q("EarlierExercises"), s.CourseKey, s.ID)
	return e, err
}

// ProposeFromMap compares a map that was read from a file with the one in force, which it replaces.
func ProposeFromMap(current, read []Exercise) Proposal {
	p := emptyProposal("map")
	mapped, seen := byLabel(current), map[string]bool{}
	for _, e := range read {
		seen[e.Label] = true
		p.Exercises = append(p.Exercises, propose(e, FromMap))
		was, ok := mapped[e.Label]
		was.Position = e.Position
		switch {
		case !ok:
			p.New = append(p.New, e.Label)
		case was != e:
			p.Changed = append(p.Changed, e.Label)
		}
	}
	for _, e := range current {
		if !seen[e.Label] {
			p.Absent = append(p.Absent, e.Label)
		}
	}
	return p
}

func byLabel(all []Exercise) map[string]Exercise {
	out := make(map[string]Exercise, len(all))
	for _, e := range all {
		if _, twice := out[e.Label]; !twice {
			out[e.Label] = e
		}
	}
	return out
}
