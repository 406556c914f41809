package web

import (
	"cmp"
	"slices"
	"strings"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
)

// figureTable is the table beside the chart: the rows of the figure, or a row for each value of one column and a column for each of another.
type figureTable struct {
	Heads []figureHead
	Rows  []figureRow
	Keys  []string // what stands small in its cells
	Broad bool     // no paper is wide enough: there each row is told value by value, each under its head
}

type figureHead struct {
	Text  string
	Words bool // its cells are words, and begin where it does
}

type figureRow struct {
	Cells   []figureCell
	Open    bool
	Summary bool
}

type figureCell struct {
	Text, Link  string
	Small       []string // each on a line of its own
	Head, Words bool
	Under       string // the head of its column, in a broad table
}

// figureSay puts a figure into the words of a language.
type figureSay struct {
	say
	f   analytics.Figure
	own bool // nothing leads to who stands behind a number
}

func (s *figureSay) in(t catalog.Text) string { return t.In(s.lang) }

// cell is a value as people read it, with what stands small below it: of how many, and the interval.
func (s *figureSay) cell(c analytics.Column, v analytics.Cell) (text string, small []string) {
	switch {
	case v.Said != (catalog.Text{}):
		return s.in(v.Said), nil
	case v.Rate != nil:
		small = []string{s.text("staff.of", count(s.lang, v.Rate.Count), count(s.lang, v.Rate.Of))}
		if v.Rate.Low != nil {
			small = append(small, s.text("staff.interval", share(s.lang, v.Rate.Low), share(s.lang, v.Rate.High)))
		}
		return share(s.lang, v.Rate.Tenths), small
	case v.Mean != nil:
		return share(s.lang, v.Mean), nil
	case v.Amount != nil:
		return amount(s.lang, *v.Amount), nil
	case v.At != nil:
		return v.At.UTC().Format("2006-01-02"), nil
	case v.Points != nil:
		small = []string{s.text("figures.people", count(s.lang, v.Points.N))}
		if v.Points.Low != nil {
			small = append(small, s.text("staff.interval", points(s.lang, *v.Points.Low), points(s.lang, *v.Points.High)))
		}
		return points(s.lang, v.Points.Hundredths), small
	case v.Count != nil && c.Kind == analytics.Tenths:
		text = strings.Replace(share(s.lang, v.Count), "-", "−", 1)
		if c.Points {
			text = strings.TrimRight(text, "% \u00a0\u202f")
		}
		return text, nil
	case v.Count != nil:
		return count(s.lang, *v.Count), nil
	case v.Text != "":
		return v.Text, nil
	}
	return "–", nil
}

// value is what a row has in a column, as people read it.
func (s *figureSay) value(r analytics.Row, column int) string {
	text, _ := s.cell(s.f.Columns[column], r.Cells[column])
	return text
}

func (s *figureSay) column(id string) int {
	for i, c := range s.f.Columns {
		if c.ID == id {
			return i
		}
	}
	return -1
}

func (s *figureSay) linkOf(c analytics.Cell) string {
	if c.Who == nil || s.own {
		return ""
	}
	return doersAt(*c.Who)
}

// Columns that a page of paper has room for; those of a pivot are narrow.
const (
	columnsOnPaper      = 8
	pivotColumnsOnPaper = 14
)

func (s *figureSay) table() figureTable {
	t, most := s.rows(), columnsOnPaper
	for _, c := range s.f.Charts {
		if c.Pivot {
			t, most = s.pivot(c), pivotColumnsOnPaper
			break
		}
	}
	if t.Broad = len(t.Heads) > most; t.Broad {
		for _, r := range t.Rows {
			for i := range r.Cells {
				r.Cells[i].Under = t.Heads[i].Text
			}
		}
	}
	t.Keys = append(t.Keys, s.keys()...)
	return t
}

// keys say what the small lines of cells are.
func (s *figureSay) keys() (all []string) {
	for kind, key := range map[analytics.Kind]string{analytics.Share: "figures.key.shares", analytics.Points: "figures.key.points"} {
		if slices.ContainsFunc(s.f.Columns, func(c analytics.Column) bool { return c.Kind == kind }) {
			all = append(all, s.text(key))
		}
	}
	slices.Sort(all)
	return all
}

