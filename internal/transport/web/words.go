package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"sort"
	"strconv"
	"strings"
	"time"

	"cursus/internal/kernel/money"
)

// languages of the house; the first is the one for everybody else.
var languages = []string{"en", "fr"}

// words is language → key → text.
type words map[string]map[string]string

func readWords(files fs.FS) (words, error) {
	w := words{}
	for _, lang := range languages {
		names, err := fs.Glob(files, "words/*."+lang+".json")
		if err != nil || len(names) == 0 {
			return nil, fmt.Errorf("no words of %s: %w", lang, err)
		}
		w[lang] = map[string]string{}
		for _, name := range names {
			if err := w.read(files, lang, name); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return w, nil
}

// read adds the words of one area. A word that two areas have is an error: one of them would be lost.
func (w words) read(files fs.FS, lang, name string) error {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	texts := map[string]string{}
	if err := json.Unmarshal(b, &texts); err != nil {
		return err
	}
	for k, v := range texts {
		if w.has(lang, k) {
			return fmt.Errorf("%q is in another area too", k)
		}
		if lang == "fr" {
			v = spaced.Replace(v)
		}
		w[lang][k] = v
	}
	return nil
}

// spaced keeps French punctuation on the line of its word.
var spaced = strings.NewReplacer(" :", "\u00a0:", " ;", "\u202f;", " ?", "\u202f?", " !", "\u202f!", " %", "\u00a0%", "« ", "«\u00a0", " »", "\u00a0»")

// text gives a text with {0}, {1}… replaced. A key that does not exist is an error, so that no page shows a hole.
func (w words) text(lang, key string, args ...any) (string, error) {
	t, ok := w[lang][key]
	if !ok {
		return "", fmt.Errorf("there is no text %q in %q", key, lang)
	}
	for i, a := range args {
		if n, ok := a.(*int); ok && n != nil { // a number that may not be there, and is
			a = *n
		}
		t = strings.ReplaceAll(t, "{"+strconv.Itoa(i)+"}", fmt.Sprint(a))
	}
	return t, nil
}

func (w words) has(lang, key string) bool { _, ok := w[lang][key]; return ok }

// choose picks a language: what was asked for, what was chosen before, what the browser prefers.
func choose(asked, before, accept string) string {
	for _, l := range []string{asked, before} {
		if known(l) {
			return l
		}
	}
	type wish struct {
		lang string
		q    int
	}
	var wishes []wish
	for _, part := range strings.Split(accept, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		lang, _, _ := strings.Cut(strings.ToLower(name), "-")
		if known(lang) {
			wishes = append(wishes, wish{lang, thousandths(weight)})
		}
	}
	sort.SliceStable(wishes, func(i, j int) bool { return wishes[i].q > wishes[j].q })
	if len(wishes) > 0 && wishes[0].q > 0 {
		return wishes[0].lang
	}
	return languages[0]
}

func known(lang string) bool {
	for _, l := range languages {
		if l == lang {
			return true
		}
	}
	return false
}

// thousandths reads "q=0.8" as 800; no weight is 1000, a wrong one 0.
func thousandths(weight string) int {
	value, given := strings.CutPrefix(strings.TrimSpace(weight), "q=")
	if !given {
		return 1000
	}
	whole, fraction, _ := strings.Cut(value, ".")
	n, err := strconv.Atoi(whole + (fraction + "000")[:3])
	if err != nil {
		return 0
	}
	return n
}

// share prints tenths of a per cent: "22.0%", "22,0 %"; nil as a dash.
func share(lang string, tenths *int64) string {
	if tenths == nil {
		return "–"
	}
	sign, n := "", *tenths
	if n < 0 {
		sign, n = "-", -n
	}
	if lang == "fr" {
		return fmt.Sprintf("%s%d,%d\u00a0%%", sign, n/10, n%10)
	}
	return fmt.Sprintf("%s%d.%d%%", sign, n/10, n%10)
}

// points prints what is kept in hundredths: "4.91", "4,91".
func points(lang string, n int64) string {
	sign, point := "", "."
	if n < 0 {
		sign, n = "−", -n
	}
	if lang == "fr" {
		point = ","
	}
	return fmt.Sprintf("%s%d%s%02d", sign, n/100, point, n%100)
}

// count prints people in groups of three: "10,246", "10 246".
func count(lang string, n int64) string {
	digits := strconv.FormatInt(n, 10)
	group := ","
	if lang == "fr" {
		group = "\u202f"
	}
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + group + digits[i:]
	}
	return digits
}

// amount prints money with its code, as everywhere in the house.
func amount(lang string, a money.Amount) string { return a.Format(lang) }

// grade prints millionths as whole per cents where they are whole, else with one decimal, never above what was reached.
func grade(lang string, ppm int) string {
	tenths := int64(ppm / 1000)
	if tenths%10 == 0 {
		if lang == "fr" {
			return strconv.FormatInt(tenths/10, 10) + "\u00a0%"
		}
		return strconv.FormatInt(tenths/10, 10) + "%"
	}
	return share(lang, &tenths)
}

// date prints a day in UTC: "14 September 2018", "14 septembre 2018"; the zero time as a dash.
func (w words) date(lang string, t time.Time) (string, error) {
	if t.IsZero() {
		return "–", nil
	}
	t = t.UTC()
	month, err := w.text(lang, "month."+strconv.Itoa(int(t.Month())))
	day := strconv.Itoa(t.Day())
	if lang == "fr" && t.Day() == 1 {
		day = "1er"
	}
	return day + "\u00a0" + month + "\u00a0" + strconv.Itoa(t.Year()), err
}
