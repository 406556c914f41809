package pdf

import (
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/clock"
)

// transcript prints a transcript: A4 pages in portrait, in English and in French beside each other. Its code, and the QR code of where it is verified,
// are those of a certificate.
func (r *Renderer) transcript(f certificates.CertificateFacts) ([]byte, error) {
	t := f.Transcript
	texts := []string{f.HolderName, f.Issuer, f.Session, f.Formula, f.Code, f.VerificationURL, f.Signatory, t.Title.EN, t.Title.FR, t.Heading.EN, t.Heading.FR, "0123456789 %.,/-:·•×()+"}
	texts = append(texts, f.Partners...)
	for _, x := range f.Look.Signatures {
		texts = append(texts, x.Name, x.Role, x.Organisation)
	}
	for _, x := range t.Records {
		texts = append(texts, x.Title.EN, x.Title.FR, x.Session, x.By)
	}
	for _, words := range r.documents.Words { // both languages stand on every page
		for _, w := range words {
			texts = append(texts, w)
		}
	}
	lang, other := "en", "fr"
	if f.Language == other {
		lang, other = other, lang
	}
	printed := f.IssuedAt
	if f.ReissuedAt != nil {
		printed = *f.ReissuedAt
	}
	var failed error
	out, err := r.paper(lang, printed, f.Demo, func(*paper) []string { return texts }, func(p *paper) {
		both := bilingual{p: p, other: r.documents.Words[other]}
		failed = both.draw(f, r.layout.with(f.Look))
	})
	if err == nil && failed != nil {
		err = ErrRender.Because(failed)
	}
	return out, err
}

// bilingual is a paper whose words are said in the language of its reader and in another one.
type bilingual struct {
	p     *paper
	other map[string]string
}

func (b bilingual) say(key string) string { return pair(b.p.words[key], b.other[key]) }

// pair says two texts once where they are the same.
func pair(first, second string) string {
	if second == "" || second == first {
		return first
	}
	if first == "" {
		return second
	}
	return first + " / " + second
}

// order gives a text in the language of the reader, then in the other one.
func (b bilingual) order(t catalog.Text) (first, second string) {
	if b.p.lang == "fr" {
		return t.FR, t.EN
	}
	return t.EN, t.FR
}

func (b bilingual) draw(f certificates.CertificateFacts, l layout) error {
	p, t := b.p, f.Transcript
	heading := pair(b.order(t.Heading))
	p.SetTitle(heading+" "+string(clean(pair(b.order(t.Title)))), true)
	p.SetAuthor(string(clean(f.Issuer)), true)
	p.SetKeywords(mark+f.Code, false)
	p.Color["accent"] = l.Colors["accent"]
	p.footer = strings.Join(filled([]string{f.Issuer, b.say("code") + " " + f.Code, f.VerificationURL}), " · ")
	p.page()
	l.QR.X, l.QR.Y, l.QR.Size = p.QR.X, p.QR.Y, p.QR.Size
	if err := l.code(p.sheet, f.VerificationURL); err != nil {
		return err
	}
	w := p.QR.X - p.Left - 4 // beside the QR code
	p.y = p.block([]string{strings.Join(append([]string{f.Issuer}, f.Partners...), " · ")}, p.Left, p.y+2, w, p.Size["total"], "sans-bold", "accent", false)
	p.y = p.block([]string{heading}, p.Left, p.y+4, w, p.Size["title"]*0.8, "serif-bold", "accent", false)
	p.y = max(p.y, p.QR.Y+p.QR.Size) + 4
	b.fact("holder", f.HolderName)
	b.fact("program", pair(b.order(t.Title)))
	b.fact("edition", strings.Join(filled([]string{f.Session, f.Formula}), " · "))
	b.fact("issued_on", pair(clock.Day(f.IssuedAt, p.lang), clock.Day(f.IssuedAt, p.otherLanguage())))
	if f.ReissuedAt != nil {
		b.fact("reissued_on", pair(clock.Day(*f.ReissuedAt, p.lang), clock.Day(*f.ReissuedAt, p.otherLanguage())))
	}
	b.fact("code", f.Code)
	p.y += 3
	b.heads()
	for _, x := range t.Records {
		b.record(x)
	}
	p.heads = nil
	b.sums(f)
	return nil
}

