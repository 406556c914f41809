package web

import (
	"strings"
	"testing"

	"cursus/internal/domain/outreach"
)

// The chart of the enrolments around a mailing marks the day of the mailing, and no other one.
func TestAMailingIsMarkedAmongItsDays(t *testing.T) {
	_, w := open(t, newFake(), "http://127.0.0.1:8080")
	for lang, mark := range map[string]string{"en": ">✉ mailing</text>", "fr": ">✉ envoi</text>"} {
		d, err := w.drawDays(lang, []outreach.Day{{Day: -1, Others: 2}, {Day: 0, Mailed: 1}, {Day: 1, Mailed: 7, Others: 1}})
		if err != nil {
			t.Fatal(err)
		}
		svg := string(d.SVG)
		before, _, found := strings.Cut(svg, mark)
		if !found || strings.Count(svg, mark) != 1 || !strings.Contains(before, ">-1</text>") || !strings.Contains(svg, ">+1</text>") {
			t.Errorf("%s: the mailing is not marked between the days around it:\n%s", lang, svg)
		}
	}
}
