package pdf

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jung-kurt/gofpdf"

	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/money"
	"cursus/templates/documents"
)

// column is one column of a table.
type column struct {
	Key   string
	X, W  float64
	Align string
}

type documentLayout struct {
	Left, Right, Top, Bottom, Foot, Step float64
	Size                                 map[string]float64
	Color                                map[string]string
	Seller, Buyer                        struct{ X, W float64 }
	Facts                                struct{ X, Label, W float64 }
	Columns, Taxes, Statement, Evidence  []column
	Digest, Transcript                   []column
	QR                                   struct{ X, Y, Size float64 } // of a transcript
	Watermark                            struct {
		X, Y, Size, Angle float64
		Color             string
	}
	Words map[string]map[string]string
	runes map[string]map[rune]bool // what the words of a language are drawn with
}

var _ invoicing.Printer = (*Renderer)(nil)

func readDocumentLayout() (l documentLayout, err error) {
	err = json.Unmarshal(documents.Layout, &l)
	l.runes = map[string]map[rune]bool{}
	for lang, words := range l.Words {
		l.runes[lang] = map[rune]bool{missing: true, '\u2026': true}
		for _, w := range words {
			drawn(l.runes[lang], clean(w))
		}
	}
	return l, err
}

// paper is a document of several pages in the making: y is where the next line stands.
type paper struct {
	*sheet
	documentLayout
	words  map[string]string
	lang   string
	y      float64
	footer string
	demo   bool
	heads  []column // of the table that a new page continues
}

// Document prints A4 pages in portrait.
func (r *Renderer) Document(_ context.Context, d invoicing.Full) (out []byte, err error) {
	return r.paper(d.Facts.Lang, d.IssuedAt, d.Facts.Demo, func(p *paper) []string { return textsOf(d) }, func(p *paper) { p.document(d) })
}

// paper makes a document: texts are all that it may draw, for the subsets of the embedded faces; draw sets it.
func (r *Renderer) paper(lang string, at time.Time, demo bool, texts func(*paper) []string, draw func(*paper)) (out []byte, err error) {
	defer func() { // the library panics on fonts that it does not understand
		if x := recover(); x != nil {
			out, err = nil, ErrRender.Because(fmt.Errorf("panic: %v", x))
		}
	}()
	words, ok := r.documents.Words[lang]
	if !ok {
		words, lang = r.documents.Words["en"], "en"
	}
	s := &sheet{gofpdf.New("P", "mm", "A4", ""), map[string]map[rune]place{}, maps.Clone(r.documents.runes[lang]), nil}
	s.SetCatalogSort(true)
	s.SetCompression(false) // of a page: a kilobyte saved is not worth a new compressor, and the bytes shall not depend on its version
	s.SetCreationDate(at.UTC())
	s.SetModificationDate(at.UTC())
	s.SetAutoPageBreak(false, 0)
	s.AliasNbPages("")
	p := &paper{sheet: s, documentLayout: r.documents.own(), words: words, lang: lang, demo: demo}
	for _, t := range texts(p) {
		drawn(s.runes, cleanTo(t, longestMention))
	}
	draw(p)
	var buf bytes.Buffer
	if err := s.Output(&buf); err != nil {
		return nil, ErrRender.Because(err)
	}
	return buf.Bytes(), nil
}

// own is the layout for one paper, which may change its colours.
func (l documentLayout) own() documentLayout {
	l.Color = maps.Clone(l.Color)
	return l
}

// longestMention is how many runes of a paragraph are printed: all that the database takes.
const longestMention = 2000

// textsOf are all texts of a document that people wrote.
func textsOf(d invoicing.Full) []string {
	f := d.Facts
	all := append([]string{d.Number, f.Reference, f.Reason, f.Payment.Means, f.Payment.Reference, f.OrderID, "0123456789 %.,/-:·•×"}, f.Mentions...)
	all = append(append(all, sellerLines(f.Seller, nil)...), buyerLines(f.Buyer, nil)...)
	all = append(all, f.Seller.Bank, f.Seller.IBAN, f.Seller.BIC)
	for _, l := range f.Lines {
		all = append(all, l.Description, l.DiscountReason, string(f.Currency))
	}
	return all
}

func sellerLines(s invoicing.Seller, words map[string]string) []string {
	all := []string{s.LegalName, s.LegalForm}
	all = append(all, addressLines(s.Address)...)
	if s.Registration != "" {
		all = append(all, s.RegistrationLabel+" "+s.Registration)
	}
	if s.VATNumber != "" {
		all = append(all, words["vat"]+" "+s.VATNumber)
	}
	if s.ActivityNumber != "" {
		all = append(all, words["activity"]+" "+s.ActivityNumber)
	}
	return filled(append(all, s.Email, s.Phone))
}

func buyerLines(b invoicing.Buyer, words map[string]string) []string {
	all := append([]string{b.Company, b.Name}, addressLines(b.Address)...)
	if b.VATNumber != "" {
		all = append(all, words["vat"]+" "+b.VATNumber)
	}
	return filled(append(all, b.Email))
}

