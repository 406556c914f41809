package certificates

import (
	"context"
	"errors"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/paths"
	"cursus/internal/platform/postgres"
)

// notPassed is the reason for which RevokeFailed revokes. The certificate of a sitting holds again by itself when the exam is passed after all; that of
// a program is awarded anew, or reinstated, by who awards these.
const notPassed = "a review found the exam not passed"

// RevokeFailed revokes the certificates of an enrolment whose sitting is not passed any more, because a later review found otherwise, and those of
// programs that were complete, and transcripts that were true, by one of these alone. What asks for no exam, and what was passed, stays.
func (s *Service) RevokeFailed(ctx context.Context, enrolmentID string) error {
	return s.db.InTx(ctx, "revoke failed", func(ctx context.Context, tx *postgres.Tx) error {
		live, err := liveBehindTx(ctx, tx, enrolmentID)
		if err != nil {
			return err
		}
		var failed, programs []Certificate // of programs: complete, or true, before anything is revoked
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
				_, err = s.revokeTx(ctx, tx, c, notPassed)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// againTx reinstates the certificate of a passed sitting that a review had found not passed. Another one that was awarded meanwhile stays in its place,
// and what was revoked for another reason stays revoked. Error: ErrNotEarned.
func (s *Service) againTx(ctx context.Context, tx *postgres.Tx, c Certificate) (Certificate, error) {
	if c.RevokedReason != notPassed {
		return c, nil
	}
	var live []string
	if err := tx.Select(ctx, &live, q.Q("Live"), c.LearnerID, c.Kind, c.SessionID); err != nil || len(live) > 0 {
		return c, err
	}
	return s.reinstateTx(ctx, tx, c, "the exam is passed after all")
}

// doneTx says whether what a certificate was awarded for is done still: its sitting is passed, its program complete, what a transcript calls passed
// passed. What asks for no exam attests what was reached once.
func doneTx(ctx context.Context, tx *postgres.Tx, c Certificate) (bool, error) {
	switch {
	case c.SittingID != "":
		x, err := exams.SittingTx(ctx, tx, c.SittingID)
		return x.State == exams.Passed, err
	case c.EditionID != "":
		way, err := paths.OfLearnerTx(ctx, tx, c.LearnerID, c.EditionID)
		if errors.Is(err, paths.ErrNotMember) {
			return false, nil
		}
		if err != nil || c.Facts.Transcript == nil {
			return way.Path.Complete, err
		}
		now, err := transcriptTx(ctx, tx, Kind{}, way)
		return err == nil && c.Facts.Transcript.stillTrue(now), err
	}
	return true, nil
}
