package certificates

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/platform/postgres"
)

// RevokeFailed revokes what rests upon an exam of an enrolment that has no passed sitting any more, because a later review found otherwise; with
// one it changes nothing, and what asks for no exam stays.
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
		var ids []string
		if err := tx.Select(ctx, &ids, q.Q("LiveOfExam"), enrolmentID); err != nil {
			return err
		}
		for _, id := range ids {
			c, err := lockTx(ctx, tx, id)
			if err != nil {
				return err
			}
			if c.State() != StateValid {
				continue
			}
			if _, err := s.revokeTx(ctx, tx, c, reason); err != nil {
				return err
			}
		}
		return nil
	})
}
