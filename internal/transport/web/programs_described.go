package web

// DescribedProgram is the program as schema.org describes one (EducationalOccupationalProgram), for the engines that search the web.
func (v View) DescribedProgram(p ShownProgram) map[string]any {
	at := v.Absolute("/programs/" + p.Key)
	out := map[string]any{
		"@context": "https://schema.org", "@type": "EducationalOccupationalProgram", "@id": at, "url": at, "identifier": p.Key, "name": p.Published.Title.In(v.Lang),
		"description": p.Published.Summary.In(v.Lang), "inLanguage": p.Published.Language,
		"numberOfCredits": map[string]any{"@type": "StructuredValue", "unitText": "ECTS", "value": decimal(p.Path.Totals.ECTSHundredths.Min)},
	}
	var by, courses, sold []map[string]any
	for _, o := range p.Published.Organisations {
		by = append(by, map[string]any{"@type": "Organization", "name": o})
	}
	for _, c := range p.Published.Courses() {
		courses = append(courses, map[string]any{"@type": "Course", "courseCode": c.Key, "url": v.Absolute("/courses/" + c.Key), "name": p.Names[c.Key].In(v.Lang)})
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
