package app

import (
	"context"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var errNoProviders = fault.New(fault.Forbidden, "scope-missing", "This needs the scope providers:write.")

// SignInBy lists the providers that stand on the sign-in page.
func (p Pages) SignInBy(ctx context.Context) ([]identity.Provider, error) {
	return p.h.Identity.SignInBy(ctx)
}

// StartSignIn begins a sign-in at a provider.
func (p Pages) StartSignIn(ctx context.Context, provider, next, lang string, afresh bool) (address, flow string, err error) {
	var maxAge time.Duration
	if afresh {
		maxAge = time.Minute // she comes back from there within it
	}
	return p.h.Identity.StartOpenID(ctx, provider, p.h.Config.BaseURL, next, lang, maxAge)
}

// FinishSignIn opens a session for who comes back from a provider. Why an answer was refused is for the log alone.
func (p Pages) FinishSignIn(ctx context.Context, provider, flow, state, code, issuer, current string) (web.Opened, error) {
	who, secret, expires, err := p.h.Identity.FinishOpenID(ctx, provider, flow, state, code, issuer, current)
	if err != nil {
		p.h.Log.WarnContext(ctx, "sign-in by a provider refused", "provider", provider, "error", err)
		return web.Opened{}, err
	}
	return p.opened(ctx, who, secret, expires), nil
}

// Providers lists the providers for who looks after them.
func (p Pages) Providers(ctx context.Context, who web.Viewer) ([]identity.Provider, error) {
	return view(as(ctx, who), p.h, "providers", func(ctx context.Context, tx *postgres.Tx) ([]identity.Provider, error) {
		if err := mayTx(ctx, tx, who, errNoProviders, "providers:write"); err != nil {
			return nil, err
		}
		return identity.ProvidersTx(ctx, tx)
	})
}

// SaveProvider makes or rewrites a provider.
func (p Pages) SaveProvider(ctx context.Context, who web.Viewer, id string, n identity.NewProvider, version int) (string, error) {
	if _, err := p.Providers(ctx, who); err != nil {
		return "", err
	}
	if id == "" {
		return p.h.Identity.CreateProvider(as(ctx, who), n)
	}
	return id, p.h.Identity.PutProvider(as(ctx, who), id, n, version)
}

// SignOutByProvider ends the sessions that a provider's logout token names. Why one was refused is for the log alone.
func (p Pages) SignOutByProvider(ctx context.Context, provider, token string) error {
	ended, err := p.h.Identity.SignOutByProvider(ctx, provider, token)
	if err != nil {
		p.h.Log.WarnContext(ctx, "logout by a provider refused", "provider", provider, "error", err)
		return err
	}
	p.h.Log.InfoContext(ctx, "logout by a provider", "provider", provider, "sessions", ended)
	return nil
}

// ProviderHints lists what the groups of people at a provider hint at, for who looks after providers.
func (p Pages) ProviderHints(ctx context.Context, who web.Viewer, id string) ([]identity.Hint, error) {
	return view(as(ctx, who), p.h, "provider hints", func(ctx context.Context, tx *postgres.Tx) ([]identity.Hint, error) {
		if err := mayTx(ctx, tx, who, errNoProviders, "providers:write"); err != nil {
			return nil, err
		}
		return identity.HintsTx(ctx, tx, id)
	})
}

// TestProvider reads what a provider publishes of itself now, for who looks after providers.
func (p Pages) TestProvider(ctx context.Context, who web.Viewer, id string) (identity.ProviderReport, error) {
	if _, err := p.Providers(ctx, who); err != nil {
		return identity.ProviderReport{}, err
	}
	return p.h.Identity.TestProvider(as(ctx, who), id)
}
