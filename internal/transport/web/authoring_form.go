package web

import (
	"fmt"
	"slices"
	"strings"

	"cursus/internal/domain/catalog"
)

// The most rows that a posted form is read with; documents have their own limits.
const (
	mostRows     = 100
	mostLectures = 60
)

func (f *form) words(pointer string) catalog.Text {
	return catalog.Text{EN: f.text(pointer + "/en"), FR: f.text(pointer + "/fr")}
}

// draft reads a course out of its form.
func (f *form) draft() catalog.Draft {
	d := catalog.Draft{
		Collection: f.text("/collection"), Position: f.number("/position"), Title: f.words("/title"), Summary: f.words("/summary"),
		Level: f.text("/level"), Language: f.text("/language"), WorkloadHours: f.number("/workload_hours"), ECTSHundredths: f.hundredths("/ects_hundredths"),
		Look: catalog.Look{Template: f.text("/look/template"), TextPoints: f.number("/look/text_points")},
	}
	if said := f.text("/look/logo"); said != "" {
		yes := said == "yes"
		d.Look.Logo = &yes
	}
	for i := range f.rows("/skills", mostRows) {
		at := fmt.Sprintf("/skills/%d", i)
		d.Skills = append(d.Skills, catalog.Skill{Key: f.text(at + "/key"), Title: f.words(at + "/title")})
	}
	for i := range f.rows("/prerequisites", mostRows) {
		at := fmt.Sprintf("/prerequisites/%d", i)
		d.Prerequisites = append(d.Prerequisites, catalog.Prerequisite{Course: f.text(at + "/course"), Text: f.words(at + "/text")})
	}
	for i := range f.rows("/team", mostRows) {
		at := fmt.Sprintf("/team/%d", i)
		d.Team = append(d.Team, catalog.Member{Name: f.text(at + "/name"), Role: f.text(at + "/role"), School: f.text(at + "/school")})
	}
	d.Opening, d.Closing = f.opening(), f.closing(d.Skills)
	for i := range f.rows("/chapters", mostRows) {
		d.Chapters = append(d.Chapters, f.chapter(fmt.Sprintf("/chapters/%d", i)))
	}
	return d
}

func (f *form) opening() *catalog.Opening {
	o := catalog.Opening{
		WhoAreYou: f.checked("/opening/who_are_you"), Motivations: f.checked("/opening/motivations"), PrerequisiteQuiz: f.checked("/opening/prerequisite_quiz"),
		TeamPresentation: f.checked("/opening/team_presentation"), Recommendations: f.checked("/opening/recommendations"),
	}
	if o == (catalog.Opening{}) && !f.checked("/opening") {
		return nil
	}
	return &o
}

func (f *form) closing(skills []catalog.Skill) *catalog.Closing {
	c := catalog.Closing{Satisfaction: f.checked("/closing/satisfaction")}
	for i, s := range skills {
		if f.checked(fmt.Sprintf("/closing/scales/%d", i)) {
			c.Scales = append(c.Scales, s.Key)
		}
	}
	if !c.Satisfaction && c.Scales == nil && !f.checked("/closing") {
		return nil
	}
	return &c
}

func (f *form) chapter(at string) catalog.Chapter {
	c := catalog.Chapter{Title: f.words(at + "/title"), Minutes: f.number(at + "/minutes"), CaseStudy: f.activity(at + "/case_study"), Lab: f.activity(at + "/lab")}
	for j := range f.rows(at+"/lectures", mostLectures) {
		at := fmt.Sprintf("%s/lectures/%d", at, j)
		l := catalog.Lecture{Title: f.words(at + "/title"), VideoSeconds: f.clock(at + "/video_seconds"), Minutes: f.number(at + "/minutes"), Quiz: f.activity(at + "/quiz")}
		for _, concept := range strings.Split(f.text(at+"/concepts"), "\n") {
			if concept = strings.TrimSpace(concept); concept != "" {
				l.Concepts = append(l.Concepts, concept)
			}
		}
		c.Lectures = append(c.Lectures, l)
	}
	return c
}

