package surveys

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
)

// Mapped says what a column of a file is: one of the To… names, or a question, with a colon and a part where it has parts (s2:before,
// motives:career).
type Mapped struct {
	Column string `json:"column"`
	Target string `json:"target"`
}

// ReadMapped reads what people write of a column: name = what it is; the last sign of equality counts. false: there is none.
func ReadMapped(s string) (m Mapped, ok bool) {
	at := strings.LastIndex(s, "=")
	if at < 0 {
		return m, false
	}
	return Mapped{Column: strings.TrimSpace(s[:at]), Target: strings.TrimSpace(s[at+1:])}, true
}

// Targets are the answers that columns of a file can be, beside the To… names.
func (x Questionnaire) Targets() (all []string) {
	for _, asked := range x.Questions {
		for _, part := range asked.Parts(x.Moment) {
			all = append(all, target(asked.Code, part))
		}
		if asked.Kind == Multiple {
			for _, c := range asked.Choices {
				all = append(all, target(asked.Code, c.Code))
			}
		}
	}
	return all
}

func target(code, part string) string {
	if part == "" {
		return code
	}
	return code + ":" + part
}

// names are how the column of an answer may be called, as normal gives it.
func (x Questionnaire) names() map[string]string {
	out := map[string]string{}
	add := func(to string, names ...string) {
		for _, n := range names {
			if n = normal(n); n != "" && out[n] == "" {
				out[n] = to
			}
		}
	}
	sides := map[string][]string{Before: {"before", "avant"}, After: {"after", "après", "apres"}}
	both := func(t catalog.Text) []string { return []string{t.EN, t.FR} }
	for _, asked := range x.Questions {
		called := append([]string{asked.Code}, both(asked.Title)...)
		for _, part := range asked.Parts(x.Moment) {
			if part == "" {
				add(asked.Code, called...)
			}
			for _, side := range sides[part] {
				for _, name := range called {
					if name != "" {
						add(target(asked.Code, part), name+" "+side, side+" "+name) // a survey may ask all skills before, then all of them after
					}
				}
			}
			if part != "" && x.Moment == Opening {
				add(target(asked.Code, part), called...)
			}
		}
		if asked.Kind == Multiple {
			for _, c := range asked.Choices {
				for _, name := range called {
					for _, choice := range append([]string{c.Code}, both(c.Title)...) {
						if name != "" && choice != "" {
							add(target(asked.Code, c.Code), name+" "+choice)
						}
					}
				}
			}
		}
	}
	return out
}

// Propose says what each column of a file seems to be, by its name: the code of a question (LimeSurvey's may have a sub-question in brackets
// and its text behind a point), or its text.
func (x Questionnaire) Propose(f File) []Mapped {
	names, taken := x.names(), map[string]bool{}
	out := make([]Mapped, 0, len(f.Header))
	tokens := f.hasTokens()
	for _, h := range f.Header {
		to := specialOf(h)
		if tokens && isNumber(h) { // a token says who answered, and finds her other answers
			to = ToNothing
		}
		if to == "" {
			to = names[normal(h)]
		}
		if code, _, cut := strings.Cut(h, ". "); to == "" && cut {
			to = names[normal(code)]
		}
		if to == "" || taken[to] {
			to = ToNothing
		}
		taken[to] = to != ToNothing
		out = append(out, Mapped{h, to})
	}
	return out
}

// Map completes what is said of columns with what is proposed for the others. Errors: ErrMap, ErrNoAnswers.
func (x Questionnaire) Map(f File, given []Mapped) ([]Mapped, error) {
	out := x.Propose(f)
	targets, said := append(x.Targets(), ToSubject, ToEmail, ToUsername, ToRespondent, ToTime, ToNothing), map[string]bool{}
	for _, m := range given {
		i := slices.Index(f.Header, m.Column)
		if i < 0 || said[m.Column] || !slices.Contains(targets, m.Target) {
			return nil, ErrMap.Detailf("%q cannot be %q.", clipped(m.Column), clipped(m.Target))
		}
		said[m.Column] = true
		out[i].Target = m.Target
	}
	taken := map[string]string{}
	for i, m := range out {
		other := taken[m.Target]
		switch {
		case m.Target == ToNothing:
		case other == "":
			taken[m.Target] = m.Column
		case said[m.Column] && said[other]:
			return nil, ErrMap.Detailf("%q and %q are both %s.", clipped(other), clipped(m.Column), m.Target)
		case said[m.Column]: // what is said goes before what is proposed
			out[slices.Index(f.Header, other)].Target, taken[m.Target] = ToNothing, m.Column
		default:
			out[i].Target = ToNothing
		}
	}
	if !slices.ContainsFunc(out, func(m Mapped) bool { return m.Target != ToNothing && !strings.HasPrefix(m.Target, "@") }) {
		return nil, ErrNoAnswers
	}
	if taken[ToSubject] == "" && taken[ToEmail] == "" && taken[ToUsername] == "" && taken[ToRespondent] == "" {
		return nil, ErrMap.Detailf("No column says who answered.")
	}
	return out, nil
}

