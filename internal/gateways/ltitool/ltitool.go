// Package ltitool is a tool's part in logins by LTI 1.3, for doubles of providers: the platform begins one, the tool asks it for a token, and what
// comes back is taken once.
package ltitool

import (
	"errors"
	"net/http"
	"net/url"
	"sync"

	"cursus/internal/kernel/ident"
)

// ErrLogin refuses what no platform of ours began.
var ErrLogin = errors.New("this is no login of our platform")

// Logins are those that wait for their token. Its first four members are what was agreed with the platform.
type Logins struct {
	Issuer    string // the platform
	LoginURL  string // where it answers logins
	LaunchURL string // where its tokens are posted to
	ClientID  string

	mu     sync.Mutex
	nonces map[string]string // by state
}

// ServeHTTP hears what the platform begins; the answer asks it for a token.
func (l *Logins) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("iss") != l.Issuer || r.FormValue("client_id") != l.ClientID || r.FormValue("login_hint") == "" {
		http.Error(w, ErrLogin.Error(), http.StatusForbidden)
		return
	}
	state, nonce := ident.Secret(16), ident.Secret(16)
	l.mu.Lock()
	if l.nonces == nil {
		l.nonces = map[string]string{}
	}
	l.nonces[state] = nonce
	l.mu.Unlock()
	http.Redirect(w, r, l.LoginURL+"?"+url.Values{
		"scope": {"openid"}, "response_type": {"id_token"}, "response_mode": {"form_post"}, "prompt": {"none"}, "client_id": {l.ClientID}, "redirect_uri": {l.LaunchURL},
		"login_hint": {r.FormValue("login_hint")}, "lti_message_hint": {r.FormValue("lti_message_hint")}, "state": {state}, "nonce": {nonce},
	}.Encode(), http.StatusSeeOther)
}

// Nonce is what the token that a launch brings has to carry, once; empty where we asked for none.
func (l *Logins) Nonce(launch *http.Request) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := launch.FormValue("state")
	nonce := l.nonces[state]
	delete(l.nonces, state)
	return nonce
}