// rows gives a row for each of the figure. What speaks of another column stands in the cells of that one.
func (s *figureSay) rows() (t figureTable) {
	for _, c := range s.f.Columns {
		if c.Beside == "" {
			t.Heads = append(t.Heads, figureHead{s.in(c.Title), c.Kind == analytics.Text})
		}
	}
	for _, r := range s.f.Rows {
		row := figureRow{Open: r.Open, Summary: r.Summary}
		place := map[string]int{}
		for i, v := range r.Cells {
			c := s.f.Columns[i]
			text, small := s.cell(c, v)
			if c.Beside != "" {
				if at := place[c.Beside]; v != (analytics.Cell{}) {
					row.Cells[at].Small = append(row.Cells[at].Small, text)
				}
				continue
			}
			place[c.ID] = len(row.Cells)
			row.Cells = append(row.Cells, figureCell{Text: text, Small: small, Link: s.linkOf(v), Head: i == 0, Words: c.Kind == analytics.Text})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// pivot gives a row for each value of the column Y, and a column for each of X, in the order in which they come, X sorted where it is a time, and
// the total of all times behind them; where the figure has no such total, numbers are added up at the end of the row.
func (s *figureSay) pivot(c analytics.Chart) (t figureTable) {
	x, y, v := s.column(c.X), s.column(c.Y), s.column(c.Values[0])
	key := func(r analytics.Row) string { // two times of one day are two columns
		if at := r.Cells[x].At; at != nil {
			return at.String()
		}
		return s.value(r, x)
	}
	across := slices.Clone(s.f.Rows)
	if s.f.Columns[x].Kind == analytics.Instant {
		slices.SortStableFunc(across, func(a, b analytics.Row) int {
			switch a, b := a.Cells[x].At, b.Cells[x].At; {
			case a == nil || b == nil:
				return cmp.Compare(asInt(a == nil), asInt(b == nil))
			default:
				return a.Compare(*b)
			}
		})
	}
	// Of all with all the columns come as the rows do.
	if order := s.inRows(x, y); order != nil {
		slices.SortStableFunc(across, func(a, b analytics.Row) int { return order[s.value(a, x)] - order[s.value(b, x)] })
	}
	t.Heads = []figureHead{{s.in(s.f.Columns[y].Title), true}}
	place, rows := map[string]int{}, map[string]int{}
	for _, r := range across {
		if _, known := place[key(r)]; !known {
			place[key(r)] = len(t.Heads)
			t.Heads = append(t.Heads, figureHead{Text: s.value(r, x)})
		}
	}
	summed := slices.ContainsFunc(s.f.Rows, func(r analytics.Row) bool { return r.Summary })
	added, last := s.f.Columns[v].Kind == analytics.Count && !summed, len(t.Heads)
	if added {
		t.Heads = append(t.Heads, figureHead{Text: s.text("figures.total")})
	}
	if len(c.Hover) > 0 {
		hover := make([]string, len(c.Hover))
		for i, h := range c.Hover {
			hover[i] = s.in(s.f.Columns[s.column(h)].Title)
		}
		t.Keys = append(t.Keys, s.text("figures.key.below", strings.Join(hover, ", ")))
	}
	var totals []int64
	for _, r := range s.f.Rows {
		label := s.value(r, y)
		i, known := rows[label]
		if !known {
			i = len(t.Rows)
			rows[label] = i
			row := figureRow{Cells: []figureCell{{Text: label, Head: true}}}
			for range last - 1 {
				row.Cells = append(row.Cells, figureCell{Text: "–"})
			}
			t.Rows, totals = append(t.Rows, row), append(totals, 0)
		}
		text, small := s.cell(s.f.Columns[v], r.Cells[v])
		for _, h := range c.Hover {
			small = append(small, s.value(r, s.column(h)))
		}
		t.Rows[i].Cells[place[key(r)]] = figureCell{Text: text, Small: small, Link: s.linkOf(r.Cells[v])}
		t.Rows[i].Open = t.Rows[i].Open || r.Open
		if n := r.Cells[v].Count; n != nil {
			totals[i] += *n
		}
	}
	if added {
		for i := range t.Rows {
			t.Rows[i].Cells = append(t.Rows[i].Cells, figureCell{Text: count(s.lang, totals[i])})
		}
	}
	return t
}

// inRows is the place of each value of the column y among the rows, where every value of x is one of them too; nil where it is not.
func (s *figureSay) inRows(x, y int) map[string]int {
	order := map[string]int{}
	for _, r := range s.f.Rows {
		if _, known := order[s.value(r, y)]; !known {
			order[s.value(r, y)] = len(order)
		}
	}
	for _, r := range s.f.Rows {
		if _, known := order[s.value(r, x)]; !known {
			return nil
		}
	}
	return order
}

// asInt orders what does not hold before what does.
func asInt(holds bool) int {
	if holds {
		return 1
	}
	return 0
}
