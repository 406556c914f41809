package pdf

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"

	"golang.org/x/image/font/sfnt"
)

// PDF's library reads a face whole for every document, 36 ms for the Han one, and then handles a width for each of 65,536 code points, which takes most of
// what is left. We cut a face to the few glyphs that a certificate needs and give it to the library as a font of single bytes (embedded.go); no library
// that is kept and can be had does it.

// errFace refuses a face that is not TrueType outlines as we embed them.
var errFace = errors.New("pdf: the face is not a TrueType font")

// face is an embedded font with what is looked up for every cut.
type face struct {
	name   string // of the font in PDF
	glyphs *sfnt.Font
	tables map[string][]byte
	loca   []uint32
}

func newFace(name string, ttf []byte) *face {
	f := &face{name: name, glyphs: mustParse(ttf), tables: map[string][]byte{}}
	for i := range int(binary.BigEndian.Uint16(ttf[4:])) {
		entry := ttf[12+16*i:]
		at, n := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		f.tables[string(entry[:4])] = ttf[at : at+n]
	}
	loca, long := f.tables["loca"], binary.BigEndian.Uint16(f.tables["head"][50:]) == 1
	for i := range int(binary.BigEndian.Uint16(f.tables["maxp"][4:])) + 1 {
		if long {
			f.loca = append(f.loca, binary.BigEndian.Uint32(loca[4*i:]))
		} else {
			f.loca = append(f.loca, 2*uint32(binary.BigEndian.Uint16(loca[2*i:])))
		}
	}
	return f
}

func (f *face) glyph(id int) []byte { return f.tables["glyf"][f.loca[id]:f.loca[id+1]] }

// metrics is the advance width and the left side bearing of a glyph; the last width stands for all that follow.
func (f *face) metrics(id int) []byte {
	hmtx, n := f.tables["hmtx"], int(binary.BigEndian.Uint16(f.tables["hhea"][34:]))
	if id < n {
		return hmtx[4*id : 4*id+4]
	}
	return append(slices.Clone(hmtx[4*n-4:4*n-2]), hmtx[4*n+2*(id-n):4*n+2*(id-n)+2]...)
}

// thousandths converts a length of the face into thousandths of its size, as PDF counts.
func (f *face) thousandths(n int) int {
	em := int(binary.BigEndian.Uint16(f.tables["head"][18:]))
	return (2000*n + em) / (2 * em)
}

// signed reads a length, in thousandths of the size.
func (f *face) signed(table string, at int) int {
	return f.thousandths(int(int16(binary.BigEndian.Uint16(f.tables[table][at:])))) //nolint:gosec // two's complement
}

// width is how far a glyph advances, in thousandths of the size.
func (f *face) width(id int) int { return f.thousandths(int(binary.BigEndian.Uint16(f.metrics(id)))) }

// cut is a face being made of some glyphs of another.
type cut struct {
	from  *face
	ids   []int       // new number → old number
	place map[int]int // old number → new number
	glyf  []byte
	loca  []byte
}

// subset gives a TrueType font with the glyphs of these runes, those that they are composed of, and the one for what is
// missing: the tables that a reader of PDF asks for. The same runes in the same order give the same bytes.
func (f *face) subset(runes []rune) ([]byte, error) {
	c := &cut{from: f, place: map[int]int{}}
	c.number(0)
	codes := map[rune]int{}
	for _, r := range runes {
		if id, err := f.glyphs.GlyphIndex(nil, r); err == nil && id != 0 {
			codes[r] = c.number(int(id))
		}
	}
	if err := c.outlines(); err != nil {
		return nil, err
	}
	head, hhea, maxp := slices.Clone(f.tables["head"]), slices.Clone(f.tables["hhea"]), slices.Clone(f.tables["maxp"])
	binary.BigEndian.PutUint32(head[8:], 0)  // the check sum of the whole, which readers of PDF do not ask for
	binary.BigEndian.PutUint16(head[50:], 1) // long offsets
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(c.ids)))
	binary.BigEndian.PutUint16(maxp[4:], uint16(len(c.ids)))
	var hmtx []byte
	for _, id := range c.ids {
		hmtx = append(hmtx, f.metrics(id)...)
	}
	out := map[string][]byte{
		"cmap": cmap(codes), "glyf": c.glyf, "head": head, "hhea": hhea, "hmtx": hmtx, "loca": c.loca, "maxp": maxp, "post": c.post(codes),
	}
	for _, hints := range []string{"cvt ", "fpgm", "prep"} {
		if t := f.tables[hints]; len(t) > 0 {
			out[hints] = t
		}
	}
	return assemble(out), nil
}

