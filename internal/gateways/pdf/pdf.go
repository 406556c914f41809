// Package pdf sets certificates and documents on paper. It is the only room that knows the PDF library.
//
// Where things stand, in which colour and in which words is data (templates/certificate and templates/documents, layout.json). The same facts give
// the same bytes: dates come from the facts and the catalogues are sorted.
package pdf

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/jung-kurt/gofpdf"

	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/fault"
	"cursus/templates/certificate"
)

// ErrRender is our failure: no input should reach it.
var ErrRender = fault.New(fault.Internal, "certificate-not-rendered", "The paper could not be printed. Nothing was lost; please try again.")

const (
	faceWide = "wide"
	faceHan  = "han"
	leading  = 1.2 * 25.4 / 72 // mm between baselines, per point of size
)

type textBox struct {
	Key   string
	X, Y  float64 // the left edge and the baseline of the first line, in mm
	W, H  float64 // H is how far below the first baseline the last one may stand
	Size  float64 // in points; shrinks down to Min until the text fits in Lines
	Min   float64
	Lines int
	Face  string
	Color string
}

type layout struct {
	Page   struct{ Width, Height float64 }
	Colors map[string]string // by name; accent and line may be those of a partner
	Frames []struct {
		X, Y, W, H, Line float64
		Color            string
	}
	Logos      []struct{ X, Y, W, H float64 } // places, in the order in which they are filled
	Texts      []textBox
	Signatures struct {
		X, Y, W, H float64   // where all of them stand, beside each other; Y and H are of the image
		Texts      []textBox // below it
	}
	QR struct {
		X, Y, Size float64
		Color      string
	}
	Watermark struct {
		X, Y, Size, Angle float64
		Color             string
	}
	Words map[string]map[string]string
}

// Renderer implements certificates.Renderer and invoicing.Printer. It keeps no state between documents and may be used by many goroutines.
type Renderer struct {
	layout    layout
	documents documentLayout
}

var _ certificates.Renderer = (*Renderer)(nil)

// New reads the layout.
func New() (*Renderer, error) {
	r := &Renderer{}
	if err := json.Unmarshal(certificate.Layout, &r.layout); err != nil {
		return nil, ErrRender.Because(err)
	}
	var err error
	if r.documents, err = readDocumentLayout(); err != nil {
		return nil, ErrRender.Because(err)
	}
	return r, nil
}

// sheet is one document in the making; the embedded faces are added when the first text needs them.
type sheet struct {
	*gofpdf.Fpdf
	added map[string]map[rune]place // the runes of an embedded face, by its name
	runes map[rune]bool             // that any of its texts may be drawn with
	shown *drawing                  // the same page as an SVG; nil: none is wanted
}

// write sets text into a box, centred: it shrinks first and breaks into lines when it must.
func (s *sheet) write(b textBox, text []rune) {
	size, lines := b.Size, [][]rune{text}
	for natural := s.width(setLine(text, b.Face), b.Size); ; size-- {
		if size < b.Min {
			size = b.Min
		}
		if natural*size/b.Size <= b.W {
			lines = [][]rune{text}
			break
		}
		// Breaking into lines is tried once the text is at most two thirds of its size, so that short overlong lines shrink.
		if b.Lines > 1 && (size <= b.Size*2/3 || size == b.Min) {
			if lines = s.wrap(text, b, size); len(lines) <= b.Lines && float64(len(lines)-1)*size*leading <= b.H {
				break
			}
		}
		if size == b.Min {
			break
		}
	}
	s.SetTextColor(rgb(b.Color))
	s.ink(b.Color)
	for i, l := range lines {
		runs := setLine(l, b.Face)
		s.draw(runs, b.X+(b.W-s.width(runs, size))/2, b.Y+float64(i)*size*leading, size)
	}
}

// wrap breaks between words, and inside a word that is wider than the box.
func (s *sheet) wrap(text []rune, b textBox, size float64) (lines [][]rune) {
	fits := func(l []rune) bool { return s.width(setLine(l, b.Face), size) <= b.W }
	for len(text) > 0 {
		lo, hi := 1, len(text)
		for lo < hi { // the longest beginning that fits
			mid := (lo + hi + 1) / 2
			if fits(text[:mid]) {
				lo = mid
			} else {
				hi = mid - 1
			}
		}
		cut := lo
		if lo < len(text) {
			for i := lo; i > 0; i-- {
				if text[i] == ' ' {
					cut = i
					break
				}
			}
		}
		lines = append(lines, text[:cut])
		for text = text[cut:]; len(text) > 0 && text[0] == ' '; {
			text = text[1:]
		}
	}
	return lines
}

func (s *sheet) use(face string, size float64) {
	switch face {
	case "serif":
		s.SetFont("Times", "", size)
	case "serif-bold":
		s.SetFont("Times", "B", size)
	case "sans-bold":
		s.SetFont("Helvetica", "B", size)
	case "sans":
		s.SetFont("Helvetica", "", size)
	default: // an embedded one
		s.SetFont(face, "", size)
	}
}

func (s *sheet) width(runs []run, size float64) (w float64) {
	for _, r := range runs {
		for _, part := range s.parts(r) {
			s.use(part.face, size)
			w += s.GetStringWidth(part.text)
		}
	}
	return w
}

func (s *sheet) draw(runs []run, x, y, size float64) {
	for _, r := range runs {
		from := x
		for _, part := range s.parts(r) {
			s.use(part.face, size)
			s.Text(x, y, part.text)
			x += s.GetStringWidth(part.text)
		}
		s.shown.text(r, from, y, x-from, size)
	}
}

func rgb(hex string) (r, g, b int) {
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil {
		return 0, 0, 0
	}
	return int(n >> 16 & 255), int(n >> 8 & 255), int(n & 255)
}
