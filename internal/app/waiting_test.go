package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		soldOut := w.few(1)
		w.order(w.person("last@example.org", "L").ID, soldOut, "walk-last")
		if _, err := w.h.Sales.Wait(system, soldOut.ID, w.person("waits@example.org", "W").ID); err != nil {
			w.t.Error(err)
		}
		return map[string]string{}
	})
}

// waitingStory waits for a place through the API, and lets it go again.
func (w *world) waitingStory(t *testing.T, walker *apitest.Walker, learner, staff string) {
	t.Helper()
	a := &asker{t: t, w: walker, token: learner}
	last := w.few(1)
	at := map[string]string{"offer": last.ID}
	a.ask(404, "leaveWaiting", at, nil)
	o := w.order(w.person("last@example.org", "L").ID, last, "story-last")
	if x := a.ask(200, "joinWaiting", at, nil); x["state"] != "waiting" || x["ahead"] != 0.0 {
		t.Fatal(x)
	}
	if _, err := w.h.Sales.CancelOrder(system, o.ID); err != nil {
		t.Fatal(err)
	}
	if all := a.ask(200, "listWaiting", nil, nil)["waiting"].([]any); len(all) != 1 || all[0].(map[string]any)["state"] != "offered" || all[0].(map[string]any)["kept_until"] == nil {
		t.Fatal(all)
	}
	b := &asker{t: t, w: walker, token: staff}
	for _, x := range b.ask(200, "listSeats", nil, nil)["seats"].([]any) {
		if x := x.(map[string]any); x["offer_id"] == last.ID && (x["capacity"] != 1.0 || x["left"] != 0.0 || x["offered"] != 1.0 || x["sold"] != 0.0 || x["held"] != 0.0 || x["waiting"] != 0.0) {
			t.Error(x)
		}
	}
	a.ask(204, "leaveWaiting", at, nil)
	a.ask(409, "joinWaiting", at, nil)
}

// few is an offer of the session with so many places.
func (w *world) few(quota int) (o offers.Offer) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.ID, Formula: offers.Qualifying, Price: money.Of(10_000, "USD"), Quota: &quota})
		return err
	})
	return o
}

func (w *world) tryOrder(buyer string, o offers.Offer, key string) (sales.Order, error) {
	return w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: buyer, OfferID: o.ID, Lang: "en", IdempotencyKey: key})
}

func (w *world) waits(o offers.Offer, person string) sales.Waiting {
	w.t.Helper()
	x, err := w.h.Sales.WaitingOf(system, o.ID, person)
	if err != nil && code(err) != "not-waiting" {
		w.t.Fatal(err)
	}
	return x
}

// A place that becomes free is kept for the first who waits, and for nobody else; when she lets it go the second has it.
func TestTheRowForAPlace(t *testing.T) {
	w := newWorld(t)
	last := w.few(1)
	var people []identity.Person
	for i := range 5 {
		people = append(people, w.person(fmt.Sprintf("p%d@example.org", i), fmt.Sprint("Person ", i)))
	}
	holder, first, second, third, late := people[0], people[1], people[2], people[3], people[4]
	if _, err := w.h.Sales.Wait(system, last.ID, first.ID); code(err) != "place-free" {
		t.Fatal("waits for what is there:", err)
	}
	o := w.order(holder.ID, last, "h1")
	for i, p := range []identity.Person{first, second, third} {
		x, err := w.h.Sales.Wait(system, last.ID, p.ID)
		if err != nil || x.Number() != i+1 || x.State != sales.InRow {
			t.Fatal(x, err)
		}
	}
	if again, err := w.h.Sales.Wait(system, last.ID, second.ID); err != nil || again.Number() != 2 {
		t.Error("joined twice:", again, err)
	}
	if _, err := w.h.Sales.CancelOrder(postgres.WithActor(context.Background(), "learner:"+holder.ID), o.ID); err != nil {
		t.Fatal(err)
	}
	if x := w.waits(last, first.ID); x.State != sales.PlaceKept || x.Until.Sub(w.clock.Now()) != 24*time.Hour {
		t.Fatal("in the transaction that frees it:", x)
	}
	w.quiet()
	if !w.inMails("p1@example.org", "A place is kept for you", "/sessions/PRD-9") {
		t.Error("no mail offers the place")
	}
	for _, p := range []identity.Person{late, second} {
		if _, err := w.tryOrder(p.ID, last, "too early "+p.ID); code(err) != "offer-quota-reached" {
			t.Error("overtaken:", err)
		}
	}
	w.clock.Advance(24*time.Hour + time.Second)
	if _, err := w.tryOrder(late.ID, last, "l2"); code(err) != "offer-quota-reached" {
		t.Error("between two who waited somebody slipped in:", err)
	}
	if n, err := w.h.Sales.ServeWaiting(system); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if x := w.waits(last, second.ID); x.State != sales.PlaceKept {
		t.Fatal(x)
	}
	if err := w.h.Sales.LeaveRow(system, last.ID, second.ID); err != nil {
		t.Fatal(err)
	}
	taken := w.order(third.ID, last, "t1")
	w.pay(taken, visa)
	taken = w.becomes(taken, sales.Paid)
	w.verify()
	if x, err := w.h.Sales.Wait(system, last.ID, late.ID); err != nil || x.Number() != 1 {
		t.Fatal(x, err)
	}
	w.refund(taken, 0)
	w.becomes(taken, sales.Refunded)
	if x := w.waits(last, late.ID); x.State != sales.PlaceKept {
		t.Error("a refunded place is offered in the same transaction:", x)
	}
	w.verify()
}

