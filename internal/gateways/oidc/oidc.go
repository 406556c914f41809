// Package oidc is the way to OpenID providers: discovery, authorization code with PKCE, and a strict reader of ID tokens. It goes where
// platform/outward lets it.
package oidc

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/jwks"
	"cursus/internal/platform/outward"
)

// What a provider may cost. How long what it said is believed stands in platform/jwks.
const (
	timeout   = 5 * time.Second
	maxAnswer = 256 << 10
	agent     = "Cursus/1"
)

// Options of New; the zero value is for production.
type Options struct {
	Inside   []string         // addresses with port that may be inside and may be spoken to over http, such as 127.0.0.1:9000
	Resolver outward.Resolver // nil: the machine's
	Clock    clock.Clock      // nil: the machine's
	Timeout  time.Duration    // of one question; 0: 5 seconds
}

// Gate speaks to providers and keeps what they publish.
type Gate struct {
	guard  *outward.Guard
	client *http.Client
	clock  clock.Clock
	mu     sync.Mutex
	known  map[string]*provider // by issuer
}

// provider is what is known of an issuer. Its own lock keeps one that is slow from keeping the others.
type provider struct {
	mu       sync.Mutex
	document document
	read     time.Time // when the document was read; zero: never
	tried    time.Time // when it was last asked for
	keys     jwks.Keys
}

// document is what an issuer publishes of itself (OpenID Connect Discovery 1.0).
type document struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	TokenAuth     []string `json:"token_endpoint_auth_methods_supported"`
	SaysIssuer    bool     `json:"authorization_response_iss_parameter_supported"`
	End           string   `json:"end_session_endpoint"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Claims        []string `json:"claims_supported"`
	BackChannel   bool     `json:"backchannel_logout_supported"`
}

var _ identity.OpenID = (*Gate)(nil)

// New makes a gate. It refuses a setting that names no address with a port.
func New(o Options) (*Gate, error) {
	guard, client, err := outward.New(outward.Options{Inside: o.Inside, Resolver: o.Resolver, Timeout: cmp.Or(o.Timeout, timeout)})
	if err != nil {
		return nil, err
	}
	g := &Gate{guard: guard, client: client, clock: o.Clock, known: map[string]*provider{}}
	if g.clock == nil {
		g.clock = clock.System{}
	}
	return g, nil
}

// Check refuses what is no address of an issuer: https, without query or fragment, of a public server.
func (g *Gate) Check(issuer string) error {
	u, ok := g.guard.Read(issuer)
	if !ok || u.RawQuery != "" || strings.HasSuffix(issuer, "/.well-known/openid-configuration") {
		return identity.ErrIssuer
	}
	return nil
}

// Start gives the address at the provider at which the browser signs in.
func (g *Gate) Start(ctx context.Context, p identity.Provider, a identity.Asked) (string, error) {
	d, _, err := g.provider(ctx, p.Issuer)
	if err != nil {
		return "", err
	}
	at, err := url.Parse(d.Authorization)
	if err != nil {
		return "", identity.ErrProviderDown.Because(err)
	}
	challenge := sha256.Sum256([]byte(a.Verifier))
	q := at.Query()
	for name, value := range map[string]string{
		"response_type": "code", "client_id": p.ClientID, "redirect_uri": a.RedirectURI, "scope": "openid email profile", "state": a.State, "nonce": a.Nonce,
		"code_challenge": base64.RawURLEncoding.EncodeToString(challenge[:]), "code_challenge_method": "S256",
	} {
		q.Set(name, value)
	}
	if a.MaxAge > 0 {
		q.Set("max_age", strconv.Itoa(int(a.MaxAge/time.Second)))
		q.Set("prompt", "login")
	}
	at.RawQuery = q.Encode()
	return at.String(), nil
}

// Finish redeems a code and reads the ID token that it gives.
func (g *Gate) Finish(ctx context.Context, p identity.Provider, secret, code string, a identity.Asked) (c identity.Claims, err error) {
	d, known, err := g.provider(ctx, p.Issuer)
	if err != nil {
		return c, err
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.RedirectURI}, "code_verifier": {a.Verifier}}
	byForm := len(d.TokenAuth) > 0 && !slices.Contains(d.TokenAuth, "client_secret_basic")
	if byForm {
		form.Set("client_id", p.ClientID)
		form.Set("client_secret", secret)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return c, identity.ErrProviderDown.Because(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !byForm {
		r.SetBasicAuth(url.QueryEscape(p.ClientID), url.QueryEscape(secret))
	}
	var answer struct {
		IDToken string `json:"id_token"`
		Error   string `json:"error"`
	}
	status, err := g.ask(r, &answer)
	switch {
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests:
		return c, identity.ErrProviderSaid.Because(fmt.Errorf("the token endpoint answers %d %.100q", status, answer.Error))
	case err != nil:
		return c, identity.ErrProviderDown.Because(err)
	}
	if c, err = g.claims(ctx, known, d, p, answer.IDToken, a); err == nil && d.End != "" && len(answer.IDToken) <= maxHint {
		c.IDToken = answer.IDToken
	}
	return c, err
}

// provider gives what is known of an issuer, and asks it where that is old. What it said stands for a day where it does not answer.
func (g *Gate) provider(ctx context.Context, issuer string) (document, *provider, error) {
	g.mu.Lock()
	known := g.known[issuer]
	if known == nil {
		known = &provider{}
		g.known[issuer] = known
	}
	g.mu.Unlock()
	known.mu.Lock()
	defer known.mu.Unlock()
	now := g.clock.Now()
	age := now.Sub(known.read)
	if !known.read.IsZero() && (age < jwks.Fresh || age < jwks.LastGood && now.Sub(known.tried) < jwks.Between) {
		return known.document, known, nil
	}
	known.tried = now
	d, err := g.discover(ctx, issuer)
	switch {
	case err == nil:
		known.document, known.read = d, now
	case known.read.IsZero() || age >= jwks.LastGood:
		return document{}, nil, identity.ErrProviderDown.Because(err)
	}
	return known.document, known, nil
}

func (g *Gate) discover(ctx context.Context, issuer string) (d document, err error) {
	if err := g.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &d); err != nil {
		return d, err
	}
	if d.Issuer != issuer {
		return d, fmt.Errorf("the document is of %.100q", d.Issuer)
	}
	for _, at := range []string{d.Authorization, d.Token, d.Keys} {
		if _, ok := g.guard.Read(at); !ok {
			return d, fmt.Errorf("%.100q is no public address", at)
		}
	}
	return d, nil
}

func (g *Gate) get(ctx context.Context, address string, into any) error {
	u, ok := g.guard.Read(address)
	if !ok {
		return fmt.Errorf("%.100q is no public address", address)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return err
	}
	status, err := g.ask(r, into)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answers %d", u.Host, status)
	}
	return err
}

// ask sends a request and reads the JSON of the answer; what is larger than any provider's is not read to its end.
func (g *Gate) ask(r *http.Request, into any) (status int, err error) {
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", agent)
	answer, err := g.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err == nil && len(raw) > maxAnswer {
		err = fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	return answer.StatusCode, err
}
