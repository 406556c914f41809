package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"

	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
)

// told is a payment with all that the provider tells of it, in the order in which it happened.
type told struct {
	order  sales.Order
	events [][2]string
}

// tells lives the story of a payment at the provider: it is captured, a part goes back in the provider's dashboard, and a dispute about the rest
// is opened, takes the money, and is decided. What is told of it is kept: six things, or seven where the money comes back.
func (w *world) tells(buyer, outcome string) told {
	w.t.Helper()
	o := w.order(w.person(buyer+"@example.org", "A").ID, w.paid, "k")
	kept := w.keep()
	heard := func(n int) { w.t.Helper(); w.until("the events", func() bool { return len(kept()) >= n }) }
	w.pay(o, visa)
	heard(1)
	intent := w.intents()[w.payment(o).CheckoutID]
	w.stripePost("/v1/refunds", url.Values{"payment_intent": {intent}, "amount": {"2500"}})
	heard(3)
	d := w.tell("/sandbox/disputes", map[string]any{"payment_intent": intent, "reason": "fraudulent"})
	heard(5)
	w.tell("/sandbox/disputes/"+fmt.Sprint(d["id"]), map[string]any{"outcome": outcome})
	heard(thingsTold[outcome])
	return told{o, kept()}
}

var thingsTold = map[string]int{"lost": 6, "won": 7}

// hears delivers events one after the other and works on each before the next one comes, as far as it can be worked on then.
func (w *world) hears(x told, sequence []int) {
	for _, i := range sequence {
		w.deliver(x.events[i])
		var e struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal([]byte(x.events[i][0]), &e); err != nil {
			w.t.Error(err)
		}
		if err := w.h.Sales.Apply(system, e.ID); err != nil && !errors.Is(err, payments.ErrUnknownPayment) {
			w.t.Errorf("%v at %d: %v", sequence, i, err)
		}
	}
}

// became says what an order and its payment are, in all books.
func (w *world) became(o sales.Order) (is string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &is, postgres.Query{Name: "test", SQL: `
			select concat_ws(E'\n', 'order ' || o.state || ' ' || o.credited_minor || ' of ' || o.total_minor,
			       (select string_agg(p.state || ' ' || p.captured_minor || ' back ' || p.refunded_minor, ', ' order by p.id) from payments.payments p where p.order_id = o.id),
			       (select string_agg(x.account || ' ' || x.minor, ', ' order by x.account collate "C")
			          from (select account, sum(minor) as minor from ledger.entries where order_id = o.id group by account having sum(minor) <> 0) x),
			       (select string_agg(d.kind || ' ' || d.amount_minor, ', ' order by d.kind, d.amount_minor) from invoicing.documents d where d.order_id = o.id),
			       (select 'grants ' || count(*) from enrolment.grants g join sales.parts p on p.enrolment_id = g.enrolment_id where p.order_id = o.id and g.revoked_at is null))
			  from sales.orders o where o.id = $1`}, o.ID)
	})
	return is
}

// Six things that a provider tells of one payment, in every order in which they may come, and a hundred longer sequences in which they come
// late and again (5,000 with CURSUS_LONG): the end is that of the order in which they happened, in the order, the payment, the ledger, the
// documents and the enrolment. A rule that looks at when an event comes, not at what it says, ends some of them otherwise.
func TestSixEventsInEveryOrder(t *testing.T) {
	w := newWorld(t)
	type hearing struct {
		outcome  string
		sequence []int
		told     told
	}
	var all []*hearing
	for outcome, n := range thingsTold {
		inOrder := make([]int, n)
		for i := range inOrder {
			inOrder[i] = i
		}
		all = append(all, &hearing{outcome: outcome, sequence: inOrder})
	}
	for _, s := range permutations(thingsTold["lost"]) {
		all = append(all, &hearing{outcome: "lost", sequence: s})
	}
	seed, more := rand.Uint64(), 100
	if os.Getenv("CURSUS_LONG") != "" {
		more = 5000
	}
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test
	for i := range more {
		h := &hearing{outcome: []string{"won", "lost"}[i%2]}
		h.sequence = random.Perm(thingsTold[h.outcome])
		for range 1 + random.IntN(9) {
			h.sequence = slices.Insert(h.sequence, random.IntN(len(h.sequence)+1), random.IntN(thingsTold[h.outcome]))
		}
		all = append(all, h)
	}
	for i, h := range all {
		if h.told = w.tells(fmt.Sprintf("x%d", i), h.outcome); len(h.told.events) != thingsTold[h.outcome] {
			t.Fatalf("%s: %d things are told", h.outcome, len(h.told.events))
		}
	}
	want := map[string]string{}
	for _, h := range all[:len(thingsTold)] {
		w.hears(h.told, h.sequence)
		w.quiet()
		want[h.outcome] = w.became(h.told.order)
		t.Log(want[h.outcome])
	}
	rest := all[len(thingsTold):]
	var group sync.WaitGroup
	for part := range 4 {
		group.Go(func() {
			for i := part; i < len(rest); i += 4 {
				w.hears(rest[i].told, rest[i].sequence)
			}
		})
	}
	group.Wait()
	w.quiet()
	for _, h := range rest {
		if got := w.became(h.told.order); got != want[h.outcome] {
			t.Errorf("%s, %v ends as\n%s\nnot as\n%s", h.outcome, h.sequence, got, want[h.outcome])
		}
	}
	w.verify()
}
