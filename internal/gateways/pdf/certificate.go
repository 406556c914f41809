package pdf

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jung-kurt/gofpdf"
	"rsc.io/qr"

	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/clock"
)

// mark is what a document says of itself, so that who holds a file need not type its code.
const mark = "cursus-certificate "

// Certificate prints one A4 page in landscape; a transcript, as many in portrait as it needs.
func (r *Renderer) Certificate(_ context.Context, f certificates.CertificateFacts, images certificates.Images) ([]byte, error) {
	if f.Transcript != nil {
		return r.transcript(f)
	}
	s, err := r.certificate(f, images, nil)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := s.Output(&buf); err != nil {
		return nil, ErrRender.Because(err)
	}
	return buf.Bytes(), nil
}

// Preview draws the same page as an SVG.
func (r *Renderer) Preview(_ context.Context, f certificates.CertificateFacts, images certificates.Images) ([]byte, error) {
	d := newDrawing(r.layout.Page.Width, r.layout.Page.Height)
	if _, err := r.certificate(f, images, d); err != nil {
		return nil, err
	}
	return d.svg(), nil
}

func (r *Renderer) certificate(f certificates.CertificateFacts, images certificates.Images, d *drawing) (s *sheet, err error) {
	defer func() { // the library panics on fonts that it does not understand
		if p := recover(); p != nil {
			s, err = nil, ErrRender.Because(fmt.Errorf("panic: %v", p))
		}
	}()
	words, ok := r.layout.Words[f.Language]
	if !ok {
		words, f.Language = r.layout.Words["en"], "en"
	}
	l := r.layout.with(f.Look)
	s = &sheet{gofpdf.New("L", "mm", "A4", ""), map[string]map[rune]place{}, map[rune]bool{missing: true, '\u2026': true}, d}
	s.SetCatalogSort(true)
	s.SetCompression(false) // of a page: a kilobyte saved is not worth a new compressor, and the bytes shall not depend on its version
	printed := f.IssuedAt
	if f.ReissuedAt != nil {
		printed = *f.ReissuedAt
	}
	s.SetCreationDate(printed.UTC())
	s.SetModificationDate(printed.UTC())
	s.SetTitle(words["title"]+" "+string(clean(f.CourseTitle)), true)
	s.SetAuthor(string(clean(f.Issuer)), true)
	s.SetKeywords(mark+f.Code, false)
	s.SetAutoPageBreak(false, 0)
	said := textsOn(f, words)
	texts := make([][]rune, len(l.Texts))
	for i, b := range l.Texts {
		texts[i] = clean(said[b.Key])
		drawn(s.runes, texts[i])
	}
	signatures := signaturesOn(f)
	for _, x := range signatures {
		for _, t := range x {
			drawn(s.runes, clean(t))
		}
	}
	drawn(s.runes, clean(words["demo"]))
	s.AddPage()
	if f.Demo {
		l.watermark(s, words["demo"])
	}
	for _, b := range l.Frames {
		s.SetDrawColor(rgb(b.Color))
		s.SetLineWidth(b.Line)
		s.Rect(b.X, b.Y, b.W, b.H, "D")
		s.shown.frame(b.X, b.Y, b.W, b.H, b.Line, b.Color)
	}
	for i, hash := range f.Look.Logos {
		if i < len(l.Logos) {
			at := l.Logos[i]
			s.picture(hash, images[hash], at.X, at.Y, at.W, at.H)
		}
	}
	for i, b := range l.Texts {
		if len(texts[i]) > 0 {
			s.write(b, texts[i])
		}
	}
	l.sign(s, f.Look.Signatures, signatures, images)
	if err := l.code(s, f.VerificationURL); err != nil {
		return nil, ErrRender.Because(err)
	}
	if err := s.Error(); err != nil {
		return nil, ErrRender.Because(err)
	}
	return s, nil
}

// with is the layout in the colours of a look.
func (l layout) with(look certificates.Look) layout {
	colors := maps.Clone(l.Colors)
	if look.Accent != "" {
		colors["accent"] = look.Accent
	}
	if look.Line != "" {
		colors["line"] = look.Line
	}
	named := func(c *string) {
		if known, ok := colors[*c]; ok {
			*c = known
		}
	}
	l.Frames, l.Texts, l.Signatures.Texts = slices.Clone(l.Frames), slices.Clone(l.Texts), slices.Clone(l.Signatures.Texts)
	for i := range l.Frames {
		named(&l.Frames[i].Color)
	}
	for i := range l.Texts {
		named(&l.Texts[i].Color)
	}
	for i := range l.Signatures.Texts {
		named(&l.Signatures.Texts[i].Color)
	}
	named(&l.QR.Color)
	named(&l.Watermark.Color)
	l.Colors = colors
	return l
}

