package web

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	paging "cursus/internal/kernel/page"
)

// Say is a text of the rooms in the language of the page.
func (v View) Say(t catalog.Text) string { return t.In(v.Lang) }

// Day prints a time that may not be there.
func (v View) Day(t *time.Time) (string, error) {
	if t == nil {
		return "", nil
	}
	return v.Date(*t)
}

// editionOffers is the page on which an edition of a program is bought.
func (w *Web) editionOffers(r *request) (reply, error) {
	c, err := w.house.CompareEdition(r.ctx, r.viewer, r.param("key"), strings.TrimSpace(r.query("voucher")))
	if err != nil {
		return reply{}, err
	}
	e, err := w.house.PublicEdition(r.ctx, r.param("key"))
	return reply{page: "edition", title: c.Title.In(r.lang), data: soldEdition{c, e}}, err
}

// soldEdition is the page on which an edition is bought: its formulas, and what it is.
type soldEdition struct {
	sales.Comparison
	Of PublicEdition
}

// offerPage is what the page of the offers shows. Written is a form that was refused, with Wrong; both are empty otherwise.
type offerPage struct {
	Offers        []sales.Standing
	Filter        offers.Filter
	On            string // as it was asked for
	Next          string // cursor
	States        []string
	Formulas      []offers.Formula
	Organisations []identity.Organisation
	Currencies    []money.Currency
	Rights        []string // to withdraw
	Written       map[string]string
	Wrong         *fault.Fault
}

var offerStates = []string{offers.Drafted, offers.InReview, offers.Standing, offers.Waiting, offers.Ended, offers.Withdrawn}

func (w *Web) offerList(r *request) (reply, error) { return w.offersWith(r, nil, nil) }

func (w *Web) offersWith(r *request, written map[string]string, wrong *fault.Fault) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	data := offerPage{On: strings.TrimSpace(r.query("on")), States: offerStates, Currencies: money.Currencies(), Rights: offers.WithdrawalRights, Written: written, Wrong: wrong}
	data.Filter = offers.Filter{State: r.query("state"), On: data.On}
	var next string
	if data.Offers, next, err = w.house.Offers(r.ctx, r.viewer, data.Filter, p); err != nil {
		return reply{}, err
	}
	data.Next = paging.Cursor(next)
	if data.Formulas, err = w.house.Formulas(r.ctx); err != nil {
		return reply{}, err
	}
	data.Organisations, err = w.house.Organisations(r.ctx, r.viewer)
	return reply{page: "offers", title: "offers.title", data: data, status: refusedAs(wrong)}, err
}

// offerFields are the fields of the form, to give back what was written when it is refused.
var offerFields = []string{"kind", "on", "formula", "amount", "currency", "from", "until", "audience", "quota", "call_en", "call_fr", "withdrawal", "publication"}

func (w *Web) makeOffer(r *request) (reply, error) {
	written := map[string]string{}
	for _, f := range offerFields {
		written[f] = strings.TrimSpace(r.form(f))
	}
	n, err := offerOf(written)
	if err == nil {
		err = w.house.MakeOffer(r.ctx, r.viewer, r.form("key"), n)
	}
	if f := refusal(err); f != nil {
		return w.offersWith(r, written, f)
	}
	return reply{redirect: "/console/offers"}, err
}

// refusal is the fault of an input that its writer can change; nil for what she cannot.
func refusal(err error) *fault.Fault {
	var f *fault.Fault
	if errors.As(err, &f) && (f.Kind == fault.Invalid || f.Kind == fault.Unprocessable || f.Kind == fault.Conflict || f.Kind == fault.NotFound) {
		return f
	}
	return nil
}

