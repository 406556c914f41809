package pdf

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
)

// Another program reads each row of a figure from the paper, in both languages; the same figure is the same bytes.
func TestAnotherProgramReadsAFigure(t *testing.T) {
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	n, rate := int64(6948), analytics.NewRate(414, 6948)
	f := analytics.Figure{
		At:         time.Date(2018, 10, 31, 21, 0, 0, 0, time.UTC),
		Definition: analytics.Definition{ID: "bilan", Version: 1, Title: catalog.Text{EN: "Bilan of a MOOC", FR: "Bilan du MOOC"}, Says: catalog.Text{EN: "The yearly form.", FR: "Le formulaire annuel."}},
		Columns: []analytics.Column{
			{ID: "code", Kind: analytics.Text, Title: catalog.Text{EN: "Code", FR: "Code"}}, {ID: "what", Kind: analytics.Text, Title: catalog.Text{EN: "What", FR: "Intitulé"}},
			{ID: "number", Kind: analytics.Count, Title: catalog.Text{EN: "Number", FR: "Nombre"}}, {ID: "rate", Kind: analytics.Share, Title: catalog.Text{EN: "Rate", FR: "Taux"}},
		},
		Notes: []catalog.Text{{EN: "Something to know.", FR: "Quelque chose à savoir."}},
	}
	for range 60 { // more than a page
		f.Rows = append(f.Rows, analytics.Row{Cells: []analytics.Cell{{Text: "A1"}, {Said: catalog.Text{EN: "Enrolled at the end", FR: "Inscrits à la clôture"}}, {Count: &n}, {Rate: &rate}}})
	}
	for lang, said := range map[string][]string{"en": {"Bilan of a MOOC", "Enrolled at the end", "6948", "6.0 % (414/6948; 5.4 % to 6.5 %)", "31 October 2018, 21:00 UTC", "Something to know."}, "fr": {"Bilan du MOOC", "Intitulé", "Inscrits à la clôture", "6 948", "6,0 % (414/6 948 ; de 5,4 % à 6,5 %)", "31 octobre 2018, 21:00 UTC", "Quelque chose à savoir."}} {
		doc, err := r.Figure(context.Background(), f, lang)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := r.Figure(context.Background(), f, lang); !bytes.Equal(doc, again) {
			t.Error(lang, "two printings differ")
		}
		text := squash(judge(t, "pdftotext", doc, "-enc", "UTF-8", "-layout"))
		for _, want := range said {
			if !strings.Contains(text, squash(want)) {
				t.Errorf("%s does not say %q", lang, want)
			}
		}
		if info := judge(t, "pdfinfo", doc); strings.Contains(info, "Pages:           1\n") {
			t.Error(info)
		}
	}
}
