package app_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport/api/apitest"
)

const (
	day        = 24 * time.Hour
	wantsOwner = "4000002760003184" // pays with its owner, and not without her
	runsDry    = "4000008260003178" // pays with its owner, and has nothing later
)

// inParts is an offer that can be paid in three monthly instalments.
func (w *world) inParts(key, right string, price int64, policy string) offers.Offer {
	w.t.Helper()
	o := w.run(key, right, price)
	p := offers.Plan{OfferID: o.ID, Currency: "EUR", Instalments: 3, Every: 1, Unit: "month", OnDefault: policy}
	if policy == offers.EndAccess {
		p.EndAfterDays = ptr(20)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.PutPlanTx(ctx, tx, p, 0)
		return err
	})
	return o
}

// planned is an order in instalments of which nothing was paid yet, of what the pages show.
func (w *world) planned(buyer string) sales.Order {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.PutPlanTx(ctx, tx, offers.Plan{OfferID: w.paid.ID, Currency: "EUR", Instalments: 3, Every: 1, Unit: "month", OnDefault: offers.SuspendAccess}, 0)
		return err
	})
	o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: w.person(buyer, "Fatou").ID, OfferID: w.paid.ID, Lang: "en", Way: sales.Instalments, IdempotencyKey: "parts"})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// instalmentsStory pays in instalments through the API.
func (w *world) instalmentsStory(t *testing.T, buyer, staff *asker) {
	t.Helper()
	offer := w.run("PRT-1", "", 9000)
	at := map[string]string{"offer": offer.ID, "currency": "EUR"}
	plan := map[string]any{"instalments": 3, "every": 1, "unit": "month", "on_default": "suspend", "first_ppm": 500000}
	if p := staff.ask(200, "putPlan", at, plan); p["version"] != 1. || p["first_ppm"] != 500000. {
		t.Fatal(p)
	}
	staff.ask(412, "putPlan", at, plan, func(r *apitest.Request) { r.Header.Set("If-Match", `"9"`) })
	staff.ask(400, "putPlan", map[string]string{"offer": offer.ID, "currency": "USD"}, map[string]any{"instalments": 3, "every": 13, "unit": "month", "on_default": "suspend"})
	if all := staff.ask(200, "listPlans", at, nil)["plans"].([]any); len(all) != 1 {
		t.Fatal(all)
	}
	o := buyer.ask(201, "placeOrder", nil, map[string]any{"offer_id": offer.ID, "lang": "fr", "way": "instalments"})
	schedule := o["schedule"].(map[string]any)
	if first := schedule["instalments"].([]any)[0].(map[string]any); len(schedule["instalments"].([]any)) != 3 || first["amount"].(map[string]any)["amount_minor"] != 4500. || o["checkout_url"] == "" {
		t.Fatal(schedule)
	}
	order := map[string]string{"order": o["id"].(string), "n": "2"}
	buyer.ask(409, "payInstalment", order, nil)
	if page := buyer.ask(200, "leaveCard", order, nil); page["url"] == "" {
		t.Fatal(page)
	}
	w.tell("/sandbox/pay/"+path.Base(o["checkout_url"].(string)), map[string]any{"card": visa})
	w.becomes(sales.Order{ID: order["order"]}, sales.Paid)
	paid := buyer.ask(200, "payInstalment", order, nil)
	if next := paid["next_action"].(map[string]any); next["amount_left"].(map[string]any)["amount_minor"] != 4500. || next["instalment"] != 2. || paid["checkout_url"] == nil {
		t.Fatal(paid)
	}
}

// begun is an order in instalments of which the first was paid with a card.
func (w *world) begun(buyer string, o offers.Offer, card string) sales.Order {
	w.t.Helper()
	placed, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: buyer, OfferID: o.ID, Lang: "en", Way: sales.Instalments, IdempotencyKey: "begin " + o.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	w.tell("/sandbox/pay/"+w.payment(placed).CheckoutID, map[string]any{"card": card, "authenticate": "complete"})
	placed = w.becomes(placed, sales.Paid)
	w.until("the card is kept", func() bool { return w.state(placed).Schedule.CardKept })
	return w.state(placed)
}

