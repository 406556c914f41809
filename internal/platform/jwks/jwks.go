// Package jwks proves tokens by the keys that somebody else publishes (JSON Web Key Sets, RFC 7517). A library of a whole relying party would fetch keys
// whenever it is shown an unknown one, and trusts what it has for ever when the publisher is dark.
package jwks

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// How long what somebody publishes is believed.
const (
	Fresh    = time.Hour      // asked again after that
	LastGood = 24 * time.Hour // believed that long where nobody answers
	Between  = time.Minute    // at least, between two questions: who shows us tokens could make us flood the publisher
)

const (
	maxToken = 16 << 10
	minRSA   = 2048 // bits of the shortest modulus that is taken
)

// allowed are the algorithms of tokens. None of them is made with what is public, or with what we share.
var allowed = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// Algorithms lists the algorithms that are taken.
func Algorithms() (all []string) {
	for _, a := range allowed {
		all = append(all, string(a))
	}
	return slices.Sorted(slices.Values(all))
}

// Set is a JSON Web Key Set. A key of a kind that nobody here knows is left out: it signs nothing that we take.
type Set []jose.JSONWebKey

// UnmarshalJSON reads a set.
func (s *Set) UnmarshalJSON(b []byte) error {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*s = nil
	for _, text := range raw.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(text) == nil {
			*s = append(*s, key)
		}
	}
	return nil
}

// find gives the only key that is good for a token. A token that names none is taken where there is one alone that it could mean.
func (s Set) find(id, algorithm string) (jose.JSONWebKey, bool) {
	var fit []jose.JSONWebKey
	for _, key := range s {
		if (id == "" || key.KeyID == id) && Signs(key, algorithm) {
			fit = append(fit, key)
		}
	}
	if len(fit) != 1 {
		return jose.JSONWebKey{}, false
	}
	return fit[0], true
}

// Signs says whether a key may verify signatures of an algorithm: a public one of its kind, for signatures, not said to be for another algorithm.
func Signs(key jose.JSONWebKey, algorithm string) bool {
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

// DarkError says that the publisher does not answer, which is not the fault of who shows a token.
type DarkError struct{ error }

// Keys are what a publisher signs with, as it last published them; the zero value has asked for none yet.
type Keys struct {
	mu    sync.Mutex
	set   Set
	read  time.Time // when it was read; zero: never
	tried time.Time // when it was last asked for
}

// Open gives what stands in a token, once its signature is a good one by a key that ask finds published. kinds are the types (typ) that it may say
// it is; none: whatever it says. Error: DarkError where no keys are known that still stand.
func (k *Keys) Open(now time.Time, token string, ask func() (Set, error), kinds ...string) ([]byte, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("a token of %d bytes", len(token))
	}
	signed, err := jose.ParseSignedCompact(token, allowed)
	if err != nil {
		return nil, err
	}
	head := signed.Signatures[0].Protected
	if head.JSONWebKey != nil || head.ExtraHeaders["crit"] != nil {
		return nil, errors.New("the token brings its own key, or asks for what we do not know")
	}
	if kind, is := head.ExtraHeaders[jose.HeaderType]; is && len(kinds) > 0 && !slices.ContainsFunc(kinds, func(k string) bool { s, ok := kind.(string); return ok && strings.EqualFold(k, s) }) {
		return nil, fmt.Errorf("it is a %.40q", kind)
	}
	key, err := k.key(now, head.KeyID, head.Algorithm, ask)
	if err != nil {
		return nil, err
	}
	return signed.Verify(key.Key)
}

// key finds the key of a token. One that is not known may be new: the publisher is asked again, and who shows another token of it meanwhile waits.
func (k *Keys) key(now time.Time, id, algorithm string, ask func() (Set, error)) (jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.set.find(id, algorithm)
	stale := k.read.IsZero() || now.Sub(k.read) >= Fresh
	if (!ok || stale) && (k.tried.IsZero() || now.Sub(k.tried) >= Between) {
		k.tried = now
		set, err := ask()
		if err == nil {
			k.set, k.read = set, now
		} else if k.read.IsZero() || now.Sub(k.read) >= LastGood {
			k.set = nil
			return jose.JSONWebKey{}, DarkError{err}
		}
		found, ok = k.set.find(id, algorithm)
	}
	if k.read.IsZero() || now.Sub(k.read) >= LastGood {
		return jose.JSONWebKey{}, DarkError{fmt.Errorf("no keys since %s", k.read.Format(time.RFC3339))}
	}
	if !ok {
		return jose.JSONWebKey{}, fmt.Errorf("no key %.60q for %s", id, algorithm)
	}
	return found, nil
}
