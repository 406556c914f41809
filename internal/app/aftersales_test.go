package app_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// inMails says whether a mail in the folder holds each of the words; soft line ends are taken out.
func (w *world) inMails(words ...string) bool {
	files, _ := filepath.Glob(filepath.Join(w.cfg.Mail[len("file://"):], "*.eml"))
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			w.t.Fatal(err)
		}
		text, all := strings.ReplaceAll(strings.ReplaceAll(string(raw), "=\r\n", ""), "=\n", ""), true
		for _, x := range words {
			all = all && strings.Contains(text, x)
		}
		if all {
			return true
		}
	}
	return false
}

// run is a session of thirty days from now on with a paid offer.
func (w *world) run(key, right string, price int64) (o offers.Offer) {
	w.t.Helper()
	from, until := w.clock.Now(), w.clock.Now().AddDate(0, 0, 30)
	enrol := until.AddDate(0, 0, 30)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: key, CourseKey: "PRD", Title: catalog.Text{EN: "Data networks", FR: "Réseaux de données"}, Platform: "fun", ThresholdPPM: 500_000,
			StartsAt: &from, EndsAt: &until, EnrolFrom: &from, EnrolUntil: &enrol,
		})
		if err != nil {
			return err
		}
		o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Qualifying, Price: money.Of(price, "EUR"), Withdrawal: right})
		return err
	})
	return o
}

func (w *world) leave(o sales.Order, key string) (sales.Leaving, error) {
	return w.h.Sales.Withdraw(context.Background(), sales.WithdrawOrder{OrderID: o.ID, BuyerID: o.BuyerID, Name: "Awa N'Diaye", Email: "awa@example.org", IdempotencyKey: key})
}

func (w *world) granted(enrolment string) bool {
	w.t.Helper()
	var n int
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &n, postgres.Query{Name: "open", SQL: "select count(*) from enrolment.grants where enrolment_id = $1 and revoked_at is null"}, enrolment)
	})
	return n > 0
}

// Three days after a course began at her own request a learner withdraws: 27 of 30 days go back, what it opened closes at once, the
// receipt is kept and mailed, and none of it happens twice.
func TestALearnerWithdraws(t *testing.T) {
	w := newWorld(t)
	offer := w.run("PRD-W", "", 15000)
	awa := w.person("awa@example.org", "Awa N'Diaye")
	o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: awa.ID, OfferID: offer.ID, Lang: "fr", BeginNow: true, IdempotencyKey: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	w.clock.Advance(3*24*time.Hour + time.Hour)
	before, err := w.h.Sales.Withdrawal(system, o.ID)
	if err != nil || !before.Allowed || before.Refund != money.Of(13500, "EUR") || before.Kept != money.Of(1500, "EUR") {
		t.Fatalf("%+v %v", before, err)
	}
	got, err := w.leave(o, "k2")
	if err != nil || got.Receipt == nil || got.Receipt.Refund.Minor != 13500 || !got.Receipt.DeclaredAt.Equal(w.clock.Now().Truncate(time.Microsecond)) {
		t.Fatalf("%+v %v", got, err)
	}
	if w.granted(o.Lines[0].Enrolment()) || w.state(o).State != sales.Withdrawn {
		t.Error("something is open after the withdrawal", w.state(o).State)
	}
	again, err := w.leave(o, "k2")
	if err != nil || *again.Receipt != *got.Receipt {
		t.Errorf("the same key: %+v %v", again, err)
	}
	if _, err := w.leave(o, "k3"); code(err) != "no-withdrawal" {
		t.Errorf("withdrew twice: %v", err)
	}
	w.until("the money is back", func() bool { return w.state(o).Credited.Minor == 13500 })
	w.quiet()
	if s := w.state(o).State; s != sales.Withdrawn {
		t.Error("what was provided is kept, and the order is", s)
	}
	for _, words := range [][]string{{"awa@example.org", got.Receipt.ID, o.ID}, {o.ID, "135.00"}} {
		if !w.inMails(words...) {
			t.Error("no mail says", words)
		}
	}
	if _, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: awa.ID, OfferID: offer.ID, Lang: "fr", IdempotencyKey: "k4"}); err != nil {
		t.Error("she cannot come back:", err)
	}
	w.verify()
}

