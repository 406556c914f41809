package pdf

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"cursus/internal/domain/certificates"
)

func facts(name string) certificates.CertificateFacts {
	return certificates.CertificateFacts{
		Kind: "achievement", HolderName: name, CourseTitle: "Principes des réseaux de données", Session: "Session 7", Formula: "QUALIFYING",
		Issuer: "Institut Mines-Télécom", Grade: "87 %", IssuedAt: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		Code: "0123456789abcdefghjkmnpqrs", VerificationURL: "https://cursus.example/verify/0123456789abcdefghjkmnpqrs",
		Signatory: "La directrice des programmes", Language: "fr",
	}
}

func render(t testing.TB, f certificates.CertificateFacts) []byte {
	t.Helper()
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Certificate(context.Background(), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// judge asks poppler, which we did not write. A machine without it is told how to get it.
func judge(t *testing.T, program string, doc []byte, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is missing; install poppler-utils", program)
	}
	file := filepath.Join(t.TempDir(), "c.pdf")
	if err := os.WriteFile(file, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, append(append([]string{}, args...), file, "-")[:len(args)+1+btoi(program == "pdftotext")]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// squash drops spaces and direction marks and maps presentation forms to letters, which is what a search for a name does.
func squash(s string) string {
	return strings.Join(strings.FieldsFunc(norm.NFKC.String(s), func(r rune) bool {
		return r <= ' ' || r == '\u00a0' || r >= '\u200e' && r <= '\u200f' || r >= '\u202a' && r <= '\u202e'
	}), "")
}

func TestAnotherProgramReadsTheCertificate(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("Ndèye-Aïssatou ", 17))
	for name, want := range map[string]string{
		"Zoë O’Hara-Łukasiewicz": "Zoë O’Hara-Łukasiewicz",
		"Aïcha N'Diaye":          "Aïcha N'Diaye",
		"Aïcha N'Diaye 🎓":        "Aïcha N'Diaye ▯",
		"محمد عبد السلام":        "محمد عبد السلام",
		"王小明":                    "王小明",
		"Ли Wang 王":              "Ли Wang 王",
		long:                     long,
		strings.Repeat("W", 255): strings.Repeat("W", 255),
		strings.Repeat("王", 255): strings.Repeat("王", 255),
	} {
		doc := render(t, facts(name))
		if !bytes.Equal(doc, render(t, facts(name))) {
			t.Errorf("%q: two printings differ", name)
		}
		text := judge(t, "pdftotext", doc, "-enc", "UTF-8")
		for _, part := range []string{want, "Principes des réseaux de données", "0123456789abcdefghjkmnpqrs", "1er mars 2026", "87 %"} {
			if !strings.Contains(squash(text), squash(part)) {
				t.Errorf("%q: %q is not read back from\n%q", name, part, text)
			}
		}
		if strings.Contains(text, "DEMO") {
			t.Errorf("%q: a real certificate says DEMO", name)
		}
		info := strings.Join(strings.Fields(judge(t, "pdfinfo", doc)), " ")
		if !strings.Contains(info, "Pages: 1 ") || !strings.Contains(info, "(A4)") {
			t.Errorf("%q: not one page of A4: %s", name, info)
		}
	}
}

func TestDemoIsWrittenAcross(t *testing.T) {
	f := facts("Ada Lovelace")
	f.Demo, f.Language = true, "en"
	if text := judge(t, "pdftotext", render(t, f), "-raw"); !strings.Contains(squash(text), squash("DEMO – not a certificate")) {
		t.Errorf("no demo mark in %q", text)
	}
}

func TestArabicLettersJoin(t *testing.T) {
	for in, want := range map[string]string{
		"محمد": "\uFEE3\uFEA4\uFEE4\uFEAA",
		"سلام": "\uFEB3\uFEFC\uFEE1", // lam and alef are one sign, joined to the letter before
		"دار":  "\uFEA9\uFE8D\uFEAD", // none of these reaches out to the next
		"بَب":  "\uFE91\u064E\uFE90", // a vowel sign does not part letters
		"Ada":  "Ada",
	} {
		if got := string(shape([]rune(in))); got != want {
			t.Errorf("%s: got %+q, want %+q", in, got, want)
		}
	}
	for in, want := range map[string]string{ // the same line from left to right: a number behind Arabic stands to the left of it
		"abc محمد 123":     "abc 123 \uFEAA\uFEE4\uFEA4\uFEE3",
		"abc محمد 12 def":  "abc 12 \uFEAA\uFEE4\uFEA4\uFEE3 def",
		"abc محمد دار def": "abc \uFEAD\uFE8D\uFEA9 \uFEAA\uFEE4\uFEA4\uFEE3 def",
		"abc محمد 12 دار":  "abc \uFEAD\uFE8D\uFEA9 12 \uFEAA\uFEE4\uFEA4\uFEE3",
		"abc 12 محمد":      "abc 12 \uFEAA\uFEE4\uFEA4\uFEE3",
	} {
		if got := string(visual([]rune(in))); got != want {
			t.Errorf("%s: %+q, want %+q", in, got, want)
		}
	}
	if got := string(visual([]rune("محمد 12"))); got != "12 \uFEAA\uFEE4\uFEA4\uFEE3" {
		t.Errorf("digits keep their order in a right-to-left line: %+q", got)
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"", "Ada", "محمد (12) abc", "王\x00小\xff明", "🎓👩‍🎓", "e\u0301\u200d\u202e", strings.Repeat("ﷺ", 300)} {
		f.Add(s)
	}
	r, err := New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if _, err := r.Certificate(context.Background(), facts(name), nil); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	})
}
