package outward

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// margin is how long before its end a token is not used any more.
const margin = time.Minute

// Tokens are what others gave for the credentials of a client, or said of us, each until its end. The zero value has none.
type Tokens struct {
	mu   sync.Mutex
	kept map[string]token
}

type token struct {
	value string
	until time.Time
}

// Drop forgets what is kept under a key and says whether there was something.
func (t *Tokens) Drop(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, was := t.kept[key]
	delete(t.kept, key)
	return was
}

// Of gives what is kept under a key; empty: nothing that still stands.
func (t *Tokens) Of(key string, now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k, ok := t.kept[key]; ok && now.Before(k.until) {
		return k.value
	}
	return ""
}

// Keep keeps a value under a key until then.
func (t *Tokens) Keep(key, value string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil {
		t.kept = map[string]token{}
	}
	t.kept[key] = token{value, until}
}

// TokenRequest asks for a token for the credentials of a client (RFC 6749, section 4.4), where Open edX gives them and who speaks like it. It gives a
// JWT where it is asked for one, and says so.
func TokenRequest(ctx context.Context, base, client, secret string) (*http.Request, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {secret}, "token_type": {"jwt"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(base, "/")+"/oauth2/access_token", strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "application/json")
	}
	return r, err
}

// Granted reads the answer to a TokenRequest and keeps, under a key, the value of the header Authorization that it makes; false where it gives none.
func (t *Tokens) Granted(key string, now time.Time, answer []byte) (header string, ok bool) {
	var said struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Seconds int64  `json:"expires_in"`
	}
	if json.Unmarshal(answer, &said) != nil || said.Token == "" || strings.ContainsFunc(said.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", false
	}
	header = "Bearer " + said.Token
	if strings.EqualFold(said.Type, "JWT") {
		header = "JWT " + said.Token
	}
	t.Keep(key, header, now.Add(time.Duration(said.Seconds)*time.Second-margin))
	return header, true
}
