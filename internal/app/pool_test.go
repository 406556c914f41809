package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/testkit"
)

// bought is an order of seats that ACME has paid.
func (w *world) bought(boss string, key string, items ...sales.Item) sales.Order {
	w.t.Helper()
	o, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: boss, Organisation: "ACME", Items: items, Lang: "fr", IdempotencyKey: key})
	if err != nil {
		w.t.Fatal(err)
	}
	if o.Total.IsZero() {
		return o
	}
	w.pay(o, visa)
	return w.becomes(o, sales.Paid)
}

func (w *world) claimLink(o sales.Order, line, uses int, by string) sales.ClaimLink {
	w.t.Helper()
	k, err := w.h.Sales.MakeClaimLink(context.Background(), sales.NewClaimLink{
		OrderID: o.ID, Line: line, MaxUses: uses, ExpiresAt: w.clock.Now().Add(48 * time.Hour), By: sales.By{PersonID: by}, IdempotencyKey: fmt.Sprint(o.ID, line, uses, w.clock.Now()),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

func (w *world) pools(o sales.Order, by string) ([]sales.Pool, []sales.Seat) {
	w.t.Helper()
	_, pools, seats, _, err := w.h.Sales.Pools(context.Background(), o.ID, sales.By{PersonID: by}, page.Request{Limit: page.MaxLimit})
	if err != nil {
		w.t.Fatal(err)
	}
	return pools, seats
}

// Seats of a session and of a program are claimed by a link: each gets its share of the money, to the cent, and what is released is the
// pool's again.
func TestSeatsOfAPoolAreClaimedByLink(t *testing.T) {
	w := newWorld(t)
	boss := w.managed("ACME")
	by := sales.By{PersonID: boss.ID}
	e := w.program("NET", nil, money.Of(9998, "EUR"), nil, 10000, 5000, 3700)
	o := w.bought(boss.ID, "k", sales.Item{OfferID: e.offer.ID, Quantity: 3}, sales.Item{OfferID: w.paid.ID, Quantity: 2})
	other := w.managed("OTHER")
	if _, err := w.h.Sales.MakeClaimLink(context.Background(), sales.NewClaimLink{OrderID: o.ID, Line: 1, MaxUses: 1, ExpiresAt: w.clock.Now().Add(time.Hour), By: sales.By{PersonID: other.ID}, IdempotencyKey: "x"}); code(err) != "no-such-order" {
		t.Error("the manager of another organisation made a link:", err)
	}
	k := w.claimLink(o, 1, 3, boss.ID)
	if k.Token == "" || k.Uses != 0 {
		t.Fatal(k)
	}
	w.counts(map[string]int{"select count(*) from sales.claim_links where hash = convert_to('" + k.Token + "', 'UTF8')": 0})
	var held []sales.Seat
	for i := range 3 {
		p := w.person(fmt.Sprintf("c%d@example.org", i), "C")
		x, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, p.ID); err != nil || again.ID != x.ID {
			t.Error("a second claim is another seat:", again, err)
		}
		held = append(held, x)
		w.verify()
	}
	late := w.person("late@example.org", "Late")
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, late.ID); code(err) != "claim-link-over" {
		t.Error("a link was used more often than it may:", err)
	}
	k2 := w.claimLink(o, 1, 2, boss.ID)
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k2.Token, late.ID); code(err) != "no-seat-left" {
		t.Error("a fourth seat of three:", err)
	}
	if _, err := w.h.Sales.ClaimSeat(context.Background(), "nonsense", late.ID); code(err) != "no-such-claim-link" {
		t.Error(err)
	}
	w.counts(map[string]int{
		"select sold_minor from (select sum(sold_minor)::int as sold_minor from sales.parts where line = 1 and seat = 0) x": 0,
		"select count(*) from enrolment.enrolments":                           9,
		"select count(*) from enrolment.memberships where revoked_at is null": 3,
	})
	if err := w.h.Sales.ReleaseSeat(context.Background(), o.ID, held[0].ID, by); err != nil {
		t.Fatal(err)
	}
	w.verify()
	if x, err := w.h.Sales.ClaimSeat(context.Background(), k2.Token, late.ID); err != nil || x.State != sales.SeatClaimed {
		t.Error("a released seat is not the pool's again:", err)
	}
	if err := w.h.Sales.RevokeClaimLink(context.Background(), o.ID, k2.ID, by); err != nil {
		t.Fatal(err)
	}
	back := w.person("c0@example.org", "C")
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k2.Token, back.ID); code(err) != "claim-link-over" {
		t.Error("a revoked link gave a seat:", err)
	}
	if x, err := w.h.Sales.MoveSeat(context.Background(), o.ID, held[1].ID, "C0@example.org", "", by); err != nil || x.PersonID != back.ID {
		t.Error("who had a seat cannot have it again:", x, err)
	}
	k3 := w.claimLink(o, 2, 2, boss.ID)
	w.clock.Advance(49 * time.Hour)
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k3.Token, late.ID); code(err) != "claim-link-over" {
		t.Error("an expired link gave a seat:", err)
	}
	pools, seats := w.pools(o, boss.ID)
	if pools[0].Free != 0 || pools[0].Claimed != 3 || pools[1].Free != 2 || len(seats) != 3 {
		t.Errorf("%+v %+v", pools, seats)
	}
	if w.verify(); w.mailed("C0@example.org") == 0 && w.mailed("c0@example.org") < 2 {
		t.Error("who lost and got a seat was not told")
	}
}

