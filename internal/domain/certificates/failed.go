package certificates

import (
	"context"
	"errors"

	"cursus/internal/domain/exams"
	"cursus/internal/platform/postgres"
)

// RevokeFailed revokes the live certificate of an enrolment that has no passed sitting any more, because a later review found otherwise; with
// one it changes nothing.
func (s *Service) RevokeFailed(ctx context.Context, enrolmentID, reason string) error {
	return s.db.InTx(ctx, "revoke failed", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := enrolmentOf(ctx, tx, enrolmentID); err != nil {
			return err
		}
		all, err := exams.OfEnrolmentTx(ctx, tx, enrolmentID)
		if err != nil {
			return err
		}
		for _, x := range all {
			if x.State == exams.Passed {
				return nil
			}
		}
		c, err := one(ctx, tx, "LiveOfEnrolment", enrolmentID)
		if errors.Is(err, ErrNoCertificate) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = s.revokeTx(ctx, tx, c, reason)
		return err
	})
}
