package oidc_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"cursus/internal/domain/identity"
	"cursus/internal/gateways/oidc"
	"cursus/internal/gateways/oidc/oidctest"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/jwks"
	"cursus/internal/testkit"
)

const back = "http://cursus.test/sign-in/with/idp_1/back"

// stage is a gate with a provider that it knows.
type stage struct {
	t     *testing.T
	gate  *oidc.Gate
	clock *clock.Manual
	double,
	other *oidctest.Provider // whom the gate knows too
	at identity.Provider
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, clock: testkit.Clock()}
	s.double, s.other = oidctest.New(t, s.clock), oidctest.New(t, s.clock)
	var err error
	if s.gate, err = oidc.New(oidc.Options{Inside: []string{s.double.Host(), s.other.Host()}, Clock: s.clock, Timeout: 2 * time.Second}); err != nil {
		t.Fatal(err)
	}
	s.at = identity.Provider{ID: "idp_1", Issuer: s.double.Issuer, ClientID: oidctest.ClientID, KeyClaim: "student"}
	s.double.SignIn(oidctest.Claims{"sub": "sub-1", "email": "zoe@example.org", "email_verified": true, "name": "Zoé N’Diaye", "student": "S42"}, back)
	return s
}

func asked(maxAge time.Duration) identity.Asked {
	return identity.Asked{State: "state", Nonce: "nonce-of-this-sign-in", Verifier: strings.Repeat("v", 50), RedirectURI: back, MaxAge: maxAge}
}

// signIn walks the whole way: to the provider, back with its code, to its token endpoint.
func (s *stage) signIn(a identity.Asked) (identity.Claims, error) {
	s.t.Helper()
	address, err := s.gate.Start(s.t.Context(), s.at, a)
	if err != nil {
		return identity.Claims{}, err
	}
	returned, err := s.double.Walk(address)
	if err != nil {
		s.t.Fatal(err)
	}
	if returned.Query().Get("state") != a.State || returned.Query().Get("code") == "" {
		s.t.Fatal(returned)
	}
	return s.gate.Finish(s.t.Context(), s.at, oidctest.Secret, returned.Query().Get("code"), a)
}

func TestWhoSignsInIsTold(t *testing.T) {
	s := newStage(t)
	c, err := s.signIn(asked(0))
	c.IDToken = "" // it is tried where it is of use
	if want := (identity.Claims{Subject: "sub-1", Email: "zoe@example.org", Name: "Zoé N’Diaye", StudentKey: "S42"}); err != nil || !reflect.DeepEqual(c, want) {
		t.Fatalf("%+v, %v", c, err)
	}
	if c, err = s.signIn(asked(time.Minute)); err != nil || !c.SignedInAt.Equal(s.clock.Now().Truncate(time.Second)) {
		t.Errorf("afresh: %+v, %v", c, err)
	}
	for name, proven := range map[string]any{"not said": nil, "false": false, "a text": "false", "a number": 1} {
		s.double.SignIn(oidctest.Claims{"sub": "sub-1", "email": "zoe@example.org", "email_verified": proven})
		if c, err := s.signIn(asked(0)); err != nil || c.Email != "" {
			t.Errorf("%s: the address counts as proven: %+v, %v", name, c, err)
		}
	}
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA} {
		s.double.Rotate(oidctest.NewKey(t, string(algorithm), algorithm))
		s.clock.Advance(time.Minute)
		if _, err := s.signIn(asked(0)); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	if len(jwks.Algorithms()) != 10 || slices.ContainsFunc(jwks.Algorithms(), func(a string) bool { return strings.HasPrefix(a, "HS") || a == "none" }) {
		t.Error(jwks.Algorithms())
	}
}

// with gives the claims with some of them changed; nil takes one away.
func with(c oidctest.Claims, changes oidctest.Claims) oidctest.Claims {
	out := maps.Clone(c)
	for name, value := range changes {
		if value == nil {
			delete(out, name)
		} else {
			out[name] = value
		}
	}
	return out
}

