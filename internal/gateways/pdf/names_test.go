package pdf

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

// given and family are names of scripts that the embedded faces have: none of them may lose a letter.
var given = []string{
	"Zoé", "Aïssatou", "Ndèye", "Ọláyínká", "Ẹniọlá", "Łukasz", "Żaneta", "Þórdís", "Åse", "Søren", "Đặng", "Nguyễn Thị", "İpek", "Şule", "Ğülşen", "Jiří", "Řehoř", "Ľudmila", "Ōtani", "Māra", "Ķristaps", "Ġorġ", "Ċensa", "Ŵyn", "Seán", "Mateja", "Čedomir",
	"Ðorđe", "Ioana-Ștefania", "Țuțu", "Eñaut", "Nuño", "Inês", "João", "François", "Anaëlle", "Œdipe", "Ÿves", "Straße", "Jürgen", "Ɓoye", "Ŋaaru", "Ƴaya", "Αλέξανδρος", "Ελένη", "Πηνελόπη", "Юлия", "Қайрат", "Ґалаґан", "Їжакевич", "Љубица", "Ћира", "Ўлуғбек", "Ѓорѓи",
	"Նարե", "Արամ", "თამარ", "გიორგი", "محمد", "فاطمة الزهراء", "عبد الرحمن", "شیرین", "پروین", "گلناز", "چنگیز", "ژاله", "یوسف", "אברהם", "יעל", "王小明", "李娜", "歐陽", "司馬光", "山田", "さくら", "ケンジ",
}

var family = []string{"O’Hara", "N’Diaye-Diop", "de la Tour d’Auvergne", "(dit le Grand)", "von und zu Übermorgen", "Ibn-Rušd al-Ḥafīd"}

// strange are names that try to break a page, and what people write who have no other way.
var strange = []string{
	"A", "王", "م", "🎓", "👩🏽‍🎓", "Zoé 🎓 Ndiaye", "e\u0301a\u0300", "Z\u0351\u036b\u0343a\u0348\u034dlgo", "\u202eevil\u202c", "\u2066a\u2067b\u2069", "abc \u202eمحمد\u202c 123", "محمد (12) Smith", "Ada\u200bLovelace", "Ada\ufeff", "Ada\u00adLovelace",
	"<b>Ada</b>", "Robert'); DROP TABLE students;--", "(Ada)", ")Ada(", "\\Ada\\", "%PDF-1.4", "endstream endobj", "/Ada <</X>>", "{holder} {code}", "Ada\nLovelace", "Ada\tLovelace", "Ada\x00Lovelace", "Ada\xffLovelace", "   Ada   ", "ﷺ", "ﬁona ﬂint", "Ⅷ", "½", "名前（なまえ）",
	strings.Repeat("W", 255), strings.Repeat("i", 255), strings.Repeat("王", 255), strings.Repeat("م", 255), strings.Repeat("é", 255), strings.TrimSpace(strings.Repeat("Ndèye-Aïssatou ", 17)), strings.TrimSpace(strings.Repeat("محمد عبد ", 28)), strings.TrimSpace(strings.Repeat("Ж", 255)),
	strings.Repeat("🎓", 255), "अमिता", "தமிழ்", "ชัชวาลย์", "አበበ", "ខ្មែរ", "𐌰𐌱𐌲", "𠮷野", "김민준", "이서연", "لالہ",
	letters(0x4E00, 250), letters(0x400, 250), letters(0x4E00, 120) + letters(0x400, 130), // more than a font of single bytes has codes for
}

// letters are n runes, one after the other.
func letters(from rune, n int) string {
	all := make([]rune, n)
	for i := range all {
		all[i] = from + rune(i)
	}
	return string(all)
}

func namesOfTheWorld() (all []string, whole int) {
	for i, g := range given {
		all = append(all, g)
		for j, f := range family {
			if (i+j)%2 == 0 || j == 0 {
				all = append(all, g+" "+f)
			}
		}
	}
	whole = len(all)
	return append(all, strange...), whole
}

