package stripesandbox_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"cursus/internal/domain/payments"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

func TestACardPays(t *testing.T) {
	w := newWorld(t)
	s, intent := w.bought("a", euros(15000))
	f := one(t, w.facts(), payments.FactCaptured)
	want := payments.Fact{Kind: payments.FactCaptured, PaymentID: "pay_a", PaymentIntentID: intent, CheckoutID: s.ID, Amount: euros(15000)}
	if f != want {
		t.Errorf("got %+v, want %+v", f, want)
	}
	if err := w.gate.ExpireCheckout(context.Background(), s.ID, "exp_a"); !errors.Is(err, stripegate.ErrFinished) {
		t.Errorf("closing a complete page: %v", err)
	}
	if status, _ := w.ask("/sandbox/pay/"+s.ID, map[string]any{"card": "4242424242424242"}); status != http.StatusBadRequest {
		t.Errorf("paying twice: %d", status)
	}
}

func TestCurrenciesArriveUnmultiplied(t *testing.T) {
	w := newWorld(t)
	for c, minor := range map[money.Currency]int64{"EUR": 15000, "XOF": 100000, "JPY": 25000, "TND": 450500, "USD": 9999} {
		_, intent := w.bought(string(c), money.Of(minor, c))
		if intent == "" {
			t.Errorf("%s: no payment intent", c)
		}
	}
	book, err := balance(w.gate.Book(context.Background()))
	if err != nil {
		t.Fatal(err)
	}
	for c, minor := range map[money.Currency]int64{"EUR": 15000, "XOF": 100000, "JPY": 25000, "TND": 450500, "USD": 9999} {
		if book[c] != minor {
			t.Errorf("%s: Stripe has %d, sold %d", c, book[c], minor)
		}
	}
}

func TestDeclinedCardsLeaveThePageOpen(t *testing.T) {
	w := newWorld(t)
	s := w.checkout("a", euros(15000))
	for number, code := range map[string]string{"4000000000000002": "generic_decline", "4000000000009995": "insufficient_funds"} {
		answer := w.tell("/sandbox/pay/"+s.ID, map[string]any{"card": number})
		if e := answer["error"].(map[string]any); answer["status"] != "declined" || e["decline_code"] != code {
			t.Errorf("%s: %v", number, answer)
		}
	}
	if len(w.facts()) != 0 {
		t.Error("a declined card says nothing about our payments")
	}
	if answer := w.tell("/sandbox/pay/"+s.ID, map[string]any{"card": "4242424242424242"}); answer["status"] != "complete" {
		t.Errorf("a second card: %v", answer)
	}
	one(t, w.facts(), payments.FactCaptured)
}

func TestThreeDSecure(t *testing.T) {
	w := newWorld(t)
	s := w.checkout("a", euros(15000))
	for _, step := range []struct {
		body   map[string]any
		status string
	}{
		{map[string]any{"card": "4000002500003155"}, "requires_action"},
		{map[string]any{"authenticate": "fail"}, "declined"},
		{map[string]any{"card": "4000002760003184"}, "requires_action"},
		{map[string]any{"authenticate": "complete"}, "complete"},
	} {
		if answer := w.tell("/sandbox/pay/"+s.ID, step.body); answer["status"] != step.status {
			t.Fatalf("%v: %v, want %s", step.body, answer, step.status)
		}
	}
	one(t, w.facts(), payments.FactCaptured)
}

func TestDelayedMethods(t *testing.T) {
	w := newWorld(t)
	for name, iban := range map[string]string{"pays": "DE89370400440532013000", "fails": "DE62370400440532013001"} {
		s := w.checkout(name, euros(15000))
		w.tell("/sandbox/pay/"+s.ID, map[string]any{"card": iban})
		outcome := map[string]string{"pays": "succeed", "fails": "fail"}[name]
		w.tell("/sandbox/settle/"+s.ID, map[string]any{"outcome": outcome})
	}
	facts := w.facts()
	if len(facts[payments.FactPending]) != 2 {
		t.Errorf("pending: %+v", facts)
	}
	if f := one(t, facts, payments.FactCaptured); f.PaymentID != "pay_pays" || f.Amount != euros(15000) {
		t.Errorf("captured: %+v", f)
	}
	if f := one(t, facts, payments.FactFailed); f.PaymentID != "pay_fails" {
		t.Errorf("failed: %+v", f)
	}
}

