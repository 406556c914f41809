package web

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	paging "cursus/internal/kernel/page"
)

// partnerPage is what the page of a partner school shows. Written is a settlement that was refused, with Wrong.
type partnerPage struct {
	spanned
	Partner    string
	Partners   []identity.Organisation
	Agreements []accounting.Agreement
	Statement  *accounting.PartnerStatement
	Written    map[string]string
	Wrong      *fault.Fault
}

func (w *Web) partnerPage(r *request) (reply, error) {
	return w.partnerWith(r, r.query("partner"), nil, nil)
}

func (w *Web) partnerWith(r *request, partner string, written map[string]string, wrong *fault.Fault) (reply, error) {
	period, currency, err := w.span(r)
	if err != nil {
		return reply{}, err
	}
	data := partnerPage{spanned: spannedOf(period, currency), Partner: partner, Written: written, Wrong: wrong}
	if data.Agreements, data.Partners, err = w.house.Agreements(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	out := reply{page: "acc_partner", title: "partners.title", status: refusedAs(wrong)}
	if partner != "" {
		s, err := w.house.PartnerStatement(r.ctx, r.viewer, partner, period, currency)
		if err != nil {
			return reply{}, err
		}
		data.Statement = &s
	}
	out.data = data
	return out, nil
}

// ownStatementPage is what a school sees of what is due between it and the institute.
type ownStatementPage struct {
	spanned
	Of         identity.Managed
	Agreements []accounting.Agreement
	Statement  accounting.PartnerStatement
}

// ownStatement is for the school itself: in the currency of its agreement, if it names no other one.
func (w *Web) ownStatement(r *request) (reply, error) {
	of, own, err := w.house.Partner(r.ctx, r.viewer, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	period, currency, err := w.span(r)
	if err != nil {
		return reply{}, err
	}
	if r.query("currency") == "" && len(own) > 0 {
		currency = own[0].Currency
	}
	s, err := w.house.PartnerStatement(r.ctx, r.viewer, of.Key, period, currency)
	return reply{page: "acc_own", title: "partners.own", data: ownStatementPage{spannedOf(period, currency), of, own, s}}, err
}

// partnerKey is the school of an address, or of its query at the console.
func partnerKey(r *request) string { return cmp.Or(r.param("key"), r.query("partner")) }

func (w *Web) partnerFile(r *request) (reply, error) {
	period, currency, err := w.span(r)
	if err != nil {
		return reply{}, err
	}
	s, err := w.house.PartnerStatement(r.ctx, r.viewer, partnerKey(r), period, currency)
	if err != nil {
		return reply{}, err
	}
	var b bytes.Buffer
	err = s.CSV(&b)
	return reply{file: &File{Name: fmt.Sprintf("%s-%s.csv", s.Organisation, s.Currency), ContentType: "text/csv; charset=utf-8", Content: b.Bytes()}}, err
}

func (w *Web) partnerPaper(r *request) (reply, error) {
	period, currency, err := w.span(r)
	if err != nil {
		return reply{}, err
	}
	f, err := w.house.PartnerPaper(r.ctx, r.viewer, partnerKey(r), period, currency, r.lang)
	return reply{file: &f}, err
}

func (w *Web) recordSettlement(r *request) (reply, error) {
	written := map[string]string{}
	for _, f := range []string{"partner", "direction", "amount", "currency", "reference", "on"} {
		written[f] = strings.TrimSpace(r.form(f))
	}
	s, err := settlementOf(written)
	if err == nil {
		err = w.house.RecordSettlement(r.ctx, r.viewer, r.form("key"), s)
	}
	if f := refusal(err); f != nil {
		return w.partnerWith(r, written["partner"], written, f)
	}
	return reply{redirect: "/console/partners?partner=" + s.Organisation + "&currency=" + string(s.Currency)}, err
}

func settlementOf(in map[string]string) (s accounting.Settlement, err error) {
	s = accounting.Settlement{Organisation: in["partner"], Direction: in["direction"], Reference: in["reference"]}
	if s.Currency, err = money.ParseCurrency(in["currency"]); err != nil {
		return s, err
	}
	a, err := money.ParseDecimal(strings.ReplaceAll(in["amount"], ",", "."), s.Currency)
	if err != nil {
		return s, err
	}
	s.AmountMinor = a.Minor
	day, err := dayField("/on", in["on"])
	if err == nil && day == nil {
		err = fault.InvalidInput(fault.Field{Pointer: "/on", Code: "required", Detail: "A day."})
	}
	if err != nil {
		return s, err
	}
	s.SettledAt = *day
	return s, nil
}

// reconciliationPage is what the page of the comparisons shows.
type reconciliationPage struct {
	Runs        []accounting.Run
	Differences []accounting.Difference
	State       string
	Waiting     bool
	Next        string // cursor
}

func (w *Web) reconciliation(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	data := reconciliationPage{State: "open"}
	if r.query("state") == "resolved" {
		data.State = "resolved"
	}
	runs, all, next, err := w.house.Reconciliations(r.ctx, r.viewer, data.State, p)
	data.Runs, data.Differences, data.Next = runs, all, paging.Cursor(next)
	data.Waiting = len(runs) > 0 && runs[0].State == "waiting"
	return reply{page: "acc_reconciliation", title: "reconciliation.title", data: data}, err
}

func (w *Web) startReconciliation(r *request) (reply, error) {
	return reply{redirect: "/console/reconciliation"}, w.house.StartReconciliation(r.ctx, r.viewer, r.form("key"))
}

func (w *Web) difference(r *request) (reply, error) {
	v, err := w.house.Investigate(r.ctx, r.viewer, r.param("id"))
	return reply{page: "acc_difference", title: "reconciliation.difference", data: v}, err
}
