package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/accounting"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// reconcile makes a comparison and gives the differences that stand, "kind object ours theirs".
func (w *world) reconcile() (r accounting.Run, standing []string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		r, err = w.h.Accounting.AskTx(ctx, tx, "test")
		return err
	})
	w.until("the comparison ends", func() bool {
		var err error
		if r, err = w.h.Accounting.Run(system, r.ID); err != nil {
			w.t.Fatal(err)
		}
		return r.State != "waiting"
	})
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, _, err := accounting.DifferencesTx(ctx, tx, "", "open", page.Request{Limit: 200})
		for _, d := range all {
			standing = append(standing, fmt.Sprintf("%s %s %d %d", d.Kind, d.Object, d.Ours, d.Theirs))
		}
		return err
	})
	slices.Sort(standing)
	return r, standing
}

// Each kind of difference is made by hand, by the owner of the database, and then named with both amounts; made good, it is
// resolved by itself. Nothing stands before, and nothing after.
func TestEachKindOfDifferenceIsNamed(t *testing.T) {
	w := newWorld(t)
	buyer := w.person("zoe@example.org", "Zoé")
	o := w.order(buyer.ID, w.paid, "k")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	w.quiet()
	if r, standing := w.reconcile(); len(standing) > 0 || r.State != "done" {
		t.Fatal("before anything happened:", r, standing)
	}
	owner := testkit.Owner(t, w.dsn)
	pay := o.PaymentID
	for _, x := range []struct {
		name, break_, mend string
		want               []string
	}{
		{"a captured amount is changed", `update payments.payments set captured_minor = 14000`, `update payments.payments set captured_minor = 15000`,
			[]string{"payment_ledger " + o.ID + " 15000 14000", "provider_amount " + pay + " 14000 15000"}},
		{"a capture is lost", `update payments.payments set captured_minor = 0`, `update payments.payments set captured_minor = 15000`,
			[]string{"payment_ledger " + o.ID + " 15000 0", "provider_only " + pay + " 0 15000"}},
		{"an order forgets that it was paid", `update sales.orders set state = 'expired', paid_at = null`, `update sales.orders set state = 'paid', paid_at = placed_at`,
			[]string{"enrolled_not_paid " + o.ID + " 15000 15000", "order_ledger " + o.ID + " 15000 0"}},
		{"a grant goes to nobody's order", `alter table enrolment.grants disable trigger all; update enrolment.grants set order_id = 'ord_x'`, `update enrolment.grants set order_id = '` + o.ID + `'`,
			[]string{"paid_not_enrolled " + o.ID + " 0 15000"}},
		{"an invoice says less", `alter table invoicing.documents disable trigger documents_append_only; update invoicing.documents set amount_minor = 14999`,
			`update invoicing.documents set amount_minor = 15000; alter table invoicing.documents enable trigger documents_append_only`, []string{"document_ledger " + o.ID + " 14999 15000"}},
		{"an event lies about", `update payments.events set state = 'received', received_at = '2026-01-01' where id = (select min(id) from payments.events)`,
			`update payments.events set state = 'applied'`, []string{"event_waiting"}},
		{"money moves in the ledger alone", `alter table ledger.entries disable trigger all; update ledger.entries set minor = 15001 where account = 'clearing:stripe'`,
			`update ledger.entries set minor = 15000 where account = 'clearing:stripe'; alter table ledger.entries enable trigger all`,
			[]string{"order_ledger " + o.ID + " 15001 15000", "payment_ledger " + o.ID + " 15001 15000", "provider_book EUR 15001 15000"}},
		{"a payment that the provider never saw", `insert into payments.payments (id, order_id, provider, demo, amount_minor, currency, state, description, expires_at, created_at, captured_minor, captured_currency)
			values ('pay_never', 'ord_never', 'stripe', true, 5, 'EUR', 'captured', 'x', now(), now(), 5, 'EUR')`, `delete from payments.payments where id = 'pay_never'`,
			[]string{"payment_ledger ord_never 0 5", "provider_missing pay_never 5 0"}},
	} {
		byHand(t, owner, x.break_)
		_, standing := w.reconcile()
		if len(standing) == len(x.want) && strings.HasPrefix(standing[0], x.want[0]+" evt_") {
			standing[0] = x.want[0] // the id of the event is the provider's
		}
		if !slices.Equal(standing, x.want) {
			t.Errorf("%s: %v, want %v", x.name, standing, x.want)
		}
		w.investigates(x.want[0])
		byHand(t, owner, x.mend)
		if _, standing := w.reconcile(); len(standing) > 0 {
			t.Errorf("%s, made good: %v", x.name, standing)
		}
	}
	w.verify()
}

