package web

import (
	"slices"
	"strings"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
)

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

// figureSay puts a figure into the words of a language.
type figureSay struct {
	say
	f analytics.Figure
}

func (s *figureSay) in(t catalog.Text) string { return t.In(s.lang) }

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
	case v.Points != nil:
		small = s.text("figures.people", count(s.lang, v.Points.N))
		if v.Points.Low != nil {
			small += " " + s.text("staff.interval", points(s.lang, *v.Points.Low), points(s.lang, *v.Points.High))
		}
		return points(s.lang, v.Points.Hundredths), small
	case v.Count != nil && c.Kind == analytics.Tenths:
		return share(s.lang, v.Count), ""
	case v.Count != nil:
		return count(s.lang, *v.Count), ""
	case v.Text != "":
		return v.Text, ""
	}
	return "–", ""
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
	key := func(r analytics.Row) string { // two times of one day are two columns
		if at := r.Cells[x].At; at != nil {
			return at.String()
		}
		return s.value(r, x)
	}
	across := slices.Clone(s.f.Rows)
	if s.f.Columns[x].Kind == analytics.Instant {
		slices.SortStableFunc(across, func(a, b analytics.Row) int { return a.Cells[x].At.Compare(*b.Cells[x].At) })
	}
	t.Heads = []string{s.in(s.f.Columns[y].Title)}
	place, rows := map[string]int{}, map[string]int{}
	for _, r := range across {
		if _, known := place[key(r)]; !known {
			place[key(r)] = len(t.Heads)
			t.Heads = append(t.Heads, s.value(r, x))
		}
	}
	added, last := s.f.Columns[v].Kind == analytics.Count, len(t.Heads)
	if added {
		t.Heads = append(t.Heads, s.text("figures.total"))
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
			small = strings.TrimSpace(small + " " + s.value(r, s.column(h)))
		}
		t.Rows[i].Cells[place[key(r)]] = figureCell{Text: text, Small: small, Link: linkOf(r.Cells[v])}
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

// unlink takes the ways to the learners behind the numbers.
func (t figureTable) unlink() {
	for _, r := range t.Rows {
		for i := range r.Cells {
			r.Cells[i].Link = ""
		}
	}
}
