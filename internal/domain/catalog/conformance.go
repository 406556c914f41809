package catalog

import (
	"fmt"
	"slices"
	"strconv"
)

// Verdict is what was found about a rule.
type Verdict string

// The verdicts.
const (
	Kept         Verdict = "kept"
	Broken       Verdict = "broken"
	NotCheckable Verdict = "not_checkable" // the course does not say what the rule asks about
)

// Place is where a rule is broken or cannot be checked: a JSON pointer into the document, and words for people.
type Place struct {
	Pointer string `json:"pointer"`
	Text    Text   `json:"text"`
}

// Finding is what was found about one rule. A broken rule lists where it is broken, one that is not checkable what is missing.
type Finding struct {
	Rule    Rule    `json:"rule"`
	Verdict Verdict `json:"verdict"`
	Places  []Place `json:"places,omitempty"`
}

// Report says of each rule of a charter what a course makes of it, in the order of the charter.
type Report struct {
	Charter  int       `json:"charter"`
	Findings []Finding `json:"findings"`
}

// Count counts the findings of a verdict.
func (r Report) Count(v Verdict) (n int) {
	for _, f := range r.Findings {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

// Blocks says whether this keeps a course from being published.
func (f Finding) Blocks() bool {
	return f.Verdict == Broken && f.Rule.Severity == Block || f.Verdict == NotCheckable && f.Rule.Unchecked == Block
}

// Blocking are the findings that keep a course from being published.
func (r Report) Blocking() (all []Finding) {
	for _, f := range r.Findings {
		if f.Blocks() {
			all = append(all, f)
		}
	}
	return all
}

// look collects what a check finds: where the rule is broken and where the course says nothing.
type look struct{ broken, missing []Place }

func (l *look) breaks(pointer, en, fr string) {
	l.broken = append(l.broken, Place{pointer, Text{en, fr}})
}
func (l *look) lacks(pointer, en, fr string) {
	l.missing = append(l.missing, Place{pointer, Text{en, fr}})
}

// within judges a number; 0 is one that the course does not say. say puts the number into words.
func (l *look) within(pointer string, n int, r Rule, where Text, say func(int) string) {
	switch {
	case n == 0:
		l.lacks(pointer, where.EN+": not said", where.FR+" : non renseigné")
	case r.Least != nil && n < *r.Least:
		l.breaks(pointer, where.EN+": "+say(n)+", at least "+say(*r.Least), where.FR+" : "+say(n)+", au moins "+say(*r.Least))
	case r.Most != nil && n > *r.Most:
		l.breaks(pointer, where.EN+": "+say(n)+", at most "+say(*r.Most), where.FR+" : "+say(n)+", au plus "+say(*r.Most))
	}
}

// check is a kind of rule.
type check struct {
	bounded bool
	names   []string // that the rule's Name may be; nil: it has none; empty: any, or none
	judge   func(l *look, r Rule, d Draft)
}

// checks are all kinds of rules.
var checks = map[string]check{
	"chapters":             {bounded: true, judge: judgeChapters},
	"lectures_per_chapter": {bounded: true, judge: judgeLectures},
	"video_seconds":        {bounded: true, judge: judgeVideos},
	"concepts_per_video":   {bounded: true, judge: judgeConcepts},
	"activity_per_chapter": {names: []string{CaseStudy, Lab, Quiz}, judge: judgeActivities},
	"logo":                 {judge: judgeLogo},
	"text_points":          {bounded: true, judge: judgeTextSize},
	"template":             {names: []string{}, judge: judgeTemplate},
	"opening":              {judge: judgeOpening},
	"closing":              {judge: judgeClosing},
	"skills":               {bounded: true, judge: judgeSkills},
	"skills_in_closing":    {judge: judgeScales},
	"workload_minutes":     {bounded: true, judge: judgeWorkload},
	"team_role":            {names: Roles, judge: judgeTeam},
}

// Checkable names the kinds of rules, sorted.
func Checkable() []string {
	var all []string
	for name := range checks {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// Conform holds a course against a charter. Each rule is found once. One that is broken somewhere is broken, whatever else is not known.
func Conform(c Charter, d Draft) Report {
	out := Report{Charter: c.Version, Findings: make([]Finding, 0, len(c.Rules))}
	for _, r := range c.Rules {
		l := &look{}
		if kind, known := checks[r.Check]; known {
			kind.judge(l, r, d)
		} else {
			l.lacks("", "This version of Cursus does not know how to check it", "Cette version de Cursus ne sait pas le vérifier")
		}
		f := Finding{Rule: r, Verdict: Kept}
		switch {
		case l.broken != nil:
			f.Verdict, f.Places = Broken, l.broken
		case l.missing != nil:
			f.Verdict, f.Places = NotCheckable, l.missing
		}
		out.Findings = append(out.Findings, f)
	}
	return out
}

func nameOf(i int) Text {
	n := strconv.Itoa(i + 1)
	return Text{"Chapter " + n, "Chapitre " + n}
}

func lectureOf(i, j int) Text {
	c, n := nameOf(i), strconv.Itoa(j+1)
	return Text{c.EN + ", lecture " + n, c.FR + ", leçon " + n}
}

func judgeChapters(l *look, r Rule, d Draft) {
	l.within("/chapters", len(d.Chapters), r, Text{"Chapters", "Chapitres"}, strconv.Itoa)
}

// eachChapter says that a course without chapters says nothing.
func eachChapter(l *look, d Draft, judge func(at string, i int, c Chapter)) {
	if len(d.Chapters) == 0 {
		l.lacks("/chapters", "No chapter is described", "Aucun chapitre n’est décrit")
	}
	for i, c := range d.Chapters {
		judge(fmt.Sprintf("/chapters/%d", i), i, c)
	}
}

func eachLecture(l *look, d Draft, judge func(at string, i, j int, x Lecture)) {
	eachChapter(l, d, func(at string, i int, c Chapter) {
		if len(c.Lectures) == 0 {
			l.lacks(at+"/lectures", nameOf(i).EN+": no lecture is described", nameOf(i).FR+" : aucune leçon n’est décrite")
		}
		for j, x := range c.Lectures {
			judge(fmt.Sprintf("%s/lectures/%d", at, j), i, j, x)
		}
	})
}

func judgeLectures(l *look, r Rule, d Draft) {
	eachChapter(l, d, func(at string, i int, c Chapter) {
		where := Text{nameOf(i).EN + ", lectures", nameOf(i).FR + ", leçons"}
		l.within(at+"/lectures", len(c.Lectures), r, where, strconv.Itoa)
	})
}

// clockwise prints seconds as minutes: 7:01.
func clockwise(seconds int) string { return fmt.Sprintf("%d:%02d", seconds/60, seconds%60) }

func judgeVideos(l *look, r Rule, d Draft) {
	eachLecture(l, d, func(at string, i, j int, x Lecture) {
		l.within(at+"/video_seconds", x.VideoSeconds, r, lectureOf(i, j), clockwise)
	})
}

func judgeConcepts(l *look, r Rule, d Draft) {
	eachLecture(l, d, func(at string, i, j int, x Lecture) {
		where := lectureOf(i, j)
		l.within(at+"/concepts", len(x.Concepts), r, Text{where.EN + ", concepts", where.FR + ", concepts"}, strconv.Itoa)
	})
}

// judgeActivities wants the activity in each chapter. A quiz is one of its lectures'.
func judgeActivities(l *look, r Rule, d Draft) {
	words := map[string]Text{CaseStudy: {"no case study", "pas d’étude de cas"}, Lab: {"no lab", "pas de TP"}, Quiz: {"no quiz", "pas de quiz"}}[r.Name]
	eachChapter(l, d, func(at string, i int, c Chapter) {
		there, pointer := c.CaseStudy != nil, at+"/"+r.Name
		switch r.Name {
		case Lab:
			there = c.Lab != nil
		case Quiz:
			there, pointer = slices.ContainsFunc(c.Lectures, func(x Lecture) bool { return x.Quiz != nil }), at+"/lectures"
		}
		if !there {
			l.breaks(pointer, nameOf(i).EN+": "+words.EN, nameOf(i).FR+" : "+words.FR)
		}
	})
}

func judgeLogo(l *look, _ Rule, d Draft) {
	switch {
	case d.Look.Logo == nil:
		l.lacks("/look/logo", "Nobody said whether the logo is on the videos", "Personne n’a dit si le logo figure sur les vidéos")
	case !*d.Look.Logo:
		l.breaks("/look/logo", "The logo is not on the videos", "Le logo ne figure pas sur les vidéos")
	}
}

func judgeTextSize(l *look, r Rule, d Draft) {
	points := func(n int) string { return strconv.Itoa(n) + " pt" }
	l.within("/look/text_points", d.Look.TextPoints, r, Text{"Smallest text on slides", "Plus petit texte des diapositives"}, points)
}

// judgeTemplate wants the slides to follow a model; the one that the rule names, where it names one.
func judgeTemplate(l *look, r Rule, d Draft) {
	switch {
	case d.Look.Template == "":
		l.lacks("/look/template", "Nobody said which slide model was used", "Personne n’a dit quel modèle de diapositives a servi")
	case r.Name != "" && d.Look.Template != r.Name:
		l.breaks("/look/template", "The slides follow “"+d.Look.Template+"”, not “"+r.Name+"”", "Les diapositives suivent « "+d.Look.Template+" », non « "+r.Name+" »")
	}
}

func judgeOpening(l *look, _ Rule, d Draft) {
	if d.Opening == nil {
		l.lacks("/opening", "The opening section is not described", "La section d’ouverture n’est pas décrite")
		return
	}
	for _, part := range []struct {
		name   string
		there  bool
		en, fr string
	}{
		{"who_are_you", d.Opening.WhoAreYou, "Opening: no “Who are you?”", "Ouverture : pas de « Qui êtes-vous ? »"},
		{"motivations", d.Opening.Motivations, "Opening: no question about motivations", "Ouverture : pas de question sur les motivations"},
		{"prerequisite_quiz", d.Opening.PrerequisiteQuiz, "Opening: no prerequisite quiz", "Ouverture : pas de quiz de prérequis"},
		{"team_presentation", d.Opening.TeamPresentation, "Opening: the team is not presented", "Ouverture : l’équipe n’est pas présentée"},
		{"recommendations", d.Opening.Recommendations, "Opening: no recommendations", "Ouverture : pas de recommandations"},
	} {
		if !part.there {
			l.breaks("/opening/"+part.name, part.en, part.fr)
		}
	}
}

func judgeClosing(l *look, _ Rule, d Draft) {
	if d.Closing == nil {
		l.lacks("/closing", "The section “Your opinion” is not described", "La section « Votre avis » n’est pas décrite")
		return
	}
	if !d.Closing.Satisfaction {
		l.breaks("/closing/satisfaction", "“Your opinion” does not ask about satisfaction", "« Votre avis » n’interroge pas sur la satisfaction")
	}
	if len(d.Closing.Scales) == 0 {
		l.breaks("/closing/scales", "“Your opinion” has no scale of skills", "« Votre avis » n’a pas d’échelle de compétences")
	}
}

func judgeSkills(l *look, r Rule, d Draft) {
	l.within("/skills", len(d.Skills), r, Text{"Targeted skills", "Compétences visées"}, strconv.Itoa)
}

// judgeScales wants each targeted skill on the closing scales.
func judgeScales(l *look, _ Rule, d Draft) {
	if len(d.Skills) == 0 {
		l.lacks("/skills", "No skill is targeted", "Aucune compétence n’est visée")
	}
	if d.Closing == nil {
		l.lacks("/closing", "The section “Your opinion” is not described", "La section « Votre avis » n’est pas décrite")
		return
	}
	for i, s := range d.Skills {
		if !slices.Contains(d.Closing.Scales, s.Key) {
			l.breaks(fmt.Sprintf("/skills/%d", i), "“"+s.Title.In("en")+"” is not on the closing scales", "« "+s.Title.In("fr")+" » n’est pas sur les échelles finales")
		}
	}
}

func judgeWorkload(l *look, r Rule, d Draft) {
	hours := func(minutes int) string { return fmt.Sprintf("%d h %02d", minutes/60, minutes%60) }
	l.within("/chapters", d.WorkloadMinutes(), r, Text{"Workload", "Charge de travail"}, hours)
}

func judgeTeam(l *look, r Rule, d Draft) {
	if len(d.Team) == 0 {
		l.lacks("/team", "No team is named", "Aucune équipe n’est nommée")
		return
	}
	if !slices.ContainsFunc(d.Team, func(m Member) bool { return m.Role == r.Name }) {
		words := map[string]Text{
			ScientificLeader: {"a scientific leader", "de responsable scientifique"}, PedagogicalEngineer: {"a pedagogical engineer", "d’ingénieur pédagogique"},
			Teacher: {"a teacher", "d’enseignant"},
		}[r.Name]
		l.breaks("/team", "The team lacks "+words.EN, "L’équipe n’a pas "+words.FR)
	}
}
