package web

import (
	"encoding/json"
	"html/template"
	"slices"
	"strings"

	"cursus/internal/domain/analytics"
	"cursus/internal/kernel/money"
)

// figureChart is what the script draws. Data is JSON; without script the table says the same.
type figureChart struct {
	Title, Said string
	Data        template.JS
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
	Open bool   `json:"o,omitempty"` // it may still grow
	Link string `json:"a,omitempty"` // who stands behind it
}

// drawn is one drawing. Unit: share (tenths of a per cent), points (hundredths of a scale of 0 to 10), amount or count.
type drawn struct {
	Kind   string   `json:"kind"`
	Title  string   `json:"title"`
	XTitle string   `json:"x,omitempty"`
	YTitle string   `json:"y,omitempty"`
	Unit   string   `json:"unit"`
	Value  string   `json:"value,omitempty"` // what its lengths are, where its title does not say so
	Series []string `json:"series,omitempty"`
	Points []point  `json:"points"`
	Most   int64    `json:"most,omitempty"`    // the largest value of the drawings that share a scale
	Open   string   `json:"open,omitempty"`    // what a mark that may still grow looks like, where there is one
	Last   string   `json:"last,omitempty"`    // the value of x that stands behind all others
	Money  string   `json:"money,omitempty"`   // the currency of its amounts, where it is one
	Digits int      `json:"digits,omitempty"`  // its decimals
	Above  []string `json:"started,omitempty"` // the nodes of a flow that stand above the others of their column
}

