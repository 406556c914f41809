package web

import (
	"errors"
	"strconv"
	"strings"

	"cursus/internal/domain/invoicing"
	"cursus/internal/kernel/fault"
)

// textField is one field of a form of texts: where its text stands, and how long it may be.
type textField struct {
	Name  string
	Max   int
	Long  bool // several lines
	Value string
	Other string // what stands there now, where somebody else changed it meanwhile
	text  *string
}

// issuerFields are the fields of an issuer, over its texts.
func issuerFields(d *invoicing.IssuerDetails) []textField {
	s := &d.Seller
	return []textField{
		{Name: "legal_name", Max: 200, text: &s.LegalName}, {Name: "legal_form", Max: 200, text: &s.LegalForm}, {Name: "street", Max: 300, Long: true, text: &s.Address.Street},
		{Name: "post_code", Max: 20, text: &s.Address.PostCode}, {Name: "city", Max: 100, text: &s.Address.City}, {Name: "country", Max: 2, text: &s.Address.Country},
		{Name: "registration_label", Max: 40, text: &s.RegistrationLabel}, {Name: "registration", Max: 40, text: &s.Registration}, {Name: "activity_number", Max: 40, text: &s.ActivityNumber},
		{Name: "vat_number", Max: 15, text: &s.VATNumber}, {Name: "email", Max: 254, text: &s.Email}, {Name: "phone", Max: 40, text: &s.Phone},
		{Name: "bank", Max: 100, text: &s.Bank}, {Name: "iban", Max: 34, text: &s.IBAN}, {Name: "bic", Max: 11, text: &s.BIC}, {Name: "zone", Max: 60, text: &d.Zone},
		{Name: "terms_en", Max: 1000, Long: true, text: &d.Terms.EN}, {Name: "terms_fr", Max: 1000, Long: true, text: &d.Terms.FR},
		{Name: "series_invoice", Max: 40, text: &d.Series.Invoice}, {Name: "series_credit_note", Max: 40, text: &d.Series.CreditNote},
		{Name: "series_proforma", Max: 40, text: &d.Series.Proforma}, {Name: "series_receipt", Max: 40, text: &d.Series.Receipt},
	}
}

// billingFields are the fields of a buyer, over her texts.
func billingFields(b *invoicing.Buyer) []textField {
	return []textField{
		{Name: "company", Max: 200, text: &b.Company}, {Name: "name", Max: 255, text: &b.Name}, {Name: "street", Max: 300, Long: true, text: &b.Address.Street},
		{Name: "post_code", Max: 20, text: &b.Address.PostCode}, {Name: "city", Max: 100, text: &b.Address.City}, {Name: "country", Max: 2, text: &b.Address.Country},
		{Name: "vat_number", Max: 15, text: &b.VATNumber}, {Name: "email", Max: 254, text: &b.Email},
	}
}

// written reads the texts of a form into what its fields stand over.
func (r *request) written(fields []textField) {
	for _, f := range fields {
		*f.text = strings.ReplaceAll(strings.TrimSpace(r.form(f.Name)), "\r\n", "\n")
	}
}

// shown gives the fields with their texts; what stands there now is beside what differs from it.
func shown(fields, now []textField) []textField {
	for i := range fields {
		if fields[i].Value = *fields[i].text; now != nil && *now[i].text != fields[i].Value {
			fields[i].Other = *now[i].text
		}
	}
	return fields
}

// issuerPage is the form of an issuer.
type issuerPage struct {
	Key, Version string
	New          bool
	Fields       []textField
	Regimes      []invoicing.Regime
	Sells        []invoicing.Sold
	Categories   []string
	Missing      []string
	Conflict     bool
	Wrong        *fault.Fault
}

var taxCategories = []string{"S", "Z", "E", "O", "AE", "G"}

func (w *Web) issuerList(r *request) (reply, error) {
	all, err := w.house.Issuers(r.ctx, r.viewer)
	return reply{page: "acc_issuers", title: "issuers.title", data: all}, err
}

func (w *Web) issuer(r *request, key string) (d invoicing.IssuerDetails, err error) {
	all, err := w.house.Issuers(r.ctx, r.viewer)
	for _, x := range all {
		if x.Key == key {
			return x, err
		}
	}
	return d, errors.Join(err, invoicing.ErrNoIssuer)
}

func (w *Web) editIssuer(r *request) (reply, error) {
	d := invoicing.IssuerDetails{
		Seller: invoicing.Seller{RegistrationLabel: "SIRET", Address: invoicing.Address{Country: "FR"}},
		Series: invoicing.Series{Invoice: "{issuer}-{year}", CreditNote: "{issuer}-{year}", Proforma: "PF-{issuer}-{year}", Receipt: "R-{issuer}-{year}"},
	}
	isNew := r.param("key") == newFormula
	if !isNew {
		var err error
		if d, err = w.issuer(r, r.param("key")); err != nil {
			return reply{}, err
		}
	}
	return issuerReply(d, isNew, nil, nil), nil
}

