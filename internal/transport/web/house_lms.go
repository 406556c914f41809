package web

import (
	"context"

	"cursus/internal/domain/lms"
	paging "cursus/internal/kernel/page"
)

// LMSHouse is what the pages ask of the rooms about learning platforms. Who may not look after them is Forbidden; maySet says whether she may
// also write their settings.
type LMSHouse interface {
	LMSPlatforms(ctx context.Context, who Viewer) (all []lms.Platform, maySet bool, err error)
	LMSPlatform(ctx context.Context, who Viewer, key string) (p lms.Platform, maySet bool, err error)
	// SaveLMSPlatform writes one over the version that was read, or with -1 one that must not be there.
	SaveLMSPlatform(ctx context.Context, who Viewer, key string, version int, n lms.NewPlatform) error
	LMSEnrolments(ctx context.Context, who Viewer, f lms.Filter, p paging.Request) (all []lms.Sync, next string, err error)
	// LMSDifferences are what a platform lists otherwise, at most a page of them.
	LMSDifferences(ctx context.Context, who Viewer, key string) ([]lms.Difference, error)
	// RetryLMSEnrolment has a platform told again of an enrolment; username, where given, is who the learner is there.
	RetryLMSEnrolment(ctx context.Context, who Viewer, enrolment, username string) error
	RetryLMSPlatform(ctx context.Context, who Viewer, key string) error
}
