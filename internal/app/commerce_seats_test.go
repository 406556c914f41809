package app_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Seats of an organisation in the model of commerce: so many were bought, some people have one each, some go back with their money, and what
// is left is free. Nobody is enrolled by paying, nobody has two seats of the same, and when all went back nobody has any.

// pool are the seats of an order.
type pool struct {
	bought, returned int
	have             map[string]bool // people with a seat
	back             map[string]int  // seats whose money is on its way back, by refund
	links            []*link
}

// link is a claim link.
type link struct {
	token   string
	left    int
	expires time.Time
}

func (p *pool) free() int {
	n := p.bought - p.returned - len(p.have)
	for _, k := range p.back {
		n -= k
	}
	return n
}

// gives says whether seats of an order can be given out now.
func (b *bought) gives() bool {
	return b.is.State == sales.Paid || b.is.State == sales.PartiallyRefunded
}

// buysSeats has the organisation order seats, to be paid on a page or by bank.
func (m *trade) buysSeats() {
	g := m.seats[m.r.IntN(len(m.seats))]
	c := sales.PlaceOrder{
		BuyerID: m.boss, Organisation: "ACME", Items: []sales.Item{{OfferID: g.ID, Quantity: 1 + m.r.IntN(6)}}, Lang: "en", IdempotencyKey: fmt.Sprint("s", len(m.steps)),
		Way: []sales.Way{"", sales.Transfer, sales.PurchaseOrder}[m.r.IntN(3)], Reference: "PO-7",
	}
	m.note("order o%d of %d seats %s", len(m.orders), c.Items[0].Quantity, c.Way)
	var o sales.Order
	m.allowed(nil, m.do(context.Background(), func(ctx context.Context) (err error) { o, err = m.w.h.Sales.PlaceOrder(ctx, c); return err }))
	b := &bought{id: o.ID, buyer: m.boss, n: len(m.orders), goods: []*good{g}, total: o.Total, pool: &pool{bought: c.Items[0].Quantity, have: map[string]bool{}, back: map[string]int{}}}
	if b.total.Minor != g.Price.Minor*int64(b.pool.bought) {
		m.fail(nil, "%d seats of %v cost %v", b.pool.bought, g.Price, b.total)
	}
	m.orders = append(m.orders, b)
	m.billed(b)
	m.open(b)
}

// aPool draws an order of seats, mostly one that is paid.
func (m *trade) aPool() (*bought, bool) {
	return m.recent(func(b *bought) bool { return b.pool != nil && (b.sold() || m.r.IntN(15) == 0) })
}

// hasElsewhere says whether somebody has a seat of another order for the same.
func (m *trade) hasElsewhere(b *bought, who string) bool {
	return slices.ContainsFunc(m.orders, func(x *bought) bool {
		return x != b && x.pool != nil && x.sold() && x.has(b.goods[0].ID) && x.pool.have[who]
	})
}

// claims has somebody take a seat by a link; now and then the manager makes one first.
func (m *trade) claims() {
	b, ok := m.aPool()
	if !ok {
		return
	}
	at, known := pick(m, m.people, func(string) bool { return true })
	if p := b.pool; len(p.links) == 0 || m.r.IntN(4) == 0 {
		c := sales.NewClaimLink{OrderID: b.id, Line: 1, MaxUses: 1 + m.r.IntN(p.bought), ExpiresAt: m.w.clock.Now().Add(48 * time.Hour), By: sales.By{PersonID: m.boss}, IdempotencyKey: fmt.Sprint("l", len(m.steps))}
		k, err := m.w.h.Sales.MakeClaimLink(system, c)
		if m.allowed(b, err, "no-seats-to-give") != b.gives() {
			m.fail(b, "a link is made: %v", err)
		}
		if err != nil {
			return
		}
		p.links = append(p.links, &link{k.Token, c.MaxUses, c.ExpiresAt})
	}
	if !known {
		return
	}
	k := b.pool.links[m.r.IntN(len(b.pool.links))]
	want, fresh := "", false
	switch now := m.w.clock.Now(); {
	case !b.gives():
		want = "no-seats-to-give"
	case b.pool.have[at]:
	case k.left == 0 || !now.Before(k.expires):
		want = "claim-link-over"
	case m.hasElsewhere(b, at):
		want = "already-enrolled"
	case b.pool.free() < 1:
		want = "no-seat-left"
	default:
		fresh = true
	}
	m.note("a seat of o%d is claimed: %q", b.n, want)
	if err := m.do(system, func(ctx context.Context) error { _, err := m.w.h.Sales.ClaimSeat(ctx, k.token, at); return err }); code(err) != want {
		m.fail(b, "%v, the model says %q", err, want)
	}
	if fresh {
		k.left--
		b.pool.have[at] = true
		m.seen["seats claimed"]++
	}
	m.agreesOnSeats(b)
}

// seatOf is the seat that somebody has of an order.
func (m *trade) seatOf(b *bought, who string) (id string) {
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &id, postgres.Query{Name: "seat", SQL: `select id from sales.seats where order_id = $1 and person_id = $2 and state = 'claimed'`}, b.id, who)
	})
	return id
}

