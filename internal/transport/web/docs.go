package web

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// contract is openapi.yaml as the documentation reads it: a page of contents, and one for each area. All of it on one page was
// two megabytes, too much for a phone and for who listens to it.
type contract struct {
	Title, Version, Description string
	Groups                      []group
}

// group is an area: its operations, and the schemas that they speak of.
type group struct {
	Name, Description string
	Operations        []operation
	Schemas           []schema
}

// Path is where the area is read.
func (g group) Path() string { return "/docs/" + strings.ToLower(g.Name) }

type operation struct {
	ID, Method, Path, Summary, Description, Scope string
	Parameters                                    []parameter
	Body                                          *body
	Responses                                     []response
}

type parameter struct {
	Name, In, Type, Description string
	Required                    bool
}

type body struct {
	Types    []media
	Required bool
}

type media struct{ ContentType, Schema, Ref, Example string }

type response struct {
	Status, Description string
	Headers             []parameter
	Types               []media
}

type schema struct {
	Name, Type, Description, Example string
	Properties                       []parameter
}

// node is a part of the contract; the methods of a missing part give nothing.
type node struct {
	*yaml.Node
	root *yaml.Node
}

var methods = []string{"get", "post", "put", "patch", "delete"}

func readContract(raw []byte) (*contract, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(raw, &document); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	if len(document.Content) == 0 {
		return nil, fmt.Errorf("openapi.yaml is empty")
	}
	root := node{document.Content[0], document.Content[0]}
	info := root.get("info")
	c := &contract{Title: info.text("title"), Version: info.text("version"), Description: info.text("description")}
	index := map[string]int{}
	for _, tag := range root.get("tags").items() {
		index[tag.text("name")] = len(c.Groups)
		c.Groups = append(c.Groups, group{Name: tag.text("name"), Description: tag.text("description")})
	}
	spoken := map[int]map[string]bool{} // by area: the references that its operations lead to
	for _, p := range root.get("paths").pairs() {
		for _, method := range methods {
			op := p.value.get(method)
			if op.Node == nil {
				continue
			}
			name := ""
			if tags := op.get("tags").items(); len(tags) > 0 {
				name = tags[0].Value
			}
			i, ok := index[name]
			if !ok {
				i = len(c.Groups)
				index[name] = i
				c.Groups = append(c.Groups, group{Name: name})
			}
			c.Groups[i].Operations = append(c.Groups[i].Operations, readOperation(p.name, method, p.value, op))
			if spoken[i] == nil {
				spoken[i] = map[string]bool{}
			}
			p.value.get("parameters").collect(spoken[i])
			op.collect(spoken[i])
		}
	}
	for _, s := range root.get("components").get("schemas").pairs() {
		read := readSchema(s.name, s.value)
		for i := range c.Groups {
			if spoken[i]["#/components/schemas/"+s.name] {
				c.Groups[i].Schemas = append(c.Groups[i].Schemas, read)
			}
		}
	}
	return c, nil
}

func readOperation(path, method string, item, op node) operation {
	o := operation{
		ID: op.text("operationId"), Method: strings.ToUpper(method), Path: path, Summary: op.text("summary"),
		Description: op.text("description"), Scope: op.text("x-scope"),
	}
	for _, p := range append(item.get("parameters").items(), op.get("parameters").items()...) {
		p = p.follow()
		o.Parameters = append(o.Parameters, parameter{p.text("name"), p.text("in"), typeOf(p.get("schema")), p.text("description"), p.text("required") == "true"})
	}
	if b := op.get("requestBody").follow(); b.Node != nil {
		o.Body = &body{mediaOf(b), b.text("required") == "true"}
	}
	for _, r := range op.get("responses").pairs() {
		v := r.value.follow()
		answer := response{Status: r.name, Description: v.text("description"), Types: mediaOf(v)}
		for _, h := range v.get("headers").pairs() {
			answer.Headers = append(answer.Headers, parameter{Name: h.name, Description: h.value.follow().text("description")})
		}
		o.Responses = append(o.Responses, answer)
	}
	return o
}

func readSchema(name string, n node) schema {
	out := schema{Name: name, Type: typeOf(n), Description: n.text("description"), Example: n.get("example").example()}
	required := map[string]bool{}
	for _, part := range append([]node{n}, n.get("allOf").items()...) {
		part = part.follow()
		for _, r := range part.get("required").items() {
			required[r.Value] = true
		}
		for _, p := range part.get("properties").pairs() {
			out.Properties = append(out.Properties, parameter{Name: p.name, Type: typeOf(p.value), Description: p.value.meaning()})
		}
	}
	for i := range out.Properties {
		out.Properties[i].Required = required[out.Properties[i].Name]
	}
	return out
}