func offerOf(in map[string]string) (n offers.NewOffer, err error) {
	n = offers.NewOffer{Formula: in["formula"], Audience: in["audience"], Call: catalog.Text{EN: in["call_en"], FR: in["call_fr"]}, Withdrawal: in["withdrawal"],
		Publication: catalog.Publication(in["publication"])}
	if in["kind"] == "edition" {
		n.Edition = in["on"]
	} else {
		n.Session = in["on"]
	}
	c, err := money.ParseCurrency(in["currency"])
	if err != nil {
		return n, err
	}
	if n.Price, err = money.ParseDecimal(strings.ReplaceAll(in["amount"], ",", "."), c); err != nil {
		return n, err
	}
	if n.ValidFrom, err = whenOf("/valid_from", in["from"]); err != nil {
		return n, err
	}
	if n.ValidUntil, err = whenOf("/valid_until", in["until"]); err != nil {
		return n, err
	}
	if in["quota"] != "" {
		quota, err := strconv.Atoi(in["quota"])
		if err != nil {
			return n, fault.InvalidInput(fault.Field{Pointer: "/quota", Code: "not-a-number", Detail: "A whole number, or nothing."})
		}
		n.Quota = &quota
	}
	return n, nil
}

// whenOf reads a field of type datetime-local, by the clock of the console.
func whenOf(pointer, s string) (*time.Time, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // nothing was said
	}
	t, ok := instant(s, zone)
	if !ok {
		return nil, fault.InvalidInput(fault.Field{Pointer: pointer, Code: "bad-time", Detail: "Such as 2026-09-14T08:00."})
	}
	return &t, nil
}

// OfferMoves are the states to which an offer can go, without that of being withdrawn, which has its own button.
func (View) OfferMoves(from catalog.Publication) (to []catalog.Publication) {
	for _, p := range offers.Life.Moves[from] {
		if p != catalog.Archived {
			to = append(to, p)
		}
	}
	return to
}

func (w *Web) moveOffer(r *request) (reply, error) {
	err := w.house.MoveOffer(r.ctx, r.viewer, r.param("id"), catalog.Publication(r.form("to")), strings.TrimSpace(r.form("note")))
	if f := refusal(err); f != nil {
		return w.offersWith(r, nil, f)
	}
	return reply{redirect: "/console/offers"}, err
}

func (w *Web) withdrawOffer(r *request) (reply, error) {
	return reply{redirect: "/console/offers"}, w.house.WithdrawOffer(r.ctx, r.viewer, r.param("id"))
}

func (w *Web) saveOrganisation(r *request) (reply, error) {
	var addresses []string
	for line := range strings.Lines(r.form("addresses")) {
		if line = strings.TrimSpace(line); line != "" {
			addresses = append(addresses, line)
		}
	}
	return reply{redirect: "/console/offers#organisations"}, w.house.SaveOrganisation(r.ctx, r.viewer, strings.TrimSpace(r.form("key")), strings.TrimSpace(r.form("name")), addresses)
}

func (w *Web) formulaList(r *request) (reply, error) {
	all, err := w.house.Formulas(r.ctx)
	return reply{page: "formulas", title: "formulas.title", data: all}, err
}

// formulaPage is the form of a formula. Now is what stands there where it was changed meanwhile; New one is not there yet.
type formulaPage struct {
	Formula      offers.Formula
	Entitlements []string
	New          bool
	Now          *offers.Formula
	Wrong        *fault.Fault
}

// newFormula is the address of a formula that is to be made; no key looks like it.
const newFormula = "new"

func (w *Web) formula(r *request, key string) (*offers.Formula, error) {
	all, err := w.house.Formulas(r.ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if f.Key == key {
			return &f, nil
		}
	}
	return nil, offers.ErrNoFormula
}

func (w *Web) editFormula(r *request) (reply, error) {
	data := formulaPage{Entitlements: offers.Entitlements, New: r.param("key") == newFormula}
	if !data.New {
		f, err := w.formula(r, r.param("key"))
		if err != nil {
			return reply{}, err
		}
		data.Formula = *f
	}
	return reply{page: "formula", title: "formulas.title", data: data}, nil
}

