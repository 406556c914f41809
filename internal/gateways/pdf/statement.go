package pdf

import (
	"context"
	"strconv"
	"strings"

	"cursus/internal/domain/accounting"
	"cursus/internal/kernel/clock"
)

// Statement prints what was collected of a school's sales in a period, whose it is, what was settled and what is owed: A4 pages in portrait, in a
// language. The same statement gives the same bytes: nothing in it says when it was printed. demo marks it as of no value.
func (r *Renderer) Statement(_ context.Context, s accounting.PartnerStatement, name, lang string, demo bool) ([]byte, error) {
	texts := []string{s.Organisation, name, string(s.Currency), "0123456789 %.,/-−:·•×()"} // and the minus of what is owed the other way
	for _, l := range s.Lines {
		texts = append(texts, l.Agreement)
	}
	for _, x := range s.Settlements {
		texts = append(texts, x.Reference)
	}
	return r.paper(lang, s.Until, demo, func(*paper) []string { return texts }, func(p *paper) { p.statement(s, name) })
}

func (p *paper) statement(s accounting.PartnerStatement, name string) {
	title := p.words["settlement"]
	p.SetTitle(title+" "+s.Organisation, true)
	period := clock.Day(s.From, p.lang) + " " + p.words["until"] + " " + clock.Day(s.Until.Add(-1), p.lang) // its last day; the next one begins at Until
	p.footer = strings.Join([]string{title, s.Organisation, period}, " · ")
	p.page()
	p.put(clean(title), p.Left, p.y+6, p.Size["title"], "sans-bold", "accent")
	p.y += 16
	p.said("partner", strings.TrimSpace(name+" ("+s.Organisation+")"))
	p.said("period", period)
	p.y += 4
	p.head(p.Statement)
	p.heads = p.Statement
	say := func(what, note, orders string, collected, share *int64, owed int64) {
		cells := []string{p.words[what], orders, "", "", p.money(owed, s.Currency)}
		if collected != nil {
			cells[2], cells[3] = p.money(*collected, s.Currency), p.money(*share, s.Currency)
		}
		p.row(p.Statement, cells, note)
	}
	say("opening", "", "", nil, nil, s.Opening)
	for _, l := range s.Lines {
		say("by."+l.Collects, l.Agreement+" · "+rate(l.SharePPM, p.lang), strconv.FormatInt(l.Orders, 10), &l.Collected, &l.Share, l.Owed)
	}
	for _, x := range s.Settlements {
		say(x.Direction, x.Reference+" · "+clock.Day(x.SettledAt, p.lang), "", nil, nil, x.Effect())
	}
	p.heads = nil
	p.y += 4
	p.room(10)
	owes, closing := "owes", s.Closing
	if closing < 0 {
		owes, closing = "isowed", -closing
	}
	p.put(clean(p.words[owes]), p.Left, p.y, p.Size["total"], "sans-bold", "ink")
	p.right(p.money(closing, s.Currency), p.Right, p.y, p.Size["total"], "sans-bold", "ink")
}