// meaning is the description of a part or, where it only refers, of what it refers to.
func (n node) meaning() string {
	if d := n.text("description"); d != "" {
		return d
	}
	if all := n.get("allOf").items(); len(all) == 1 {
		n = all[0]
	}
	return n.follow().text("description")
}

func mediaOf(n node) (all []media) {
	for _, m := range n.get("content").pairs() {
		s, example := m.value.get("schema"), m.value.get("example").example()
		if examples := m.value.get("examples").pairs(); example == "" && len(examples) > 0 {
			example = examples[0].value.follow().get("value").example()
		}
		if example == "" {
			example = s.follow().get("example").example()
		}
		all = append(all, media{m.name, typeOf(s), refOf(s), example})
	}
	return all
}

// refOf is the name of the schema that a part refers to, itself or in its items.
func refOf(n node) string {
	for _, r := range []string{n.text("$ref"), n.get("items").text("$ref")} {
		if r != "" {
			return r[strings.LastIndex(r, "/")+1:]
		}
	}
	return ""
}

// typeOf says a schema in a few words: "integer (int64), 0 to 100", "array of Order", "Money".
func typeOf(n node) string {
	if n.Node == nil {
		return ""
	}
	if r := n.text("$ref"); r != "" {
		return r[strings.LastIndex(r, "/")+1:]
	}
	t := n.text("type")
	switch {
	case t == "array":
		return "array of " + typeOf(n.get("items"))
	case t == "" && n.get("anyOf").Node != nil:
		var parts []string
		for _, p := range n.get("anyOf").items() {
			parts = append(parts, typeOf(p))
		}
		return strings.Join(parts, " or ")
	case (t == "" || t == "object") && n.get("allOf").Node != nil:
		var parts []string
		for _, p := range n.get("allOf").items() {
			parts = append(parts, typeOf(p))
		}
		return strings.Join(parts, " + ") + orNull(n)
	case t == "" && n.get("properties").Node != nil:
		t = "object"
	}
	if f := n.text("format"); f != "" {
		t += " (" + f + ")"
	}
	var values []string
	for _, e := range n.get("enum").items() {
		values = append(values, e.Value)
	}
	if len(values) > 0 {
		t += ": " + strings.Join(values, ", ")
	}
	for _, bound := range []string{"minimum", "maximum", "minLength", "maxLength", "pattern", "default"} {
		if v := n.text(bound); v != "" {
			t += ", " + bound + " " + v
		}
	}
	return t + orNull(n)
}

func orNull(n node) string {
	if n.text("nullable") == "true" {
		return " or null"
	}
	return ""
}

type pair struct {
	name  string
	value node
}

func (n node) get(key string) node {
	if n.Node == nil || n.Kind != yaml.MappingNode {
		return node{nil, n.root}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return node{n.Content[i+1], n.root}
		}
	}
	return node{nil, n.root}
}

func (n node) text(key string) string {
	if v := n.get(key); v.Node != nil && v.Kind == yaml.ScalarNode {
		return strings.TrimSpace(v.Value)
	}
	return ""
}

func (n node) pairs() (all []pair) {
	if n.Node == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		all = append(all, pair{n.Content[i].Value, node{n.Content[i+1], n.root}})
	}
	return all
}

func (n node) items() (all []node) {
	if n.Node == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	for _, c := range n.Content {
		all = append(all, node{c, n.root})
	}
	return all
}

// collect notes every reference in a part, and in what they refer to.
func (n node) collect(seen map[string]bool) {
	if n.Node == nil {
		return
	}
	if ref := n.text("$ref"); ref != "" && !seen[ref] {
		seen[ref] = true
		n.follow().collect(seen)
	}
	for _, c := range n.Content {
		node{c, n.root}.collect(seen)
	}
}

// follow goes where a $ref points, one document and at most eight steps deep.
func (n node) follow() node {
	for range 8 {
		ref := n.text("$ref")
		if !strings.HasPrefix(ref, "#/") {
			return n
		}
		to := node{n.root, n.root}
		for _, step := range strings.Split(ref[2:], "/") {
			to = to.get(step)
		}
		n = to
	}
	return node{nil, n.root}
}

// example prints a value as JSON, keys in order.
func (n node) example() string {
	if n.Node == nil {
		return ""
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return n.Value
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return n.Value
	}
	return string(b)
}