func encoded(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// forged are ID tokens that a provider never made for us, or not for this sign-in, or not now.
func forged(t *testing.T, s *stage) map[string]func(honest oidctest.Claims) string {
	t.Helper()
	key := s.double.Key()
	strange := oidctest.NewKey(t, "k1", jose.RS256) // the name of the provider's key, and another one
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is what is tried
	if err != nil {
		t.Fatal(err)
	}
	public := key.Private.Public().(*rsa.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := json.Marshal(jose.JSONWebKey{Key: public, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]func(oidctest.Claims) string{}
	sign := func(c oidctest.Claims) string { return oidctest.Sign(t, key, c, nil) }
	now := func() time.Time { return s.clock.Now() }
	claims := func(name string, changes func() oidctest.Claims) {
		all[name] = func(honest oidctest.Claims) string { return sign(with(honest, changes())) }
	}
	value := func(name, claim string, v any) {
		claims(name, func() oidctest.Claims { return oidctest.Claims{claim: v} })
	}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		all["alg "+alg+" without signature"] = func(h oidctest.Claims) string {
			return encoded(map[string]any{"alg": alg, "kid": "k1"}) + "." + encoded(h) + "."
		}
		all["alg "+alg+" with the signature of another token"] = func(h oidctest.Claims) string {
			return encoded(map[string]any{"alg": alg, "kid": "k1"}) + "." + encoded(h) + "." + strings.Split(sign(h), ".")[2]
		}
	}
	for _, alg := range []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512} {
		for name, secret := range map[string][]byte{
			"the public key as PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "the public key as DER": der, "the public key as JWK": jwk,
			"the modulus": public.N.Bytes(), "the client secret": []byte(strings.Repeat(oidctest.Secret, 3)), "zeros": make([]byte, 64),
		} {
			all[string(alg)+" with "+name] = func(h oidctest.Claims) string {
				signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: secret}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
				if err != nil {
					t.Fatal(err)
				}
				raw, err := json.Marshal(h)
				if err != nil {
					t.Fatal(err)
				}
				return oidctest.SignBytes(t, signer, raw)
			}
		}
	}
	value("wrong audience", "aud", "somebody-else")
	value("audience in another case", "aud", "CURSUS")
	value("no audience", "aud", nil)
	value("empty audience", "aud", []string{})
	value("audience that is a number", "aud", 7)
	value("several audiences and nobody who asked", "aud", []string{oidctest.ClientID, "somebody-else"})
	claims("asked for by another client", func() oidctest.Claims { return oidctest.Claims{"azp": "somebody-else"} })
	claims("for several, asked for by another", func() oidctest.Claims {
		return oidctest.Claims{"aud": []string{oidctest.ClientID, "somebody-else"}, "azp": "somebody-else"}
	})
	value("wrong issuer", "iss", "https://accounts.example.org")
	value("issuer with a slash more", "iss", s.double.Issuer+"/")
	value("issuer of another provider that we know", "iss", s.other.Issuer)
	value("no issuer", "iss", nil)
	value("no subject", "sub", nil)
	value("empty subject", "sub", "")
	value("subject that is a number", "sub", 42)
	value("subject of 300 characters", "sub", strings.Repeat("s", 300))
	value("subject with a NUL", "sub", "sub\x00-1")
	value("no nonce", "nonce", nil)
	value("the nonce of another sign-in", "nonce", "nonce-of-that-sign-in")
	value("nonce with a blank more", "nonce", "nonce-of-this-sign-in ")
	value("no expiry", "exp", nil)
	value("expiry that is a text", "exp", "4102444800")
	value("expiry below zero", "exp", -1)
	value("expiry beyond all calendars", "exp", 1e18)
	claims("expired", func() oidctest.Claims { return oidctest.Claims{"exp": now().Add(-2 * time.Minute).Unix()} })
	claims("expired a year ago", func() oidctest.Claims { return oidctest.Claims{"exp": now().AddDate(-1, 0, 0).Unix()} })
	claims("not yet", func() oidctest.Claims { return oidctest.Claims{"nbf": now().Add(2 * time.Minute).Unix()} })
	claims("made in the future", func() oidctest.Claims { return oidctest.Claims{"iat": now().Add(2 * time.Minute).Unix()} })
	claims("made an hour ago", func() oidctest.Claims { return oidctest.Claims{"iat": now().Add(-time.Hour).Unix()} })
	value("not said when it was made", "iat", nil)
	claims("signed in in the future", func() oidctest.Claims { return oidctest.Claims{"auth_time": now().Add(time.Hour).Unix()} })
	all["other key of the same name"] = func(h oidctest.Claims) string { return oidctest.Sign(t, strange, h, nil) }
	all["unknown key"] = func(h oidctest.Claims) string {
		return oidctest.Sign(t, oidctest.Key{ID: "k9", Algorithm: jose.RS256, Private: strange.Private}, h, nil)
	}
	all["key of another provider that we know"] = func(h oidctest.Claims) string { return oidctest.Sign(t, s.other.Key(), h, nil) }
	all["weak key"] = func(h oidctest.Claims) string {
		return oidctest.Sign(t, oidctest.Key{ID: "k1", Algorithm: jose.RS256, Private: weak}, h, nil)
	}
	all["key name that is a path"] = func(h oidctest.Claims) string {
		return oidctest.Sign(t, oidctest.Key{ID: "../../dev/null", Algorithm: jose.RS256, Private: strange.Private}, h, nil)
	}
	all["brings its own key"] = func(h oidctest.Claims) string {
		return oidctest.Sign(t, strange, h, map[string]any{"jwk": jose.JSONWebKey{Key: strange.Private.Public(), KeyID: "k1"}})
	}
	all["honest, and brings a key"] = func(h oidctest.Claims) string {
		return oidctest.Sign(t, key, h, map[string]any{"jwk": jose.JSONWebKey{Key: strange.Private.Public(), KeyID: "k1"}})
	}
	for _, at := range []string{"jku", "x5u"} {
		all["names its own key by "+at] = func(h oidctest.Claims) string {
			return oidctest.Sign(t, strange, h, map[string]any{at: s.other.Issuer + "/keys"})
		}
	}
	all["critical header that nobody knows"] = func(h oidctest.Claims) string {
		return oidctest.Sign(t, key, h, map[string]any{"crit": []string{"exp"}, "exp": 1})
	}
	all["payload altered"] = func(h oidctest.Claims) string {
		parts := strings.Split(sign(h), ".")
		return parts[0] + "." + encoded(with(h, oidctest.Claims{"sub": "admin"})) + "." + parts[2]
	}
	all["head altered"] = func(h oidctest.Claims) string {
		parts := strings.Split(sign(h), ".")
		return encoded(map[string]any{"alg": "PS256", "kid": "k1"}) + "." + parts[1] + "." + parts[2]
	}
	all["signature cut"] = func(h oidctest.Claims) string { token := sign(h); return token[:len(token)-2] }
	all["no signature"] = func(h oidctest.Claims) string {
		token := sign(h)
		return token[:strings.LastIndex(token, ".")+1]
	}
	all["a blank behind"] = func(h oidctest.Claims) string { return sign(h) + " x" }
	all["two signatures"] = func(h oidctest.Claims) string { return sign(h) + "." + strings.Split(sign(h), ".")[2] }
	all["JSON serialization"] = func(h oidctest.Claims) string {
		parts := strings.Split(sign(h), ".")
		return fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2])
	}
	all["encrypted"] = func(h oidctest.Claims) string {
		encrypter, err := jose.NewEncrypter(jose.A128GCM, jose.Recipient{Algorithm: jose.RSA_OAEP, Key: public}, nil)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := encrypter.Encrypt([]byte(encoded(h)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := sealed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	value("huge", "padding", strings.Repeat("x", 1<<15))
	all["beyond all sizes"] = func(oidctest.Claims) string { return strings.Repeat("A", 1<<17) }
	all["empty"] = func(oidctest.Claims) string { return "" }
	all["a key of ours"] = func(oidctest.Claims) string { return "cursus_key_abcdefgh_" + strings.Repeat("0", 52) }
	for name, payload := range map[string]func(h oidctest.Claims) string{
		"a name twice": func(h oidctest.Claims) string {
			b, _ := json.Marshal(h)
			return strings.TrimSuffix(string(b), "}") + `,"sub":"admin"}`
		},
		"names in capitals": func(h oidctest.Claims) string {
			b, _ := json.Marshal(with(h, oidctest.Claims{"aud": nil}))
			return strings.TrimSuffix(string(b), "}") + `,"AUD":"cursus"}`
		},
		"a list":        func(h oidctest.Claims) string { b, _ := json.Marshal([]any{h}); return string(b) },
		"null":          func(oidctest.Claims) string { return "null" },
		"no JSON":       func(oidctest.Claims) string { return "sub=admin" },
		"two objects":   func(h oidctest.Claims) string { b, _ := json.Marshal(h); return string(b) + string(b) },
		"deeply nested": func(oidctest.Claims) string { return strings.Repeat("[", 6000) + strings.Repeat("]", 6000) },
	} {
		all["payload is "+name] = func(h oidctest.Claims) string {
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key.Private}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
			if err != nil {
				t.Fatal(err)
			}
			return oidctest.SignBytes(t, signer, []byte(payload(h)))
		}
	}
	return all
}

// Nothing that the provider did not sign, for us, for this sign-in, just now, signs anybody in.
func TestForgedTokensAreRefused(t *testing.T) {
	s := newStage(t)
	if _, err := s.signIn(asked(0)); err != nil {
		t.Fatal(err)
	}
	all, accepted := forged(t, s), 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s.double.Forge(all[name])
		c, err := s.signIn(asked(0))
		if err == nil {
			accepted++
		}
		if !errors.Is(err, identity.ErrProviderSaid) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	// Of a fresh sign-in, what is not said to be one is refused too.
	for name, at := range map[string]any{"not said when": 0, "long ago": s.clock.Now().Add(-time.Hour).Unix()} {
		s.double.Forge(func(h oidctest.Claims) string {
			return oidctest.Sign(t, s.double.Key(), with(h, oidctest.Claims{"auth_time": at}), nil)
		})
		if c, err := s.signIn(asked(time.Minute)); !errors.Is(err, identity.ErrProviderSaid) {
			t.Errorf("afresh, %s: %+v, %v", name, c, err)
		}
	}
	s.double.Forge(nil)
	if _, err := s.signIn(asked(0)); err != nil {
		t.Error("an honest token afterwards:", err)
	}
	t.Logf("%d forged ID tokens, %d accepted", len(all), accepted)
	if len(all) < 60 {
		t.Error("only", len(all), "forged tokens")
	}
}

// A new key is taken at once; a flood of tokens with unknown keys asks the provider once a minute.
func TestKeysAreRotatedAndNotFlooded(t *testing.T) {
	s := newStage(t)
	if _, err := s.signIn(asked(0)); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(2 * time.Minute)
	old := s.double.Key()
	s.double.Rotate(oidctest.NewKey(t, "k2", jose.ES256), old)
	if _, err := s.signIn(asked(0)); err != nil {
		t.Error("a new key:", err)
	}
	before := s.double.Fetches()
	s.clock.Advance(2 * time.Minute)
	strange := oidctest.NewKey(t, "", jose.RS256)
	n := 0
	var mu sync.Mutex
	s.double.Forge(func(h oidctest.Claims) string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return oidctest.Sign(t, oidctest.Key{ID: fmt.Sprintf("flood-%d", n), Algorithm: jose.RS256, Private: strange.Private}, h, nil)
	})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 25 {
				if _, err := s.signIn(asked(0)); !errors.Is(err, identity.ErrProviderSaid) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if asked := s.double.Fetches() - before; asked != 1 || n != 200 {
		t.Errorf("%d tokens with unknown keys made us ask %d times", n, asked)
	}
	s.double.Forge(nil)
	if _, err := s.signIn(asked(0)); err != nil {
		t.Error("an honest token in the flood:", err)
	}
	// A key that is published no more is taken no more, an hour later at the latest.
	s.double.Rotate(oidctest.NewKey(t, "k3", jose.ES256))
	s.clock.Advance(time.Hour)
	s.double.Forge(func(h oidctest.Claims) string { return oidctest.Sign(t, old, h, nil) })
	if _, err := s.signIn(asked(0)); !errors.Is(err, identity.ErrProviderSaid) {
		t.Error("a key that was withdrawn:", err)
	}
}

// While the provider does not publish, what it published stands for a day, and no longer; one that never answered signs nobody in.
func TestAProviderThatIsDark(t *testing.T) {
	s := newStage(t)
	s.double.Dark(true)
	if _, err := s.signIn(asked(0)); !errors.Is(err, identity.ErrProviderDown) {
		t.Error(err)
	}
	s.double.Dark(false)
	s.clock.Advance(time.Minute)
	if _, err := s.signIn(asked(0)); err != nil {
		t.Fatal(err)
	}
	fetches := s.double.Fetches()
	code := func() string { // got while it answers; what is dark then is what it publishes
		address, err := s.gate.Start(t.Context(), s.at, asked(0))
		if err != nil {
			t.Fatal(err)
		}
		returned, err := s.double.Walk(address)
		if err != nil {
			t.Fatal(err)
		}
		return returned.Query().Get("code")
	}
	s.clock.Advance(2 * time.Hour)
	s.double.Hide(true)
	if _, err := s.gate.Finish(t.Context(), s.at, oidctest.Secret, code(), asked(0)); err != nil {
		t.Error("two hours into the outage:", err)
	}
	s.clock.Advance(21*time.Hour + 50*time.Minute)
	if _, err := s.gate.Finish(t.Context(), s.at, oidctest.Secret, code(), asked(0)); err != nil {
		t.Error("nearly a day into the outage:", err)
	}
	s.clock.Advance(10 * time.Minute)
	if _, err := s.gate.Start(t.Context(), s.at, asked(0)); !errors.Is(err, identity.ErrProviderDown) {
		t.Error("a day into the outage:", err)
	}
	s.double.Hide(false)
	s.clock.Advance(time.Minute)
	if _, err := s.signIn(asked(0)); err != nil || s.double.Fetches() == fetches {
		t.Error("after the outage:", err)
	}
}

// A code is redeemed by who asked for it alone, and a wrong secret opens nothing.
func TestCodesAreBoundToTheSignIn(t *testing.T) {
	s := newStage(t)
	for name, spoil := range map[string]func(a *identity.Asked, secret, code *string){
		"another verifier": func(a *identity.Asked, _, _ *string) { a.Verifier = strings.Repeat("w", 50) },
		"another secret":   func(_ *identity.Asked, secret, _ *string) { *secret = "guess" },
		"another code":     func(_ *identity.Asked, _, code *string) { *code = "guess" },
		"another place":    func(a *identity.Asked, _, _ *string) { a.RedirectURI = "http://cursus.test/sign-in/with/idp_2/back" },
		"another nonce":    func(a *identity.Asked, _, _ *string) { a.Nonce = "n" },
		"no nonce":         func(a *identity.Asked, _, _ *string) { a.Nonce = "" },
	} {
		a, secret := asked(0), oidctest.Secret
		address, err := s.gate.Start(t.Context(), s.at, a)
		if err != nil {
			t.Fatal(err)
		}
		returned, err := s.double.Walk(address)
		if err != nil {
			t.Fatal(err)
		}
		code := returned.Query().Get("code")
		spoil(&a, &secret, &code)
		if _, err := s.gate.Finish(t.Context(), s.at, secret, code, a); !errors.Is(err, identity.ErrProviderSaid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An issuer is the address of a public server, and speaks of itself alone; nothing inside is ever asked.
func TestIssuersAreJudged(t *testing.T) {
	g, err := oidc.New(oidc.Options{Clock: testkit.Clock()})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "accounts.example.org", "http://accounts.google.com", "https://127.0.0.1", "https://localhost", "https://10.0.0.1/realms/x", "https://user@accounts.google.com", "https://accounts.google.com?x=1",
		"https://accounts.google.com#x", "https://accounts.google.com:22", "https://accounts.google.com/.well-known/openid-configuration", "file:///etc/passwd", "https://metadata.internal",
	} {
		if err := g.Check(bad); err == nil {
			t.Errorf("%q is an issuer", bad)
		}
	}
	for _, good := range []string{"https://accounts.google.com", "https://sso.school.org/realms/students", "https://login.school.org:8443/x/"} {
		if err := g.Check(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	double := oidctest.New(t, testkit.Clock())
	if _, err := g.Start(context.Background(), identity.Provider{Issuer: double.Issuer, ClientID: "x"}, asked(0)); !errors.Is(err, identity.ErrProviderDown) || double.Fetches() != 0 {
		t.Error("an inside issuer is asked:", err)
	}
	s := newStage(t)
	s.at.Issuer = s.double.Issuer + "/" // whose document is of another issuer
	if _, err := s.signIn(asked(0)); !errors.Is(err, identity.ErrProviderDown) {
		t.Error("a document of another issuer:", err)
	}
}
