package privacy_test

import (
	"context"
	"errors"
	"testing"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/origin"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"

	"pgregory.net/rapid"
)

var system = postgres.WithActor(context.Background(), "system")

func inTx(t testing.TB, db *postgres.DB, work func(ctx context.Context, tx *postgres.Tx) error) {
	t.Helper()
	if err := db.InTx(system, "test", work); err != nil {
		t.Fatal(err)
	}
}

func person(t testing.TB, db *postgres.DB, email string) (p identity.Person) {
	t.Helper()
	inTx(t, db, func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = identity.PutPersonTx(ctx, tx, email, "Somebody", "en")
		return err
	})
	return p
}

// What was said last of a purpose holds; silence is no; whatever is said of one purpose or by one person changes nothing of the others.
// It breaks when the order of the rows, the purpose or the person is forgotten in a query.
func TestTheLastWordHolds(t *testing.T) {
	db := testkit.DB(t)
	people := []identity.Person{person(t, db, "a@example.org"), person(t, db, "b@example.org"), person(t, db, "c@example.org")}
	model := map[string]map[string]bool{}
	rapid.Check(t, func(r *rapid.T) {
		who := rapid.SampledFrom(people).Draw(r, "who").ID
		purpose := rapid.SampledFrom(privacy.Purposes()).Draw(r, "purpose").Code
		given := rapid.Bool().Draw(r, "given")
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error { return privacy.SayTx(ctx, tx, who, purpose, given) })
		if model[purpose] == nil {
			model[purpose] = map[string]bool{}
		}
		model[purpose][who] = given
		inTx(t, db, func(ctx context.Context, tx *postgres.Tx) error {
			for _, p := range privacy.Purposes() {
				agree, err := privacy.ConsentsTx(ctx, tx, p.Code, people[0].ID, people[1].ID, people[2].ID)
				if err != nil {
					return err
				}
				for _, x := range people {
					if one, err := privacy.ConsentTx(ctx, tx, x.ID, p.Code); err != nil || agree[x.ID] != model[p.Code][x.ID] || one != agree[x.ID] {
						r.Fatalf("%s of %s: %v and %v, said %v (%v)", p.Code, x.ID, agree[x.ID], one, model[p.Code][x.ID], err)
					}
				}
			}
			return nil
		})
	})
}

// A consent says which text, when, who said it and from where; to say the same again is no new word; a purpose that nobody knows is refused.
func TestAConsentSaysWhatItIs(t *testing.T) {
	dsn := testkit.OwnerDSN(t)
	db, owner := testkit.Open(t, dsn, testkit.Clock()), testkit.Owner(t, dsn)
	p := person(t, db, "a@example.org")
	hers := postgres.WithActor(origin.With(postgres.WithActor(context.Background(), "learner:"+p.ID), "192.0.2.7"), "system")
	for _, given := range []bool{true, true, false, false} {
		if err := db.InTx(hers, "say", func(ctx context.Context, tx *postgres.Tx) error {
			return privacy.SayTx(ctx, tx, p.ID, privacy.News, given)
		}); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	var by, from, text string
	if err := owner.QueryRow(`select count(*), min(said_by), min(origin), min(text) from privacy.consents`).Scan(&n, &by, &from, &text); err != nil || n != 2 || by != "learner:"+p.ID || from != "192.0.2.7" || text == "" {
		t.Error(n, by, from, text, err)
	}
	err := db.InTx(system, "say", func(ctx context.Context, tx *postgres.Tx) error {
		return privacy.SayTx(ctx, tx, p.ID, "everything", true)
	})
	if !errors.Is(err, privacy.ErrPurpose) {
		t.Error(err)
	}
	for text, want := range map[string]error{"1999-01": privacy.ErrText, privacy.Purposes()[0].Text: nil} { // what she did not read she did not agree to
		if err := db.InTx(system, "agree", func(ctx context.Context, tx *postgres.Tx) error {
			return privacy.AgreeTx(ctx, tx, p.ID, privacy.Purposes()[0].Code, text)
		}); !errors.Is(err, want) {
			t.Error(text, err)
		}
	}
	other := person(t, db, "b@example.org")
	if err := db.View(postgres.WithActor(context.Background(), "learner:"+other.ID), "look", func(ctx context.Context, tx *postgres.Tx) error {
		all, err := privacy.ConsentsOfTx(ctx, tx, p.ID)
		for _, c := range all {
			if !c.At.IsZero() {
				t.Error("another learner sees", c)
			}
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