// Without an express request everything goes back, and the order ends as refunded; after the period nothing does, and another
// person's order is not there.
func TestWhoMayNotWithdraw(t *testing.T) {
	w := newWorld(t)
	offer := w.run("PRD-W", "", 15000)
	awa, eve := w.person("awa@example.org", "Awa"), w.person("eve@example.org", "Eve")
	o := w.order(awa.ID, offer, "k1")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	late := w.order(eve.ID, offer, "k2")
	w.pay(late, visa)
	late = w.becomes(late, sales.Paid)
	free := w.order(eve.ID, w.free, "k3")
	if _, err := w.leave(free, "k4"); code(err) != "no-withdrawal" {
		t.Errorf("left what costs nothing: %v", err)
	}
	if _, err := w.h.Sales.Withdraw(context.Background(), sales.WithdrawOrder{OrderID: o.ID, BuyerID: eve.ID, Name: "Eve", Email: "eve@example.org", IdempotencyKey: "k5"}); code(err) != "no-such-order" {
		t.Errorf("another one's order: %v", err)
	}
	w.clock.Advance(10 * 24 * time.Hour)
	if _, err := w.leave(o, "k6"); err != nil {
		t.Fatal(err)
	}
	w.becomes(o, sales.Refunded)
	w.clock.Advance(15 * 24 * time.Hour)
	if _, err := w.leave(late, "k7"); code(err) != "no-withdrawal" {
		t.Errorf("too late: %v", err)
	}
	if !w.granted(late.Lines[0].Enrolment()) {
		t.Error("a refused withdrawal closed something")
	}
	w.verify()
}

// Vocational training: nothing can be paid in the first ten days; then the buyer is asked, and a page that closed unpaid can be
// opened again as long as the order lives.
func TestVocationalTrainingIsPaidAfterTenDays(t *testing.T) {
	w := newWorld(t)
	offer := w.run("PRD-V", "vocational", 90000)
	awa, eve, ida := w.person("awa@example.org", "Awa"), w.person("eve@example.org", "Eve"), w.person("ida@example.org", "Ida")
	o, left, forgotten := w.order(awa.ID, offer, "k1"), w.order(eve.ID, offer, "k2"), w.order(ida.ID, offer, "k3")
	if o.PayURL != "" || o.PaymentID != "" {
		t.Fatalf("asked for money: %+v", o)
	}
	if _, err := w.h.Sales.Pay(system, o.ID, awa.ID); code(err) != "order-not-payable-yet" {
		t.Errorf("paid too early: %v", err)
	}
	if _, err := w.leave(left, "k4"); err != nil {
		t.Fatal(err)
	}
	if s := w.state(left).State; s != sales.Canceled {
		t.Error("a withdrawn order that was not paid is", s)
	}
	w.clock.Advance(15 * 24 * time.Hour)
	if n, err := w.h.Sales.AskDue(system); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := w.h.Sales.AskDue(system); n != 0 || err != nil {
		t.Fatal("asked twice", n, err)
	}
	w.quiet()
	if !w.inMails("awa@example.org", o.ID, "900.00") {
		t.Error("nobody was asked")
	}
	paying, err := w.h.Sales.Pay(system, o.ID, awa.ID)
	if err != nil || paying.PayURL == "" {
		t.Fatalf("%+v %v", paying, err)
	}
	w.clock.Advance(time.Hour) // the page closes; the order lives on
	w.stripePost("/v1/checkout/sessions/"+w.payment(paying).CheckoutID+"/expire", nil)
	w.until("the page is closed", func() bool { return w.payment(paying).State == "expired" })
	if s := w.state(o).State; s != sales.AwaitingPayment {
		t.Fatal("the order ended with its page:", s)
	}
	second, err := w.h.Sales.Pay(system, o.ID, awa.ID)
	if err != nil || second.PayURL == "" || second.PaymentID == paying.PaymentID {
		t.Fatalf("%+v %v", second, err)
	}
	w.pay(second, visa)
	w.becomes(o, sales.Paid)
	w.clock.Advance(10 * 24 * time.Hour)
	if _, err := w.h.Sales.ExpireForgotten(system); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.ExpireUnasked(system); err != nil {
		t.Fatal(err)
	}
	if s := w.state(forgotten).State; s != sales.Expired {
		t.Error("what nobody paid is", s)
	}
	w.verify()
}

