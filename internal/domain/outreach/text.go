package outreach

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
)

// Words are a mail in one language, as staff write it: text with placeholders such as {name}. Nothing of it is taken as HTML; **strong**
// and `code` are all that a paragraph can say beyond words.
type Words struct {
	Subject    string   `json:"subject"`
	Paragraphs []string `json:"paragraphs"`
	Button     string   `json:"button"` // empty: no button
}

// Text is a mail in both languages.
type Text struct {
	EN Words `json:"en"`
	FR Words `json:"fr"`
}

// In gives the words for a language.
func (t Text) In(lang string) Words {
	if lang == "fr" {
		return t.FR
	}
	return t.EN
}

// Placeholders are what the words of a kind of campaign can say.
func Placeholders(k Kind) []string {
	switch k {
	case Weekly:
		return []string{"name", "title", "week", "next", "missing"}
	case Exam:
		return []string{"name", "title", "until"}
	case Nudge, Opens, Survey:
		return []string{"name", "title"}
	}
	return []string{"name", "title", "starts", "until"}
}

var hole = regexp.MustCompile(`\{([^{}]*)\}`)

const (
	longestLine      = 200
	longestParagraph = 2000
	mostParagraphs   = 20
)

// wrong lists what is wrong with the words, below a pointer.
func (w Words) wrong(k Kind, at string) (all []fault.Field) {
	refuse := func(pointer, code, detail string) {
		all = append(all, fault.Field{Pointer: at + pointer, Code: code, Detail: detail})
	}
	check := func(pointer, s string, shortest, longest int, breaks bool) {
		if n := utf8.RuneCountInString(s); n < shortest || n > longest || shortest > 0 && strings.TrimSpace(s) == "" {
			refuse(pointer, "bad-length", fmt.Sprintf("%d to %d characters.", shortest, longest))
		}
		if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && (!breaks || r != '\n') }) {
			refuse(pointer, "control-character", "There is a control character in it.")
		}
		for _, m := range hole.FindAllStringSubmatch(s, -1) {
			if known := Placeholders(k); !slices.Contains(known, m[1]) {
				refuse(pointer, "unknown-placeholder", "There is no {"+m[1]+"} here, but {"+strings.Join(known, "}, {")+"}.")
			}
		}
	}
	check("/subject", w.Subject, 1, longestLine, false)
	check("/button", w.Button, 0, 80, false)
	if len(w.Paragraphs) == 0 || len(w.Paragraphs) > mostParagraphs {
		refuse("/paragraphs", "bad-length", fmt.Sprintf("1 to %d paragraphs.", mostParagraphs))
	}
	for i, p := range w.Paragraphs {
		check("/paragraphs/"+strconv.Itoa(i), p, 1, longestParagraph, true)
	}
	return all
}

func (t Text) wrong(k Kind, at string) []fault.Field {
	return append(t.EN.wrong(k, at+"/en"), t.FR.wrong(k, at+"/fr")...)
}

// fill puts values in the place of placeholders. A value is words: it stands in one line.
func fill(s string, values map[string]string) string {
	return hole.ReplaceAllStringFunc(s, func(m string) string {
		return strings.Join(strings.Fields(values[m[1:len(m)-1]]), " ")
	})
}

func (w Words) fill(values map[string]string) (subject string, paragraphs []string, button string) {
	for _, p := range w.Paragraphs {
		paragraphs = append(paragraphs, strings.TrimSpace(fill(p, values)))
	}
	return strings.Join(strings.Fields(fill(w.Subject, values)), " "), paragraphs, fill(w.Button, values)
}
