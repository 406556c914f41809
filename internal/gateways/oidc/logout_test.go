package oidc_test

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"cursus/internal/domain/identity"
	"cursus/internal/gateways/oidc/oidctest"
)

// A logout token ends sessions where the provider signed it, for us, just now, as a logout token; nothing else does, an ID token least of all.
func TestLogoutTokensAreJudged(t *testing.T) {
	s := newStage(t)
	key := s.double.Key()
	ask := func(c oidctest.Claims, head map[string]any) (identity.Over, error) {
		return s.gate.Logout(t.Context(), s.at, oidctest.Sign(t, key, c, head))
	}
	for name, head := range map[string]map[string]any{"untyped": nil, "typed": {"typ": "logout+jwt"}, "a JWT": {"typ": "JWT"}} {
		c := s.double.Logout("sub-1", "there-1")
		over, err := ask(c, head)
		if err != nil || over.Subject != "sub-1" || over.Session != "there-1" || over.ID != c["jti"] || !over.Until.After(s.clock.Now()) {
			t.Errorf("%s: %+v, %v", name, over, err)
		}
	}
	for _, c := range []oidctest.Claims{s.double.Logout("sub-1", ""), s.double.Logout("", "there-1")} {
		if _, err := ask(c, nil); err != nil {
			t.Error(c, err)
		}
	}
	now := s.clock.Now()
	bad := map[string]oidctest.Claims{
		"of another issuer": {"iss": s.other.Issuer}, "for another client": {"aud": "other"}, "for nobody": {"aud": nil}, "of nobody": {"sub": nil, "sid": nil}, "without id": {"jti": nil},
		"without events": {"events": nil}, "of another event": {"events": map[string]any{"http://schemas.openid.net/event/other": map[string]any{}}},
		"an event that is a text":      {"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": "yes"}},
		"an event that is nothing":     {"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": nil}},
		"events that are a list":       {"events": []string{"http://schemas.openid.net/event/backchannel-logout"}},
		"with a nonce":                 {"nonce": "n"},
		"with a nonce that is nothing": {"nonce": ""},
		"expired":                      {"exp": now.Add(-2 * time.Minute).Unix()}, "without end": {"exp": nil}, "for ever": {"exp": now.Add(24 * time.Hour).Unix()},
		"of tomorrow": {"iat": now.Add(time.Hour).Unix()}, "of long ago": {"iat": now.Add(-time.Hour).Unix()}, "without time": {"iat": nil}, "not yet": {"nbf": now.Add(time.Hour).Unix()},
	}
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		if over, err := ask(with(s.double.Logout("sub-1", "there-1"), bad[name]), nil); !errors.Is(err, identity.ErrProviderSaid) {
			t.Errorf("%s: %+v, %v", name, over, err)
		}
	}
	honest := s.double.Logout("sub-1", "")
	strange := oidctest.NewKey(t, "k1", jose.RS256)
	for name, token := range map[string]string{
		"by a key of its own": oidctest.Sign(t, strange, honest, nil), "by another provider": oidctest.Sign(t, s.other.Key(), honest, nil),
		"typed as an access token": oidctest.Sign(t, key, honest, map[string]any{"typ": "at+jwt"}), "an ID token": oidctest.Sign(t, key, with(s.double.Honest("n"), oidctest.Claims{"sub": "sub-1"}), nil),
		"none": encoded(map[string]any{"alg": "none"}) + "." + encoded(honest) + ".", "empty": "",
	} {
		if over, err := s.gate.Logout(t.Context(), s.at, token); !errors.Is(err, identity.ErrProviderSaid) {
			t.Errorf("%s: %+v, %v", name, over, err)
		}
	}
	// And a logout token signs nobody in.
	s.double.Forge(func(oidctest.Claims) string { return oidctest.Sign(t, key, s.double.Logout("sub-1", ""), nil) })
	if _, err := s.signIn(asked(0)); !errors.Is(err, identity.ErrProviderSaid) {
		t.Error("a logout token signs in:", err)
	}
}

