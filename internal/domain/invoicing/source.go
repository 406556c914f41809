package invoicing

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/platform/postgres"
)

// source is what a document takes from this room: who sells, under which regimes, and what the buyer wrote for this order.
type source struct {
	issuer  IssuerDetails
	byOffer map[string]string // key of the regime that an offer names
	billing *Buyer
}

// sourceTx reads all of it in one statement, because settlements wait for it.
func sourceTx(ctx context.Context, tx *postgres.Tx, by Issuer, n NewDocument) (s source, err error) {
	offers := make([]string, len(n.Lines))
	for i, l := range n.Lines {
		offers[i] = l.OfferID
	}
	var row struct {
		Issuer  []byte `db:"issuer"`
		Regimes []byte `db:"regimes"`
		ByOffer []byte `db:"by_offer"`
		Billing []byte `db:"billing"`
	}
	err = tx.Get(ctx, &row, q.Q("Source"), by.Code, pq.Array(offers), n.Organisation, tx.Now(), n.OrderID)
	if errors.Is(err, sql.ErrNoRows) {
		return s, ErrNoIssuer
	}
	if err != nil {
		return s, err
	}
	if s.issuer, err = readIssuer(row.Issuer, row.Regimes); err != nil {
		return s, err
	}
	if row.Billing != nil {
		s.billing = &Buyer{}
		err = json.Unmarshal(row.Billing, s.billing)
	}
	return s, errors.Join(err, json.Unmarshal(row.ByOffer, &s.byOffer))
}

// facts freezes what a document says.
func (s source) facts(kind string, n NewDocument) (f Facts, err error) {
	if n.Lang != "fr" {
		n.Lang = "en"
	}
	f = Facts{
		Lang: n.Lang, Currency: n.Currency, Seller: s.issuer.Seller, Buyer: n.Buyer.with(s.billing), OrderID: n.OrderID, Reference: n.Reference,
		Payment: n.Payment, Mentions: []string{}, Demo: n.Demo,
	}
	if !n.OrderedAt.IsZero() {
		at := n.OrderedAt.UTC()
		f.OrderedAt = &at
	}
	for i, l := range n.Lines {
		regime, found := s.issuer.regime(s.byOffer[l.OfferID])
		if !found {
			return f, ErrRegime
		}
		line, err := l.taxed(regime, n.Lang)
		if err != nil {
			return f, err
		}
		line.Position = i + 1
		f.Lines = append(f.Lines, line)
		if line.Reason != "" && !slices.Contains(f.Mentions, line.Reason) {
			f.Mentions = append(f.Mentions, line.Reason)
		}
	}
	if terms := s.issuer.Terms.In(n.Lang); terms != "" && kind != KindReceipt {
		f.Mentions = append(f.Mentions, terms)
	}
	return f, f.add()
}

// taxed works out the tax that a line contains.
func (n NewLine) taxed(r Regime, lang string) (Line, error) {
	l := Line{
		Description: n.Description, Quantity: n.Quantity, UnitMinor: n.UnitMinor, DiscountMinor: n.DiscountMinor, DiscountReason: n.DiscountReason,
		TaxCategory: r.Category, RatePPM: r.RatePPM, Reason: r.Mention.In(lang), ReasonCode: r.ReasonCode, OfferID: n.OfferID,
	}
	if n.Quantity < 1 || n.UnitMinor < 0 || n.DiscountMinor < 0 || n.UnitMinor > 0 && n.Quantity > (1<<62)/n.UnitMinor || n.DiscountMinor > n.Quantity*n.UnitMinor {
		return l, ErrAmounts
	}
	l.Total = n.Quantity*n.UnitMinor - n.DiscountMinor
	l.TaxMinor = taxIn(l.Total, r.RatePPM)
	l.NetMinor = l.Total - l.TaxMinor
	return l, nil
}

// with gives the buyer with what was written for an order in its place.
func (b Buyer) with(written *Buyer) Buyer {
	if written == nil {
		return b
	}
	out := *written
	out.ID = b.ID
	if out.Name == "" {
		out.Name = b.Name
	}
	if out.Email == "" {
		out.Email = b.Email
	}
	return out
}

// credit works out a credit note from the invoice and the credit notes before it. The tax of a line is taken back in proportion,
// so that when all of the line is, all of its tax is.
func credit(invoice Full, before []Full, c Credit) (f Facts, err error) {
	f = invoice.Facts
	f.Corrects, f.Reason, f.Lines = &Corrected{invoice.Number, invoice.IssuedAt}, c.Reason, nil
	credited, left := make([]int64, len(invoice.Facts.Lines)), make([]int64, len(invoice.Facts.Lines))
	for _, b := range before {
		for _, l := range b.Facts.Lines {
			if l.Position >= 1 && l.Position <= len(credited) {
				credited[l.Position-1] += l.Total
			}
		}
	}
	sum := int64(0)
	for i, l := range invoice.Facts.Lines {
		left[i] = l.Total - credited[i]
		sum += left[i]
	}
	if c.Amount.Currency != f.Currency || c.Amount.Minor <= 0 || c.Amount.Minor > sum {
		return f, ErrCredit
	}
	takes := make([]int64, len(left))
	if c.Lines == nil {
		shares, err := c.Amount.Allocate(left)
		if err != nil {
			return f, err
		}
		for i, s := range shares {
			takes[i] = s.Minor
		}
	}
	for _, l := range c.Lines {
		if l.Position < 1 || l.Position > len(takes) || l.Minor < 0 || l.Minor > left[l.Position-1] {
			return f, ErrCredit
		}
		takes[l.Position-1] += l.Minor
	}
	for i, l := range invoice.Facts.Lines {
		if takes[i] > left[i] {
			return f, ErrCredit
		}
		if takes[i] == 0 {
			continue
		}
		l.TaxMinor = share(credited[i]+takes[i], l.TaxMinor, l.Total) - share(credited[i], l.TaxMinor, l.Total)
		if takes[i] != l.Total {
			l.Quantity, l.UnitMinor, l.DiscountMinor, l.DiscountReason = 1, takes[i], 0, ""
		}
		l.Total, l.NetMinor = takes[i], takes[i]-l.TaxMinor
		f.Lines = append(f.Lines, l)
	}
	if err := f.add(); err != nil {
		return f, err
	}
	if f.Total != c.Amount.Minor {
		return f, ErrCredit
	}
	return f, nil
}

// postTax books the tax of an invoice or credit note; nothing where none is due.
func postTax(ctx context.Context, tx *postgres.Tx, d Document, orderID string, f Facts) error {
	if f.TaxMinor == 0 || d.Kind != KindInvoice && d.Kind != KindCreditNote {
		return nil
	}
	minor := f.TaxMinor
	if d.Kind == KindCreditNote {
		minor = -minor
	}
	return ledger.PostTx(ctx, tx, ledger.Posting{Reference: d.ID + ":tax", Kind: "tax", Currency: f.Currency, OccurredAt: tx.Now(), Entries: []ledger.Entry{
		{Account: ledger.RevenueTax, Minor: minor, OrderID: orderID}, {Account: ledger.Tax, Minor: -minor, OrderID: orderID},
	}})
}