func (s *figureSay) charts() (all []figureChart, err error) {
	for _, c := range s.f.Charts {
		facets := []string{""}
		if c.Facet != "" {
			facets = nil
			for _, r := range s.f.Rows {
				if text := s.value(r, s.column(c.Facet)); !slices.Contains(facets, text) {
					facets = append(facets, text)
				}
			}
		}
		for _, facet := range facets {
			d := s.draw(c, facet)
			if len(d.Points) == 0 || c.Kind == "bridge" && still(d.Points) {
				continue
			}
			if d.Most = s.most(c); d.Money == "…" {
				d.Money, d.Digits = "", 0
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

// still says whether nothing lies between the ends of a bridge: then there is nothing to draw.
func still(points []point) bool {
	return !slices.ContainsFunc(points, func(p point) bool { return p.S != "Σ" && *p.V != 0 })
}

// most is the largest value of all drawings that share the scale of one, with the ends of their intervals; nought where it has its own.
func (s *figureSay) most(of analytics.Chart) (most int64) {
	if !of.Alike {
		return 0
	}
	for _, c := range s.f.Charts {
		if !c.Alike {
			continue
		}
		for _, p := range s.draw(c, "").Points {
			most = max(most, *p.V)
			if p.High != nil {
				most = max(most, *p.High)
			}
		}
	}
	return most
}

// draw makes the drawing of one chart, or of one panel of it.
func (s *figureSay) draw(c analytics.Chart, facet string) drawn {
	d := drawn{Kind: c.Kind, Title: s.in(s.f.Title), Unit: "count"}
	if facet != "" {
		d.Title = facet
	}
	if (len(s.f.Charts) > 1 || c.Facet != "") && len(c.Values) == 1 {
		if d.Title = s.in(s.f.Columns[s.column(c.Values[0])].Title); facet != "" { // one of several drawings of the panel
			d.Title += " · " + facet
		}
	}
	if i := s.column(c.X); i >= 0 {
		d.XTitle = s.in(s.f.Columns[i].Title)
	}
	if i := s.column(c.Y); i >= 0 {
		d.YTitle = s.in(s.f.Columns[i].Title)
	}
	switch {
	case c.Kind == "stack" || c.Kind == "columns": // of people, whatever is stacked
		d.Value = s.text("figures.axis.learners")
	case len(c.Values) == 1:
		if value := s.in(s.f.Columns[s.column(c.Values[0])].Title); !strings.HasPrefix(d.Title, value) {
			d.Value = value
		}
	}
	for _, v := range c.Values {
		d.Series = append(d.Series, s.in(s.f.Columns[s.column(v)].Title))
	}
	for _, r := range s.f.Rows {
		if c.Facet != "" && s.value(r, s.column(c.Facet)) != facet {
			continue
		}
		if c.Kind == "flow" {
			for _, id := range []string{c.X, c.Y} {
				if i := s.column(id); strings.HasSuffix(r.Cells[i].Text, analytics.NodeStarted) && !slices.Contains(d.Above, s.value(r, i)) {
					d.Above = append(d.Above, s.value(r, i))
				}
			}
		}
		for i, v := range c.Values {
			at := s.column(v)
			if p, drawn := s.point(c, r, at, &d); drawn {
				p.S = d.Series[i]
				if r.Summary || c.Kind == "bridge" && (i == 0 || i == len(c.Values)-1) {
					p.S = "Σ"
				}
				if p.Open = r.Open; p.Open {
					d.Open = s.text("figures.openmark")
					p.Said += " · " + s.text("staff.openmark")
				}
				if c.X == "" && c.Y == "" && slices.ContainsFunc(d.Points, func(q point) bool { return q.Y == p.Y }) {
					continue // a group that others are held against more than once
				}
				d.Points = append(d.Points, p)
			}
		}
	}
	return d
}

func (s *figureSay) point(c analytics.Chart, r analytics.Row, at int, d *drawn) (p point, drawn bool) {
	column, cell := s.f.Columns[at], r.Cells[at]
	var small []string
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
		d.one(cell.Amount.Currency)
	case cell.Points != nil:
		p.V, p.Low, p.High, d.Unit = &cell.Points.Hundredths, cell.Points.Low, cell.Points.High, "points"
	default:
		p.V = cell.Count
		if column.Kind == analytics.Tenths {
			d.Unit = "share"
		}
	}
	var said []string
	for _, id := range []string{c.Y, c.X} {
		if i := s.column(id); i >= 0 {
			text := s.value(r, i)
			if id == c.Y {
				p.Y = text
			} else {
				p.X = text
				if s.f.Columns[i].Kind == analytics.Instant && r.Cells[i].At == nil {
					d.Last = text
				}
			}
			said = append(said, text)
		}
	}
	loose := c.X == "" && c.Y == ""
	if loose {
		p.Y = s.beside(r, column)
	}
	if c.Kind == "bridge" && p.V != nil && column.ID != c.Values[0] && column.ID != c.Values[len(c.Values)-1] && *p.V != 0 {
		if slices.Contains(c.Less, column.ID) {
			less := -*p.V
			p.V, p.Text = &less, "−"+p.Text
		} else if *p.V > 0 {
			p.Text = "+" + p.Text
		}
	}
	if loose {
		said = append(said, p.Y)
	} else if len(c.Values) > 1 {
		said = append(said, s.in(column.Title))
	}
	said = append(said, inFull(p.Text, small))
	for _, h := range c.Hover {
		i := s.column(h)
		said = append(said, s.in(s.f.Columns[i].Title)+": "+inFull(s.cell(s.f.Columns[i], r.Cells[i])))
	}
	for i, b := range s.f.Columns {
		if b.Beside == column.ID && !loose && r.Cells[i] != (analytics.Cell{}) {
			said = append(said, s.value(r, i))
		}
	}
	p.Said, p.Link = strings.Join(said, " · "), s.linkOf(cell)
	return p, p.V != nil
}

// beside is where a value stands that has no place of its own: at what is beside it, or at the title of its column.
func (s *figureSay) beside(r analytics.Row, of analytics.Column) string {
	for i, c := range s.f.Columns {
		if c.Beside == of.ID {
			return s.value(r, i)
		}
	}
	return s.in(of.Title)
}

// one notes the currency of the amounts of a drawing; of several there is no scale.
func (d *drawn) one(c money.Currency) {
	switch d.Money {
	case "":
		d.Money, d.Digits = string(c), c.Exponent()
	case string(c):
	default:
		d.Money = "…"
	}
}

// inFull is a value with all that stands small below it.
func inFull(text string, small []string) string {
	if len(small) == 0 {
		return text
	}
	return text + " (" + strings.Join(small, "; ") + ")"
}