func addressLines(a invoicing.Address) []string {
	if a.Street == "" && a.City == "" {
		return nil // a country alone is a rule of the export, not an address
	}
	return append(strings.Split(a.Street, "\n"), strings.TrimSpace(a.PostCode+" "+a.City), a.Country)
}

func filled(lines []string) (out []string) {
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// page begins another page with its foot, and the head of the table that goes on.
func (p *paper) page() {
	p.AddPage()
	if p.demo {
		w := p.Watermark
		runs := setLine(clean(p.words["demo"]), "sans-bold")
		p.SetTextColor(rgb(w.Color))
		p.TransformBegin()
		p.TransformRotate(w.Angle, w.X, w.Y)
		p.draw(runs, w.X-p.width(runs, w.Size)/2, w.Y, w.Size)
		p.TransformEnd()
	}
	p.rule(p.Foot - 4)
	lines := p.wrap(clean(p.footer), textBox{W: p.Right - p.Left - 26, Face: "sans"}, 7)
	p.put(lines[0], p.Left, p.Foot, 7, "sans", "soft")
	p.SetTextColor(rgb(p.Color["soft"]))
	p.SetFont("Helvetica", "", 7)
	p.Text(p.Right-20, p.Foot, fmt.Sprintf("%s %d / {nb}", p.words["page"], p.PageNo()))
	p.y = p.Top
	if p.heads != nil {
		p.head(p.heads)
	}
}

// room makes sure that a height is left on the page.
func (p *paper) room(h float64) {
	if p.y+h > p.Bottom {
		p.page()
	}
}

func (p *paper) rule(y float64) {
	p.SetDrawColor(rgb(p.Color["rule"]))
	p.SetLineWidth(0.2)
	p.Line(p.Left, y, p.Right, y)
}

// put sets one line of text at a baseline.
func (p *paper) put(text []rune, x, y, size float64, face, color string) {
	p.SetTextColor(rgb(p.Color[color]))
	p.draw(setLine(text, face), x, y, size)
}

// right sets one line that ends at x.
func (p *paper) right(text string, x, y, size float64, face, color string) {
	runs := setLine(clean(text), face)
	p.SetTextColor(rgb(p.Color[color]))
	p.draw(runs, x-p.width(runs, size), y, size)
}

// block sets paragraphs below each other in a box and gives the y after them; with flow it turns pages.
func (p *paper) block(lines []string, x, y, w, size float64, face, color string, flow bool) float64 {
	step := p.Step * size / p.Size["text"]
	for _, l := range lines {
		for _, part := range p.wrap(cleanTo(l, longestMention), textBox{W: w, Face: face}, size) {
			if flow && y > p.Bottom {
				p.page()
				y = p.y + step
			}
			p.put(part, x, y, size, face, color)
			y += step
		}
	}
	return y
}

// head sets the head of a table.
func (p *paper) head(columns []column) {
	p.SetFillColor(rgb(p.Color["band"]))
	p.Rect(p.Left-1, p.y, p.Right-p.Left+2, 6.4, "F")
	for _, c := range columns {
		p.cell(c, p.words[c.Key], p.y+4.4, p.Size["head"], "sans-bold", "accent")
	}
	p.y += 6.4 + p.Step
}

func (p *paper) cell(c column, text string, y, size float64, face, color string) {
	if c.Align == "right" {
		for size > 6 && p.width(setLine(clean(text), face), size) > c.W+0.5 { // a figure never breaks
			size -= 0.5
		}
		p.right(text, c.X+c.W, y, size, face, color)
		return
	}
	p.put(clean(text), c.X, y, size, face, color)
}

// row sets a row of a table; the first column breaks into lines, the others stand beside its first one.
func (p *paper) row(columns []column, cells []string, note string) {
	size := p.Size["text"]
	lines := p.wrap(clean(cells[0]), textBox{W: columns[0].W, Face: "sans"}, size)
	var notes [][]rune
	if note != "" {
		notes = p.wrap(clean(note), textBox{W: columns[0].W, Face: "sans"}, p.Size["small"])
	}
	p.room(min(float64(len(lines)+len(notes)), 4) * p.Step)
	for i := 1; i < len(columns); i++ {
		p.cell(columns[i], cells[i], p.y, size, "sans", "ink")
	}
	for i, l := range append(lines, notes...) {
		if p.y > p.Bottom {
			p.page()
		}
		if i < len(lines) {
			p.put(l, columns[0].X, p.y, size, "sans", "ink")
		} else {
			p.put(l, columns[0].X, p.y, p.Size["small"], "sans", "soft")
		}
		p.y += p.Step
	}
	p.rule(p.y - p.Step + 1.6)
	p.y += 1.8
}

// rate prints millionths as per cents without needless digits: "20 %", "5.5 %".
func rate(ppm int64, lang string) string {
	s := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%04d", ppm/10_000, ppm%10_000), "0"), ".")
	if lang == "fr" {
		return strings.ReplaceAll(s, ".", ",") + "\u00a0%"
	}
	return s + "\u00a0%"
}

func (p *paper) money(minor int64, c money.Currency) string { return money.Of(minor, c).Format(p.lang) }
