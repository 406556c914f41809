package lms

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

// The troubles of a session without a platform that can be read.
const (
	NoPlatform       = "no_platform"
	PlatformDisabled = "platform_disabled"
)

// GradesPage gives a page of the grades of a session on its platform, at the rate that this allows: the gradebook, of a cohort (0: of
// everybody), or the totals alone. The results are a list in the platform's own words. Why it gives none is a *Trouble.
func (s *Service) GradesPage(ctx context.Context, sessionID string, totals bool, cohort int64, cursor string) (results json.RawMessage, next string, err error) {
	a, course, err := s.reads(ctx, sessionID)
	if err != nil {
		return nil, "", err
	}
	return s.door.Grades(ctx, a, course, totals, cohort, cursor)
}

// ListPage gives a page of who is enrolled in a session on its platform, and who is not any more. Otherwise it is like GradesPage.
func (s *Service) ListPage(ctx context.Context, sessionID, cursor string) (rows []Record, next string, err error) {
	a, course, err := s.reads(ctx, sessionID)
	if err != nil {
		return nil, "", err
	}
	return s.door.List(ctx, a, course, cursor)
}

// reads waits for our turn to ask the platform of a session something. While the platform is left alone, it is.
func (s *Service) reads(ctx context.Context, sessionID string) (a Access, course string, err error) {
	ctx = asSystem(ctx)
	var found []struct {
		comparison
		ClosedUntil *time.Time `db:"closed_until"`
	}
	var now time.Time
	if err := s.db.View(ctx, "platform of session", func(ctx context.Context, tx *postgres.Tx) error {
		found, now = nil, tx.Now()
		return tx.Select(ctx, &found, q.Q("PlatformOfSession"), sessionID)
	}); err != nil {
		return a, "", err
	}
	if len(found) == 0 {
		return a, "", &Trouble{Code: NoPlatform}
	}
	c := found[0]
	switch {
	case !c.Enabled:
		return a, "", &Trouble{Code: PlatformDisabled}
	case c.ClosedUntil != nil && c.ClosedUntil.After(now):
		return a, "", &Trouble{Code: ServerError, Later: c.ClosedUntil.Sub(now)}
	}
	secret, err := s.seal.Open(c.Sealed, c.Platform)
	if errors.Is(err, seal.ErrNotReadable) {
		return a, "", &Trouble{Code: SecretUnusable}
	}
	if err != nil {
		return a, "", err
	}
	a = Access{Platform: c.Platform, Version: c.Version, BaseURL: c.BaseURL, Auth: c.Auth, ClientID: c.ClientID, Secret: string(secret)}
	return a, c.Course, s.turn(ctx, a.Platform)
}
