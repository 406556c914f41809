package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exchange"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// The paper's programs, written page by page at the console of a house without a course: the Networks sequence, "Networks basics", the
// hybrid course. What then stands there is what the import file would have made: it changes nothing any more.
func TestThePaperIsBuiltAtTheConsole(t *testing.T) {
	w, mails := bareSite(t)
	var file exchange.Document
	if err := json.Unmarshal(flirt(t), &file); err != nil {
		t.Fatal(err)
	}
	d := w.newDesk(t, mails, "officer@example.org")
	d.collection(file.Collection)
	written := map[string]bool{}
	for waiting := file.Courses; len(waiting) > 0; { // a course is published when those that it asks for are there
		var later []exchange.Course
		for _, c := range waiting {
			if slices.ContainsFunc(c.Prerequisites, func(p catalog.Prerequisite) bool { return p.Course != "" && !written[p.Course] }) {
				later = append(later, c)
				continue
			}
			d.course(c)
			written[c.Key] = true
		}
		if len(later) == len(waiting) {
			t.Fatal("no course of these can be the next:", later)
		}
		waiting = later
	}
	for name, of := range map[string]struct {
		program, edition, hours, currency string
		opening                           []programs.Opening
		courses, by                       string
		minor                             int64
	}{
		"the sequence": {
			program: "NETWORKS", edition: "NETWORKS-2019", hours: "95", currency: "EUR", minor: 39_000, courses: "ALDDT PRD<ALDDT RQOS<PRD", by: "IMT",
			opening: []programs.Opening{programs.AtOnce, programs.AfterPrevious, programs.AfterPrevious},
		},
		"Networks basics": {
			program: "NETWORKS-BASICS", edition: "NETWORKS-BASICS-2019", hours: "150", currency: "XOF", minor: 100_000, courses: "ALDDT PRD LAN FTTH", by: "IMT ESP",
			opening: []programs.Opening{programs.Monthly, programs.Monthly, programs.Monthly, programs.Monthly},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d.t = t
			d.follows(file, of.program, of.edition)
			got := w.stored()
			p, e := one(t, got.Programs, func(p exchange.Program) bool { return p.Key == of.program }), one(t, got.Editions, func(e exchange.Edition) bool { return e.Key == of.edition })
			alike(t, p, one(t, file.Programs, func(p exchange.Program) bool { return p.Key == of.program }))
			alike(t, e, one(t, file.Editions, func(e exchange.Edition) bool { return e.Key == of.edition }))
			onIt := func(o exchange.Offer) bool { return o.Edition == of.edition && o.Formula == "QUALIFYING" }
			o := one(t, got.Offers, onIt)
			alike(t, o, one(t, file.Offers, onIt))
			var rules []string
			for i, c := range p.Courses() {
				rules = append(rules, strings.TrimSuffix(c.Key+"<"+strings.Join(c.After, ","), "<"))
				if e.Sessions[i].Opening != of.opening[i] {
					t.Errorf("%s opens %s", c.Key, e.Sessions[i].Opening)
				}
			}
			if said := strings.Join(rules, " "); said != of.courses || strings.Join(p.Organisations, " ") != of.by {
				t.Errorf("the courses are %s, by %q", said, p.Organisations)
			}
			if sum := p.Totals().WorkloadHours; fmt.Sprint(sum.Min) != of.hours || sum.Max != sum.Min || o.PriceMinor != of.minor || string(o.Currency) != of.currency {
				t.Errorf("%d to %d hours for %d %s", sum.Min, sum.Max, o.PriceMinor, o.Currency)
			}
		})
	}
	t.Run("the hybrid course", func(t *testing.T) {
		d.t = t
		d.formula(one(t, file.Formulas, func(f exchange.Formula) bool { return f.Key == "HYBRID" }))
		iot := one(t, file.Sessions, func(s exchange.Session) bool { return s.Key == "IOT-2019" })
		d.session(iot)
		onIt := func(o exchange.Offer) bool { return o.Session == iot.Key }
		d.offer(one(t, file.Offers, onIt))
		got := w.stored()
		s, o := one(t, got.Sessions, func(s exchange.Session) bool { return s.Key == iot.Key }), one(t, got.Offers, onIt)
		alike(t, s, iot)
		alike(t, o, one(t, file.Offers, onIt))
		if s.Kind != catalog.Hybrid || len(s.Days) != 3 || s.MinDays != 3 || money.Of(o.PriceMinor, o.Currency) != money.Of(190_000, "EUR") {
			t.Errorf("%s, %d days of which %d, %d %s", s.Kind, len(s.Days), s.MinDays, o.PriceMinor, o.Currency)
		}
	})
	d.t = t
	r, err := exchange.Import(system, w.h.DB, flirt(t), true)
	if err != nil || !r.Same {
		t.Errorf("the file would still change something: %+v %v", r, err)
	}
	w.verify()
}