// A seat that opens what somebody has, or has ordered, is not given to her; one that opens more is.
func TestASeatIsNotGivenTwice(t *testing.T) {
	w := newWorld(t)
	boss, zoe := w.managed("ACME"), w.person("zoe@example.org", "Zoé")
	o := w.bought(boss.ID, "k", sales.Item{OfferID: w.paid.ID, Quantity: 3})
	k := w.claimLink(o, 1, 3, boss.ID)
	open := w.order(zoe.ID, w.paid, "mine")
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, zoe.ID); code(err) != "order-open-already" {
		t.Error("a seat beside an order that waits:", err)
	}
	w.pay(open, visa)
	w.becomes(open, sales.Paid)
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, zoe.ID); code(err) != "already-enrolled" {
		t.Error("a seat for what she has:", err)
	}
	awa := w.person("awa@example.org", "Awa")
	w.order(awa.ID, w.free, "free")
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, awa.ID); err != nil {
		t.Error("a seat that opens more:", err)
	}
	if _, err := w.tryOrder(awa.ID, w.paid, "again"); code(err) != "already-enrolled" {
		t.Error("she could order what her seat opens:", err)
	}
	w.grades(w.clock.Now(), "7,awa@example.org,awa,0.9,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled")
	_, seats := w.pools(o, boss.ID)
	if len(seats) != 1 || !seats[0].Begun {
		t.Fatalf("%+v", seats)
	}
	if err := w.h.Sales.ReleaseSeat(context.Background(), o.ID, seats[0].ID, sales.By{PersonID: boss.ID}); code(err) != "seat-used" {
		t.Error("a seat that was begun was taken back:", err)
	}
	if _, err := w.h.Sales.MoveSeat(context.Background(), o.ID, seats[0].ID, "new@example.org", "", sales.By{PersonID: boss.ID}); code(err) != "seat-used" {
		t.Error("a seat that was begun was moved:", err)
	}
	w.verify()
}

// Whoever gives one person two seats of the same, of two orders, is noticed; two seats of different things are none.
func TestTheCheckOfSeatsNotices(t *testing.T) {
	w := newWorld(t)
	boss, zoe, awa := w.managed("ACME"), w.person("zoe@example.org", "Zoé"), w.person("awa@example.org", "Awa")
	e := w.program("NET", nil, money.Of(9999, "EUR"), nil, 10000)
	owner := testkit.Owner(t, w.dsn)
	claims := func(key string, of offers.Offer, who string) string {
		o := w.bought(boss.ID, key, sales.Item{OfferID: of.ID, Quantity: 1})
		x, err := w.h.Sales.ClaimSeat(context.Background(), w.claimLink(o, 1, 1, boss.ID).Token, who)
		if err != nil {
			t.Fatal(err)
		}
		return x.ID
	}
	noticed := func() bool {
		all, err := w.h.Verify(system)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(all, func(v app.Violation) bool { return v.Check.Name == "nobody has two seats of the same" })
	}
	for name, of := range map[string]offers.Offer{"session": w.paid, "edition": e.offer} {
		hers, other := claims("hers "+name, of, zoe.ID), claims("other "+name, of, awa.ID)
		w.verify()
		if _, err := owner.Exec("update sales.seats set person_id = $1 where id = $2", zoe.ID, other); err != nil {
			t.Fatal(err)
		}
		if !noticed() {
			t.Errorf("nobody notices two seats of a %s", name)
		}
		if _, err := owner.Exec("update sales.seats set state = 'ended', ended_at = now(), ended_because = 'moved' where id = $1", hers); err != nil {
			t.Fatal(err)
		}
		if noticed() {
			t.Errorf("a seat of a %s that is ended counts", name)
		}
		if _, err := owner.Exec("update sales.seats set state = 'claimed', ended_at = null, ended_because = null where id = $1", hers); err != nil {
			t.Fatal(err)
		}
		if _, err := owner.Exec("update sales.seats set person_id = $1 where id = $2", awa.ID, other); err != nil {
			t.Fatal(err)
		}
		w.verify()
	}
}

