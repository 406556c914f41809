package web

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"cursus/internal/domain/programs"
)

// What two editors of a program or an edition do at once. A working copy has no versions of its own, so the form carries what it was made
// of; where that is too long for a field, hers stays as it is and the other's is shown whole.

// maxBase is the longest memory that a form carries, in bytes: less than the longest field of a large form.
const maxBase = 48 << 10

// remembered writes what a form was made of; nothing where it is too long.
func remembered(v any) string {
	b, err := json.Marshal(v)
	if err != nil || len(b) > maxBase {
		return ""
	}
	return string(b)
}

// recalled reads it again; false for none.
func recalled[T any](said string) (v T, known bool) {
	return v, said != "" && json.Unmarshal([]byte(said), &v) == nil
}

// partName is what a part is called when two contents are laid beside each other.
func partName(n programs.Node) string {
	switch {
	case n.Course != nil:
		return n.Course.Key
	case n.Workshop != nil:
		return "⚒ " + n.Workshop.Key
	}
	return strings.ReplaceAll(n.Group.Title.EN+n.Group.Title.FR, "/", "∕")
}

// mergedProgram brings two contents together. Parts are known by their names, so that a course which one of them added, took out or moved is
// not compared with its neighbour.
func mergedProgram(before, theirs, mine programs.Content) (programs.Content, error) {
	b, t, m := before, theirs, mine
	b.Parts, t.Parts, m.Parts = nil, nil, nil
	out, err := brought(b, t, m)
	if err == nil {
		out.Parts, err = mergedParts(before.Parts, theirs.Parts, mine.Parts)
	}
	return out.Tidy(), err
}

func names(parts []programs.Node) (all []string) {
	for _, p := range parts {
		all = append(all, partName(p))
	}
	return all
}

// mergedParts keeps my order unless I left it as it was.
func mergedParts(before, theirs, mine []programs.Node) ([]programs.Node, error) {
	b, t, m := names(before), names(theirs), names(mine)
	order, other := m, t
	if slices.Equal(b, m) {
		order, other = t, m
	}
	order = slices.Clone(order)
	for i, name := range other { // what stands in one alone comes after what it came after there
		if !slices.Contains(order, name) && !slices.Contains(b, name) {
			at := 0
			if i > 0 {
				at = slices.Index(order, other[i-1]) + 1
			}
			order = slices.Insert(order, at, name)
		}
	}
	out := []programs.Node{}
	for _, name := range order {
		i, j, k := slices.Index(b, name), slices.Index(t, name), slices.Index(m, name)
		switch {
		case j < 0 && i >= 0 && same(before[i], mine[k]), k < 0 && i >= 0 && same(before[i], theirs[j]): // one took it out, the other had not touched it
		case j < 0:
			out = append(out, mine[k])
		case k < 0:
			out = append(out, theirs[j])
		case i < 0:
			out = append(out, mine[k])
		default:
			n, err := mergedPart(before[i], theirs[j], mine[k])
			if err != nil {
				return nil, err
			}
			out = append(out, n)
		}
	}
	return out, nil
}

func same(a, b programs.Node) bool { return remembered(a) == remembered(b) }

func mergedPart(before, theirs, mine programs.Node) (programs.Node, error) {
	if before.Group == nil || theirs.Group == nil || mine.Group == nil {
		return brought(before, theirs, mine)
	}
	b, t, m := *before.Group, *theirs.Group, *mine.Group
	b.Parts, t.Parts, m.Parts = nil, nil, nil
	g, err := brought(b, t, m)
	if err == nil {
		g.Parts, err = mergedParts(before.Group.Parts, theirs.Group.Parts, mine.Group.Parts)
	}
	return programs.Node{Group: &g}, err
}