// Staff of another trade read the console. What they would write there is refused, as over the API, and nothing changes.
func TestStaffOfAnotherTradeWriteNothing(t *testing.T) {
	w, mails := bareSite(t)
	w.catalogue()
	d := w.newDeskOf(t, mails, "analyst@example.org", "analytics")
	for page, forms := range map[string][]struct{ action, button, value string }{
		"/console/programs/NETWORKS":             {{"", "do", "save"}, {"/move", "to", "draft"}},
		"/console/editions/NETWORKS-2019":        {{"", "", ""}, {"/move", "to", "archived"}},
		"/console/sessions/IOT-2019":             {{"", "", ""}, {"/move", "to", "archived"}, {"/map", "", ""}, {"/exercises", "apply", "yes"}, {"/copy", "", ""}, {"/days", "", ""}},
		"/console/programs/new":                  {{"", "do", "save"}},
		"/console/editions/new?program=NETWORKS": {{"", "", ""}},
	} {
		for _, form := range forms {
			d.open(page)
			path, _, _ := strings.Cut(page, "?")
			f := d.form(path + form.action)
			for name, said := range map[string]string{"title_en": "Mine", "/title/en": "Mine", "program": "MINE", "edition": "MINE"} {
				for _, c := range f.controls {
					if c.name == name && !c.fixed {
						c.value = said
					}
				}
			}
			if form.action == "/days" {
				for name, said := range map[string]string{"place": "Here", "starts_at": "2027-01-04T09:00", "ends_at": "2027-01-04T17:00", "capacity": "3"} {
					f.set(name, said)
				}
			}
			d.want = 403
			f.press(form.button, form.value)
		}
	}
	r, err := exchange.Import(system, w.h.DB, flirt(t), true)
	if err != nil || !r.Same {
		t.Errorf("something changed: %+v %v", r, err)
	}
	w.verify()
}

// stored is the whole collection as it stands in the house.
func (w *world) stored() (d exchange.Document) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		d, _, err = exchange.ExportTx(ctx, tx, "FLIRT")
		return err
	})
	return d
}

func one[T any](t *testing.T, all []T, is func(T) bool) (found T) {
	t.Helper()
	n := 0
	for _, x := range all {
		if is(x) {
			found = x
			n++
		}
	}
	if n != 1 {
		t.Fatalf("there are %d of them", n)
	}
	return found
}

func alike(t *testing.T, got, want any) {
	t.Helper()
	a, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(want, "", " ")
	if err != nil || string(a) != string(b) {
		t.Errorf("the console made\n%s\nthe file says\n%s\n%v", a, b, err)
	}
}

func (f *filled) both(at string, t catalog.Text) {
	f.d.t.Helper()
	f.set(at+"/en", t.EN)
	f.set(at+"/fr", t.FR)
}

func (f *filled) titles(t catalog.Text) {
	f.d.t.Helper()
	f.set("title_en", t.EN)
	f.set("title_fr", t.FR)
}

func (d *desk) collection(c exchange.Collection) {
	d.t.Helper()
	d.open("/console/collections/new")
	f := d.form("/console/collections/new")
	f.set("/key", c.Key)
	f.both("/title", c.Title)
	f.both("/summary", c.Summary)
	f.press("", "")
	d.move("/console/collections/"+c.Key+"/state", "state")
}

