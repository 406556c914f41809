package web

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Two who edit at once: what each changed since the version that both read is told by the fields' pointers, and what does not clash
// is brought together. Where both changed one field, the words of who saves stand in the form, the other's beside it.

// clash is one difference.
type clash struct {
	Pointer, Label       string
	Before, Theirs, Mine string
	Both                 bool // both changed it, to different things
}

// ID is the field's anchor.
func (c clash) ID() string { return anchor(c.Pointer) }

// tree reads a document as plain JSON.
func tree(document any) (out any, err error) {
	b, err := json.Marshal(document)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
}

// merge brings together what they and I made of a document. Lists of three different shapes are mine, unless I left mine as it was.
func merge(before, theirs, mine any) any {
	switch {
	case reflect.DeepEqual(before, mine):
		return theirs
	case reflect.DeepEqual(before, theirs):
		return mine
	}
	b, okB := before.(map[string]any)
	t, okT := theirs.(map[string]any)
	m, okM := mine.(map[string]any)
	if okB && okT && okM {
		out := map[string]any{}
		for _, members := range []map[string]any{t, m} {
			for name := range members {
				if v := merge(b[name], t[name], m[name]); v != nil {
					out[name] = v
				}
			}
		}
		return out
	}
	bs, okB := before.([]any)
	ts, okT := theirs.([]any)
	ms, okM := mine.([]any)
	if okB && okT && okM && len(bs) == len(ts) && len(ts) == len(ms) {
		out := make([]any, len(ms))
		for i := range ms {
			out[i] = merge(bs[i], ts[i], ms[i])
		}
		return out
	}
	return mine
}

// brought merges documents of one type.
func brought[T any](before, theirs, mine T) (out T, err error) {
	var trees [3]any
	for i, d := range []T{before, theirs, mine} {
		if trees[i], err = tree(d); err != nil {
			return out, err
		}
	}
	b, err := json.Marshal(merge(trees[0], trees[1], trees[2]))
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
}

// leaves lists the values of a document by their pointers.
func leaves(document any) (map[string]string, error) {
	out := map[string]string{}
	whole, err := tree(document)
	if err == nil {
		flatten("", whole, out)
	}
	return out, err
}

func flatten(at string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			flatten(at+"/"+name, member, out)
		}
	case []any:
		for i, item := range v {
			flatten(at+"/"+strconv.Itoa(i), item, out)
		}
	case nil:
	default:
		out[at] = fmt.Sprint(v)
	}
}

// clashes lists what they changed, with what I made of it; labels are the words of the fields.
func clashes(before, theirs, mine any, labels map[string]string) ([]clash, error) {
	b, err := leaves(before)
	if err != nil {
		return nil, err
	}
	t, err := leaves(theirs)
	if err != nil {
		return nil, err
	}
	m, err := leaves(mine)
	if err != nil {
		return nil, err
	}
	pointers := map[string]bool{}
	for _, values := range []map[string]string{b, t} {
		for p := range values {
			if b[p] != t[p] {
				pointers[p] = true
			}
		}
	}
	var out []clash
	for p := range pointers {
		out = append(out, clash{p, labelled(p, labels), b[p], t[p], m[p], b[p] != m[p] && t[p] != m[p]})
	}
	sort.Slice(out, func(i, j int) bool { return natural(out[i].Pointer) < natural(out[j].Pointer) })
	return out, nil
}

// natural makes numbers sort as numbers.
func natural(pointer string) string {
	parts := strings.Split(pointer, "/")
	for i, p := range parts {
		if n, err := strconv.Atoi(p); err == nil {
			parts[i] = fmt.Sprintf("%06d", n)
		}
	}
	return strings.Join(parts, "/")
}

// labelled finds the words of the nearest field.
func labelled(pointer string, labels map[string]string) string {
	for p := pointer; p != ""; p = p[:strings.LastIndex(p, "/")] {
		if l, ok := labels[p]; ok {
			return l
		}
	}
	return pointer
}

// labels are the words of all fields of a form: those of its groups, then its own.
func labels(groups []fieldset) map[string]string {
	out := map[string]string{}
	var walk func(path []string, all []fieldset)
	walk = func(path []string, all []fieldset) {
		for _, g := range all {
			here := append(slices.Clone(path), g.Legend)
			out[g.Pointer] = strings.Join(here, " › ")
			for _, i := range g.Inputs {
				out[i.Pointer] = strings.Join(append(slices.Clone(here), i.Label), " › ")
			}
			walk(here, g.Groups)
		}
	}
	walk(nil, groups)
	return out
}
