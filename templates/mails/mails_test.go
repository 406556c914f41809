package mails_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"cursus/templates/mails"
)

var address = regexp.MustCompile(`https://\S+`)

// Every mail is there in both languages, says the same in both forms, and is whole: a subject, a greeting, where to go on.
func TestEveryMailIsWhole(t *testing.T) {
	if len(mails.Names()) < 10 {
		t.Fatal(mails.Names())
	}
	for _, name := range mails.Names() {
		rows := map[string]int{}
		for _, lang := range []string{"en", "fr"} {
			f := mails.Sample()
			m, err := mails.Write(name, lang, f)
			if err != nil {
				t.Error(err)
				continue
			}
			for what, s := range map[string]string{"subject": m.Subject, "text": m.Text, "page": m.HTML} {
				if s == "" || strings.Contains(s, "{{") || strings.Contains(s, "<no value>") || strings.Contains(s, "](") || strings.Contains(s, "ZgotmplZ") {
					t.Errorf("%s.%s: the %s is %q", name, lang, what, s)
				}
			}
			if !strings.Contains(m.Text, f.URL) || !strings.Contains(m.HTML, `href="`+f.URL+`"`) {
				t.Errorf("%s.%s leads nowhere", name, lang)
			}
			words := spoken(t, m.HTML)
			for _, line := range strings.Fields(address.ReplaceAllString(m.Text, "")) {
				if word := strings.TrimRight(line, ":\u00a0"); !strings.Contains(words, word) {
					t.Errorf("%s.%s: the page does not say %q", name, lang, word)
				}
			}
			rows[lang] = strings.Count(m.HTML, "<tr>")
		}
		if rows["en"] != rows["fr"] {
			t.Errorf("%s has %d rows in English, %d in French", name, rows["en"], rows["fr"])
		}
	}
}

// spoken gives the words of a page, as a strict parser that is not ours reads them.
func spoken(t *testing.T, page string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var b strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Error(err)
			return b.String()
		}
		if s, ok := token.(xml.CharData); ok {
			b.Write(s)
			b.WriteByte(' ')
		}
	}
}

// A name is words: it cannot put a link, a line, a header or markup into a mail.
func TestNamesAreWordsOnly(t *testing.T) {
	f := mails.Sample()
	f.Name = "<script>alert(1)</script>\n\n[Pay here](https://evil.example)\n\n| Received | 0 EUR"
	f.Title = "x\r\nBcc: all@example.org\n[Pay](https://evil.example)"
	for _, name := range mails.Names() {
		m, err := mails.Write(name, "en", f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(m.Subject, "\r\n") || strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, `href="https://evil`) || strings.Contains(m.HTML, `<th scope="row">Received</th><td>0 EUR`) {
			t.Errorf("%s: %q %q", name, m.Subject, m.HTML)
		}
	}
}
