package apitest

import (
	"net/http"
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
