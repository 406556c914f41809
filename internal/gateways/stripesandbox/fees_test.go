package stripesandbox_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"cursus/internal/domain/payments"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/money"
)

// What is kept of a charge is its rate and its fixed part, rounded to the nearest; of a dispute a fixed part; nothing comes back with a refund or a dispute
// that is won. The gate says of each whose payment it is, in pages, and of nothing outside the time that is asked for. Stripe's schema judges it all.
func TestFeesAreKeptAndListed(t *testing.T) {
	w := newWorld(t)
	if err := w.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	w.cfg.Fees = stripesandbox.Fees{RatePPM: 15_000, Fixed: map[string]int64{"eur": 25}, Dispute: map[string]int64{"eur": 2000}}
	w.open()
	start := w.clock.Now()
	_, intent := w.bought("a", euros(15_033))
	if _, err := w.refund("a", intent, euros(5000)); err != nil {
		t.Fatal(err)
	}
	w.bought("x", money.Of(100_000, "XOF"))
	w.settled() // a signature of an hour ago is too old
	w.clock.Advance(time.Hour)
	_, lost := w.bought("b", euros(100))
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": lost})
	w.tell("/sandbox/disputes/"+d["id"].(string), map[string]any{"outcome": "won"})
	fees, moved, err := w.gate.Balance(context.Background(), start, time.Time{})
	if err != nil || len(moved) != 0 {
		t.Fatal(moved, err)
	}
	want := []payments.Fee{
		{Kind: payments.FeeOfCharge, PaymentID: "pay_a", PaymentIntentID: intent, Amount: euros(250), Moved: 15_033, At: start}, // 225.495 and 25
		{Kind: payments.FeeOfRefund, PaymentID: "pay_a", PaymentIntentID: intent, Amount: euros(0), Moved: -5000, At: start},
		{Kind: payments.FeeOfCharge, PaymentID: "pay_x", Amount: money.Of(1500, "XOF"), Moved: 100_000, At: start},
		{Kind: payments.FeeOfCharge, PaymentID: "pay_b", PaymentIntentID: lost, Amount: euros(27), Moved: 100, At: start.Add(time.Hour)}, // 1.5 and 25
		{Kind: payments.FeeOfDispute, PaymentID: "pay_b", PaymentIntentID: lost, Amount: euros(2000), Moved: -100, At: start.Add(time.Hour)},
		{Kind: payments.FeeOfDispute, PaymentID: "pay_b", PaymentIntentID: lost, Amount: euros(0), Moved: 100, At: start.Add(time.Hour)}, // it was won
	}
	if len(fees) != len(want) {
		t.Fatalf("fees: %+v", fees)
	}
	for i, f := range fees {
		if want[i].PaymentIntentID == "" {
			f.PaymentIntentID = ""
		}
		if want[i].ID = f.ID; f.ID == "" || f != want[i] {
			t.Errorf("%+v, want %+v", f, want[i])
		}
	}
	w.settled()
	w.clock.Advance(time.Hour)
	late := w.tell("/sandbox/disputes", map[string]any{"payment_intent": intent})
	if alone, _, err := w.gate.Balance(context.Background(), start.Add(2*time.Hour), time.Time{}); err != nil || len(alone) != 1 || alone[0].PaymentID != "pay_a" {
		t.Errorf("whose the dispute is, where its charge is not listed: %+v %v", alone, err)
	}
	w.tell("/sandbox/disputes/"+late["id"].(string), map[string]any{"outcome": "won"})
	if b := w.sandbox.Book().Balance["eur"]; b != 15_033-5000+100-250-27-2000-2000 {
		t.Error("the balance is", b)
	}
	if early, _, err := w.gate.Balance(context.Background(), start, start.Add(time.Hour)); err != nil || len(early) != 3 {
		t.Errorf("of the first hour: %+v %v", early, err)
	}
	for _, path := range []string{"/v1/balance_transactions?limit=100", "/v1/balance_transactions?limit=100&expand[0]=data.source"} {
		if status, _, body := w.raw(http.MethodGet, path, nil, "", testKey); status != http.StatusOK || judgeObject(body) != nil {
			t.Errorf("%s: %d %v", path, status, judgeObject(body))
		}
	}
}

// What a provider pays out to the bank and takes of the account itself moves the balance, and is no payment's: it is listed apart, with its own fee and
// its own time. A payout that the bank took not comes back.
func TestWhatTheAccountDoesIsListed(t *testing.T) {
	w := newWorld(t)
	start := w.clock.Now()
	w.bought("a", euros(10_000))
	w.settled()
	w.clock.Advance(time.Hour)
	w.tell("/sandbox/account-fees", map[string]any{"currency": "eur", "amount": 900})
	w.tell("/sandbox/payouts", map[string]any{"currency": "eur", "amount": 2000, "failed": true})
	w.tell("/sandbox/payouts", map[string]any{"currency": "eur"})
	_, moved, err := w.gate.Balance(context.Background(), start, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := []payments.Movement{{Kind: payments.MovedFee, Minor: -900}, {Kind: payments.MovedOut, Minor: -2000}, {Kind: payments.MovedOut, Minor: 2000}, {Kind: payments.MovedOut, Minor: -9100}}
	if len(moved) != len(want) {
		t.Fatalf("%+v", moved)
	}
	for i, m := range moved {
		if want[i].ID, want[i].Currency, want[i].At = m.ID, "EUR", start.Add(time.Hour); m.ID == "" || m != want[i] {
			t.Errorf("%+v, want %+v", m, want[i])
		}
	}
	if b := w.sandbox.Book().Balance["eur"]; b != 0 {
		t.Error("the balance is", b)
	}
	for _, path := range []string{"/v1/balance_transactions?limit=100", "/v1/balance_transactions?limit=100&expand[0]=data.source"} {
		if status, _, body := w.raw(http.MethodGet, path, nil, "", testKey); status != http.StatusOK || judgeObject(body) != nil {
			t.Errorf("%s: %d %v", path, status, judgeObject(body))
		}
	}
}
