package identity

import (
	"context"
	"slices"

	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Manager is a person who orders for an organisation and gives its seats out.
type Manager struct {
	PersonID string `json:"person" db:"person_id"`
	FullName string `json:"full_name" db:"full_name"`
	Email    string `json:"email" db:"email"`
}

// Managed is an organisation as its manager knows it.
type Managed struct {
	Key  string `json:"key" db:"key"`
	Name string `json:"name" db:"name"`
}

// PutManagerTx lets a person order for an organisation; twice does nothing. Errors: ErrNoOrganisation.
func PutManagerTx(ctx context.Context, tx *postgres.Tx, organisation, personID string) error {
	n, err := tx.Exec(ctx, q.Q("PutManager"), organisation, personID, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "manager.put", Object: personID, After: map[string]string{"organisation": organisation}})
}

// DropManagerTx takes that from her again; who is none stays so.
func DropManagerTx(ctx context.Context, tx *postgres.Tx, organisation, personID string) error {
	n, err := tx.Exec(ctx, q.Q("DropManager"), organisation, personID)
	if err != nil || n == 0 {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "manager.dropped", Object: personID, Before: map[string]string{"organisation": organisation}})
}

// ManagersTx lists the managers of an organisation, as far as the actor may see them. Errors: ErrNoOrganisation.
func ManagersTx(ctx context.Context, tx *postgres.Tx, organisation string) ([]Manager, error) {
	if _, err := OrganisationTx(ctx, tx, organisation); err != nil {
		return nil, err
	}
	all := []Manager{}
	err := tx.Select(ctx, &all, q.Q("Managers"), organisation)
	return all, err
}

// ManagedByTx lists the organisations of which a person is a manager.
func ManagedByTx(ctx context.Context, tx *postgres.Tx, personID string) ([]Managed, error) {
	all := []Managed{}
	err := tx.Select(ctx, &all, q.Q("ManagedBy"), personID)
	return all, err
}

// MustManageTx refuses who is no manager of an organisation. It does not tell her whether there is one. Error: ErrNoOrganisation.
func MustManageTx(ctx context.Context, tx *postgres.Tx, organisation, personID string) error {
	all, err := ManagedByTx(ctx, tx, personID)
	if err == nil && !slices.ContainsFunc(all, func(m Managed) bool { return m.Key == organisation }) {
		err = ErrNoOrganisation
	}
	return err
}

// OrganisationTx finds an organisation. Errors: ErrNoOrganisation.
func OrganisationTx(ctx context.Context, tx *postgres.Tx, key string) (m Managed, err error) {
	var all []Managed
	if err := tx.Select(ctx, &all, q.Q("Organisation"), key); err != nil {
		return m, err
	}
	if len(all) == 0 {
		return m, ErrNoOrganisation
	}
	return all[0], nil
}

// FindByEmailTx finds who has an address; false where nobody does.
func FindByEmailTx(ctx context.Context, tx *postgres.Tx, email string) (p Person, found bool, err error) {
	var all []Person
	if err := tx.Select(ctx, &all, q.Q("PersonByEmail"), email); err != nil || len(all) == 0 {
		return p, false, err
	}
	return all[0], true, nil
}
