package enrolment

import (
	"context"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

// Faults of retakes.
var (
	ErrNoRetake = fault.New(fault.Unprocessable, "retake-not-paid", "The next attempt at this exam has to be paid first.")
	errRetaken  = fault.New(fault.Conflict, "order-granted-already", "This order has granted its retake already.")
)

func init() { postgres.RegisterConstraint("one_retake_per_order", errRetaken) }

// GrantRetakeTx gives a learner one further attempt at the exam of a session that she is enrolled in; it opens nothing else. The same order twice is a
// Conflict. Error: ErrNoEnrolment.
func GrantRetakeTx(ctx context.Context, tx *postgres.Tx, learnerID, sessionID, orderID string) (enrolmentID string, err error) {
	e, enrolled, err := FindTx(ctx, tx, learnerID, sessionID)
	if err == nil && !enrolled {
		err = ErrNoEnrolment
	}
	if err == nil {
		e, err = LockTx(ctx, tx, e.ID)
	}
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, q.Q("GrantRetake"), ident.New("rtk"), e.ID, orderID, tx.Now())
	return e.ID, err
}

// HasRetakeTx says whether an enrolment has a retake in force that no sitting uses.
func HasRetakeTx(ctx context.Context, tx *postgres.Tx, enrolmentID string) (has bool, err error) {
	err = tx.Get(ctx, &has, q.Q("HasRetake"), enrolmentID)
	return has, err
}

// RetakeUsedTx says whether the retake that an order granted is used: a sitting that it pays for is booked, or was sat.
func RetakeUsedTx(ctx context.Context, tx *postgres.Tx, orderID string) (used bool, err error) {
	err = tx.Get(ctx, &used, q.Q("RetakeUsed"), orderID)
	return used, err
}

// UseRetakeTx has a sitting use the oldest retake of an enrolment, which the caller holds. Error: ErrNoRetake.
func UseRetakeTx(ctx context.Context, tx *postgres.Tx, enrolmentID, sittingID string) error {
	n, err := tx.Exec(ctx, q.Q("UseRetake"), enrolmentID, sittingID)
	if err == nil && n == 0 {
		err = ErrNoRetake
	}
	return err
}

// ReturnRetakeTx gives back the retake of a sitting that was canceled; one without any changes nothing.
func ReturnRetakeTx(ctx context.Context, tx *postgres.Tx, sittingID string) error {
	_, err := tx.Exec(ctx, q.Q("ReturnRetake"), sittingID)
	return err
}