// course writes a course whole, has it reviewed and publishes it under the charter.
func (d *desk) course(c exchange.Course) {
	d.t.Helper()
	const page = "/console/courses/new"
	d.open(page)
	d.form(page).set("key", c.Key)
	adds := func(list string, n int) {
		for range n {
			d.form(page).press("do", "add "+list)
		}
	}
	adds("/skills", len(c.Skills))
	adds("/prerequisites", len(c.Prerequisites))
	adds("/team", len(c.Team))
	adds("/chapters", len(c.Chapters))
	for i, x := range c.Chapters {
		adds(fmt.Sprintf("/chapters/%d/lectures", i), len(x.Lectures)-1) // a new chapter has one
	}
	f := d.form(page)
	f.set("key", c.Key)
	f.about(c.Draft)
	for i, x := range c.Chapters {
		f.chapter(fmt.Sprintf("/chapters/%d", i), x)
	}
	f.press("do", "save")
	d.move("/console/courses/"+c.Key+"/state", "state")
}

func (f *filled) about(d catalog.Draft) {
	f.d.t.Helper()
	f.both("/title", d.Title)
	f.both("/summary", d.Summary)
	f.set("/collection", d.Collection)
	f.set("/position", strconv.Itoa(d.Position))
	f.set("/level", d.Level)
	f.set("/language", d.Language)
	f.set("/workload_hours", strconv.Itoa(d.WorkloadHours))
	f.set("/ects_hundredths", fmt.Sprintf("%d.%02d", d.ECTSHundredths/100, d.ECTSHundredths%100))
	for i, s := range d.Skills {
		f.set(fmt.Sprintf("/skills/%d/key", i), s.Key)
		f.both(fmt.Sprintf("/skills/%d/title", i), s.Title)
	}
	for i, p := range d.Prerequisites {
		f.set(fmt.Sprintf("/prerequisites/%d/course", i), p.Course)
	}
	for i, m := range d.Team {
		at := fmt.Sprintf("/team/%d/", i)
		f.set(at+"name", m.Name)
		f.set(at+"role", m.Role)
		f.set(at+"school", m.School)
	}
	for name, said := range map[string]bool{
		"": true, "/who_are_you": d.Opening.WhoAreYou, "/motivations": d.Opening.Motivations, "/prerequisite_quiz": d.Opening.PrerequisiteQuiz,
		"/team_presentation": d.Opening.TeamPresentation, "/recommendations": d.Opening.Recommendations,
	} {
		if said {
			f.tick("/opening"+name, "1")
		}
	}
	f.tick("/closing", "1")
	f.tick("/closing/satisfaction", "1")
	for i, s := range d.Skills {
		if slices.Contains(d.Closing.Scales, s.Key) {
			f.tick(fmt.Sprintf("/closing/scales/%d", i), "1")
		}
	}
	f.set("/look/template", d.Look.Template)
	f.set("/look/logo", map[bool]string{true: "yes", false: "no"}[*d.Look.Logo])
	f.set("/look/text_points", strconv.Itoa(d.Look.TextPoints))
}

func (f *filled) chapter(at string, c catalog.Chapter) {
	f.d.t.Helper()
	f.both(at+"/title", c.Title)
	for j, l := range c.Lectures {
		here := fmt.Sprintf("%s/lectures/%d", at, j)
		f.both(here+"/title", l.Title)
		f.set(here+"/video_seconds", fmt.Sprintf("%d:%02d", l.VideoSeconds/60, l.VideoSeconds%60))
		f.set(here+"/minutes", strconv.Itoa(l.Minutes))
		f.set(here+"/concepts", strings.Join(l.Concepts, "\n"))
		f.activity(here+"/quiz", l.Quiz)
	}
	f.activity(at+"/case_study", c.CaseStudy)
	f.activity(at+"/lab", c.Lab)
}

