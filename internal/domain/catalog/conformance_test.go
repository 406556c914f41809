package catalog_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

func say(s string) catalog.Text { return catalog.Text{EN: s} }

// good is a course that keeps the whole charter: 5 chapters of 4 lectures, 25 hours.
func good() catalog.Draft {
	yes := true
	d := catalog.Draft{
		Title: say("Networks"), Level: "bachelor", Language: "fr", Skills: []catalog.Skill{{"route", say("Route a packet")}, {"plan", say("Plan a network")}},
		Team:    []catalog.Member{{"Ada", catalog.ScientificLeader, "IMT Atlantique"}, {"Bo", catalog.PedagogicalEngineer, "IMT"}, {"Cy", catalog.Teacher, "Télécom Paris"}},
		Opening: &catalog.Opening{true, true, true, true, true},
		Closing: &catalog.Closing{Satisfaction: true, Scales: []string{"route", "plan"}},
		Look:    catalog.Look{Template: "FLIRT 2", Logo: &yes, TextPoints: 24},
	}
	for i := range 5 {
		c := catalog.Chapter{Title: say(fmt.Sprint("Week ", i+1)), CaseStudy: &catalog.Activity{Scored: true, Weight: 10, Minutes: 60}, Lab: &catalog.Activity{Minutes: 120}}
		for j := range 4 {
			c.Lectures = append(c.Lectures, catalog.Lecture{
				Title: say(fmt.Sprint("Lecture ", j+1)), VideoSeconds: 360, Concepts: []string{"packet"}, Minutes: 20, Quiz: &catalog.Activity{Scored: true, Minutes: 10},
			})
		}
		d.Chapters = append(d.Chapters, c)
	}
	return d
}

func charter(t testing.TB) (c catalog.Charter) {
	t.Helper()
	err := testkit.DB(t).View(context.Background(), "charter", func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = catalog.CharterTx(ctx, tx, 0)
		return err
	})
	if err != nil || c.Version != 1 {
		t.Fatal(c.Version, err)
	}
	return c
}

func finding(r catalog.Report, key string) catalog.Finding {
	return r.Findings[slices.IndexFunc(r.Findings, func(f catalog.Finding) bool { return f.Rule.Key == key })]
}

