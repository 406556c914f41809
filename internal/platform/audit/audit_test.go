package audit_test

import (
	"context"
	"sync"
	"testing"

	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

func broken(t *testing.T, db *postgres.DB) (n int) {
	for _, c := range audit.Checks() {
		rows, err := postgres.RunCheck(context.Background(), db, c)
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