// otherLanguage is the language that a paper is not in.
func (p *paper) otherLanguage() string {
	if p.lang == "fr" {
		return "en"
	}
	return "fr"
}

// fact sets a line under a label of its own, which may be as wide as two languages.
func (b bilingual) fact(key, text string) {
	p := b.p
	p.put(clean(b.say(key)), p.Left, p.y, p.Size["small"], "sans", "soft")
	face := "sans"
	if key == "holder" {
		face = "sans-bold"
	}
	p.y = p.block([]string{text}, p.Left+52, p.y, p.Right-p.Left-52, p.Size["text"], face, "ink", true)
}

// heads sets the head of the table, and has every further page repeat it.
func (b bilingual) heads() {
	p := b.p
	words := map[string]string{}
	for k, w := range p.words {
		words[k] = w
	}
	for _, c := range p.Transcript {
		words[c.Key] = b.say(c.Key)
	}
	p.words = words
	p.head(p.Transcript)
	p.heads = p.Transcript
}

func (b bilingual) record(x certificates.Record) {
	p := b.p
	title, note := b.order(x.Title)
	if title == "" || note == title { // one language, or the same in both
		title, note = pair(title, note), ""
	}
	notes := filled([]string{note, x.Session})
	if x.Workshop {
		notes = append(notes, b.say("workshop"))
	}
	if x.Optional {
		notes = append(notes, b.say("optional"))
	}
	if x.By != "" {
		notes = append(notes, b.say("by_other")+" "+x.By)
	}
	cells := []string{title, hundredths(x.ECTSHundredths, p.lang), "–", b.say("record." + x.State), "–"}
	if x.GradePPM != nil {
		cells[2] = wholePercent(*x.GradePPM, p.lang)
	}
	if x.PassedAt != nil {
		cells[4] = x.PassedAt.UTC().Format("2006-01-02") // the same in every language
	}
	p.row(p.Transcript, cells, strings.Join(notes, " · "))
}

// wholePercent prints millionths as whole per cents, rounded down: nobody is given a grade that she did not reach.
func wholePercent(ppm int, lang string) string {
	return rate(int64(ppm/10_000)*10_000, lang)
}

// sums closes the table: what is earned of what is asked for, what is not passed, and who signs.
func (b bilingual) sums(f certificates.CertificateFacts) {
	p, t := b.p, f.Transcript
	p.room(30)
	p.y += 2
	line := func(key, text string) {
		p.put(clean(b.say(key)), p.Left, p.y, p.Size["text"], "sans-bold", "ink")
		p.right(text, p.Right, p.y, p.Size["text"], "sans-bold", "ink")
		p.y += p.Step + 1
	}
	line("ects_earned", hundredths(t.ECTSDone, p.lang)+" / "+hundredths(t.ECTSNeeded, p.lang))
	missing := 0
	for _, x := range t.Records {
		if x.State != certificates.RecordPassed && !x.Optional {
			missing++
		}
	}
	standing := "program_open"
	if t.Complete {
		standing = "program_complete"
	}
	p.y = p.block([]string{b.say(standing)}, p.Left, p.y, p.Right-p.Left, p.Size["text"], "sans", "ink", true)
	if missing > 0 {
		p.y = p.block([]string{b.say("not_passed_note")}, p.Left, p.y, p.Right-p.Left, p.Size["small"], "sans", "soft", true)
	}
	p.y = p.block([]string{b.say("scale")}, p.Left, p.y, p.Right-p.Left, p.Size["small"], "sans", "soft", true) + 6
	for i, x := range signaturesOn(f) {
		who := strings.Join(filled([]string{x["name"], x["role"], x["organisation"]}), " · ")
		face := "sans"
		if i == 0 {
			face = "sans-bold"
		}
		p.y = p.block([]string{who}, p.Left, p.y, p.Right-p.Left, p.Size["text"], face, "ink", true)
	}
}