// A seat is moved to an address that nobody has: it is reserved, its owner is invited, and signing in claims it.
func TestAReservedSeatIsClaimedBySigningIn(t *testing.T) {
	w := newWorld(t)
	boss, awa := w.managed("ACME"), w.person("awa@example.org", "Awa")
	o := w.bought(boss.ID, "k", sales.Item{OfferID: w.paid.ID, Quantity: 1})
	k := w.claimLink(o, 1, 1, boss.ID)
	x, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, awa.ID)
	if err != nil {
		t.Fatal(err)
	}
	if x, err = w.h.Sales.MoveSeat(context.Background(), o.ID, x.ID, " New@example.org ", "Née", sales.By{PersonID: boss.ID}); err != nil || x.State != sales.SeatReserved {
		t.Fatal(x, err)
	}
	w.verify()
	if w.mailed("new@example.org", "ACME SA") != 1 || w.mailed("awa@example.org") != 2 {
		t.Error("mails:", w.mailed("new@example.org"), w.mailed("awa@example.org"))
	}
	if n, err := w.h.Sales.Realise(context.Background(), awa.ID); n != 0 || err != nil {
		t.Error("somebody else got it:", n, err)
	}
	nee := w.person("new@example.org", "Née")
	if n, err := w.h.Sales.Realise(context.Background(), nee.ID); n != 1 || err != nil {
		t.Error("she did not get it:", n, err)
	}
	if n, err := w.h.Sales.Realise(context.Background(), nee.ID); n != 0 || err != nil {
		t.Error("she got it twice:", n, err)
	}
	if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, nee.ID); err != nil {
		t.Error("who has a seat is shown it by any link:", err)
	}
	w.verify()
	w.counts(map[string]int{"select count(*) from enrolment.grants where revoked_at is null": 1})

	// A seat that waits for somebody who is known meanwhile is the one that she gets: she never has two.
	two := w.bought(boss.ID, "k2", sales.Item{OfferID: w.limited("RES-1", 10, 500).ID, Quantity: 2})
	people, err := sales.ReadRoster([]byte("late@example.org\nawa@example.org"))
	if err == nil {
		_, err = w.h.Sales.ApplyRoster(context.Background(), sales.Roster{OrderID: two.ID, Line: 1, People: people, By: sales.By{PersonID: boss.ID}})
	}
	if err != nil {
		t.Fatal(err)
	}
	late := w.person("late@example.org", "Late")
	_, seats := w.pools(two, boss.ID)
	for _, s := range seats {
		if s.Email == "awa@example.org" {
			if x, err := w.h.Sales.MoveSeat(context.Background(), two.ID, s.ID, late.Email, "", sales.By{PersonID: boss.ID}); err != nil || x.State != sales.SeatClaimed {
				t.Error(x, err)
			}
		}
	}
	if pools, _ := w.pools(two, boss.ID); pools[0].Claimed != 1 || pools[0].Reserved != 0 || pools[0].Free != 1 {
		t.Errorf("%+v", pools)
	}
	w.verify()
}

