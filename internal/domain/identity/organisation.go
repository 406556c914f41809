package identity

import (
	"context"
	"errors"
	"regexp"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ErrNoOrganisation answers a key that no organisation has.
var ErrNoOrganisation = fault.New(fault.NotFound, "no-such-organisation", "There is no organisation with this key.")

func init() { postgres.RegisterConstraint("organisation_known", ErrNoOrganisation) }

// Organisation is a school or a company whose members may be offered what the public is not.
type Organisation struct {
	Key     string `json:"key" db:"key"`
	Name    string `json:"name" db:"name"`
	Members int    `json:"members" db:"members"`
}

var organisationKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

// PutOrganisationTx makes an organisation or renames the one with this key.
func PutOrganisationTx(ctx context.Context, tx *postgres.Tx, key, name string) error {
	if !organisationKey.MatchString(key) {
		return fault.InvalidInput(fault.Field{Pointer: "/key", Code: "bad-key", Detail: "1 to 40 letters, digits, dots, hyphens and underscores; the first is a letter or a digit."})
	}
	if n := utf8.RuneCountInString(name); n < 1 || n > 200 {
		return fault.InvalidInput(fault.Field{Pointer: "/name", Code: "bad-length", Detail: "1 to 200 characters."})
	}
	if err := audit.HoldTx(ctx, tx, "organisation/"+key); err != nil {
		return err
	}
	old, err := OrganisationTx(ctx, tx, key)
	if err != nil && !errors.Is(err, ErrNoOrganisation) {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("PutOrganisation"), key, name, tx.Now()); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "organisation.put", Object: key, Before: audit.Was(old.Key != "", map[string]string{"name": old.Name}), After: map[string]string{"name": name}})
}

// JoinTx makes a person a member of an organisation; twice does nothing. Errors: ErrNoOrganisation.
func JoinTx(ctx context.Context, tx *postgres.Tx, organisation, personID string) error {
	n, err := tx.Exec(ctx, q.Q("Join"), organisation, personID, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "organisation.joined", Object: personID, Detail: map[string]string{"organisation": organisation}})
}

// OrganisationsTx lists all organisations with their numbers of members.
func OrganisationsTx(ctx context.Context, tx *postgres.Tx) (out []Organisation, err error) {
	err = tx.Select(ctx, &out, q.Q("Organisations"))
	return out, err
}

// OrganisationsOfTx lists the keys of the organisations of a person, as far as the actor may see them.
func OrganisationsOfTx(ctx context.Context, tx *postgres.Tx, personID string) ([]string, error) {
	keys := []string{}
	err := tx.Select(ctx, &keys, q.Q("OrganisationsOf"), personID)
	return keys, err
}
