package pdf

import (
	"fmt"
	"strings"

	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/clock"
)

// document sets a document: who and to whom, what and when, the lines, the taxes, the totals, the mentions.
func (p *paper) document(d invoicing.Full) {
	f := d.Facts
	p.SetTitle(p.words[d.Kind]+" "+d.Number, true)
	p.SetAuthor(string(clean(f.Seller.LegalName)), true)
	p.footer = strings.Join(filled([]string{f.Seller.LegalName, f.Seller.RegistrationLabel + " " + f.Seller.Registration, d.Number}), " · ")
	if f.Seller.Registration == "" {
		p.footer = f.Seller.LegalName + " · " + d.Number
	}
	p.page()
	p.put(clean(p.words[d.Kind]), p.Left, p.y+6, p.Size["title"], "sans-bold", "accent")
	p.right(d.Number, p.Right, p.y+2, p.Size["total"], "sans-bold", "ink")
	p.right(clock.Day(d.IssuedAt, p.lang), p.Right, p.y+7, p.Size["text"], "sans", "soft")
	p.y += 18
	p.parties(f)
	p.facts(d)
	p.lines(f)
	p.taxes(f)
	p.totals(d)
	p.mentions(d)
}

func (p *paper) parties(f invoicing.Facts) {
	size, small := p.Size["text"], p.Size["small"]
	p.put(clean(p.words["from"]), p.Seller.X, p.y, small, "sans", "soft")
	p.put(clean(p.words["billed"]), p.Buyer.X, p.y, small, "sans", "soft")
	left, right := sellerLines(f.Seller, p.words), buyerLines(f.Buyer, p.words)
	y, top := p.y+5, p.y+5
	y = p.block(left[:1], p.Seller.X, y, p.Seller.W, size, "sans-bold", "ink", false)
	y = p.block(left[1:], p.Seller.X, y, p.Seller.W, size, "sans", "ink", false)
	if len(right) > 0 {
		top = p.block(right[:1], p.Buyer.X, top, p.Buyer.W, size, "sans-bold", "ink", false)
		top = p.block(right[1:], p.Buyer.X, top, p.Buyer.W, size, "sans", "ink", false)
	}
	p.y = max(y, top) + 4
}

// facts sets what there is of order, payment and correction, a line each.
func (p *paper) facts(d invoicing.Full) {
	f := d.Facts
	if f.Corrects != nil {
		p.said("corrects", f.Corrects.Number+" "+p.words["of"]+" "+clock.Day(f.Corrects.IssuedAt, p.lang))
	}
	p.said("reason", f.Reason)
	p.said("order", f.OrderID)
	if f.OrderedAt != nil {
		p.said("ordered_at", clock.Day(*f.OrderedAt, p.lang))
	}
	p.said("reference", f.Reference)
	if f.Payment.PaidAt != nil && d.Kind != invoicing.KindCreditNote {
		p.said("paid", clock.Day(*f.Payment.PaidAt, p.lang))
	}
	if f.Payment.DueAt != nil && f.Payment.PaidAt == nil {
		p.said("due", clock.Day(*f.Payment.DueAt, p.lang))
	}
	for _, due := range f.Payment.Schedule {
		p.said("instalment", clock.Day(due.At, p.lang)+": "+p.money(due.Minor, f.Currency))
	}
	if means := f.Payment.Means; means != "" {
		if w := p.words[means]; w != "" {
			means = w
		}
		p.said("means", means)
	}
	p.said("payment", f.Payment.Reference)
	p.y += 4
}

func (p *paper) lines(f invoicing.Facts) {
	p.room(30)
	p.head(p.Columns)
	p.heads = p.Columns
	for _, l := range f.Lines {
		discount := ""
		if l.DiscountMinor > 0 {
			discount = p.money(l.DiscountMinor, f.Currency)
		}
		p.row(p.Columns, []string{
			l.Description, fmt.Sprint(l.Quantity), p.money(l.UnitMinor, f.Currency), discount, rate(l.RatePPM, p.lang), p.money(l.Total, f.Currency),
		}, l.DiscountReason)
	}
	p.heads = nil
	p.put(clean(p.words["prices"]), p.Left, p.y, p.Size["small"], "sans", "soft")
	p.y += 8
}

func (p *paper) taxes(f invoicing.Facts) {
	p.room(14 + 7*float64(len(f.Taxes)))
	p.head(p.Taxes)
	for _, t := range f.Taxes {
		p.row(p.Taxes, []string{
			p.words[t.TaxCategory], rate(t.RatePPM, p.lang), p.money(t.NetMinor, f.Currency), p.money(t.TaxMinor, f.Currency), p.money(t.Total, f.Currency),
		}, "")
	}
	p.y += 3
}

func (p *paper) totals(d invoicing.Full) {
	f := d.Facts
	p.room(34)
	say := func(key string, minor int64, strong bool) {
		size, face := p.Size["text"], "sans"
		if strong {
			size, face = p.Size["total"], "sans-bold"
		}
		p.right(p.words[key], p.Right-36, p.y, size, face, "ink")
		p.right(p.money(minor, f.Currency), p.Right, p.y, size, face, "ink")
		p.y += 5.4
	}
	say("sum_net", f.NetMinor, false)
	say("sum_tax", f.TaxMinor, false)
	say("sum_total", f.Total, true)
	switch {
	case d.Kind == invoicing.KindCreditNote:
		say("sum_credit", f.Total, false)
	case f.Payment.PaidAt != nil:
		say("sum_paid", f.Total, false)
		say("sum_due", 0, true)
	default:
		say("sum_due", f.Total, true)
	}
	p.y += 6
}

func (p *paper) mentions(d invoicing.Full) {
	all := append([]string{}, d.Facts.Mentions...)
	switch d.Kind {
	case invoicing.KindProforma:
		all = append([]string{p.words["not_invoice"]}, all...)
	case invoicing.KindReceipt:
		all = append([]string{p.words["receipt_note"]}, all...)
	}
	for _, m := range all {
		p.y = p.block(strings.Split(m, "\n"), p.Left, p.y, p.Right-p.Left, p.Size["small"], "sans", "ink", true) + 1.5
	}
	if s := d.Facts.Seller; s.IBAN != "" && d.Kind != invoicing.KindReceipt {
		p.room(12)
		p.y = p.block([]string{p.words["bank"]}, p.Left, p.y+2, p.Right-p.Left, p.Size["small"], "sans-bold", "ink", true)
		p.y = p.block(filled([]string{s.Bank, "IBAN " + s.IBAN, strings.TrimSpace("BIC " + s.BIC)}), p.Left, p.y, p.Right-p.Left, p.Size["small"], "sans", "ink", true)
	}
}
