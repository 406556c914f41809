package programs

import (
	"container/heap"
	"maps"
	"slices"
	"strconv"
)

func itoa(i int) string { return strconv.Itoa(i) }

// maxChoices bounds the search for the least. What was found so far is a bound from below, and it is said to be "at least".
const maxChoices = 1000

// Span adds up any measure of the courses: the least and the most over the choices of what the program asks for.
func (c Content) Span(of func(course string) int) Span {
	return c.span(func(n Node) int {
		if n.Course == nil {
			return 0
		}
		return of(n.Course.Key)
	})
}

// span is the least that a choice comes to with whatever has to be passed before its courses, and what the choice comes to that has the
// most by itself, likewise.
func (c Content) span(of func(Node) int) Span {
	s := sums{root: c.root(), of: of, kept: func(Node) bool { return false }, rules: c.byKey()}
	return Span{Min: s.least(), Max: s.most()}
}

// sums adds up a measure of what a content asks for.
type sums struct {
	root  Group
	of    func(Node) int
	kept  func(Node) bool // a course or a workshop that is done: it costs nothing more and holds nothing up
	rules map[string]Node // courses by key
}

func (c Content) byKey() map[string]Node {
	out := map[string]Node{}
	walk(c.Parts, "", func(n Node, _ string) {
		if n.Course != nil {
			out[n.Course.Key] = n
		}
	})
	return out
}

// choice is a part of all choices: those that have the courses in with true and lack those with false. Bound is the least that they come
// to as far as is known: the cheapest one that keeps the tree, whatever has to be passed before its courses.
type choice struct {
	in    map[string]bool
	taken []string // courses of the cheapest one
	bound int
}

type choices []choice

func (c choices) Len() int           { return len(c) }
func (c choices) Less(i, j int) bool { return c[i].bound < c[j].bound }
func (c choices) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *choices) Push(x any)        { *c = append(*c, x.(choice)) }
func (c *choices) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// least looks at the choices by their bounds, the lowest first. The first one whose courses can all be opened is the answer; any other one
// lacks something, and falls into those without one of its locked courses and those with all of these and one course more.
func (s sums) least() int {
	open := &choices{}
	add := func(c choice, key string, is bool, also []string) {
		in := maps.Clone(c.in)
		for _, k := range also {
			in[k] = true
		}
		in[key] = is
		if taken, bound, ok := s.cheapest(in); ok {
			heap.Push(open, choice{in, taken, bound})
		}
	}
	taken, bound, _ := s.cheapest(nil)
	heap.Push(open, choice{map[string]bool{}, taken, bound})
	for looked := 0; open.Len() > 0; looked++ {
		c := heap.Pop(open).(choice)
		locked, ways := s.locked(c)
		if bound = c.bound; len(locked) == 0 || looked == maxChoices {
			break
		}
		for _, key := range locked {
			if !c.in[key] {
				add(c, key, false, nil)
			}
		}
		for _, key := range ways {
			if _, said := c.in[key]; !said {
				add(c, key, true, locked)
			}
		}
	}
	return bound
}

// locked finds courses of a choice that cannot be opened by it, and the courses outside of which one has to come to it for that: one
// course where it lacks something by itself, else all that wait for each other.
func (s sums) locked(c choice) (locked, ways []string) {
	there, reached := map[string]bool{}, map[string]bool{}
	for _, key := range c.taken {
		there[key] = true
	}
	met := func(key string) bool { n, inside := s.rules[key]; return !inside || reached[key] || s.kept(n) }
	opens := func(key string) bool {
		n := s.rules[key]
		return s.kept(n) || !slices.ContainsFunc(n.Course.After, func(k string) bool { return !met(k) }) &&
			(len(n.Course.AfterAny) == 0 || slices.ContainsFunc(n.Course.AfterAny, met))
	}
	for grown := true; grown; {
		grown = false
		for _, key := range c.taken {
			if !reached[key] && opens(key) {
				reached[key], grown = true, true
			}
		}
	}
	missing := func(key string) bool { return !there[key] && !met(key) }
	for _, key := range c.taken {
		if reached[key] {
			continue
		}
		rule := s.rules[key].Course
		if i := slices.IndexFunc(rule.After, missing); i >= 0 {
			return []string{key}, rule.After[i : i+1]
		}
		if len(rule.AfterAny) > 0 && !slices.ContainsFunc(rule.AfterAny, func(k string) bool { return !missing(k) }) {
			return []string{key}, rule.AfterAny
		}
		locked = append(locked, key)
		for _, k := range rule.AfterAny {
			if missing(k) && !slices.Contains(ways, k) {
				ways = append(ways, k)
			}
		}
	}
	return locked, ways
}