// issuerReply shows the form with what was written; now is what stands there where somebody changed it meanwhile.
func issuerReply(d invoicing.IssuerDetails, isNew bool, now *invoicing.IssuerDetails, wrong *fault.Fault) reply {
	data := issuerPage{
		Key: d.Key, Version: strconv.Itoa(d.Version), New: isNew, Regimes: append(d.Regimes, invoicing.Regime{}), Sells: append(d.Sells, invoicing.Sold{}), Categories: taxCategories, Missing: d.Missing, Wrong: wrong,
	}
	var others []textField
	if now != nil {
		others, data.Conflict, data.Version = issuerFields(now), true, strconv.Itoa(now.Version) // to save again is to decide
	}
	data.Fields = shown(issuerFields(&d), others)
	return reply{page: "acc_issuer", title: "issuers.edit", data: data, status: refusedAs(wrong)}
}

func (w *Web) saveIssuer(r *request) (reply, error) {
	isNew := r.param("key") == newFormula
	d := invoicing.IssuerDetails{Seller: invoicing.Seller{Key: r.param("key")}}
	if isNew {
		d.Key = strings.ToUpper(strings.TrimSpace(r.form("key")))
	}
	r.written(issuerFields(&d))
	d.Version, _ = strconv.Atoi(r.form("version")) // what is no number is no version
	d.Regimes, d.Sells = regimesOf(r), soldOf(r)
	err := w.house.SaveIssuer(r.ctx, r.viewer, d, isNew)
	if err == nil {
		return reply{redirect: "/console/issuers"}, nil
	}
	f := refusal(err)
	if errors.Is(err, invoicing.ErrIssuerChanged) {
		now, err := w.issuer(r, d.Key)
		if err != nil {
			return reply{}, err
		}
		return issuerReply(d, isNew, &now, fault.From(invoicing.ErrIssuerChanged)), nil
	}
	if f == nil {
		return reply{}, err
	}
	return issuerReply(d, isNew, nil, f), nil
}

// regimesOf reads the rows of the regimes; a row without a key is none.
func regimesOf(r *request) []invoicing.Regime {
	all := []invoicing.Regime{}
	columns := map[string][]string{}
	for _, name := range []string{"key", "from", "until", "category", "rate", "code", "en", "fr", "fallback"} {
		columns[name] = r.forms("r_" + name)
	}
	at := func(name string, i int) string {
		if i < len(columns[name]) {
			return strings.TrimSpace(columns[name][i])
		}
		return ""
	}
	for i := range columns["key"] {
		if at("key", i) == "" {
			continue
		}
		rate, err := strconv.ParseInt(at("rate", i), 10, 64)
		if err != nil {
			rate = -1 // refused by the room as what it is not
		}
		all = append(all, invoicing.Regime{
			Key: at("key", i), ValidFrom: at("from", i), ValidUntil: at("until", i), Category: at("category", i), RatePPM: rate, ReasonCode: at("code", i),
			Mention: invoicing.Text{EN: at("en", i), FR: at("fr", i)}, Fallback: at("fallback", i) == "1",
		})
	}
	return all
}

// soldOf reads the rows of what an issuer sells; a row without a name is none.
func soldOf(r *request) []invoicing.Sold {
	all := []invoicing.Sold{}
	kinds, refs, regimes := r.forms("s_kind"), r.forms("s_ref"), r.forms("s_regime")
	for i := range min(len(kinds), len(refs), len(regimes)) {
		if ref := strings.TrimSpace(refs[i]); ref != "" {
			all = append(all, invoicing.Sold{Kind: kinds[i], Ref: ref, Regime: strings.TrimSpace(regimes[i])})
		}
	}
	return all
}

// billingPage is the form in which a buyer says to whom her order is billed.
type billingPage struct {
	Order, Version string
	Fields         []textField
	Conflict       bool
	Wrong          *fault.Fault
}

func billingReply(order string, b, now *invoicing.Billing, wrong *fault.Fault) reply {
	data := billingPage{Order: order, Version: strconv.Itoa(b.Version), Wrong: wrong}
	var others []textField
	if now != nil {
		others, data.Conflict, data.Version = billingFields(&now.Buyer), true, strconv.Itoa(now.Version)
	}
	data.Fields = shown(billingFields(&b.Buyer), others)
	return reply{page: "acc_billing", title: "billing.title", data: data, status: refusedAs(wrong)}
}

func (w *Web) billing(r *request) (reply, error) {
	b, err := w.house.OrderBilling(r.ctx, r.viewer, r.param("id"))
	return billingReply(r.param("id"), &b, nil, nil), err
}

func (w *Web) saveBilling(r *request) (reply, error) {
	var b invoicing.Billing
	r.written(billingFields(&b.Buyer))
	b.Address.Country = strings.ToUpper(b.Address.Country)
	b.Version, _ = strconv.Atoi(r.form("version")) // what is no number is no version
	err := w.house.SaveOrderBilling(r.ctx, r.viewer, r.param("id"), b)
	if err == nil {
		return reply{redirect: "/orders/" + r.param("id")}, nil
	}
	if errors.Is(err, invoicing.ErrBilling) {
		now, err := w.house.OrderBilling(r.ctx, r.viewer, r.param("id"))
		return billingReply(r.param("id"), &b, &now, fault.From(invoicing.ErrBilling)), err
	}
	if f := refusal(err); f != nil && f.Kind != fault.NotFound {
		return billingReply(r.param("id"), &b, nil, f), nil
	}
	return reply{}, err
}