// cardSays tells the sandbox what the kept card of an order does from now on.
func (w *world) cardSays(o sales.Order, outcome string) {
	w.t.Helper()
	var customer string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &customer, postgres.Query{Name: "customer", SQL: "select customer_id from sales.plans where order_id = $1"}, o.ID)
	})
	w.tell("/sandbox/customers/"+customer, map[string]any{"outcome": outcome})
}

// passes lets days pass, one by one, as the sweep of every minute would see them.
func (w *world) passes(days int) {
	w.t.Helper()
	for range days {
		w.clock.Advance(day)
		w.sweeps()
	}
}

func (w *world) sweeps() {
	w.t.Helper()
	if _, err := w.h.Sales.RemindOfDue(system); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.h.Sales.AskDue(system); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.h.Sales.ChargeDue(system); err != nil {
		w.t.Fatal(err)
	}
	w.told()
}

// told waits until what the provider has to say is said, and worked on.
func (w *world) told() {
	w.t.Helper()
	w.quiet()
	w.until("the provider's events", func() bool { return w.sandbox.Book().Undelivered == 0 })
	w.quiet()
}

func (w *world) enrolment(o sales.Order) (e enrolment.Enrolment) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		e, err = enrolment.OneTx(ctx, tx, o.Enrolments()[0])
		return err
	})
	return e
}

// standsAt says where the instalments of an order stand, one letter each.
func standsAt(o sales.Order) (s string) {
	for _, i := range o.Schedule.Instalments {
		s += string(i.State[0])
	}
	return s
}

func (w *world) paysInstalment(o sales.Order, n int, card string) {
	w.t.Helper()
	got, err := w.h.Sales.PayInstalment(system, o.ID, o.BuyerID, n, fmt.Sprint("pay ", o.ID, n, w.clock.Now()))
	if err != nil {
		w.t.Fatal(err)
	}
	var checkout string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &checkout, postgres.Query{Name: "page", SQL: "select checkout_id from payments.payments where pay_url = $1"}, got.PayURL)
	})
	w.tell("/sandbox/pay/"+checkout, map[string]any{"card": card, "authenticate": "complete"})
	w.told()
}

// A plan from its first instalment to its last: access at the first, one invoice with the schedule, charges by themselves with a reminder
// before, a card that runs dry, the ladder to default, access that is suspended and opens again with the payment of another card.
func TestInstalmentsFromFirstToLast(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	o := w.begun(awa.ID, w.inParts("PRD-1", "", 10000, offers.SuspendAccess), visa)
	w.told()
	if n := o.Next; standsAt(o) != "ppp" || o.Schedule.Instalments[0].Amount.Minor != 3334 || n.Kind != sales.NextLearn || n.Left.Minor != 6666 || !n.Until.Equal(o.Schedule.Instalments[1].DueAt) {
		t.Fatalf("%s %+v", standsAt(o), n)
	}
	if b := w.balance("receivable", "EUR"); b != 6666 {
		t.Error("receivable:", b)
	}
	invoice := w.papers(o, invoicing.KindInvoice)
	if len(invoice) != 1 || invoice[0].Amount().Minor != 10000 || len(invoice[0].Facts.Payment.Schedule) != 3 {
		t.Fatalf("%+v", invoice)
	}
	w.verify()
	w.passes(29)
	if !w.inMails("Your next instalment", "33.33") {
		t.Error("no reminder")
	}
	w.passes(3)
	if o = w.state(o); o.Next.Left.Minor != 3333 || !w.inMails("An instalment was paid", "33.33") {
		t.Fatalf("%s %+v", standsAt(o), o.Next)
	}
	w.verify()
	w.cardSays(o, "insufficient_funds")
	w.passes(31)
	if o = w.state(o); o.Schedule.Instalments[2].State != sales.Refused || o.Next.Kind != sales.NextInstalment || o.Next.URL == "" || !w.enrolment(o).Has(offers.Certificate) {
		t.Fatalf("%s %+v", standsAt(o), o.Next)
	}
	w.passes(7)
	if o = w.state(o); o.Schedule.Instalments[2].State != sales.InDefault || o.Schedule.Instalments[2].Attempts != 4 {
		t.Fatalf("%+v", o.Schedule.Instalments[2])
	}
	if e := w.enrolment(o); len(e.Entitlements) != 0 || e.Hold != enrolment.HoldAll || !w.inMails("Your access is suspended", "33.33") {
		t.Fatalf("in default and open: %+v", e)
	}
	w.verify()
	w.paysInstalment(o, 3, "5555555555554444")
	if o = w.state(o); o.Schedule.Owed("EUR").Minor != 0 || !w.enrolment(o).Has(offers.Certificate) || !w.inMails("open again") || o.Next.Kind != sales.NextLearn || o.Next.Left != nil {
		t.Fatalf("%s %+v", standsAt(o), o.Next)
	}
	if b := w.balance("receivable", "EUR"); b != 0 {
		t.Error("receivable:", b)
	}
	w.verify()
}