// laid lays a content out for people to compare: the order of its courses in one line, and every part under its name.
func laid(c programs.Content) map[string]any {
	parts := map[string]any{}
	var add func(nodes []programs.Node)
	add = func(nodes []programs.Node) {
		for _, n := range nodes {
			switch {
			case n.Course != nil:
				parts[partName(n)] = n.Course
			case n.Workshop != nil:
				parts[partName(n)] = n.Workshop
			default:
				parts[partName(n)] = map[string]any{"title": n.Group.Title, "need": n.Group.Need, "order": strings.Join(names(n.Group.Parts), " → ")}
				add(n.Group.Parts)
			}
		}
	}
	add(c.Parts)
	return map[string]any{
		"title": c.Title, "summary": c.Summary, "audience": c.Audience, "language": c.Language, "organisations": strings.Join(c.Organisations, ", "),
		"order": strings.Join(names(c.Parts), " → "), "parts": parts,
	}
}

// fieldWords are the words of the last member of a pointer.
var fieldWords = map[string]string{
	"title/en": "program.title.en", "title/fr": "program.title.fr", "summary/en": "program.summary.en", "summary/fr": "program.summary.fr",
	"audience/en": "program.audience.en", "audience/fr": "program.audience.fr", "language": "program.language", "organisations": "program.organisations",
	"order": "program.order", "optional": "program.required", "min_grade_ppm": "program.mingrade", "after": "program.afterall", "after_any": "program.afteroneof",
	"equivalents": "program.equivalents", "workload_hours": "program.hours", "ects_hundredths": "program.ects", "days": "program.days",
	"min_production_ppm": "program.mingrade", "need": "program.need", "lang": "program.language", "partner": "edition.partner", "capacity": "edition.capacity",
	"starts_at": "edition.starts", "ends_at": "edition.ends", "enrol_from": "edition.enrolfrom", "enrol_until": "edition.enroluntil", "opening": "edition.opening",
	"opens_at": "edition.opensat", "session": "edition.session", "program_version": "program.version",
}

// programClashes says what they changed since the version that both read, and what she made of it.
func (w *Web) programClashes(lang string, before, theirs, mine programs.Content) ([]clash, error) {
	all, err := clashes(laid(before), laid(theirs), laid(mine), nil)
	return w.tell(lang, all), err
}

// editionClashes is the same of editions, whose sessions are known by their keys.
func (w *Web) editionClashes(lang string, before, theirs, mine programs.EditionPlan) ([]clash, error) {
	var docs [3]map[string]any
	for i, n := range []programs.EditionPlan{before, theirs, mine} {
		sessions := map[string]any{}
		for _, s := range n.Sessions {
			sessions[s.Session] = s
		}
		n.Sessions = nil
		whole, err := tree(n)
		if err != nil {
			return nil, err
		}
		docs[i] = whole.(map[string]any)
		docs[i]["sessions"] = sessions
	}
	all, err := clashes(docs[0], docs[1], docs[2], nil)
	return w.tell(lang, all), err
}

// tell gives differences the words of their fields, and their values as the form has them.
func (w *Web) tell(lang string, all []clash) []clash {
	out := []clash{}
	for _, c := range all {
		steps := strings.Split(strings.TrimPrefix(c.Pointer, "/"), "/")
		if last := steps[len(steps)-1]; last == "key" || last == "program" {
			continue
		}
		var label []string
		if steps[0] == "parts" || steps[0] == "sessions" {
			label, steps = steps[1:2], steps[2:]
		}
		field, index := strings.Join(steps, "/"), ""
		if len(steps) > 1 && fieldWords[field] == "" { // an item of a list
			field, index = steps[0], strings.Join(steps[1:], " ")
		}
		if said, err := w.words.text(lang, fieldWords[field]); err == nil {
			field = said
		}
		for _, value := range []*string{&c.Before, &c.Theirs, &c.Mine} {
			*value = asForm(steps[len(steps)-1], *value)
		}
		c.Label = strings.TrimSpace(strings.Join(append(label, field), " › ") + " " + index)
		out = append(out, c)
	}
	return out
}

// asForm writes a value as the form has it: millionths as per cents, hundredths as decimals.
func asForm(member, value string) string {
	n, err := strconv.ParseFloat(value, 64)
	whole := int(n)
	switch {
	case err != nil:
		return value
	case strings.HasSuffix(member, "_ppm"):
		return percent(&whole) + " %"
	case strings.HasSuffix(member, "_hundredths"):
		return decimal(whole)
	}
	return value
}