// post names each glyph as the encoding of the font does (glyphName): a reader that does not take the way by the character map takes this one.
func (c *cut) post(codes map[rune]int) []byte {
	names := make([]string, len(c.ids))
	for r, id := range codes {
		if n := glyphName(r); names[id] == "" || n < names[id] { // two runes may have one glyph
			names[id] = n
		}
	}
	out := append([]byte{0, 2, 0, 0}, c.from.tables["post"][4:32]...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(names)))
	out = binary.BigEndian.AppendUint16(out, 0) // the first is .notdef in the order that all know
	var said []byte
	for i, n := range names[1:] {
		if n == "" {
			n = "part" + strconv.Itoa(i)
		}
		out = binary.BigEndian.AppendUint16(out, uint16(258+i)) // 258 names are known
		said = append(append(said, byte(len(n))), n...)
	}
	return append(out, said...)
}

// number gives a glyph its number in the cut.
func (c *cut) number(id int) int {
	n, ok := c.place[id]
	if !ok {
		n = len(c.ids)
		c.place[id] = n
		c.ids = append(c.ids, id)
	}
	return n
}

// outlines copies the glyphs. Those that are composed of others bring these along, under their new numbers.
func (c *cut) outlines() error {
	const (
		wordArguments = 1 << 0
		scale         = 1 << 3
		more          = 1 << 5
		twoScales     = 1 << 6
		matrix        = 1 << 7
	)
	for i := 0; i < len(c.ids); i++ {
		c.loca = binary.BigEndian.AppendUint32(c.loca, uint32(len(c.glyf)))
		g := slices.Clone(c.from.glyph(c.ids[i]))
		if len(g) > 0 && int16(binary.BigEndian.Uint16(g)) < 0 {
			for at, flags := 10, uint16(more); flags&more != 0; {
				if at+4 > len(g) {
					return errFace
				}
				flags = binary.BigEndian.Uint16(g[at:])
				part := c.number(int(binary.BigEndian.Uint16(g[at+2:])))
				binary.BigEndian.PutUint16(g[at+2:], uint16(part))
				at += 6
				if flags&wordArguments != 0 {
					at += 2
				}
				switch {
				case flags&scale != 0:
					at += 2
				case flags&twoScales != 0:
					at += 4
				case flags&matrix != 0:
					at += 8
				}
			}
		}
		c.glyf = append(c.glyf, g...)
		for len(c.glyf)%4 != 0 {
			c.glyf = append(c.glyf, 0)
		}
	}
	c.loca = binary.BigEndian.AppendUint32(c.loca, uint32(len(c.glyf)))
	return nil
}

// cmap writes a character map of format 4 with a segment for each rune, and the end that the format asks for.
func cmap(codes map[rune]int) []byte {
	runes := make([]rune, 0, len(codes)+1)
	for r := range codes {
		runes = append(runes, r)
	}
	slices.Sort(runes)
	runes = append(runes, 0xFFFF)
	n := uint16(len(runes))
	search, selector := uint16(2), uint16(0)
	for search*2 <= 2*n {
		search, selector = search*2, selector+1
	}
	b := []byte{0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 12} // one table: Windows, Unicode
	for _, v := range []uint16{4, 16 + 8*n, 0, 2 * n, search, selector, 2*n - search} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	put := func(of func(r rune) uint16) {
		for _, r := range runes {
			b = binary.BigEndian.AppendUint16(b, of(r))
		}
	}
	put(func(r rune) uint16 { return uint16(r) }) // ends
	b = append(b, 0, 0)
	put(func(r rune) uint16 { return uint16(r) }) // starts
	put(func(r rune) uint16 { return uint16(codes[r]) - uint16(r) })
	put(func(rune) uint16 { return 0 })
	return b
}

// assemble writes the tables in the order of their names.
func assemble(tables map[string][]byte) []byte {
	names := make([]string, 0, len(tables))
	for name := range tables {
		names = append(names, name)
	}
	slices.Sort(names)
	out := []byte{0, 1, 0, 0}
	for _, v := range []int{len(names), 128, 3, 16*len(names) - 128} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	at := len(out) + 16*len(names)
	var body []byte
	for _, name := range names {
		t := tables[name]
		out = append(out, name...)
		out = binary.BigEndian.AppendUint32(out, checkSum(t))
		out = binary.BigEndian.AppendUint32(out, uint32(at+len(body)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t)))
		body = append(body, t...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	return append(out, body...)
}

func checkSum(t []byte) (sum uint32) {
	for len(t) >= 4 {
		sum += binary.BigEndian.Uint32(t)
		t = t[4:]
	}
	var rest [4]byte
	copy(rest[:], t)
	return sum + binary.BigEndian.Uint32(rest[:])
}
