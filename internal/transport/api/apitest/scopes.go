package apitest

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
)

// Scopes asks every operation without a token (401), with one that is none (401), with one that has every scope but its own (403),
// and with its own alone, which is let in. all are the scopes that there are. An operation for everybody wants no token.
func (w *Walker) Scopes(t T, tokens Tokens, all []string) (sent int) {
	t.Helper()
	expect := func(o *Operation, name string, want int, change func(*Request)) {
		r := w.Example(o.ID)
		change(&r)
		sent++
		a := w.Do(t, r)
		refused := a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden
		if want == 0 && refused || want != 0 && a.Status != want {
			t.Errorf("%s %s: %d, want %d", o.ID, name, a.Status, want)
		}
		if refused && o.Scope != "public" && a.Header.Get("Www-Authenticate") == "" {
			t.Errorf("%s %s: no WWW-Authenticate", o.ID, name)
		}
	}
	for _, o := range w.Operations() {
		if o.Scope == "public" {
			if o.op.Responses.Status(http.StatusUnauthorized) == nil {
				expect(o, "without a token", 0, func(*Request) {})
				expect(o, "with a wrong token", 0, func(r *Request) { r.Token = "wrong" })
			}
			continue
		}
		var others []string
		for _, s := range all {
			if s != o.Scope {
				others = append(others, s)
			}
		}
		expect(o, "without a token", http.StatusUnauthorized, func(*Request) {})
		expect(o, "with a wrong token", http.StatusUnauthorized, func(r *Request) { r.Token = "wrong" })
		expect(o, "with a token of strange letters", http.StatusUnauthorized, func(r *Request) { r.Token = "a b" })
		expect(o, "with a password", http.StatusUnauthorized, func(r *Request) { r.Header.Set("Authorization", "Basic eDp5") })
		expect(o, "with two tokens", http.StatusUnauthorized, func(r *Request) {
			r.Header["Authorization"] = []string{"Bearer " + tokens(o.Scope), "Bearer " + tokens(o.Scope)}
		})
		expect(o, "with all other scopes", http.StatusForbidden, func(r *Request) { r.Token = tokens(others...) })
		expect(o, "with its scope", 0, func(r *Request) { r.Token = tokens(o.Scope) })
	}
	return sent
}

// Foreign asks, with the tokens of somebody else, for things of the walker's Values (order, enrolment, certificate): what belongs to
// another learner is answered as what does not exist, does not stand in her lists, and does not change. own are the scopes of learners.
func (w *Walker) Foreign(t T, tokens Tokens, own []string, fingerprint func() string) (sent int) {
	t.Helper()
	requests := map[*Operation]Request{}
	for _, o := range w.Operations() {
		if slices.Contains(own, o.Scope) && (belongs(o.Path) || o.Method == http.MethodGet) { // else it makes something of her own
			requests[o] = w.with(o, tokens) // first: making a token may be a change
		}
	}
	before := fingerprint()
	for o, r := range requests {
		a := w.Do(t, r)
		if belongs(o.Path) && a.Status != http.StatusNotFound || !belongs(o.Path) && a.Status != http.StatusOK {
			t.Errorf("%s of somebody else: %d\n%.300s", o.ID, a.Status, a.Body)
		}
		for name, value := range w.Values {
			if strings.Contains(value, "_") && a.Status == http.StatusOK && bytes.Contains(a.Body, []byte(value)) {
				t.Errorf("%s shows the %s of somebody else", o.ID, name)
			}
		}
	}
	if fingerprint() != before {
		t.Errorf("somebody else changed something")
	}
	return len(requests)
}

// belongs says whether a path names a thing of one learner.
func belongs(path string) bool {
	return strings.Contains(path, "{order}") || strings.Contains(path, "{enrolment}") || strings.Contains(path, "{certificate}") || strings.Contains(path, "{document}") || strings.Contains(path, "{organisation}") || strings.Contains(path, "{transfer}") || strings.Contains(path, "{webhook}") ||
		strings.HasPrefix(path, "/v1/me/editions/{edition}")
}
