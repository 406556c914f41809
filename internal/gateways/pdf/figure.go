package pdf

import (
	"context"
	"maps"
	"strconv"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/clock"
)

// Figure prints a figure as a table: A4 pages in portrait, in a language. The same figure gives the same bytes: without a past instant it
// bears no date.
func (r *Renderer) Figure(_ context.Context, f analytics.Figure, lang string) ([]byte, error) {
	at := f.Ask.AsOf
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	return r.paper(lang, at, f.Demo, func(p *paper) []string {
		texts := []string{"0123456789 %.,/-−:·•×()[];="}
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

func (p *paper) figure(f analytics.Figure) {
	title := f.Title.In(p.lang)
	p.SetTitle(title, true)
	p.footer = title + " · " + f.ID + " · " + strconv.Itoa(f.Version)
	if !f.Ask.AsOf.IsZero() {
		p.footer += " · " + clock.Day(f.Ask.AsOf, p.lang)
	}
	p.page()
	p.put(clean(title), p.Left, p.y+6, p.Size["title"], "sans-bold", "accent")
	p.y += 14
	said := ""
	for _, x := range f.Params {
		if v := f.Ask.Params[x.ID]; v != "" {
			said += v + " · "
		}
	}
	p.y = p.block([]string{said + f.ID, f.Says.In(p.lang)}, p.Left, p.y, p.Right-p.Left, p.Size["small"], "sans", "soft", true) + 4
	p.words = maps.Clone(p.words) // the heads of this table are its own
	columns, width := make([]column, len(f.Columns)), (p.Right-p.Left)/float64(len(f.Columns)+3)
	x := p.Left
	for i, c := range f.Columns {
		w, align := width, "right"
		if c.Kind == analytics.Text {
			align = ""
		}
		if i == 1 { // what the row is about
			w = 4 * width
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
