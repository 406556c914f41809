// Package oidctest is a stateful double of an OpenID provider, for tests: its own HTTP server, its own keys, real signatures. It refuses what a
// provider refuses: a client that it does not know, a wrong secret, an unknown place to go back to, a code that was redeemed or that was asked
// for with another verifier.
package oidctest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/ident"
)

// TB is what of a test the double needs.
type TB interface {
	Helper()
	Fatal(args ...any)
	Log(args ...any)
	Cleanup(f func())
	Context() context.Context
}

// The client that the double knows.
const (
	ClientID = "cursus"
	Secret   = "a secret: with +&% in it"
)

// Claims are those of an ID token.
type Claims map[string]any

// Provider is the double.
type Provider struct {
	Issuer string
	t      TB
	clock  clock.Clock
	server *httptest.Server

	mu      sync.Mutex
	keys    []Key
	who     Claims // signed in there; nil: nobody
	backs   []string
	grants  map[string]grant
	token   func(asked Claims) string // nil: an honest one
	dark    bool
	hidden  bool
	endless bool
	ended   []string
	fetches int
}

type grant struct {
	challenge, redirect, nonce string
	maxAge                     int // -1: not asked for
}

// Key is a key of the double.
type Key struct {
	ID        string
	Algorithm jose.SignatureAlgorithm
	Private   crypto.Signer
}

// NewKey makes a key of an algorithm.
func NewKey(t TB, id string, algorithm jose.SignatureAlgorithm) Key {
	t.Helper()
	var private crypto.Signer
	var err error
	switch algorithm {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.ES512:
		private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return Key{id, algorithm, private}
}

// New starts a provider with one key, of RS256, on a clock.
func New(t TB, c clock.Clock) *Provider {
	t.Helper()
	p := &Provider{t: t, clock: c, keys: []Key{NewKey(t, "k1", jose.RS256)}, grants: map[string]grant{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.document)
	mux.HandleFunc("GET /keys", p.published)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.redeem)
	mux.HandleFunc("GET /end", p.end)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		dark := p.dark || p.hidden && (r.URL.Path == "/keys" || strings.HasPrefix(r.URL.Path, "/.well-known/"))
		p.mu.Unlock()
		if dark {
			http.Error(w, "dark", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.server.Close)
	p.Issuer = p.server.URL
	return p
}

// Host is the address with its port.
func (p *Provider) Host() string { return strings.TrimPrefix(p.server.URL, "http://") }

// SignIn says who is signed in there, and where people may be sent back to.
func (p *Provider) SignIn(who Claims, backs ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.who, p.backs = who, append(p.backs, backs...)
}

// Rotate publishes these keys, of which the first signs.
func (p *Provider) Rotate(keys ...Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = keys
}

// Key is the one that signs.
func (p *Provider) Key() Key {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[0]
}

// Dark says whether it answers with a failure, whatever it is asked.
func (p *Provider) Dark(dark bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dark = dark
}

// Hide says whether what it publishes of itself is not there, while people sign in and codes are redeemed all the same.
func (p *Provider) Hide(hidden bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hidden = hidden
}

// Forge has the token endpoint give what a test makes of the claims that an honest provider would sign; nil: it is honest again.
func (p *Provider) Forge(token func(honest Claims) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token = token
}

// Endless says whether nobody can be signed out there by a relying party.
func (p *Provider) Endless(endless bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endless = endless
}

// Ended are the subjects of those who were signed out there, in their order.
func (p *Provider) Ended() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ended)
}

// Fetches says how often its keys were asked for.
func (p *Provider) Fetches() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetches
}

// Sign makes a token of claims with a key; header are further members of its head.
func Sign(t TB, k Key, claims Claims, header map[string]any) string {
	t.Helper()
	o := &jose.SignerOptions{}
	o.WithHeader("kid", k.ID)
	for name, value := range header {
		o.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.Algorithm, Key: k.Private}, o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return SignBytes(t, signer, raw)
}

// SignBytes makes a token of a payload as it stands.
func SignBytes(t TB, signer jose.Signer, payload []byte) string {
	t.Helper()
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (p *Provider) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Log(err)
	}
}

