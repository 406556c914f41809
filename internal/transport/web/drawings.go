package web

import (
	"html/template"
	"strings"

	"cursus/internal/transport/web/chart"
)

type drawing struct {
	Title string
	SVG   template.HTML
}

// say collects texts and keeps the first error, so that a drawing reads as a drawing.
type say struct {
	w    *Web
	lang string
	err  error
}

func (s *say) text(key string, args ...any) string {
	t, err := s.w.words.text(s.lang, key, args...)
	if err != nil && s.err == nil {
		s.err = err
	}
	return t
}

// drawings describes each chart by its own bars, so that who hears the page hears the numbers.
func (s *say) drawings(all []chart.Bars) (out []drawing, err error) {
	for _, c := range all {
		var said []string
		for _, b := range c.Bars {
			said = append(said, b.Label+" "+b.Text)
		}
		c.Description = s.text("staff.chart.desc", strings.Join(said, "; "))
		out = append(out, drawing{c.Title, c.SVG()})
	}
	return out, s.err
}
