package gradebook

import (
	"sort"
	"time"
)

// step says that a value holds since an instant.
type step[V any] struct {
	at    time.Time
	value V
}

// timeline is a step function: of each instant at most one step, in the order of time.
type timeline[V comparable] []step[V]

// from is the place of the first step that is not before an instant.
func (l timeline[V]) from(at time.Time) int {
	return sort.Search(len(l), func(i int) bool { return !l[i].at.Before(at) })
}

// at gives what holds at an instant, and otherwise where nothing was said by then.
func (l timeline[V]) at(at time.Time, otherwise V) V {
	if i := l.from(at); i < len(l) && l[i].at.Equal(at) {
		return l[i].value
	} else if i > 0 {
		return l[i-1].value
	}
	return otherwise
}

// has says whether there is a step at the very instant, and its value.
func (l timeline[V]) has(at time.Time) (v V, ok bool) {
	if i := l.from(at); i < len(l) && l[i].at.Equal(at) {
		return l[i].value, true
	}
	return v, false
}

// with gives the timeline with a step more, or another one at its instant.
func (l timeline[V]) with(at time.Time, v V) timeline[V] {
	i := l.from(at)
	if i < len(l) && l[i].at.Equal(at) {
		l[i].value = v
		return l
	}
	l = append(l, step[V]{})
	copy(l[i+1:], l[i:])
	l[i] = step[V]{at, v}
	return l
}
