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
	"regexp"
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

	Stop      string // address at which such mails end
	Reference string // of the thing that the mail is about, or to quote with a transfer
	Account   string // whose bank account to transfer to
	IBAN, BIC string
	Count     int // of seats, days or attempts
	Demo      bool

	Parts       []Part // of a digest
	Unsubscribe string // address; empty: there is nothing to end
}

// Part is what a digest says of one course.
type Part struct {
	Title                      string
	Started, Behind, Certified string // names, or empty
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
	f.Parts = slices.Clone(f.Parts)
	for i := range f.Parts {
		for _, s := range []*string{&f.Parts[i].Title, &f.Parts[i].Started, &f.Parts[i].Behind, &f.Parts[i].Certified} {
			*s = strings.Join(strings.Fields(*s), " ")
		}
	}
	var b strings.Builder
	if err := texts.ExecuteTemplate(&b, name+"."+lang+".txt", f); err != nil {
		return Mail{}, fmt.Errorf("mail %s.%s: %w", name, lang, err)
	}
	subject, body, _ := strings.Cut(b.String(), "\n")
	var foot *block
	if f.Unsubscribe != "" {
		foot = &block{Lines: []string{"You get this mail because you asked for it."}, Label: "Unsubscribe", URL: f.Unsubscribe}
		if lang == "fr" {
			foot.Lines, foot.Label = []string{"Vous recevez ce courriel parce que vous l’avez demandé."}, "Se désabonner"
		}
	}
	return lay(strings.Join(strings.Fields(subject), " "), lang, read(body), foot, f.Demo)
}

// Letter is a mail whose words are data. Nothing in them is taken as HTML: a paragraph can have **strong** words and `code`. The foot says
// why she gets it and how to end that.
type Letter struct {
	Subject     string
	Paragraphs  []string
	Button, URL string // no words: no button
	Unsubscribe string // address; empty: there is nothing to end
}

// Set sets a letter in a language, en or fr.
func Set(lang string, l Letter, demo bool) (Mail, error) {
	var blocks []block
	for _, p := range l.Paragraphs {
		b := block{Lines: strings.Split(p, "\n")}
		for _, line := range b.Lines {
			b.Marked = append(b.Marked, inline(line))
		}
		blocks = append(blocks, b)
	}
	if l.Button != "" {
		blocks = append(blocks, block{Label: l.Button, URL: l.URL})
	}
	foot := &block{Lines: []string{"You get this mail because you learn, or learnt, with us."}, Label: "Unsubscribe", URL: l.Unsubscribe}
	if lang == "fr" {
		foot.Lines, foot.Label = []string{"Vous recevez ce courriel parce que vous apprenez, ou avez appris, avec nous."}, "Se désabonner"
	}
	subject := strings.Join(strings.Fields(l.Subject), " ")
	if demo {
		subject = map[bool]string{true: "[Démonstration] ", false: "[Demonstration] "}[lang == "fr"] + subject
	}
	if l.Unsubscribe == "" {
		foot = nil
	}
	return lay(subject, lang, blocks, foot, demo)
}

var marks = regexp.MustCompile("`[^`]+`|\\*\\*[^*]+\\*\\*")

// inline sets one line.
func inline(line string) template.HTML {
	return template.HTML(marks.ReplaceAllStringFunc(template.HTMLEscapeString(line), func(m string) string { //nolint:gosec // escaped before
		if m[0] == '`' {
			return "<code>" + m[1:len(m)-1] + "</code>"
		}
		return "<strong>" + m[2:len(m)-2] + "</strong>"
	}))
}

// lay makes both forms of a mail.
func lay(subject, lang string, blocks []block, foot *block, demo bool) (Mail, error) {
	m := Mail{Subject: subject}
	var text []string
	for _, x := range blocks {
		text = append(text, x.text(map[string]string{"fr": "\u00a0:"}[lang]))
	}
	if foot != nil {
		text = append(text, "-- \n"+foot.text(map[string]string{"fr": "\u00a0:"}[lang]))
	}
	m.Text = strings.Join(text, "\n\n") + "\n"
	var b strings.Builder
	err := layout.Execute(&b, struct {
		Lang, Subject string
		Demo          bool
		Blocks        []block
		Foot          *block
	}{lang, m.Subject, demo, blocks, foot})
	m.HTML = b.String()
	return m, err
}

// block is one paragraph, one button or one table.
type block struct {
	Lines  []string        // of a paragraph
	Marked []template.HTML // the same where they have marks
	Label  string          // of a button
	URL    string
	Rows   [][2]string
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
		Until: at.AddDate(0, 0, 14), Reason: "asked for by the learner", Account: "IMT", IBAN: "FR7630006000011234567890189", BIC: "AGRIFRPP", Stop: "https://cursus.example/reminders/ivt_01hq3v5m8n", Count: 3, Of: 4, Left: money.Of(7500, "EUR"), Demo: true,
		Parts: []Part{{Title: "Réseaux : les bases", Started: "Awa N’Diaye (S1), Zoé (S2)", Certified: "Moussa (S3)"}},
	}
}
