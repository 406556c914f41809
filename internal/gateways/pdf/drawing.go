package pdf

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"

	"golang.org/x/text/encoding/charmap"
)

// drawing notes what is set on a page, as an SVG in millimetres. A nil one notes nothing.
type drawing struct {
	out   bytes.Buffer
	color string // of texts
}

func newDrawing(w, h float64) *drawing {
	d := &drawing{}
	fmt.Fprintf(&d.out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%gmm" height="%gmm"><rect width="%g" height="%g" fill="#fff"/>`, w, h, w, h, w, h)
	return d
}

func (d *drawing) svg() []byte { return append(d.out.Bytes(), "</svg>"...) }

func (d *drawing) note(format string, args ...any) {
	if d != nil {
		fmt.Fprintf(&d.out, format, args...)
	}
}

func (d *drawing) frame(x, y, w, h, line float64, color string) {
	d.note(`<rect x="%g" y="%g" width="%g" height="%g" fill="none" stroke="%s" stroke-width="%g"/>`, x, y, w, h, color, line)
}

func (d *drawing) block(x, y, w, h float64, color string) {
	d.note(`<rect x="%.3f" y="%.3f" width="%.3f" height="%.3f" fill="%s"/>`, x, y, w, h, color)
}

func (d *drawing) line(x, y, to float64, color string) {
	d.note(`<path d="M%.2f %.2fH%.2f" stroke="%s" stroke-width=".2"/>`, x, y, to, color)
}

func (d *drawing) picture(png []byte, x, y, w, h float64) {
	if d != nil {
		d.note(`<image x="%.2f" y="%.2f" width="%.2f" height="%.2f" href="data:image/png;base64,%s"/>`, x, y, w, h, base64.StdEncoding.EncodeToString(png))
	}
}

func (d *drawing) turn(angle, x, y float64) { d.note(`<g transform="rotate(%g %g %g)">`, -angle, x, y) }
func (d *drawing) turned()                  { d.note("</g>") }

// styles are the faces of PDF's own fonts as a browser knows them.
var styles = map[string]string{
	"serif": "Times New Roman,Liberation Serif,serif", "serif-bold": "Times New Roman,Liberation Serif,serif", "sans": "Helvetica,Liberation Sans,Arial,sans-serif", "sans-bold": "Helvetica,Liberation Sans,Arial,sans-serif",
	faceWide: "DejaVu Sans,sans-serif", faceHan: "Droid Sans Fallback,Noto Sans CJK SC,sans-serif",
}

// text sets a run, which stands in the order in which it is seen, into the width that it takes on paper.
func (d *drawing) text(r run, x, y, w, size float64) {
	if d == nil {
		return
	}
	said := r.text
	if r.face != faceWide && r.face != faceHan {
		if s, err := charmap.Windows1252.NewDecoder().String(said); err == nil {
			said = s
		}
	}
	var escaped bytes.Buffer
	_ = xml.EscapeText(&escaped, []byte(said)) // into memory: it does not fail
	weight := "normal"
	if r.face == "serif-bold" || r.face == "sans-bold" {
		weight = "bold"
	}
	d.note(`<text x="%.2f" y="%.2f" font-size="%.3f" font-family="%s" font-weight="%s" fill="%s" textLength="%.2f" lengthAdjust="spacingAndGlyphs" direction="ltr" unicode-bidi="bidi-override" xml:space="preserve">%s</text>`,
		x, y, size*25.4/72, styles[r.face], weight, d.color, w, escaped.Bytes())
}
