package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func n(v int64) *int64 { return &v }

func TestAChartIsWellFormedAndSaysWhatItShows(t *testing.T) {
	c := Bars{ID: `a"b`, Title: "Started <%>", Description: "12.9 & more", Bars: []Bar{
		{Label: "PRD <6>", Text: "12.9 %", Value: n(129)}, {Label: "nobody", Text: "–"}, {Label: "minus", Value: n(-5), Text: "−5"},
		{Label: "mean", Value: n(144), Text: "14.4 %"},
	}}
	svg := string(c.SVG())
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err, svg)
		}
	}
	for _, want := range []string{`role="img"`, "Started &lt;%&gt;", "12.9 &amp; more", "PRD &lt;6&gt;", `width="173.79"`, `width="194.00"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("the chart lacks %s in %s", want, svg)
		}
	}
	if strings.Count(svg, "<rect") != 3 {
		t.Error("a value that does not exist has a bar")
	}
}

func TestAChartOfNothingIsWhole(t *testing.T) {
	if empty := string(Bars{ID: "e"}.SVG()); !strings.Contains(empty, "</svg>") {
		t.Error(empty)
	}
}
