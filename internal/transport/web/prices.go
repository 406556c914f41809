package web

import (
	"errors"
	"strconv"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

// pricesPage shows an offer with its prices. Rows are the forms of the prices that are there, and of a new one, the last; the one that
// was refused stands as it was written, with Wrong, and with Now where it was changed meanwhile.
type pricesPage struct {
	Offer         sales.Standing
	Rows          []priceForm
	Plans         []planForm
	Organisations []identity.Organisation
	Currencies    []money.Currency
}

type priceForm struct {
	ID, Name string // the id of the price; what its fields are called by
	Written  map[string]string
	Archived bool
	Version  int
	Wrong    *fault.Fault
	Now      *offers.Price
}

var priceFields = []string{"amount", "currency", "label_en", "label_fr", "from", "until", "audience", "early"}

func (w *Web) offerPrices(r *request) (reply, error) { return w.pricesWith(r, nil) }

func (w *Web) pricesWith(r *request, refused *priceForm) (reply, error) {
	return w.pricesWithPlan(r, refused, nil)
}

func (w *Web) pricesWithPlan(r *request, refused *priceForm, plan *planForm) (reply, error) {
	o, prices, err := w.house.Priced(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	data := pricesPage{Offer: o, Currencies: money.Currencies()}
	if data.Organisations, err = w.house.Organisations(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	plans, err := w.house.Plans(r.ctx, r.viewer, o.ID)
	if err != nil {
		return reply{}, err
	}
	out := reply{page: "prices", title: "prices.title"}
	if data.Plans = planForms(plans, plan); plan != nil {
		out.status = kinds[plan.Wrong.Kind].status
	}
	for _, p := range append(prices, offers.Price{Price: money.Zero(o.Price.Currency)}) {
		row := priceForm{ID: p.ID, Archived: p.Archived, Version: p.Version, Written: writtenPrice(p)}
		if refused != nil && refused.ID == p.ID {
			row = *refused
			out.status = kinds[refused.Wrong.Kind].status
			if errors.Is(refused.Wrong, offers.ErrPriceChanged) {
				row.Now, row.Version = &p, p.Version // to save again is to decide
			}
		}
		if row.Name = p.Label.In(r.lang); row.Name == "" {
			row.Name = p.Price.Format(r.lang)
		}
		data.Rows = append(data.Rows, row)
	}
	out.data = data
	return out, nil
}

func writtenPrice(p offers.Price) map[string]string {
	in := map[string]string{
		"currency": string(p.Price.Currency), "label_en": p.Label.EN, "label_fr": p.Label.FR, "from": timeField(p.ValidFrom), "until": timeField(p.ValidUntil), "audience": p.Audience,
		"early": optional(p.EarlyUntil),
	}
	if p.ID != "" {
		in["amount"] = p.Price.Decimal()
	}
	return in
}

func optional(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func (w *Web) savePrice(r *request) (reply, error) {
	form := priceForm{ID: r.form("price"), Written: map[string]string{}, Archived: r.form("archived") != ""}
	form.Version, _ = strconv.Atoi(r.form("version"))
	for _, f := range priceFields {
		form.Written[f] = strings.TrimSpace(r.form(f))
	}
	p, err := priceOf(form.Written)
	if err == nil {
		p.ID, p.OfferID, p.Archived, p.Version = form.ID, r.param("id"), form.Archived, form.Version
		err = w.house.SavePrice(r.ctx, r.viewer, r.form("key"), p)
	}
	if f := refusedOrChanged(err, offers.ErrPriceChanged); f != nil {
		form.Wrong = f
		return w.pricesWith(r, &form)
	}
	return reply{redirect: "/console/offers/" + r.param("id")}, err
}

// refusedOrChanged is refusal, and that what is written was changed meanwhile.
func refusedOrChanged(err error, changed *fault.Fault) *fault.Fault {
	if errors.Is(err, changed) {
		return fault.From(err)
	}
	return refusal(err)
}

func priceOf(in map[string]string) (p offers.Price, err error) {
	c, err := money.ParseCurrency(in["currency"])
	if err != nil {
		return p, err
	}
	p = offers.Price{Label: catalog.Text{EN: in["label_en"], FR: in["label_fr"]}, Audience: in["audience"]}
	if p.Price, err = money.ParseDecimal(strings.ReplaceAll(in["amount"], ",", "."), c); err != nil {
		return p, err
	}
	if p.ValidFrom, err = whenOf("/valid_from", in["from"]); err != nil {
		return p, err
	}
	if p.ValidUntil, err = whenOf("/valid_until", in["until"]); err != nil {
		return p, err
	}
	p.EarlyUntil, err = numberOf("/early_until", in["early"])
	return p, err
}

// numberOf reads a whole number, or nothing.
func numberOf(pointer, s string) (*int, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // nothing was said
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, fault.InvalidInput(fault.Field{Pointer: pointer, Code: "not-a-number", Detail: "A whole number, or nothing."})
	}
	return &n, nil
}