// A bank that wants its owner: the mail leads to a page of ours, which opens a pay page; a second charge meanwhile goes back.
func TestAnInstalmentWantsItsOwner(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	o := w.begun(awa.ID, w.inParts("PRD-1", "", 15000, offers.KeepAccess), "4000002760003184")
	w.passes(31)
	if o = w.state(o); o.Schedule.Instalments[1].State != sales.NeedsOwner || !w.inMails("confirm", "/orders/"+o.ID+"/instalments/2") {
		t.Fatalf("%s %+v", standsAt(o), o.Schedule.Instalments[1])
	}
	w.verify()
	if _, err := w.h.Sales.PayInstalment(system, o.ID, "per_other", 2, "x"); code(err) != "no-such-order" {
		t.Error("somebody else's instalment:", err)
	}
	w.paysInstalment(o, 2, threeD)
	if o = w.state(o); o.Schedule.Instalments[1].State != sales.InstalmentIn {
		t.Fatal(standsAt(o))
	}
	if _, err := w.h.Sales.PayInstalment(system, o.ID, awa.ID, 2, "y"); code(err) != "instalment-not-owed" {
		t.Error("paid twice:", err)
	}
	w.verify()
}

// Who keeps access in default is given no certificate until she pays.
func TestNoCertificateInDefault(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	o := w.begun(awa.ID, w.inParts("PRD-1", "", 15000, offers.KeepAccess), visa)
	w.cardSays(o, "insufficient_funds")
	w.passes(40)
	o = w.state(o)
	if e := w.enrolment(o); e.Has(offers.Certificate) || len(e.Entitlements) == 0 || o.Schedule.Instalments[1].State != sales.InDefault {
		t.Fatalf("%s %+v", standsAt(o), e)
	}
	w.verify()
	w.paysInstalment(o, 2, visa)
	if !w.enrolment(o).Has(offers.Certificate) {
		t.Error("paid, and no certificate")
	}
	w.verify()
}

// After so many days in default the contract ends: what was paid is kept, the rest is owed no more and taken off the invoice.
func TestAPlanThatEnds(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	o := w.begun(awa.ID, w.inParts("PRD-1", "", 15000, offers.EndAccess), visa)
	w.cardSays(o, "insufficient_funds")
	w.passes(70)
	o = w.becomes(o, sales.Defaulted)
	if standsAt(o) != "pcc" || o.Credited.Minor != 10000 || w.granted(o.Enrolments()[0]) || w.balance("receivable", "EUR") != 0 || w.balance("clearing:stripe", "EUR") != 5000 {
		t.Fatal(standsAt(o), o.Credited, w.balance("receivable", "EUR"))
	}
	if notes := w.papers(o, invoicing.KindCreditNote); len(notes) != 1 || notes[0].Amount().Minor != 10000 {
		t.Fatalf("%+v", notes)
	}
	w.verify()
	w.refund(o, 5000)
	w.becomes(o, sales.Refunded)
	w.verify()
}

