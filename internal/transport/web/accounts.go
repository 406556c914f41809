package web

import (
	"strings"
	"time"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	paging "cursus/internal/kernel/page"
)

// Minor is an amount in minor units of a currency, for people.
func (v View) Minor(minor int64, c money.Currency) string { return amount(v.Lang, money.Of(minor, c)) }

// dayField reads a field of type date, at midnight UTC; nothing is nil.
func dayField(pointer, s string) (*time.Time, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // nothing was said
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1900 || t.Year() > 2199 {
		return nil, fault.InvalidInput(fault.Field{Pointer: pointer, Code: "bad-day", Detail: "Such as 2026-09-14."})
	}
	return &t, nil
}

// span reads the period and the currency of a page; without them it is this year until the end of today, in euros.
func (w *Web) span(r *request) (p accounting.Period, c money.Currency, err error) {
	now := w.clock.Now().UTC()
	p = accounting.Period{From: time.Date(now.Year(), 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, time.UTC)}
	from, err := dayField("query/from", r.query("from"))
	if err != nil {
		return p, c, err
	}
	until, err := dayField("query/until", r.query("until"))
	if err != nil {
		return p, c, err
	}
	if from != nil {
		p.From = *from
	}
	if until != nil {
		p.Until = until.AddDate(0, 0, 1) // people name the last day of a period
	}
	c = "EUR"
	if s := r.query("currency"); s != "" {
		c, err = money.ParseCurrency(s)
	}
	return p, c, err
}

// spanned is what pages with a period show of it.
type spanned struct {
	From, Until string // days, both within
	Currency    money.Currency
	Currencies  []money.Currency
}

func spannedOf(p accounting.Period, c money.Currency) spanned {
	return spanned{p.From.Format(time.DateOnly), p.Until.AddDate(0, 0, -1).Format(time.DateOnly), c, money.Currencies()}
}

func (w *Web) orderDocuments(r *request) (reply, error) {
	all, err := w.house.OrderDocuments(r.ctx, r.viewer, r.param("id"))
	return reply{page: "acc_mine", title: "documents.mine", data: map[string]any{"Order": r.param("id"), "Documents": all}}, err
}

func (w *Web) documentFile(r *request) (reply, error) {
	format := r.param("format")
	if format != "pdf" && format != "xml" {
		return reply{}, invoicing.ErrNoDocument
	}
	f, err := w.house.DocumentFile(r.ctx, r.viewer, r.param("id"), format)
	return reply{file: &f}, err
}

// documentPage is what the page of the documents shows.
type documentPage struct {
	Documents   []invoicing.Full
	Filter      invoicing.Filter
	From, Until string
	Kinds       []string
	Next        string // cursor
}

func (w *Web) documentList(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	data := documentPage{
		Filter: invoicing.Filter{Kind: r.query("kind"), Issuer: strings.ToUpper(strings.TrimSpace(r.query("issuer"))), Text: strings.TrimSpace(r.query("q"))},
		From:   r.query("from"), Until: r.query("until"), Kinds: []string{invoicing.KindInvoice, invoicing.KindCreditNote, invoicing.KindProforma, invoicing.KindReceipt},
	}
	if data.Filter.From, err = dayField("query/from", data.From); err != nil {
		return reply{}, err
	}
	until, err := dayField("query/until", data.Until)
	if err != nil {
		return reply{}, err
	}
	if until != nil {
		next := until.AddDate(0, 0, 1)
		data.Filter.Until = &next
	}
	all, next, err := w.house.Documents(r.ctx, r.viewer, data.Filter, p)
	data.Documents, data.Next = all, paging.Cursor(next)
	return reply{page: "acc_documents", title: "documents.title", data: data}, err
}

// accountPage is what the page of the accounts shows: the balances, and the entries of one account where it was chosen.
type accountPage struct {
	spanned
	AsOf    string
	Rows    []accounting.Row
	Account string
	Entries []accounting.Entry
	Next    string // cursor
}

func (w *Web) accountList(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	period, currency, err := w.span(r)
	if err != nil {
		return reply{}, err
	}
	data := accountPage{spanned: spannedOf(period, currency), AsOf: r.query("as_of"), Account: r.query("account")}
	asOf := w.clock.Now()
	day, err := dayField("query/as_of", data.AsOf)
	if err != nil {
		return reply{}, err
	}
	if day != nil {
		asOf = day.AddDate(0, 0, 1).Add(-time.Microsecond)
	}
	if data.Rows, err = w.house.Accounts(r.ctx, r.viewer, asOf); err != nil || data.Account == "" {
		return reply{page: "acc_accounts", title: "accounts.title", data: data}, err
	}
	all, next, err := w.house.AccountEntries(r.ctx, r.viewer, accounting.Filter{Account: data.Account, Currency: string(currency)}, p)
	data.Entries, data.Next = all, paging.Cursor(next)
	return reply{page: "acc_accounts", title: "accounts.title", data: data}, err
}

func (w *Web) journalFile(r *request) (reply, error) {
	period, currency, err := w.span(r)
	if err != nil {
		return reply{}, err
	}
	if format := r.param("format"); format != "csv" && format != "txt" {
		return reply{}, accounting.ErrAccount
	}
	f, err := w.house.Journal(r.ctx, r.viewer, r.param("format"), period, currency)
	return reply{file: &f}, err
}

func (w *Web) orderStatement(r *request) (reply, error) {
	s, err := w.house.OrderStatement(r.ctx, r.viewer, r.param("id"))
	return reply{page: "acc_order", title: "accounts.order", data: s}, err
}