// textsOn are the texts of a certificate by the key of their box; what does not apply is empty.
func textsOn(f certificates.CertificateFacts, words map[string]string) map[string]string {
	reissued := ""
	if f.ReissuedAt != nil {
		reissued = clock.Day(*f.ReissuedAt, f.Language)
	}
	partners := strings.Join(f.Partners, ", ")
	if n := len(f.Partners); n > 1 {
		partners = strings.Join(f.Partners[:n-1], ", ") + words["and"] + f.Partners[n-1]
	}
	fill := strings.NewReplacer("{issuer}", f.Issuer, "{holder}", f.HolderName, "{course}", f.CourseTitle, "{session}", f.Session,
		"{formula}", f.Formula, "{grade}", f.Grade, "{date}", clock.Day(f.IssuedAt, f.Language), "{reissued}", reissued, "{partners}", partners,
		"{hours}", strconv.Itoa(f.Hours), "{ects}", hundredths(f.ECTSHundredths, f.Language), "{code}", f.Code, "{url}", f.VerificationURL)
	out := map[string]string{}
	for key, w := range words {
		out[key] = fill.Replace(w)
	}
	if f.Heading != "" {
		out["heading"] = f.Heading
	}
	if f.Reason != "" {
		out["for"] = f.Reason
	}
	if f.ECTSHundredths == 0 {
		out["credits"] = out["hours"]
	}
	for key, applies := range map[string]bool{"grade": f.Grade != "", "credits": f.Hours > 0, "reissued": reissued != "", "partners": partners != ""} {
		if !applies {
			delete(out, key)
		}
	}
	return out
}

// hundredths prints 250 as 2.5, and 600 as 6.
func hundredths(n int, lang string) string {
	s := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%02d", n/100, n%100), "0"), ".")
	if lang == "fr" {
		return strings.ReplaceAll(s, ".", ",")
	}
	return s
}

// signaturesOn are the texts of each signature by the key of their box.
func signaturesOn(f certificates.CertificateFacts) (all []map[string]string) {
	for _, x := range f.Look.Signatures {
		all = append(all, map[string]string{"name": x.Name, "role": x.Role, "organisation": x.Organisation})
	}
	if len(all) == 0 {
		all = append(all, map[string]string{"name": f.Signatory, "organisation": f.Issuer})
	}
	return all
}

// sign sets the signatures beside each other.
func (l layout) sign(s *sheet, signed []certificates.Signed, texts []map[string]string, images certificates.Images) {
	at := l.Signatures
	w := at.W / float64(len(texts))
	for i, said := range texts {
		x := at.X + float64(i)*w
		if i < len(signed) && signed[i].Image != "" {
			s.picture(signed[i].Image, images[signed[i].Image], x+3, at.Y, w-6, at.H)
		}
		s.SetDrawColor(rgb(l.Colors["line"]))
		s.SetLineWidth(0.2)
		s.Line(x+w*0.15, at.Y+at.H+1.5, x+w*0.85, at.Y+at.H+1.5)
		s.shown.line(x+w*0.15, at.Y+at.H+1.5, x+w*0.85, l.Colors["line"])
		for _, b := range at.Texts {
			b.X, b.W = x+2, w-4
			if t := clean(said[b.Key]); len(t) > 0 {
				s.write(b, t)
			}
		}
	}
}

// picture sets an image into a box: as large as fits, in its middle. One that is not there leaves its place empty.
func (s *sheet) picture(hash string, content []byte, x, y, w, h float64) {
	c, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return
	}
	scale := min(w/float64(c.Width), h/float64(c.Height))
	pw, ph := float64(c.Width)*scale, float64(c.Height)*scale
	x, y = x+(w-pw)/2, y+(h-ph)/2
	o := gofpdf.ImageOptions{ImageType: "PNG"}
	s.RegisterImageOptionsReader(hash, o, bytes.NewReader(content))
	s.ImageOptions(hash, x, y, pw, ph, false, o, 0, "")
	s.shown.picture(content, x, y, pw, ph)
}

func (l layout) watermark(s *sheet, text string) {
	w := l.Watermark
	runs := setLine(clean(text), "sans-bold")
	s.SetTextColor(rgb(w.Color))
	s.ink(w.Color)
	s.TransformBegin()
	s.TransformRotate(w.Angle, w.X, w.Y)
	s.shown.turn(w.Angle, w.X, w.Y)
	s.draw(runs, w.X-s.width(runs, w.Size)/2, w.Y, w.Size)
	s.shown.turned()
	s.TransformEnd()
}

// code draws the QR code as rectangles, one for each stretch of black in a row, so that it stays sharp at any size.
func (l layout) code(s *sheet, url string) error {
	c, err := qr.Encode(url, qr.M)
	if err != nil {
		return err
	}
	q := l.QR
	cell := q.Size / float64(c.Size)
	s.SetFillColor(rgb(q.Color))
	for y := 0; y < c.Size; y++ {
		for x := 0; x < c.Size; x++ {
			from := x
			for x < c.Size && c.Black(x, y) {
				x++
			}
			if x > from {
				s.Rect(q.X+float64(from)*cell, q.Y+float64(y)*cell, float64(x-from)*cell, cell, "F")
				s.shown.block(q.X+float64(from)*cell, q.Y+float64(y)*cell, float64(x-from)*cell, cell, q.Color)
			}
		}
	}
	return nil
}

// ink notes the colour of the texts that follow.
func (s *sheet) ink(color string) {
	if s.shown != nil {
		s.shown.color = color
	}
}