func (f *form) activity(at string) *catalog.Activity {
	a := catalog.Activity{Title: f.words(at + "/title"), Scored: f.checked(at + "/scored"), Weight: f.number(at + "/weight"), Minutes: f.number(at + "/minutes")}
	if a == (catalog.Activity{}) && !f.checked(at) {
		return nil
	}
	return &a
}

// press does what a button of the form says to the document.
func press(d catalog.Draft, said string) catalog.Draft {
	act, list, at := pressed(said)
	switch list {
	case "/skills":
		d.Skills = turn(d.Skills, act, at, catalog.Skill{Key: freshKey(d.Skills)})
		if d.Closing != nil {
			c := *d.Closing
			c.Scales = slices.DeleteFunc(slices.Clone(c.Scales), func(key string) bool {
				return !slices.ContainsFunc(d.Skills, func(s catalog.Skill) bool { return s.Key == key })
			})
			d.Closing = &c
		}
	case "/prerequisites":
		d.Prerequisites = turn(d.Prerequisites, act, at, catalog.Prerequisite{})
	case "/team":
		d.Team = turn(d.Team, act, at, catalog.Member{Role: catalog.Teacher})
	case "/chapters":
		d.Chapters = turn(d.Chapters, act, at, catalog.Chapter{Lectures: []catalog.Lecture{{}}})
	default:
		d.Chapters = slices.Clone(d.Chapters)
		for i := range d.Chapters {
			if list == fmt.Sprintf("/chapters/%d/lectures", i) {
				d.Chapters[i].Lectures = turn(d.Chapters[i].Lectures, act, at, catalog.Lecture{})
			}
		}
	}
	return d
}

// rowsIn counts the rows of a list of the document.
func rowsIn(d catalog.Draft) func(list string) int {
	return func(list string) int {
		switch list {
		case "/skills":
			return len(d.Skills)
		case "/prerequisites":
			return len(d.Prerequisites)
		case "/team":
			return len(d.Team)
		case "/chapters":
			return len(d.Chapters)
		}
		for i, c := range d.Chapters {
			if list == fmt.Sprintf("/chapters/%d/lectures", i) {
				return len(c.Lectures)
			}
		}
		return 0
	}
}

func freshKey(skills []catalog.Skill) string {
	for n := len(skills) + 1; ; n++ {
		key := fmt.Sprintf("skill-%d", n)
		if !slices.ContainsFunc(skills, func(s catalog.Skill) bool { return s.Key == key }) {
			return key
		}
	}
}

func (b *builder) both(pointer, words string, t catalog.Text, area bool) []input {
	make1 := b.line
	if area {
		make1 = b.area
	}
	en, fr := make1(pointer+"/en", words, t.EN), make1(pointer+"/fr", words, t.FR)
	en.Label, fr.Label = en.Label+" ("+b.text("author.english")+")", fr.Label+" ("+b.text("author.french")+")"
	if en.Wrong == "" {
		en.Wrong = b.wrong[pointer]
	}
	return []input{en, fr}
}

func (b *builder) course(d catalog.Draft, collections []catalog.Collection) []fieldset {
	in := []option{{"", b.text("author.none")}}
	for _, c := range collections {
		in = append(in, option{c.Key, c.Key + ": " + c.Title.In(b.lang)})
	}
	levels := []option{{"", b.text("author.unsaid")}}
	for _, l := range catalog.Levels {
		levels = append(levels, option{l, b.text("level." + l)})
	}
	about := fieldset{Pointer: "/about", Legend: b.text("author.about"), Hint: b.text("author.about.hint", hundredths(d.SuggestedECTS()), d.WorkloadMinutes()/60)}
	about.Inputs = slices.Concat(b.both("/title", "author.title", d.Title, false), b.both("/summary", "author.summary", d.Summary, true), []input{
		b.choice("/collection", "author.collection", d.Collection, in...), b.number("/position", "author.position", d.Position),
		b.choice("/level", "course.level", d.Level, levels...), b.line("/language", "author.language", d.Language),
		b.number("/workload_hours", "author.hours", d.WorkloadHours), b.line("/ects_hundredths", "author.ects", hundredths(d.ECTSHundredths)),
	})
	chapters := fieldset{Pointer: "/chapters", Legend: b.text("author.chapters"), Hidden: []input{rowCount("/chapters", len(d.Chapters))}, Buttons: []button{{"add /chapters", b.text("author.chapter.add")}}}
	for i, c := range d.Chapters {
		chapters.Groups = append(chapters.Groups, b.chapter(c, i, len(d.Chapters)))
	}
	return []fieldset{about, b.skills(d), b.prerequisites(d), b.team(d), b.opening(d), chapters, b.closing(d), b.look(d)}
}