// reading counts the letters of a text as a reader finds them, in whatever order a line of two directions is read.
func reading(s string) map[rune]int {
	all := map[rune]int{}
	for _, r := range squash(s) {
		if r == zeroWidthJoiner || r == zeroWidthNonJoiner {
			continue // they have no shape
		}
		all[r]++
	}
	return all
}

// Three hundred names of the world, and what tries to be one: each is one page of A4 that two other programs accept and from which a third reads it
// back, letter by letter. What no embedded face has is a visible sign, never nothing. CURSUS_SHOTS names a folder for a sheet of all of them.
func TestThreeHundredNamesOfTheWorld(t *testing.T) {
	all, whole := namesOfTheWorld()
	if len(all) < 300 {
		t.Fatal("only", len(all), "names")
	}
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	qpdf, _ := exec.LookPath("qpdf") // where it is, it judges too
	one := func(i int, name string) error {
		doc, err := r.Certificate(context.Background(), facts(name), nil)
		if err != nil {
			return err
		}
		if err := api.Validate(bytes.NewReader(doc), model.NewDefaultConfiguration()); err != nil {
			return fmt.Errorf("pdfcpu: %w", err)
		}
		file := filepath.Join(folder, fmt.Sprintf("%03d.pdf", i))
		if err := os.WriteFile(file, doc, 0o600); err != nil {
			return err
		}
		if qpdf != "" {
			if out, err := exec.Command(qpdf, "--check", file).CombinedOutput(); err != nil { //nolint:gosec,noctx // a test
				return fmt.Errorf("qpdf: %w: %s", err, out)
			}
		}
		text, err := exec.Command("pdftotext", "-enc", "UTF-8", file, "-").Output() //nolint:gosec,noctx // a test
		if err != nil {
			return fmt.Errorf("pdftotext: %w", err)
		}
		want := string(clean(name))
		if i < whole && strings.ContainsRune(want, missing) {
			return fmt.Errorf("a letter has no face: %s", want)
		}
		got := reading(string(text))
		for letter, n := range reading(want) {
			if got[letter] < n {
				return fmt.Errorf("%q (%U) is read %d times, not %d", letter, letter, got[letter], n)
			}
		}
		if !strings.Contains(squash(string(text)), "0123456789abcdefghjkmnpqrs") {
			return fmt.Errorf("the code is not read back")
		}
		return nil
	}
	var wait sync.WaitGroup
	hands := make(chan struct{}, 4)
	for i, name := range all {
		hands <- struct{}{}
		wait.Go(func() {
			defer func() { <-hands }()
			if err := one(i, name); err != nil {
				t.Errorf("%d %.60q: %v", i, name, err)
			}
		})
	}
	wait.Wait()
	if shots := os.Getenv("CURSUS_SHOTS"); shots != "" {
		sheetOf(t, folder, len(all), filepath.Join(shots, "names.png"))
	}
}

// sheetOf puts the line of the name of each document into one picture.
func sheetOf(t *testing.T, folder string, n int, to string) {
	t.Helper()
	const columns, w, h = 6, 330, 76
	out := image.NewRGBA(image.Rect(0, 0, columns*w, (n+columns-1)/columns*h))
	for i := range n {
		at := filepath.Join(folder, fmt.Sprintf("%03d", i))
		if b, err := exec.Command("pdftoppm", "-r", "34", "-x", "34", "-y", "86", "-W", "330", "-H", "74", "-png", "-singlefile", at+".pdf", at).CombinedOutput(); err != nil { //nolint:gosec,noctx // a test
			t.Fatalf("%v %s", err, b)
		}
		b, err := os.ReadFile(at + ".png")
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		p := image.Pt(i%columns*w, i/columns*h)
		draw.Draw(out, image.Rectangle{p, p.Add(m.Bounds().Size())}, m, image.Point{}, draw.Src)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