// All that was paid goes back over its own payments, and the plan ends; a part does not end it.
func TestInstalmentsGoBackOverTheirPayments(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	o := w.begun(awa.ID, w.inParts("PRD-1", "", 15000, offers.SuspendAccess), visa)
	w.passes(31)
	w.refund(o, 6000) // the newest payment first
	w.told()
	o = w.state(o)
	if o.State != sales.PartiallyRefunded || o.Schedule.Owed("EUR").Minor != 5000 || w.balance("clearing:stripe", "EUR") != 4000 {
		t.Fatal(o.State, standsAt(o), w.balance("clearing:stripe", "EUR"))
	}
	w.verify()
	if _, err := w.h.Sales.Refund(staffCtx("ref"), sales.RefundOrder{OrderID: o.ID, AmountMinor: ptr(int64(4001)), Reason: "r", IdempotencyKey: "much"}); code(err) != "refund-exceeds-payment" {
		t.Error("more than was paid:", err)
	}
	if _, err := w.h.Sales.Refund(staffCtx("ref"), sales.RefundOrder{OrderID: o.ID, Reason: "all", IdempotencyKey: "all"}); err != nil {
		t.Fatal(err)
	}
	w.told()
	o = w.becomes(o, sales.Refunded)
	if standsAt(o) != "ppc" || w.granted(o.Enrolments()[0]) || w.balance("receivable", "EUR") != 0 || w.balance("clearing:stripe", "EUR") != 0 {
		t.Fatal(standsAt(o))
	}
	w.passes(40)
	w.verify()
}

// Whatever is told first, the card that was left last is charged; that an older one was charged says nothing of it.
func TestTheCardThatWasLeftLastIsKept(t *testing.T) {
	w := newWorld(t)
	o := w.begun(w.person("awa@example.org", "Awa").ID, w.inParts("PRD-1", "", 9000, offers.SuspendAccess), runsDry)
	var told [][2]string
	var mu sync.Mutex
	w.setHook(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		told = append(told, [2]string{string(body), r.Header.Get("Stripe-Signature")})
		mu.Unlock()
		rw.WriteHeader(http.StatusNoContent)
	})
	leave := func(card string) string {
		w.clock.Advance(time.Minute)
		url, err := w.h.Sales.LeaveCard(system, o.ID, o.BuyerID)
		if err != nil {
			t.Fatal(err)
		}
		w.tell("/sandbox/pay/"+path.Base(url), map[string]any{"card": card, "authenticate": "complete"})
		w.clock.Advance(2 * time.Hour) // a page is that of an hour
		w.until("it is told", func() bool { return w.sandbox.Book().Undelivered == 0 })
		return card
	}
	leave(wantsOwner)
	leave(visa)
	w.setHook(w.receive)
	for _, e := range slices.Backward(told) {
		w.deliver([2]string{e[0], stripegate.Sign([]byte(e[0]), hookSecret, w.clock.Now())})
		w.quiet()
	}
	w.passes(31)
	if got := w.state(o).Schedule.Instalments[1]; got.State != sales.InstalmentIn {
		t.Errorf("%s %s: another card than the last was charged", got.State, got.Why)
	}
	w.verify()
}