func (w *Web) saveFormula(r *request) (reply, error) {
	data := formulaPage{Entitlements: offers.Entitlements, New: r.param("key") == newFormula}
	number := func(name string) (n int) {
		n, _ = strconv.Atoi(strings.TrimSpace(r.form(name))) // what is no number is refused by the room as what it is not
		return n
	}
	f := offers.Formula{
		Key: r.param("key"), Title: catalog.Text{EN: r.form("title_en"), FR: r.form("title_fr")}, Pitch: catalog.Text{EN: r.form("pitch_en"), FR: r.form("pitch_fr")},
		Call: catalog.Text{EN: r.form("call_en"), FR: r.form("call_fr")}, Entitlements: r.forms("entitlements"), Qualifying: r.form("qualifying") != "",
		Position: number("position"), Archived: r.form("archived") != "", Version: number("version"),
	}
	if data.New {
		f.Key, f.Version = strings.TrimSpace(r.form("key")), 0
	}
	err := w.house.SaveFormula(r.ctx, r.viewer, f, f.Version)
	if err == nil {
		return reply{redirect: "/console/formulas"}, nil
	}
	data.Formula = f
	if errors.Is(err, offers.ErrFormulaChanged) {
		now, err := w.formula(r, f.Key)
		if err != nil {
			return reply{}, err
		}
		data.Now, data.Formula.Version = now, now.Version // to save again is to decide
		return reply{status: kinds[fault.Precondition].status, page: "formula", title: "formulas.conflict", data: data}, nil
	}
	data.Wrong = refusal(err)
	if data.Wrong == nil {
		return reply{}, err
	}
	if now, err := w.formula(r, f.Key); err == nil && !data.New && now.Version != f.Version {
		data.Now = now // what is wrong does not hide that somebody else saved; the form keeps its version
	}
	return reply{status: kinds[data.Wrong.Kind].status, page: "formula", title: "formulas.title", data: data}, nil
}

// offered describes the offers of a comparison that are for everybody in the words of schema.org; at is the page where they are taken.
func (v View) offered(c sales.Comparison, at string) []map[string]any {
	all := []map[string]any{}
	for _, column := range c.Columns {
		for _, o := range column.Offers {
			if o.Audience != "" {
				continue
			}
			availability := "https://schema.org/SoldOut"
			if o.Available || o.Reason == sales.ErrEnrolled.Code {
				availability = "https://schema.org/InStock"
			}
			offer := map[string]any{
				"@type": "Offer", "name": v.Say(column.Title), "category": column.Formula, "price": o.Price.Decimal(), "priceCurrency": o.Price.Currency,
				"availability": availability, "url": at,
			}
			if o.ValidFrom != nil {
				offer["validFrom"] = v.Machine(*o.ValidFrom)
			}
			if until := o.PriceEnds(); until != nil {
				offer["priceValidUntil"] = v.Machine(*until)
			}
			if o.List != nil {
				offer["priceSpecification"] = map[string]any{
					"@type": "UnitPriceSpecification", "priceType": "https://schema.org/ListPrice", "price": o.List.Decimal(), "priceCurrency": o.List.Currency,
				}
			}
			all = append(all, offer)
		}
	}
	return all
}

// Instance describes a session and its offers in the words of schema.org, for search engines.
func (v View) Instance(s Session) map[string]any {
	at := v.Absolute("/sessions/" + s.Key)
	instance := map[string]any{"@type": "CourseInstance", "name": v.In(s.Title), "courseMode": "online"}
	if !s.StartsOn.IsZero() {
		instance["startDate"] = v.Machine(s.StartsOn)
	}
	if !s.EndsOn.IsZero() {
		instance["endDate"] = v.Machine(s.EndsOn)
	}
	return map[string]any{
		"@context": "https://schema.org", "@type": "Course", "name": v.In(s.CourseTitle), "description": v.In(s.Summary), "courseCode": s.CourseKey,
		"url": at, "offers": v.offered(s.Comparison, at), "hasCourseInstance": instance,
	}
}
