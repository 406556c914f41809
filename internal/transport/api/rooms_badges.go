package api

import (
	"context"

	"cursus/internal/domain/badges"
)

// BadgeRooms is what the API asks of the house about badges, in the room's own types. All but RotateBadgeKey is public.
type BadgeRooms interface {
	BadgeIssuer() badges.Profile
	BadgeKeys(ctx context.Context) ([]badges.Key, error)
	BadgeKey(ctx context.Context, id string) (badges.Key, error)
	RotateBadgeKey(ctx context.Context, who Principal, key string) (badges.Key, error)
	// Badge and BadgeStatus are JSON Web Tokens.
	Badge(ctx context.Context, code string) (string, error)
	BadgeStatus(ctx context.Context, list int) (string, error)
}
