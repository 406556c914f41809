package identity_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

func room(t *testing.T) (*identity.Service, *postgres.DB, *clock.Manual) {
	t.Helper()
	c := testkit.Clock()
	db := testkit.Open(t, testkit.OwnerDSN(t), c)
	s, err := identity.New(db, jobs.New(db, nil), theDoor, []byte("a secret that is long enough for tests"))
	if err != nil {
		t.Fatal(err)
	}
	return s, db, c
}

func count(ctx context.Context, t *testing.T, db *postgres.DB, sql string) (n int) {
	t.Helper()
	if err := db.View(ctx, "count", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &n, postgres.Query{Name: "count", SQL: sql})
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// Reports of several sessions of one platform are imported at once and share new learners: nobody is made twice, and no
// import fails.
func TestImportsAtOnceShareTheirNewPeople(t *testing.T) {
	_, db, _ := room(t)
	var group sync.WaitGroup
	all := make([]map[string]string, 8)
	for i := range all {
		group.Go(func() {
			var in []identity.ExternalPerson
			for n := range 200 {
				in = append(in, identity.ExternalPerson{Subject: fmt.Sprint(n + i), FullName: "x"})
			}
			if err := db.InTx(system, "import", func(ctx context.Context, tx *postgres.Tx) (err error) {
				all[i], err = identity.ImportPeopleTx(ctx, tx, "fun", in)
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := count(system, t, db, "select count(*) from identity.people"); n != 207 {
		t.Error(n, "people were made of 207")
	}
	for i := range all {
		if all[i]["100"] != all[0]["100"] || all[i]["100"] == "" {
			t.Error("one learner is two people")
		}
	}
}

// A subject whose address somebody signed in with is her; a known subject and a second subject of hers are not taken over.
func TestAddressesLinkThoseWhoSignedIn(t *testing.T) {
	_, db, _ := room(t)
	var ids map[string]string
	var zoe identity.Person
	if err := db.InTx(system, "link", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if zoe, err = identity.PutPersonTx(ctx, tx, " Zoe@Example.org ", "Zoé", "fr"); err != nil {
			return err
		}
		if _, err = identity.ImportPeopleTx(ctx, tx, "fun", []identity.ExternalPerson{{Subject: "1", FullName: "old"}}); err != nil {
			return err
		}
		ids, err = identity.ImportPeopleTx(ctx, tx, "fun", []identity.ExternalPerson{
			{Subject: "1", Email: "zoe@example.org"}, {Subject: "2", Email: "ZOE@example.org"}, {Subject: "3", Email: "zoe@example.org"}, {Subject: "4", Email: "not an address"},
		})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if ids["2"] != zoe.ID || ids["1"] == zoe.ID || ids["3"] == zoe.ID || ids["4"] == "" {
		t.Errorf("%v, Zoé is %s", ids, zoe.ID)
	}
}

func TestALinkWorksOnceAndInTime(t *testing.T) {
	s, db, c := room(t)
	ctx := context.Background()
	old, err := s.MakeLink(ctx, "a@example.org", identity.LinkLife)
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(identity.LinkLife)
	if _, _, _, err := s.Redeem(ctx, old, ""); !errors.Is(err, identity.ErrLink) {
		t.Error("an old link works:", err)
	}
	link, err := s.MakeLink(ctx, "a@example.org", identity.LinkLife)
	if err != nil {
		t.Fatal(err)
	}
	p, session, _, err := s.Redeem(ctx, link, "")
	if err != nil || p.Email != "a@example.org" || p.Staff() {
		t.Fatal(p, err)
	}
	if _, _, _, err := s.Redeem(ctx, link, ""); !errors.Is(err, identity.ErrLink) {
		t.Error("a link works twice:", err)
	}
	if who, err := s.OfBrowser(ctx, session); err != nil || who.ID != p.ID || who.Actor() != "learner:"+p.ID {
		t.Error(who, err)
	}
	if _, err := s.OfBearer(ctx, session); !errors.Is(err, identity.ErrNobody) {
		t.Error("a browser's session opens the API:", err)
	}
	if l, err := s.SignOut(ctx, session, ""); err != nil || l != (identity.Leaving{}) {
		t.Fatal(err)
	}
	if _, err := s.OfBrowser(ctx, session); !errors.Is(err, identity.ErrNobody) {
		t.Error("a session outlives its end:", err)
	}
	for range 5 {
		err = errors.Join(err, s.AskForLink(ctx, "b@example.org", "/learning", "fr"))
	}
	if again := s.AskForLink(ctx, "b@example.org", "", "fr"); err != nil || !errors.Is(again, identity.ErrTooMany) || fault.From(again).Wait != int(identity.LinkLife.Seconds()) {
		t.Error("a sixth link within a quarter of an hour:", err, again)
	}
	if n := count(postgres.WithActor(ctx, "learner:"+p.ID), t, db, "select count(*) from identity.tokens"); n != 0 {
		t.Error("a learner reads", n, "tokens")
	}
	if n := count(postgres.WithActor(ctx, "learner:per_somebody"), t, db, "select count(*) from identity.people"); n != 0 {
		t.Error("a learner reads", n, "other people")
	}
}

func TestATokenCanDoNoMoreThanItsOwner(t *testing.T) {
	s, db, c := room(t)
	ctx := context.Background()
	var p identity.Person
	if err := db.InTx(system, "staff", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if p, err = identity.PutPersonTx(ctx, tx, "s@example.org", "S", "en"); err != nil {
			return err
		}
		if err := identity.GrantRoleTx(ctx, tx, p.ID, "king"); !errors.Is(err, identity.ErrRole) {
			t.Error("a role that is none:", err)
		}
		return identity.GrantRoleTx(ctx, tx, p.ID, "exams")
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.NewToken(ctx, p.ID, "x", []string{"refunds:write"}, time.Hour); !errors.Is(err, identity.ErrScope) {
		t.Error("a token was given what its owner may not do:", err)
	}
	secret, _, err := s.NewToken(ctx, p.ID, "x", []string{"exams:write"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.OfBearer(ctx, secret)
	if err != nil || !slices.Equal(who.Scopes, []string{"exams:write"}) || who.Actor() != "staff:"+p.ID {
		t.Error(who, err)
	}
	c.Advance(time.Hour)
	if _, err := s.OfBearer(ctx, secret); !errors.Is(err, identity.ErrNobody) {
		t.Error("a token outlives its time:", err)
	}
	if _, err := identity.New(db, nil, nil, []byte("short")); fault.From(err).Code != "weak-secret" {
		t.Error("a weak secret is taken:", err)
	}
}
