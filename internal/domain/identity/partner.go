package identity

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Faults of roles at partners.
var (
	ErrNoPartnerRole = fault.New(fault.Forbidden, "partner-role-missing", "Your role at this organisation does not allow this.")
	ErrPartnerRole   = fault.InvalidInput(fault.Field{Pointer: "/role", Code: "bad-role", Detail: "The roles at a partner are " + strings.Join(PartnerRoles(), ", ") + "."})
	ErrLastOwner     = fault.New(fault.Conflict, "last-owner", "Somebody has to be its owner. Name another one first.")
)

// What people can be for a partner.
const (
	RoleOwner     = "owner"     // gives and takes roles, makes and ends keys, enrols
	RoleRegistrar = "registrar" // enrols
	RoleTeacher   = "teacher"   // follows, and proctors the exams that the school holds
	RoleCashier   = "cashier"   // takes money at the desk
	RoleManager   = "manager"   // orders seats, gives them out, follows those who sit on them
)

// partnerScopes says what each role at a partner may do, at that partner alone: who asks with such a scope is asked for where, by MustActTx or
// MustHoldTx.
var partnerScopes = map[string][]string{
	RoleOwner:     {"cohorts:read", "cohorts:write", "clients:write", "roles:write", "statements:read", "exams:proctor"},
	RoleRegistrar: {"cohorts:read", "cohorts:write"},
	RoleTeacher:   {"cohorts:read", "exams:proctor"},
	RoleCashier:   append([]string{"statements:read"}, scopesOf[RoleCashier]...),
	RoleManager:   {"cohorts:read", "statements:read"},
}

// PartnerRoles lists what people can be for a partner.
func PartnerRoles() []string { return slices.Sorted(maps.Keys(partnerScopes)) }

// PartnerRole is one role of one person at an organisation.
type PartnerRole struct {
	Organisation string    `json:"organisation" db:"organisation"`
	Role         string    `json:"role" db:"role"`
	PersonID     string    `json:"person" db:"person_id"`
	FullName     string    `json:"full_name" db:"full_name"`
	Email        string    `json:"email,omitempty" db:"email"`
	Since        time.Time `json:"since" db:"since"`
}

// PutPartnerRoleTx gives a person a role at an organisation; twice does nothing. Errors: ErrPartnerRole, ErrNoOrganisation, ErrNoPerson.
func PutPartnerRoleTx(ctx context.Context, tx *postgres.Tx, organisation, personID, role string) error {
	if partnerScopes[role] == nil {
		return ErrPartnerRole
	}
	if _, err := PersonTx(ctx, tx, personID); err != nil {
		return err
	}
	switch role {
	case RoleCashier:
		return PutCashierTx(ctx, tx, organisation, personID)
	case RoleManager:
		return PutManagerTx(ctx, tx, organisation, personID)
	}
	n, err := tx.Exec(ctx, q.Q("PutPartnerRole"), organisation, personID, role, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	return notePartnerRole(ctx, tx, "partner_role.put", organisation, personID, role)
}

// DropPartnerRoleTx takes a role at an organisation from a person; who does not have it stays so. keepOwner refuses to take the last owner:
// the organisation could do nothing about it. Errors: ErrPartnerRole, ErrNoOrganisation, ErrLastOwner.
func DropPartnerRoleTx(ctx context.Context, tx *postgres.Tx, organisation, personID, role string, keepOwner bool) error {
	if partnerScopes[role] == nil {
		return ErrPartnerRole
	}
	// Two owners who take the role from each other at once are one after the other.
	if err := lockOrganisation(ctx, tx, organisation); err != nil {
		return err
	}
	switch role {
	case RoleCashier:
		return DropCashierTx(ctx, tx, organisation, personID)
	case RoleManager:
		return DropManagerTx(ctx, tx, organisation, personID)
	}
	n, err := tx.Exec(ctx, q.Q("DropPartnerRole"), organisation, personID, role)
	if err != nil || n == 0 {
		return err
	}
	if role == RoleOwner && keepOwner {
		all, err := PartnerRolesTx(ctx, tx, organisation)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(p PartnerRole) bool { return p.Role == RoleOwner }) {
			return ErrLastOwner
		}
	}
	return notePartnerRole(ctx, tx, "partner_role.dropped", organisation, personID, role)
}

func lockOrganisation(ctx context.Context, tx *postgres.Tx, organisation string) error {
	var keys []string
	err := tx.Select(ctx, &keys, q.Q("LockOrganisation"), organisation)
	if err == nil && len(keys) == 0 {
		err = ErrNoOrganisation
	}
	return err
}

