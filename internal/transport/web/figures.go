package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	paging "cursus/internal/kernel/page"
)

// figureRoutes are the pages of the figures: one page, two files and a drawing for each definition.
func (w *Web) figureRoutes() []route {
	return []route{
		{method: "GET", path: "/staff/figures", who: staff, handle: w.figures},
		{method: "GET", path: "/staff/figures/learners", who: staff, handle: w.doers},
		{method: "GET", path: "/staff/figures/:figure", who: staff, handle: w.figure, slow: true},
		{method: "GET", path: "/staff/figures/:figure/file.:format", who: staff, handle: w.figureFile, slow: true},
	}
}

// figuresPage lists the figures.
type figuresPage struct {
	Figures []analytics.Definition
}

func (w *Web) figures(r *request) (reply, error) {
	all, _, err := w.house.Figures(r.ctx, r.viewer)
	return reply{page: "figures", title: "figures.title", data: figuresPage{all}}, err
}

// figurePage is a figure with its chart and its table, or only the form to ask for it.
type figurePage struct {
	analytics.Definition
	Fields   []figureField
	Sessions []catalog.Session
	Figure   *analytics.Figure
	Charts   []figureChart
	Table    figureTable
	Query    template.URL // of the files
	Asked    map[string]string
	Wrong    *fault.Fault
}

// LongSays says whether what is counted takes so many words that the numbers would begin below a screen.
func (p figurePage) LongSays() bool { return len(p.Says.EN) > 900 }

type figureField struct {
	analytics.Param
	Value string
	Suits bool  // the keys of sessions are proposed
	Pick  *pick // several values
}

// figureAsk reads what a figure is asked with from the address; days stand for their end.
func figureAsk(r *request, d analytics.Definition) (ask analytics.Ask, written map[string]string, err error) {
	ask, written = analytics.Ask{Params: map[string]string{}}, map[string]string{}
	for _, p := range d.Params {
		v := strings.TrimSpace(r.query(p.ID))
		if p.Many {
			v = strings.Join(splitList(strings.Join(r.every(p.ID), ",")), ",")
		}
		if v != "" {
			ask.Params[p.ID], written[p.ID] = v, v
		}
	}
	if d.Times {
		for _, t := range []struct {
			name string
			to   *time.Time
		}{{"as_of", &ask.AsOf}, {"known_at", &ask.KnownAt}} {
			v := strings.TrimSpace(r.query(t.name))
			written[t.name] = v
			if *t.to, err = dayOrInstant(v, t.name); err != nil {
				return ask, written, err
			}
		}
	}
	return ask, written, nil
}

func dayOrInstant(v, name string) (time.Time, error) {
	t, err := clock.Instant(v)
	if err != nil {
		return t, fault.InvalidInput(fault.Field{Pointer: "query/" + name, Code: "bad-time", Detail: "A day such as 2018-10-31, or a time such as 2018-10-31T21:00:00Z."})
	}
	return t, nil
}

