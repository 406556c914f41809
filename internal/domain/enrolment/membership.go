package enrolment

import (
	"context"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

// ErrMember refuses a second membership of one order.
var ErrMember = fault.New(fault.Conflict, "order-granted-already", "This order has granted its membership already.")

func init() { postgres.RegisterConstraint("one_membership_per_order", ErrMember) }

// Membership is the right of one learner to follow one edition of a program, by one order. Version is that of the program as
// it was sold. A revoked one stays readable.
type Membership struct {
	ID           string
	LearnerID    string
	EditionID    string
	Version      int
	OrderID      string
	Formula      string
	Entitlements []string
	Qualifying   bool
	GrantedAt    time.Time
	RevokedAt    *time.Time
}

type membershipRow struct {
	ID           string         `db:"id"`
	LearnerID    string         `db:"learner_id"`
	EditionID    string         `db:"edition_id"`
	Version      int            `db:"version"`
	OrderID      string         `db:"order_id"`
	Formula      string         `db:"formula"`
	Entitlements pq.StringArray `db:"entitlements"`
	Qualifying   bool           `db:"qualifying"`
	GrantedAt    time.Time      `db:"granted_at"`
	RevokedAt    *time.Time     `db:"revoked_at"`
}

func (r membershipRow) membership() Membership {
	return Membership{r.ID, r.LearnerID, r.EditionID, r.Version, r.OrderID, r.Formula, r.Entitlements, r.Qualifying, r.GrantedAt, r.RevokedAt}
}

// AdmitTx makes a learner a member of an edition. Its ID, GrantedAt and RevokedAt are not read. The grants in the sessions are
// GrantTx's, one each. The same order twice is ErrMember.
func AdmitTx(ctx context.Context, tx *postgres.Tx, m Membership) (id string, err error) {
	id = ident.New("mem")
	_, err = tx.Exec(ctx, q.Q("AddMembership"), id, m.LearnerID, m.EditionID, m.Version, m.OrderID, m.Formula, pq.Array(m.Entitlements), m.Qualifying, tx.Now())
	return id, err
}

// MembershipsTx lists the memberships in force of a learner, the newest first, as far as the actor may see them.
func MembershipsTx(ctx context.Context, tx *postgres.Tx, learnerID string) ([]Membership, error) {
	return memberships(ctx, tx, "MembershipsOfLearner", learnerID)
}

// MembersTx lists the memberships in force of an edition, the newest first.
func MembersTx(ctx context.Context, tx *postgres.Tx, editionID string) ([]Membership, error) {
	return memberships(ctx, tx, "MembershipsOfEdition", editionID)
}

// MembershipsInTx lists the memberships in force of a learner in one edition, the newest first: an upgrade is a second one.
func MembershipsInTx(ctx context.Context, tx *postgres.Tx, learnerID, editionID string) ([]Membership, error) {
	return memberships(ctx, tx, "MembershipsOfLearnerInEdition", learnerID, editionID)
}

func memberships(ctx context.Context, tx *postgres.Tx, statement string, args ...any) ([]Membership, error) {
	var rows []membershipRow
	err := tx.Select(ctx, &rows, q.Q(statement), args...)
	out := make([]Membership, len(rows))
	for i, r := range rows {
		out[i] = r.membership()
	}
	return out, err
}
