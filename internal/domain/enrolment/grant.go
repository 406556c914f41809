package enrolment

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

// Every fault of this room.
var (
	ErrNoEnrolment = fault.New(fault.NotFound, "no-such-enrolment", "There is no such enrolment.")
	ErrGranted     = fault.New(fault.Conflict, "order-granted-already", "This order has granted its enrolment already.")
)

func init() { postgres.RegisterConstraint("one_grant_per_order", ErrGranted) }

// Enrolment is the right of one learner to follow one session. Its formula and entitlements are those of the grants in
// force together; both are empty for a learner who came with a grade report.
type Enrolment struct {
	ID           string
	LearnerID    string
	SessionID    string
	OpenedAt     time.Time
	Formula      string
	Qualifying   bool
	Entitlements []string
	Revoked      bool // it had grants and none is in force
	Hold         Hold // what is not open for now, because an instalment was not paid; it is left out of the entitlements
}

// Hold is what a grant does not open for now.
type Hold string

// The holds of a grant.
const (
	NoHold          Hold = ""
	HoldCertificate Hold = "certificate" // no certificate is awarded
	HoldAll         Hold = "all"         // nothing is open
)

// HoldTx holds back what an order grants, or lets it go. It gives the enrolments of the order.
func HoldTx(ctx context.Context, tx *postgres.Tx, orderID string, h Hold) (enrolments []string, err error) {
	if err := tx.Select(ctx, &enrolments, q.Q("LockByOrder"), orderID); err != nil || len(enrolments) == 0 {
		return nil, err
	}
	_, err = tx.Exec(ctx, q.Q("Hold"), orderID, h)
	return enrolments, err
}

// Has says whether something is open to the learner.
func (e Enrolment) Has(entitlement string) bool { return slices.Contains(e.Entitlements, entitlement) }

type row struct {
	ID           string         `db:"id"`
	LearnerID    string         `db:"learner_id"`
	SessionID    string         `db:"session_id"`
	OpenedAt     time.Time      `db:"opened_at"`
	Formula      string         `db:"formula"`
	Qualifying   bool           `db:"qualifying"`
	Entitlements pq.StringArray `db:"entitlements"`
	Granted      int            `db:"granted"`
	InForce      int            `db:"in_force"`
	Hold         string         `db:"hold"`
}

func (r row) enrolment() Enrolment {
	return Enrolment{r.ID, r.LearnerID, r.SessionID, r.OpenedAt, r.Formula, r.Qualifying, r.Entitlements, r.Granted > 0 && r.InForce == 0, Hold(r.Hold)}
}

// Grant is what an order gives.
type Grant struct {
	LearnerID, SessionID, OrderID string
	Formula                       string
	Entitlements                  []string
	Qualifying                    bool
}

// GrantTx opens the enrolment of a learner in a session, or upgrades the one that is there, which keeps its id and its
// date. It tells the journey. The same order twice is ErrGranted.
func GrantTx(ctx context.Context, tx *postgres.Tx, g Grant) (enrolmentID string, err error) {
	err = tx.Get(ctx, &enrolmentID, q.Q("Grant"), ident.New("enr"), g.LearnerID, g.SessionID, tx.Now(), ident.New("grt"), g.OrderID, g.Formula,
		pq.Array(g.Entitlements), g.Qualifying)
	if err != nil {
		return "", err
	}
	return enrolmentID, journey.OpenTx(ctx, tx, []journey.Opening{{
		EnrolmentID: enrolmentID, SessionID: g.SessionID, LearnerID: g.LearnerID, At: tx.Now(), Cause: g.OrderID, Qualifying: g.Qualifying,
	}})
}

// RevokeTx takes back all that an order granted, its membership too, and tells the journey what no longer holds. An order
// without a grant in force changes nothing. It gives the enrolments of the order.
func RevokeTx(ctx context.Context, tx *postgres.Tx, orderID, because string) (enrolments []string, err error) {
	if err := tx.Select(ctx, &enrolments, q.Q("LockByOrder"), orderID); err != nil || len(enrolments) == 0 {
		return nil, err
	}
	n, err := tx.Exec(ctx, q.Q("Revoke"), orderID, tx.Now(), because)
	if err != nil || n == 0 {
		return enrolments, err
	}
	return enrolments, revoked(ctx, tx, orderID, enrolments)
}

