package app

import (
	"context"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Clients lists the systems that speak to us.
func (r Rooms) Clients(ctx context.Context, _ api.Principal, organisation string, p page.Request) (all []identity.Client, next string, err error) {
	err = r.h.DB.View(ctx, "list clients", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = identity.ClientsTx(ctx, tx, organisation, p)
		return err
	})
	return all, next, err
}

// Client finds one with its keys.
func (r Rooms) Client(ctx context.Context, _ api.Principal, id string) (identity.Client, error) {
	return view(ctx, r.h, "client", func(ctx context.Context, tx *postgres.Tx) (identity.Client, error) {
		return identity.ClientTx(ctx, tx, id)
	})
}

// CreateClient registers one, once per key.
func (r Rooms) CreateClient(ctx context.Context, who api.Principal, key string, n identity.NewClient) (identity.Client, error) {
	id, err := r.once(ctx, who, key, "create client", n, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		c, err := identity.CreateClientTx(ctx, tx, n)
		return c.ID, err
	})
	if err != nil {
		return identity.Client{}, err
	}
	return r.Client(ctx, who, id)
}

// PutClient changes what one may do.
func (r Rooms) PutClient(ctx context.Context, _ api.Principal, id string, n identity.NewClient, version int) (identity.Client, error) {
	return change(ctx, r.h, "put client", func(ctx context.Context, tx *postgres.Tx) (identity.Client, error) {
		return identity.PutClientTx(ctx, tx, id, n, version)
	})
}

// EndClient ends one with its keys.
func (r Rooms) EndClient(ctx context.Context, _ api.Principal, id string) error {
	return r.h.DB.InTx(ctx, "end client", func(ctx context.Context, tx *postgres.Tx) error { return identity.EndClientTx(ctx, tx, id) })
}

// CreateKey makes a key and gives its secret.
func (r Rooms) CreateKey(ctx context.Context, _ api.Principal, client string, life time.Duration) (k identity.Key, secret string, err error) {
	err = r.h.DB.InTx(ctx, "make key", func(ctx context.Context, tx *postgres.Tx) error {
		k, secret, err = identity.AddKeyTx(ctx, tx, client, life)
		return err
	})
	return k, secret, err
}

// EndKey ends a key.
func (r Rooms) EndKey(ctx context.Context, _ api.Principal, client, key string) error {
	return r.h.DB.InTx(ctx, "end key", func(ctx context.Context, tx *postgres.Tx) error { return identity.EndKeyTx(ctx, tx, client, key) })
}

// GrantToken gives a client a token for one of its keys.
func (r Rooms) GrantToken(ctx context.Context, client, key string, scopes []string) (token string, may []string, life time.Duration, err error) {
	token, may, _, err = r.h.Identity.Grant(ctx, client, key, scopes)
	return token, may, identity.GrantLife, err
}
