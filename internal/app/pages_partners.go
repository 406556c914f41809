package app

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

// asCaller is the viewer as the API knows her.
func asCaller(ctx context.Context, who web.Viewer) (context.Context, api.Principal) {
	ctx = as(ctx, who)
	return ctx, api.Principal{PersonID: who.PersonID, Actor: postgres.Actor(ctx), Scopes: who.Scopes}
}

// Partners are the organisations whose people the viewer looks after.
func (p Pages) Partners(ctx context.Context, who web.Viewer) ([]identity.Managed, error) {
	return view(postgres.WithActor(ctx, "system"), p.h, "partners", func(ctx context.Context, tx *postgres.Tx) ([]identity.Managed, error) {
		return identity.HeldTx(ctx, tx, who.PersonID, "roles:write")
	})
}

// PartnerHomes are the organisations for which the viewer is something, by key.
func (p Pages) PartnerHomes(ctx context.Context, who web.Viewer) ([]web.PartnerHome, error) {
	return view(postgres.WithActor(ctx, "system"), p.h, "homes of a partner", func(ctx context.Context, tx *postgres.Tx) (homes []web.PartnerHome, err error) {
		mine, err := identity.PartnerRolesOfTx(ctx, tx, who.PersonID)
		if err != nil {
			return nil, err
		}
		all, err := identity.OrganisationsTx(ctx, tx)
		for _, o := range all {
			home := web.PartnerHome{Managed: identity.Managed{Key: o.Key, Name: o.Name}}
			for _, r := range mine {
				if r.Organisation == o.Key {
					home.Roles = append(home.Roles, r.Role)
				}
			}
			if len(home.Roles) > 0 {
				homes = append(homes, home)
			}
		}
		return homes, err
	})
}

// PartnerRoles lists who is what for an organisation.
func (p Pages) PartnerRoles(ctx context.Context, who web.Viewer, organisation string) ([]identity.PartnerRole, error) {
	ctx, caller := asCaller(ctx, who)
	return NewRooms(p.h).PartnerRoles(ctx, caller, organisation)
}

// GivePartnerRole gives a role, once per key.
func (p Pages) GivePartnerRole(ctx context.Context, who web.Viewer, key, organisation, email, name, role string) error {
	ctx, caller := asCaller(ctx, who)
	_, err := NewRooms(p.h).GivePartnerRole(ctx, caller, key, organisation, api.NewPartnerRole{Email: email, Name: name, Role: role})
	return err
}

// TakePartnerRole takes a role.
func (p Pages) TakePartnerRole(ctx context.Context, who web.Viewer, organisation, role, person string) error {
	ctx, caller := asCaller(ctx, who)
	return NewRooms(p.h).TakePartnerRole(ctx, caller, organisation, role, person)
}