func (f *filled) activity(at string, a *catalog.Activity) {
	f.d.t.Helper()
	f.tick(at, "1")
	if a.Scored {
		f.tick(at+"/scored", "1")
	}
	f.set(at+"/weight", strconv.Itoa(a.Weight))
	f.set(at+"/minutes", strconv.Itoa(a.Minutes))
	f.both(at+"/title", a.Title)
}

// move has what stands at a page reviewed, then published.
func (d *desk) move(form, button string) {
	d.t.Helper()
	for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
		d.form(form).press(button, string(to))
	}
}

func clockIn(zone string, t time.Time) string {
	at, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	return t.In(at).Format("2006-01-02T15:04")
}

// times fills in those that are said.
func (f *filled) times(zone string, of map[string]*time.Time) {
	f.d.t.Helper()
	for name, t := range of {
		if t != nil {
			f.set(name, clockIn(zone, *t))
		}
	}
}

func percent(ppm int) string { return catalog.FormatWeight(int64(ppm) * 100) }

// session makes a session, says all of it, pastes its exercise map, plans its days and publishes it.
func (d *desk) session(s exchange.Session) {
	d.t.Helper()
	page := "/console/sessions/" + s.Key
	d.open("/console/sessions")
	f := d.form("/console/sessions")
	f.set("key", s.Key)
	f.set("course", s.Course)
	f.set("kind", string(s.Kind))
	f.set("platform", s.Platform)
	f.titles(s.Title)
	f.press("", "")
	d.form(page).press("more", "yes") // rows for the policy
	f = d.form(page)
	for name, said := range map[string]string{"platform_key": s.PlatformKey, "course_url": s.CourseURL, "audience": s.Audience, "language": s.Language, "threshold": percent(s.ThresholdPPM), "min_days": strconv.Itoa(s.MinDays), "production": percent(s.ProductionPPM)} {
		f.set(name, said)
	}
	if s.Capacity != nil {
		f.set("capacity", strconv.Itoa(*s.Capacity))
	}
	f.times(catalog.DefaultZone, map[string]*time.Time{"starts_at": s.StartsAt, "ends_at": s.EndsAt, "enrol_from": s.EnrolFrom, "enrol_until": s.EnrolUntil})
	for i, a := range s.Policy {
		f.nth("policy_type", i, a.Type)
		f.nth("policy_weight", i, percent(a.WeightPPM))
		f.nth("policy_works", i, strconv.Itoa(a.MinCount))
		f.nth("policy_drop", i, strconv.Itoa(a.DropCount))
	}
	f.press("", "")
	var csv strings.Builder
	csv.WriteString("exercise,week,scored,weight,activity\n")
	for _, e := range s.Exercises {
		fmt.Fprintf(&csv, "%s,%d,%s,%s,%s\n", strconv.Quote(e.Label), e.Week, map[bool]string{true: "Y", false: "N"}[e.Scored], catalog.FormatWeight(e.WeightPPM), e.Activity)
	}
	f = d.form(page + "/exercises")
	f.set("map", csv.String())
	f.press("apply", "yes")
	for _, x := range s.Days {
		d.day(page, x)
	}
	d.move(page+"/move", "to")
}

func (d *desk) day(page string, x exchange.Day) {
	d.t.Helper()
	f := d.form(page + "/days")
	f.titles(x.Title)
	for name, said := range map[string]string{
		"place": x.Place, "zone": x.Zone, "starts_at": clockIn(x.Zone, x.StartsAt), "ends_at": clockIn(x.Zone, x.EndsAt), "capacity": strconv.Itoa(x.Capacity),
		"currency": string(x.Currency), "cost": money.Of(x.CostMinor, x.Currency).Decimal(), "per_head": money.Of(x.PerHeadMinor, x.Currency).Decimal(),
	} {
		f.set(name, said)
	}
	f.press("", "")
}