// Lines that go back of an order in instalments are noted with each refund that pays for them, so that papers and parts say the same.
func TestLinesOfInstalmentsGoBack(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	one, two := w.inParts("PRD-1", "", 9000, offers.SuspendAccess), w.inParts("PRD-2", "", 6000, offers.SuspendAccess)
	o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{
		BuyerID: awa.ID, Items: []sales.Item{{OfferID: one.ID, Quantity: 1}, {OfferID: two.ID, Quantity: 1}}, Lang: "en", Way: sales.Instalments, IdempotencyKey: "two",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.tell("/sandbox/pay/"+w.payment(o).CheckoutID, map[string]any{"card": visa})
	w.becomes(o, sales.Paid)
	w.told()
	w.passes(31) // two of three are paid
	lines := []sales.RefundLine{{Line: 1, Minor: 3500}, {Line: 2, Minor: 2500}}
	if _, err := w.h.Sales.Refund(staffCtx("ref"), sales.RefundOrder{OrderID: o.ID, Lines: lines, Reason: "r", IdempotencyKey: "lines"}); err != nil {
		t.Fatal(err)
	}
	w.told()
	o = w.becomes(o, sales.PartiallyRefunded)
	if o.Lines[0].Credited.Minor != 3500 || o.Lines[1].Credited.Minor != 2500 || w.balance("clearing:stripe", "EUR") != 4000 {
		t.Fatal(o.Lines[0].Credited, o.Lines[1].Credited, w.balance("clearing:stripe", "EUR"))
	}
	for key, line := range map[string]sales.RefundLine{"more than the line": {Line: 2, Minor: 3501}, "more than was paid": {Line: 1, Minor: 4001}} {
		if _, err := w.h.Sales.Refund(staffCtx("ref"), sales.RefundOrder{OrderID: o.ID, Lines: []sales.RefundLine{line}, Reason: "r", IdempotencyKey: key}); code(err) != "refund-exceeds-payment" {
			t.Errorf("%s: %v", key, err)
		}
	}
	w.verify()
}

// Who withdraws gets back what she paid, and owes nothing more; a dispute of one instalment that is lost ends the plan.
func TestWithdrawalAndDisputeOfInstalments(t *testing.T) {
	w := newWorld(t)
	awa, binta := w.person("awa@example.org", "Awa"), w.person("binta@example.org", "Binta")
	o := w.begun(awa.ID, w.inParts("PRD-1", "", 15000, offers.SuspendAccess), visa)
	if _, err := w.leave(o, "leave"); err != nil {
		t.Fatal(err)
	}
	w.told()
	if o = w.becomes(o, sales.Refunded); standsAt(o) != "pcc" || w.balance("clearing:stripe", "EUR") != 0 {
		t.Fatal(standsAt(o))
	}
	w.verify()
	p := w.begun(binta.ID, w.inParts("PRD-2", "", 15000, offers.SuspendAccess), visa)
	w.passes(31)
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": w.payment(p).IntentID, "reason": "fraudulent"})
	w.becomes(p, sales.Disputed)
	w.passes(40)
	if s := standsAt(w.state(p)); s != "ppp" || w.state(p).Schedule.Instalments[2].State != sales.Planned {
		t.Error("charged while the bank has an instalment:", s)
	}
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "lost"})
	if p = w.becomes(p, sales.Lost); standsAt(p) != "ppc" || w.granted(p.Enrolments()[0]) || w.balance("receivable", "EUR") != 0 {
		t.Fatal(standsAt(p))
	}
	w.verify()
}

// intentsOf are those of the payments of an order that came.
func (w *world) intentsOf(o sales.Order) (all []string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &all, postgres.Query{Name: "intents", SQL: "select intent_id from payments.payments where order_id = $1 and state = 'captured' order by id"}, o.ID)
	})
	return all
}

// The bank takes one instalment back, the plan ends, and it takes the other: both are lost. What is owed no more was never paid; counted
// as given back, the second loss was what the buyer owes us.
func TestTwoInstalmentsAreLost(t *testing.T) {
	w := newWorld(t)
	o := w.begun(w.person("awa@example.org", "Awa").ID, w.inParts("PRD-1", "", 15000, offers.SuspendAccess), visa)
	w.passes(31)
	for n, intent := range w.intentsOf(o) {
		d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": intent, "reason": "fraudulent"})
		w.told()
		w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": "lost"})
		w.told()
		if o = w.becomes(o, sales.Lost); standsAt(o) != "ppc" || w.balance("disputes", "EUR") != int64(5000*(n+1)) || w.balance("overpaid", "EUR") != 0 {
			t.Error(standsAt(o), w.balance("disputes", "EUR"), "lost,", w.balance("overpaid", "EUR"), "owed by the buyer")
		}
	}
	w.verify()
}

// While the bank has any instalment the order is disputed, and nothing is charged: to win one dispute does not end the other.
func TestTwoInstalmentsAtTheBank(t *testing.T) {
	w := newWorld(t)
	o := w.begun(w.person("awa@example.org", "Awa").ID, w.inParts("PRD-1", "", 15000, offers.SuspendAccess), visa)
	w.passes(31)
	var disputes []string
	for _, intent := range w.intentsOf(o) {
		disputes = append(disputes, fmt.Sprint(w.tell("/sandbox/disputes", map[string]any{"payment_intent": intent, "reason": "fraudulent"})["id"]))
	}
	w.told()
	if w.becomes(o, sales.Disputed); len(disputes) != 2 {
		t.Fatal(disputes)
	}
	w.tell("/sandbox/disputes/"+disputes[0], map[string]any{"outcome": "won"})
	w.told()
	w.passes(40)
	if o = w.state(o); o.State != sales.Disputed || o.Schedule.Instalments[2].State != sales.Planned {
		t.Error("one dispute was won, and the other is open:", o.State, standsAt(o))
	}
	w.tell("/sandbox/disputes/"+disputes[1], map[string]any{"outcome": "won"})
	w.told()
	w.becomes(o, sales.Paid)
	w.verify()
}

