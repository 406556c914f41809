package certificates

import (
	"context"
	"errors"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/paths"
	"cursus/internal/platform/postgres"
)

// RevokeFailed revokes the certificates of an enrolment whose sitting is not passed any more, because a later review found otherwise, and those of
// programs that were complete by one of these alone. What asks for no exam, and what was passed, stays.
func (s *Service) RevokeFailed(ctx context.Context, enrolmentID, reason string) error {
	return s.db.InTx(ctx, "revoke failed", func(ctx context.Context, tx *postgres.Tx) error {
		live, err := liveBehindTx(ctx, tx, enrolmentID)
		if err != nil {
			return err
		}
		var failed, programs []Certificate // programs that are complete before anything is revoked
		for _, c := range live {
			switch done, err := doneTx(ctx, tx, c); {
			case err != nil:
				return err
			case c.EditionID != "" && done:
				programs = append(programs, c)
			case c.EditionID == "" && !done:
				failed = append(failed, c)
			}
		}
		for _, c := range append(failed, programs...) {
			done, err := doneTx(ctx, tx, c)
			if err == nil && !done {
				_, err = s.revokeTx(ctx, tx, c, reason)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// doneTx says whether what a certificate was awarded for is done still: its sitting is passed, or its program complete. What asks for no exam
// attests what was reached once.
func doneTx(ctx context.Context, tx *postgres.Tx, c Certificate) (bool, error) {
	switch {
	case c.SittingID != "":
		x, err := exams.SittingTx(ctx, tx, c.SittingID)
		return x.State == exams.Passed, err
	case c.EditionID != "":
		way, err := paths.OfLearnerTx(ctx, tx, c.LearnerID, c.EditionID)
		if errors.Is(err, paths.ErrNotMember) {
			err = nil
		}
		return way.Path.Complete, err
	}
	return true, nil
}
