package web

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
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
	Figures  []analytics.Definition
	Sessions []string
}

func (w *Web) figures(r *request) (reply, error) {
	all, sessions, err := w.house.Figures(r.ctx, r.viewer)
	return reply{page: "figures", title: "figures.title", data: figuresPage{all, sessions}}, err
}

// figurePage is a figure with its chart and its table, or only the form to ask for it.
type figurePage struct {
	analytics.Definition
	Fields   []figureField
	Sessions []string
	Figure   *analytics.Figure
	Charts   []figureChart
	Table    figureTable
	Query    template.URL // of the files
	Asked    map[string]string
	Wrong    *fault.Fault
}

type figureField struct {
	analytics.Param
	Value string
	Suits bool // the keys of sessions are proposed
}

// figureChart is what the script draws. Data is JSON; without script the table says the same.
type figureChart struct {
	Title, Said string
	Data        template.JS
}

// figureTable is the table beside the chart: the rows of the figure, or a row for each value of one column and a column for each of another.
type figureTable struct {
	Heads []string
	Rows  []figureRow
}

type figureRow struct {
	Cells   []figureCell
	Open    bool
	Summary bool
}

type figureCell struct {
	Text, Small, Link string
	Head              bool
}

// asked reads what a figure is asked with from the address; days stand for their end.
func figureAsk(r *request, d analytics.Definition) (ask analytics.Ask, written map[string]string, err error) {
	ask, written = analytics.Ask{Params: map[string]string{}}, map[string]string{}
	for _, p := range d.Params {
		if v := strings.TrimSpace(r.query(p.ID)); v != "" {
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
	if v == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, v); err == nil {
		return day.AddDate(0, 0, 1).Add(-time.Microsecond), nil
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		return t, fault.InvalidInput(fault.Field{Pointer: "query/" + name, Code: "bad-time", Detail: "A day such as 2018-10-31, or a time such as 2018-10-31T21:00:00Z."})
	}
	return t.UTC(), nil
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
	ask, written, err := figureAsk(r, d)
	page.Asked = written
	missing := false
	for _, p := range d.Params {
		v := written[p.ID]
		if v == "" {
			v = p.Default
		}
		missing = missing || p.Required && v == ""
		page.Fields = append(page.Fields, figureField{p, v, strings.HasPrefix(p.ID, "session") || p.ID == "other"})
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
	return reply{page: "figure", title: Text(d.Title).In(r.lang), data: page, status: refusedAs(page.Wrong)}, err
}

func queryOf(written map[string]string) string {
	q := url.Values{}
	for name, v := range written {
		if v != "" {
			q.Set(name, v)
		}
	}
	return q.Encode()
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
	return reply{}, fault.New(fault.NotFound, "no-such-format", "The figures are there as csv and json.")
}

// doersPage lists who did an exercise.
type doersPage struct {
	analytics.WhoDid
	Doers []analytics.Doer
	More  string // address of the next page
	Nudge string // where they are reminded; empty: not by her
}

// whoDid reads of which list an address speaks.
func whoDid(r *request) (d analytics.WhoDid, err error) {
	d = analytics.WhoDid{Session: r.query("session"), Exercise: r.query("exercise"), Mode: r.query("mode"), Band: r.query("band")}
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
	if d.Doers, next, err = w.house.Doers(r.ctx, r.viewer, d.WhoDid, p); err != nil {
		return reply{}, err
	}
	if next != "" {
		d.More = doersAt(d.WhoDid) + "&after=" + url.QueryEscape(paging.Cursor(next))
	}
	if r.viewer.May("outreach:write") {
		d.Nudge = nudgeAt(d.WhoDid)
	}
	return reply{page: "figure_learners", title: "figures.learners", data: d}, nil
}

// doersAt is the address of the list behind a number.
func doersAt(w analytics.WhoDid) string { return "/staff/figures/learners?" + asked(w) }

// asked is a list in an address.
func asked(w analytics.WhoDid) string {
	q := url.Values{"session": {w.Session}, "exercise": {w.Exercise}}
	for name, v := range map[string]string{"mode": w.Mode, "band": w.Band} {
		if v != "" {
			q.Set(name, v)
		}
	}
	for name, t := range map[string]time.Time{"collected_at": w.CollectedAt, "as_of": w.AsOf, "known_at": w.KnownAt} {
		if !t.IsZero() {
			q.Set(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
	return q.Encode()
}

// figureSay puts a figure into the words of a language.
type figureSay struct {
	say
	f analytics.Figure
}

func (s *figureSay) in(t catalog.Text) string { return Text(t).In(s.lang) }

// cell is a value as people read it, with what stands small beside it.
func (s *figureSay) cell(c analytics.Column, v analytics.Cell) (text, small string) {
	switch {
	case v.Said != (catalog.Text{}):
		return s.in(v.Said), ""
	case v.Rate != nil:
		small = s.text("staff.of", count(s.lang, v.Rate.Count), count(s.lang, v.Rate.Of))
		if v.Rate.Low != nil {
			small += " " + s.text("staff.interval", share(s.lang, v.Rate.Low), share(s.lang, v.Rate.High))
		}
		return share(s.lang, v.Rate.Tenths), small
	case v.Mean != nil:
		return share(s.lang, v.Mean), ""
	case v.Amount != nil:
		return amount(s.lang, *v.Amount), ""
	case v.At != nil:
		return v.At.UTC().Format("2006-01-02"), ""
	case v.Count != nil && c.Kind == analytics.Tenths:
		return share(s.lang, v.Count), ""
	case v.Count != nil:
		return count(s.lang, *v.Count), ""
	case v.Text != "":
		return v.Text, ""
	}
	return "–", ""
}

func (s *figureSay) column(id string) int {
	for i, c := range s.f.Columns {
		if c.ID == id {
			return i
		}
	}
	return -1
}

func linkOf(c analytics.Cell) string {
	if c.Who == nil {
		return ""
	}
	return doersAt(*c.Who)
}

func (s *figureSay) table() (t figureTable) {
	for _, c := range s.f.Charts {
		if c.Pivot {
			return s.pivot(c)
		}
	}
	for _, c := range s.f.Columns {
		t.Heads = append(t.Heads, s.in(c.Title))
	}
	for _, r := range s.f.Rows {
		row := figureRow{Open: r.Open, Summary: r.Summary}
		for i, v := range r.Cells {
			text, small := s.cell(s.f.Columns[i], v)
			row.Cells = append(row.Cells, figureCell{Text: text, Small: small, Link: linkOf(v), Head: i == 0})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// pivot gives a row for each value of the column Y, and a column for each of X, in the order in which they come, X sorted where it is a time;
// numbers are added up at the end of the row.
func (s *figureSay) pivot(c analytics.Chart) (t figureTable) {
	x, y, v := s.column(c.X), s.column(c.Y), s.column(c.Values[0])
	var xs []string
	place, rows := map[string]int{}, map[string]int{}
	var stamps []time.Time
	for _, r := range s.f.Rows {
		if at := r.Cells[x].At; at != nil {
			stamps = append(stamps, *at)
		}
	}
	if len(stamps) > 0 {
		slices.SortFunc(stamps, time.Time.Compare)
		for _, at := range stamps {
			text, _ := s.cell(s.f.Columns[x], analytics.Cell{At: &at})
			if _, known := place[at.String()]; !known {
				place[at.String()] = len(xs)
				xs = append(xs, text)
			}
		}
	} else {
		for _, r := range s.f.Rows {
			text, _ := s.cell(s.f.Columns[x], r.Cells[x])
			if _, known := place[text]; !known {
				place[text] = len(xs)
				xs = append(xs, text)
			}
		}
	}
	added := s.f.Columns[v].Kind == analytics.Count
	t.Heads = append([]string{s.in(s.f.Columns[y].Title)}, xs...)
	if added {
		t.Heads = append(t.Heads, s.text("figures.total"))
	}
	totals := []int64{}
	for _, r := range s.f.Rows {
		label, _ := s.cell(s.f.Columns[y], r.Cells[y])
		i, known := rows[label]
		if !known {
			i = len(t.Rows)
			rows[label] = i
			row := figureRow{Cells: []figureCell{{Text: label, Head: true}}}
			for range xs {
				row.Cells = append(row.Cells, figureCell{Text: "–"})
			}
			t.Rows, totals = append(t.Rows, row), append(totals, 0)
		}
		key, _ := s.cell(s.f.Columns[x], r.Cells[x])
		if at := r.Cells[x].At; at != nil {
			key = at.String()
		}
		text, small := s.cell(s.f.Columns[v], r.Cells[v])
		for _, h := range c.Hover {
			more, _ := s.cell(s.f.Columns[s.column(h)], r.Cells[s.column(h)])
			small = strings.TrimSpace(small + " " + more)
		}
		t.Rows[i].Cells[1+place[key]] = figureCell{Text: text, Small: small, Link: linkOf(r.Cells[v])}
		t.Rows[i].Open = t.Rows[i].Open || r.Open
		if n := r.Cells[v].Count; n != nil {
			totals[i] += *n
		}
	}
	for i := range t.Rows {
		if added {
			t.Rows[i].Cells = append(t.Rows[i].Cells, figureCell{Text: count(s.lang, totals[i])})
		}
	}
	return t
}

// point is one mark of a drawing: where it stands, how large it is, what it says, and where a click leads.
type point struct {
	X    string `json:"x,omitempty"`
	Y    string `json:"y,omitempty"`
	S    string `json:"s,omitempty"` // series
	V    *int64 `json:"v"`
	Low  *int64 `json:"lo,omitempty"`
	High *int64 `json:"hi,omitempty"`
	Text string `json:"t"`           // the value, as people read it
	Said string `json:"h"`           // what it says when one points at it
	Link string `json:"a,omitempty"` // who stands behind it
}

// drawn is one drawing. Unit: share (tenths of a per cent), amount or count.
type drawn struct {
	Kind   string   `json:"kind"`
	Title  string   `json:"title"`
	XTitle string   `json:"x,omitempty"`
	YTitle string   `json:"y,omitempty"`
	Unit   string   `json:"unit"`
	Series []string `json:"series,omitempty"`
	Points []point  `json:"points"`
}

func (s *figureSay) charts() (all []figureChart, err error) {
	for _, c := range s.f.Charts {
		facets := []string{""}
		if c.Facet != "" {
			facets = nil
			for _, r := range s.f.Rows {
				text, _ := s.cell(s.f.Columns[s.column(c.Facet)], r.Cells[s.column(c.Facet)])
				if !slices.Contains(facets, text) {
					facets = append(facets, text)
				}
			}
		}
		for _, facet := range facets {
			d := s.draw(c, facet)
			if len(d.Points) == 0 {
				continue
			}
			b, err := json.Marshal(d)
			if err != nil {
				return nil, err
			}
			said := make([]string, 0, len(d.Points))
			for _, p := range d.Points {
				said = append(said, p.Said)
			}
			all = append(all, figureChart{d.Title, strings.Join(said[:min(len(said), 12)], "; "), template.JS(b)}) //nolint:gosec // JSON with <, > and & escaped
		}
	}
	return all, s.err
}

// draw makes the drawing of one chart, or of one panel of it.
func (s *figureSay) draw(c analytics.Chart, facet string) drawn {
	d := drawn{Kind: c.Kind, Title: s.in(s.f.Title), Unit: "count"}
	if facet != "" {
		d.Title = facet
	} else if len(s.f.Charts) > 1 && len(c.Values) == 1 {
		d.Title = s.in(s.f.Columns[s.column(c.Values[0])].Title)
	}
	if i := s.column(c.X); i >= 0 {
		d.XTitle = s.in(s.f.Columns[i].Title)
	}
	if i := s.column(c.Y); i >= 0 {
		d.YTitle = s.in(s.f.Columns[i].Title)
	}
	for _, v := range c.Values {
		d.Series = append(d.Series, s.in(s.f.Columns[s.column(v)].Title))
	}
	for _, r := range s.f.Rows {
		if f := s.column(c.Facet); f >= 0 {
			if text, _ := s.cell(s.f.Columns[f], r.Cells[f]); text != facet {
				continue
			}
		}
		for i, v := range c.Values {
			at := s.column(v)
			if p, drawn := s.point(c, r, at, &d); drawn {
				p.S = d.Series[i]
				if r.Summary {
					p.S = "Σ"
				}
				d.Points = append(d.Points, p)
			}
		}
	}
	return d
}

func (s *figureSay) point(c analytics.Chart, r analytics.Row, at int, d *drawn) (p point, drawn bool) {
	column, cell := s.f.Columns[at], r.Cells[at]
	var small string
	if p.Text, small = s.cell(column, cell); cell == (analytics.Cell{}) {
		return p, false
	}
	switch {
	case cell.Rate != nil:
		p.V, p.Low, p.High = cell.Rate.Tenths, cell.Rate.Low, cell.Rate.High
		d.Unit = "share"
		if c.Kind == "stack" { // the lengths of a stack are people
			p.V, p.Low, p.High, d.Unit = &cell.Rate.Count, nil, nil, "count"
		}
	case cell.Mean != nil:
		p.V, d.Unit = cell.Mean, "share"
	case cell.Amount != nil:
		p.V, d.Unit = &cell.Amount.Minor, "amount"
	default:
		p.V = cell.Count
		if column.Kind == analytics.Tenths {
			d.Unit = "share"
		}
	}
	var said []string
	for _, id := range []string{c.Y, c.X} {
		if i := s.column(id); i >= 0 {
			text, _ := s.cell(s.f.Columns[i], r.Cells[i])
			if id == c.Y {
				p.Y = text
			} else {
				p.X = text
			}
			said = append(said, text)
		}
	}
	if len(c.Values) > 1 {
		said = append(said, s.in(column.Title))
	}
	value := p.Text
	if small != "" {
		value += " (" + small + ")"
	}
	said = append(said, value)
	for _, h := range c.Hover {
		i := s.column(h)
		text, _ := s.cell(s.f.Columns[i], r.Cells[i])
		said = append(said, s.in(s.f.Columns[i].Title)+": "+text)
	}
	p.Said, p.Link = strings.Join(said, " · "), linkOf(cell)
	return p, p.V != nil
}

// In2 is a text of the catalogue in the language of the page.
func (v View) In2(t catalog.Text) string { return Text(t).In(v.Lang) }

// At2 points to a time, for Moment.
func (View) At2(t time.Time) *time.Time { return &t }