// cheapest is the cheapest choice that keeps the tree, with the courses that are in and without those that are out. ok is false where
// there is none.
func (s sums) cheapest(in map[string]bool) (taken []string, sum int, ok bool) {
	for key, is := range in {
		if is {
			taken, sum = append(taken, key), sum+s.cost(s.rules[key])
		}
	}
	slices.Sort(taken)
	more, left, ok := s.group(s.root, in)
	return append(taken, more...), sum + left, ok
}

func (s sums) cost(n Node) int {
	if s.kept(n) {
		return 0
	}
	return s.of(n)
}

// part is what a part costs beyond what is in, and the courses that it takes for that.
type part struct {
	taken []string
	cost  int
}

func (s sums) group(g Group, in map[string]bool) (taken []string, sum int, ok bool) {
	parts := make([]part, 0, len(g.Parts))
	for _, n := range g.Parts {
		switch {
		case n.optional():
		case n.Group != nil:
			if taken, cost, ok := s.group(*n.Group, in); ok {
				parts = append(parts, part{taken, cost})
			}
		case n.Course == nil:
			parts = append(parts, part{nil, s.cost(n)})
		default:
			switch is, said := in[n.Course.Key]; {
			case is:
				parts = append(parts, part{})
			case !said:
				parts = append(parts, part{[]string{n.Course.Key}, s.cost(n)})
			}
		}
	}
	if len(parts) < g.Need {
		return nil, 0, false
	}
	slices.SortStableFunc(parts, func(a, b part) int { return a.cost - b.cost })
	taken = make([]string, 0, g.Need)
	for _, p := range parts[:g.Need] {
		taken, sum = append(taken, p.taken...), sum+p.cost
	}
	return taken, sum, true
}

// most takes the dearest parts of each group, and the dearest way to each of their courses.
func (s sums) most() int {
	taken := map[string]bool{}
	sum := 0
	var take func(key string)
	take = func(key string) {
		n, inside := s.rules[key]
		if !inside || taken[key] {
			return
		}
		taken[key] = true
		sum += s.cost(n)
		for _, before := range n.Course.After {
			take(before)
		}
	}
	keys, workshops := s.dearest(s.root)
	for _, key := range keys {
		take(key)
	}
	for _, c := range s.ordered() { // later ones ask for earlier ones, so that one way back sees all
		any := s.rules[c].Course.AfterAny
		if taken[c] && len(any) > 0 && !slices.ContainsFunc(any, func(k string) bool { return taken[k] }) {
			take(slices.MaxFunc(any, func(a, b string) int { return s.cost(s.rules[a]) - s.cost(s.rules[b]) }))
		}
	}
	return sum + workshops
}

// ordered lists the courses from the last of the program to the first.
func (s sums) ordered() (keys []string) {
	walk(s.root.Parts, "", func(n Node, _ string) {
		if n.Course != nil {
			keys = append(keys, n.Course.Key)
		}
	})
	slices.Reverse(keys)
	return keys
}

func (s sums) dearest(g Group) (taken []string, rest int) {
	type dear struct {
		taken      []string
		rest, cost int
	}
	var parts []dear
	for _, n := range g.Parts {
		switch {
		case n.optional():
		case n.Group != nil:
			taken, rest := s.dearest(*n.Group)
			d := dear{taken, rest, rest}
			for _, key := range taken {
				d.cost += s.cost(s.rules[key])
			}
			parts = append(parts, d)
		case n.Course != nil:
			parts = append(parts, dear{[]string{n.Course.Key}, 0, s.cost(n)})
		default:
			parts = append(parts, dear{nil, s.cost(n), s.cost(n)})
		}
	}
	slices.SortStableFunc(parts, func(a, b dear) int { return b.cost - a.cost })
	for _, p := range parts[:min(g.Need, len(parts))] {
		taken, rest = append(taken, p.taken...), rest+p.rest
	}
	return taken, rest
}