// Each rule of the first charter, at and beyond its bounds, with the place.
func TestEachRuleAtItsBounds(t *testing.T) {
	c := charter(t)
	if err := catalog.ValidateRules(c.Rules); err != nil {
		t.Fatal("the charter that we ship is none:", err)
	}
	kept, broken, unknown := catalog.Kept, catalog.Broken, catalog.NotCheckable
	lecture := func(d *catalog.Draft) *catalog.Lecture { return &d.Chapters[1].Lectures[2] }
	for i, x := range []struct {
		rule    string
		verdict catalog.Verdict
		place   string
		change  func(d *catalog.Draft)
	}{
		{"video-length", kept, "", func(d *catalog.Draft) { lecture(d).VideoSeconds = 7 * 60 }},
		{"video-length", broken, "/chapters/1/lectures/2/video_seconds", func(d *catalog.Draft) { lecture(d).VideoSeconds = 7*60 + 1 }},
		{"video-length", unknown, "/chapters/1/lectures/2/video_seconds", func(d *catalog.Draft) { lecture(d).VideoSeconds = 0 }},
		{"video-length", unknown, "/chapters", func(d *catalog.Draft) { d.Chapters = nil }},
		{"concepts", kept, "", func(d *catalog.Draft) { lecture(d).Concepts = []string{"a", "b"} }},
		{"concepts", broken, "/chapters/1/lectures/2/concepts", func(d *catalog.Draft) { lecture(d).Concepts = []string{"a", "b", "c"} }},
		{"concepts", unknown, "/chapters/1/lectures/2/concepts", func(d *catalog.Draft) { lecture(d).Concepts = nil }},
		{"chapters", kept, "", func(d *catalog.Draft) { d.Chapters = append(d.Chapters, d.Chapters[0]) }},
		{"chapters", broken, "/chapters", func(d *catalog.Draft) { d.Chapters = append(d.Chapters, d.Chapters[0], d.Chapters[0]) }},
		{"chapters", broken, "/chapters", func(d *catalog.Draft) { d.Chapters = d.Chapters[:4] }},
		{"chapters", unknown, "/chapters", func(d *catalog.Draft) { d.Chapters = nil }},
		{"lectures", kept, "", func(d *catalog.Draft) { lengthen(d, 3) }},
		{"lectures", broken, "/chapters/0/lectures", func(d *catalog.Draft) { lengthen(d, 4) }},
		{"lectures", broken, "/chapters/0/lectures", func(d *catalog.Draft) { d.Chapters[0].Lectures = d.Chapters[0].Lectures[:3] }},
		{"lectures", unknown, "/chapters/0/lectures", func(d *catalog.Draft) { d.Chapters[0].Lectures = nil }},
		{"case-study", broken, "/chapters/2/case_study", func(d *catalog.Draft) { d.Chapters[2].CaseStudy = nil }},
		{"lab", broken, "/chapters/2/lab", func(d *catalog.Draft) { d.Chapters[2].Lab = nil }},
		{"lab", unknown, "/chapters", func(d *catalog.Draft) { d.Chapters = nil }},
		{"logo", broken, "/look/logo", func(d *catalog.Draft) { *d.Look.Logo = false }},
		{"logo", unknown, "/look/logo", func(d *catalog.Draft) { d.Look.Logo = nil }},
		{"text-size", kept, "", func(d *catalog.Draft) { d.Look.TextPoints = 20 }},
		{"text-size", broken, "/look/text_points", func(d *catalog.Draft) { d.Look.TextPoints = 19 }},
		{"text-size", unknown, "/look/text_points", func(d *catalog.Draft) { d.Look.TextPoints = 0 }},
		{"template", unknown, "/look/template", func(d *catalog.Draft) { d.Look.Template = "" }},
		{"opening", broken, "/opening/prerequisite_quiz", func(d *catalog.Draft) { d.Opening.PrerequisiteQuiz = false }},
		{"opening", unknown, "/opening", func(d *catalog.Draft) { d.Opening = nil }},
		{"closing", broken, "/closing/satisfaction", func(d *catalog.Draft) { d.Closing.Satisfaction = false }},
		{"closing", broken, "/closing/scales", func(d *catalog.Draft) { d.Closing.Scales = nil }},
		{"closing", unknown, "/closing", func(d *catalog.Draft) { d.Closing = nil }},
		{"skills", unknown, "/skills", func(d *catalog.Draft) { d.Skills, d.Closing.Scales = nil, nil }},
		{"skill-scales", broken, "/skills/1", func(d *catalog.Draft) { d.Closing.Scales = d.Closing.Scales[:1] }},
		{"skill-scales", unknown, "/closing", func(d *catalog.Draft) { d.Closing = nil }},
		{"workload", kept, "", func(d *catalog.Draft) { work(d, 1200) }},
		{"workload", broken, "/chapters", func(d *catalog.Draft) { work(d, 1199) }},
		{"workload", kept, "", func(d *catalog.Draft) { work(d, 1800) }},
		{"workload", broken, "/chapters", func(d *catalog.Draft) { work(d, 1801) }},
		{"workload", unknown, "/chapters", func(d *catalog.Draft) { d.Chapters = nil }},
		{"leader", broken, "/team", func(d *catalog.Draft) { d.Team[0].Role = catalog.Teacher }},
		{"leader", unknown, "/team", func(d *catalog.Draft) { d.Team = nil }},
		{"engineer", broken, "/team", func(d *catalog.Draft) { d.Team = d.Team[:1] }},
	} {
		d := good()
		if n := catalog.Conform(c, d).Count(kept); n != len(c.Rules) {
			t.Fatal("the good course keeps only", n)
		}
		x.change(&d)
		f := finding(catalog.Conform(c, d), x.rule)
		if f.Verdict != x.verdict || x.place == "" && f.Places != nil || x.place != "" && (len(f.Places) == 0 || f.Places[0].Pointer != x.place) {
			t.Errorf("%d, %s: %+v, want %s at %s", i, x.rule, f, x.verdict, x.place)
		}
		if f.Places != nil && (f.Places[0].Text.EN == "" || f.Places[0].Text.FR == "") {
			t.Errorf("%s has no words in a language: %+v", x.rule, f.Places[0])
		}
	}
	named := catalog.Charter{Version: 2, Rules: []catalog.Rule{{Key: "model", Text: say("m"), Check: "template", Name: "FLIRT 3", Severity: catalog.Block}}}
	if r := catalog.Conform(named, good()); len(r.Blocking()) != 1 || r.Charter != 2 {
		t.Errorf("slides of another model: %+v", r)
	}
}

func lengthen(d *catalog.Draft, more int) {
	for range more {
		d.Chapters[0].Lectures = append(d.Chapters[0].Lectures, d.Chapters[0].Lectures[0])
	}
}

func work(d *catalog.Draft, minutes int) {
	for i := range d.Chapters {
		d.Chapters[i].Minutes = minutes / 5
	}
	d.Chapters[0].Minutes += minutes % 5
}

// violations each break one rule more, somewhere.
var violations = []func(d *catalog.Draft, at int){
	func(d *catalog.Draft, at int) {
		for i := range d.Chapters {
			for j := range d.Chapters[i].Lectures {
				if (i+j)%5 == at%5 {
					d.Chapters[i].Lectures[j].VideoSeconds = 421 + at
				}
			}
		}
	},
	func(d *catalog.Draft, at int) {
		if len(d.Chapters) > 0 {
			c := d.Chapters[at%len(d.Chapters)]
			if len(c.Lectures) > 0 {
				c.Lectures[at%len(c.Lectures)].Concepts = []string{"a", "b", "c"}
			}
		}
	},
	func(d *catalog.Draft, at int) {
		if len(d.Chapters) > 0 {
			d.Chapters[at%len(d.Chapters)].CaseStudy = nil
		}
	},
	func(d *catalog.Draft, at int) {
		if len(d.Chapters) > 0 {
			d.Chapters[at%len(d.Chapters)].Lab = nil
		}
	},
	func(d *catalog.Draft, _ int) { no := false; d.Look.Logo = &no },
	func(d *catalog.Draft, at int) { d.Look.TextPoints = 1 + at%19 },
	func(d *catalog.Draft, _ int) { d.Opening = &catalog.Opening{} },
	func(d *catalog.Draft, _ int) { d.Closing = &catalog.Closing{} },
	func(d *catalog.Draft, at int) {
		d.Skills = append(d.Skills, catalog.Skill{Key: fmt.Sprint("new-", at), Title: say("New")})
	},
	func(d *catalog.Draft, _ int) {
		d.Team = slices.DeleteFunc(slices.Clone(d.Team), func(m catalog.Member) bool { return m.Role != catalog.Teacher })
	},
}