// RevokeSomeTx is RevokeTx of what an order granted in some enrolments, and of one membership; empty: of none.
func RevokeSomeTx(ctx context.Context, tx *postgres.Tx, orderID string, enrolments []string, membershipID, because string) error {
	ids := slices.Sorted(slices.Values(enrolments)) // locked in one order
	for _, id := range ids {
		if _, err := tx.Exec(ctx, q.Q("Lock"), id); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, q.Q("RevokeSome"), orderID, pq.Array(ids), membershipID, tx.Now(), because); err != nil {
		return err
	}
	return revoked(ctx, tx, orderID, ids)
}

// revoked tells the journey what of enrolments no longer holds.
func revoked(ctx context.Context, tx *postgres.Tx, orderID string, enrolments []string) error {
	var changes []journey.Change
	for _, id := range enrolments {
		e, err := OneTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if !e.Qualifying {
			changes = append(changes, journey.Change{EnrolmentID: id, Stage: journey.Qualifying, At: tx.Now(), Cause: orderID})
		}
		if e.Revoked {
			changes = append(changes, journey.Change{EnrolmentID: id, Stage: journey.Enrolled, At: tx.Now(), Cause: orderID})
		}
	}
	return journey.RecordTx(ctx, tx, changes)
}

// OneTx finds an enrolment by id.
func OneTx(ctx context.Context, tx *postgres.Tx, id string) (Enrolment, error) {
	var r row
	err := tx.Get(ctx, &r, q.Q("One"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return Enrolment{}, ErrNoEnrolment
	}
	return r.enrolment(), err
}

// LockTx is OneTx that holds the enrolment until the transaction ends.
func LockTx(ctx context.Context, tx *postgres.Tx, id string) (Enrolment, error) {
	if _, err := tx.Exec(ctx, q.Q("Lock"), id); err != nil {
		return Enrolment{}, err
	}
	return OneTx(ctx, tx, id)
}

// OfLearnerTx lists the enrolments of a learner, the newest first.
func OfLearnerTx(ctx context.Context, tx *postgres.Tx, learnerID string) ([]Enrolment, error) {
	return list(ctx, tx, "OfLearner", learnerID)
}

// QualifyingTx lists the enrolments of a session that a paid formula in force opens.
func QualifyingTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Enrolment, error) {
	return list(ctx, tx, "QualifyingOfSession", sessionID)
}

// FindTx finds the enrolment of a learner in a session; false when there is none.
func FindTx(ctx context.Context, tx *postgres.Tx, learnerID, sessionID string) (Enrolment, bool, error) {
	all, err := list(ctx, tx, "OfLearnerInSession", learnerID, sessionID)
	if err != nil || len(all) == 0 {
		return Enrolment{}, false, err
	}
	return all[0], true, nil
}

func list(ctx context.Context, tx *postgres.Tx, statement string, args ...any) ([]Enrolment, error) {
	var rows []row
	err := tx.Select(ctx, &rows, q.Q(statement), args...)
	out := make([]Enrolment, len(rows))
	for i, r := range rows {
		out[i] = r.enrolment()
	}
	return out, err
}

// Holders are learners with what grants them their right: an order each.
type Holders struct{ learners, orders []string }

// Add names one more.
func (h *Holders) Add(learnerID, orderID string) {
	h.learners, h.orders = append(h.learners, learnerID), append(h.orders, orderID)
}

// SuspendTx holds back all that orders grant to learners, because their school says so, or lets it go. It takes one statement however many
// they are. What an unpaid instalment holds back stays so.
func SuspendTx(ctx context.Context, tx *postgres.Tx, h Holders, suspended bool) error {
	if len(h.learners) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, q.Q("Suspend"), pq.Array(h.learners), pq.Array(h.orders), suspended)
	return err
}
