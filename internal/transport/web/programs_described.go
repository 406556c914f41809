package web

import (
	"fmt"
	"time"

	"cursus/internal/domain/programs"
)

// DescribedProgram is the program as schema.org describes one (EducationalOccupationalProgram), for the engines that search the web.
func (v View) DescribedProgram(p ShownProgram) map[string]any {
	at := v.Absolute("/programs/" + p.Key)
	out := map[string]any{
		"@context": "https://schema.org", "@type": "EducationalOccupationalProgram", "@id": at, "url": at, "identifier": p.Key, "name": p.Published.Title.In(v.Lang),
		"description": p.Published.Summary.In(v.Lang), "inLanguage": p.Published.Language,
		"numberOfCredits": map[string]any{"@type": "StructuredValue", "unitText": "ECTS", "value": decimal(p.Path.Totals.ECTSHundredths.Min)},
	}
	var courses, sold []map[string]any
	by := organisations(p.Published.Organisations...)
	for _, c := range p.Published.Courses() {
		courses = append(courses, v.describedCourse(c, p.Names))
	}
	for _, e := range p.Editions {
		for _, price := range e.Prices {
			sold = append(sold, map[string]any{
				"@type": "Offer", "url": at + "#" + e.Key, "price": price.Decimal(), "priceCurrency": string(price.Currency), "category": e.Title.In(v.Lang),
			})
		}
	}
	for name, all := range map[string][]map[string]any{"provider": by, "hasCourse": courses, "offers": sold} {
		if all != nil {
			out[name] = all
		}
	}
	return out
}

func organisations(names ...string) (all []map[string]any) {
	for _, name := range names {
		all = append(all, map[string]any{"@type": "Organization", "name": name})
	}
	return all
}

func (v View) describedCourse(c programs.CourseRule, names map[string]Text) map[string]any {
	return map[string]any{"@type": "Course", "courseCode": c.Key, "url": v.Absolute("/courses/" + c.Key), "name": names[c.Key].In(v.Lang)}
}

// DescribedEdition is an edition as schema.org describes one: the program in a period, its courses with the session in which each is
// followed, and what it costs.
func (v View) DescribedEdition(p soldEdition) map[string]any {
	e, at := p.Of, v.Absolute("/editions/"+p.Of.Key)
	out := map[string]any{
		"@context": "https://schema.org", "@type": "EducationalOccupationalProgram", "@id": at, "url": at, "identifier": e.Key, "name": e.Title.In(v.Lang),
		"description": e.Content.Summary.In(v.Lang), "inLanguage": e.Lang, "offers": v.offered(p.Comparison, at),
		"numberOfCredits": map[string]any{"@type": "StructuredValue", "unitText": "ECTS", "value": decimal(e.Content.Totals().ECTSHundredths.Min)},
	}
	by := e.Content.Organisations
	if e.Partner != "" {
		by = append(append([]string{}, by...), e.Partner)
	}
	if len(by) > 0 {
		out["provider"] = organisations(by...)
	}
	if e.Capacity != nil {
		out["maximumEnrollment"] = *e.Capacity
	}
	v.dated(out, map[string]*time.Time{"startDate": e.StartsAt, "endDate": e.EndsAt, "applicationStartDate": e.EnrolFrom, "applicationDeadline": e.EnrolUntil})
	var courses []map[string]any
	for _, c := range e.Content.Courses() {
		course := v.describedCourse(c, e.Names)
		if s, there := e.SessionOf(c.Key); there {
			run := map[string]any{"@type": "CourseInstance", "identifier": s.SessionKey, "url": v.Absolute("/sessions/" + s.SessionKey), "courseMode": "online", "courseWorkload": fmt.Sprintf("PT%dH", c.WorkloadHours)}
			v.dated(run, map[string]*time.Time{"startDate": s.StartsAt, "endDate": s.EndsAt})
			course["hasCourseInstance"] = run
		}
		courses = append(courses, course)
	}
	out["hasCourse"] = courses
	return out
}

// dated adds the times that are said.
func (v View) dated(out map[string]any, times map[string]*time.Time) {
	for name, t := range times {
		if t != nil {
			out[name] = v.Machine(*t)
		}
	}
}