// absences each take something out that a rule asks about.
var absences = []func(d *catalog.Draft){
	func(d *catalog.Draft) { d.Chapters = nil }, func(d *catalog.Draft) { d.Opening = nil }, func(d *catalog.Draft) { d.Closing = nil },
	func(d *catalog.Draft) { d.Look = catalog.Look{} }, func(d *catalog.Draft) { d.Team = nil }, func(d *catalog.Draft) { d.Skills = nil },
	func(d *catalog.Draft) { d.Chapters = d.Chapters[:min(3, len(d.Chapters))] },
	func(d *catalog.Draft) {
		for i := range d.Chapters {
			d.Chapters[i].Lectures = nil
		}
	},
}

// A report has every rule once. What is broken is never kept because more was broken. Only what is not said is not checkable: a course
// that says everything has no such finding.
func TestReportsAreCompleteAndMonotone(t *testing.T) {
	c := charter(t)
	rapid.Check(t, func(t *rapid.T) {
		d, full := good(), true
		for i, gone := range rapid.SliceOfN(rapid.Bool(), len(absences), len(absences)).Draw(t, "absent") {
			if gone && rapid.Bool().Draw(t, "really") {
				absences[i](&d)
				full = full && i == 6 // three chapters are still chapters
			}
		}
		before := catalog.Conform(c, d)
		complete(t, c, before)
		if n := before.Count(catalog.NotCheckable); full && n != 0 {
			t.Fatalf("%d rules are not checkable of a course that says everything: %+v", n, before)
		}
		for range rapid.IntRange(1, 6).Draw(t, "violations") {
			rapid.SampledFrom(violations).Draw(t, "violation")(&d, rapid.IntRange(0, 30).Draw(t, "at"))
			after := catalog.Conform(c, d)
			complete(t, c, after)
			for i, f := range before.Findings {
				if f.Verdict == catalog.Broken && after.Findings[i].Verdict == catalog.Kept {
					t.Fatalf("%s was broken and is kept", f.Rule.Key)
				}
			}
			before = after
		}
	})
}

func complete(t *rapid.T, c catalog.Charter, r catalog.Report) {
	if len(r.Findings) != len(c.Rules) {
		t.Fatal(len(r.Findings), "findings of", len(c.Rules), "rules")
	}
	for i, f := range r.Findings {
		if f.Rule.Key != c.Rules[i].Key || (f.Verdict == catalog.Kept) != (f.Places == nil) {
			t.Fatalf("%+v", f)
		}
	}
}

// A charter that nobody could check is refused with the place.
func TestBadRulesAreRefused(t *testing.T) {
	n, m := 1, 2
	r := catalog.Rule{Key: "a", Text: say("x"), Check: "chapters", Most: &m, Severity: catalog.Warn}
	for pointer, spoil := range map[string]func(r *catalog.Rule){
		"/rules/0/key": func(r *catalog.Rule) { r.Key = "" }, "/rules/0/text": func(r *catalog.Rule) { r.Text = say("") },
		"/rules/0/check": func(r *catalog.Rule) { r.Check = "colour" }, "/rules/0/severity": func(r *catalog.Rule) { r.Severity = "shout" },
		"/rules/0/unchecked": func(r *catalog.Rule) { r.Unchecked = "shout" },
		"/rules/0/most":      func(r *catalog.Rule) { r.Least, r.Most = &m, &n }, "/rules/0/name": func(r *catalog.Rule) { r.Name = "x" },
		"/rules/0/least": func(r *catalog.Rule) { r.Check = "logo" },
	} {
		bad := r
		spoil(&bad)
		if err := catalog.ValidateRules([]catalog.Rule{bad}); !pointsTo(err, pointer) {
			t.Errorf("%s: %v", pointer, err)
		}
	}
	if err := catalog.ValidateRules([]catalog.Rule{r, r}); !pointsTo(err, "/rules/1/key") {
		t.Error(err)
	}
	if err := catalog.ValidateRules(nil); !pointsTo(err, "/rules") {
		t.Error(err)
	}
	if len(catalog.Checkable()) < 14 || !strings.HasPrefix(catalog.Checkable()[0], "activity") {
		t.Error(catalog.Checkable())
	}
}
