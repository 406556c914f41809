package openedx

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"cursus/internal/domain/lms"
)

// token is the value of the header Authorization, or who we are, until then.
type token struct {
	value string
	until time.Time
}

// tokens are what platforms gave for client credentials.
type tokens struct {
	mu   sync.Mutex
	kept map[string]token
}

func keyOf(a lms.Access) string { return a.Platform + "/" + strconv.Itoa(a.Version) }

// drop forgets the token of a platform and says whether there was one.
func (t *tokens) drop(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, was := t.kept[key]
	delete(t.kept, key)
	return was
}

func (t *tokens) of(key string, now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k, ok := t.kept[key]; ok && now.Before(k.until) {
		return k.value
	}
	return ""
}

func (t *tokens) keep(key string, k token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept[key] = k
}

// margin is how long before its end a token is not used any more.
const margin = time.Minute

// token gets a token for client credentials, or the one that was got. Open edX gives a JWT where it is asked for one, and says so.
func (g *Gate) token(ctx context.Context, a lms.Access) (string, error) {
	if header := g.tokens.of(keyOf(a), g.clock.Now()); header != "" {
		return header, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ClientID}, "client_secret": {a.Secret}, "token_type": {"jwt"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(a.BaseURL, "/")+"/oauth2/access_token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", &lms.Trouble{Code: "refused_address"}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	answer, err := g.do(r)
	if err != nil {
		if t, ok := err.(*lms.Trouble); ok && (t.Code == lms.BadRequest || t.Code == lms.NotPermitted) { //nolint:errorlint // do gives it bare
			t.Code = lms.BadCredentials // unknown client, or not allowed this way
		}
		return "", err
	}
	var said struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Seconds int64  `json:"expires_in"`
	}
	if json.Unmarshal(answer, &said) != nil || said.Token == "" || strings.ContainsFunc(said.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", broken(nil)
	}
	k := token{value: "Bearer " + said.Token, until: g.clock.Now().Add(time.Duration(said.Seconds)*time.Second - margin)}
	if strings.EqualFold(said.Type, "JWT") {
		k.value = "JWT " + said.Token
	}
	g.tokens.keep(keyOf(a), k)
	return k.value, nil
}