func notePartnerRole(ctx context.Context, tx *postgres.Tx, action, organisation, personID, role string) error {
	return audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: personID, Detail: map[string]string{"organisation": organisation, "role": role}})
}

// PartnerRolesTx lists who is what for an organisation, by name, as far as the actor may see it. Errors: ErrNoOrganisation.
func PartnerRolesTx(ctx context.Context, tx *postgres.Tx, organisation string) ([]PartnerRole, error) {
	if _, err := OrganisationTx(ctx, tx, organisation); err != nil {
		return nil, err
	}
	all := []PartnerRole{}
	err := tx.Select(ctx, &all, q.Q("PartnerRoles"), organisation)
	return all, err
}

// PartnerRolesOfTx lists what a person is, and for whom.
func PartnerRolesOfTx(ctx context.Context, tx *postgres.Tx, personID string) ([]PartnerRole, error) {
	all := []PartnerRole{}
	err := tx.Select(ctx, &all, q.Q("PartnerRolesOf"), personID)
	return all, err
}

// RolesAtTx lists what a person is for one organisation.
func RolesAtTx(ctx context.Context, tx *postgres.Tx, organisation, personID string) (roles []string, err error) {
	all, err := PartnerRolesOfTx(ctx, tx, personID)
	for _, p := range all {
		if p.Organisation == organisation {
			roles = append(roles, p.Role)
		}
	}
	return roles, err
}

// MustActTx refuses who has none of some roles at an organisation. Staff have none: ask MayTx too where they may. Who has nothing to do with
// the organisation is not told whether there is one. Errors: ErrNoOrganisation, ErrNoPartnerRole.
func MustActTx(ctx context.Context, tx *postgres.Tx, organisation, personID string, roles ...string) error {
	has, err := RolesAtTx(ctx, tx, organisation, personID)
	switch {
	case err != nil:
		return err
	case len(has) == 0:
		return ErrNoOrganisation
	case !slices.ContainsFunc(has, func(role string) bool { return slices.Contains(roles, role) }):
		return ErrNoPartnerRole
	}
	return nil
}

// MustHoldTx refuses who may not do at an organisation what a scope names: staff whose roles have the scope may at each, others where a role
// of theirs at this organisation has it. A scope in a token says that she may somewhere; this says where. Errors: ErrNoOrganisation (for staff:
// there is none), ErrNoPartnerRole.
func MustHoldTx(ctx context.Context, tx *postgres.Tx, organisation, personID, scope string) error {
	may, err := MayTx(ctx, tx, personID, scope)
	if err != nil {
		return err
	}
	if may {
		_, err := OrganisationTx(ctx, tx, organisation)
		return err
	}
	var roles []string
	for role, scopes := range partnerScopes {
		if slices.Contains(scopes, scope) {
			roles = append(roles, role)
		}
	}
	return MustActTx(ctx, tx, organisation, personID, roles...)
}

// HeldTx lists, by key, the organisations at which a person may do what a scope names: for staff whose roles have it, all.
func HeldTx(ctx context.Context, tx *postgres.Tx, personID, scope string) ([]Managed, error) {
	everywhere, err := MayTx(ctx, tx, personID, scope)
	if err != nil {
		return nil, err
	}
	mine, err := PartnerRolesOfTx(ctx, tx, personID)
	if err != nil {
		return nil, err
	}
	all, err := OrganisationsTx(ctx, tx)
	held := []Managed{}
	for _, o := range all {
		if everywhere || slices.ContainsFunc(mine, func(p PartnerRole) bool {
			return p.Organisation == o.Key && slices.Contains(partnerScopes[p.Role], scope)
		}) {
			held = append(held, Managed{Key: o.Key, Name: o.Name})
		}
	}
	return held, err
}

// MustGiveTx refuses to give a system of an organisation scopes that the giver does not have there herself; staff who look after keys may give
// each. Errors: ErrNoOrganisation, ErrNoPartnerRole, an invalid field.
func MustGiveTx(ctx context.Context, tx *postgres.Tx, organisation, personID string, scopes []string) error {
	everywhere, err := MayTx(ctx, tx, personID, "clients:write")
	if err != nil || everywhere {
		return err
	}
	if err := MustHoldTx(ctx, tx, organisation, personID, "clients:write"); err != nil {
		return err
	}
	roles, err := RolesAtTx(ctx, tx, organisation, personID)
	if err != nil {
		return err
	}
	hers := ScopesOf(roles)
	for _, s := range scopes {
		if !slices.Contains(hers, s) {
			return fault.InvalidInput(fault.Field{Pointer: "/scopes", Code: "not-yours", Detail: "You cannot give " + s + ": you do not have it yourself."})
		}
	}
	return nil
}