// A refund above what one person gives back alone waits for another one; a rejected one frees its money; a refund of one line comes
// from that line.
func TestRefundsOfTwoPersonsAndOfLines(t *testing.T) {
	w := newWorld(t)
	one, two := w.run("PRD-1", "", 60000), w.run("PRD-2", "", 15000)
	awa := w.person("awa@example.org", "Awa")
	o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: awa.ID, Items: []sales.Item{{OfferID: one.ID, Quantity: 1}, {OfferID: two.ID, Quantity: 1}}, IdempotencyKey: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	ann, bob := postgres.WithActor(context.Background(), "staff:ann"), postgres.WithActor(context.Background(), "staff:bob")
	lines := []sales.RefundLine{{Line: 1, Minor: 55000}, {Line: 2, Minor: 5000}}
	if _, err := w.h.Sales.Refund(ann, sales.RefundOrder{OrderID: o.ID, Lines: lines, Reason: "the course was cancelled", IdempotencyKey: "r1"}); err != nil {
		t.Fatal(err)
	}
	var proposed string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &proposed, postgres.Query{Name: "proposed", SQL: "select id from payments.refunds where state = 'proposed'"})
	})
	if _, err := w.h.Sales.Refund(ann, sales.RefundOrder{OrderID: o.ID, Lines: []sales.RefundLine{{Line: 2, Minor: 10001}}, Reason: "more", IdempotencyKey: "r2"}); code(err) != "refund-exceeds-payment" {
		t.Errorf("a line gave more than it has: %v", err)
	}
	for _, bad := range [][]sales.RefundLine{{{Line: 3, Minor: 1}}, {{Line: 1, Minor: 1}, {Line: 1, Minor: 1}}} {
		if _, err := w.h.Sales.Refund(ann, sales.RefundOrder{OrderID: o.ID, Lines: bad, Reason: "x", IdempotencyKey: "r3"}); code(err) != "no-such-line" {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := w.h.Sales.DecideRefund(ann, proposed, true, "a"); code(err) != "second-person-needed" {
		t.Errorf("one person decided alone: %v", err)
	}
	w.quiet()
	if c := w.state(o).Credited.Minor; c != 0 {
		t.Fatal("sent before the second person spoke:", c)
	}
	if _, err := w.h.Sales.DecideRefund(bob, proposed, true, "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.DecideRefund(bob, proposed, false, "c"); code(err) != "refund-decided" {
		t.Errorf("decided twice: %v", err)
	}
	w.until("the money is back", func() bool { return w.state(o).Credited.Minor == 60000 })
	got := w.state(o)
	if got.State != sales.PartiallyRefunded || got.Lines[0].Credited.Minor != 55000 || got.Lines[1].Credited.Minor != 5000 {
		t.Errorf("%s: %v %v", got.State, got.Lines[0].Credited, got.Lines[1].Credited)
	}
	if _, err := w.h.Sales.Refund(ann, sales.RefundOrder{OrderID: o.ID, Reason: "the rest", IdempotencyKey: "r4"}); err != nil {
		t.Fatal(err)
	}
	w.becomes(o, sales.Refunded)
	w.verify()
}

// A withdrawal while a refund is on its way and another one is only proposed: what is on its way counts as given, the proposal falls,
// and in the end the buyer has exactly what she paid. Credit notes take back of the line that was refunded and of no other.
func TestWithdrawingWhileARefundIsOnItsWay(t *testing.T) {
	w := newWorld(t)
	one, two := w.run("PRD-1", "", 90000), w.run("PRD-2", "", 15000)
	awa := w.person("awa@example.org", "Awa")
	o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: awa.ID, Items: []sales.Item{{OfferID: one.ID, Quantity: 1}, {OfferID: two.ID, Quantity: 1}}, IdempotencyKey: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	ann, bob := postgres.WithActor(context.Background(), "staff:ann"), postgres.WithActor(context.Background(), "staff:bob")
	give := func(key string, line int, minor int64) {
		t.Helper()
		if _, err := w.h.Sales.Refund(ann, sales.RefundOrder{OrderID: o.ID, Lines: []sales.RefundLine{{Line: line, Minor: minor}}, Reason: "a gesture", IdempotencyKey: key}); err != nil {
			t.Fatal(err)
		}
	}
	give("r0", 2, 4000)
	w.until("the first refund is there", func() bool { return w.state(o).Credited.Minor == 4000 })
	give("r1", 1, 60000) // proposed: above what one gives back alone
	give("r2", 2, 5000)
	l, err := w.leave(o, "k2")
	if err != nil || l.Receipt == nil || l.Receipt.Refund.Minor != 105000-4000-5000 {
		t.Fatalf("%+v %v", l, err)
	}
	w.becomes(o, sales.Refunded)
	w.quiet()
	var proposed []string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &proposed, postgres.Query{Name: "rejected", SQL: "select id from payments.refunds where state = 'rejected' and amount_minor = 60000"})
	})
	if len(proposed) != 1 {
		t.Fatal("the proposal stands:", proposed)
	}
	if _, err := w.h.Sales.DecideRefund(bob, proposed[0], true, "d"); code(err) != "refund-decided" {
		t.Errorf("a proposal that fell was agreed to: %v", err)
	}
	var wrong int
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &wrong, postgres.Query{Name: "notes", SQL: `select count(*) from payments.refunds r join invoicing.documents d on d.reference = r.id,
			lateral jsonb_array_elements(d.facts::jsonb -> 'lines') l where r.reason = 'a gesture' and (l ->> 'position')::int <> 2`})
	})
	if wrong > 0 {
		t.Error(wrong, "lines of credit notes are not of the line that was refunded")
	}
	w.verify()
}

