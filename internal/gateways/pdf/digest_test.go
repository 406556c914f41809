package pdf

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/progress"
)

// A digest is read from the paper by another program, in both languages, with every one of many names; a count that is kept back is not printed;
// the same digest is the same bytes.
func TestAnotherProgramReadsADigest(t *testing.T) {
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	week, err := progress.ParseWeek("2026-W53")
	if err != nil {
		t.Fatal(err)
	}
	n := func(n int) *int { return &n }
	s := progress.SessionDigest{SessionCounts: progress.SessionCounts{
		Session: "PRD-9", Title: catalog.Text{EN: "Data networks", FR: "Réseaux de données"}, Learners: n(412),
		Furthest: []progress.Cell{{Name: "enrolled", Count: n(371)}, {Name: "certified"}}, Pace: []progress.Cell{{Name: "behind", Count: n(41)}, {Name: "silent"}},
	}, Certified: []string{"Žofia Šťastná (S-1)", "آمنة (S-2)", "李华 (S-3)"}}
	for i := range 300 {
		s.Started = append(s.Started, fmt.Sprintf("Awa Diop-Ndiaye (ESP-%03d)", i))
	}
	d := progress.Digest{Group: progress.Group{School: "École supérieure polytechnique", Key: "DIC1", Name: "Réseaux 2026", Title: s.Title}, Week: week, Members: 412, Shared: 303, Suppressed: true, Sessions: []progress.SessionDigest{s}}
	for lang, said := range map[string][]string{
		"fr": {"Progression de la semaine", "Réseaux 2026 · DIC1", "2026-W53: 28 décembre 2026 – 3 janvier 2027", "303 sur 412", "Žofia Šťastná (S-1)", "ESP-000", "ESP-150", "ESP-299", "Ont pris du retard cette semaine personne", "Inscrits, pas commencé 371", "Certifiés masqué", "En retard 41", "Tous 412"},
		"en": {"Weekly progress", "Data networks (PRD-9)", "303 of 412", "Fell behind in this week nobody", "Certified kept back", "Silent kept back"},
	} {
		doc, err := r.Digest(context.Background(), d, lang, false)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := r.Digest(context.Background(), d, lang, false); !bytes.Equal(doc, again) {
			t.Error(lang, "two printings differ")
		}
		text := strings.Join(strings.Fields(judge(t, "pdftotext", doc, "-enc", "UTF-8", "-layout")), " ")
		for _, want := range said {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q: %.3000s", lang, want, text)
			}
		}
	}
}
