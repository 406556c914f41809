package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

// InstalmentHouse is what the pages ask of the rooms about instalments. Who may not do a thing is Forbidden.
type InstalmentHouse interface {
	// PayInstalment gives the address of a pay page for an instalment of an order of the viewer.
	PayInstalment(ctx context.Context, who Viewer, order string, n int, key string) (string, error)
	// LeaveCard gives the address of a page on which the viewer leaves a card for an order.
	LeaveCard(ctx context.Context, who Viewer, order string) (string, error)
	// Plans are those of an offer.
	Plans(ctx context.Context, who Viewer, offerID string) ([]offers.Plan, error)
	SavePlan(ctx context.Context, who Viewer, p offers.Plan) error
}

func (w *Web) instalmentRoutes() []route {
	return []route{
		{method: "GET", path: "/orders/:id/instalments/:n", who: signedIn, handle: w.instalment},
		{method: "POST", path: "/orders/:id/instalments/:n", who: signedIn, handle: w.payInstalment},
		{method: "POST", path: "/orders/:id/card", who: signedIn, handle: w.leaveCard},
		{method: "POST", path: "/console/offers/:id/plans", who: staff, handle: w.savePlan},
	}
}

// instalmentPage is the page of one instalment, to which mails lead.
type instalmentPage struct {
	Order      Order
	Instalment sales.Instalment
}

func (w *Web) instalment(r *request) (reply, error) {
	o, err := w.house.Order(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	if o.Schedule != nil {
		for _, i := range o.Schedule.Instalments {
			if strconv.Itoa(i.N) == r.param("n") {
				return reply{page: "instalment", title: "instalment.title", data: instalmentPage{o, i}}, nil
			}
		}
	}
	return reply{}, sales.ErrNoOrder
}

func (w *Web) payInstalment(r *request) (reply, error) {
	n, err := strconv.Atoi(r.param("n"))
	if err != nil {
		return reply{}, sales.ErrNoOrder
	}
	page, err := w.house.PayInstalment(r.ctx, r.viewer, r.param("id"), n, r.form("key"))
	if errors.Is(err, sales.ErrNotDue) { // paid meanwhile: the order says so
		err = nil
	}
	return reply{redirect: cmp.Or(page, "/orders/"+url.PathEscape(r.param("id")))}, err
}

func (w *Web) leaveCard(r *request) (reply, error) {
	page, err := w.house.LeaveCard(r.ctx, r.viewer, r.param("id"))
	return reply{redirect: page}, err
}

// planForm is the form of a plan, as it stands or as it was written.
type planForm struct {
	Currency money.Currency // of a plan that is there; empty: a new one
	Written  map[string]string
	Archived bool
	Version  int
	Wrong    *fault.Fault
}

var planFields = []string{"plan_currency", "instalments", "every", "unit", "first", "least", "on_default", "end_after"}

// planForms are those of the plans that are there, and of a new one, the last; the one that was refused stands as it was written.
func planForms(all []offers.Plan, refused *planForm) (out []planForm) {
	for _, p := range all {
		in := map[string]string{
			"plan_currency": string(p.Currency), "instalments": strconv.Itoa(p.Instalments), "every": strconv.Itoa(p.Every), "unit": p.Unit, "on_default": p.OnDefault, "end_after": optional(p.EndAfterDays),
			"least": money.Of(p.LeastMinor, p.Currency).Decimal(),
		}
		if p.FirstPPM != nil {
			in["first"] = strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%04d", *p.FirstPPM/10_000, *p.FirstPPM%10_000), "0"), ".")
		}
		out = append(out, planForm{Currency: p.Currency, Written: in, Archived: p.Archived, Version: p.Version})
	}
	out = append(out, planForm{Written: map[string]string{"plan_currency": "EUR", "instalments": "3", "every": "1", "unit": "month", "on_default": offers.SuspendAccess}})
	for i := range out {
		if refused != nil && refused.Currency == out[i].Currency {
			refused.Version = out[i].Version // to save again is to decide
			out[i] = *refused
		}
	}
	return out
}

func (w *Web) savePlan(r *request) (reply, error) {
	form := planForm{Currency: money.Currency(r.form("plan")), Written: map[string]string{}, Archived: r.form("archived") != ""}
	form.Version, _ = strconv.Atoi(r.form("version"))
	for _, f := range planFields {
		form.Written[f] = strings.TrimSpace(r.form(f))
	}
	p, err := planWritten(form.Written)
	if err == nil {
		p.OfferID, p.Archived, p.Version = r.param("id"), form.Archived, form.Version
		err = w.house.SavePlan(r.ctx, r.viewer, p)
	}
	if f := refusedOrChanged(err, offers.ErrPlanChanged); f != nil {
		form.Wrong = f
		return w.pricesWithPlan(r, nil, &form)
	}
	return reply{redirect: "/console/offers/" + r.param("id") + "#plans"}, err
}

func planWritten(in map[string]string) (p offers.Plan, err error) {
	if p.Currency, err = money.ParseCurrency(in["plan_currency"]); err != nil {
		return p, err
	}
	p.Unit, p.OnDefault = in["unit"], in["on_default"]
	for _, f := range []struct {
		name string
		into *int
	}{{"instalments", &p.Instalments}, {"every", &p.Every}} {
		n, err := numberOf("/"+f.name, in[f.name])
		if err != nil {
			return p, err
		}
		if n != nil {
			*f.into = *n
		}
	}
	if p.EndAfterDays, err = numberOf("/end_after_days", in["end_after"]); err != nil {
		return p, err
	}
	if in["first"] != "" {
		whole, rest, _ := strings.Cut(strings.ReplaceAll(in["first"], ",", "."), ".")
		ppm, wrong := strconv.Atoi(whole + (rest + "0000")[:4])
		if wrong != nil || len(rest) > 4 || len(whole) > 2 || ppm <= 0 {
			return p, fault.InvalidInput(fault.Field{Pointer: "/first_ppm", Code: "out-of-range", Detail: "More than 0 and less than 100 per cent."})
		}
		p.FirstPPM = &ppm
	}
	if in["least"] != "" {
		least, err := money.ParseDecimal(strings.ReplaceAll(in["least"], ",", "."), p.Currency)
		if err != nil {
			return p, err
		}
		p.LeastMinor = least.Minor
	}
	return p, nil
}
