// Package chart draws bars as SVG, on integers only. A drawing carries a title and a description for those who hear it; its
// colours are classes, so that the stylesheet of the page decides them by day, by night and on paper.
package chart

import (
	"fmt"
	"html/template"
	"strings"
)

// Bar is one horizontal bar. Value is in any unit, the same for all bars of a chart; nil draws no bar.
type Bar struct {
	Label, Text string // Text is the value as people read it, set at the end of the bar
	Value       *int64
}

// Bars is a chart. The largest value has the full width.
type Bars struct {
	ID, Title, Description string
	Bars                   []Bar
}

// Sizes are in user units; a chart of 360 units fills a phone without its letters becoming small.
const (
	width     = 360
	labelEnd  = 92
	barStart  = 98
	barEnd    = 292
	rowHeight = 26
	barHeight = 14
)

// SVG draws the chart.
func (c Bars) SVG() template.HTML {
	var b strings.Builder
	height, most := len(c.Bars)*rowHeight+8, c.most()
	id := template.HTMLEscapeString(c.ID)
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %d %d" role="img" aria-labelledby="%s-title %s-desc" xmlns="http://www.w3.org/2000/svg">`, width, height, id, id)
	fmt.Fprintf(&b, `<title id="%s-title">%s</title><desc id="%s-desc">%s</desc>`, id, template.HTMLEscapeString(c.Title), id, template.HTMLEscapeString(c.Description))
	for i := int64(0); i <= 4; i++ {
		x := barStart + i*(barEnd-barStart)/4
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="2" y2="%d"/>`, x, x, height-4)
	}
	for i, bar := range c.Bars {
		c.draw(&b, bar, i*rowHeight+6, most)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // every text in it was escaped above
}

func (c Bars) most() int64 {
	most := int64(1)
	for _, bar := range c.Bars {
		if bar.Value != nil {
			most = max(most, *bar.Value)
		}
	}
	return most
}

func (c Bars) draw(b *strings.Builder, bar Bar, top int, most int64) {
	middle := top + barHeight/2
	fmt.Fprintf(b, `<text class="label" x="%d" y="%d" text-anchor="end">%s</text>`, labelEnd, middle+4, template.HTMLEscapeString(bar.Label))
	if bar.Value != nil {
		length := max(*bar.Value, 0) * (barEnd - barStart) * 100 / most
		fmt.Fprintf(b, `<rect class="bar" x="%d" y="%d" width="%d.%02d" height="%d" rx="2"/>`, barStart, top, length/100, length%100, barHeight)
	}
	fmt.Fprintf(b, `<text class="value" x="%d" y="%d" text-anchor="end">%s</text>`, width-2, middle+4, template.HTMLEscapeString(bar.Text))
}