// follows builds a program of the file with the sessions of its edition, the edition, and what is sold of all that.
func (d *desk) follows(file exchange.Document, program, edition string) {
	d.t.Helper()
	var e exchange.Edition
	for _, e = range file.Editions {
		if e.Key == edition {
			break
		}
	}
	for _, p := range file.Programs {
		if p.Key == program {
			d.program(p)
		}
	}
	inside := map[string]bool{}
	for _, s := range e.Sessions {
		inside[s.Session] = true
	}
	for _, s := range file.Sessions {
		if inside[s.Key] {
			d.session(s)
		}
	}
	d.edition(e)
	for _, o := range file.Offers {
		if o.Edition == edition || inside[o.Session] {
			d.offer(o)
		}
	}
}

func (d *desk) program(p exchange.Program) {
	d.t.Helper()
	const page = "/console/programs/new"
	d.open(page)
	courses := p.Courses()
	for range courses {
		d.form(page).press("do", "add course")
	}
	f := d.form(page)
	f.set("program", p.Key)
	f.titles(p.Title)
	for name, said := range map[string]string{
		"summary_en": p.Summary.EN, "summary_fr": p.Summary.FR, "audience_en": p.Audience.EN, "audience_fr": p.Audience.FR, "language": p.Language,
		"organisations": strings.Join(p.Organisations, "\n"),
	} {
		f.set(name, said)
	}
	for i, c := range courses {
		f.nth("key", i, c.Key)
		f.nth("after", i, strings.Join(c.After, " "))
		f.nth("hours", i, strconv.Itoa(c.WorkloadHours))
		f.nth("ects", i, fmt.Sprintf("%d.%02d", c.ECTSHundredths/100, c.ECTSHundredths%100))
	}
	f.press("do", "save")
	d.move("/console/programs/"+p.Key+"/move", "to")
}

func (d *desk) edition(e exchange.Edition) {
	d.t.Helper()
	d.open("/console/editions/new?program=" + e.Program)
	f := d.form("/console/editions/new")
	f.set("edition", e.Key)
	f.titles(e.Title)
	f.set("lang", e.Lang)
	f.set("partner", e.Partner)
	if e.Capacity != nil {
		f.set("capacity", strconv.Itoa(*e.Capacity))
	}
	f.times(catalog.DefaultZone, map[string]*time.Time{"starts_at": e.StartsAt, "ends_at": e.EndsAt, "enrol_from": e.EnrolFrom, "enrol_until": e.EnrolUntil})
	for i, s := range e.Sessions {
		f.nth("session", i, s.Session)
		f.nth("opening", i, string(s.Opening))
	}
	f.press("", "")
	d.move("/console/editions/"+e.Key+"/move", "to")
}

func (d *desk) formula(x exchange.Formula) {
	d.t.Helper()
	d.open("/console/formulas/new")
	f := d.form("/console/formulas/new")
	f.set("key", x.Key)
	f.titles(x.Title)
	for name, said := range map[string]string{"pitch_en": x.Pitch.EN, "pitch_fr": x.Pitch.FR, "call_en": x.Call.EN, "call_fr": x.Call.FR, "position": strconv.Itoa(x.Position)} {
		f.set(name, said)
	}
	f.tick("entitlements", x.Entitlements...)
	if x.Qualifying {
		f.tick("qualifying", "1")
	}
	f.press("", "")
}

func (d *desk) offer(o exchange.Offer) {
	d.t.Helper()
	d.open("/console/offers")
	f := d.form("/console/offers")
	kind := "session"
	if o.Edition != "" {
		kind = "edition"
	}
	f.tick("kind", kind)
	f.set("on", o.Session+o.Edition)
	f.set("publication", "published")
	for name, said := range map[string]string{
		"formula": o.Formula, "amount": money.Of(o.PriceMinor, o.Currency).Decimal(), "currency": string(o.Currency), "audience": o.Audience, "call_en": o.Call.EN, "call_fr": o.Call.FR,
	} {
		f.set(name, said)
	}
	f.times(catalog.DefaultZone, map[string]*time.Time{"from": o.ValidFrom, "until": o.ValidUntil})
	if o.Quota != nil {
		f.set("quota", strconv.Itoa(*o.Quota))
	}
	f.press("", "")
}
