package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
)

func (h handlers) ListPartnerRoles(ctx context.Context, r server.ListPartnerRolesRequestObject) (server.ListPartnerRolesResponseObject, error) {
	rows, err := allOf[contract.PartnerRole](h.rooms.PartnerRoles(ctx, callerOf(ctx), r.Organisation))
	return server.ListPartnerRoles200JSONResponse{Roles: rows}, err
}

func (h handlers) GivePartnerRole(ctx context.Context, r server.GivePartnerRoleRequestObject) (server.GivePartnerRoleResponseObject, error) {
	out, err := answered[contract.PartnerRole](h.rooms.GivePartnerRole(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Organisation, NewPartnerRole{
		Email: r.Body.Email, Name: value(r.Body.Name), Role: string(r.Body.Role),
	}))
	return server.GivePartnerRole201JSONResponse(out), err
}

func (h handlers) TakePartnerRole(ctx context.Context, r server.TakePartnerRoleRequestObject) (server.TakePartnerRoleResponseObject, error) {
	return server.TakePartnerRole204Response{}, h.rooms.TakePartnerRole(ctx, callerOf(ctx), r.Organisation, string(r.Role), r.Person)
}
