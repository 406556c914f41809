package certificates

import (
	"context"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// CertificateTx finds a certificate, as far as the actor may see it. Errors: ErrNoCertificate.
func CertificateTx(ctx context.Context, tx *postgres.Tx, id string) (Certificate, error) {
	return one(ctx, tx, "One", id)
}

// Certificate finds a certificate that the actor may see.
func (s *Service) Certificate(ctx context.Context, id string) (c Certificate, err error) {
	err = s.db.View(ctx, "certificate", func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = one(ctx, tx, "One", id)
		return err
	})
	return c, err
}

// OfLearnerTx lists the certificates of a learner: those that hold, then those that were revoked, the newest first. Those that were replaced are
// left out.
func OfLearnerTx(ctx context.Context, tx *postgres.Tx, learnerID string) ([]Certificate, error) {
	return many(ctx, tx, "OfLearner", learnerID)
}

// OfEnrolmentsTx gives the latest certificate of a passed exam of each enrolment that has one; a live one goes before a revoked one.
func OfEnrolmentsTx(ctx context.Context, tx *postgres.Tx, learnerID string) (map[string]Certificate, error) {
	all, err := OfLearnerTx(ctx, tx, learnerID)
	if err != nil {
		return nil, err
	}
	out := map[string]Certificate{}
	for _, c := range all {
		if _, ok := out[c.EnrolmentID]; !ok && c.stage == ExamPassed {
			out[c.EnrolmentID] = c
		}
	}
	return out, nil
}

// Filter says which certificates a list shows. Empty fields ask for nothing.
type Filter struct {
	Kind    string
	Session string // key
	Edition string // key
	State   string // valid, replaced or revoked
	Text    string // a code, or a part of the name as printed
}

// List lists certificates, the newest first.
func (s *Service) List(ctx context.Context, f Filter, p page.Request) (some []Certificate, next string, err error) {
	switch f.State {
	case "", StateValid, StateReplaced, StateRevoked:
	default:
		return nil, "", fault.InvalidInput(fault.Field{Pointer: "/state", Code: "unknown", Detail: "valid, replaced or revoked."})
	}
	err = s.db.View(ctx, "certificates", func(ctx context.Context, tx *postgres.Tx) error {
		if some, err = many(ctx, tx, "List", f.Kind, f.Session, f.Edition, f.State, f.Text, p.After, p.Limit+1); err != nil {
			return err
		}
		if next = ""; len(some) > p.Limit {
			some, next = some[:p.Limit], some[p.Limit-1].ID
		}
		return nil
	})
	return some, next, err
}

// Change is something that happened to a certificate.
type Change struct {
	Change string    `json:"change" db:"change"` // awarded, replaced, revoked, reinstated
	Reason string    `json:"reason,omitempty" db:"reason"`
	By     string    `json:"by" db:"by"` // who acted, such as "staff:per_…"
	At     time.Time `json:"at" db:"at"`
}

// History is everything that happened to a certificate, the first thing first. Error: ErrNoCertificate.
func (s *Service) History(ctx context.Context, id string) (all []Change, err error) {
	err = s.db.View(ctx, "history", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := one(ctx, tx, "One", id); err != nil {
			return err
		}
		return tx.Select(ctx, &all, q.Q("History"), id)
	})
	return all, err
}
