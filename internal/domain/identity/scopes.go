package identity

import (
	"context"
	"maps"
	"slices"
	"sort"

	"cursus/internal/platform/postgres"
)

// learnerScopes are what everybody may do with her own things.
var learnerScopes = []string{"orders:write", "orders:read", "learning:read", "exams:book", "webhooks:write", "preferences:write", "privacy:own", "surveys:answer"}

// scopesOf says what each staff role may do beyond that.
var scopesOf = map[string][]string{
	"catalogue":    {"catalog:read", "catalog:write", "programs:write", "workshops:write", "offers:write", "lms:write", "labs:read", "labs:write"},
	"sales":        {"offers:write", "operations:read", "accounts:read", "orders:behalf", "cohorts:read", "lms:write", "statements:read"},
	"refund":       {"refunds:write"},
	"cashier":      {"desk:write"},
	"exams":        {"exams:write", "workshops:write", "grades:read", "labs:read", "labs:help"},
	"certificates": {"certificates:write"},
	"outreach":     {"outreach:write"},
	"coach":        {"coaching:write"},
	"analytics":    {"analytics:read", "grades:read", "grades:write", "exports:write"},
	"admin": {"catalog:read", "catalog:write", "programs:write", "workshops:write", "offers:write", "grades:write", "grades:read", "exams:write", "refunds:write", "certificates:write",
		"analytics:read", "operations:read", "accounts:read", "accounts:write", "desk:write", "orders:behalf", "keys:write", "clients:write",
		"roles:write", "providers:write", "cohorts:read", "cohorts:write", "statements:read",
		"audit:read", "lms:write", "privacy:write",
		"outreach:write", "coaching:write", "exports:write",
		"labs:read", "labs:write", "labs:help"},
}

// ScopesOf gives all that somebody with these roles may do, of staff and at partners, sorted; what is everybody's own is among it.
func ScopesOf(roles []string) []string {
	all := map[string]bool{}
	for _, s := range learnerScopes {
		all[s] = true
	}
	for _, r := range roles {
		for _, s := range slices.Concat(scopesOf[r], partnerScopes[r]) {
			all[s] = true
		}
	}
	out := make([]string, 0, len(all))
	for s := range all {
		out = append(out, s)
	}
	sort.Strings(out)
	return out
}

// MayTx says whether a person has a scope by her roles of staff, and so everywhere. What she may at a partner is not among it.
func MayTx(ctx context.Context, tx *postgres.Tx, personID, scope string) (bool, error) {
	roles, err := RolesTx(ctx, tx, personID)
	everywhere := slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(scopesOf[role], scope) }) // a cashier's role is both
	return everywhere || slices.Contains(learnerScopes, scope), err
}

// staffRoles lists the roles of staff.
func staffRoles() []string { return slices.Sorted(maps.Keys(scopesOf)) }

// RolesWith lists the roles of staff that have a scope.
func RolesWith(scope string) []string {
	return slices.DeleteFunc(staffRoles(), func(role string) bool { return !slices.Contains(scopesOf[role], scope) })
}
