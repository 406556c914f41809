package certificates

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// codeBytes is the length of a certificate's code: 128 random bits.
const codeBytes = 16

// Award gives the certificate that a passed sitting has earned, once. Errors: exams.ErrNoSitting, ErrNotEarned.
func (s *Service) Award(ctx context.Context, sittingID string) (c Certificate, err error) {
	err = s.db.InTx(ctx, "award", func(ctx context.Context, tx *postgres.Tx) error {
		x, err := exams.SittingTx(ctx, tx, sittingID)
		if err != nil {
			return err
		}
		e, err := enrolmentOf(ctx, tx, x.EnrolmentID)
		if err != nil {
			return err
		}
		if c, err = one(ctx, tx, "OfSitting", x.ID); !errors.Is(err, ErrNoCertificate) {
			return err
		}
		if x.State != exams.Passed || !x.Kind.Counts() || !e.Has(offers.Certificate) {
			return ErrNotEarned
		}
		// Attendance or a production may have been corrected since the exam was booked.
		done, err := workshops.CompletionTx(ctx, tx, e.ID)
		if err != nil {
			return err
		}
		if !done[e.ID].Complete() {
			return ErrNotEarned
		}
		c, err = s.awardTx(ctx, tx, x, e)
		return err
	})
	return c, err
}

func (s *Service) awardTx(ctx context.Context, tx *postgres.Tx, x exams.Sitting, e enrolment.Enrolment) (Certificate, error) {
	person, err := identity.PersonTx(ctx, tx, e.LearnerID)
	if err != nil {
		return Certificate{}, err
	}
	session, err := catalog.SessionTx(ctx, tx, e.SessionID)
	if err != nil {
		return Certificate{}, err
	}
	course, err := catalog.CourseTx(ctx, tx, session.CourseKey)
	if err != nil {
		return Certificate{}, err
	}
	code := ident.Secret(codeBytes)
	c := Certificate{ID: ident.New("cer"), EnrolmentID: e.ID, LearnerID: e.LearnerID, SessionID: e.SessionID, Code: code, IssuedAt: tx.Now()}
	c.Facts = CertificateFacts{
		Kind: "achievement", HolderName: person.FullName, CourseTitle: course.Title.In(person.Lang), Session: session.Key, Formula: e.Formula,
		Issuer: s.issuer.Name, Signatory: s.issuer.Signatory, Grade: percent(*x.ScorePPM, person.Lang), IssuedAt: tx.Now(), Code: code,
		VerificationURL: s.issuer.BaseURL + "/verify/" + code, Language: person.Lang, Demo: s.demo,
	}
	facts, err := json.Marshal(c.Facts)
	if err != nil {
		return Certificate{}, err
	}
	if _, err := tx.Exec(ctx, q.Q("Add"), c.ID, c.EnrolmentID, c.LearnerID, c.SessionID, x.ID, c.Code, string(facts), c.IssuedAt); err != nil {
		return Certificate{}, err
	}
	if err := journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: e.ID, Stage: journey.Certified, At: tx.Now(), Reached: true, Cause: c.ID}}); err != nil {
		return Certificate{}, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, Awarded{c.ID}); err != nil {
		return Certificate{}, err
	}
	return c, audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate.awarded", Object: c.ID, Detail: map[string]string{"sitting": x.ID}})
}

// percent prints millionths as whole per cents, rounded down: nobody is given a grade that she did not reach.
func percent(ppm int, lang string) string {
	if lang == "fr" {
		return fmt.Sprintf("%d\u00a0%%", ppm/10_000)
	}
	return fmt.Sprintf("%d %%", ppm/10_000)
}

// Revoke takes a certificate back. It stays verifiable, as revoked.
func (s *Service) Revoke(ctx context.Context, id, reason string) (c Certificate, err error) {
	if reason == "" || utf8.RuneCountInString(reason) > 200 {
		return c, ErrReason
	}
	err = s.db.InTx(ctx, "revoke certificate", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if c, err = one(ctx, tx, "One", id); err != nil {
			return err
		}
		if c, err = s.revokeTx(ctx, tx, c, reason); err != nil {
			return err
		}
		return nil
	})
	return c, err
}

func (s *Service) revokeTx(ctx context.Context, tx *postgres.Tx, c Certificate, reason string) (Certificate, error) {
	if _, err := enrolmentOf(ctx, tx, c.EnrolmentID); err != nil {
		return c, err
	}
	n, err := tx.Exec(ctx, q.Q("Revoke"), c.ID, tx.Now(), reason, postgres.Actor(ctx))
	if err != nil {
		return c, err
	}
	if n == 0 {
		return c, ErrRevoked
	}
	if err := journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: c.EnrolmentID, Stage: journey.Certified, At: tx.Now(), Cause: c.ID}}); err != nil {
		return c, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate.revoked", Object: c.ID, Detail: map[string]string{"reason": reason}}); err != nil {
		return c, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, Revoked{c.ID}); err != nil {
		return c, err
	}
	return one(ctx, tx, "One", c.ID)
}

// RevokeUnpaid revokes the live certificate of an enrolment whose formula no longer leads to one; otherwise it changes
// nothing.
func (s *Service) RevokeUnpaid(ctx context.Context, enrolmentID, reason string) error {
	return s.db.InTx(ctx, "revoke unpaid", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolmentOf(ctx, tx, enrolmentID)
		if err != nil || e.Has(offers.Certificate) || e.Hold != enrolment.NoHold { // one that is held back was not taken back
			return err
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

func init() {
	postgres.RegisterConstraint("one_live_certificate", fault.New(fault.Conflict, "certificate-exists", "This learner has a certificate of this session."))
}
