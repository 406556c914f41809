package app_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/accounting"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// bounces has the bank send the newest refund of an order back, and waits until the house knows.
func (w *world) bounces(o sales.Order) (refund string) {
	w.t.Helper()
	newest := w.stripeGet("/v1/refunds?limit=1&payment_intent=" + w.payment(o).IntentID)["data"].([]any)[0].(map[string]any)
	w.tell(fmt.Sprintf("/sandbox/refunds/%s/fail", newest["id"]), map[string]any{})
	w.until("the refund is owed", func() bool {
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &refund, postgres.Query{Name: "owed", SQL: `select coalesce((select id from payments.refunds where provider_refund = $1 and owed_minor > 0), '')`}, newest["id"])
		})
		return refund != ""
	})
	return refund
}

func (w *world) gives(o sales.Order, minor int64, key string) error {
	w.t.Helper()
	c := sales.RefundOrder{OrderID: o.ID, Reason: "a gesture", IdempotencyKey: key}
	if minor > 0 {
		c.AmountMinor = &minor
	}
	_, err := w.h.Sales.Refund(system, c)
	return err
}

func (w *world) notes(o sales.Order) (sum int64) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &sum, postgres.Query{Name: "notes", SQL: `select coalesce(sum(amount_minor), 0)::bigint from invoicing.documents where order_id = $1 and kind = 'credit_note'`}, o.ID)
	})
	return sum
}

// A refund that arrived and came back is owed, beside its credit note: all that is left of the order is without it, a refund in the
// provider's dashboard pays it first, and so does a dispute that is lost. Booked as a new gift it would be credited twice, which the books
// refuse: the money would be gone and its event never applied.
func TestWhatCameBackIsOwedAndPaidFirst(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.person("awa@example.org", "Awa").ID, w.paid, "k")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	if err := w.gives(o, 4000, "r1"); err != nil {
		t.Fatal(err)
	}
	w.becomes(o, sales.PartiallyRefunded)
	w.bounces(o)
	if err := w.gives(o, 11001, "r2"); code(err) != "refund-exceeds-payment" {
		t.Error("what is owed was given back again:", err)
	}
	w.stripePost("/v1/refunds", url.Values{"payment_intent": {w.payment(o).IntentID}, "amount": {"3000"}}) // the first 3000 of the 4000
	w.until("it is booked", func() bool { return w.payment(o).RefundedMinor == 3000 })
	w.quiet()
	if s := w.state(o); s.Credited.Minor != 4000 || w.notes(o) != 4000 || w.balance("refunds_payable", "EUR") != -1000 {
		t.Error(s.Credited, w.notes(o), w.balance("refunds_payable", "EUR"))
	}
	if err := w.gives(o, 0, "r3"); err != nil { // all that is left
		t.Fatal(err)
	}
	w.becomes(o, sales.Refunded)
	w.verify()
	if n := w.payment(o).RefundedMinor; n != 14_000 || w.notes(o) != 15_000 {
		t.Error(n, w.notes(o))
	}

	lost := w.order(w.person("eve@example.org", "Eve").ID, w.paid, "k")
	w.pay(lost, visa)
	lost = w.becomes(lost, sales.Paid)
	if err := w.gives(lost, 4000, "e1"); err != nil {
		t.Fatal(err)
	}
	w.becomes(lost, sales.PartiallyRefunded)
	w.bounces(lost)
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(lost).IntentID, "reason": "fraudulent"})
	w.becomes(lost, sales.Disputed)
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "lost"})
	w.becomes(lost, sales.Lost)
	if b := w.balance("disputes", "EUR"); b != 11_000 || w.notes(lost) != 4000 || w.balance("refunds_payable", "EUR") != -1000 {
		t.Error(b, w.notes(lost), w.balance("refunds_payable", "EUR"))
	}
	w.verify()
}