// movesSeat has the manager take a seat back, or give it to somebody else.
func (m *trade) movesSeat() {
	b, ok := m.recent(func(b *bought) bool { return b.pool != nil && b.sold() && len(b.pool.have) > 0 })
	if !ok {
		return
	}
	has := slices.Sorted(maps.Keys(b.pool.have))
	from, seat := has[m.r.IntN(len(has))], ""
	seat = m.seatOf(b, from)
	if m.r.IntN(2) == 0 {
		m.note("a seat of o%d is released", b.n)
		first := true
		m.allowed(b, m.do(system, func(ctx context.Context) error {
			err := m.w.h.Sales.ReleaseSeat(ctx, b.id, seat, sales.By{PersonID: m.boss})
			if !first && code(err) == "no-such-seat" { // the first time was torn after its commit
				err = nil
			}
			first = false
			return err
		}))
		delete(b.pool.have, from)
		m.agreesOnSeats(b)
		return
	}
	i := m.r.IntN(len(m.people))
	to, want := m.people[i], ""
	switch {
	case to == from:
	case !b.gives():
		want = "no-seats-to-give"
	case b.pool.have[to]:
		want = "seat-held-already"
	case m.hasElsewhere(b, to):
		want = "already-enrolled"
	}
	m.note("a seat of o%d is moved: %q", b.n, want)
	_, err := m.w.h.Sales.MoveSeat(system, b.id, seat, fmt.Sprintf("b%d@example.org", i), "", sales.By{PersonID: m.boss})
	if code(err) != want {
		m.fail(b, "%v, the model says %q", err, want)
	}
	if err == nil {
		delete(b.pool.have, from)
		b.pool.have[to] = true
	}
	m.agreesOnSeats(b)
}

// enlists gives seats to those of a list, all or none.
func (m *trade) enlists() {
	b, ok := m.aPool()
	if !ok || len(m.people) < 4 {
		return
	}
	file, need := "email\n", map[string]bool{}
	for _, i := range m.r.Perm(len(m.people))[:1+m.r.IntN(3)] {
		file += fmt.Sprintf("b%d@example.org\n", i)
		if who := m.people[i]; !b.pool.have[who] && !m.hasElsewhere(b, who) { // who has the same needs none
			need[who] = true
		}
	}
	m.note("a list gives %d seats of o%d", len(need), b.n)
	people, err := sales.ReadRoster([]byte(file))
	if err == nil {
		err = m.do(system, func(ctx context.Context) error {
			_, err := m.w.h.Sales.ApplyRoster(ctx, sales.Roster{OrderID: b.id, Line: 1, People: people, By: sales.By{PersonID: m.boss}})
			return err
		})
	}
	if good := b.gives() && len(need) <= max(0, b.pool.free()); (err == nil) != good {
		m.fail(b, "a list for %d seats of %d: %v", len(need), b.pool.free(), err)
	}
	if m.allowed(b, err, "no-seats-to-give", "no-seat-left") {
		maps.Copy(b.pool.have, need)
		m.seen["seats by list"] += len(need)
	}
	m.agreesOnSeats(b)
}

// returnsSeats gives seats back that nobody has, with their money.
func (m *trade) returnsSeats() {
	b, ok := m.aPool()
	if !ok {
		return
	}
	n := 1 + m.r.IntN(b.pool.bought)
	key := fmt.Sprint("g", len(m.steps))
	m.note("%d of %d free seats of o%d go back", n, b.pool.free(), b.n)
	err := m.do(staffCtx(m.staff[0]), func(ctx context.Context) error {
		_, err := m.w.h.Sales.Refund(ctx, sales.RefundOrder{OrderID: b.id, Lines: []sales.RefundLine{{Line: 1, Seats: n}}, Reason: "fewer came", IdempotencyKey: key})
		return err
	})
	if n > b.pool.free() && err == nil {
		m.fail(b, "%d seats go back, and %d are free", n, b.pool.free())
	}
	if code(err) == "no-seat-left" && n <= b.pool.free() {
		m.fail(b, "%d seats are free, and %d do not go back", b.pool.free(), n)
	}
	if m.allowed(b, err, "no-seat-left", "order-not-paid", "refund-exceeds-payment", "bad-amount") {
		var id string
		m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &id, postgres.Query{Name: "latest", SQL: `select r.id from payments.refunds r join payments.payments p on p.id = r.payment_id where p.order_id = $1 order by r.id desc limit 1`}, b.id)
		})
		b.pool.back[id] = n
		m.seen["seats returned"] += n
	}
	m.agreesOnSeats(b)
}

// returns notes what became of seats whose money was on its way back: gone with it, or the pool's again.
func (m *trade) returns(b *bought) {
	if b.pool == nil {
		return
	}
	for id, n := range b.pool.back {
		switch m.refundOf(id).State {
		case "succeeded":
			b.pool.returned += n
			delete(b.pool.back, id)
		case "failed", "rejected":
			delete(b.pool.back, id)
		}
	}
	if !b.sold() {
		clear(b.pool.have)
	}
}

// agreesOnSeats holds what the house says of the seats of an order against the model.
func (m *trade) agreesOnSeats(b *bought) {
	m.look(b)
	if !b.sold() {
		return
	}
	_, pools, seats, _, err := m.w.h.Sales.Pools(system, b.id, sales.By{PersonID: m.boss}, page.Request{Limit: page.MaxLimit})
	if err != nil {
		m.fail(b, "%v", err)
	}
	p, back := b.pool, b.pool.returned
	for _, n := range p.back {
		back += n
	}
	if x := pools[0]; x.Free != p.free() || x.Claimed != len(p.have) || x.Returned != back || x.Reserved != 0 || x.Quantity != p.bought {
		m.fail(b, "its seats are %+v, the model says %d free, %d claimed, %d returned", x, p.free(), len(p.have), back)
	}
	for _, x := range seats {
		if x.State == sales.SeatClaimed && !p.have[x.PersonID] {
			m.fail(b, "%s has a seat, and the model says she has none", x.Email)
		}
	}
}
