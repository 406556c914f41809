package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// What the provider keeps is posted once, though two sweep at once and again: of charges, and of a dispute; it lands on the enrolment that the order
// sold, in the cube as in the ledger, and revenue is not less for it. A charge of another system on the same account is left out. A wrong fee is noticed
// wherever it stands: in the ledger, in our list, or with the provider alone.
func TestFeesOfTheProviderArePostedOnce(t *testing.T) {
	w := newWorldOf(t, stripesandbox.Fees{RatePPM: 15_000, Fixed: map[string]int64{"eur": 25}, Dispute: map[string]int64{"eur": 2000}})
	kept := w.order(w.person("awa@example.org", "Awa").ID, w.paid, "kept")
	back := w.order(w.person("bob@example.org", "Bob").ID, w.paid, "back")
	for _, o := range []sales.Order{kept, back} {
		w.pay(o, visa)
		w.becomes(o, sales.Paid)
	}
	w.refund(back, 0)
	w.becomes(back, sales.Refunded)
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(kept).IntentID, "reason": "fraudulent"})
	w.becomes(kept, sales.Disputed)
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "won"})
	w.becomes(kept, sales.Paid)
	w.foreign()
	w.quiet()
	before := w.cube()
	sweep := func() payments.SweptFees {
		swept, err := w.h.Payments.SweepFees(system)
		if err != nil {
			t.Error(err)
		}
		return swept
	}
	var both [2]payments.SweptFees
	var ready sync.WaitGroup
	for i := range both {
		ready.Go(func() { both[i] = sweep() })
	}
	ready.Wait()
	if both[0].Posted+both[1].Posted != 3 || both[0].Foreign != 1 || both[1].Foreign != 1 {
		t.Errorf("two sweeps at once: %+v", both)
	}
	w.clock.Advance(time.Hour)
	for range 2 { // the second begins behind all of them
		if again := sweep(); again.Posted != 0 {
			t.Errorf("swept again: %+v", again)
		}
	}
	w.quiet()
	const fees = 2*250 + 2000 // 1.5 % of 150 € and 0.25 €, twice
	const others = 900 - 39   // the mug, less 1.5 % and 0.25 €
	if cost, clearing := w.balance(ledger.Fee("stripe"), "EUR"), w.balance(ledger.Clearing("stripe"), "EUR"); cost != fees || clearing != 15_000-fees+others {
		t.Errorf("fees of %d, and the provider holds %d", cost, clearing)
	}
	if of := w.balance(ledger.Others("stripe"), "EUR"); of != -others {
		t.Errorf("of what the provider holds %d are of another system, want %d", -of, others)
	}
	after := w.cube()
	if after.Fees != fees || after.Gross != before.Gross || after.Net() != before.Net() || after.Contribution() != before.Contribution()-fees {
		t.Errorf("the cube was %+v and is %+v", before, after)
	}
	if costs := w.cost(w.state(kept).Lines[0].Enrolment()); costs != 2250 {
		t.Error("what was kept of her payment:", costs)
	}
	w.verify()
	if r, standing := w.reconcile(); len(standing) > 0 || r.State != "done" {
		t.Error("the comparison finds", standing)
	}

	planter, err := testkit.Owner(t, w.dsn).Conn(system)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = planter.Close() }()
	plant := func(statements string) {
		if _, err := planter.ExecContext(system, `set session_replication_role = replica; `+statements); err != nil {
			t.Fatal(statements, err)
		}
	}
	for _, x := range [][2]string{
		{`update payments.fees set minor = minor + 1 where kind = 'dispute'`, `update payments.fees set minor = minor - 1 where kind = 'dispute'`},
		{`create temp table gone as select * from payments.fees where kind = 'dispute'; delete from payments.fees where kind = 'dispute'`, `insert into payments.fees select * from gone`},
		{
			`insert into ledger.transactions select 'ltx_planted', 'planted', 'sale', currency, digest, occurred_at, recorded_at from ledger.transactions where kind = 'fee' limit 1;
			 insert into ledger.entries (transaction_id, account, minor) values ('ltx_planted', 'cost:fee:stripe', 7), ('ltx_planted', 'clearing:stripe', -7)`,
			`delete from ledger.entries where transaction_id = 'ltx_planted'; delete from ledger.transactions where id = 'ltx_planted'`,
		},
	} {
		plant(x[0])
		if broken, err := w.h.Verify(system); err != nil || len(broken) < 2 { // by our own books, and by the provider's
			t.Errorf("%s: verification finds %v %v", x[0], broken, err)
		}
		plant(x[1])
	}
	w.verify()
}

func (w *world) cube() analytics.CubeCell {
	w.t.Helper()
	var cells []analytics.CubeCell
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		cells, err = analytics.CubeTx(ctx, tx, analytics.CubeQuestion{})
		return err
	})
	for _, c := range cells {
		if c.Currency == "EUR" {
			return c
		}
	}
	w.t.Fatalf("no euro in %+v", cells)
	return analytics.CubeCell{}
}

