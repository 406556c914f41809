package pdf

import (
	"context"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/evidence"
	"cursus/internal/kernel/clock"
)

var _ evidence.Printer = (*Renderer)(nil)

// Evidence prints what the house can show of an order: A4 pages in portrait, in the file's language.
func (r *Renderer) Evidence(_ context.Context, f evidence.File) (out []byte, err error) {
	return r.paper(f.Lang, f.MadeAt, f.Demo, func(*paper) []string { return evidenceTexts(f) }, func(p *paper) { p.evidence(f) })
}

// evidenceTexts are all texts of the file that people wrote.
func evidenceTexts(f evidence.File) []string {
	all := []string{f.Order.ID, f.Buyer.Name, f.Buyer.Email, "0123456789 %.,/-:·•×()"}
	for _, l := range f.Order.Lines {
		all = append(append(all, l.Title.EN, l.Title.FR, l.Formula), l.Entitlements...)
	}
	for _, e := range f.Record {
		all = append(all, e.Detail)
	}
	for _, x := range f.Payments {
		all = append(all, x.ID, x.Intent, x.Method)
	}
	for _, x := range f.Disputes {
		all = append(all, x.ID, x.Reason)
	}
	for _, x := range f.Papers {
		all = append(all, x.Number, x.SHA256)
	}
	for _, x := range f.Certificates {
		all = append(all, x.Code, x.Session)
	}
	return all
}

func (p *paper) evidence(f evidence.File) {
	title := p.words["evidence"]
	p.SetTitle(title+" "+f.Order.ID, true)
	p.footer = title + " · " + f.Order.ID
	p.page()
	p.put(clean(title), p.Left, p.y+6, p.Size["title"], "sans-bold", "accent")
	p.y += 14
	p.said("order", f.Order.ID+" · "+p.instant(f.Order.PlacedAt)+" · "+f.Order.Total.Format(p.lang))
	p.said("buyer", f.Buyer.Name+" · "+f.Buyer.Email)
	terms := p.words["terms."+f.Terms.Withdrawal]
	if f.Terms.BeginNow {
		terms += "; " + p.words["terms.begin_now"]
	}
	p.said("terms", terms+" · "+p.instant(f.Terms.AgreedAt))
	p.said("made_at", p.instant(f.MadeAt))
	p.part("bought")
	for _, l := range f.Order.Lines {
		p.row(p.Evidence, []string{strconv.Itoa(l.Quantity) + " × " + l.Title.In(p.lang), "", l.Total.Format(p.lang)}, l.Formula+" "+p.words["opens"]+": "+strings.Join(l.Entitlements, ", "))
	}
	p.part("payments")
	for _, x := range f.Payments {
		method := x.Method
		if method == "" {
			method = f.Order.Way
		}
		if said := p.words[method]; said != "" {
			method = said
		}
		p.row(p.Evidence, []string{method, p.instant(x.CapturedAt), x.Captured.Format(p.lang)}, strings.TrimSpace(x.Intent+" "+x.ID))
	}
	if len(f.Disputes) > 0 {
		p.part("disputes")
	}
	for _, x := range f.Disputes {
		note := x.ID
		if x.AnswerBy != nil {
			note += " · " + p.words["answer_by"] + " " + p.instant(*x.AnswerBy)
		}
		p.row(p.Evidence, []string{strings.TrimSpace(p.words["dispute."+x.State] + " " + x.Reason), p.instant(x.OpenedAt), x.Amount.Format(p.lang)}, note)
	}
	p.part("record")
	for _, e := range f.Record {
		amount := ""
		if e.Amount != nil {
			amount = e.Amount.Format(p.lang)
		}
		p.row(p.Evidence, []string{strings.TrimSpace(p.words["ev."+e.What] + "  " + e.Detail), p.instant(e.At), amount}, "")
	}
	if len(f.Papers) > 0 {
		p.part("papers")
	}
	for _, x := range f.Papers {
		p.row(p.Evidence, []string{p.words[x.Kind] + " " + x.Number, p.instant(x.IssuedAt), ""}, "SHA-256 "+x.SHA256)
	}
	if len(f.Certificates) > 0 {
		p.part("certificates")
	}
	for _, x := range f.Certificates {
		p.row(p.Evidence, []string{x.Session + " · " + x.Code, p.instant(x.IssuedAt), ""}, "SHA-256 "+x.SHA256)
	}
	p.heads = nil
}

// said sets a fact in a line of its own; one that there is not takes none.
func (p *paper) said(key, text string) {
	if text == "" {
		return
	}
	p.put(clean(p.words[key]), p.Facts.X, p.y, p.Size["small"], "sans", "soft")
	p.y = p.block([]string{text}, p.Facts.X+p.Facts.Label, p.y, p.Facts.W, p.Size["text"], "sans", "ink", true)
}

// part begins a section with its table.
func (p *paper) part(key string) {
	p.heads = nil
	p.room(28)
	p.y += 6
	p.put(clean(p.words[key]), p.Left, p.y, p.Size["total"], "sans-bold", "accent")
	p.y += 3
	p.heads = p.Evidence
	p.head(p.heads)
}

func (p *paper) instant(t time.Time) string {
	return clock.Day(t, p.lang) + " " + t.UTC().Format("15:04")
}
