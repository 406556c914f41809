package app

import (
	"context"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

var errNoKeys = fault.New(fault.Forbidden, "scope-missing", "This needs the scope clients:write.")

// keyed lets in who looks after keys, of all systems or of those of her organisation; which they are is for the rooms.
func (p Pages) keyed(ctx context.Context, who web.Viewer) (context.Context, api.Principal, error) {
	ctx, principal := asCaller(ctx, who)
	if !who.May("clients:write") {
		return ctx, principal, errNoKeys
	}
	return ctx, principal, nil
}

// Clients lists the systems that speak to the API: of an organisation, or all.
func (p Pages) Clients(ctx context.Context, who web.Viewer, organisation string, r page.Request) ([]identity.Client, string, error) {
	ctx, principal, err := p.keyed(ctx, who)
	if err != nil {
		return nil, "", err
	}
	return NewRooms(p.h).Clients(ctx, principal, organisation, r)
}

// Client finds one.
func (p Pages) Client(ctx context.Context, who web.Viewer, id string) (identity.Client, error) {
	ctx, principal, err := p.keyed(ctx, who)
	if err != nil {
		return identity.Client{}, err
	}
	return NewRooms(p.h).Client(ctx, principal, id)
}

// MakeClient registers one.
func (p Pages) MakeClient(ctx context.Context, who web.Viewer, key string, n identity.NewClient) (string, error) {
	ctx, principal, err := p.keyed(ctx, who)
	if err != nil {
		return "", err
	}
	c, err := NewRooms(p.h).CreateClient(ctx, principal, key, n)
	return c.ID, err
}

// SaveClient changes what one may do.
func (p Pages) SaveClient(ctx context.Context, who web.Viewer, id string, n identity.NewClient, version int) error {
	ctx, principal, err := p.keyed(ctx, who)
	if err == nil {
		_, err = NewRooms(p.h).PutClient(ctx, principal, id, n, version)
	}
	return err
}

// EndClient ends one.
func (p Pages) EndClient(ctx context.Context, who web.Viewer, id string) error {
	ctx, principal, err := p.keyed(ctx, who)
	if err == nil {
		err = NewRooms(p.h).EndClient(ctx, principal, id)
	}
	return err
}

// MakeKey makes a key and gives its secret.
func (p Pages) MakeKey(ctx context.Context, who web.Viewer, client string, life time.Duration) (k identity.Key, secret string, err error) {
	ctx, principal, err := p.keyed(ctx, who)
	if err != nil {
		return k, "", err
	}
	return NewRooms(p.h).CreateKey(ctx, principal, client, life)
}

// EndKey ends a key.
func (p Pages) EndKey(ctx context.Context, who web.Viewer, client, key string) error {
	ctx, principal, err := p.keyed(ctx, who)
	if err == nil {
		err = NewRooms(p.h).EndKey(ctx, principal, client, key)
	}
	return err
}