// What is owed is paid by a transfer of which one person speaks and to which another agrees: then it has left the bank, is owed no more, and
// cannot be said again. What the provider pays after that all the same, the buyer owes us.
func TestWhatIsOwedIsPaidOtherwiseByTwo(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.person("awa@example.org", "Awa").ID, w.paid, "k")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	if err := w.gives(o, 0, "r1"); err != nil {
		t.Fatal(err)
	}
	w.becomes(o, sales.Refunded)
	refund := w.bounces(o)
	say := func(who, reference, key string) error {
		_, err := w.h.Sales.SayRepaid(staffCtx(who), refund, reference, key)
		return err
	}
	decide := func(who string, agree bool) error {
		_, err := w.h.Sales.DecideRepaid(staffCtx(who), refund, agree, ident.New("key"))
		return err
	}
	for i, x := range []struct {
		err  error
		want string
	}{
		{decide("bob", true), "refund-decided"}, {say("ann", "", "a"), "invalid-input"}, {say("ann", "VIR-1", "b"), ""}, {say("ann", "VIR-1", "b"), ""}, {say("cyd", "VIR-2", "c"), "repayment-said"},
		{decide("ann", true), "second-person-needed"}, {decide("bob", false), ""}, {decide("bob", true), "refund-decided"}, {say("ann", "VIR-3", "d"), ""}, {decide("bob", true), ""},
		{decide("bob", true), "refund-decided"}, {say("ann", "VIR-4", "e"), "nothing-owed"},
	} {
		if code(x.err) != x.want {
			t.Errorf("%d: %v, want %q", i, x.err, x.want)
		}
	}
	if w.balance("refunds_payable", "EUR") != 0 || w.balance("clearing:bank", "EUR") != -15_000 || w.balance("clearing:stripe", "EUR") != 15_000 {
		t.Error(w.balance("refunds_payable", "EUR"), w.balance("clearing:bank", "EUR"), w.balance("clearing:stripe", "EUR"))
	}
	w.verify()
	if _, standing := w.reconcile(); len(standing) > 0 {
		t.Error(standing)
	}
	w.stripePost("/v1/refunds", url.Values{"payment_intent": {w.payment(o).IntentID}, "amount": {"15000"}})
	w.until("it is booked", func() bool { return w.payment(o).RefundedMinor == 15_000 })
	if w.balance("overpaid", "EUR") != 15_000 || w.notes(o) != 15_000 {
		t.Error("who was paid twice owes", w.balance("overpaid", "EUR"), w.notes(o))
	}
	w.verify()
}

// A surplus whose refund the provider refuses stays owed in the queue of refunds, and the bank that takes it back after all pays it; lost to
// nobody's account it would stand with the provider's book for ever.
func TestASurplusThatIsDisputed(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.person("awa@example.org", "Awa").ID, w.paid, "k")
	kept := w.keep()
	w.pay(o, "4000000000000259") // her bank takes it back at once
	w.until("the events", func() bool { return len(kept()) >= 3 })
	w.clock.Advance(time.Minute)
	if _, err := w.h.Sales.CancelOrder(system, o.ID); err != nil {
		t.Fatal(err)
	}
	w.setHook(w.receive)
	for _, e := range kept() {
		w.deliver(e)
	}
	w.until("the refund was refused", func() bool {
		return w.payment(o).State == payments.Surplus && w.balance("refunds_payable", "EUR") == -15_000
	})
	w.verify()
	var waits []sales.RefundCase
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		d, err := sales.ToDoTx(ctx, tx)
		waits = d.Refunds
		return err
	})
	if len(waits) != 1 || waits[0].OwedAmount() != money.Of(15_000, "EUR") {
		t.Errorf("in the queue: %+v", waits)
	}
	newest := w.stripeGet("/v1/disputes?limit=1")["data"].([]any)[0].(map[string]any)
	w.tell(fmt.Sprintf("/sandbox/disputes/%s", newest["id"]), map[string]any{"outcome": "lost"})
	w.until("it is lost", func() bool { return w.payment(o).LostMinor == 15_000 })
	if w.balance("refunds_payable", "EUR") != 0 || w.balance("clearing:stripe", "EUR") != 0 {
		t.Error(w.balance("refunds_payable", "EUR"), w.balance("clearing:stripe", "EUR"))
	}
	w.verify()
}

