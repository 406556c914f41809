package api

import (
	"context"
	"strings"

	contract "cursus/api"
	"cursus/api/server"
)

func (h handlers) GetBadgeIssuer(context.Context, server.GetBadgeIssuerRequestObject) (server.GetBadgeIssuerResponseObject, error) {
	out, err := as[contract.BadgeIssuer](h.rooms.BadgeIssuer())
	return server.GetBadgeIssuer200JSONResponse(out), err
}

func (h handlers) ListBadgeKeys(ctx context.Context, _ server.ListBadgeKeysRequestObject) (server.ListBadgeKeysResponseObject, error) {
	all, err := h.rooms.BadgeKeys(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]contract.BadgeKey, len(all))
	for i, k := range all {
		if keys[i], err = as[contract.BadgeKey](k.JWK); err != nil {
			return nil, err
		}
	}
	return server.ListBadgeKeys200JSONResponse{Keys: keys}, nil
}

func (h handlers) GetBadgeKey(ctx context.Context, r server.GetBadgeKeyRequestObject) (server.GetBadgeKeyResponseObject, error) {
	k, err := h.rooms.BadgeKey(ctx, r.BadgeKey)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.BadgeKey](k.JWK)
	return server.GetBadgeKey200JSONResponse(out), err
}

func (h handlers) RotateBadgeKey(ctx context.Context, r server.RotateBadgeKeyRequestObject) (server.RotateBadgeKeyResponseObject, error) {
	k, err := h.rooms.RotateBadgeKey(ctx, callerOf(ctx), r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.BadgeKey](k.JWK)
	return server.RotateBadgeKey201JSONResponse(out), err
}

func (h handlers) GetBadge(ctx context.Context, r server.GetBadgeRequestObject) (server.GetBadgeResponseObject, error) {
	token, err := h.rooms.Badge(ctx, r.Code)
	if err != nil {
		return nil, err
	}
	return server.GetBadge200ApplicationvcJwtResponse{
		Body: strings.NewReader(token), ContentLength: int64(len(token)),
		Headers: server.GetBadge200ResponseHeaders{ContentDisposition: `attachment; filename="` + r.Code + `.jwt"`},
	}, nil
}

func (h handlers) GetBadgeStatus(ctx context.Context, r server.GetBadgeStatusRequestObject) (server.GetBadgeStatusResponseObject, error) {
	token, err := h.rooms.BadgeStatus(ctx, r.StatusList)
	if err != nil {
		return nil, err
	}
	return server.GetBadgeStatus200ApplicationvcJwtResponse{Body: strings.NewReader(token), ContentLength: int64(len(token))}, nil
}
