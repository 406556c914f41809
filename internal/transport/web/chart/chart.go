// Package chart draws bars as SVG, on integers only. A drawing carries a title and a description for those who hear it; its
// colours are classes, so that the stylesheet of the page decides them by day, by night and on paper.
package chart

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
)

// Bar is one horizontal bar. Value, Low and High are in any unit, the same for all bars of a chart; nil draws no bar.
type Bar struct {
	Label, Text string // Text is the value as people read it, set at the end of the bar
	Value       *int64
	Low, High   *int64 // ends of an interval, drawn as a whisker
	Class       string // an extra class: "mean" for a line that is no measurement
}

// Bars is a chart. Max is the value of a full width; 0 takes the largest value or interval end.
type Bars struct {
	ID, Title, Description string
	Max                    int64
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
	most := c.Max
	if most > 0 {
		return most
	}
	for _, bar := range c.Bars {
		for _, v := range []*int64{bar.Value, bar.High} {
			if v != nil && *v > most {
				most = *v
			}
		}
	}
	return max(most, 1)
}

// at gives the place of a value in hundredths of a unit, never outside the frame.
func at(v, most int64) string {
	v = min(max(v, 0), most)
	hundredths := barStart*100 + v*(barEnd-barStart)*100/most
	return strconv.FormatInt(hundredths/100, 10) + fmt.Sprintf(".%02d", hundredths%100)
}

func (c Bars) draw(b *strings.Builder, bar Bar, top int, most int64) {
	middle := top + barHeight/2
	class := "bar"
	if bar.Class != "" {
		class += " " + template.HTMLEscapeString(bar.Class)
	}
	fmt.Fprintf(b, `<text class="label" x="%d" y="%d" text-anchor="end">%s</text>`, labelEnd, middle+4, template.HTMLEscapeString(bar.Label))
	if bar.Value != nil {
		length := min(max(*bar.Value, 0), most) * (barEnd - barStart) * 100 / most
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d.%02d" height="%d" rx="2"/>`, class, barStart, top, length/100, length%100, barHeight)
	}
	if bar.Low != nil && bar.High != nil {
		low, high := at(*bar.Low, most), at(*bar.High, most)
		fmt.Fprintf(b, `<path class="whisker" d="M%s %dH%sM%s %dV%dM%s %dV%d"/>`, low, middle, high, low, middle-4, middle+4, high, middle-4, middle+4)
	}
	fmt.Fprintf(b, `<text class="value" x="%d" y="%d" text-anchor="end">%s</text>`, width-2, middle+4, template.HTMLEscapeString(bar.Text))
}