// Three holds run out, one after the other, and nobody says so: the sweep of every minute, or the provider, or somebody who asks. Each place
// goes to the first who waits then, in the order of joining, also where two of them lapse at once; between the end of a hold and the offer
// nobody slips in, and who paid in time keeps hers. A place offered by the order in which people happen to be looked at fails here.
func TestPlacesWhoseHoldRunsOutGoToTheRowInOrder(t *testing.T) {
	w := newWorld(t)
	o := w.few(4)
	var holders []sales.Order
	for i := range 4 {
		holders = append(holders, w.order(w.person(fmt.Sprintf("h%d@example.org", i), "H").ID, o, fmt.Sprint("h", i)))
		w.clock.Advance(10 * time.Minute)
	}
	w.pay(holders[1], visa)
	w.becomes(holders[1], sales.Paid)
	var row []identity.Person
	for i := range 6 {
		row = append(row, w.person(fmt.Sprintf("w%d@example.org", i), "W"))
		if _, err := w.h.Sales.Wait(system, o.ID, row[i].ID); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Microsecond)
	}
	late := w.person("late@example.org", "L")
	kept := func(when string, n int) {
		t.Helper()
		if _, err := w.tryOrder(late.ID, o, "late "+when); code(err) != "offer-quota-reached" {
			t.Errorf("%s somebody slipped in: %v", when, err)
		}
		if _, err := w.h.Sales.ServeWaiting(system); err != nil {
			t.Error(err)
		}
		for i, p := range row {
			want := sales.InRow
			if i < n {
				want = sales.PlaceKept
			}
			if x := w.waits(o, p.ID); x.State != want {
				t.Errorf("%s: number %d is %q, want %q", when, i+1, x.State, want)
			}
		}
		w.places(o, 4)
	}
	kept("while all is held", 0)
	w.clock.Advance(6 * time.Minute) // the first hold was given 45 minutes, 40 and 6 minutes ago
	kept("after the first hold", 1)
	w.stripePost("/v1/checkout/sessions/"+w.payment(holders[2]).CheckoutID+"/expire", nil)
	w.becomes(holders[2], sales.Expired)
	kept("when the provider closed a page", 2)
	w.clock.Advance(time.Hour)
	kept("after the last hold", 3)
	w.clock.Advance(24 * time.Hour) // nobody of the three came
	if _, err := w.h.Sales.ServeWaiting(system); err != nil {
		t.Fatal(err)
	}
	for i, p := range row {
		want := sales.PlaceKept
		if i < 3 {
			want = ""
		}
		if x := w.waits(o, p.ID); x.State != want {
			t.Errorf("a day later number %d is %q, want %q", i+1, x.State, want)
		}
	}
	for i, p := range row[3:] {
		w.pay(w.order(p.ID, o, fmt.Sprint("taken", i)), visa)
	}
	w.quiet()
	w.places(o, 4)
	w.counts(map[string]int{"select count(*) from sales.orders where state = 'paid'": 4})
	w.verify()
}

