package pdf

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/clock"
)

// Figure prints a figure as a table: A4 pages in portrait, in a language, with the instant of which it is. The same figure gives the same bytes.
func (r *Renderer) Figure(_ context.Context, f analytics.Figure, lang string) ([]byte, error) {
	at := f.At
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	return r.paper(lang, at, f.Demo, func(p *paper) []string {
		texts := []string{"0123456789 %.,/-−:·•×()[];=UTC", clock.Day(f.At, p.lang)}
		for _, x := range f.Params {
			texts = append(texts, x.Title.In(p.lang))
		}
		for _, t := range []catalog.Text{f.Title, f.Says} {
			texts = append(texts, t.In(p.lang))
		}
		for _, n := range f.Notes {
			texts = append(texts, n.In(p.lang))
		}
		for _, x := range f.Ask.Params {
			texts = append(texts, x)
		}
		for _, c := range f.Columns {
			texts = append(texts, c.Title.In(p.lang))
		}
		for _, row := range f.Rows {
			for i, c := range row.Cells {
				texts = append(texts, f.Columns[i].Said(c, p.lang))
			}
		}
		return texts
	}, func(p *paper) { p.figure(f) })
}

// breadth is how wide a column of a figure is beside one of numbers: what the row is about is a sentence, and a share has its base and its interval.
func breadth(i int, c analytics.Column) float64 {
	switch {
	case i == 1 && c.Kind == analytics.Text:
		return 4
	case c.Kind == analytics.Share || c.Kind == analytics.Points:
		return 3
	}
	return 1
}

func (p *paper) figure(f analytics.Figure) {
	title := f.Title.In(p.lang)
	p.SetTitle(title, true)
	p.footer = title + " · " + f.ID + " · " + strconv.Itoa(f.Version)
	of := ""
	if !f.At.IsZero() {
		of = clock.Day(f.At, p.lang) + f.At.UTC().Format(", 15:04 UTC")
		p.footer += " · " + of
	}
	p.page()
	p.put(clean(title), p.Left, p.y+6, p.Size["title"], "sans-bold", "accent")
	p.y += 14
	var said []string
	for _, x := range f.Params {
		if v := f.Ask.Params[x.ID]; v != "" && !x.Many { // what is given as a list stands in the rows
			said = append(said, x.Title.In(p.lang)+": "+v)
		}
	}
	if of != "" {
		said = append(said, of)
	}
	p.y = p.block([]string{strings.Join(said, " · "), f.Says.In(p.lang)}, p.Left, p.y, p.Right-p.Left, p.Size["small"], "sans", "soft", true) + 4
	p.words = maps.Clone(p.words) // the heads of this table are its own
	columns, parts := make([]column, len(f.Columns)), 0.0
	for i, c := range f.Columns {
		parts += breadth(i, c)
	}
	x := p.Left
	for i, c := range f.Columns {
		w, align := (p.Right-p.Left)*breadth(i, c)/parts, "right"
		if c.Kind == analytics.Text {
			align = ""
		}
		p.words["figure."+c.ID] = c.Title.In(p.lang)
		columns[i] = column{Key: "figure." + c.ID, X: x, W: w - 2, Align: align}
		x += w
	}
	p.head(columns)
	p.heads = columns
	for _, row := range f.Rows {
		cells := make([]string, len(row.Cells))
		for i, c := range row.Cells {
			cells[i] = f.Columns[i].Said(c, p.lang)
		}
		p.row(columns, cells, "")
	}
	p.heads = nil
	notes := make([]string, 0, len(f.Notes))
	for _, n := range f.Notes {
		notes = append(notes, n.In(p.lang))
	}
	p.y = p.block(notes, p.Left, p.y+4, p.Right-p.Left, p.Size["small"], "sans", "soft", true)
}
