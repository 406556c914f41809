// Package apitest holds a served API against openapi.yaml: every answer, every refusal of bad input, every scope. It is for tests alone,
// of a fake house and of the real one alike; what it sends is made from the contract, so an operation that is added is tried by itself.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// T is what is needed of a *testing.T.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Send answers a request, such as transport.Server.Test.
type Send func(*http.Request) (*http.Response, error)

// Walker sends requests and holds the answers against the contract. It remembers which answers it has seen.
type Walker struct {
	// Values replace the examples of the contract: of parts of the path (order, session …) and of members of bodies (offer_id …), so
	// that requests are about things that are there.
	Values map[string]string

	// Watch, where it is set, hears of each request before it is sent; what it gives hears the status of its answer.
	Watch func(o *Operation) func(status int)

	send Send
	ops  map[string]*Operation
	seen map[string]map[int]int
}

// Operation is one operation of the contract.
type Operation struct {
	ID, Method, Path, Scope string
	StepUp                  string // x-step-up
	op                      *openapi3.Operation
	parameters              openapi3.Parameters
}

// New reads the contract.
func New(contract []byte, send Send) (*Walker, error) {
	document, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, err
	}
	if err := document.Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
		return nil, err
	}
	w := &Walker{send: send, ops: map[string]*Operation{}, seen: map[string]map[int]int{}}
	for path, item := range document.Paths.Map() {
		for method, op := range item.Operations() {
			scope, _ := op.Extensions["x-scope"].(string)
			o := &Operation{ID: op.OperationID, Method: method, Path: path, Scope: scope, op: op}
			o.StepUp, _ = op.Extensions["x-step-up"].(string)
			o.parameters = append(append(o.parameters, item.Parameters...), op.Parameters...)
			if w.ops[o.ID] != nil {
				return nil, fmt.Errorf("two operations are named %s", o.ID)
			}
			w.ops[o.ID], w.seen[o.ID] = o, map[int]int{}
		}
	}
	return w, nil
}

// Operations lists them all by name.
func (w *Walker) Operations() (all []*Operation) {
	for _, o := range w.ops {
		all = append(all, o)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all
}

// Statuses lists the documented ones.
func (o *Operation) Statuses() (all []int) {
	for s := range o.op.Responses.Map() {
		if n, err := strconv.Atoi(s); err == nil {
			all = append(all, n)
		}
	}
	sort.Ints(all)
	return all
}

// List says whether an operation reads a list that stands alone: an object with nothing in it but one array and, paged, the cursor of what
// comes next.
func (o *Operation) List() (list, paged bool) {
	ok := o.op.Responses.Status(http.StatusOK)
	if o.Method != http.MethodGet || ok == nil || ok.Value.Content.Get("application/json") == nil {
		return false, false
	}
	arrays, others := 0, 0
	for name, s := range ok.Value.Content.Get("application/json").Schema.Value.Properties {
		switch {
		case name == "next_cursor":
			paged = true
		case s.Value.Type.Is("array"):
			arrays++
		default:
			others++
		}
	}
	return arrays == 1 && others == 0, paged
}

// Seen counts the answers of an operation with a status.
func (w *Walker) Seen(operation string, status int) int { return w.seen[operation][status] }

// Request is one request of an operation. Path values stand as they go into the address, encoded.
type Request struct {
	Operation string
	Token     string // empty: none
	Path      map[string]string
	Query     string // encoded
	Header    http.Header
	Body      []byte
}

// Example makes the request of an operation that its examples describe: required parameters and the body, without a token.
func (w *Walker) Example(operation string) Request {
	o := w.ops[operation]
	r := Request{Operation: operation, Path: map[string]string{}, Header: http.Header{}}
	query := url.Values{}
	for _, p := range o.parameters {
		if !p.Value.Required {
			continue
		}
		text := fmt.Sprint(exampleOf(p.Value.Example, p.Value.Schema.Value))
		if v, ok := w.Values[p.Value.Name]; ok {
			text = v
		}
		switch p.Value.In {
		case openapi3.ParameterInPath:
			r.Path[p.Value.Name] = url.PathEscape(text)
		case openapi3.ParameterInQuery:
			query.Set(p.Value.Name, text)
		case openapi3.ParameterInHeader:
			r.Header.Set(p.Value.Name, text)
		}
	}
	r.Query = query.Encode()
	schema, media := o.body()
	switch {
	case schema == nil:
	case media == jsonType:
		r.Body = mustJSON(w.bodyOf(schema))
		r.Header.Set("Content-Type", jsonType)
	default:
		r.Body = []byte("bytes")
		r.Header.Set("Content-Type", strings.ReplaceAll(media, "*/*", "application/octet-stream"))
	}
	return r
}

const jsonType = "application/json"

// body gives the schema of the body and its type, the first by name; nil without a body.
func (o *Operation) body() (*openapi3.Schema, string) {
	if o.op.RequestBody == nil {
		return nil, ""
	}
	names := []string{}
	for name := range o.op.RequestBody.Value.Content {
		names = append(names, name)
	}
	sort.Strings(names)
	if len(names) > 1 && names[0] == jsonType { // JSON as a file among others, which the room reads
		names = names[1:]
	}
	return o.op.RequestBody.Value.Content[names[0]].Schema.Value, names[0]
}

// exampleOf gives the example of a schema, or makes one of its members' examples.
func exampleOf(example any, s *openapi3.Schema) any {
	switch {
	case example != nil:
		return example
	case s.Example != nil:
		return s.Example
	case s.Default != nil:
		return s.Default
	}
	members := map[string]any{}
	for name, p := range s.Properties {
		members[name] = exampleOf(nil, p.Value)
	}
	return members
}

// bodyOf is the example of a body, about things that are there.
func (w *Walker) bodyOf(s *openapi3.Schema) any {
	members, ok := exampleOf(nil, s).(map[string]any)
	if !ok {
		return exampleOf(nil, s)
	}
	members = maps.Clone(members)
	for name := range members {
		if v, ok := w.Values[name]; ok {
			members[name] = v
		}
	}
	return members
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // examples came from YAML: they can be written
	}
	return b
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Code   string // of a problem
}