// Vocational training: nothing is asked for before its ten days are over. A card that was left is charged then, with a third at most as the
// law says 30 %; without one the buyer is asked to pay.
func TestVocationalInstalments(t *testing.T) {
	w := newWorld(t)
	for _, left := range []bool{true, false} {
		awa := w.person(fmt.Sprintf("awa%v@example.org", left), "Awa")
		o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{
			BuyerID: awa.ID, OfferID: w.inParts(map[bool]string{true: "VOC-1", false: "VOC-2"}[left], "vocational", 10000, offers.SuspendAccess).ID, Lang: "en", Way: sales.Instalments, IdempotencyKey: "v",
		})
		if err != nil || o.PaymentID != "" {
			t.Fatal(o.PaymentID, err)
		}
		if s := o.Schedule.Instalments; s[0].Amount.Minor != 3000 || s[1].Amount.Minor != 3500 || s[0].DueAt.Before(w.clock.Now().Add(10*day)) {
			t.Fatalf("%+v", s)
		}
		if left {
			url, err := w.h.Sales.LeaveCard(system, o.ID, awa.ID)
			if err != nil {
				t.Fatal(err)
			}
			w.tell("/sandbox/pay/"+path.Base(url), map[string]any{"card": visa})
			w.told()
			if !w.state(o).Schedule.CardKept {
				t.Fatal("no card was left")
			}
		}
		w.passes(9)
		if s := w.state(o); s.State != sales.AwaitingPayment || standsAt(s) != "ppp" || s.PaymentID != "" {
			t.Fatal("asked too early:", s.State, standsAt(s), s.PaymentID)
		}
		w.passes(5)
		if !left {
			if o, err = w.h.Sales.Pay(system, o.ID, awa.ID); err != nil {
				t.Fatal(err)
			}
			w.tell("/sandbox/pay/"+w.payment(o).CheckoutID, map[string]any{"card": visa})
			w.told()
		}
		o = w.becomes(o, sales.Paid)
		if w.payment(o).CapturedMinor != 3000 {
			t.Error("asked for", w.payment(o).CapturedMinor)
		}
		w.verify()
	}
}

// Whatever comes in whatever order, paid + owed + dropped is the total, access follows the policy, and the books agree.
func TestRandomInstalments(t *testing.T) {
	w := newWorld(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		policy := rapid.SampledFrom(offers.DefaultPolicies).Draw(rt, "policy")
		awa := w.person(fmt.Sprintf("p%d@example.org", round), "P")
		o := w.begun(awa.ID, w.inParts(fmt.Sprintf("RND-%d", round), "none", rapid.Int64Range(300, 50000).Draw(rt, "price"), policy), visa)
		for i := range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch step := rapid.SampledFrom([]string{"time", "time", "time", "dry", "owner", "fine", "page", "card", "refund", "all", "again"}).Draw(rt, "step"); step {
			case "time":
				w.passes(rapid.IntRange(1, 12).Draw(rt, "days"))
			case "dry", "owner", "fine":
				w.cardSays(o, map[string]string{"dry": "insufficient_funds", "owner": payments.NeedsOwner, "fine": "pays"}[step])
			case "page":
				o = w.state(o)
				if next := o.Schedule.Next(); next != nil && o.Next.Left != nil {
					w.paysInstalment(o, next.N, visa)
				}
			case "card":
				if url, err := w.h.Sales.LeaveCard(system, o.ID, o.BuyerID); err == nil {
					if code := w.asksPay(path.Base(url)); code != 200 && code != 400 { // the page of this hour was used already
						rt.Fatal(code)
					}
					w.told()
				} else if code(err) != "instalment-not-owed" {
					rt.Fatal(err)
				}
			case "refund", "all":
				c := sales.RefundOrder{OrderID: o.ID, Reason: "r", IdempotencyKey: fmt.Sprint("r", round, i)}
				if step == "refund" {
					c.AmountMinor = ptr(rapid.Int64Range(1, 20000).Draw(rt, "minor"))
				}
				_, err := w.h.Sales.Refund(system, c)
				if c := code(err); c != "" && c != "refund-exceeds-payment" && c != "order-not-paid" && c != "bad-amount" {
					rt.Fatal(err)
				}
				w.told()
			case "again":
				w.tell("/sandbox/webhooks", map[string]any{"resend": "all"})
				w.told()
			}
			o = w.state(o)
			var paid, owed, dropped int64
			for _, x := range o.Schedule.Instalments {
				switch {
				case x.State == sales.InstalmentIn:
					paid += x.Amount.Minor
				case x.State.Open():
					owed += x.Amount.Minor
				default:
					dropped += x.Amount.Minor
				}
			}
			if paid+owed+dropped != o.Total.Minor {
				rt.Fatalf("%d + %d + %d are not %d", paid, owed, dropped, o.Total.Minor)
			}
			live := o.State == sales.Paid || o.State == sales.PartiallyRefunded
			if e := w.enrolment(o); live != w.granted(e.ID) || live && (e.Hold == enrolment.NoHold) == o.Schedule.Defaulted() || !live && owed != 0 {
				rt.Fatalf("%s %s: %+v", o.State, standsAt(o), e)
			}
		}
	})
	w.verify()
}