// Who signs out is led to where the provider ends sessions, where it has such a place; of one that is dark nothing is known.
func TestWhereSheSignsOut(t *testing.T) {
	s := newStage(t)
	c, err := s.signIn(asked(0))
	if err != nil || c.IDToken == "" {
		t.Fatal(c, err)
	}
	s.double.SignIn(oidctest.Claims{"sub": "sub-1"}, "http://cursus.test/signed-out")
	at, err := s.gate.End(t.Context(), s.at, c.IDToken, "http://cursus.test/signed-out", "s/t")
	if err != nil {
		t.Fatal(err)
	}
	led, err := s.double.Walk(at)
	if err != nil || led.String() != "http://cursus.test/signed-out?state="+url.QueryEscape("s/t") || !slices.Equal(s.double.Ended(), []string{"sub-1"}) {
		t.Error(led, err, s.double.Ended())
	}
	s.clock.Advance(25 * time.Hour)
	s.double.Dark(true)
	if at, err := s.gate.End(t.Context(), s.at, c.IDToken, "http://cursus.test/signed-out", "s"); at != "" || !errors.Is(err, identity.ErrProviderDown) {
		t.Error(at, err)
	}
	s.double.Dark(false)
	s.double.Endless(true)
	s.clock.Advance(time.Minute)
	if at, err := s.gate.End(t.Context(), s.at, c.IDToken, "http://cursus.test/signed-out", "s"); at != "" || err != nil {
		t.Error(at, err)
	}
	s.double.SignIn(oidctest.Claims{"sub": "sub-1", "email": "zoe@example.org", "email_verified": true}, back)
	if c, err := s.signIn(asked(0)); err != nil || c.IDToken != "" {
		t.Error("an ID token is kept that is of no use:", err)
	}
}

// What a provider says is read by the names that it uses, and by those alone.
func TestClaimsAreReadByTheirNames(t *testing.T) {
	s := newStage(t)
	s.at.Claims = identity.ClaimNames{Email: "upn", Verified: "xms_edov", Name: "display", Groups: "https://school.org/groups", Hints: map[string]string{"g": "exams"}}
	says := func(c oidctest.Claims) identity.Claims {
		t.Helper()
		s.double.SignIn(with(oidctest.Claims{"sub": "sub-1", "email": "other@example.org", "email_verified": true, "name": "Other", "given_name": "Zoé", "family_name": "N’Diaye"}, c))
		got, err := s.signIn(asked(0))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if c := says(oidctest.Claims{"upn": "zoe@example.org", "xms_edov": true, "display": "Z", "https://school.org/groups": []any{"g", 7, "h"}, "sid": "there"}); c.Email != "zoe@example.org" || c.Name != "Z" || !slices.Equal(c.Groups, []string{"g", "h"}) || c.Session != "there" {
		t.Errorf("%+v", c)
	}
	if c := says(oidctest.Claims{"upn": "zoe@example.org", "https://school.org/groups": "g"}); c.Email != "" || c.Name != "Zoé N’Diaye" || !slices.Equal(c.Groups, []string{"g"}) {
		t.Errorf("%+v", c)
	}
	if c := says(oidctest.Claims{"xms_edov": true}); c.Email != "" || c.Groups != nil {
		t.Errorf("%+v", c)
	}
}

// Who looks at a provider sees what it publishes now, which of its keys are of use, and what does not fit.
func TestAProviderIsLookedAt(t *testing.T) {
	s := newStage(t)
	s.double.Rotate(oidctest.NewKey(t, "k2", jose.ES256), s.double.Key())
	r := s.gate.Look(t.Context(), s.at)
	if !r.Usable() || r.Issuer != s.double.Issuer || !r.BackChannel || len(r.Keys) != 2 || r.Keys[0].Kind != "P-256" || !r.Keys[0].Taken || r.Keys[1].Bits != 2048 || !slices.Equal(r.Unnamed, []string{"student"}) {
		t.Errorf("%+v", r)
	}
	s.double.Dark(true)
	if r := s.gate.Look(t.Context(), s.at); r.Usable() || r.Failure == "" {
		t.Errorf("%+v", r)
	}
	s.double.Dark(false)
	s.double.Rotate()
	if r := s.gate.Look(t.Context(), s.at); r.Usable() || r.KeysFailure == "" {
		t.Errorf("%+v", r)
	}
	s.at.Issuer = "https://10.0.0.1"
	if r := s.gate.Look(t.Context(), s.at); r.Usable() || r.Failure == "" {
		t.Errorf("an inside address: %+v", r)
	}
}
