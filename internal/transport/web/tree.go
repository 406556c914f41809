package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
)

// A long form is a tree of groups. The name of a field is the JSON pointer of its value in the document, so that a fault, a finding of the
// charter and a difference all know their field. Rows are added, taken out and moved by buttons of the form itself: the server sends it
// back with the row, and nothing is stored until it is saved.

// fieldset is a group of fields, rows among them.
type fieldset struct {
	Pointer, Legend string
	Hint            string
	Inputs          []input
	Groups          []fieldset
	Buttons         []button
	Hidden          []input
	Row             bool // one of several: its buttons stand in its head
	Fold            bool // it can be folded away; what is folded is sent all the same
	Open            bool
	Title           string // what a folded row is called besides its legend
	Marks           int    // places in it where rules are broken
}

// ID is the anchor of a group.
func (g fieldset) ID() string { return anchor(g.Pointer) }

// input is one field; Kind is text, number, area, check, select.
type input struct {
	Pointer, Label, Value, Kind string
	Options                     []option
	Wrong                       string // what is wrong with the value
	List                        string // id of the list that suggests values
	Checked                     bool
	Focus                       bool // the keyboard goes on here
}

// ID is the anchor of a field.
func (i input) ID() string { return anchor(i.Pointer) }

type option struct{ Value, Label string }

type button struct{ Value, Label string }

func anchor(pointer string) string { return "at" + strings.ReplaceAll(pointer, "/", "-") }

// form reads a document out of a posted tree, and collects what cannot be read.
type form struct {
	get   func(string) string
	wrong []fault.Field
}

func (f *form) text(pointer string) string {
	return strings.TrimSpace(strings.ReplaceAll(f.get(pointer), "\r\n", "\n"))
}
func (f *form) checked(pointer string) bool { return f.get(pointer) != "" }

func (f *form) refuse(pointer, said string) {
	f.wrong = append(f.wrong, fault.Field{Pointer: pointer, Code: "bad-number", Detail: "“" + said + "”"})
}

// number reads a whole number; nothing is 0.
func (f *form) number(pointer string) int {
	said := f.text(pointer)
	if said == "" {
		return 0
	}
	n, err := strconv.Atoi(said)
	if err != nil {
		f.refuse(pointer, said)
	}
	return n
}

// maybe reads a whole number that may be absent.
func (f *form) maybe(pointer string) *int {
	if f.text(pointer) == "" {
		return nil
	}
	n := f.number(pointer)
	return &n
}

// clock reads minutes and seconds: 6:20; a number alone is minutes.
func (f *form) clock(pointer string) int {
	said := f.text(pointer)
	if said == "" {
		return 0
	}
	minutes, seconds, both := strings.Cut(said, ":")
	m, err := strconv.Atoi(minutes)
	s := 0
	if both && err == nil {
		s, err = strconv.Atoi(seconds)
	}
	if err != nil || m < 0 || s < 0 || s > 59 || m > 10_000 {
		f.refuse(pointer, said)
		return 0
	}
	return m*60 + s
}

// hundredths reads 1, 1.5 or 1,25.
func (f *form) hundredths(pointer string) int {
	said := strings.ReplaceAll(f.text(pointer), ",", ".")
	if said == "" {
		return 0
	}
	whole, fraction, _ := strings.Cut(said, ".")
	n, err := strconv.Atoi(whole + (fraction + "00")[:2])
	if err != nil || len(fraction) > 2 {
		f.refuse(pointer, said)
		return 0
	}
	return n
}

// rows is how many rows a list of the posted form has.
func (f *form) rows(pointer string, most int) int {
	n, err := strconv.Atoi(f.get("#" + pointer))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, most)
}

func hundredths(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}