// JSON reads the body into v.
func (a Answer) JSON(t T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
}

// Do sends a request and holds the answer against the contract: its status is documented, and so are its type, headers and content.
func (w *Walker) Do(t T, r Request) Answer {
	t.Helper()
	o := w.ops[r.Operation]
	if o == nil {
		t.Fatalf("there is no operation %s", r.Operation)
	}
	address := o.Path
	for name, value := range r.Path {
		address = strings.ReplaceAll(address, "{"+name+"}", value)
	}
	heard := func(int) {}
	if w.Watch != nil {
		heard = w.Watch(o)
	}
	a := w.Raw(t, o.Method, address, r)
	heard(a.Status)
	w.seen[o.ID][a.Status]++
	for _, wrong := range o.wrongIn(&a) {
		t.Errorf("%s answered %d: %s\n%.400s", o.ID, a.Status, wrong, a.Body)
	}
	return a
}

// Raw sends a request to any address, in any method.
func (w *Walker) Raw(t T, method, address string, r Request) Answer {
	t.Helper()
	path, err := url.PathUnescape(address)
	if err != nil {
		path = address // a broken escape is sent as it is
	}
	u := &url.URL{Scheme: "http", Host: "api.example", Path: path, RawPath: address, RawQuery: r.Query}
	if u.EscapedPath() != address {
		u.Opaque = "//api.example" + address
	}
	in, err := http.NewRequest(method, "http://api.example/", bytes.NewReader(r.Body))
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	in.URL, in.ContentLength = u, int64(len(r.Body))
	in.RequestURI = address
	if r.Query != "" {
		in.RequestURI += "?" + r.Query
	}
	for name, values := range r.Header {
		in.Header[name] = values
	}
	if r.Token != "" {
		in.Header.Set("Authorization", "Bearer "+r.Token)
	}
	out, err := w.send(in)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	defer func() { _ = out.Body.Close() }()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	return Answer{Status: out.StatusCode, Header: out.Header, Body: content}
}

// wrongIn finds what of an answer the contract does not say.
func (o *Operation) wrongIn(a *Answer) (wrong []string) {
	caching := "no-store"
	if o.op.Extensions["x-cache"] == "public" && (a.Status == http.StatusOK || a.Status == http.StatusNotModified) {
		caching = "public, no-cache"
	}
	for name, want := range map[string]string{"Cache-Control": caching, "X-Content-Type-Options": "nosniff"} {
		if a.Header.Get(name) != want {
			wrong = append(wrong, fmt.Sprintf("%s is %q", name, a.Header.Get(name)))
		}
	}
	if a.Header.Get("X-Request-Id") == "" {
		wrong = append(wrong, "no X-Request-Id")
	}
	response := o.op.Responses.Status(a.Status)
	if response == nil {
		return append(wrong, "this status is not documented")
	}
	for name, h := range response.Value.Headers {
		got := a.Header.Get(name)
		var v any = got
		if h.Value.Schema.Value.Type.Is(openapi3.TypeInteger) {
			v = json.Number(got)
		}
		if err := h.Value.Schema.Value.VisitJSON(v); got == "" && h.Value.Required || err != nil {
			wrong = append(wrong, fmt.Sprintf("the header %s is %q: %v", name, got, err))
		}
	}
	media, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	documented := response.Value.Content[media]
	switch {
	case len(response.Value.Content) == 0:
		if len(a.Body) > 0 {
			wrong = append(wrong, "a body is not documented")
		}
		return wrong
	case documented == nil:
		return append(wrong, fmt.Sprintf("the type %q is not documented", media))
	case !strings.HasSuffix(media, "json"):
		return wrong
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return append(wrong, err.Error())
	}
	if err := documented.Schema.Value.VisitJSON(v, openapi3.MultiErrors(), openapi3.VisitAsResponse(), openapi3.EnableFormatValidation()); err != nil {
		wrong = append(wrong, err.Error())
	}
	if a.Status >= 400 && media != "application/json" { // which only an answer has whose contract says so: what became of each row where none holds
		wrong = append(wrong, wrongProblem(a)...)
	}
	return wrong
}

func wrongProblem(a *Answer) (wrong []string) {
	var p struct {
		Type, Code string
		Status     int
		RequestID  string `json:"request_id"`
	}
	if err := json.Unmarshal(a.Body, &p); err != nil {
		return []string{err.Error()}
	}
	a.Code = p.Code
	if p.Status != a.Status || p.RequestID != a.Header.Get("X-Request-Id") || !strings.HasSuffix(p.Type, ":"+p.Code) {
		wrong = append(wrong, "the problem contradicts the answer")
	}
	return wrong
}
