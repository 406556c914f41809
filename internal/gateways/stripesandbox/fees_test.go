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
	fees, err := w.gate.Fees(context.Background(), start, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := []payments.Fee{
		{Kind: payments.FeeOfCharge, PaymentID: "pay_a", PaymentIntentID: intent, Amount: euros(250), At: start}, // 225.495 and 25
		{Kind: payments.FeeOfCharge, PaymentID: "pay_x", Amount: money.Of(1500, "XOF"), At: start},
		{Kind: payments.FeeOfCharge, PaymentID: "pay_b", PaymentIntentID: lost, Amount: euros(27), At: start.Add(time.Hour)}, // 1.5 and 25
		{Kind: payments.FeeOfDispute, PaymentIntentID: lost, Amount: euros(2000), At: start.Add(time.Hour)},
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
	if b := w.sandbox.Book().Balance["eur"]; b != 15_033-5000+100-250-27-2000 {
		t.Error("the balance is", b)
	}
	if early, err := w.gate.Fees(context.Background(), start, start.Add(time.Hour)); err != nil || len(early) != 2 {
		t.Errorf("of the first hour: %+v %v", early, err)
	}
	for _, path := range []string{"/v1/balance_transactions?limit=100", "/v1/balance_transactions?limit=100&expand[0]=data.source"} {
		if status, _, body := w.raw(http.MethodGet, path, nil, "", testKey); status != http.StatusOK || judgeObject(body) != nil {
			t.Errorf("%s: %d %v", path, status, judgeObject(body))
		}
	}
}
