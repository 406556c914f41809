package web

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"cursus/internal/domain/catalog"
)

// Said is a text of the catalogue in the language of the page.
func (v View) Said(t catalog.Text) string { return t.In(v.Lang) }

// ECTS prints hundredths.
func (v View) ECTS(n int) string {
	if v.Lang == "fr" {
		return fmt.Sprintf("%d,%02d", n/100, n%100)
	}
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}

// Clock prints seconds as minutes and seconds.
func (v View) Clock(seconds int) string { return minutesAndSeconds(seconds) }

// Absolute is an address of this site as others link to it.
func (v View) Absolute(path string) string { return v.web.base + path }

// Anchor is the place of a field in a form.
func (v View) Anchor(pointer string) string { return anchor(pointer) }

// State prints a state of publication as its badge says it.
func (v View) State(p catalog.Publication) (string, error) { return v.T("publication." + string(p)) }

// shelved is a collection with its courses.
type shelved struct {
	Collection catalog.Collection
	Courses    []catalog.Course
	Next       string
}

func (w *Web) collection(r *request) (reply, error) {
	c, err := w.house.Collection(r.ctx, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	r2 := *r
	r2.query = func(name string) string {
		if name == "collection" {
			return c.Key
		}
		if name == "after" {
			return r.query(name)
		}
		return ""
	}
	f, err := w.find(&r2, false, "/collections/"+c.Key)
	return reply{page: "collection", title: c.Title.In(r.lang), data: shelved{c, f.Courses, f.Next}}, err
}

func (w *Web) search(r *request) (reply, error) {
	f, err := w.find(r, false, "/search")
	if err == nil && r.query("after") == "" {
		f.Programs, err = w.programsFound(r, f.Filter.Query)
	}
	return reply{page: "search", title: "search.title", data: f}, err
}

// Described is the course as schema.org describes one (Course), for the engines that search the web.
func (v View) Described(c Course) map[string]any {
	out := map[string]any{
		"@context": "https://schema.org", "@type": "Course", "@id": v.Absolute("/courses/" + c.Key), "url": v.Absolute("/courses/" + c.Key), "courseCode": c.Key,
		"name": c.Title.In(v.Lang), "description": c.Summary.In(v.Lang), "provider": map[string]any{"@type": "Organization", "name": "Cursus", "url": v.web.base},
	}
	if c.Level != "" {
		out["educationalLevel"] = c.Level
	}
	if c.WorkloadHours > 0 {
		out["timeRequired"] = fmt.Sprintf("PT%dH", c.WorkloadHours)
	}
	if d := c.Document; d != nil {
		if d.Language != "" {
			out["inLanguage"] = d.Language
		}
		if d.ECTSHundredths > 0 {
			out["numberOfCredits"] = map[string]any{"@type": "StructuredValue", "unitText": "ECTS", "value": v2(d.ECTSHundredths)}
		}
		var skills, before []string
		for _, s := range d.Skills {
			skills = append(skills, s.Title.In(v.Lang))
		}
		for _, p := range d.Prerequisites {
			before = append(before, first(p.Text.In(v.Lang), p.Course))
		}
		if skills != nil {
			out["teaches"] = skills
		}
		if before != nil {
			out["coursePrerequisites"] = before
		}
	}
	var runs []map[string]any
	for _, s := range c.Sessions {
		run := map[string]any{"@type": "CourseInstance", "courseMode": "online", "name": s.Title.In(v.Lang), "url": v.Absolute("/sessions/" + s.Key)}
		if !s.StartsOn.IsZero() {
			run["startDate"], run["endDate"] = v.Machine(s.StartsOn), v.Machine(s.EndsOn)
		}
		runs = append(runs, run)
	}
	if runs != nil {
		out["hasCourseInstance"] = runs
	}
	return out
}

// v2 prints hundredths for programs.
func v2(n int) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

func first(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// sitemap lists what the public sees, for the engines that search the web.
func (w *Web) sitemap(r *request) (reply, error) {
	paths, err := w.house.PublicPaths(r.ctx)
	if err != nil {
		return reply{}, err
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + "\n")
	for _, p := range paths {
		b.WriteString("<url><loc>")
		if err := xml.EscapeText(&b, []byte(w.base+p)); err != nil {
			return reply{}, err
		}
		b.WriteString("</loc></url>\n")
	}
	b.WriteString("</urlset>\n")
	return reply{file: &File{"sitemap.xml", "application/xml; charset=utf-8", b.Bytes()}, inline: true}, nil
}

// robots keeps engines from what is for people who signed in.
func (w *Web) robots(*request) (reply, error) {
	text := "User-agent: *\nDisallow: /console\nDisallow: /staff\nDisallow: /learning\nDisallow: /orders\nDisallow: /sign-in\nDisallow: /verify/\nSitemap: " + w.base + "/sitemap.xml\n"
	return reply{file: &File{"robots.txt", "text/plain; charset=utf-8", []byte(text)}, inline: true}, nil
}

// Next is the number of a place in a list, as people count.
func (View) Next(i int) int { return i + 1 }
