package sales

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/payments"
)

// Every state says of every action either that it can be taken or why not, and what is to be done next fits with it.
func TestActionsFitTheState(t *testing.T) {
	states := []State{AwaitingPayment, Paid, Expired, Canceled, PaymentMismatch, PartiallyRefunded, Refunded, Disputed, Lost}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		till := now.Add(time.Duration(rapid.IntRange(-60, 60).Draw(t, "minutes")) * time.Minute)
		s := standing{
			state: rapid.SampledFrom(states).Draw(t, "state"), payment: rapid.SampledFrom([]payments.State{"", payments.Open, payments.Pending}).Draw(t, "payment"),
			payURL: "https://pay.example/1", free: rapid.Bool().Draw(t, "free"), openTill: &till, now: now,
		}
		next, actions := decide(s)
		can := map[string]bool{}
		for _, a := range actions {
			if a.Allowed != (a.Reason == "") {
				t.Fatalf("%+v", a)
			}
			can[a.Action] = a.Allowed
		}
		if len(can) != 3 || next.Kind == "" {
			t.Fatalf("%+v %+v", next, actions)
		}
		if can[ActPay] != (next.Kind == NextPay) || can[ActPay] && (next.URL == "" || next.Until == nil) {
			t.Fatalf("to pay: %+v %+v", next, actions)
		}
		if s.payment == "" && !s.free && can[ActPay] {
			t.Fatalf("nothing was asked for, and it can be paid: %+v", actions)
		}
		// Only what can still be paid can be cancelled, only what is paid gives back.
		if can[ActCancel] && !Life.Allows(s.state, Canceled) || can[ActPay] && !Life.Allows(s.state, Paid) ||
			can[ActRefund] && s.state != PaymentMismatch && !Life.Allows(s.state, Refunded) {
			t.Fatalf("an action that the table does not allow: %+v", actions)
		}
		if (next.Kind == NextLearn) != s.state.inForce() {
			t.Fatalf("what is open: %+v in %s", next, s.state)
		}
	})
}
