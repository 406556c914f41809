package pdf

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jung-kurt/gofpdf"
)

// A font of single bytes has codes for 223 runes: the first is that of no rune. A document of more embeds a face in parts.
const (
	firstCode = 33
	lastCode  = 255
)

// place is where a rune stands among the fonts that are embedded of a face.
type place struct {
	font string
	code byte
}

// parts splits a run of an embedded face into stretches of one font, in its codes. A run of PDF's own fonts is one part.
func (s *sheet) parts(r run) (parts []run) {
	if r.face != faceWide && r.face != faceHan {
		return []run{r}
	}
	if s.added[r.face] == nil {
		s.embed(r.face)
	}
	for _, one := range r.text {
		at, ok := s.added[r.face][one]
		if !ok {
			at = place{r.face + "0", firstCode} // the box that a font has for what it lacks
		}
		if n := len(parts); n > 0 && parts[n-1].face == at.font {
			parts[n-1].text += string([]byte{at.code})
		} else {
			parts = append(parts, run{at.font, string([]byte{at.code})})
		}
	}
	return parts
}

// embed adds a face, of the runes that the document is drawn with.
func (s *sheet) embed(name string) {
	f, places := faces[name], map[rune]place{}
	s.added[name] = places
	var runes []rune
	for r := range s.runes {
		if has(f.glyphs, r) && (name == faceWide || !has(wideGlyphs, r)) {
			runes = append(runes, r)
		}
	}
	slices.Sort(runes)
	n := 0
	for some := range slices.Chunk(runes, lastCode-firstCode) {
		font := name + strconv.Itoa(n)
		definition, file, err := f.font(some, n)
		if err != nil {
			s.SetError(err)
			return
		}
		s.AddFontFromBytes(font, "", definition, file)
		for i, r := range some {
			places[r] = place{font, byte(firstCode + 1 + i)}
		}
		n++
	}
}

// glyphName is the name by which every reader of PDF knows the glyph of a rune of the basic plane (Adobe Glyph List Specification, section 2), and so
// which letter it is when text is read back.
func glyphName(r rune) string { return fmt.Sprintf("uni%04X", r) }

// font gives some runes of a face as a font of single bytes: what PDF's library is to know of it, and its file, compressed.
func (f *face) font(runes []rune, n int) (definition, file []byte, err error) {
	ttf, err := f.subset(runes)
	if err != nil {
		return nil, nil, err
	}
	d := struct {
		Tp, Name, Diff, File string
		Desc                 gofpdf.FontDescType
		Cw                   []int
		OriginalSize         int
	}{
		Tp: "TrueType", Name: "CURSU" + string(rune('A'+n%26)) + "+" + f.name, File: f.name + strconv.Itoa(n) + ".z", // six letters and a plus: of a subset
		Desc: gofpdf.FontDescType{Ascent: f.signed("hhea", 4), Descent: f.signed("hhea", 6), CapHeight: f.signed("hhea", 4), Flags: nonsymbolic, StemV: 80, MissingWidth: f.width(0)},
		Cw:   make([]int, lastCode+1), OriginalSize: len(ttf),
	}
	box := &d.Desc.FontBBox
	box.Xmin, box.Ymin, box.Xmax, box.Ymax = f.signed("head", 36), f.signed("head", 38), f.signed("head", 40), f.signed("head", 42)
	var names strings.Builder
	names.WriteString(strconv.Itoa(firstCode) + "/.notdef")
	d.Cw[firstCode] = f.width(0)
	for i, r := range runes {
		names.WriteString("/" + glyphName(r))
		id, err := f.glyphs.GlyphIndex(nil, r)
		if err != nil {
			return nil, nil, err
		}
		d.Cw[firstCode+1+i] = f.width(int(id))
	}
	d.Diff = names.String()
	if definition, err = json.Marshal(d); err != nil {
		return nil, nil, err
	}
	file, err = compressed(ttf)
	return definition, file, err
}

// nonsymbolic says of a font that its glyphs are found by the names of letters.
const nonsymbolic = 1 << 5

// A compressor is a megabyte: it is used again. A tenth of the bytes that more pains would save is not worth a third of the time of a certificate.
var compressors = sync.Pool{New: func() any {
	w, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed) // the level exists
	return w
}}

func compressed(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, _ := compressors.Get().(*zlib.Writer)
	defer compressors.Put(w)
	w.Reset(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
