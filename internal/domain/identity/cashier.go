package identity

import (
	"context"
	"slices"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ErrNotCashier refuses who takes no money for a school: for her that desk is not there, as one that does not exist.
var ErrNotCashier = fault.New(fault.NotFound, "not-a-cashier", "You do not take money at the desk of this school.")

// PutCashierTx lets a person take money at the desk of a school, with the role that goes with it; twice does nothing. Errors:
// ErrNoOrganisation.
func PutCashierTx(ctx context.Context, tx *postgres.Tx, organisation, personID string) error {
	n, err := tx.Exec(ctx, q.Q("PutCashier"), organisation, personID, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	if err := GrantRoleTx(ctx, tx, personID, RoleCashier); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "cashier.put", Object: personID, After: map[string]string{"organisation": organisation}})
}

// DropCashierTx takes that from her again, and the role with her last desk; who takes none stays so.
func DropCashierTx(ctx context.Context, tx *postgres.Tx, organisation, personID string) error {
	n, err := tx.Exec(ctx, q.Q("DropCashier"), organisation, personID)
	if err != nil || n == 0 {
		return err
	}
	desks, err := DesksOfTx(ctx, tx, personID)
	if err != nil {
		return err
	}
	if len(desks) == 0 {
		if _, err := tx.Exec(ctx, q.Q("DropRole"), personID, RoleCashier); err != nil {
			return err
		}
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "cashier.dropped", Object: personID, Before: map[string]string{"organisation": organisation}})
}

// DesksOfTx lists the schools at whose desk a person takes money.
func DesksOfTx(ctx context.Context, tx *postgres.Tx, personID string) ([]string, error) {
	keys := []string{}
	err := tx.Select(ctx, &keys, q.Q("DesksOf"), personID)
	return keys, err
}

// MustTakeTx refuses who does not take money at the desk of a school. Error: ErrNotCashier.
func MustTakeTx(ctx context.Context, tx *postgres.Tx, organisation, personID string) error {
	keys, err := DesksOfTx(ctx, tx, personID)
	if err == nil && !slices.Contains(keys, organisation) {
		err = ErrNotCashier
	}
	return err
}
