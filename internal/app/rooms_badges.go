package app

import (
	"context"
	"net/url"

	"cursus/internal/domain/badges"
	"cursus/internal/domain/certificates"
	"cursus/internal/transport/api"
)

// BadgeIssuer is who issues badges.
func (r Rooms) BadgeIssuer() badges.Profile { return r.h.Badges.Issuer() }

// BadgeKeys are the keys that sign badges, or did.
func (r Rooms) BadgeKeys(ctx context.Context) ([]badges.Key, error) { return r.h.Badges.Keys(ctx) }

// BadgeKey finds one.
func (r Rooms) BadgeKey(ctx context.Context, id string) (badges.Key, error) {
	return r.h.Badges.Key(ctx, id)
}

// RotateBadgeKey has another key sign.
func (r Rooms) RotateBadgeKey(ctx context.Context, who api.Principal, key string) (badges.Key, error) {
	return r.h.Badges.Rotate(ctx, who.PersonID, key)
}

// Badge is the badge of a certificate.
func (r Rooms) Badge(ctx context.Context, code string) (string, error) {
	return r.h.Badges.Badge(ctx, code)
}

// BadgeStatus says which badges were revoked.
func (r Rooms) BadgeStatus(ctx context.Context, list int) (string, error) {
	return r.h.Badges.Status(ctx, list)
}

// linkedIn is the address of the form with which somebody adds a certificate to her profile there. Nothing is told to anybody before she follows it.
func linkedIn(c certificates.Certificate) string {
	return "https://www.linkedin.com/profile/add?" + url.Values{
		"startTask": {"CERTIFICATION_NAME"}, "name": {c.Facts.CourseTitle}, "organizationName": {c.Facts.Issuer}, "certId": {c.Code}, "certUrl": {c.Facts.VerificationURL},
		"issueYear": {c.IssuedAt.UTC().Format("2006")}, "issueMonth": {c.IssuedAt.UTC().Format("1")},
	}.Encode()
}
