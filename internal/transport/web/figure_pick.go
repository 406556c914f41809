package web

import (
	"net/url"
	"slices"
	"strings"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
)

// pick is a parameter of several values as people choose it: a box for each value, or a line for each where values are free.
type pick struct {
	Groups  []pickGroup // one for each course, or one without a name; nil: free values, one a line
	Places  []string    // of values with words of their own whose order says something: what stands at each place, or nothing
	Values  []string    // those that a place can have
	Chosen  []string    // in the order of the figure
	Ordered bool        // of sessions: their order says something
	Order   string      // the keys in an order that is not that of their starts
	Lines   string
}

type pickGroup struct {
	Name    string
	Choices []pickChoice
}

type pickChoice struct {
	Value   string
	Session *catalog.Session // nil: the value has words of its own
	Checked bool
}

// pickOf is how several values of a parameter are chosen; nil where it has one.
func pickOf(p analytics.Param, value string, sessions []catalog.Session) *pick {
	if !p.Many {
		return nil
	}
	out := &pick{Chosen: splitList(value), Ordered: p.Ordered}
	switch {
	case p.Of != nil && p.Ordered:
		out.Values, out.Places = p.Of, make([]string, len(p.Of))
		copy(out.Places, out.Chosen)
	case p.Of != nil:
		one := pickGroup{}
		for _, v := range p.Of {
			one.Choices = append(one.Choices, pickChoice{Value: v, Checked: slices.Contains(out.Chosen, v)})
		}
		out.Groups = []pickGroup{one}
	case p.ID == "sessions":
		place := map[string]int{}
		for i := range sessions {
			s := &sessions[i]
			at, known := place[s.CourseKey]
			if !known {
				at = len(out.Groups)
				place[s.CourseKey] = at
				out.Groups = append(out.Groups, pickGroup{Name: s.CourseKey})
			}
			out.Groups[at].Choices = append(out.Groups[at].Choices, pickChoice{s.Key, s, slices.Contains(out.Chosen, s.Key) || slices.Contains(out.Chosen, s.ID)})
		}
		if p.Ordered && !slices.Equal(out.Chosen, inOrder(out.Chosen, nil, sessions)) {
			out.Order = strings.Join(out.Chosen, ", ")
		}
	default:
		out.Lines = strings.Join(out.Chosen, "\n")
	}
	return out
}

// Said is what is chosen, in its order.
func (p pick) Said() string { return strings.Join(p.Chosen, ", ") }

// Wide says whether the choice takes a row for itself.
func (p pick) Wide() bool { return len(p.Groups) > 0 && p.Groups[0].Name != "" }

func splitList(s string) (all []string) {
	for _, v := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if v = strings.TrimSpace(v); v != "" {
			all = append(all, v)
		}
	}
	return all
}

// inOrder puts sessions into the order of a sequence: first those that are named, as they are named, then by their start; what nobody knows comes last.
func inOrder(chosen, named []string, sessions []catalog.Session) []string {
	place := func(key string) int {
		at := slices.IndexFunc(sessions, func(s catalog.Session) bool { return s.Key == key || s.ID == key })
		if at < 0 || sessions[at].StartsAt == nil {
			return -1
		}
		return at
	}
	out := slices.Clone(chosen)
	slices.SortStableFunc(out, func(a, b string) int {
		x, y := slices.Index(named, a), slices.Index(named, b)
		if x >= 0 || y >= 0 {
			if x >= 0 && y >= 0 {
				return x - y
			}
			return asInt(x < 0) - asInt(y < 0)
		}
		if x, y = place(a), place(b); x < 0 || y < 0 {
			return asInt(x < 0) - asInt(y < 0)
		}
		return sessions[x].StartsAt.Compare(*sessions[y].StartsAt)
	})
	return out
}

// chosenAt is the address of a figure for what was chosen in boxes and on lines, where each value came for itself; "" where the address is one already.
func chosenAt(r *request, d analytics.Definition, sessions []catalog.Session) string {
	q, moved := url.Values{}, false
	for _, p := range d.Params {
		all := r.every(p.ID)
		if !p.Many {
			setSaid(q, map[string]string{p.ID: r.query(p.ID)})
			continue
		}
		values := splitList(strings.Join(all, ","))
		reordered := p.Ordered && p.Of == nil && r.query("order") != ""
		if p.Ordered && p.Of == nil && len(all) > 1 || reordered {
			values = inOrder(values, splitList(r.query("order")), sessions)
		}
		moved = moved || len(all) > 1 || len(all) == 1 && strings.ContainsAny(all[0], "\r\n") || reordered
		setSaid(q, map[string]string{p.ID: strings.Join(values, ",")})
	}
	if !moved {
		return ""
	}
	for _, name := range []string{"as_of", "known_at", "lang"} {
		setSaid(q, map[string]string{name: r.query(name)})
	}
	return "/staff/figures/" + d.ID + "?" + strings.ReplaceAll(q.Encode(), "%2C", ",") // a list is read as it is written
}
