package apitest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Tokens gives a token that has these scopes and no others.
type Tokens func(scopes ...string) string

// bad is a request that must be refused with one of these statuses.
type bad struct {
	name string
	r    Request
	want []int
}

// BadInput sends every operation everything that its contract does not allow, with a token that may, and wants a documented 4xx
// problem each time. fingerprint tells the state of the house (a fake counts its calls, a real one its rows): it must not move.
// It gives the number of requests that were sent.
func (w *Walker) BadInput(t T, tokens Tokens, fingerprint func() string) (sent int) {
	t.Helper()
	for _, o := range w.Operations() {
		requests := w.badRequests(o, tokens) // first: making a token may be a change
		before := fingerprint()
		for _, b := range requests {
			sent++
			a := w.Do(t, b.r)
			if !slices.Contains(b.want, a.Status) || a.Code == "" {
				t.Errorf("%s, %s: %d %s, want %v\n%.300s\n%.300s", o.ID, b.name, a.Status, a.Code, b.want, b.r.Body, a.Body)
			}
			if after := fingerprint(); after != before {
				t.Errorf("%s, %s: the house was changed", o.ID, b.name)
				before = after
			}
		}
	}
	return sent
}

// OddInput sends bodies that are strange and allowed, and wants any documented answer but a failure of ours.
func (w *Walker) OddInput(t T, tokens Tokens) (sent int) {
	t.Helper()
	for _, o := range w.Operations() {
		schema, media := o.body()
		if media != jsonType {
			continue
		}
		for _, m := range mutants(schema, w.bodyOf(schema)) {
			if !m.odd {
				continue
			}
			sent++
			r := w.with(o, tokens)
			r.Body = m.body
			if r.Header.Get("Idempotency-Key") != "" {
				r.Header.Set("Idempotency-Key", fmt.Sprint("odd-", sent)) // else it would be refused as the key of another request
			}
			if a := w.Do(t, r); a.Status >= 500 && a.Status != http.StatusServiceUnavailable {
				t.Errorf("%s, %s: %d\n%.300s\n%.300s", o.ID, m.name, a.Status, m.body, a.Body)
			}
		}
	}
	return sent
}

// with is the example of an operation with a token that may.
func (w *Walker) with(o *Operation, tokens Tokens) Request {
	r := w.Example(o.ID)
	if o.Scope != "public" {
		r.Token = tokens(o.Scope)
	}
	return r
}

func (w *Walker) badRequests(o *Operation, tokens Tokens) (all []bad) {
	add := func(name string, change func(*Request), want ...int) {
		r := w.with(o, tokens)
		change(&r)
		all = append(all, bad{name, r, want})
	}
	for _, p := range o.parameters {
		switch p.Value.In {
		case openapi3.ParameterInPath:
			for _, text := range []string{"%00", "%ff", "a%20b", "%F0%9F%8E%93", strings.Repeat("a", 300), "..%2F..", "%2e%2e", "'%22;--", "-", "a%0Ab"} {
				if s := p.Value.Schema.Value; text == "-" && s.VisitJSONString(text) == nil {
					continue
				}
				add("path "+p.Value.Name+"="+text, func(r *Request) { r.Path[p.Value.Name] = text }, 404)
			}
		case openapi3.ParameterInQuery:
			badQuery(p.Value, add)
		case openapi3.ParameterInHeader:
			badHeader(p.Value, add)
		}
	}
	for _, query := range []string{"surplus=1", "LIMIT=1", "=1", "%zz=1", "a;b=1", "%ff=1", "%00=1"} {
		add("query "+query, func(r *Request) { r.Query = strings.Trim(r.Query+"&"+query, "&") }, 400)
	}
	w.badBodies(o, add)
	return all
}