// A refund was made, and the process died before it knew; two days later it is asked for again, when the provider has forgotten the key under
// which it was asked. It is found by our id and not made twice: the second one would carry the id of a refund that is booked, and be nobody's.
func TestARefundIsMadeOnceHoweverLateItIsAskedAgain(t *testing.T) {
	w := still(t, &mailed{n: map[string]int{}}, stripesandbox.Fees{})
	began := w.clock.Now()
	o := w.order(w.person("awa@example.org", "Awa").ID, w.paid, "k")
	w.pay(o, visa)
	if _, err := w.h.Payments.CatchUp(system, began.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := w.h.Jobs.Drain(system); err != nil {
		t.Fatal(err)
	}
	if err := w.gives(o, 4000, "r"); err != nil {
		t.Fatal(err)
	}
	var refund string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &refund, postgres.Query{Name: "refund", SQL: "select id from payments.refunds"})
	})
	if _, book, err := w.h.Payments.SendRefund(system, refund); !book || err != nil { // made, and not booked
		t.Fatal(book, err)
	}
	w.clock.Advance(48 * time.Hour)
	if err := w.h.Jobs.Drain(system); err != nil {
		t.Fatal(err)
	}
	if given := w.sandbox.Book().Refunded["eur"]; given != 4000 || w.state(o).Credited.Minor != 4000 {
		t.Errorf("the provider gave %d back, the order says %v", given, w.state(o).Credited)
	}
	w.verify()
}

// A lost dispute is a loss and no gift: the sale and its invoice stand, nobody writes a credit note, and the accountant finds the amount among
// losses on claims (654), as for any buyer who does not pay. Papers and ledger agree.
func TestALostDisputeIsALoss(t *testing.T) {
	w := newWorld(t)
	o := w.order(w.person("awa@example.org", "Awa").ID, w.paid, "k")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(o).IntentID, "reason": "fraudulent"})
	w.becomes(o, sales.Disputed)
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "lost"})
	w.becomes(o, sales.Lost)
	w.quiet()
	w.counts(map[string]int{"select count(*) from invoicing.documents where kind = 'invoice'": 1, "select count(*) from invoicing.documents where kind = 'credit_note'": 0})
	if w.balance("disputes", "EUR") != 15_000 || w.balance("revenue", "EUR") != -15_000 || w.balance("refunds", "EUR") != 0 {
		t.Error(w.balance("disputes", "EUR"), w.balance("revenue", "EUR"), w.balance("refunds", "EUR"))
	}
	var fec bytes.Buffer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		fec.Reset()
		return accounting.WriteFECTx(ctx, tx, &fec, accounting.Period{From: tx.Now().AddDate(0, 0, -1), Until: tx.Now().AddDate(0, 0, 1)}, "EUR")
	})
	found := false
	for _, line := range strings.Split(fec.String(), "\n") {
		found = found || strings.Contains(line, "654") && strings.Contains(line, "150,00")
	}
	if !found {
		t.Error("the accountant does not find the loss:", fec.String())
	}
	if _, standing := w.reconcile(); len(standing) > 0 {
		t.Error(standing)
	}
	w.verify()
}