// foreign is a sale of another system on the same account of Stripe.
func (w *world) foreign() {
	w.t.Helper()
	body := "mode=payment&success_url=https://other.example&line_items[0][quantity]=1&line_items[0][price_data][currency]=eur&line_items[0][price_data][unit_amount]=900&line_items[0][price_data][product_data][name]=Mug"
	s := w.stripeDo(http.MethodPost, "/v1/checkout/sessions", strings.NewReader(body))
	w.tell("/sandbox/pay/"+s["id"].(string), map[string]any{"card": visa})
}

// What the provider pays out goes from what it holds to the bank and changes no result; what it takes of the account itself is a cost of no session,
// a line of its own; both are posted once however many sweep, and what is not as the provider says is found.
func TestPayoutsAndFeesOfTheAccount(t *testing.T) {
	w := newWorldOf(t, stripesandbox.Fees{RatePPM: 15_000, Fixed: map[string]int64{"eur": 25}})
	o := w.order(w.person("awa@example.org", "Awa").ID, w.paid, "o")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	w.foreign() // whose money is paid out with ours
	w.quiet()
	sweep := func() (n int) {
		swept, err := w.h.Payments.SweepFees(system)
		if err != nil {
			t.Error(err)
		}
		return swept.Moved
	}
	if n := sweep(); n != 1 {
		t.Errorf("%d movements, one is of another system", n)
	}
	before := w.cube()
	w.clock.Advance(time.Hour)
	w.tell("/sandbox/account-fees", map[string]any{"currency": "eur", "amount": 1000})
	w.tell("/sandbox/payouts", map[string]any{"currency": "eur", "amount": 5000, "failed": true})
	w.tell("/sandbox/payouts", map[string]any{"currency": "eur"})
	var n [2]int
	var both sync.WaitGroup
	for i := range n {
		both.Go(func() { n[i] = sweep() })
	}
	both.Wait()
	w.clock.Advance(time.Hour)
	if n[0]+n[1] != 4 || sweep() != 0 {
		t.Errorf("%v movements are posted", n)
	}
	const others, fee = 900 - 39, 250
	for account, want := range map[string]int64{
		ledger.Clearing("stripe"): 0, ledger.Clearing(payments.Bank): 15_000 - fee + others - 1000, ledger.Others("stripe"): -others,
		ledger.AccountFee("stripe"): 1000, ledger.Fee("stripe"): fee,
	} {
		if got := w.balance(account, "EUR"); got != want {
			t.Errorf("%s has %d, want %d", account, got, want)
		}
	}
	after := w.cube()
	if after.Gross != before.Gross || after.Net() != before.Net() || after.Costs != before.Costs || after.Fees != before.Fees+1000 {
		t.Errorf("the cube was %+v and is %+v", before, after)
	}
	if got := w.kept(w.session.Key); got["EUR"] != fee {
		t.Errorf("the session has fees of %v: what the account costs is no session's", got)
	}
	steps := func(session string) string {
		_, said := w.figure("waterfall", map[string]string{"session": session})
		return strings.Join(said, ", ")
	}
	if got, want := steps(""), "gross 15000, refunds 0, disputes 0, net 15000, fees -250, shares 0, account_fees -1000, costs 0, contribution 13750"; got != want {
		t.Errorf("the waterfall: %s\nwant %s", got, want)
	}
	if got, want := steps(w.session.Key), "gross 15000, refunds 0, disputes 0, net 15000, fees -250, shares 0, costs 0, contribution 14750"; got != want {
		t.Errorf("of the session: %s\nwant %s", got, want)
	}
	w.verify()
	w.cubeAddsUp()
	if r, standing := w.reconcile(); len(standing) > 0 || r.State != "done" {
		t.Error("the comparison finds", standing)
	}
	planter, err := testkit.Owner(t, w.dsn).Conn(system)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = planter.Close() }()
	for _, x := range [][2]string{
		{`update payments.movements set minor = minor + 1 where kind = 'fee'`, `update payments.movements set minor = minor - 1 where kind = 'fee'`},
		{`create temp table gone as select * from payments.movements where kind = 'payout'; delete from payments.movements where kind = 'payout'`, `insert into payments.movements select * from gone`},
	} {
		for i, statements := range x {
			if _, err := planter.ExecContext(system, `set session_replication_role = replica; `+statements); err != nil {
				t.Fatal(err)
			}
			if broken, err := w.h.Verify(system); err != nil || i == 0 && len(broken) < 2 { // by our own books, and by the provider's
				t.Errorf("%s: verification finds %v %v", statements, broken, err)
			}
		}
	}
	w.verify()
}
