package api

import (
	"context"

	"cursus/internal/domain/identity"
)

// PartnerRoleRooms is what the API asks of the house about who is what for an organisation. Who has nothing to do with it is NotFound.
type PartnerRoleRooms interface {
	PartnerRoles(ctx context.Context, who Principal, organisation string) ([]identity.PartnerRole, error)
	// GivePartnerRole gives a role to who has an address, once per key; she is made where it is new.
	GivePartnerRole(ctx context.Context, who Principal, key, organisation string, n NewPartnerRole) (identity.PartnerRole, error)
	TakePartnerRole(ctx context.Context, who Principal, organisation, role, person string) error
}

// NewPartnerRole is who becomes what.
type NewPartnerRole struct{ Email, Name, Role string }
