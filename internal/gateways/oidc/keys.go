package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"cursus/internal/domain/identity"
)

// keys are what a provider signs with, as it last published them.
type keys struct {
	set   []jose.JSONWebKey
	read  time.Time // when it was read; zero: never
	tried time.Time // when it was last asked for
}

// key finds the key of an ID token. A key that is not known may be new: the provider is asked again, but not more than once a minute, or who
// shows us tokens could make us flood it. Where it does not answer, the keys that it last published stand for a day.
func (g *Gate) key(ctx context.Context, known *provider, d document, id, algorithm string) (jose.JSONWebKey, error) {
	known.mu.Lock()
	defer known.mu.Unlock()
	now := g.clock.Now()
	found, ok := known.keys.find(id, algorithm)
	stale := known.keys.read.IsZero() || now.Sub(known.keys.read) >= fresh
	if (!ok || stale) && (known.keys.tried.IsZero() || now.Sub(known.keys.tried) >= between) {
		known.keys.tried = now
		set, err := g.published(ctx, d)
		if err == nil {
			known.keys.set, known.keys.read = set, now
		} else if known.keys.read.IsZero() || now.Sub(known.keys.read) >= lastGood {
			known.keys.set = nil
			return jose.JSONWebKey{}, darkError{err}
		}
		found, ok = known.keys.find(id, algorithm)
	}
	if known.keys.read.IsZero() || now.Sub(known.keys.read) >= lastGood {
		return jose.JSONWebKey{}, darkError{fmt.Errorf("no keys since %s", known.keys.read.Format(time.RFC3339))}
	}
	if !ok {
		return jose.JSONWebKey{}, fmt.Errorf("no key %.60q for %s", id, algorithm)
	}
	return found, nil
}

// published reads the keys of a provider. One of a kind that nobody here knows is left out: it signs nothing that we take.
func (g *Gate) published(ctx context.Context, d document) (set []jose.JSONWebKey, err error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := g.get(ctx, d.Keys, &raw); err != nil {
		return nil, err
	}
	for _, text := range raw.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(text) == nil {
			set = append(set, key)
		}
	}
	if len(set) == 0 {
		return nil, errors.New("it publishes no keys")
	}
	return set, nil
}

// darkError says that the provider does not answer, which is not the fault of who signs in.
type darkError struct{ error }

// find gives the only key that is good for a token. A token that names none is taken where there is one alone that it could mean.
func (k keys) find(id, algorithm string) (jose.JSONWebKey, bool) {
	var fit []jose.JSONWebKey
	for _, key := range k.set {
		if (id == "" || key.KeyID == id) && signs(key, algorithm) {
			fit = append(fit, key)
		}
	}
	if len(fit) != 1 {
		return jose.JSONWebKey{}, false
	}
	return fit[0], true
}

// minRSA is the shortest modulus of RSA that is taken, in bits.
const minRSA = 2048

// signs says whether a key may verify signatures of an algorithm: a public one of its kind, for signatures, not said to be for another algorithm.
func signs(key jose.JSONWebKey, algorithm string) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" || key.Algorithm != "" && key.Algorithm != algorithm {
		return false
	}
	switch of := key.Key.(type) {
	case *rsa.PublicKey:
		return of.N.BitLen() >= minRSA && (strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS"))
	case *ecdsa.PublicKey:
		return algorithm == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[of.Curve.Params().BitSize]
	case ed25519.PublicKey:
		return algorithm == string(jose.EdDSA)
	}
	return false
}

// described says what a key of a provider is, and whether tokens that it signed are taken.
func described(key jose.JSONWebKey) identity.ProviderKey {
	k := identity.ProviderKey{ID: key.KeyID, Algorithm: key.Algorithm}
	switch of := key.Key.(type) {
	case *rsa.PublicKey:
		k.Kind, k.Bits = "RSA", of.N.BitLen()
	case *ecdsa.PublicKey:
		k.Kind = of.Curve.Params().Name
	case ed25519.PublicKey:
		k.Kind = "Ed25519"
	default:
		k.Kind = "?"
	}
	k.Taken = slices.ContainsFunc(allowed, func(a jose.SignatureAlgorithm) bool { return signs(key, string(a)) })
	return k
}

// allowed are the algorithms of ID tokens. None of them is made with what is public, or with what we share.
var allowed = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// Algorithms lists the algorithms that are taken.
func Algorithms() (all []string) {
	for _, a := range allowed {
		all = append(all, string(a))
	}
	return slices.Sorted(slices.Values(all))
}
