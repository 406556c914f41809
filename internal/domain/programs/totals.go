package programs

import (
	"slices"
	"strconv"
)

func itoa(i int) string { return strconv.Itoa(i) }

// span is the least and the most that exactly Need parts of a group come to.
func span(g Group, of func(Node) int) Span {
	var least, most []int
	for _, n := range g.Parts {
		switch {
		case n.optional():
		case n.Group != nil:
			s := span(*n.Group, of)
			least, most = append(least, s.Min), append(most, s.Max)
		default:
			least, most = append(least, of(n)), append(most, of(n))
		}
	}
	slices.Sort(least)
	slices.Sort(most)
	slices.Reverse(most)
	var s Span
	for i := range min(g.Need, len(least)) {
		s.Min += least[i]
		s.Max += most[i]
	}
	return s
}

// Span adds up any measure of the courses: the least and the most over every choice of what the program asks for.
func (c Content) Span(of func(course string) int) Span {
	return span(c.root(), func(n Node) int {
		if n.Course == nil {
			return 0
		}
		return of(n.Course.Key)
	})
}
