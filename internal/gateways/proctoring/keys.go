package proctoring

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"crypto"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"cursus/internal/domain/exams"
	"cursus/internal/platform/jwks"
)

// published reads the keys of a provider now.
func (g *Gate) published(ctx context.Context, address string) (set jwks.Set, err error) {
	if _, ok := g.guard.Read(address); !ok {
		return nil, &exams.ProctorTrouble{Code: "refused_address"}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &exams.ProctorTrouble{Code: "refused_address"}
	}
	if err := g.do(r, &set); err != nil {
		return nil, err
	}
	if len(set) == 0 {
		return nil, &exams.ProctorTrouble{Code: brokenAnswer, Detail: "It publishes no keys."}
	}
	return set, nil
}

// claims proves a token of a provider: by its keys, of whom, for whom, and that it was made just now.
func (g *Gate) claims(ctx context.Context, a exams.ProctorAccess, text, issuer, audience string, more ...any) (c jwt.Claims, err error) {
	g.mu.Lock()
	at := a.Provider + " " + a.KeysURL
	keys := g.keys[at]
	if keys == nil {
		keys = &jwks.Keys{}
		g.keys[at] = keys
	}
	g.mu.Unlock()
	raw, err := keys.Open(g.clock.Now(), text, func() (jwks.Set, error) { return g.published(ctx, a.KeysURL) })
	var dark jwks.DarkError
	if errors.As(err, &dark) {
		return c, exams.ErrProviderDark.Because(err)
	}
	for _, into := range append(more, &c) {
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
	}
	if err != nil {
		return c, forged("the token: %v", err)
	}
	return c, g.judge(c, issuer, audience)
}

// judge checks what a token whose signature is good says of itself.
func (g *Gate) judge(c jwt.Claims, issuer, audience string) error {
	now := g.clock.Now()
	switch {
	case c.Issuer != issuer:
		return forged("it is of %.100q", c.Issuer)
	case !slices.Contains(c.Audience, audience):
		return forged("it is for %.100q", c.Audience)
	case c.Expiry == nil || *c.Expiry > 1<<40 || !now.Before(c.Expiry.Time().Add(time.Minute)):
		return forged("it has expired")
	case c.IssuedAt == nil || *c.IssuedAt < 0 || *c.IssuedAt > 1<<40 || now.Sub(c.IssuedAt.Time()).Abs() > tolerance:
		return forged("it was not made just now")
	case c.NotBefore != nil && c.NotBefore.Time().After(now.Add(time.Minute)):
		return forged("it does not hold yet")
	}
	return nil
}

// NewKey makes a key that signs what we say, in PKCS #8: RSA, the one that every tool of LTI reads.
func (g *Gate) NewKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// ours reads a key of ours, named by its thumbprint.
func ours(pkcs8 []byte) (jose.JSONWebKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	key := jose.JSONWebKey{Key: parsed, Algorithm: string(jose.RS256), Use: "sig"}
	sum, err := key.Thumbprint(crypto.SHA256)
	key.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return key, err
}

// Keys publishes our keys as a JSON Web Key Set.
func (g *Gate) Keys(keys [][]byte) ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys {
		key, err := ours(k)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, key.Public())
	}
	return json.Marshal(set)
}

// sign signs claims with our key of a provider.
func sign(a exams.ProctorAccess, claims ...any) (string, error) {
	if len(a.Key) == 0 {
		return "", errors.New("there is no key of ours for " + a.Provider)
	}
	key, err := ours(a.Key)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	b := jwt.Signed(signer)
	for _, c := range claims {
		b = b.Claims(c)
	}
	return b.Serialize()
}

// own proves a token that we made ourselves, for a purpose.
func (g *Gate) own(a exams.ProctorAccess, text, purpose string) (c jwt.Claims, err error) {
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return c, forged("no token: %v", err)
	}
	key, err := ours(a.Key)
	if err != nil {
		return c, fmt.Errorf("the key of %s: %w", a.Provider, err)
	}
	if err := token.Claims(key.Public().Key, &c); err != nil {
		return c, forged("the token: %v", err)
	}
	if now := g.clock.Now(); c.Issuer != a.Audience || !slices.Contains(c.Audience, purpose) || c.Expiry == nil || !now.Before(c.Expiry.Time()) {
		return c, forged("a token of ours for something else, or of long ago")
	}
	return c, nil
}
