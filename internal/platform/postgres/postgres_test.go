package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

func query(sql string) postgres.Query { return postgres.Query{Name: "test", SQL: sql} }

func database(t *testing.T) *postgres.DB {
	dsn := testkit.OwnerDSN(t)
	owner := testkit.Owner(t, dsn)
	if _, err := owner.Exec(`CREATE TABLE public.seat (n int CONSTRAINT seat_left CHECK (n >= 0), id int PRIMARY KEY);
		GRANT SELECT, INSERT, UPDATE ON public.seat TO cursus_app; INSERT INTO public.seat VALUES (3, 1), (3, 2)`); err != nil {
		t.Fatal(err)
	}
	return testkit.Open(t, dsn, testkit.Clock())
}

// A failed transaction leaves nothing; a constraint's name is the fault that the caller sees.
func TestInTxCommitsOrLeavesNothing(t *testing.T) {
	db, ctx := database(t), context.Background()
	soldOut := fault.New(fault.Conflict, "sold-out", "No seat is left.")
	postgres.RegisterConstraint("seat_left", soldOut)
	err := db.InTx(ctx, "take", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, query(`update seat set n = n - 1 where id = 1`)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, query(`update seat set n = n - 4 where id = 2`))
		return err
	})
	if !errors.Is(err, soldOut) {
		t.Fatal(err)
	}
	var n int
	if err := db.View(ctx, "look", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &n, query(`select n from seat where id = 1`))
	}); err != nil || n != 3 {
		t.Fatal(n, err)
	}
}

func TestTransactionsDoNotNest(t *testing.T) {
	db := database(t)
	err := db.InTx(context.Background(), "outer", func(ctx context.Context, _ *postgres.Tx) error {
		return db.View(ctx, "inner", func(context.Context, *postgres.Tx) error { return nil })
	})
	if fault.From(err).Code != "nested-transaction" {
		t.Fatal(err)
	}
}

// Two transactions that lock two rows in opposite order deadlock; the victim is repeated and both take effect.
func TestDeadlockVictimIsRepeated(t *testing.T) {
	db, ctx := database(t), context.Background()
	var meet sync.WaitGroup
	meet.Add(2)
	var runs atomic.Int32
	take := func(first, second int) error {
		once := sync.OnceFunc(func() { meet.Done(); meet.Wait() })
		return db.InTx(ctx, "take two", func(ctx context.Context, tx *postgres.Tx) error {
			runs.Add(1)
			if _, err := tx.Exec(ctx, query(`update seat set n = n - 1 where id = $1`), first); err != nil {
				return err
			}
			once()
			_, err := tx.Exec(ctx, query(`update seat set n = n - 1 where id = $1`), second)
			return err
		})
	}
	errs := make(chan error, 2)
	go func() { errs <- take(1, 2) }()
	go func() { errs <- take(2, 1) }()
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	var left int
	if err := db.View(ctx, "look", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &left, query(`select sum(n) from seat`))
	}); err != nil || left != 2 || runs.Load() < 3 {
		t.Fatal("left", left, "runs", runs.Load(), err)
	}
}

// The database is told who acts, the application's role owns nothing, and the actor does not leak to the next transaction.
func TestActorAndRole(t *testing.T) {
	db := database(t)
	who := func(ctx context.Context) (s string) {
		if err := db.View(ctx, "who", func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &s, query(`select current_user || ' ' || platform.actor()`))
		}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if got := who(postgres.WithActor(context.Background(), "learner:per_1")); got != "cursus_app learner:per_1" {
		t.Fatal(got)
	}
	if got := who(context.Background()); got != "cursus_app public" {
		t.Fatal(got)
	}
	if got := who(postgres.WithActor(context.Background(), "system")); got != "cursus_house system" {
		t.Fatal(got)
	}
	err := db.InTx(context.Background(), "drop", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, query(`drop table seat`))
		return err
	})
	var e *pq.Error
	if !errors.As(err, &e) || e.Code != "42501" {
		t.Fatal("the application's role could drop a table:", err)
	}
}

// Look reads what the house sees, for the house alone, and writes nothing, whatever the statement says.
func TestLookReadsAndWritesNothing(t *testing.T) {
	db, house := database(t), postgres.WithActor(context.Background(), "system")
	for range 5 { // not prepared, then prepared
		var n int
		if err := db.Look(house, &n, query(`select n from seat where id = $1`), 1); err != nil || n != 3 {
			t.Fatal(n, err)
		}
		var all []int
		if err := db.LookAll(house, &all, query(`select id from seat order by id`)); err != nil || len(all) != 2 {
			t.Fatal(all, err)
		}
		var e *pq.Error
		if err := db.Look(house, &n, query(`insert into seat values (1, 9) returning n`)); !errors.As(err, &e) || e.Code != "25006" {
			t.Fatal("a write outside a transaction:", err)
		}
	}
	var n int
	if err := db.Look(house, &n, query(`select n from seat where id = 9`)); !errors.Is(err, sql.ErrNoRows) {
		t.Fatal(err)
	}
	if err := db.Look(postgres.WithActor(house, "learner:per_1"), &n, query(`select 1`)); fault.From(err).Code != "not-the-house" {
		t.Fatal(err)
	}
	err := db.InTx(house, "outer", func(ctx context.Context, _ *postgres.Tx) error { return db.Look(ctx, &n, query(`select 1`)) })
	if fault.From(err).Code != "nested-transaction" {
		t.Fatal(err)
	}
}

// What has plans of its own is never prepared: a plan of a small table would be kept for a large one.
func TestOwnPlansAreNotKept(t *testing.T) {
	db := database(t)
	kept := func(ctx context.Context) (n int) {
		for range 5 {
			if err := db.View(ctx, "seats", func(ctx context.Context, tx *postgres.Tx) error {
				var all []int
				if err := tx.Select(ctx, &all, query(`select id from seat where n > $1`), 0); err != nil {
					return err
				}
				return tx.Get(ctx, &n, query(`select count(*) from pg_prepared_statements where statement like 'select id from seat%'`))
			}); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	if n := kept(postgres.WithOwnPlans(context.Background())); n != 0 {
		t.Fatal(n, "plans were kept")
	}
	if n := kept(context.Background()); n == 0 {
		t.Fatal("this test cannot fail: nothing is ever kept")
	}
}