func TestPagesCloseByThemselvesAndOnDemand(t *testing.T) {
	w := newWorld(t)
	asked := w.checkout("asked", euros(15000))
	if err := w.gate.ExpireCheckout(context.Background(), asked.ID, "exp_asked"); err != nil {
		t.Fatal(err)
	}
	w.checkout("left", euros(15000))
	w.settled()
	w.clock.Advance(time.Hour)
	for range 200 {
		if len(w.facts()[payments.FactExpired]) == 2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the page that was left did not close")
}

func TestRefunds(t *testing.T) {
	w := newWorld(t)
	_, intent := w.bought("a", euros(15000))
	part, err := w.refund("a", intent, euros(4000))
	if err != nil || part.Status != "succeeded" {
		t.Fatalf("part: %+v %v", part, err)
	}
	if again, err := w.refund("a", intent, euros(4000)); err != nil || again != part {
		t.Errorf("the same key again: %+v %v, want %+v", again, err, part)
	}
	_, err = w.refund("too-much", intent, euros(11001))
	if f := fault.From(err); f.Kind != fault.Unprocessable {
		t.Errorf("more than is left: %v", err)
	}
	rest, err := w.refund("rest", intent, euros(11000))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.refund("none-left", intent, euros(1)); !errors.Is(err, stripegate.ErrRefused) {
		t.Errorf("refunding a refunded charge: %v", err)
	}
	byRefund := map[string]int64{}
	for _, f := range w.facts()[payments.FactRefunded] {
		if old, ok := byRefund[f.ProviderRefund]; ok && old != f.Amount.Minor {
			t.Errorf("refund %s is told as %d and as %d", f.ProviderRefund, old, f.Amount.Minor)
		}
		byRefund[f.ProviderRefund] = f.Amount.Minor
		if f.PaymentIntentID != intent || f.RefundID == "" {
			t.Errorf("a refund that finds nothing of ours: %+v", f)
		}
	}
	if len(byRefund) != 2 || byRefund[part.ID] != 4000 || byRefund[rest.ID] != 11000 {
		t.Errorf("refunds by id: %v", byRefund)
	}
	w.wantBook("EUR", 0)
	w.tell("/sandbox/refunds/"+rest.ID+"/fail", map[string]any{})
	failed := w.facts()[payments.FactRefundFailed]
	if len(failed) < 2 {
		t.Errorf("a failed refund is told by charge.refund.updated and refund.updated: %+v", failed)
	}
	for _, f := range failed {
		if f.ProviderRefund != rest.ID || f.Amount != euros(11000) || f.RefundID != "ref_rest" {
			t.Errorf("failed refund: %+v", f)
		}
	}
	w.wantBook("EUR", 11000)
}

func (w *world) wantBook(c money.Currency, minor int64) {
	w.t.Helper()
	book, err := balance(w.gate.Book(context.Background()))
	if err != nil {
		w.t.Fatal(err)
	}
	if book[c] != minor {
		w.t.Errorf("Stripe has %d %s, want %d", book[c], c, minor)
	}
}

func TestDisputes(t *testing.T) {
	w := newWorld(t)
	ids := map[string]string{}
	for _, name := range []string{"won", "lost", "asked"} {
		_, intent := w.bought(name, euros(15000))
		d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": intent, "inquiry": name == "asked"})
		ids[name] = d["id"].(string)
		if name == "asked" {
			continue
		}
		if _, err := w.refund(name, intent, euros(100)); !errors.Is(err, stripegate.ErrRefused) {
			t.Errorf("refunding a disputed charge: %v", err)
		}
	}
	for name, id := range ids {
		outcome := map[string]string{"won": "won", "lost": "lost", "asked": "lost"}[name]
		w.tell("/sandbox/disputes/"+id, map[string]any{"outcome": outcome})
		if status, _ := w.ask("/sandbox/disputes/"+id, map[string]any{"outcome": outcome}); status != http.StatusBadRequest {
			t.Errorf("deciding twice: %d", status)
		}
	}
	facts := w.facts()
	opened := map[string]bool{}
	for _, f := range facts[payments.FactDisputeOpened] {
		opened[f.DisputeID] = true
	}
	if len(opened) != 2 || opened[ids["asked"]] {
		t.Errorf("opened: %v", opened)
	}
	if f := one(t, facts, payments.FactDisputeLost); f.DisputeID != ids["lost"] || f.Amount != euros(15000) || f.PaymentIntentID == "" {
		t.Errorf("lost: %+v", f)
	}
	asks, ends := one(t, facts, payments.FactInquiry), one(t, facts, payments.FactInquiryClosed)
	if asks.DisputeID != ids["asked"] || asks.AnswerBy == nil || ends.DisputeID != ids["asked"] {
		t.Errorf("a question of the bank: %+v %+v", asks, ends)
	}
	for _, f := range facts[payments.FactDisputeWon] {
		if f.DisputeID != ids["won"] {
			t.Errorf("won: %+v", f)
		}
	}
	w.wantBook("EUR", 30000)
	if b := w.sandbox.Book(); b.Balance["eur"] != 30000 {
		t.Errorf("the sandbox's balance: %+v", b)
	}
}

func TestTheDisputeCardDisputesAtOnce(t *testing.T) {
	w := newWorld(t)
	s := w.checkout("a", euros(15000))
	w.tell("/sandbox/pay/"+s.ID, map[string]any{"card": "4000000000000259"})
	facts := w.facts()
	one(t, facts, payments.FactCaptured)
	if len(facts[payments.FactDisputeOpened]) != 2 {
		t.Errorf("created and funds_withdrawn: %+v", facts)
	}
}

func TestEventsSinceFindsWhatTheWebhookMissed(t *testing.T) {
	w := newWorld(t)
	w.tell("/sandbox/webhooks", map[string]any{"drop": -1})
	var wantIDs []string
	start := w.clock.Now()
	for i := range 120 { // more than one page
		w.bought(string(rune('A'+i/26))+string(rune('a'+i%26)), euros(15000))
		w.clock.Advance(time.Second)
	}
	events, err := w.gate.EventsSince(context.Background(), start.Add(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	events = slices.DeleteFunc(events, func(e payments.ProviderEvent) bool { return e.Idle })
	for i, e := range events {
		if i > 0 && e.CreatedAt.Before(events[i-1].CreatedAt) {
			t.Fatal("not oldest first")
		}
		f, _, err := w.gate.Fact(e)
		if err != nil {
			t.Fatal(err)
		}
		wantIDs = append(wantIDs, f.PaymentID)
	}
	slices.Sort(wantIDs)
	if got := slices.Compact(wantIDs); len(got) != 110 || len(events) != 110 {
		t.Errorf("%d events of %d payments, want 110 of 110", len(events), len(got))
	}
}