func (p *Provider) document(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	endless := p.endless
	p.mu.Unlock()
	d := map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token", "jwks_uri": p.Issuer + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported": []string{"S256"}, "claims_supported": []string{"sub", "email", "email_verified", "name"},
	}
	if !endless {
		d["end_session_endpoint"], d["backchannel_logout_supported"] = p.Issuer+"/end", true
	}
	p.answer(w, http.StatusOK, d)
}

// end signs out whom the hint is of, where it is a token that was signed here for the client, and sends her back where people may be sent back to.
func (p *Provider) end(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.mu.Lock()
	defer p.mu.Unlock()
	signed, err := jose.ParseSignedCompact(q.Get("id_token_hint"), []jose.SignatureAlgorithm{p.keys[0].Algorithm})
	if err != nil {
		http.Error(w, "no hint: who is to be signed out?", http.StatusBadRequest)
		return
	}
	raw, err := signed.Verify(p.keys[0].Private.Public())
	var hint struct{ Sub, Aud string }
	if err != nil || json.Unmarshal(raw, &hint) != nil || hint.Aud != q.Get("client_id") || !slices.Contains(p.backs, q.Get("post_logout_redirect_uri")) {
		http.Error(w, "a hint of somebody else, or an unknown place to go back to", http.StatusBadRequest)
		return
	}
	p.ended, p.who = append(p.ended, hint.Sub), nil
	http.Redirect(w, r, q.Get("post_logout_redirect_uri")+"?"+url.Values{"state": {q.Get("state")}}.Encode(), http.StatusFound)
}

// Logout are the claims of a logout token about somebody or a session of hers; either may be empty.
func (p *Provider) Logout(subject, session string) Claims {
	now := p.clock.Now()
	c := Claims{"iss": p.Issuer, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": ident.Secret(16), "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
	if subject != "" {
		c["sub"] = subject
	}
	if session != "" {
		c["sid"] = session
	}
	return c
}

func (p *Provider) published(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	p.fetches++
	var set jose.JSONWebKeySet
	for _, k := range p.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Private.Public(), KeyID: k.ID, Use: "sig"})
	}
	p.mu.Unlock()
	p.answer(w, http.StatusOK, set)
}

// authorize sends a browser back with a code: whoever it is, she is signed in here.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.mu.Lock()
	defer p.mu.Unlock()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != ClientID || !slices.Contains(p.backs, q.Get("redirect_uri")) {
		http.Error(w, "unknown client, or unknown place to go back to", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}, "iss": {p.Issuer}}
	switch {
	case p.who == nil:
		answer.Set("error", "access_denied")
	case q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		answer.Set("error", "invalid_request")
	default:
		code := ident.Secret(16)
		g := grant{q.Get("code_challenge"), q.Get("redirect_uri"), q.Get("nonce"), -1}
		if age, err := strconv.Atoi(q.Get("max_age")); err == nil {
			g.maxAge = age
		}
		p.grants[code] = g
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (p *Provider) redeem(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if id != ClientID || secret != Secret {
		p.answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	p.mu.Lock()
	g, known := p.grants[r.FormValue("code")]
	delete(p.grants, r.FormValue("code")) // once
	who, forge, key := p.who, p.token, p.keys[0]
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !known || r.FormValue("grant_type") != "authorization_code" || r.FormValue("redirect_uri") != g.redirect || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		p.answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	claims := p.Honest(g.nonce)
	for name, value := range who {
		claims[name] = value
	}
	if g.maxAge >= 0 && claims["auth_time"] == nil {
		claims["auth_time"] = p.clock.Now().Unix()
	}
	var token string
	if forge != nil {
		token = forge(claims)
	} else {
		token = Sign(p.t, key, claims, nil)
	}
	p.answer(w, http.StatusOK, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": token})
}

// Honest are the claims that it signs of nobody in particular.
func (p *Provider) Honest(nonce string) Claims {
	now := p.clock.Now()
	return Claims{"iss": p.Issuer, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": nonce}
}

// Walk goes through the sign-in page of the provider as a browser does, and gives the address to which it is sent back.
func (p *Provider) Walk(address string) (*url.URL, error) {
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	a, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Body.Close() }()
	if a.StatusCode != http.StatusFound {
		return nil, fmt.Errorf("the provider answers %d", a.StatusCode)
	}
	return a.Location()
}