// emptied is an order in instalments of which all that was paid was given back; a part of it came back from the bank, and is owed.
func (w *world) emptied(buyer, policy string) (o sales.Order, owed string) {
	t := w.t
	t.Helper()
	o = w.begun(buyer, w.inParts("PRD-1", "", 30000, policy), visa)
	w.stripePost("/v1/refunds", url.Values{"payment_intent": {w.payment(o).IntentID}, "amount": {"2000"}})
	w.until("the gift is booked", func() bool { return w.state(o).Credited.Minor == 2000 })
	owed = w.bounces(o)
	if err := w.gives(o, 0, "rest"); err != nil {
		t.Fatal(err)
	}
	w.until("the rest is booked", func() bool { return w.state(o).Credited.Minor == 10000 })
	if s := w.state(o); s.State != sales.PartiallyRefunded {
		t.Fatal(s.State)
	}
	return o, owed
}

// nothingLeft says that an order is refunded, like any other of which nothing is left: no refund comes any more that would say so.
func (w *world) nothingLeft(o sales.Order) {
	w.t.Helper()
	if s := w.state(o); s.State != sales.Refunded || s.Credited != s.Total || w.notes(o) != 30000 {
		w.t.Errorf("%s, %v credited of %v, %d on paper", s.State, s.Credited, s.Total, w.notes(o))
	}
	w.verify()
}

// A plan of which nothing is left ends because it is not paid.
func TestAPlanOfWhichNothingIsLeftEnds(t *testing.T) {
	w := newWorld(t)
	o, _ := w.emptied(w.person("awa@example.org", "Awa").ID, offers.EndAccess)
	w.cardSays(o, "insufficient_funds")
	w.passes(90)
	w.nothingLeft(o)
}

// The buyer withdraws from a plan of which nothing is left.
func TestWhoWithdrawsFromAPlanOfWhichNothingIsLeft(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	o, owed := w.emptied(awa.ID, offers.KeepAccess)
	if _, err := w.h.Sales.Withdraw(system, sales.WithdrawOrder{OrderID: o.ID, BuyerID: awa.ID, Name: "Awa", Email: "awa@example.org", IdempotencyKey: "leave"}); err != nil {
		t.Fatal(err)
	}
	w.told()
	if l, err := w.h.Sales.Withdrawal(system, o.ID); err != nil || l.Receipt == nil {
		t.Error("she has no receipt:", err)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		r, err := payments.RefundTx(ctx, tx, owed)
		if err == nil && r.State != "failed" {
			t.Errorf("%+v", r)
		}
		return err
	})
	w.nothingLeft(o)
}

// Everything that was paid of a plan is asked back while the provider’s dashboard has given a part of it already, of which we are told then:
// more is on its way than there is, and the provider will refuse it. Whoever withdraws now is told of nothing that comes back twice, and gets
// her receipt; it was a failure of ours.
func TestWhoWithdrawsWhileMoreIsOnItsWayThanWasPaid(t *testing.T) {
	w := still(t, &mailed{n: map[string]int{}}, stripesandbox.Fees{})
	awa := w.person("awa@example.org", "Awa")
	offer := w.inParts("PRD-1", "", 30000, offers.KeepAccess)
	o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: awa.ID, OfferID: offer.ID, Lang: "en", Way: sales.Instalments, IdempotencyKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	w.tell("/sandbox/pay/"+w.payment(o).CheckoutID, map[string]any{"card": visa, "authenticate": "complete"})
	caughtUp := func() {
		t.Helper()
		if _, err := w.h.Payments.CatchUp(system, w.clock.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	caughtUp()
	if err := w.h.Jobs.Drain(system); err != nil {
		t.Fatal(err)
	}
	w.stripePost("/v1/refunds", url.Values{"payment_intent": {w.payment(w.state(o)).IntentID}, "amount": {"498"}})
	if err := w.gives(o, 0, "all"); err != nil {
		t.Fatal(err)
	}
	caughtUp()
	var events []string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &events, postgres.Query{Name: "events", SQL: "select id from payments.events where state = 'received' order by created_at, id"})
	})
	for _, id := range events { // before the worker asks the provider
		if err := w.h.Sales.Apply(system, id); err != nil {
			t.Fatal(err)
		}
	}
	if s := w.state(o); s.Credited.Minor != 498 {
		t.Fatal(s.Credited)
	}
	l, err := w.h.Sales.Withdraw(system, sales.WithdrawOrder{OrderID: o.ID, BuyerID: awa.ID, Name: "Awa", Email: "awa@example.org", IdempotencyKey: "leave"})
	if err != nil || l.Receipt == nil || l.Receipt.Refund.Minor != 0 || l.Receipt.Kept.Minor != 0 {
		t.Fatalf("%+v %v", l.Receipt, err)
	}
}

