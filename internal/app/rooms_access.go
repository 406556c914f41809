package app

import (
	"context"
	"errors"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// overClient refuses who does not look after a client: staff who look after keys look after all, an owner after those of her organisation. It
// does not tell whether there is one.
func overClient(who api.Principal, id string) func(ctx context.Context, tx *postgres.Tx) error {
	return func(ctx context.Context, tx *postgres.Tx) error {
		may, err := identity.MayTx(ctx, tx, who.PersonID, "clients:write")
		if err != nil || may {
			return err
		}
		c, err := identity.ClientTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := identity.MustHoldTx(ctx, tx, c.Organisation, who.PersonID, "clients:write"); errors.Is(err, identity.ErrNoOrganisation) || errors.Is(err, identity.ErrNoPartnerRole) {
			return identity.ErrNoClient
		} else if err != nil {
			return err
		}
		return nil
	}
}

// Clients lists the systems that speak to us, as far as the caller looks after them: an owner says of which organisation.
func (r Rooms) Clients(ctx context.Context, who api.Principal, organisation string, p page.Request) (all []identity.Client, next string, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "list clients", func(ctx context.Context, tx *postgres.Tx) error {
		may, err := identity.MayTx(ctx, tx, who.PersonID, "clients:write")
		if err == nil && !may {
			if organisation == "" {
				return fault.InvalidInput(fault.Field{Pointer: "/organisation", Code: "required", Detail: "Of which organisation."})
			}
			err = identity.MustHoldTx(ctx, tx, organisation, who.PersonID, "clients:write")
		}
		if err != nil {
			return err
		}
		all, next, err = identity.ClientsTx(ctx, tx, organisation, p)
		return err
	})
	return all, next, err
}

// Client finds one with its keys.
func (r Rooms) Client(ctx context.Context, who api.Principal, id string) (identity.Client, error) {
	return view(postgres.WithActor(ctx, "system"), r.h, "client", func(ctx context.Context, tx *postgres.Tx) (identity.Client, error) {
		if err := overClient(who, id)(ctx, tx); err != nil {
			return identity.Client{}, err
		}
		return identity.ClientTx(ctx, tx, id)
	})
}

// CreateClient registers one, once per key.
func (r Rooms) CreateClient(ctx context.Context, who api.Principal, key string, n identity.NewClient) (identity.Client, error) {
	id, err := r.once(postgres.WithActor(ctx, "system"), who, key, "create client", n, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		if err := identity.MustGiveTx(ctx, tx, n.Organisation, who.PersonID, n.Scopes); err != nil {
			return "", err
		}
		c, err := identity.CreateClientTx(postgres.WithActor(ctx, who.Actor), tx, n)
		return c.ID, err
	})
	if err != nil {
		return identity.Client{}, err
	}
	return r.Client(ctx, who, id)
}

// PutClient changes what one may do.
func (r Rooms) PutClient(ctx context.Context, who api.Principal, id string, n identity.NewClient, version int) (c identity.Client, err error) {
	err = r.asHouse(ctx, who, "put client", overClient(who, id), func(ctx context.Context, tx *postgres.Tx) error {
		if c, err = identity.ClientTx(ctx, tx, id); err != nil {
			return err
		}
		if err := identity.MustGiveTx(ctx, tx, c.Organisation, who.PersonID, n.Scopes); err != nil {
			return err
		}
		c, err = identity.PutClientTx(ctx, tx, id, n, version)
		return err
	})
	return c, err
}

// EndClient ends one with its keys.
func (r Rooms) EndClient(ctx context.Context, who api.Principal, id string) error {
	return r.asHouse(ctx, who, "end client", overClient(who, id), func(ctx context.Context, tx *postgres.Tx) error { return identity.EndClientTx(ctx, tx, id) })
}

// CreateKey makes a key and gives its secret. What its client may do is no more than who makes it may: a key that she could not have made is
// not hers to have.
func (r Rooms) CreateKey(ctx context.Context, who api.Principal, client string, life time.Duration) (k identity.Key, secret string, err error) {
	err = r.asHouse(ctx, who, "make key", overClient(who, client), func(ctx context.Context, tx *postgres.Tx) error {
		c, err := identity.ClientTx(ctx, tx, client)
		if err != nil {
			return err
		}
		if err := identity.MustGiveTx(ctx, tx, c.Organisation, who.PersonID, c.Scopes); err != nil {
			return err
		}
		k, secret, err = identity.AddKeyTx(ctx, tx, client, life)
		return err
	})
	return k, secret, err
}

// EndKey ends a key.
func (r Rooms) EndKey(ctx context.Context, who api.Principal, client, key string) error {
	return r.asHouse(ctx, who, "end key", overClient(who, client), func(ctx context.Context, tx *postgres.Tx) error { return identity.EndKeyTx(ctx, tx, client, key) })
}

// GrantToken gives a client a token for one of its keys.
func (r Rooms) GrantToken(ctx context.Context, client, key string, scopes []string) (token string, may []string, life time.Duration, err error) {
	token, may, _, err = r.h.Identity.Grant(ctx, client, key, scopes)
	return token, may, identity.GrantLife, err
}
