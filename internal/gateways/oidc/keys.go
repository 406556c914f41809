package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/jwks"
)

// verified gives what stands in a token of a provider. See jwks.Keys.
func (g *Gate) verified(ctx context.Context, known *provider, d document, token string, kinds ...string) ([]byte, error) {
	return known.keys.Open(g.clock.Now(), token, func() (jwks.Set, error) { return g.published(ctx, d) }, kinds...)
}

// published reads the keys of a provider.
func (g *Gate) published(ctx context.Context, d document) (set jwks.Set, err error) {
	if err = g.get(ctx, d.Keys, &set); err == nil && len(set) == 0 {
		err = errors.New("it publishes no keys")
	}
	return set, err
}

// refusal says why a token is not taken: for the log, who shows one is not told.
func refusal(err error) error {
	var dark jwks.DarkError
	if errors.As(err, &dark) {
		return identity.ErrProviderDown.Because(err)
	}
	return identity.ErrProviderSaid.Because(err)
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
	k.Taken = slices.ContainsFunc(jwks.Algorithms(), func(a string) bool { return jwks.Signs(key, a) })
	return k
}
