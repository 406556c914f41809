package certificates

import (
	"context"
	"net/http"
	"unicode/utf8"

	"cursus/internal/books/journey"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

func reasonable(reason string) error {
	if n := utf8.RuneCountInString(reason); n < 1 || n > 200 {
		return ErrReason
	}
	return nil
}

// lockTx finds a certificate and holds it until the transaction ends, after its enrolment.
func lockTx(ctx context.Context, tx *postgres.Tx, id string) (Certificate, error) {
	c, err := one(ctx, tx, "One", id)
	if err != nil {
		return c, err
	}
	if c.EnrolmentID != "" {
		if _, err := enrolment.LockTx(ctx, tx, c.EnrolmentID); err != nil {
			return c, err
		}
	}
	if _, err := tx.Exec(ctx, q.Q("Lock"), id); err != nil {
		return c, err
	}
	return one(ctx, tx, "One", id)
}

// Revoke takes a certificate back. It stays verifiable, as revoked. Errors: ErrNoCertificate, ErrReason, ErrRevoked, ErrReplaced.
func (s *Service) Revoke(ctx context.Context, id, reason string) (c Certificate, err error) {
	if err := reasonable(reason); err != nil {
		return c, err
	}
	err = s.db.InTx(ctx, "revoke certificate", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if c, err = lockTx(ctx, tx, id); err != nil {
			return err
		}
		c, err = s.revokeTx(ctx, tx, c, reason)
		return err
	})
	return c, err
}

func (s *Service) revokeTx(ctx context.Context, tx *postgres.Tx, c Certificate, reason string) (Certificate, error) {
	switch c.State() {
	case StateRevoked:
		return c, ErrRevoked
	case StateReplaced:
		return c, ErrReplaced
	}
	n, err := tx.Exec(ctx, q.Q("Revoke"), c.ID, tx.Now(), reason, postgres.Actor(ctx))
	if err != nil {
		return c, err
	}
	if n == 0 {
		return c, ErrRevoked
	}
	if err := s.turnedTx(ctx, tx, c, "revoked", reason); err != nil {
		return c, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, Revoked{c.ID}); err != nil {
		return c, err
	}
	return one(ctx, tx, "One", c.ID)
}

// turnedTx notes that a certificate holds no more, or again.
func (s *Service) turnedTx(ctx context.Context, tx *postgres.Tx, c Certificate, change, reason string) error {
	if c.stage == ExamPassed {
		if err := journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: c.EnrolmentID, Stage: journey.Certified, At: tx.Now(), Reached: change == "reinstated", Cause: c.ID}}); err != nil {
			return err
		}
	}
	if err := changeTx(ctx, tx, c.ID, change, reason); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate." + change, Object: c.ID, Detail: map[string]string{"reason": reason}})
}

// Reinstate lets a revoked certificate hold again, where a formula in force leads to it and its exam is passed, or its program complete. Errors: ErrNoCertificate, ErrReason, ErrHolds, ErrReplaced,
// ErrNotEarned, ErrExists where another one was awarded meanwhile.
func (s *Service) Reinstate(ctx context.Context, id, reason string) (c Certificate, err error) {
	if err := reasonable(reason); err != nil {
		return c, err
	}
	err = s.db.InTx(ctx, "reinstate certificate", func(ctx context.Context, tx *postgres.Tx) error {
		if c, err = lockTx(ctx, tx, id); err != nil {
			return err
		}
		c, err = s.reinstateTx(ctx, tx, c, reason)
		return err
	})
	return c, err
}