func byHand(t *testing.T, owner *sql.DB, statement string) {
	t.Helper()
	if _, err := owner.Exec(statement); err != nil {
		t.Fatal(err, statement)
	}
}

// investigates asks for everything that is known of the first standing difference of a kind.
func (w *world) investigates(want string) {
	w.t.Helper()
	kind, _, _ := strings.Cut(want, " ")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, _, err := accounting.DifferencesTx(ctx, tx, kind, "open", page.Request{Limit: 1})
		if err != nil || len(all) != 1 {
			w.t.Fatal(kind, all, err)
		}
		v, err := accounting.InvestigateTx(ctx, tx, all[0].ID)
		if err != nil {
			return err
		}
		if v.Order != nil && (len(v.Payments) == 0 || len(v.Entries) == 0 || len(v.Documents) == 0 || len(v.Audit) == 0 || len(v.Events) == 0) {
			w.t.Errorf("%s: little is known: %+v", kind, v)
		}
		return nil
	})
}

// The webhook is dark for three days; the nightly comparison fetches what was missed, and the order ends paid, without anybody.
func TestEventsMissedForDaysAreFetchedAtNight(t *testing.T) {
	w := newWorld(t)
	w.setHook(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) })
	buyer := w.person("zoe@example.org", "Zoé")
	o := w.order(buyer.ID, w.paid, "k")
	w.pay(o, visa)
	w.clock.Advance(3*24*time.Hour + time.Hour)
	if s := w.state(o).State; s == sales.Paid {
		t.Fatal("the event arrived")
	}
	for range 3 { // three workers, one comparison
		if err := w.h.Accounting.AskNightly(system); err != nil {
			t.Fatal(err)
		}
	}
	w.becomes(o, sales.Paid)
	w.quiet()
	var runs []accounting.Run
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		runs, err = accounting.RunsTx(ctx, tx, 10)
		return err
	})
	if len(runs) != 1 || runs[0].AskedBy != "nightly" || runs[0].CaughtUp == 0 || runs[0].State != "done" || runs[0].Standing != 0 {
		t.Errorf("%+v", runs)
	}
	w.verify()
}

// The journal in the layout of the FEC is read back by rules of its own: 18 columns, each transaction balanced, and its sums per
// account are those of the ledger.
func TestFECIsTheLedger(t *testing.T) {
	w := newWorld(t)
	buyer := w.person("zoe@example.org", "Zoé\tN’Diaye") // a tab in a name is no column
	for _, p := range []offers.Offer{w.paid} {
		o := w.order(buyer.ID, p, "k"+p.ID)
		w.pay(o, visa)
		o = w.becomes(o, sales.Paid)
		minor := int64(4321)
		if _, err := w.h.Sales.Refund(system, sales.RefundOrder{OrderID: o.ID, AmountMinor: &minor, Reason: "x", IdempotencyKey: "r"}); err != nil {
			t.Fatal(err)
		}
		w.becomes(o, sales.PartiallyRefunded)
	}
	w.quiet()
	period := accounting.Period{From: w.clock.Now().Add(-time.Hour), Until: w.clock.Now().Add(time.Hour)}
	var fec, plain bytes.Buffer
	balances := map[string]int64{}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := accounting.WriteFECTx(ctx, tx, &fec, period, "EUR"); err != nil {
			return err
		}
		if err := accounting.WriteCSVTx(ctx, tx, &plain, period, "EUR"); err != nil {
			return err
		}
		rows, err := accounting.BalancesTx(ctx, tx, w.clock.Now())
		for _, r := range rows {
			balances[r.Number] += r.Balance
		}
		return err
	})
	lines := strings.Split(strings.TrimSuffix(fec.String(), "\r\n"), "\r\n")
	sums, transactions := map[string]int64{}, map[string]int64{}
	for i, line := range lines {
		cells := strings.Split(line, "\t")
		if len(cells) != 18 {
			t.Fatalf("%d columns: %q", len(cells), line)
		}
		if i == 0 {
			continue
		}
		minor := func(s string) int64 {
			a, err := money.ParseDecimal(strings.Replace(s, ",", ".", 1), "EUR")
			if err != nil || strings.Contains(s, ".") {
				t.Fatal(s, err)
			}
			return a.Minor
		}
		if len(cells[3]) != 8 || len(cells[9]) != 8 || cells[2] == "" || cells[8] == "" {
			t.Errorf("a line without its date, number or piece: %q", line)
		}
		sums[cells[4]] += minor(cells[11]) - minor(cells[12])
		transactions[cells[2]] += minor(cells[11]) - minor(cells[12])
	}
	if len(transactions) != 3 || fmt.Sprint(sums) != fmt.Sprint(balances) || len(lines) != 7 {
		t.Errorf("%d transactions, %v, the ledger says %v\n%s", len(transactions), sums, balances, fec.String())
	}
	for n, sum := range transactions {
		if sum != 0 {
			t.Errorf("transaction %s is off by %d", n, sum)
		}
	}
	if rows, err := csv.NewReader(&plain).ReadAll(); err != nil || len(rows) != len(lines) {
		t.Error(len(rows), err)
	}
	if !strings.Contains(fec.String(), "IMT-2026-000001") {
		t.Error("no piece names its invoice")
	}
}

