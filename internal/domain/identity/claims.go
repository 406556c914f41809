package identity

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

// ClaimNames are the names by which a provider tells what it says of people; empty: those of the standard, but for Groups, of which there is
// none. Hints say which of its groups hints at which role.
type ClaimNames struct {
	Email    string            `json:"email"`
	Verified string            `json:"verified"` // true where the address was proven
	Name     string            `json:"name"`
	Given    string            `json:"given"` // of her name, where there is no Name
	Family   string            `json:"family"`
	Groups   string            `json:"groups,omitempty"`
	Hints    map[string]string `json:"hints,omitempty"` // role by group
}

// maxHints is how many groups of a provider may hint at a role.
const maxHints = 100

// Usual are the names with those of the standard where none is said.
func (c ClaimNames) Usual() ClaimNames {
	c.Email, c.Verified, c.Name = cmp.Or(c.Email, "email"), cmp.Or(c.Verified, "email_verified"), cmp.Or(c.Name, "name")
	c.Given, c.Family = cmp.Or(c.Given, "given_name"), cmp.Or(c.Family, "family_name")
	return c
}

// Value lets database/sql store the names.
func (c ClaimNames) Value() (driver.Value, error) {
	b, err := json.Marshal(c)
	return string(b), err
}

// Scan reads them back.
func (c *ClaimNames) Scan(stored any) error {
	b, ok := stored.([]byte)
	if !ok {
		return fmt.Errorf("names of claims are stored as %T", stored)
	}
	*c = ClaimNames{}
	return json.Unmarshal(b, c)
}

// check says what is wrong with the names, of a provider that knows the students of an organisation or of none.
func (c ClaimNames) check(organisation string, say func(pointer, code, detail string)) {
	for pointer, name := range map[string]string{"email": c.Email, "verified": c.Verified, "name": c.Name, "given": c.Given, "family": c.Family, "groups": cmp.Or(c.Groups, "groups")} {
		if !claimName.MatchString(name) {
			say("/claims/"+pointer, "bad-claim", "The name of a claim, such as email: letters, digits and _ . : / -.")
		}
	}
	if c.Verified == c.Email {
		say("/claims/verified", "bad-claim", "The claim that says that the address was proven is another one than the address.")
	}
	if (c.Groups == "") != (len(c.Hints) == 0) {
		say("/claims/hints", "bad-hint", "The claim with the groups, and at least one group with its role; or neither.")
	}
	if len(c.Hints) > maxHints {
		say("/claims/hints", "too-many", "100 groups at most.")
	}
	for _, group := range slices.Sorted(maps.Keys(c.Hints)) {
		role := c.Hints[group]
		if n := utf8.RuneCountInString(group); n < 1 || n > 255 {
			say("/claims/hints", "bad-hint", "A group has 1 to 255 characters.")
		}
		if staff := slices.Contains(staffRoles(), role) && role != RoleCashier; !staff && (organisation == "" || partnerScopes[role] == nil) {
			say("/claims/hints", "bad-role", "A role of staff; or, where the provider knows the students of an organisation, one at that organisation.")
		}
	}
}

// Hint is what a group of somebody at a provider hints at. She has the role by what Has says, not by the hint.
type Hint struct {
	PersonID string    `db:"person_id"`
	FullName string    `db:"full_name"`
	Email    string    `db:"email"`
	Role     string    `db:"role"`
	Group    string    `db:"group_name"`
	SaidAt   time.Time `db:"said_at"`
	Has      bool      `db:"has"`
}

// HintsTx lists what the groups of people at a provider hint at, those first who have not the role; 200 at most.
func HintsTx(ctx context.Context, tx *postgres.Tx, provider string) ([]Hint, error) {
	all := []Hint{}
	err := tx.Select(ctx, &all, q.Q("Hints"), provider)
	return all, err
}

// hintTx writes down what somebody's groups hint at, in place of what they did before.
func hintTx(ctx context.Context, tx *postgres.Tx, p Provider, personID string, groups []string) error {
	if _, err := tx.Exec(ctx, q.Q("DropHints"), p.ID, personID); err != nil {
		return err
	}
	var names, roles []string
	for _, group := range slices.Compact(slices.Sorted(slices.Values(groups))) {
		if role := p.Claims.Hints[group]; role != "" {
			names, roles = append(names, group), append(roles, role)
		}
	}
	if len(names) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, q.Q("AddHints"), p.ID, personID, pq.Array(roles), pq.Array(names), tx.Now())
	return err
}
