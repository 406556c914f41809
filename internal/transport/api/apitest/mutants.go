package apitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// mutant is a body with one thing wrong, or one thing odd that the contract allows.
type mutant struct {
	name string
	body []byte
	odd  bool
}

// mutants changes an example in every place and in every way.
func mutants(schema *openapi3.Schema, example any) (all []mutant) {
	whole := mustJSON(example)
	add := func(name, body string) { all = append(all, mutant{name: name, body: []byte(body)}) }
	add("empty", "")
	add("null", "null")
	add("a list", "["+string(whole)+"]")
	add("an empty list", "[]")
	add("a text", `"x"`)
	add("a number", "1")
	add("cut", string(whole[:len(whole)-1]))
	add("two values", string(whole)+string(whole))
	add("something behind", string(whole)+"x")
	add("a byte order mark", "\ufeff"+string(whole))
	add("no UTF-8", strings.Replace(strings.Replace(string(whole), "{}", `{"a":1}`, 1), `":`, "\xff\":", 1))
	add("a comment", "/* */"+string(whole))
	add("deep", strings.Repeat(`{"x":`, 2000)+"1"+strings.Repeat("}", 2000))
	add("XML", "<x/>")
	if members, ok := example.(map[string]any); ok {
		for _, name := range sorted(members) {
			value := string(mustJSON(members[name]))
			add("twice "+name, `{"`+name+`":`+value+","+string(whole[1:]))
			add("twice in another case "+name, `{"`+strings.ToUpper(name)+`":`+value+","+string(whole[1:]))
			renamed := maps.Clone(members)
			delete(renamed, name)
			renamed[strings.ToUpper(name)] = members[name]
			add("in another case "+name, string(mustJSON(renamed)))
		}
	}
	changes(nil, schema, example, "", func(name string, changed any) {
		m := mutant{name: name, body: mustJSON(changed)}
		var v any
		if json.Unmarshal(m.body, &v) == nil {
			m.odd = !strings.Contains(name, "always wrong") && schema.VisitJSON(v, openapi3.EnableFormatValidation()) == nil
		}
		all = append(all, m)
	})
	return all
}

// changes gives every change of a value to yield, as the whole that it makes. above are the schemas around it: one that stands in itself
// (a group of groups) is entered once.
func changes(above []*openapi3.Schema, schema *openapi3.Schema, value any, where string, yield func(name string, changed any)) {
	if slices.Contains(above, schema) {
		return
	}
	above = append(slices.Clone(above), schema)
	for name, v := range replacements(schema) {
		yield(where+" "+name, v)
	}
	switch value := value.(type) {
	case map[string]any:
		unknown := maps.Clone(value)
		unknown["surplus"] = 1
		yield(where+" unknown member", unknown)
		for _, name := range sorted(schema.Properties) {
			without := maps.Clone(value)
			delete(without, name)
			yield(where+"/"+name+" missing", without)
			p := schema.Properties[name].Value
			member, ok := value[name]
			if !ok {
				member = exampleOf(nil, p)
			}
			changes(above, p, member, where+"/"+name, func(name2 string, changed any) {
				with := maps.Clone(value)
				with[name] = changed
				yield(name2, with)
			})
		}
	case []any:
		if len(value) == 0 {
			return
		}
		changes(above, schema.Items.Value, value[0], where+"/0", func(name string, changed any) {
			with := append([]any{changed}, value[1:]...)
			yield(name, with)
		})
		if schema.MaxItems != nil {
			many := make([]any, int(*schema.MaxItems)+1) //nolint:gosec // limits of our own contract
			for i := range many {
				many[i] = value[0]
			}
			yield(where+" too many", many)
		}
	}
}

// replacements are values of every kind that a place may be given instead of its own.
func replacements(s *openapi3.Schema) map[string]any {
	all := map[string]any{
		"null": nil, "a text": "no such thing", "a number": 17, "true": true, "an object": map[string]any{}, "a list": []any{}, "an empty text": "",
		"a blank": " ", "an emoji": "🎓", "NUL, always wrong": "a\x00b", "a broken character, always wrong": "a\ufffdb", "a line end": "a\r\nb",
		"right to left": "\u202eabc", "a negative number": -1, "zero": 0, "a formula": "=1+1", "quotes": `'"; drop table x --`,
	}
	for _, n := range []string{"1.5", "1e2", "1.0", "-0.0", "9223372036854775808", "99999999999999999999999", "1e400"} {
		all["the number "+n+", always wrong"] = json.RawMessage(n)
	}
	all["the largest number"] = json.RawMessage("9223372036854775807")
	if s.MaxLength != nil {
		all["too long"] = strings.Repeat("a", int(*s.MaxLength)+1)      //nolint:gosec // limits of our own contract
		all["long in emoji"] = strings.Repeat("🎓", int(*s.MaxLength)+1) //nolint:gosec // limits of our own contract
	}
	if s.Format == "date-time" {
		for _, at := range []string{"2025-02-30T10:00:00Z", "2025-01-01T10:00:60Z", "2025-01-01T25:00:00Z", "2025-01-01T10:00:00+02:00", "0000-01-01T00:00:00Z", "2025-01-01"} {
			all["the time "+at] = at
		}
	}
	if s.Max != nil {
		all["above the maximum"] = json.RawMessage(fmt.Sprintf("%.0f", *s.Max+1))
	}
	return all
}

func sorted[V any](m map[string]V) (names []string) {
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