func (w *Web) figure(r *request) (out reply, err error) {
	d, err := analytics.DefinitionOf(r.param("figure"))
	if err != nil {
		return reply{}, err
	}
	page := figurePage{Definition: d}
	if _, page.Sessions, err = w.house.Figures(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	if at := chosenAt(r, d, page.Sessions); at != "" {
		return reply{redirect: at}, nil
	}
	ask, written, err := figureAsk(r, d)
	page.Asked = written
	missing := false
	for _, p := range d.Params {
		v := written[p.ID]
		if v == "" {
			v = p.Default
		}
		missing = missing || p.Required && v == ""
		page.Fields = append(page.Fields, figureField{p, v, strings.HasPrefix(p.ID, "session") || p.ID == "other" || p.ID == "against", pickOf(p, v, page.Sessions)})
	}
	if err == nil && !missing {
		var f analytics.Figure
		if f, err = w.house.Figure(r.ctx, r.viewer, d.ID, ask); err == nil {
			page.Figure = &f
			say := &figureSay{say: say{w: w, lang: r.lang}, f: f}
			page.Table = say.table()
			page.Charts, err = say.charts()
			page.Query = template.URL(queryOf(written)) //nolint:gosec // encoded by net/url
		}
	}
	if page.Wrong = refusal(err); page.Wrong != nil {
		err = nil
	}
	return reply{page: "figure", title: d.Title.In(r.lang), data: page, status: refusedAs(page.Wrong)}, err
}

func queryOf(written map[string]string) string {
	q := url.Values{}
	setSaid(q, written)
	return q.Encode()
}

// setSaid adds what is not empty.
func setSaid(q url.Values, said map[string]string) {
	for name, v := range said {
		if v != "" {
			q.Set(name, v)
		}
	}
}

func (w *Web) figureFile(r *request) (reply, error) {
	d, err := analytics.DefinitionOf(r.param("figure"))
	if err != nil {
		return reply{}, err
	}
	ask, _, err := figureAsk(r, d)
	if err != nil {
		return reply{}, err
	}
	if d.Form && r.param("format") == "pdf" {
		paper, err := w.house.FigurePaper(r.ctx, r.viewer, d.ID, ask, r.lang)
		return reply{file: &paper}, err
	}
	f, err := w.house.Figure(r.ctx, r.viewer, d.ID, ask)
	if err != nil {
		return reply{}, err
	}
	var b bytes.Buffer
	switch r.param("format") {
	case "csv":
		err = f.CSV(&b)
		return reply{file: &File{d.ID + ".csv", "text/csv; charset=utf-8", b.Bytes()}}, err
	case "json":
		err = f.JSON(&b)
		return reply{file: &File{d.ID + ".json", "application/json", b.Bytes()}, inline: true}, err
	}
	return reply{}, errNoFigureFile
}

// doersPage lists who did an exercise.
type doersPage struct {
	analytics.WhoDid
	Doers   []analytics.Doer
	Listed  []analytics.Listed // of a list that makes certificates
	Title   catalog.Text       // of that list
	Figures template.URL       // what the files of that list are asked with
	More    string             // address of the next page
	Nudge   string             // where they are reminded; empty: not by her, or not from here
}

// In is the address of the same list in one session alone.
func (p doersPage) In(session string) string {
	one := p.WhoDid
	one.Session = session
	return doersAt(one)
}

// whoDid reads of which list an address speaks.
func whoDid(r *request) (d analytics.WhoDid, err error) {
	d = analytics.WhoDid{List: r.query("list"), Of: r.query("of"), Session: r.query("session"), Exercise: r.query("exercise"), Stage: r.query("stage"), Mode: r.query("mode"), Band: r.query("band")}
	for name, to := range map[string]*time.Time{"collected_at": &d.CollectedAt, "as_of": &d.AsOf, "known_at": &d.KnownAt} {
		if *to, err = dayOrInstant(r.query(name), name); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (w *Web) doers(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	var d doersPage
	if d.WhoDid, err = whoDid(r); err != nil {
		return reply{}, err
	}
	var next string
	if d.List != "" {
		d.Title, d.Figures = analytics.ListTitle(d.List), template.URL(listAsked(d.WhoDid).Encode()) //nolint:gosec // encoded by net/url
		d.Listed, next, err = w.house.ListedLearners(r.ctx, r.viewer, d.WhoDid.Listed(), p)
	} else {
		d.Doers, next, err = w.house.Doers(r.ctx, r.viewer, d.WhoDid, p)
	}
	if err != nil {
		return reply{}, err
	}
	if next != "" {
		d.More = doersAt(d.WhoDid) + "&after=" + url.QueryEscape(paging.Cursor(next))
	}
	if r.viewer.May("outreach:write") && (d.Session != "" || d.List != "") {
		d.Nudge = nudgeAt(d.WhoDid)
	}
	return reply{page: "figure_learners", title: "figures.learners", data: d}, nil
}

// doersAt is the address of the list behind a number.
func doersAt(w analytics.WhoDid) string { return "/staff/figures/learners?" + asked(w) }

// asked is a list in an address.
func asked(w analytics.WhoDid) string {
	if w.List != "" {
		return listAsked(w).Encode()
	}
	q := url.Values{"session": {w.Session}}
	setSaid(q, map[string]string{"exercise": w.Exercise, "stage": w.Stage, "mode": w.Mode, "band": w.Band})
	setTimes(q, map[string]time.Time{"collected_at": w.CollectedAt, "as_of": w.AsOf, "known_at": w.KnownAt})
	return q.Encode()
}

func setTimes(q url.Values, times map[string]time.Time) {
	for name, t := range times {
		if !t.IsZero() {
			q.Set(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
}

// listAsked is a list that makes certificates in an address; the figure of its learners is asked with the same.
func listAsked(w analytics.WhoDid) url.Values {
	q := url.Values{"list": {w.List}}
	setSaid(q, map[string]string{"session": w.Session, "of": w.Of})
	setTimes(q, map[string]time.Time{"as_of": w.AsOf, "known_at": w.KnownAt})
	return q
}

// askedWith is one thing that a figure was asked with.
type askedWith struct{ Title, Value string }

// Asked are those that are not as the figure has them by itself, in words; what the figure says of its basis and its rule stands beside them.
func (v View) Asked(f analytics.Figure) (all []askedWith) {
	for _, p := range f.Params {
		value := f.Ask.Params[p.ID]
		if value == "" || p.ID == "basis" || p.ID == "week1_rule" || p.ID == "fixed_currency" || value == p.Default && p.ID != "mode" {
			continue
		}
		title := v.Say(p.Title)
		if i := strings.IndexByte(title, '('); i > 0 && (p.Of == nil && p.ID != "days") { // how a field is filled in says nothing of what is in it
			title = strings.TrimSpace(title[:i])
		}
		var said []string
		for _, one := range splitList(value) {
			said = append(said, v.TOr("figures.value."+p.ID+"."+one, v.TOr("figures.value."+one, one)))
		}
		if at, err := clock.Instant(value); err == nil && p.Instant {
			text, err := v.Moment(&at)
			if err == nil {
				said = []string{text}
			}
		}
		if minor, err := strconv.ParseInt(value, 10, 64); err == nil && p.ID == "fixed_minor" {
			title, _, _ = strings.Cut(title, ",")
			said = []string{amount(v.Lang, money.Of(minor, money.Currency(f.Ask.Params["fixed_currency"])))}
		}
		all = append(all, askedWith{title, strings.Join(said, ", ")})
	}
	return all
}

// At2 points to a time, for Moment.
func (View) At2(t time.Time) *time.Time { return &t }

var errNoFigureFile = fault.New(fault.NotFound, "no-such-format", "The figures are there as csv and json.")

// export is a table as a file: rows as CSV, the value as JSON.
func export(format, name string, rows [][]string, value any) (reply, error) {
	var b bytes.Buffer
	switch format {
	case "csv":
		if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
			return reply{}, err
		}
		return reply{file: &File{name + ".csv", "text/csv; charset=utf-8", b.Bytes()}}, nil
	case "json":
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		if err := e.Encode(value); err != nil {
			return reply{}, err
		}
		return reply{file: &File{name + ".json", "application/json", b.Bytes()}, inline: true}, nil
	}
	return reply{}, errNoFigureFile
}
