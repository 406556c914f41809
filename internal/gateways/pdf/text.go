package pdf

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"

	"cursus/templates/fonts"
)

// missing stands, visibly, for a rune that no embedded face has.
const missing = '\u25AF'

// longest is how many runes of one fact are printed; a longer one ends in an ellipsis.
const longest = 600

var (
	faces      = map[string]*face{faceWide: newFace("DejaVuSans", fonts.Wide), faceHan: newFace("DroidSansFallback", fonts.Han)}
	wideGlyphs = faces[faceWide].glyphs
	hanGlyphs  = faces[faceHan].glyphs
)

func mustParse(face []byte) *sfnt.Font {
	f, err := sfnt.Parse(face)
	if err != nil {
		panic(err) // the face is compiled in; the first test finds it
	}
	return f
}

// has says whether a face draws the rune: the character map that we cut (subset.go) has none beyond the basic plane.
func has(f *sfnt.Font, r rune) bool {
	if r > 0xFFFF {
		return false
	}
	g, err := f.GlyphIndex(nil, r)
	return err == nil && g != 0
}

// clean makes text printable: composed accents, no control characters, a visible sign for what no face can draw.
func clean(s string) []rune { return cleanTo(s, longest) }

// cleanTo is clean for as many runes.
func cleanTo(s string, longest int) []rune {
	out := make([]rune, 0, len(s))
	for _, r := range norm.NFC.String(strings.ToValidUTF8(s, string(missing))) {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case unicode.IsControl(r):
			continue
		case r == zeroWidthJoiner || r == zeroWidthNonJoiner:
			// they steer the shaping of Arabic and are dropped after it
		case unicode.Is(unicode.Cf, r) || r >= 0xFE00 && r <= 0xFE0F:
			continue // bidi marks and variation selectors have no shape of their own
		case !has(wideGlyphs, r) && !has(hanGlyphs, r):
			r = missing
		}
		if len(out) == longest {
			return append(out, '\u2026')
		}
		out = append(out, r)
	}
	return out
}

// run is a stretch of a line in one face, in the order in which it is drawn from left to right.
type run struct {
	face string
	text string
}

// setLine turns a line in reading order into runs in drawing order. When the code page of PDF's own fonts has every rune
// the line is one run in the face asked for, which needs no embedded font.
func setLine(line []rune, face string) []run {
	if b, ok := codePage(line); ok {
		return []run{{face, b}}
	}
	var runs []run
	for _, r := range visual(line) {
		f := faceWide
		if !has(wideGlyphs, r) {
			f = faceHan
			if !has(hanGlyphs, r) {
				f, r = faceWide, missing
			}
		}
		if n := len(runs); n > 0 && runs[n-1].face == f {
			runs[n-1].text += string(r)
		} else {
			runs = append(runs, run{f, string(r)})
		}
	}
	return runs
}

// drawn adds the runes that a text may be drawn with: its own, the other half of brackets, and each form of Arabic letters,
// because which form it takes depends on where its line ends. What is there was added with all of that: forms and turned brackets have
// no further ones.
func drawn(set map[rune]bool, text []rune) {
	for _, r := range text {
		if set[r] {
			continue
		}
		set[r], set[turned(r)] = true, true
		for _, f := range []forms{arabic[r], lamAlef[r]} {
			for _, form := range []rune{f.isolated, f.final, f.initial, f.medial} {
				if form != 0 {
					set[form] = true
				}
			}
		}
	}
}

func codePage(line []rune) (string, bool) {
	b := make([]byte, len(line))
	for i, r := range line {
		c, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			return "", false
		}
		b[i] = c
	}
	return string(b), true
}

// visual shapes a line and puts it in the order in which it is seen. The line's direction is that of its first letter.
func visual(line []rune) []rune {
	shaped := make([]rune, 0, len(line))
	for _, r := range shape(line) {
		if r != zeroWidthJoiner && r != zeroWidthNonJoiner {
			shaped = append(shaped, r)
		}
	}
	var p bidi.Paragraph
	if _, err := p.SetString(string(shaped)); err != nil {
		return shaped
	}
	order, err := p.Order()
	if err != nil {
		return shaped
	}
	var out, back []rune // back: what stands behind each other from right to left in a line of the other direction
	for i := 0; i < order.NumRuns(); i++ {
		r := order.Run(i)
		text := []rune(r.String())
		if r.Direction() == bidi.RightToLeft {
			text = mirror(text)
		}
		switch {
		case !p.IsLeftToRight():
			out = append(text, out...)
		case r.Direction() == bidi.RightToLeft:
			back = append(text, back...)
		default:
			n := 0
			if len(back) > 0 {
				n = numbers(text)
				back = slices.Concat(text[:n], back)
			}
			if n < len(text) {
				out, back = slices.Concat(out, back, text[n:]), nil
			}
		}
	}
	return append(out, back...)
}

// numbers is how many of the first runes are numbers and what stands between them: behind letters that go from right to left they are a part of these
// (UAX #9, W2 and I1), though the library gives them with what follows.
func numbers(text []rune) (n int) {
	for i, r := range text {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			return n
		case bidi.EN, bidi.AN:
			n = i + 1
		default:
		}
	}
	return n
}

// mirror reverses a right-to-left run; a vowel sign stays behind the letter that carries it, brackets turn around.
func mirror(text []rune) []rune {
	out := make([]rune, 0, len(text))
	for end := len(text); end > 0; {
		start := end - 1
		for start > 0 && unicode.Is(unicode.Mn, text[start]) {
			start--
		}
		for _, r := range text[start:end] {
			out = append(out, turned(r))
		}
		end = start
	}
	return out
}

func turned(r rune) rune {
	const pairs = "()[]{}<>\u00AB\u00BB"
	list := []rune(pairs)
	for i, p := range list {
		if p == r {
			return list[i^1]
		}
	}
	return r
}