// A place that is kept counts among those of the first buyers: who comes after it was offered does not take its price, and who waited has it.
func TestAKeptPlaceKeepsItsEarlyPrice(t *testing.T) {
	w := newWorld(t)
	o := w.few(5)
	w.price(offers.Price{OfferID: o.ID, Price: money.Of(6_000, "USD"), EarlyUntil: ptr(3)})
	var holders []sales.Order
	for i := range 5 {
		holders = append(holders, w.order(w.person(fmt.Sprintf("h%d@example.org", i), "H").ID, o, fmt.Sprint("h", i)))
	}
	if holders[2].Total.Minor != 6_000 || holders[3].Total.Minor != 10_000 {
		t.Fatal(holders[2].Total, holders[3].Total)
	}
	first, other := w.person("first@example.org", "F"), w.person("other@example.org", "O")
	if _, err := w.h.Sales.Wait(system, o.ID, first.ID); err != nil {
		t.Fatal(err)
	}
	for _, h := range holders[:3] {
		if _, err := w.h.Sales.CancelOrder(system, h.ID); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Second)
	}
	// Two are held and one is kept: the next one is the fourth.
	if late := w.order(other.ID, o, "late"); late.Total.Minor != 10_000 {
		t.Error("the price of who waited was taken:", late.Total)
	}
	if hers := w.order(first.ID, o, "hers"); hers.Total.Minor != 6_000 {
		t.Error("who waited pays", hers.Total)
	}
	w.verify()
}

// A capacity is not lowered below the places that are sold, held and kept: they were promised to people. What does not take from anybody is
// edited as ever, in the console, through the API and by a catalogue that is imported, which all go the same way.
func TestACapacityIsNotLoweredBelowWhatIsTaken(t *testing.T) {
	w := newWorld(t)
	e := w.program("CAP", ptr(3), money.Of(9_000, "EUR"), nil, 10_000)
	paid := w.order(w.person("p@example.org", "P").ID, e.offer, "p")
	w.pay(paid, visa)
	w.becomes(paid, sales.Paid)
	w.order(w.person("h@example.org", "H").ID, e.offer, "h")
	gone := w.order(w.person("g@example.org", "G").ID, e.offer, "g")
	if _, err := w.h.Sales.Wait(system, e.offer.ID, w.person("w@example.org", "W").ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Sales.CancelOrder(system, gone.ID); err != nil { // one is sold, one is held, one is kept
		t.Fatal(err)
	}
	edit := func(capacity *int) error {
		return w.h.DB.InTx(system, "edit", func(ctx context.Context, tx *postgres.Tx) error {
			plan := programs.EditionPlan{Program: "CAP", Version: 1, Title: catalog.Text{EN: "Networks basics, Dakar"}, Lang: "fr", Capacity: capacity}
			for _, s := range e.sessions {
				plan.Sessions = append(plan.Sessions, programs.SessionPlan{Session: s.Key, Opening: programs.AtOnce})
			}
			_, err := sales.PutEditionTx(ctx, tx, e.Key, plan, 0)
			return err
		})
	}
	if err := edit(ptr(2)); code(err) != "capacity-below-taken" {
		t.Error("a place that was promised was taken away:", err)
	}
	for _, c := range []*int{ptr(5), ptr(3), nil, ptr(3)} {
		if err := edit(c); err != nil {
			t.Error(err)
		}
	}
	seat := func(capacity *int) error {
		return w.h.DB.InTx(system, "edit", func(ctx context.Context, tx *postgres.Tx) error {
			s, err := catalog.SessionTx(ctx, tx, e.sessions[0].ID)
			if err != nil {
				return err
			}
			n := s.Says()
			n.Capacity = capacity
			_, err = sales.PutSessionTx(ctx, tx, s.ID, n, 0)
			return err
		})
	}
	if err := seat(ptr(2)); code(err) != "capacity-below-taken" {
		t.Error("a seat that was promised was taken away:", err)
	}
	if err := seat(ptr(3)); err != nil {
		t.Error(err)
	}
	w.verify()
}

// Sixty people wait for three places that come and go: orders are placed, cancelled and forgotten, places are left and lapse, all at
// once. (Paid and given back: TestTheRowForAPlace.) Never are more places sold, held and kept than there are, and they are offered in the order of joining.
func TestTheRowInAStampede(t *testing.T) {
	w := newWorld(t)
	const places, people = 3, 60
	o := w.few(places)
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	for i := range places {
		w.order(w.person(fmt.Sprintf("h%d@example.org", i), "H").ID, o, fmt.Sprint("h", i))
	}
	crowd := make([]identity.Person, people)
	for i := range crowd {
		crowd[i] = w.person(fmt.Sprintf("w%d@example.org", i), "W")
	}
	fine := func(what string, err error, allowed ...string) {
		if err != nil && !slices.Contains(allowed, code(err)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var joined sync.WaitGroup
	for _, p := range crowd {
		joined.Go(func() {
			_, err := w.h.Sales.Wait(system, o.ID, p.ID)
			fine("join", err)
		})
	}
	joined.Wait()
	w.places(o, places)
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				w.places(o, places)
			}
		}
	})
	for round := range 8 {
		var all sync.WaitGroup
		for lane := range 6 {
			r := rand.New(rand.NewPCG(seed, uint64(round*100+lane))) //nolint:gosec // not a secret
			all.Go(func() {
				for step := range 12 {
					w.shove(r, o, crowd[r.IntN(people)], fmt.Sprint(round, lane, step), fine)
				}
			})
		}
		all.Wait()
		w.clock.Advance(time.Duration(rand.New(rand.NewPCG(seed, uint64(round))).IntN(30)) * time.Hour) //nolint:gosec // not a secret
	}
	close(stop)
	watch.Wait()
	w.verify()
	var n int
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &n, postgres.Query{Name: "offered", SQL: "select count(*) from sales.waiting where offered_at is not null"})
	})
	if n < 2*places {
		t.Error("only", n, "places were offered: nothing was shown")
	}
}