func clipped(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// filled is a row of a file as answers. Who is by how a column says it.
type filled struct {
	line   int
	who    map[string]string
	at     string
	atCol  int
	sheet  []said
	reject *Outcome
}

// fill reads a row by a mapping. What is wrong is told without the cell: outcomes are kept, and a cell may be anything that somebody wrote.
func (x Questionnaire) fill(l Line, mapping []Mapped) (out filled) {
	out = filled{line: l.N, who: map[string]string{}, atCol: -1}
	refuse := func(i int, code, detail string) {
		if out.reject == nil {
			r := rejected(l.N, i+1, code, detail)
			out.reject = &r
		}
	}
	add := func(asked Question, part string, value int, words string) {
		for _, a := range out.sheet { // a choice that stands in a column of its own and in the column of the question
			if a.Question == asked.Code && a.Part == part {
				return
			}
		}
		out.sheet = append(out.sheet, said{asked.Code, part, asked.Kind, value, words})
	}
	for i, m := range mapping {
		cell := l.Cells[i]
		switch {
		case m.Target == ToNothing:
			continue
		case m.Target == ToTime:
			out.at, out.atCol = cell, i
			continue
		case strings.HasPrefix(m.Target, "@"):
			out.who[m.Target] = cell
			continue
		case empty(cell):
			continue
		}
		code, part, _ := strings.Cut(m.Target, ":")
		asked, _ := x.question(code)
		switch asked.Kind {
		case Skill, Satisfaction, Recommend:
			if n, ok := scale(cell); ok {
				add(asked, part, n, "")
			} else {
				refuse(i, "out-of-range", "No whole number from 0 to 10.")
			}
		case Words:
			if utf8.RuneCountInString(cell) > maxWords {
				refuse(i, "too-long", "At most 4,000 characters.")
			} else {
				add(asked, "", 1, cell)
			}
		case Single, Multiple:
			if part != "" { // a column of its own
				chosen, ok := ticked(cell, asked, part)
				if !ok {
					refuse(i, "no-such-choice", "Neither yes nor no.")
				} else if chosen {
					add(asked, part, 1, "")
				}
				continue
			}
			for _, one := range asked.split(cell) {
				if choice := asked.choose(one); choice != "" {
					add(asked, choice, 1, "")
				} else {
					refuse(i, "no-such-choice", "The question does not offer this.")
				}
			}
		}
	}
	slices.SortFunc(out.sheet, said.compare)
	return out
}

// split takes the answers of a multiple question apart that stand in one cell.
func (q Question) split(cell string) []string {
	if q.Kind == Single || q.choose(cell) != "" {
		return []string{cell}
	}
	return slices.DeleteFunc(strings.FieldsFunc(cell, func(r rune) bool { return r == ';' || r == '|' }), func(s string) bool { return strings.TrimSpace(s) == "" })
}

// choose finds the choice that a cell means, by its code or its text; empty: none.
func (q Question) choose(cell string) string {
	want := normal(cell)
	for _, c := range q.Choices {
		if want != "" && (want == normal(c.Code) || want == normal(c.Title.EN) || want == normal(c.Title.FR)) {
			return c.Code
		}
	}
	return ""
}

func empty(cell string) bool {
	switch strings.ToLower(cell) {
	case "", "n/a", "na", "{question_not_shown}":
		return true
	}
	return false
}

// scale reads a whole number from 0 to 10; decimals that are nought do not matter.
func scale(cell string) (n int, ok bool) {
	whole, decimals, _ := strings.Cut(strings.Replace(cell, ",", ".", 1), ".")
	if len(whole) > 2 || whole == "" || whole[0] < '0' || whole[0] > '9' || strings.Trim(decimals, "0") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(whole)
	return n, err == nil && n <= Scale
}

func ticked(cell string, asked Question, part string) (chosen, ok bool) {
	switch strings.ToLower(cell) {
	case "y", "yes", "o", "oui", "1", "true", "x", "checked":
		return true, true
	case "n", "no", "non", "0", "false":
		return false, true
	}
	return true, asked.choose(cell) == part
}
