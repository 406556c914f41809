package stripesandbox_test

import (
	"context"
	"testing"
	"time"

	"cursus/internal/domain/payments"
)

// kept pays on a page that keeps the card, and gives its customer and method as the events tell them.
func (w *world) kept(name, card string) (customer, method string) {
	w.t.Helper()
	r := w.checkoutRequest(name, euros(5000))
	r.KeepCard = true
	s, err := w.gate.OpenCheckout(context.Background(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.tell("/sandbox/pay/"+s.ID, map[string]any{"card": card, "authenticate": "complete"})
	for _, f := range w.facts()[payments.FactCaptured] {
		if f.MethodID != "" && f.PaymentID == r.PaymentID {
			customer, method = f.CustomerID, f.MethodID
		}
	}
	if customer == "" || method == "" {
		w.t.Fatalf("the card was not kept: %+v", w.facts())
	}
	return customer, method
}

func (w *world) charge(name, customer, method string) (payments.Charged, error) {
	return w.gate.Charge(context.Background(), payments.ChargeRequest{
		PaymentID: "pay_" + name, OrderID: "ord_1", Description: "PRD 7 · 2/3", Amount: euros(5000), CustomerID: customer, MethodID: method, IdempotencyKey: "pay_" + name + ":charge",
	})
}

// A card that paid on a page is charged without its owner; the same key charges once. What it is refused for is said by the answer and
// by the event alike. A new page of the same customer keeps another card.
func TestACardIsKeptAndCharged(t *testing.T) {
	w := newWorld(t)
	customer, method := w.kept("a", "4242424242424242")
	for range 2 {
		if out, err := w.charge("b", customer, method); err != nil || out.Declined != "" || out.PaymentIntentID == "" {
			t.Fatalf("%+v %v", out, err)
		}
	}
	w.wantBook("EUR", 10000)
	for _, why := range []string{"insufficient_funds", payments.NeedsOwner} {
		w.tell("/sandbox/customers/"+customer, map[string]any{"outcome": why})
		out, err := w.charge(why, customer, method)
		if err != nil || out.Declined != why || out.PaymentIntentID == "" {
			t.Errorf("%s: %+v %v", why, out, err)
		}
	}
	told := map[string]string{}
	for _, f := range w.facts()[payments.FactFailed] {
		told[f.PaymentID] = f.Declined
	}
	if len(told) != 2 || told["pay_insufficient_funds"] != "insufficient_funds" || told["pay_authentication_required"] != payments.NeedsOwner {
		t.Error(told)
	}
	w.wantBook("EUR", 10000)
	if out, err := w.charge("none", customer, "pm_unknown"); err != nil || out.Declined != payments.CardGone {
		t.Errorf("a card that is not there: %+v %v", out, err)
	}
	r := w.checkoutRequest("again", euros(5000))
	r.KeepCard, r.CustomerID = true, customer
	s, err := w.gate.OpenCheckout(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if answer := w.tell("/sandbox/pay/"+s.ID, map[string]any{"card": "4000000000000002"}); answer["status"] != "declined" {
		t.Error(answer)
	}
	w.tell("/sandbox/pay/"+s.ID, map[string]any{"card": "5555555555554444"})
	var methods []string
	for _, f := range w.facts()[payments.FactCaptured] {
		if f.MethodID != "" && f.PaymentID == "pay_again" {
			methods = append(methods, f.MethodID)
			if f.CustomerID != customer {
				t.Errorf("another customer: %+v", f)
			}
		}
	}
	if len(methods) != 1 || methods[0] == method || len(w.facts()[payments.FactFailed]) != 2 {
		t.Errorf("%v %+v", methods, w.facts()[payments.FactFailed])
	}
	for card, want := range map[string]string{"4000002500003155": "", "4000002760003184": payments.NeedsOwner, "4000008260003178": "insufficient_funds"} {
		customer, method := w.kept(card, card)
		if out, err := w.charge("later"+card, customer, method); err != nil || out.Declined != want {
			t.Errorf("%s: %+v %v", card, out, err)
		}
	}
}

// A charge that may have been made long ago, under a key that the provider has forgotten, is looked for and not made again, whatever became
// of it; one that was never made is made.
func TestAChargeOfLongAgoIsMadeOnce(t *testing.T) {
	w := newWorld(t)
	customer, method := w.kept("a", "4242424242424242")
	first, err := w.charge("b", customer, method)
	if err != nil {
		t.Fatal(err)
	}
	w.tell("/sandbox/customers/"+customer, map[string]any{"outcome": "insufficient_funds"})
	dry, err := w.charge("dry", customer, method)
	if err != nil || dry.Declined == "" {
		t.Fatal(dry, err)
	}
	w.tell("/sandbox/customers/"+customer, map[string]any{"outcome": ""})
	again := func(name string) payments.Charged {
		t.Helper()
		out, err := w.gate.Charge(context.Background(), payments.ChargeRequest{
			PaymentID: "pay_" + name, OrderID: "ord_1", Description: "PRD 7 · 2/3", Amount: euros(5000), CustomerID: customer, MethodID: method,
			IdempotencyKey: "pay_" + name + ":forgotten", AskedLongAgo: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := again("b"); out != first {
		t.Errorf("charged again: %+v, was %+v", out, first)
	}
	if out := again("dry"); out != dry {
		t.Errorf("what was refused is another: %+v, was %+v", out, dry)
	}
	w.wantBook("EUR", 10000)
	if out := again("new"); out.Declined != "" || out.PaymentIntentID == first.PaymentIntentID {
		t.Errorf("%+v", out)
	}
	w.wantBook("EUR", 15000)
}

// A card is left on a page on which nothing is paid, and charged later. The book is kept over a restart.
func TestACardIsLeftOnAPage(t *testing.T) {
	w := newWorld(t)
	for i, card := range []string{"4242424242424242", "4000002500003155", "4000000000000341"} {
		order := "ord_" + card
		s, err := w.gate.OpenSetup(context.Background(), payments.SetupRequest{
			OrderID: order, Email: "learner@example.org", Currency: "EUR", Lang: "fr", SuccessURL: "https://cursus.example/ok", CancelURL: "https://cursus.example/no",
			ExpiresAt: w.clock.Now().Add(time.Hour), IdempotencyKey: order,
		})
		if err != nil {
			t.Fatal(err)
		}
		if answer := w.tell("/sandbox/pay/"+s.ID, map[string]any{"card": "4000000000000002"}); answer["status"] != "declined" {
			t.Error(answer)
		}
		body := map[string]any{"card": card}
		if i == 1 {
			body["authenticate"] = "complete"
		}
		if answer := w.tell("/sandbox/pay/"+s.ID, body); answer["status"] != "complete" {
			t.Fatal(answer)
		}
		var left payments.Fact
		for _, f := range w.facts()[payments.FactCardKept] {
			if f.OrderID == order {
				left = f
			}
		}
		if left.CustomerID == "" || left.MethodID == "" {
			t.Fatalf("%+v", w.facts())
		}
		if i == 0 {
			_ = w.sandbox.Close()
			w.open()
		}
		want := map[int]string{2: "generic_decline"}[i]
		if out, err := w.charge(order, left.CustomerID, left.MethodID); err != nil || out.Declined != want {
			t.Errorf("%s: %+v %v", card, out, err)
		}
	}
	w.wantBook("EUR", 10000)
}

// Intents of payments that keep no card are stored and set aside: nothing follows from them.
func TestMostIntentsSayNothing(t *testing.T) {
	w := newWorld(t)
	w.bought("a", euros(15000))
	w.kept("b", "4242424242424242")
	idle := map[bool]int{}
	for _, e := range w.settled() {
		if e.Type == "payment_intent.succeeded" {
			idle[e.Idle]++
		} else if e.Idle {
			t.Error(e.Type)
		}
	}
	if idle[true] != 1 || idle[false] != 1 {
		t.Error(idle)
	}
}
