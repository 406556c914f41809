package api

import (
	"context"

	"cursus/internal/domain/lms"
	"cursus/internal/kernel/page"
)

// LMSRooms is what the API asks of the house about learning platforms, in the room's own types.
type LMSRooms interface {
	LMSPlatforms(ctx context.Context, who Principal, p page.Request) (all []lms.Platform, next string, err error)
	LMSPlatform(ctx context.Context, who Principal, key string) (lms.Platform, error)
	// PutLMSPlatform makes or rewrites a platform. version is the one that was read; 0 takes any, or none.
	PutLMSPlatform(ctx context.Context, who Principal, key string, version int, n lms.NewPlatform) (lms.Platform, error)
	RetryLMSPlatform(ctx context.Context, who Principal, key string) (int64, error)
	LMSEnrolments(ctx context.Context, who Principal, f lms.Filter, p page.Request) (all []lms.Sync, next string, err error)
	LMSDifferences(ctx context.Context, who Principal, key string, p page.Request) (all []lms.Difference, next string, err error)
	// LMSEnrolment is of her own, or of anybody for who looks after platforms.
	LMSEnrolment(ctx context.Context, who Principal, enrolment string) (lms.Sync, error)
	RetryLMSEnrolment(ctx context.Context, who Principal, enrolment, username string) (lms.Sync, error)
}
