package audit_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"cursus/internal/kernel/origin"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

func broken(t *testing.T, db *postgres.DB) (n int) {
	for _, c := range audit.Checks() {
		rows, err := postgres.RunCheck(postgres.WithActor(context.Background(), "system"), db, c)
		if err != nil {
			t.Fatal(err)
		}
		n += len(rows)
	}
	return n
}

// Forty writers at once make one chain. What somebody with the keys of the database changes, takes out or cuts off is seen.
func TestChainShowsTampering(t *testing.T) {
	dsn := testkit.OwnerDSN(t)
	db, owner := testkit.Open(t, dsn, testkit.Clock()), testkit.Owner(t, dsn)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if err := db.InTx(postgres.WithActor(context.Background(), "staff:1"), "act", func(ctx context.Context, tx *postgres.Tx) error {
				return audit.AppendTx(ctx, tx, audit.Entry{Action: "test.acted", Object: "obj_1", Detail: map[string]any{"a": 1.5, "b": "é"}})
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := broken(t, db); n != 0 {
		t.Fatal(n, "rows of an honest chain are called broken")
	}
	for _, s := range []string{`update platform.audit set actor = 'x'`, `delete from platform.audit`, `update platform.audit_head set seq = 0`} {
		if err := db.InTx(context.Background(), "tamper", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, postgres.Query{Name: "tamper", SQL: s})
			return err
		}); err == nil {
			t.Error("the application could", s)
		}
	}
	for _, s := range []string{
		`update platform.audit set detail = '{"a": 2}' where seq = 7`, `delete from platform.audit where seq = 7`,
		`delete from platform.audit where seq = 40`, `update platform.audit set at = at + interval '1 second' where seq = 7`,
	} {
		tx, err := owner.Begin()
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []string{`alter table platform.audit disable trigger audit_append_only`, `create table saved as table platform.audit`, s} {
			if _, err := tx.Exec(step); err != nil {
				t.Fatal(step, err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if broken(t, db) == 0 {
			t.Error("nobody sees", s)
		}
		if _, err := owner.Exec(`alter table platform.audit disable trigger audit_chain; truncate platform.audit; insert into platform.audit table saved;
			drop table saved; alter table platform.audit enable trigger audit_chain`); err != nil {
			t.Fatal(err)
		}
	}
}

// From where an act was asked for is proven by the chain while it stands, and wiping it breaks nothing; another address put in its place,
// or one put where it was wiped, is seen. Who asked is named also where the house acted for her.
func TestOriginsAreSealedAndWiped(t *testing.T) {
	dsn := testkit.OwnerDSN(t)
	clock := testkit.Clock()
	db, owner := testkit.Open(t, dsn, clock), testkit.Owner(t, dsn)
	asked := origin.With(postgres.WithActor(postgres.WithActor(context.Background(), "learner:per_1"), "system"), "192.0.2.7")
	act := func(ctx context.Context, action string) {
		t.Helper()
		if err := db.InTx(ctx, "act", func(ctx context.Context, tx *postgres.Tx) error {
			return audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: "obj_1"})
		}); err != nil {
			t.Fatal(err)
		}
	}
	act(asked, "test.asked")
	act(postgres.WithActor(context.Background(), "system"), "test.alone")
	read := func(f audit.Filter) (all []audit.Act) {
		t.Helper()
		if err := db.View(postgres.WithActor(context.Background(), "staff:per_2"), "read", func(ctx context.Context, tx *postgres.Tx) (err error) {
			all, _, err = audit.ReadTx(ctx, tx, f, page.Request{Limit: 10})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := read(audit.Filter{}); len(all) != 2 || all[1].Actor != "learner:per_1" || all[1].Origin != "192.0.2.7" || !all[1].Holds || all[0].Actor != "system" || all[0].Sealed || !all[0].Holds {
		t.Fatalf("%+v", all)
	}
	later := clock.Now().Add(time.Second)
	for _, c := range []struct {
		f    audit.Filter
		want int
	}{
		{audit.Filter{Actor: "per_1"}, 1}, {audit.Filter{Actor: "system"}, 1}, {audit.Filter{Actor: "per_"}, 0}, {audit.Filter{Object: "obj_1"}, 2}, {audit.Filter{Object: "obj"}, 0},
		{audit.Filter{Action: "test."}, 2}, {audit.Filter{Action: "test.al"}, 1}, {audit.Filter{Until: &later}, 2}, {audit.Filter{From: &later}, 0},
	} {
		if all := read(c.f); len(all) != c.want {
			t.Errorf("%+v finds %d acts, want %d", c.f, len(all), c.want)
		}
	}
	if err := db.View(postgres.WithActor(context.Background(), "learner:per_1"), "read", func(ctx context.Context, tx *postgres.Tx) error {
		if all, _, err := audit.ReadTx(ctx, tx, audit.Filter{}, page.Request{Limit: 10}); err != nil || len(all) != 0 {
			t.Error("a learner reads what was done:", all, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	system := postgres.WithActor(context.Background(), "system")
	honest := func() bool {
		v, err := audit.Verify(system, db)
		if err != nil || v.Rows != 2 || len(v.Head) != 64 {
			t.Fatal(v, err)
		}
		return len(v.Broken) == 0
	}
	if _, err := owner.Exec(`update platform.audit_origins set origin = '192.0.2.8'`); err != nil || honest() || read(audit.Filter{Actor: "per_1"})[0].Holds {
		t.Error("nobody sees another address", err)
	}
	if err := db.InTx(system, "wipe", func(ctx context.Context, tx *postgres.Tx) error {
		n, err := tx.Exec(ctx, postgres.Query{Name: "wipe", SQL: "delete from platform.audit_origins"})
		if n != 1 {
			t.Error(n, "addresses were wiped")
		}
		return err
	}); err != nil || !honest() {
		t.Error("the chain does not hold without the address", err)
	}
	if x := read(audit.Filter{Actor: "per_1"})[0]; !x.Wiped() || !x.Holds {
		t.Errorf("%+v", x)
	}
}