// A part of the first instalment was given back, came back from the bank and was paid otherwise; then the bank takes all of the instalment. What
// the buyer has twice she owes us, and the loss is no more than what she had paid and not got back: counted over the whole plan it was credited
// beyond the order, which the books refuse, and the bank's word was never applied.
func TestADisputeOfAnInstalmentThatWasPaidBackInPart(t *testing.T) {
	w := newWorld(t)
	o := w.begun(w.person("awa@example.org", "Awa").ID, w.inParts("PRD-1", "", 15000, offers.KeepAccess), visa)
	w.stripePost("/v1/refunds", url.Values{"payment_intent": {w.payment(o).IntentID}, "amount": {"2350"}})
	w.until("the gift is booked", func() bool { return w.state(o).Credited.Minor == 2350 })
	owed := w.bounces(o)
	if _, err := w.h.Sales.SayRepaid(staffCtx("ann"), owed, "SEPA-1", "say"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.DecideRepaid(staffCtx("bob"), owed, true, "yes"); err != nil {
		t.Fatal(err)
	}
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(o).IntentID, "reason": "fraudulent"})
	w.becomes(o, sales.Disputed)
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "lost"})
	o = w.becomes(o, sales.Lost)
	w.told()
	if o.Credited != o.Total || w.balance("disputes", "EUR") != 2650 {
		t.Errorf("%v credited of %v, %d lost", o.Credited, o.Total, w.balance("disputes", "EUR"))
	}
	w.verify()
}

// A part of the first instalment came back from the bank and was paid otherwise; then the dashboard gives back what the provider still has of it.
// What the buyer has twice she owes us: counted against what the plan still asks for, the order was credited beyond what was paid, and its plan
// could never end.
func TestARefundOfAnInstalmentThatWasPaidBackInPart(t *testing.T) {
	for _, c := range []struct {
		again           string
		twice, credited int64
		state           sales.State
	}{{"5000", 2350, 15000, sales.Refunded}, {"3000", 350, 5000, sales.PartiallyRefunded}} { // 50 € of 150 € were paid
		t.Run(c.again, func(t *testing.T) {
			w := newWorld(t)
			o := w.begun(w.person("awa@example.org", "Awa").ID, w.inParts("PRD-1", "", 15000, offers.KeepAccess), visa)
			w.stripePost("/v1/refunds", url.Values{"payment_intent": {w.payment(o).IntentID}, "amount": {"2350"}})
			w.until("the gift is booked", func() bool { return w.state(o).Credited.Minor == 2350 })
			owed := w.bounces(o)
			if _, err := w.h.Sales.SayRepaid(staffCtx("ann"), owed, "SEPA-1", "say"); err != nil {
				t.Fatal(err)
			}
			if _, err := w.h.Sales.DecideRepaid(staffCtx("bob"), owed, true, "yes"); err != nil {
				t.Fatal(err)
			}
			w.stripePost("/v1/refunds", url.Values{"payment_intent": {w.payment(o).IntentID}, "amount": {c.again}})
			w.until("it is booked", func() bool { return w.balance("overpaid", "EUR") == c.twice })
			w.told()
			if o = w.state(o); o.Credited.Minor != c.credited || o.State != c.state {
				t.Errorf("%s, %v credited", o.State, o.Credited)
			}
			w.verify()
		})
	}
}
