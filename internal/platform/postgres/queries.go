package postgres

import (
	"fmt"
	"sort"
	"strings"
	"sync"
)

// Query is one named statement of a room.
type Query struct{ Name, SQL string }

// Queries are the statements of a room's queries.sql by name.
type Queries map[string]Query

var registry = struct {
	sync.Mutex
	all []Query
}{}

// MustLoad reads a queries.sql: blocks that start with "-- name: Foo". It panics on a nameless or repeated statement,
// which happens at program start and in every test of the room.
func MustLoad(room, file string) Queries {
	out := Queries{}
	for _, block := range strings.Split("\n"+file, "\n-- name:")[1:] {
		name, body, _ := strings.Cut(block, "\n")
		name = strings.TrimSpace(name)
		body = strings.TrimSuffix(strings.TrimSpace(body), ";")
		if _, twice := out[name]; twice || name == "" || body == "" {
			panic(fmt.Sprintf("%s/queries.sql: statement %q is empty or there twice", room, name))
		}
		out[name] = Query{room + "." + name, body}
	}
	registry.Lock()
	defer registry.Unlock()
	for _, q := range out {
		registry.all = append(registry.all, q)
	}
	return out
}

// Q gives a statement; an unknown name panics, which the test that prepares every statement finds.
func (q Queries) Q(name string) Query {
	s, ok := q[name]
	if !ok {
		panic("no statement named " + name)
	}
	return s
}

// AllQueries lists the statements of every room that the program imports, by name.
func AllQueries() []Query {
	registry.Lock()
	defer registry.Unlock()
	out := append([]Query(nil), registry.all...)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