// shove does one random thing that somebody of a crowd can do.
func (w *world) shove(r *rand.Rand, o offers.Offer, p identity.Person, key string, fine func(string, error, ...string)) {
	full := []string{"sold-out", "offer-quota-reached", "already-enrolled", "place-free", "not-waiting", "order-not-open", "payment-under-way", "no-such-order", "order-open-already"}
	switch r.IntN(6) {
	case 0, 1:
		_, err := w.tryOrder(p.ID, o, p.ID+key)
		fine("order", err, full...)
	case 2:
		fine("leave", w.h.Sales.LeaveRow(system, o.ID, p.ID), full...)
	case 3:
		_, err := w.h.Sales.Wait(system, o.ID, p.ID)
		fine("join", err, full...)
	case 4:
		_, err := w.h.Sales.ServeWaiting(system)
		fine("serve", err)
	case 5:
		var id string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &id, postgres.Query{Name: "any", SQL: `select coalesce((select o.id from sales.orders o join sales.lines l on l.order_id = o.id
				where l.offer_id = $1 and o.state = 'awaiting_payment' order by md5(o.id || $2) limit 1), '')`}, o.ID, key)
		})
		if id != "" {
			_, err := w.h.Sales.CancelOrder(system, id)
			fine("cancel", err, full...)
		}
	}
}

// places says that no more places of an offer are sold, held and kept than there are.
func (w *world) places(o offers.Offer, most int) {
	var n int
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &n, postgres.Query{Name: "places", SQL: `select
			(select count(*) from sales.lines l join sales.standing s on s.id = l.order_id where l.offer_id = $1 and (s.sold or s.held_until > $2))
			+ (select count(*) from sales.offered k where k.offer_id = $1 and k.held_until > $2)`}, o.ID, tx.Now())
	})
	if n > most {
		w.t.Error(n, "places of", most, "are taken")
	}
}

// Whose place went to the row, who waited for another and whose first order is paid after all has one place, whether the bank told late or
// took its time: what was kept for her is what she has. Kept besides, it would be one too many, or would stand empty for a day.
func TestAPlaceKeptForWhoPaidAfterAllIsTheOneShePaid(t *testing.T) {
	for name, card := range map[string]string{"told late": visa, "a debit told late": iban, "a slow bank": iban} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			o := w.program("KEPT", nil, money.Of(9_000, "EUR"), ptr(2), 10_000).offer
			ann := w.person("ann@example.org", "A")
			other := w.order(w.person("other@example.org", "O").ID, o, "other")
			hers := w.order(ann.ID, o, "hers")
			kept := w.keep()
			w.pay(hers, card)
			w.until("its event", func() bool { return len(kept()) > 0 })
			w.setHook(w.receive)
			tell := func() {
				for _, event := range kept() {
					w.deliver([2]string{event[0], stripegate.Sign([]byte(event[0]), hookSecret, w.clock.Now())})
				}
				w.quiet()
			}
			if name == "a slow bank" {
				tell()
			} else {
				w.clock.Advance(50 * time.Minute)
				for i := range 2 {
					other = w.order(w.person(fmt.Sprintf("next%d@example.org", i), "N").ID, o, fmt.Sprint("next", i))
				}
			}
			if _, err := w.h.Sales.Wait(system, o.ID, ann.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := w.h.Sales.CancelOrder(system, other.ID); err != nil {
				t.Fatal(err)
			}
			if x := w.waits(o, ann.ID); x.State != sales.PlaceKept {
				t.Fatal(x)
			}
			if name != "a slow bank" {
				tell()
				w.places(o, 2)
			}
			if card == iban {
				w.tell("/sandbox/settle/"+w.payment(hers).CheckoutID, map[string]any{"outcome": "succeed"})
			}
			w.becomes(hers, sales.Paid)
			if x := w.waits(o, ann.ID); x.State != "" {
				t.Error("she has a place, and another is", x.State)
			}
			w.places(o, 2)
			w.verify()
		})
	}
}