// A school and the institute: what each collects, whose it is, what was settled. Periods add up, whatever the roundings.
func TestStatementsOfPeriodsAddUp(t *testing.T) {
	w := newWorld(t)
	day := func(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }
	collected := func(minor int64, holder string, at time.Time, order string) ledger.Posting {
		return ledger.Posting{Reference: order + holder, Kind: "capture", Currency: "XOF", OccurredAt: at, Entries: []ledger.Entry{
			{Account: ledger.Clearing(holder), Minor: minor, OrderID: order}, {Account: ledger.Receivable, Minor: -minor, OrderID: order}}}
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "École supérieure polytechnique"); err != nil {
			return err
		}
		for _, a := range []accounting.Agreement{
			{Key: "esp-desk", Organisation: "ESP", Collects: "partner", Currency: "XOF", SharePPM: 333_333, ValidFrom: day(1)},
			{Key: "esp-card", Organisation: "ESP", Collects: "institute", Currency: "XOF", SharePPM: 100_000, ValidFrom: day(1)},
		} {
			if _, err := accounting.PutAgreementTx(ctx, tx, a, 0); err != nil {
				return err
			}
		}
		overlapping := accounting.Agreement{Key: "twice", Organisation: "ESP", Collects: "partner", Currency: "XOF", SharePPM: 1, ValidFrom: day(20)}
		if _, err := accounting.PutAgreementTx(ctx, tx, overlapping, 0); code(err) != "agreements-overlap" {
			t.Error("two agreements at once:", err)
		}
		return ledger.PostTx(ctx, tx, collected(100_001, "desk:esp", day(3), "ord_a"), collected(50_000, "desk:esp", day(9), "ord_b"), collected(-20_000, "desk:esp", day(12), "ord_b2"))
	})
	w.clock.Advance(30 * 24 * time.Hour)
	var whole accounting.PartnerStatement
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		s := accounting.Settlement{Organisation: "ESP", Direction: "from_partner", Currency: "XOF", AmountMinor: 60_000, Reference: "VIR-1", SettledAt: day(10)}
		if _, err := accounting.RecordSettlementTx(ctx, tx, s); err != nil {
			return err
		}
		whole, err = accounting.PartnerTx(ctx, tx, "ESP", accounting.Period{From: day(1), Until: day(31)}, "XOF")
		return err
	})
	// 130 001 stayed at the desk; a third, rounded, is the school's: 43 334 (130 001 × 0.333333 = 43 333.62).
	if whole.Opening != 0 || whole.Lines[1].Collected != 130_001 || whole.Lines[1].Share != 43_334 || whole.Settled != 60_000 || whole.Closing != 130_001-43_334-60_000 {
		t.Errorf("%+v", whole)
	}
	opening := int64(0)
	for from := 1; from < 31; from += 3 {
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			s, err := accounting.PartnerTx(ctx, tx, "ESP", accounting.Period{From: day(from), Until: day(from + 3)}, "XOF")
			if s.Opening != opening {
				t.Errorf("from day %d it opens with %d, before it closed with %d", from, s.Opening, opening)
			}
			opening = s.Closing
			return err
		})
	}
	if opening != whole.Closing {
		t.Error(opening, whole.Closing)
	}
	err := w.h.DB.InTx(system, "again", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := accounting.RecordSettlementTx(ctx, tx, accounting.Settlement{Organisation: "ESP", Direction: "to_partner", Currency: "XOF", AmountMinor: 1, Reference: "VIR-1", SettledAt: day(10)})
		return err
	})
	if code(err) != "settlement-recorded-already" {
		t.Error("one bank transfer was recorded twice:", err)
	}
}