func (s *Service) reinstateTx(ctx context.Context, tx *postgres.Tx, c Certificate, reason string) (Certificate, error) {
	switch c.State() {
	case StateValid:
		return c, ErrHolds
	case StateReplaced:
		return c, ErrReplaced
	}
	leads, held, err := leadsTx(ctx, tx, c)
	if err != nil {
		return c, err
	}
	done, err := doneTx(ctx, tx, c)
	if err != nil {
		return c, err
	}
	if !leads || held || !done {
		return c, ErrNotEarned
	}
	if _, err := tx.Exec(ctx, q.Q("Reinstate"), c.ID); err != nil {
		return c, err
	}
	if err := s.turnedTx(ctx, tx, c, "reinstated", reason); err != nil {
		return c, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, Reinstated{c.ID}); err != nil {
		return c, err
	}
	return one(ctx, tx, "One", c.ID)
}

// Reissue prints a certificate anew with the name that its holder has now and a code of its own, once per key. The one before it is known as
// replaced for ever. What else it says, and when it was earned, stays as it was. Errors: ErrNoCertificate, ErrReason, ErrRevoked, ErrReplaced.
func (s *Service) Reissue(ctx context.Context, id, key, reason string) (Certificate, error) {
	if err := reasonable(reason); err != nil {
		return Certificate{}, err
	}
	reply, _, err := s.replies.Do(ctx, postgres.Actor(ctx), key, "reissue certificate "+id+"\n"+reason, func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		old, err := lockTx(ctx, tx, id)
		if err != nil {
			return idempotency.Reply{}, err
		}
		switch old.State() {
		case StateRevoked:
			return idempotency.Reply{}, ErrRevoked
		case StateReplaced:
			return idempotency.Reply{}, ErrReplaced
		}
		c, err := s.reissueTx(ctx, tx, old, reason)
		return idempotency.Reply{Status: http.StatusCreated, Body: []byte(c.ID)}, err
	})
	if err != nil {
		return Certificate{}, err
	}
	return s.Certificate(ctx, string(reply.Body))
}

func (s *Service) reissueTx(ctx context.Context, tx *postgres.Tx, old Certificate, reason string) (Certificate, error) {
	person, err := identity.PersonTx(ctx, tx, old.LearnerID)
	if err != nil {
		return old, err
	}
	now, c := tx.Now(), old
	c.ID, c.Code, c.IssuedAt = ident.New("cer"), ident.Secret(codeBytes), now
	c.Facts.HolderName, c.Facts.Code, c.Facts.VerificationURL, c.Facts.ReissuedAt = person.FullName, c.Code, s.issuer.BaseURL+"/verify/"+c.Code, &now
	c.ReplacesID = old.ID
	return c, s.replaceTx(ctx, tx, c, Kind{Stage: old.stage, Entitlement: old.entitlement}, reason)
}

// RevokeUnpaid revokes what an enrolment led to and its formula no longer leads to: its own certificates, and those of the programs that its learner
// follows no more. Otherwise it changes nothing.
func (s *Service) RevokeUnpaid(ctx context.Context, enrolmentID, reason string) error {
	return s.db.InTx(ctx, "revoke unpaid", func(ctx context.Context, tx *postgres.Tx) error {
		live, err := liveBehindTx(ctx, tx, enrolmentID)
		if err != nil {
			return err
		}
		for _, c := range live {
			leads, held, err := leadsTx(ctx, tx, c)
			if err != nil {
				return err
			}
			if leads || held { // one that is held back was not taken back
				continue
			}
			if _, err := s.revokeTx(ctx, tx, c, reason); err != nil {
				return err
			}
		}
		return nil
	})
}

// liveBehindTx holds an enrolment and the live certificates that it leads to: its own, and those of programs that its learner follows.
func liveBehindTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) (live []Certificate, err error) {
	if _, err := enrolment.LockTx(ctx, tx, enrolmentID); err != nil {
		return nil, err
	}
	var ids []string
	if err := tx.Select(ctx, &ids, q.Q("LiveBehind"), enrolmentID); err != nil {
		return nil, err
	}
	for _, id := range ids {
		c, err := lockTx(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if c.State() == StateValid {
			live = append(live, c)
		}
	}
	return live, nil
}
