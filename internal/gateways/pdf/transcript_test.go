package pdf

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
)

// transcriptOf has a course in each standing, the workshops of one, and as many more as are asked for.
func transcriptOf(holder, lang string, more int) certificates.CertificateFacts {
	f, grade, low, at := facts(holder), 876_543, 412_000, time.Date(2026, 2, 3, 9, 0, 0, 0, time.UTC)
	f.Kind, f.Language, f.Grade = certificates.TranscriptKind, lang, ""
	f.Transcript = &certificates.Transcript{
		Heading: catalog.Text{EN: "Transcript of Records", FR: "Relevé de notes"}, Title: catalog.Text{EN: "Networks basics", FR: "Bases des réseaux"}, ECTSDone: 850, ECTSNeeded: 1800,
		Records: []certificates.Record{
			{Course: "PRD", Title: catalog.Text{EN: "Data networks", FR: "Réseaux de données"}, Session: "PRD-9", WorkloadHours: 50, ECTSHundredths: 650, GradePPM: &grade, State: certificates.RecordPassed, PassedAt: &at},
			{Course: "PRD", Title: catalog.Text{EN: "Data networks", FR: "Réseaux de données"}, Workshop: true, ECTSHundredths: 200, State: certificates.RecordPassed},
			{Course: "FTTH", Title: catalog.Text{EN: "Optical access", FR: "Accès optique"}, Session: "FTTH-2", ECTSHundredths: 300, GradePPM: &low, State: certificates.RecordNotPassed},
			{Course: "SR", Title: catalog.Text{FR: "Sécurité des réseaux"}, Session: "SR-1", ECTSHundredths: 300, State: certificates.RecordInProgress},
			{Course: "IOT", Title: catalog.Text{EN: "Sensors", FR: "Capteurs"}, Optional: true, ECTSHundredths: 150, State: certificates.RecordNotBegun},
		},
	}
	for i := range more {
		f.Transcript.Records = append(f.Transcript.Records, certificates.Record{Course: fmt.Sprint("C", i), Title: catalog.Text{EN: fmt.Sprintf("A course with a long title, number %d, of the networks of the future", i), FR: fmt.Sprintf("Un cours au long titre, numéro %d, sur les réseaux du futur", i)}, ECTSHundredths: 100, State: certificates.RecordNotBegun})
	}
	return f
}

// Another program reads every record of a transcript, in both languages, also over several pages; the same facts give the same bytes.
func TestAnotherProgramReadsTheTranscript(t *testing.T) {
	for lang, more := range map[string]int{"en": 0, "fr": 40} {
		f := transcriptOf("محمد عبد السلام Łukasz", lang, more)
		doc := render(t, f)
		if !bytes.Equal(doc, render(t, f)) {
			t.Errorf("%s: two printings differ", lang)
		}
		if err := api.Validate(bytes.NewReader(doc), model.NewDefaultConfiguration()); err != nil {
			t.Errorf("%s: pdfcpu: %v", lang, err)
		}
		text := squash(judge(t, "pdftotext", doc, "-enc", "UTF-8"))
		said := []string{
			"Transcript of Records", "Relevé de notes", "Networks basics", "Bases des réseaux", "Łukasz", f.Code, "Data networks", "Réseaux de données", "2026-02-03", "87", "41", "Sécurité des réseaux",
			"Not passed / Non validé", "In progress / En cours", "Not begun / Non commencé", "workshops / ateliers", "optional / facultatif", "The program is not complete. / Le programme n’est pas achevé.", "6.5", "8.5 / 18",
		}
		for i := range more {
			said = append(said, fmt.Sprintf("numéro %d, sur", i))
		}
		for _, part := range said {
			if lang == "fr" {
				if a, b, ok := strings.Cut(part, " / "); ok && !strings.HasPrefix(a, "8.") {
					part = b + " / " + a
				}
				part = strings.NewReplacer("6.5", "6,5", "8.5", "8,5").Replace(part)
			}
			if !strings.Contains(text, squash(part)) {
				t.Errorf("%s: %q is not read back from\n%s", lang, part, text)
			}
		}
		info := strings.Join(strings.Fields(judge(t, "pdfinfo", doc)), " ")
		if pages := map[string]string{"en": "Pages: 1 ", "fr": "Pages: 4 "}[lang]; !strings.Contains(info, pages) || !strings.Contains(info, "cursus-certificate "+f.Code) {
			t.Errorf("%s: not %s or without its code: %s", lang, pages, info)
		}
		if shots := os.Getenv("CURSUS_SHOTS"); shots != "" {
			if err := os.WriteFile(filepath.Join(shots, "transcript-"+lang+".pdf"), doc, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}
