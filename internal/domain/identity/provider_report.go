package identity

import (
	"context"

	"cursus/internal/platform/postgres"
)

// ProviderReport is what a provider publishes of itself, read just now, and what of it does not fit.
type ProviderReport struct {
	Failure     string // why its configuration cannot be used; empty: it can
	KeysFailure string // the same of its keys
	Issuer      string
	Endpoints   []Endpoint // those that sign-ins and sign-outs need
	BackChannel bool       // it tells us when somebody signs out there
	NoPKCE      bool       // it names how it holds a code to who asked for it, and ours is not among that
	NoAlgorithm bool       // it names what it signs with, and nothing that we take is among it
	Unnamed     []string   // claims that we look for and that it does not list
	Keys        []ProviderKey
}

// Endpoint is one address of a provider; empty where it has none.
type Endpoint struct{ Name, Address string }

// ProviderKey is one key of a provider. It is not taken because of its use, its kind or its size.
type ProviderKey struct {
	ID, Kind, Algorithm string
	Bits                int // of RSA; 0: another kind
	Taken               bool
}

// Usable says whether people can sign in by it, as far as can be seen from here.
func (r ProviderReport) Usable() bool {
	taken := false
	for _, k := range r.Keys {
		taken = taken || k.Taken
	}
	return r.Failure == "" && r.KeysFailure == "" && taken && !r.NoPKCE && !r.NoAlgorithm
}

// TestProvider reads what a provider publishes, whether it is in use or not. What does not fit is in the report. Error: ErrNoProvider.
func (s *Service) TestProvider(ctx context.Context, id string) (r ProviderReport, err error) {
	var p Provider
	err = s.db.View(ctx, "test provider", func(ctx context.Context, tx *postgres.Tx) error {
		p, err = ProviderTx(ctx, tx, id)
		return err
	})
	if err != nil {
		return r, err
	}
	return s.openID.Look(ctx, p), nil
}
