package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/books/ledger"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// The book against a model: random postings, some unbalanced, some repeated, some repeated with other content. After each
// the balances of the book are those of the model, and the refused ones left nothing.
func TestBookAgainstModel(t *testing.T) {
	db, ctx, round := testkit.DB(t), context.Background(), 0
	accounts := []string{ledger.Receivable, ledger.Revenue, ledger.Refunds, ledger.Clearing("stripe")}
	totals := map[string]int64{}
	rapid.Check(t, func(t *rapid.T) {
		round++
		posted := map[string]ledger.Posting{}
		for step := range rapid.IntRange(1, 6).Draw(t, "steps") {
			p := ledger.Posting{Reference: fmt.Sprintf("r%d-%d", round, rapid.IntRange(0, 3).Draw(t, "reference")), Kind: "sale",
				Currency: rapid.SampledFrom([]money.Currency{"EUR", "XOF"}).Draw(t, "currency"), OccurredAt: db.Now()}
			sum := int64(0)
			for range rapid.IntRange(0, 3).Draw(t, "entries") {
				m := rapid.Int64Range(-1_000_000, 1_000_000).Filter(func(m int64) bool { return m != 0 }).Draw(t, "minor")
				p.Entries = append(p.Entries, ledger.Entry{Account: rapid.SampledFrom(accounts).Draw(t, "account"), Minor: m, OrderID: "ord_x"})
				sum += m
			}
			if sum != 0 && rapid.Bool().Draw(t, "balance it") {
				p.Entries = append(p.Entries, ledger.Entry{Account: ledger.Revenue, Minor: -sum})
				sum = 0
			}
			if earlier, ok := posted[p.Reference]; ok && rapid.Bool().Draw(t, "same content") {
				p = earlier
				sum = 0
			}
			err := db.InTx(ctx, "post", func(ctx context.Context, tx *postgres.Tx) error { return ledger.PostTx(ctx, tx, p) })
			earlier, repeated := posted[p.Reference]
			switch {
			case repeated && fmt.Sprint(earlier) == fmt.Sprint(p), err == nil && !repeated && sum == 0 && len(p.Entries) >= 2:
				if err != nil {
					t.Fatalf("step %d: %v", step, err)
				}
			case err == nil:
				t.Fatalf("step %d: %+v was accepted (repeated %v)", step, p, repeated)
			}
			if err == nil && !repeated {
				posted[p.Reference] = p
				for _, e := range p.Entries {
					totals[e.Account+string(p.Currency)] += e.Minor
				}
			}
		}
		for _, a := range accounts {
			for _, c := range []money.Currency{"EUR", "XOF"} {
				var got int64
				if err := db.View(ctx, "balance", func(ctx context.Context, tx *postgres.Tx) (err error) {
					got, err = ledger.BalanceTx(ctx, tx, a, c)
					return err
				}); err != nil || got != totals[a+string(c)] {
					t.Fatalf("%s in %s is %d, the model says %d (%v)", a, c, got, totals[a+string(c)], err)
				}
			}
		}
	})
	testkit.Verify(t, db, ledger.Checks())
}

// Nobody edits the book: not the application, whose role has no such right, and not the owner, whom a trigger stops.
func TestBookIsAppendOnly(t *testing.T) {
	dsn := testkit.OwnerDSN(t)
	db, owner, ctx := testkit.Open(t, dsn, testkit.Clock()), testkit.Owner(t, dsn), context.Background()
	p := ledger.Posting{Reference: "r", Kind: "sale", Currency: "EUR", OccurredAt: db.Now(), Entries: []ledger.Entry{
		{Account: ledger.Receivable, Minor: 15000}, {Account: ledger.Revenue, Minor: -15000}}}
	post := func(ctx context.Context, tx *postgres.Tx) error { return ledger.PostTx(ctx, tx, p) }
	if err := db.InTx(ctx, "post", post); err != nil {
		t.Fatal(err)
	}
	p.Entries[0].Minor, p.Entries[1].Minor = 1, -1
	if err := db.InTx(ctx, "post", post); !errors.Is(err, ledger.ErrReused) {
		t.Fatal(err)
	}
	for _, s := range []string{
		`update ledger.entries set minor = minor + 1`, `delete from ledger.entries`, `truncate ledger.entries`,
		`update ledger.transactions set currency = 'XOF'`, `delete from ledger.transactions`,
		`insert into ledger.entries (transaction_id, account, minor) select id, 'revenue', 5 from ledger.transactions`,
		`insert into ledger.entries (transaction_id, account, minor) select id, a, m from ledger.transactions, (values ('revenue', 5), ('refunds', -5)) v(a, m)`,
	} {
		if _, err := owner.Exec(s); err == nil {
			t.Error("the owner could", s)
		}
		err := db.InTx(ctx, "tamper", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, postgres.Query{Name: "tamper", SQL: s})
			return err
		})
		if err == nil || fault.From(err).Kind == fault.Unavailable {
			t.Error("the application could", s, err)
		}
	}
}
