package identity_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
)

// hands makes two schools and three people.
func hands(t *testing.T, db *postgres.DB) (people []string) {
	t.Helper()
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		for _, key := range []string{"ESP", "ENS"} {
			if err := identity.PutOrganisationTx(ctx, tx, key, key); err != nil {
				return err
			}
		}
		for _, name := range []string{"awa", "bob", "cor"} {
			p, err := identity.PutPersonTx(ctx, tx, name+"@example.org", name, "")
			if err != nil {
				return err
			}
			people = append(people, p.ID)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return people
}

// Whatever is given and taken, in whatever order: who is what, where, is what was given last, what she may follows from it at once, and an
// organisation that had an owner keeps one where its owners decide.
func TestRolesAtPartnersAreWhatWasGiven(t *testing.T) {
	s, db, _ := room(t)
	people := hands(t, db)
	type held struct{ organisation, person, role string }
	has := map[held]bool{}
	roles := append(identity.PartnerRoles(), "admin")
	rapid.Check(t, func(r *rapid.T) {
		for range 10 {
			h := held{rapid.SampledFrom([]string{"ESP", "ENS"}).Draw(r, "where"), rapid.SampledFrom(people).Draw(r, "who"), rapid.SampledFrom(roles).Draw(r, "role")}
			give, keep := rapid.Bool().Draw(r, "give"), rapid.Bool().Draw(r, "keep")
			var want error
			last := !slices.ContainsFunc(people, func(p string) bool { return p != h.person && has[held{h.organisation, p, identity.RoleOwner}] })
			switch {
			case h.role == "admin":
				want = identity.ErrPartnerRole
			case !give && keep && h.role == identity.RoleOwner && last && has[h]:
				want = identity.ErrLastOwner
			case give:
				has[h] = true
			default:
				delete(has, h)
			}
			err := db.InTx(system, "move", func(ctx context.Context, tx *postgres.Tx) error {
				if give {
					return identity.PutPartnerRoleTx(ctx, tx, h.organisation, h.person, h.role)
				}
				return identity.DropPartnerRoleTx(ctx, tx, h.organisation, h.person, h.role, keep)
			})
			if want == nil && err != nil || want != nil && !errors.Is(err, want) {
				r.Fatalf("%+v, give %v: %v, want %v", h, give, err, want)
			}
		}
		for _, p := range people {
			token, _, err := s.NewToken(system, p, "t", nil, identity.BrowserLife)
			if err != nil {
				r.Fatal(err)
			}
			who, err := s.OfBearer(context.Background(), token)
			if err != nil {
				r.Fatal(err)
			}
			may := map[string]bool{}
			for h, is := range has {
				if is && h.person == p {
					may["roles:write"] = may["roles:write"] || h.role == identity.RoleOwner
					may["cohorts:write"] = may["cohorts:write"] || h.role == identity.RoleOwner || h.role == identity.RoleRegistrar
					may["cohorts:read"] = may["cohorts:read"] || h.role != identity.RoleCashier
					may["desk:write"] = may["desk:write"] || h.role == identity.RoleCashier
				}
			}
			for _, scope := range []string{"roles:write", "cohorts:write", "cohorts:read", "desk:write"} {
				if who.May(scope) != may[scope] {
					r.Fatalf("%s may %s: %v, want %v", p, scope, who.May(scope), may[scope])
				}
			}
			if err := db.View(postgres.WithActor(context.Background(), "learner:"+p), "own", func(ctx context.Context, tx *postgres.Tx) error {
				for _, at := range []string{"ESP", "ENS"} {
					want := identity.ErrNoOrganisation
					for h, is := range has {
						if is && h.organisation == at && h.person == p {
							want = identity.ErrNoPartnerRole
						}
					}
					if has[held{at, p, identity.RoleOwner}] || has[held{at, p, identity.RoleRegistrar}] {
						want = nil
					}
					for _, err := range []error{identity.MustActTx(ctx, tx, at, p, identity.RoleOwner, identity.RoleRegistrar), identity.MustHoldTx(ctx, tx, at, p, "cohorts:write")} {
						if want == nil && err != nil || want != nil && !errors.Is(err, want) {
							r.Fatalf("%s at %s: %v, want %v", p, at, err, want)
						}
					}
				}
				return nil
			}); err != nil {
				r.Fatal(err)
			}
		}
	})
}

// A role of staff is one everywhere and makes nobody a partner; who is of another school is not told that there is this one.
func TestStaffHoldEverywhereAndPartnersAtHome(t *testing.T) {
	_, db, _ := room(t)
	people := hands(t, db)
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.GrantRoleTx(ctx, tx, people[0], "admin"); err != nil {
			return err
		}
		if err := identity.GrantRoleTx(ctx, tx, people[1], "analytics"); err != nil {
			return err
		}
		if err := identity.PutPartnerRoleTx(ctx, tx, "ENS", people[1], identity.RoleRegistrar); err != nil {
			return err
		}
		for _, x := range []struct {
			who, at string
			want    error
		}{
			{people[0], "ESP", nil}, {people[0], "NONE", identity.ErrNoOrganisation},
			{people[1], "ENS", nil}, {people[1], "ESP", identity.ErrNoOrganisation}, // staff of another kind, and registrar elsewhere
			{people[2], "ESP", identity.ErrNoOrganisation},
		} {
			if err := identity.MustHoldTx(ctx, tx, x.at, x.who, "cohorts:write"); x.want == nil && err != nil || x.want != nil && !errors.Is(err, x.want) {
				t.Errorf("%s at %s: %v, want %v", x.who, x.at, err, x.want)
			}
		}
		// A cashier has a role of staff too, for the console's sake; what a cashier may is hers at her own school alone.
		if err := identity.PutCashierTx(ctx, tx, "ENS", people[2]); err != nil {
			return err
		}
		for at, want := range map[string]error{"ENS": nil, "ESP": identity.ErrNoOrganisation} {
			if err := identity.MustHoldTx(ctx, tx, at, people[2], "statements:read"); want == nil && err != nil || want != nil && !errors.Is(err, want) {
				t.Errorf("the cashier of ENS at %s: %v, want %v", at, err, want)
			}
		}
		if err := identity.MustActTx(ctx, tx, "ESP", people[0], identity.PartnerRoles()...); !errors.Is(err, identity.ErrNoOrganisation) {
			t.Error("staff are of the school:", err)
		}
		if err := identity.PutPartnerRoleTx(ctx, tx, "ESP", "per_01kb5t8kz9e0qv4m3r2x7nwhjd", identity.RoleOwner); !errors.Is(err, identity.ErrNoPerson) {
			t.Error(err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutPartnerRoleTx(ctx, tx, "NONE", people[0], identity.RoleOwner)
	}); !errors.Is(err, identity.ErrNoOrganisation) {
		t.Error(err)
	}
}

// Two owners who take the role from each other at once leave one.
func TestTwoOwnersDoNotLeaveTogether(t *testing.T) {
	_, db, _ := room(t)
	people := hands(t, db)
	for range 5 {
		if err := inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			return errors.Join(identity.PutPartnerRoleTx(ctx, tx, "ESP", people[0], identity.RoleOwner), identity.PutPartnerRoleTx(ctx, tx, "ESP", people[1], identity.RoleOwner))
		}); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		refused := make([]error, 2)
		for i := range 2 {
			group.Go(func() {
				refused[i] = db.InTx(system, "take", func(ctx context.Context, tx *postgres.Tx) error {
					return identity.DropPartnerRoleTx(ctx, tx, "ESP", people[i], identity.RoleOwner, true)
				})
			})
		}
		group.Wait()
		if (refused[0] == nil) == (refused[1] == nil) || !errors.Is(errors.Join(refused...), identity.ErrLastOwner) {
			t.Fatal(refused)
		}
	}
}