func (b *builder) skills(d catalog.Draft) fieldset {
	g := fieldset{Pointer: "/skills", Legend: b.text("author.skills"), Hidden: []input{rowCount("/skills", len(d.Skills))}, Buttons: []button{{"add /skills", b.text("author.skill.add")}}}
	for i, s := range d.Skills {
		at := fmt.Sprintf("/skills/%d", i)
		g.Groups = append(g.Groups, fieldset{
			Pointer: at, Legend: b.text("author.skill", i+1), Row: true, Buttons: b.rowButtons("/skills", i, len(d.Skills)),
			Inputs: append([]input{b.line(at+"/key", "author.key", s.Key)}, b.both(at+"/title", "author.words", s.Title, false)...),
		})
	}
	return g
}

func (b *builder) prerequisites(d catalog.Draft) fieldset {
	g := fieldset{Pointer: "/prerequisites", Legend: b.text("author.prerequisites"), Hidden: []input{rowCount("/prerequisites", len(d.Prerequisites))}, Buttons: []button{{"add /prerequisites", b.text("author.prerequisite.add")}}}
	for i, p := range d.Prerequisites {
		at := fmt.Sprintf("/prerequisites/%d", i)
		course := b.line(at+"/course", "author.prerequisite.course", p.Course)
		course.List = "courses"
		g.Groups = append(g.Groups, fieldset{
			Pointer: at, Legend: b.text("author.prerequisite", i+1), Row: true, Buttons: b.rowButtons("/prerequisites", i, len(d.Prerequisites)),
			Inputs: append([]input{course}, b.both(at+"/text", "author.words", p.Text, false)...),
		})
	}
	return g
}

func (b *builder) team(d catalog.Draft) fieldset {
	g := fieldset{Pointer: "/team", Legend: b.text("author.team"), Hidden: []input{rowCount("/team", len(d.Team))}, Buttons: []button{{"add /team", b.text("author.member.add")}}}
	var roles []option
	for _, r := range catalog.Roles {
		roles = append(roles, option{r, b.text("author.role." + r)})
	}
	for i, m := range d.Team {
		at := fmt.Sprintf("/team/%d", i)
		g.Groups = append(g.Groups, fieldset{
			Pointer: at, Legend: b.text("author.member", i+1), Row: true, Buttons: b.rowButtons("/team", i, len(d.Team)),
			Inputs: []input{b.line(at+"/name", "author.name", m.Name), b.choice(at+"/role", "author.role", m.Role, roles...), b.line(at+"/school", "author.school", m.School)},
		})
	}
	return g
}

func (b *builder) opening(d catalog.Draft) fieldset {
	o := catalog.Opening{}
	if d.Opening != nil {
		o = *d.Opening
	}
	return fieldset{Pointer: "/opening/section", Legend: b.text("author.opening"), Inputs: []input{
		b.check("/opening", "author.described", d.Opening != nil), b.check("/opening/who_are_you", "author.who", o.WhoAreYou),
		b.check("/opening/motivations", "author.motivations", o.Motivations), b.check("/opening/prerequisite_quiz", "author.prequiz", o.PrerequisiteQuiz),
		b.check("/opening/team_presentation", "author.presentation", o.TeamPresentation), b.check("/opening/recommendations", "author.recommendations", o.Recommendations),
	}}
}

