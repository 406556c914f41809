package proctoring

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"crypto"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"cursus/internal/domain/exams"
)

// keySet is what a provider signs with, as it last published it.
type keySet struct {
	keys  []jose.JSONWebKey
	read  time.Time
	tried time.Time
}

const (
	maxToken = 16 << 10
	fresh    = time.Hour      // for which keys are not asked for again
	between  = time.Minute    // two questions, or who shows us tokens could make us flood the provider
	lastGood = 24 * time.Hour // for which keys stand whose provider does not answer
	bits     = 2048
)

// allowed are the algorithms of tokens. None of them is made with what is public.
var allowed = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// published reads the keys of a provider now.
func (g *Gate) published(ctx context.Context, address string) (set []jose.JSONWebKey, err error) {
	if _, ok := g.guard.Read(address); !ok {
		return nil, &exams.ProctorTrouble{Code: "refused_address"}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &exams.ProctorTrouble{Code: "refused_address"}
	}
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := g.do(r, &raw); err != nil {
		return nil, err
	}
	for _, text := range raw.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(text) == nil {
			set = append(set, key)
		}
	}
	if len(set) == 0 {
		return nil, &exams.ProctorTrouble{Code: brokenAnswer, Detail: "It publishes no keys."}
	}
	return set, nil
}

// key finds the key of a token. One that is not known may be new: the provider is asked again, but not more than once a minute. Nobody else waits
// for its answer.
func (g *Gate) key(ctx context.Context, a exams.ProctorAccess, id, algorithm string) (jose.JSONWebKey, error) {
	now, at := g.clock.Now(), a.Provider+" "+a.KeysURL
	g.mu.Lock()
	known := g.keys[at]
	if known == nil {
		known = &keySet{}
		g.keys[at] = known
	}
	found, ok := find(known.keys, id, algorithm)
	ask := (!ok || now.Sub(known.read) >= fresh) && (known.tried.IsZero() || now.Sub(known.tried) >= between)
	if ask {
		known.tried = now
	}
	read := known.read
	g.mu.Unlock()
	if ask {
		set, err := g.published(ctx, a.KeysURL)
		if err != nil && (read.IsZero() || now.Sub(read) >= lastGood) {
			g.mu.Lock()
			known.tried = time.Time{} // the next message may ask again: it is told to come back
			g.mu.Unlock()
			return found, exams.ErrProviderDark.Because(err)
		}
		if err == nil {
			g.mu.Lock()
			known.keys, known.read = set, now
			g.mu.Unlock()
			found, ok = find(set, id, algorithm)
		}
	}
	if !ok {
		return found, forged("no key %.60q for %s", id, algorithm)
	}
	return found, nil
}

// find gives the only key that is good for a token. A token that names none is taken where there is one alone that it could mean.
func find(set []jose.JSONWebKey, id, algorithm string) (jose.JSONWebKey, bool) {
	var fit []jose.JSONWebKey
	for _, key := range set {
		if (id == "" || key.KeyID == id) && signs(key, algorithm) {
			fit = append(fit, key)
		}
	}
	if len(fit) != 1 {
		return jose.JSONWebKey{}, false
	}
	return fit[0], true
}

// signs says whether a key may verify signatures of an algorithm.
func signs(key jose.JSONWebKey, algorithm string) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" || key.Algorithm != "" && key.Algorithm != algorithm {
		return false
	}
	switch of := key.Key.(type) {
	case *rsa.PublicKey:
		return of.N.BitLen() >= bits && (strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS"))
	case *ecdsa.PublicKey:
		return algorithm == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[of.Curve.Params().BitSize]
	case ed25519.PublicKey:
		return algorithm == string(jose.EdDSA)
	}
	return false
}

// claims proves a token of a provider: by its keys, of whom, for whom, and that it was made just now; with an id, so that it is used once.
func (g *Gate) claims(ctx context.Context, a exams.ProctorAccess, text, issuer, audience string, more ...any) (c jwt.Claims, err error) {
	if len(text) > maxToken {
		return c, forged("a token of %d bytes", len(text))
	}
	token, err := jwt.ParseSigned(text, allowed)
	if err != nil || len(token.Headers) != 1 || token.Headers[0].JSONWebKey != nil {
		return c, forged("no token: %v", err)
	}
	key, err := g.key(ctx, a, token.Headers[0].KeyID, token.Headers[0].Algorithm)
	if err != nil {
		return c, err
	}
	if err := token.Claims(key.Key, append(more, &c)...); err != nil {
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
	case !messageID.MatchString(c.ID):
		return forged("it has no id")
	}
	return nil
}

// NewKey makes a key that signs what we say, in PKCS #8: RSA, the one that every tool of LTI reads.
func (g *Gate) NewKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
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
	if len(text) > maxToken {
		return c, forged("a token of %d bytes", len(text))
	}
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
