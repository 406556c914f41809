package sales

import (
	"errors"
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
		s.fixed = rapid.SampledFrom([]string{"", "begun-already"}).Draw(t, "fixed")
		next, actions := decide(s)
		can := map[string]bool{}
		for _, a := range actions {
			if a.Allowed != (a.Reason == "") {
				t.Fatalf("%+v", a)
			}
			can[a.Action] = a.Allowed
		}
		if len(can) != 4 || next.Kind == "" {
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
		if can[ActTransfer] != ((s.state == Paid || s.state == PartiallyRefunded) && s.fixed == "") {
			t.Fatalf("a place is given away where it stands and has not begun, and nowhere else: %+v in %+v", actions, s)
		}
		if (next.Kind == NextLearn) != s.state.inForce() {
			t.Fatalf("what is open: %+v in %s", next, s.state)
		}
	})
}

// An organisation gives its seats out while its order stands and is not disputed, never withdraws, and is told why.
func TestActionsOfAnOrganisation(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, state := range []State{AwaitingPayment, Paid, Expired, Canceled, PaymentMismatch, PartiallyRefunded, Withdrawn, Refunded, Disputed, Lost, Defaulted, Accruing, Billed} {
		o := Order{State: state, Organisation: "ACME"}
		o.decide(now, payments.Open, "")
		can := map[string]Action{}
		for _, a := range o.Actions {
			if a.Allowed != (a.Reason == "") {
				t.Errorf("%s: %+v", state, a)
			}
			can[a.Action] = a
		}
		if len(can) != 6 || can[ActTransfer].Reason != whyBusiness || can[ActWithdraw].Allowed || can[ActWithdraw].Reason != whyBusiness {
			t.Errorf("%s: %+v", state, o.Actions)
		}
		if can[ActSeats].Allowed != (state == Paid || state == PartiallyRefunded) || o.Next.Kind == NextLearn || (o.Next.Kind == NextSeats) != state.inForce() {
			t.Errorf("%s: %+v %+v", state, o.Actions, o.Next)
		}
	}
}

// A roster is read whatever its form, with the line of each; what is no list of addresses is refused.
func TestRostersAreRead(t *testing.T) {
	for name, file := range map[string]string{
		"an address on each line": "a@x.org\n\n  b@x.org  \n",
		"commas":                  "email,name\na@x.org,A\nb@x.org,B\n",
		"semicolons and a mark":   "\ufeffNom;Courriel\nA;a@x.org\nB;b@x.org\n",
		"tabs, other columns":     "id\tE-mail\tx\n1\ta@x.org\t\n2\tb@x.org\t\n",
		"an old Mac":              "email\ra@x.org\rb@x.org",
	} {
		got, err := ReadRoster([]byte(file))
		if err != nil || len(got) != 2 || got[0].Email != "a@x.org" || got[1].Email != "b@x.org" || got[0].At == got[1].At {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	for name, file := range map[string]string{"no column": "a,b\n1,2\n", "a quote that is open": "email\n\"a@x.org\n", "NUL": "a@x.org\x00"} {
		if got, err := ReadRoster([]byte(file)); !errors.Is(err, ErrRoster) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}