// However many claim the last seat at once, one has it.
func TestTheLastSeatOfAPoolInAStampede(t *testing.T) {
	w := newWorld(t)
	boss := w.managed("ACME")
	for round := range 3 {
		o := w.bought(boss.ID, fmt.Sprint("k", round), sales.Item{OfferID: w.limited(fmt.Sprint("POOL-", round), 100, 3333).ID, Quantity: 3})
		k := w.claimLink(o, 1, 3, boss.ID)
		for i := range 2 {
			if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, w.person(fmt.Sprintf("f%d-%d@example.org", round, i), "F").ID); err != nil {
				t.Fatal(err)
			}
		}
		people := make([]identity.Person, 100)
		for i := range people {
			people[i] = w.person(fmt.Sprintf("p%d@example.org", i), "P")
		}
		var got atomic.Int64
		var group sync.WaitGroup
		for _, p := range people {
			group.Go(func() {
				switch _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, p.ID); code(err) {
				case "":
					got.Add(1)
				case "no-seat-left", "claim-link-over":
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got.Load() != 1 {
			t.Error(got.Load(), "have the last seat")
		}
	}
	w.verify()
}

// Whatever becomes of the seats of an order and of its money, both add up: the walk is random, the invariants judge it.
func TestRandomPoolsAddUp(t *testing.T) {
	w := newWorld(t)
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	boss := w.managed("ACME")
	by := sales.By{PersonID: boss.ID}
	e := w.program("NET", nil, money.Of(9999, "EUR"), nil, 10000, 0, 3700)
	o := w.bought(boss.ID, "k", sales.Item{OfferID: e.offer.ID, Quantity: 4}, sales.Item{OfferID: w.paid.ID, Quantity: 3})
	links := []sales.ClaimLink{w.claimLink(o, 1, 4, boss.ID), w.claimLink(o, 2, 3, boss.ID)}
	var people []identity.Person
	for i := range 6 {
		people = append(people, w.person(fmt.Sprintf("w%d@example.org", i), "W"))
	}
	for range 40 {
		_, seats := w.pools(o, boss.ID)
		who := people[r.IntN(len(people))]
		var err error
		switch r.IntN(5) {
		case 0, 1:
			_, err = w.h.Sales.ClaimSeat(context.Background(), links[r.IntN(2)].Token, who.ID)
		case 2:
			if len(seats) > 0 {
				err = w.h.Sales.ReleaseSeat(context.Background(), o.ID, seats[r.IntN(len(seats))].ID, by)
			}
		case 3:
			if len(seats) > 0 {
				_, err = w.h.Sales.MoveSeat(context.Background(), o.ID, seats[r.IntN(len(seats))].ID, []string{who.Email, fmt.Sprintf("u%d@example.org", r.IntN(3))}[r.IntN(2)], "", by)
			}
		case 4:
			minor := 1 + r.Int64N(3000)
			w.refund(o, minor)
			o.Credited.Minor += minor
			w.until("it went back", func() bool { return w.state(o).Credited.Minor == o.Credited.Minor })
		}
		switch code(err) {
		case "", "claim-link-over", "no-seat-left", "already-enrolled", "seat-held-already":
		default:
			t.Fatal(err)
		}
	}
	w.verify()
	w.refund(o, 0)
	w.becomes(o, sales.Refunded)
	w.verify()
	w.counts(map[string]int{"select count(*) from sales.seats where state in ('reserved', 'claimed')": 0, "select count(*) from enrolment.grants where revoked_at is null": 0})
	if _, err := w.h.Sales.ClaimSeat(context.Background(), links[0].Token, people[0].ID); code(err) != "no-seats-to-give" && code(err) != "claim-link-over" {
		t.Error("a seat of a refunded order was given:", err)
	}
}

// Each invariant of pools finds what breaks it.
func TestBrokenPoolsAreFound(t *testing.T) {
	w := newWorld(t)
	boss := w.managed("ACME")
	e := w.program("NET", nil, money.Of(9999, "EUR"), nil, 10000, 3700)
	o := w.bought(boss.ID, "k", sales.Item{OfferID: e.offer.ID, Quantity: 2}, sales.Item{OfferID: w.paid.ID, Quantity: 2})
	for line := range 2 {
		k := w.claimLink(o, line+1, 2, boss.ID)
		if _, err := w.h.Sales.ClaimSeat(context.Background(), k.Token, w.person("c@example.org", "C").ID); err != nil {
			t.Fatal(err)
		}
	}
	w.verify()
	owner := testkit.Owner(t, w.dsn)
	for name, x := range map[string][2]string{
		"seats that were given are not more than were bought": {
			"insert into sales.seats (id, order_id, line, seat, state, email, given_at) select 'sea_' || n, '" + o.ID + "', 1, 90 + n, 'reserved', n || '@x', now() from generate_series(1, 2) n", "delete from sales.seats where seat > 90"},
		"a claimed seat has its enrolments and membership, and no other grant is an organisation's": {
			"update enrolment.memberships set edition_id = edition_id, version = version + 1", "update enrolment.memberships set version = version - 1"},
		"only a claimed seat has money, and all claimed leave none to the pool": {
			"update sales.seats set state = 'ended', ended_at = now(), ended_because = 'x' where line = 2", "update sales.seats set state = 'claimed', ended_at = null, ended_because = null where line = 2"},
		"seats are those of an organisation's order that stands": {
			"update sales.orders set state = 'refunded'", "update sales.orders set state = 'paid'"},
	} {
		found := func() bool {
			broken, err := w.h.Verify(system)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range broken {
				if v.Check.Name == name {
					return true
				}
			}
			return false
		}
		if _, err := owner.Exec(x[0]); err != nil {
			t.Fatal(name, err)
		}
		if !found() {
			t.Errorf("%q does not find what breaks it", name)
		}
		if _, err := owner.Exec(x[1]); err != nil {
			t.Fatal(name, err)
		}
	}
	w.verify()
}
