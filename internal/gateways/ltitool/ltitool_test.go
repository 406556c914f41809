package ltitool

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A token that is replayed, or that nobody asked for, finds no nonce; what another platform began is not answered.
func TestALoginGivesItsNonceOnce(t *testing.T) {
	l := &Logins{Issuer: "https://cursus.example", LoginURL: "https://cursus.example/lti/login", LaunchURL: "https://tool.example/launch", ClientID: "cursus"}
	begin := func(issuer, client, hint string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		l.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/login?"+url.Values{"iss": {issuer}, "client_id": {client}, "login_hint": {hint}, "lti_message_hint": {"m"}}.Encode(), nil))
		return w
	}
	for _, w := range []*httptest.ResponseRecorder{begin("https://evil.example", "cursus", "h"), begin(l.Issuer, "another", "h"), begin(l.Issuer, "cursus", "")} {
		if w.Code != http.StatusForbidden {
			t.Error("it is answered:", w.Code)
		}
	}
	w := begin(l.Issuer, "cursus", "h")
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || !strings.HasPrefix(to.String(), l.LoginURL+"?") {
		t.Fatal(w.Code, to, err)
	}
	asked := to.Query()
	for name, want := range map[string]string{"redirect_uri": l.LaunchURL, "login_hint": "h", "lti_message_hint": "m", "client_id": "cursus", "response_type": "id_token", "scope": "openid"} {
		if asked.Get(name) != want {
			t.Errorf("%s is %q", name, asked.Get(name))
		}
	}
	launch := func(state string) string {
		r := httptest.NewRequest(http.MethodPost, "/launch", strings.NewReader(url.Values{"state": {state}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return l.Nonce(r)
	}
	if n := launch("another state"); n != "" {
		t.Error("a launch that nobody asked for has the nonce", n)
	}
	if n := launch(asked.Get("state")); n == "" || n != asked.Get("nonce") {
		t.Error("the launch has the nonce", n, "and was asked for with", asked.Get("nonce"))
	}
	if n := launch(asked.Get("state")); n != "" {
		t.Error("a replayed launch has the nonce", n)
	}
}