func (b *builder) closing(d catalog.Draft) fieldset {
	c := catalog.Closing{}
	if d.Closing != nil {
		c = *d.Closing
	}
	scales := fieldset{Pointer: "/closing/scales", Legend: b.text("author.scales", catalog.ScaleFrom, catalog.ScaleTo)}
	for i, s := range d.Skills {
		x := b.check(fmt.Sprintf("/closing/scales/%d", i), "author.scales", slices.Contains(c.Scales, s.Key))
		if x.Label = s.Title.In(b.lang); x.Label == "" {
			x.Label = s.Key
		}
		scales.Inputs = append(scales.Inputs, x)
	}
	g := fieldset{Pointer: "/closing/section", Legend: b.text("author.closing"), Inputs: []input{
		b.check("/closing", "author.described", d.Closing != nil), b.check("/closing/satisfaction", "author.satisfaction", c.Satisfaction),
	}}
	if scales.Inputs == nil {
		scales.Hint = b.text("author.scales.none")
	}
	g.Groups = []fieldset{scales}
	return g
}

func (b *builder) look(d catalog.Draft) fieldset {
	logo := ""
	if d.Look.Logo != nil {
		logo = map[bool]string{true: "yes", false: "no"}[*d.Look.Logo]
	}
	return fieldset{Pointer: "/look", Legend: b.text("author.look"), Inputs: []input{
		b.line("/look/template", "author.template", d.Look.Template),
		b.choice("/look/logo", "author.logo", logo, option{"", b.text("author.unsaid")}, option{"yes", b.text("author.yes")}, option{"no", b.text("author.no")}),
		b.number("/look/text_points", "author.points", d.Look.TextPoints),
	}}
}

func (b *builder) chapter(c catalog.Chapter, i, of int) fieldset {
	at := fmt.Sprintf("/chapters/%d", i)
	g := fieldset{
		Pointer: at, Legend: b.text("author.chapter", i+1), Title: c.Title.In(b.lang), Row: true, Fold: true, Open: i == 0 || b.opens(at), Marks: b.marks(at),
		Buttons: b.rowButtons("/chapters", i, of), Hint: b.text("author.chapter.work", c.WorkloadMinutes()),
		Inputs: append(b.both(at+"/title", "author.title", c.Title, false), b.number(at+"/minutes", "author.minutes", c.Minutes)),
	}
	lectures := fieldset{
		Pointer: at + "/lectures", Legend: b.text("author.lectures"), Hidden: []input{rowCount(at+"/lectures", len(c.Lectures))},
		Buttons: []button{{"add " + at + "/lectures", b.text("author.lecture.add", i+1)}},
	}
	for j, l := range c.Lectures {
		here := fmt.Sprintf("%s/lectures/%d", at, j)
		lectures.Groups = append(lectures.Groups, fieldset{
			Pointer: here, Legend: b.text("author.lecture", i+1, j+1), Row: true, Buttons: b.rowButtons(at+"/lectures", j, len(c.Lectures)),
			Inputs: append(b.both(here+"/title", "author.title", l.Title, false), b.line(here+"/video_seconds", "author.video", minutesAndSeconds(l.VideoSeconds)),
				b.number(here+"/minutes", "author.minutes", l.Minutes), b.area(here+"/concepts", "author.concepts", strings.Join(l.Concepts, "\n"))),
			Groups: []fieldset{b.activity(here+"/quiz", "author.quiz", l.Quiz)},
		})
	}
	g.Groups = []fieldset{lectures, b.activity(at+"/case_study", "author.case", c.CaseStudy), b.activity(at+"/lab", "author.lab", c.Lab)}
	return g
}

func (b *builder) activity(at, words string, a *catalog.Activity) fieldset {
	x := catalog.Activity{}
	if a != nil {
		x = *a
	}
	return fieldset{Pointer: at + "/section", Legend: b.text(words), Inputs: append([]input{b.check(at, "author.there", a != nil), b.check(at+"/scored", "author.scored", x.Scored),
		b.number(at+"/weight", "author.weight", x.Weight), b.number(at+"/minutes", "author.minutes", x.Minutes)}, b.both(at+"/title", "author.title", x.Title, false)...)}
}