// asksPay pays on a page with a good card and gives the status of the answer.
func (w *world) asksPay(checkout string) int {
	r, err := http.Post(w.stripe+"/sandbox/pay/"+checkout, "application/json", strings.NewReader(`{"card":"`+visa+`"}`)) //nolint:noctx // a test
	if err != nil {
		w.t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// Every check of instalments notices what it is for.
func TestChecksOfInstalmentsNotice(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	o := w.begun(awa.ID, w.inParts("PRD-1", "", 15000, offers.SuspendAccess), visa)
	w.told()
	owner := testkit.Owner(t, w.dsn)
	broken := func(what, sql, undo string) {
		t.Helper()
		if _, err := owner.Exec(sql, o.ID); err != nil {
			t.Fatal(err)
		}
		all, err := w.h.Verify(system)
		if err != nil || len(all) == 0 {
			t.Errorf("nobody notices %s: %v", what, err)
		}
		if _, err := owner.Exec(undo, o.ID); err != nil {
			t.Fatal(err)
		}
		w.verify()
	}
	broken("a plan that is not the total", "update sales.instalments set amount_minor = amount_minor + 1 where order_id = $1 and n = 3", "update sales.instalments set amount_minor = amount_minor - 1 where order_id = $1 and n = 3")
	broken("an instalment that nobody paid", "update sales.instalments set state = 'paid', settled_at = now() where order_id = $1 and n = 2", "update sales.instalments set state = 'planned', settled_at = null where order_id = $1 and n = 2")
	broken("access held back without a reason", "update enrolment.grants set hold = 'all' where order_id = $1", "update enrolment.grants set hold = null where order_id = $1")
	broken("access open in default", "update sales.instalments set state = 'defaulted' where order_id = $1 and n = 2", "update sales.instalments set state = 'planned' where order_id = $1 and n = 2")
}

// Orders with which nothing can be done now, however many and old, do not keep the others from being charged.
func TestWhoWaitsDoesNotStandInTheWayOfOthers(t *testing.T) {
	w := newWorld(t)
	offer := w.inParts("PRD-1", "", 10000, offers.SuspendAccess)
	for i := range 100 {
		who := w.person(fmt.Sprintf("p%d@example.org", i), "P")
		if _, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: who.ID, OfferID: offer.ID, Lang: "en", Way: sales.Instalments, IdempotencyKey: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { // they stand first in the list, and nothing was paid of them
		_, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: "update sales.instalments set next_at = due_at where n = 1"})
		return err
	})
	o := w.begun(w.person("awa@example.org", "Awa").ID, offer, visa)
	w.clock.Advance(32 * 24 * time.Hour)
	w.sweeps()
	if left := w.state(o).Next.Left; left.Minor != 3333 {
		t.Errorf("not charged: %v is left", left)
	}
}
