package app

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/lms"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var errNoLMS = fault.New(fault.Forbidden, "scope-missing", "This needs the scope lms:write.")

// onPlatforms lets in who looks after learning platforms, and says whether she may also write their settings.
func (p Pages) onPlatforms(ctx context.Context, who web.Viewer) (_ context.Context, maySet bool, err error) {
	ctx = as(ctx, who)
	err = p.h.DB.View(ctx, "may look after platforms", func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoLMS, "lms:write"); err != nil {
			return err
		}
		maySet, err = identity.MayTx(ctx, tx, who.PersonID, "keys:write")
		return err
	})
	return ctx, maySet, err
}

// LMSPlatforms lists the learning platforms.
func (p Pages) LMSPlatforms(ctx context.Context, who web.Viewer) ([]lms.Platform, bool, error) {
	ctx, may, err := p.onPlatforms(ctx, who)
	if err != nil {
		return nil, false, err
	}
	all, err := p.h.LMS.Platforms(ctx)
	return all, may, err
}

// LMSPlatform finds one.
func (p Pages) LMSPlatform(ctx context.Context, who web.Viewer, key string) (lms.Platform, bool, error) {
	ctx, may, err := p.onPlatforms(ctx, who)
	if err != nil {
		return lms.Platform{}, false, err
	}
	one, err := p.h.LMS.Platform(ctx, key)
	return one, may, err
}

// SaveLMSPlatform writes the settings of one.
func (p Pages) SaveLMSPlatform(ctx context.Context, who web.Viewer, key string, version int, n lms.NewPlatform) error {
	ctx, may, err := p.onPlatforms(ctx, who)
	if err == nil && !may {
		err = errNoKeys
	}
	if err != nil {
		return err
	}
	_, err = p.h.LMS.Put(ctx, key, version, n)
	return err
}

// LMSEnrolments lists what a platform is told.
func (p Pages) LMSEnrolments(ctx context.Context, who web.Viewer, f lms.Filter, r page.Request) ([]lms.Sync, string, error) {
	ctx, _, err := p.onPlatforms(ctx, who)
	if err != nil {
		return nil, "", err
	}
	return p.h.LMS.Syncs(ctx, f, r)
}

// LMSDifferences lists what a platform lists otherwise.
func (p Pages) LMSDifferences(ctx context.Context, who web.Viewer, key string) ([]lms.Difference, error) {
	ctx, _, err := p.onPlatforms(ctx, who)
	if err != nil {
		return nil, err
	}
	all, _, err := p.h.LMS.Differences(ctx, key, page.Request{Limit: page.MaxLimit}) // with more something greater is amiss
	return all, err
}

// RetryLMSEnrolment has a platform told again of an enrolment.
func (p Pages) RetryLMSEnrolment(ctx context.Context, who web.Viewer, enrolment, username string) error {
	ctx, _, err := p.onPlatforms(ctx, who)
	if err == nil {
		_, err = p.h.LMS.Retry(ctx, enrolment, username)
	}
	return err
}

// RetryLMSPlatform has a platform told again what it has not confirmed.
func (p Pages) RetryLMSPlatform(ctx context.Context, who web.Viewer, key string) error {
	ctx, _, err := p.onPlatforms(ctx, who)
	if err == nil {
		_, err = p.h.LMS.RetryAll(ctx, key)
	}
	return err
}