func minutesAndSeconds(seconds int) string {
	if seconds == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

func orEmpty(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// turn does to a list what a button says: add at the end, remove, up, down.
func turn[T any](list []T, act string, at int, fresh T) []T {
	list = slices.Clone(list)
	switch {
	case act == "add":
		return append(list, fresh)
	case at < 0 || at >= len(list):
	case act == "remove":
		return slices.Delete(list, at, at+1)
	case act == "up" && at > 0:
		list[at-1], list[at] = list[at], list[at-1]
	case act == "down" && at < len(list)-1:
		list[at], list[at+1] = list[at+1], list[at]
	}
	return list
}

// pressed reads the button that was pressed: "up /chapters/1" is up, /chapters, 1; "add /chapters" has no place.
func pressed(said string) (act, list string, at int) {
	act, pointer, found := strings.Cut(said, " ")
	if !found {
		return act, "", -1
	}
	if act == "add" {
		return act, pointer, -1
	}
	cut := strings.LastIndex(pointer, "/")
	at, err := strconv.Atoi(pointer[cut+1:])
	if cut < 0 || err != nil {
		return "", "", -1
	}
	return act, pointer[:cut], at
}

// landed is the row that a button has made or moved: from there the keyboard goes on. Empty: from nowhere, the row is gone.
func landed(said string, rows func(list string) int) string {
	act, list, at := pressed(said)
	switch act {
	case "add":
		at = rows(list) - 1
	case "up":
		at--
	case "down":
		at++
	default:
		return ""
	}
	return fmt.Sprintf("%s/%d", list, max(at, 0))
}

// focus puts the keyboard on the first field of a row; false: it is not among these groups.
func focus(groups []fieldset, row string) bool {
	for i := range groups {
		for j := range groups[i].Inputs {
			if row != "" && strings.HasPrefix(groups[i].Inputs[j].Pointer, row+"/") {
				groups[i].Inputs[j].Focus = true
				return true
			}
		}
		if focus(groups[i].Groups, row) {
			return true
		}
	}
	return false
}

// builder makes the tree of a document.
type builder struct {
	*say
	wrong  map[string]string
	row    string          // that was made or moved
	report *catalog.Report // that marks what can be folded; nil: nothing is marked
}

// below says whether a pointer is another one or stands in it.
func below(pointer, in string) bool { return pointer == in || strings.HasPrefix(pointer, in+"/") }

// opens says whether what is below a pointer is shown unfolded: something there is wrong, or was made or moved just now.
func (b *builder) opens(pointer string) bool {
	for at := range b.wrong {
		if below(at, pointer) {
			return true
		}
	}
	return below(b.row, pointer)
}

// marks counts the places below a pointer where rules are broken.
func (b *builder) marks(pointer string) (n int) {
	if b.report == nil {
		return 0
	}
	for _, f := range b.report.Findings {
		for _, p := range f.Places {
			if f.Verdict == catalog.Broken && below(p.Pointer, pointer) {
				n++
			}
		}
	}
	return n
}

// told gives each wrong field its words.
func told(fields []fault.Field) map[string]string {
	out := map[string]string{}
	for _, f := range fields {
		out[f.Pointer] = f.Detail
	}
	return out
}

func (b *builder) in(kind, pointer, words, value string) input {
	return input{Pointer: pointer, Label: b.text(words), Value: value, Kind: kind, Wrong: b.wrong[pointer]}
}

func (b *builder) line(pointer, words, value string) input {
	return b.in("text", pointer, words, value)
}
func (b *builder) area(pointer, words, value string) input {
	return b.in("area", pointer, words, value)
}
func (b *builder) number(pointer, words string, n int) input {
	return b.in("number", pointer, words, orEmpty(n))
}

func (b *builder) check(pointer, words string, on bool) input {
	i := b.in("check", pointer, words, "1")
	i.Checked = on
	return i
}

func (b *builder) choice(pointer, words, value string, options ...option) input {
	i := b.in("select", pointer, words, value)
	i.Options = options
	return i
}

// rowButtons move a row or take it out.
func (b *builder) rowButtons(pointer string, at, of int) (all []button) {
	where := fmt.Sprintf("%s/%d", pointer, at)
	if at > 0 {
		all = append(all, button{"up " + where, b.text("author.up")})
	}
	if at < of-1 {
		all = append(all, button{"down " + where, b.text("author.down")})
	}
	return append(all, button{"remove " + where, b.text("author.remove")})
}

func rowCount(pointer string, n int) input {
	return input{Pointer: "#" + pointer, Value: strconv.Itoa(n)}
}
