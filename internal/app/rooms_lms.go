package app

import (
	"context"
	"slices"

	"cursus/internal/domain/lms"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// LMSPlatforms lists the learning platforms.
func (r Rooms) LMSPlatforms(ctx context.Context, _ api.Principal, p page.Request) ([]lms.Platform, string, error) {
	all, err := r.h.LMS.Platforms(ctx)
	out, next := cut(all, p, func(x lms.Platform) string { return x.Key })
	return out, next, err
}

// LMSPlatform finds a learning platform.
func (r Rooms) LMSPlatform(ctx context.Context, _ api.Principal, key string) (lms.Platform, error) {
	return r.h.LMS.Platform(ctx, key)
}

// PutLMSPlatform makes or rewrites a learning platform.
func (r Rooms) PutLMSPlatform(ctx context.Context, _ api.Principal, key string, version int, n lms.NewPlatform) (lms.Platform, error) {
	return r.h.LMS.Put(ctx, key, version, n)
}

// RetryLMSPlatform has a platform told again what it has not confirmed.
func (r Rooms) RetryLMSPlatform(ctx context.Context, _ api.Principal, key string) (int64, error) {
	return r.h.LMS.RetryAll(ctx, key)
}

// LMSEnrolments lists what a platform is told.
func (r Rooms) LMSEnrolments(ctx context.Context, _ api.Principal, f lms.Filter, p page.Request) ([]lms.Sync, string, error) {
	return r.h.LMS.Syncs(ctx, f, p)
}

// LMSDifferences lists what a platform lists otherwise.
func (r Rooms) LMSDifferences(ctx context.Context, _ api.Principal, key string, p page.Request) ([]lms.Difference, string, error) {
	return r.h.LMS.Differences(ctx, key, p)
}

// LMSEnrolment finds how far a platform knows of an enrolment.
func (r Rooms) LMSEnrolment(ctx context.Context, who api.Principal, enrolment string) (x lms.Sync, err error) {
	staff := slices.Contains(who.Scopes, "lms:write")
	if !staff { // also for staff who look after other things: of somebody else it is not there
		ctx = postgres.WithActor(ctx, "learner:"+who.PersonID)
	}
	err = r.h.DB.View(ctx, "lms of enrolment", func(ctx context.Context, tx *postgres.Tx) error {
		x, err = lms.SyncTx(ctx, tx, enrolment)
		return err
	})
	if !staff {
		x.Detail = ""
	}
	return x, err
}

// RetryLMSEnrolment has a platform told again of an enrolment.
func (r Rooms) RetryLMSEnrolment(ctx context.Context, _ api.Principal, enrolment, username string) (lms.Sync, error) {
	return r.h.LMS.Retry(ctx, enrolment, username)
}