// Attempts that nobody opened, of orders that were paid by another one, do not keep an order that waits from being closed in its time,
// however many there are and however old.
func TestWhatIsForgottenIsClosedBehindWhatIsPaid(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	paid := w.order(awa.ID, w.paid, "k")
	w.pay(paid, visa)
	w.becomes(paid, sales.Paid)
	waits := w.order(w.person("eve@example.org", "Eve").ID, w.paid, "k2")
	owner := testkit.Owner(t, w.dsn)
	for _, past := range []string{ // as a process leaves it that died before it asked the provider
		`insert into payments.payments (id, order_id, provider, demo, amount_minor, currency, state, description, expires_at, created_at)
		 select 'pay_0' || lpad(i::text, 4, '0'), '` + paid.ID + `', 'stripe', true, 100, 'EUR', 'created', '', now() - interval '20 years', now() - interval '20 years' from generate_series(1, 250) as i`,
		`update payments.payments set state = 'created', checkout_id = null, pay_url = '' where order_id = '` + waits.ID + `'`,
	} {
		if _, err := owner.ExecContext(context.Background(), past); err != nil {
			t.Fatal(err)
		}
	}
	w.setHook(func(http.ResponseWriter, *http.Request) {}) // the provider's word that its page is over is lost
	w.clock.Advance(10 * 24 * time.Hour)
	if n, err := w.h.Sales.ExpireForgotten(system); err != nil || n != 1 {
		t.Error(n, err)
	}
	if s := w.state(waits).State; s != sales.Expired {
		t.Error("what nobody paid is", s)
	}
}
