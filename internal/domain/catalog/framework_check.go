package catalog

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
)

// The limits of a document. They are those of the contract.
const (
	maxSummary       = 2000
	maxHours         = 2000
	maxMinutes       = 60_000
	maxECTS          = 6000
	maxChapters      = 60
	maxLectures      = 60
	maxConcepts      = 20
	maxSkills        = 40
	maxTeam          = 100
	maxPrerequisites = 40
	maxWeight        = 10_000
	maxVideo         = 6 * 3600
	maxPoints        = 200
	maxName          = 200
)

// Levels are the levels that a course can have.
var Levels = []string{"pre_bachelor", "bachelor", "post_bachelor"}

// Roles are the roles of a team, in the order to show.
var Roles = []string{ScientificLeader, PedagogicalEngineer, Teacher}

// checker collects what is wrong, each with its JSON pointer.
type checker struct{ wrong []fault.Field }

func (c *checker) refuse(pointer, code, detail string) {
	c.wrong = append(c.wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
}

// fault is all that is wrong; nil where nothing is.
func (c *checker) fault() error {
	if c.wrong == nil {
		return nil
	}
	return fault.InvalidInput(c.wrong...)
}

func (c *checker) within(pointer string, n, least, most int) {
	if n < least || n > most {
		c.refuse(pointer, "out-of-range", fmt.Sprintf("%d to %d.", least, most))
	}
}

func (c *checker) atMost(pointer string, n, most int) {
	if n > most {
		c.refuse(pointer, "too-many", fmt.Sprintf("At most %d.", most))
	}
}

func (c *checker) line(pointer, s string, least, most int) {
	if n := utf8.RuneCountInString(s); n < least || n > most || strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
		c.refuse(pointer, "bad-length", fmt.Sprintf("%d to %d characters.", least, most))
	}
}

// text wants a text in one language at least, where needed.
func (c *checker) text(pointer string, t Text, needed bool, most int) {
	if needed && t.EN == "" && t.FR == "" {
		c.refuse(pointer, "bad-title", "A text in one language at least.")
	}
	c.line(pointer+"/en", t.EN, 0, most)
	c.line(pointer+"/fr", t.FR, 0, most)
}

// Validate says which values of a document are none, with their JSON pointers. It asks nothing of the charter.
func (d Draft) Validate() error {
	c := &checker{}
	if d.Collection != "" && !keyForm.MatchString(d.Collection) {
		c.refuse("/collection", "bad-key", "1 to 40 letters, digits, dots, hyphens and underscores; the first is a letter or a digit.")
	}
	c.within("/position", d.Position, 0, 9999)
	c.text("/title", d.Title, true, maxTitle)
	c.text("/summary", d.Summary, false, maxSummary)
	if d.Level != "" && !slices.Contains(Levels, d.Level) {
		c.refuse("/level", "bad-level", "pre_bachelor, bachelor or post_bachelor.")
	}
	if d.Language != "" && (len(d.Language) > 35 || !languageForm.MatchString(d.Language)) {
		c.refuse("/language", "bad-language", "A language tag, such as fr or pt-BR.")
	}
	c.within("/workload_hours", d.WorkloadHours, 0, maxHours)
	c.within("/ects_hundredths", d.ECTSHundredths, 0, maxECTS)
	c.people(d)
	c.closing(d)
	c.atMost("/chapters", len(d.Chapters), maxChapters)
	for i, chapter := range d.Chapters {
		c.chapter(fmt.Sprintf("/chapters/%d", i), chapter)
	}
	c.line("/look/template", d.Look.Template, 0, maxName)
	c.within("/look/text_points", d.Look.TextPoints, 0, maxPoints)
	return c.fault()
}

func (c *checker) people(d Draft) {
	c.atMost("/skills", len(d.Skills), maxSkills)
	keys := map[string]bool{}
	for i, s := range d.Skills {
		at := fmt.Sprintf("/skills/%d", i)
		if !keyForm.MatchString(s.Key) {
			c.refuse(at+"/key", "bad-key", "1 to 40 letters, digits, dots, hyphens and underscores.")
		}
		if keys[s.Key] {
			c.refuse(at+"/key", "duplicate", "Two skills have this key.")
		}
		keys[s.Key] = true
		c.text(at+"/title", s.Title, true, maxTitle)
	}
	c.atMost("/prerequisites", len(d.Prerequisites), maxPrerequisites)
	for i, p := range d.Prerequisites {
		at := fmt.Sprintf("/prerequisites/%d", i)
		if p.Course != "" && !keyForm.MatchString(p.Course) {
			c.refuse(at+"/course", "bad-key", "1 to 40 letters, digits, dots, hyphens and underscores.")
		}
		c.text(at+"/text", p.Text, p.Course == "", maxTitle)
	}
	c.atMost("/team", len(d.Team), maxTeam)
	for i, m := range d.Team {
		at := fmt.Sprintf("/team/%d", i)
		c.line(at+"/name", m.Name, 1, maxName)
		c.line(at+"/school", m.School, 0, maxName)
		if !slices.Contains(Roles, m.Role) {
			c.refuse(at+"/role", "bad-role", "scientific_leader, pedagogical_engineer or teacher.")
		}
	}
}

// closing wants scales of skills that the course has, each once.
func (c *checker) closing(d Draft) {
	if d.Closing == nil {
		return
	}
	c.atMost("/closing/scales", len(d.Closing.Scales), maxSkills)
	for i, key := range d.Closing.Scales {
		at := fmt.Sprintf("/closing/scales/%d", i)
		if !slices.ContainsFunc(d.Skills, func(s Skill) bool { return s.Key == key }) {
			c.refuse(at, "no-such-skill", "No skill of the course has this key.")
		}
		if slices.Contains(d.Closing.Scales[:i], key) {
			c.refuse(at, "duplicate", "A skill is asked about twice.")
		}
	}
}

func (c *checker) chapter(at string, x Chapter) {
	c.text(at+"/title", x.Title, true, maxTitle)
	c.within(at+"/minutes", x.Minutes, 0, maxMinutes)
	c.atMost(at+"/lectures", len(x.Lectures), maxLectures)
	for i, l := range x.Lectures {
		at := fmt.Sprintf("%s/lectures/%d", at, i)
		c.text(at+"/title", l.Title, true, maxTitle)
		c.within(at+"/video_seconds", l.VideoSeconds, 0, maxVideo)
		c.within(at+"/minutes", l.Minutes, 0, maxMinutes)
		c.atMost(at+"/concepts", len(l.Concepts), maxConcepts)
		for j, concept := range l.Concepts {
			c.line(fmt.Sprintf("%s/concepts/%d", at, j), concept, 1, maxTitle)
		}
		c.activity(at+"/quiz", l.Quiz)
	}
	c.activity(at+"/case_study", x.CaseStudy)
	c.activity(at+"/lab", x.Lab)
}

func (c *checker) activity(at string, a *Activity) {
	if a == nil {
		return
	}
	c.text(at+"/title", a.Title, false, maxTitle)
	c.within(at+"/minutes", a.Minutes, 0, maxMinutes)
	c.within(at+"/weight", a.Weight, 0, maxWeight)
	if a.Weight > 0 && !a.Scored {
		c.refuse(at+"/weight", "not-scored", "What is not scored has no weight.")
	}
}
