package web

import (
	"html/template"
	"maps"
	"strings"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
)

// dashboardRoutes are the pages that show several figures: of the house, of a session, of a program, of a partner to staff, and to the partner.
func (w *Web) dashboardRoutes() []route {
	of := func(kind string) handler {
		return func(r *request) (reply, error) { return w.dashboard(r, kind) }
	}
	return []route{
		{method: "GET", path: "/staff", who: staff, handle: of(analytics.OfHouse), slow: true},
		{method: "GET", path: "/staff/sessions/:key", who: staff, handle: of(analytics.OfSession), slow: true},
		{method: "GET", path: "/staff/programs/:key", who: staff, handle: of(analytics.OfProgram), slow: true},
		{method: "GET", path: "/staff/partners/:key", who: staff, handle: of(analytics.OfPartner), slow: true},
		{method: "GET", path: "/partners/:key/figures", who: signedIn, handle: w.partnerFigures, slow: true},
	}
}

// dashboardPage is several figures. Own: it is shown to a school of itself, and nothing in it leads to the pages of staff. AsOf is the time that was
// asked for, as it was written.
type dashboardPage struct {
	analytics.Dashboard
	Shown []shownFigure
	Own   bool
	AsOf  string
	Wrong *fault.Fault
}

// Choices are the keys that there are dashboards of, by the address that they stand below.
func (d dashboardPage) Choices() map[string][]string {
	return map[string][]string{"sessions": d.Sessions, "programs": d.Programs, "partners": d.Partners}
}

// shownFigure is one figure of a dashboard, drawn and as a table.
type shownFigure struct {
	analytics.Figure
	Charts []figureChart
	Table  figureTable
	Query  template.URL // of its page and its files
}

// Long says whether its table is folded at first.
func (f shownFigure) Long() bool { return len(f.Table.Rows) > 12 }

func (w *Web) dashboard(r *request, of string) (reply, error) {
	asked := strings.TrimSpace(r.query("as_of"))
	at, wrong := dayOrInstant(asked, "as_of")
	d, figures, err := w.house.Dashboard(r.ctx, r.viewer, of, r.param("key"), at)
	if of == analytics.OfHouse && fault.From(err).Kind == fault.Forbidden { // the figures are not for all of the staff: her work is in the console
		return reply{redirect: "/console"}, nil
	}
	if err != nil {
		return reply{}, err
	}
	return w.dashboardWith(r, dashboardPage{Dashboard: d, AsOf: asked, Wrong: refusal(wrong)}, figures)
}

// partnerFigures are the figures of a school, as it may be told them, for its own people.
func (w *Web) partnerFigures(r *request) (reply, error) {
	homes, err := w.house.PartnerHomes(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	for _, h := range homes {
		if h.Key == r.param("key") && h.Is("owner", "registrar", "teacher", "manager") {
			d, figures, err := w.house.PartnerDashboard(r.ctx, r.viewer, h.Key)
			if err != nil {
				return reply{}, err
			}
			return w.dashboardWith(r, dashboardPage{Dashboard: d, Own: true}, figures)
		}
	}
	return reply{}, identity.ErrNoOrganisation
}

func (w *Web) dashboardWith(r *request, d dashboardPage, figures []analytics.Figure) (reply, error) {
	for _, f := range figures {
		say := &figureSay{say: say{w: w, lang: r.lang}, f: f, own: d.Own}
		shown := shownFigure{Figure: f, Table: say.table()}
		var err error
		if shown.Charts, err = say.charts(); err != nil {
			return reply{}, err
		}
		asked := maps.Clone(f.Ask.Params)
		if asked == nil {
			asked = map[string]string{}
		}
		asked["as_of"] = d.AsOf
		if d.Wrong != nil {
			asked["as_of"] = ""
		}
		shown.Query = template.URL(queryOf(asked)) //nolint:gosec // encoded by net/url
		d.Shown = append(d.Shown, shown)
	}
	title := "staff.title"
	if d.Title.EN != "" {
		title = d.Title.In(r.lang)
	}
	return reply{page: "dashboard", title: title, data: d, status: refusedAs(d.Wrong)}, nil
}