func badQuery(p *openapi3.Parameter, add func(string, func(*Request), ...int)) {
	set := func(value string) func(*Request) {
		return func(r *Request) {
			q, _ := url.ParseQuery(r.Query) //nolint:errcheck // it is our own
			q.Del(p.Name)
			r.Query = strings.Trim(q.Encode()+"&"+p.Name+"="+value, "&")
		}
	}
	good := url.QueryEscape(strings.Trim(string(mustJSON(exampleOf(p.Example, p.Schema.Value))), `"`))
	add("twice "+p.Name, func(r *Request) { set(good + "&" + p.Name + "=" + good)(r) }, 400)
	if p.Required {
		add("without "+p.Name, func(r *Request) { r.Query = "" }, 400)
	}
	for _, text := range []string{"", "%00", "a%00b", "%ff", "%zz", "%F0%9F%8E%93", "1.5", "1e2", "-1", "0", "99999999999999999999", "true%20", "a%0D%0Ab",
		"2025-02-30T00:00:00Z", "2025-01-01T00:00:00%2B02:00", "0000-01-01T00:00:00Z", strings.Repeat("a", 600)} {
		decoded, err := url.QueryUnescape(text)
		if err == nil && fits(p.Schema.Value, decoded) {
			continue
		}
		add("query "+p.Name+"="+text, set(text), 400)
	}
}

// fits says whether a text is what the schema of a parameter wants.
func fits(s *openapi3.Schema, text string) bool {
	if strings.Contains(text, "\x00") || !s.Type.Is(openapi3.TypeString) {
		return false // of the texts above none is a good number or truth value
	}
	return s.VisitJSONString(strings.ToValidUTF8(text, "\ufffd")) == nil && strings.ToValidUTF8(text, "") == text
}

func badHeader(p *openapi3.Parameter, add func(string, func(*Request), ...int)) {
	add("without "+p.Name, func(r *Request) { r.Header.Del(p.Name) }, 400)
	add("empty "+p.Name, func(r *Request) { r.Header[p.Name] = []string{""} }, 400)
	add("twice "+p.Name, func(r *Request) { r.Header[p.Name] = append(r.Header[p.Name], r.Header[p.Name]...) }, 400)
	add("long "+p.Name, func(r *Request) { r.Header.Set(p.Name, strings.Repeat("a", 5000)) }, 400)
	add("emoji "+p.Name, func(r *Request) { r.Header.Set(p.Name, "🎓") }, 400)
	add("no UTF-8 "+p.Name, func(r *Request) { r.Header.Set(p.Name, "a\xff") }, 400)
}

func (w *Walker) badBodies(o *Operation, add func(string, func(*Request), ...int)) {
	schema, media := o.body()
	if schema == nil {
		add("a body", func(r *Request) { r.Body = []byte("{}"); r.Header.Set("Content-Type", jsonType) }, 400)
		return
	}
	add("no body", func(r *Request) { r.Body = nil }, 400)
	add("compressed", func(r *Request) { r.Header.Set("Content-Encoding", "gzip") }, 415)
	add("encoded as br", func(r *Request) { r.Header.Set("Content-Encoding", "br, gzip") }, 415)
	if media == "*/*" {
		return
	}
	for _, name := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "nonsense", "application/jsonx", "text/csvx"} {
		if name == media {
			continue
		}
		add("as "+name, func(r *Request) { r.Header.Set("Content-Type", name) }, 415)
	}
	if media != jsonType {
		return
	}
	add("in another charset", func(r *Request) { r.Header.Set("Content-Type", jsonType+"; charset=utf-16") }, 415)
	add("too large", func(r *Request) { r.Body = append(r.Body, strings.Repeat(" ", o.maxBytes())...) }, 413)
	for _, m := range mutants(schema, w.bodyOf(schema)) {
		if m.odd {
			continue
		}
		want := []int{400}
		if len(m.body) > o.maxBytes() {
			want = []int{413}
		}
		add("body: "+m.name, func(r *Request) { r.Body = m.body }, want...)
	}
}

// maxBytes is how large a body may be: what the contract says, or what holds where it says nothing.
func (o *Operation) maxBytes() int {
	if n, err := strconv.Atoi(string(mustJSON(o.op.Extensions["x-max-bytes"]))); err == nil {
		return n
	}
	return 64 << 10
}
