// Package mails holds the texts of the mails, one file per mail and language, and makes of each the two forms in which it is sent.
//
// A file says a mail once. Its first line is the subject; then paragraphs stand with an empty line between them. A line
// "[words](address)" alone is the button of the mail, lines "| name | value" are a table. Text and HTML come from the same
// lines, so that neither can say what the other does not.
package mails

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"

	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/money"
)

//go:embed *.txt layout.html
var files embed.FS

var (
	texts = texttemplate.Must(texttemplate.New("mails").Funcs(texttemplate.FuncMap{
		"money": func(a money.Amount) string { return a.Format("en") }, "somme": func(a money.Amount) string { return a.Format("fr") },
		"day":  func(t time.Time) string { return clock.Day(t, "en") + t.UTC().Format(", 15:04 UTC") },
		"jour": func(t time.Time) string { return clock.Day(t, "fr") + t.UTC().Format(" à 15 h 04 UTC") },
	}).ParseFS(files, "*.txt"))
	layout = template.Must(template.ParseFS(files, "layout.html"))
)

// Facts are what a mail can say. Each uses some of them; Title, Name and URL are there in every one.
type Facts struct {
	Name    string // of the person who reads
	Title   string // of the session or program, in her language
	URL     string // where to go on
	Order   string
	Formula string
	Total   money.Amount // of the order
	Amount  money.Amount // of what the mail is about, where it is not the order
	Kept    money.Amount // of the order, when a part goes back
	Left    money.Amount // of the order, to be paid
	Of      int          // how many of what Count counts there are
	Invoice string       // its number
	Verify  string       // address of the page that verifies a certificate
	At      time.Time    // when the thing of the mail happened, or does
	Until   time.Time    // the last moment to act
	Reason  string       // in words

	Reference string // of the thing that the mail is about, or to quote with a transfer
	Account   string // whose bank account to transfer to
	IBAN, BIC string
	Count     int // of seats, days or attempts
	Demo      bool
}

// Paid says whether the order cost anything.
func (f Facts) Paid() bool { return !f.Total.IsZero() }

// Mail is a mail in both forms.
type Mail struct{ Subject, Text, HTML string }

// Names lists the mails, sorted.
func Names() (names []string) {
	found, err := fs.Glob(files, "*.en.txt")
	if err != nil {
		panic(err) // the pattern is ours
	}
	for _, f := range found {
		names = append(names, strings.TrimSuffix(f, ".en.txt"))
	}
	slices.Sort(names)
	return names
}

// Write writes a mail in a language, en or fr. What stands in the facts is taken as words: it cannot add a line of its own, a
// link or markup.
func Write(name, lang string, f Facts) (Mail, error) {
	for _, s := range []*string{&f.Name, &f.Title, &f.Formula, &f.Invoice, &f.Reason, &f.Order, &f.Reference, &f.Account, &f.IBAN, &f.BIC} {
		*s = strings.Join(strings.Fields(*s), " ")
	}
	var b strings.Builder
	if err := texts.ExecuteTemplate(&b, name+"."+lang+".txt", f); err != nil {
		return Mail{}, fmt.Errorf("mail %s.%s: %w", name, lang, err)
	}
	subject, body, _ := strings.Cut(b.String(), "\n")
	m := Mail{Subject: strings.Join(strings.Fields(subject), " ")}
	blocks := read(body)
	var text []string
	for _, x := range blocks {
		text = append(text, x.text(map[string]string{"fr": "\u00a0:"}[lang]))
	}
	m.Text = strings.Join(text, "\n\n") + "\n"
	b.Reset()
	err := layout.Execute(&b, struct {
		Lang, Subject string
		Demo          bool
		Blocks        []block
	}{lang, m.Subject, f.Demo, blocks})
	m.HTML = b.String()
	return m, err
}

// block is one paragraph, one button or one table.
type block struct {
	Lines []string // of a paragraph
	Label string   // of a button
	URL   string
	Rows  [][2]string
}

func read(body string) (blocks []block) {
	for _, part := range strings.Split(strings.TrimSpace(body), "\n\n") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		var b block
		lines := strings.Split(part, "\n")
		if label, url, found := strings.Cut(part, "]("); found && len(lines) == 1 && part[0] == '[' && strings.HasSuffix(url, ")") {
			b.Label, b.URL = label[1:], strings.TrimSuffix(url, ")")
			blocks = append(blocks, b)
			continue
		}
		for _, l := range lines {
			if row, table := strings.CutPrefix(l, "| "); table {
				name, value, _ := strings.Cut(row, " | ")
				b.Rows = append(b.Rows, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
				continue
			}
			b.Lines = append(b.Lines, l)
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// text is the block as lines; colon is that of the language, where it is not the bare one.
func (b block) text(colon string) string {
	if colon == "" {
		colon = ":"
	}
	lines := slices.Clone(b.Lines)
	if b.URL != "" {
		lines = append(lines, b.Label+colon+"\n"+b.URL)
	}
	for _, r := range b.Rows {
		lines = append(lines, r[0]+colon+" "+r[1])
	}
	return strings.Join(lines, "\n")
}

// Sample are facts of no real person, for looking at the mails.
func Sample() Facts {
	at := time.Date(2026, 10, 5, 9, 30, 0, 0, time.UTC)
	return Facts{
		Name: "Awa N’Diaye", Title: "Réseaux : les bases", URL: "https://cursus.example/learning", Order: "ord_01hq3v5m8n", Formula: "QUALIFYING",
		Total: money.Of(15000, "EUR"), Amount: money.Of(5000, "EUR"), Kept: money.Of(1500, "EUR"), Reference: "wdr_01hq3v5m8n", Invoice: "IMT-2026-000042", Verify: "https://cursus.example/verify/7f3a", At: at,
		Until: at.AddDate(0, 0, 14), Reason: "asked for by the learner", Account: "IMT", IBAN: "FR7630006000011234567890189", BIC: "AGRIFRPP", Count: 3, Of: 4, Left: money.Of(7500, "EUR"), Demo: true,
	}
}
