package app

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// asHouse does something that the database lets the house alone do, for who may: may refuses the others. What it writes down is hers.
func (r Rooms) asHouse(ctx context.Context, who api.Principal, name string, may, work func(ctx context.Context, tx *postgres.Tx) error) error {
	return r.h.DB.InTx(postgres.WithActor(ctx, "system"), name, func(ctx context.Context, tx *postgres.Tx) error {
		if err := may(ctx, tx); err != nil {
			return err
		}
		return work(postgres.WithActor(ctx, who.Actor), tx)
	})
}

// ownerOf lets in staff, and the owners of an organisation, for what a scope names.
func ownerOf(who api.Principal, organisation, scope string) func(ctx context.Context, tx *postgres.Tx) error {
	return func(ctx context.Context, tx *postgres.Tx) error {
		return identity.MustHoldTx(ctx, tx, organisation, who.PersonID, scope)
	}
}

// PartnerRoles lists who is what for an organisation.
func (r Rooms) PartnerRoles(ctx context.Context, who api.Principal, organisation string) (all []identity.PartnerRole, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "partner roles", func(ctx context.Context, tx *postgres.Tx) error {
		if err := ownerOf(who, organisation, "roles:write")(ctx, tx); err != nil {
			return err
		}
		all, err = identity.PartnerRolesTx(ctx, tx, organisation)
		return err
	})
	return all, err
}

// GivePartnerRole gives a role, once per key.
func (r Rooms) GivePartnerRole(ctx context.Context, who api.Principal, key, organisation string, n api.NewPartnerRole) (out identity.PartnerRole, err error) {
	command := []any{organisation, n}
	person, err := r.once(postgres.WithActor(ctx, "system"), who, key, "give partner role", command, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		if err := ownerOf(who, organisation, "roles:write")(ctx, tx); err != nil {
			return "", err
		}
		p, err := identity.PutPersonTx(ctx, tx, n.Email, n.Name, "")
		if err != nil {
			return "", err
		}
		return p.ID, identity.PutPartnerRoleTx(postgres.WithActor(ctx, who.Actor), tx, organisation, p.ID, n.Role)
	})
	if err != nil {
		return out, err
	}
	all, err := r.PartnerRoles(ctx, who, organisation)
	for _, p := range all {
		if p.PersonID == person && p.Role == n.Role {
			return p, nil
		}
	}
	if err == nil { // a key that is said again after the role was taken
		err = identity.ErrNoPartnerRole
	}
	return out, err
}

// TakePartnerRole takes a role. Staff may take the last owner: they can name another one.
func (r Rooms) TakePartnerRole(ctx context.Context, who api.Principal, organisation, role, person string) error {
	return r.asHouse(ctx, who, "take partner role", ownerOf(who, organisation, "roles:write"), func(ctx context.Context, tx *postgres.Tx) error {
		staff, err := identity.MayTx(ctx, tx, who.PersonID, "roles:write")
		if err != nil {
			return err
		}
		return identity.DropPartnerRoleTx(ctx, tx, organisation, person, role, !staff)
	})
}
