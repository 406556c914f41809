package app_test

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/mail"
	"cursus/internal/platform/postgres"
)

// Instalments in the model of commerce: what an order owes when, what its card says when it is charged, and what follows when it says no. An
// instalment is tried on the day it is due, and three, five and seven days later, but not twice in a day; after that it is in default, and the
// policy of its plan holds until it is paid.

const leftOnly = "4000000000000341" // can be left, and is declined

// cardSays is what a charge without its owner comes to, by number; the others pay.
var cardSays = map[string]string{wantsOwner: payments.NeedsOwner, runsDry: "insufficient_funds", leftOnly: "generic_decline"}

// part is an instalment as it must be.
type part struct {
	n        int
	minor    int64
	due      time.Time
	state    string
	tries    int
	next     *time.Time
	by       *payPage // the charge that is under way
	reminded bool
}

func (x *part) open() bool { return x.state != "paid" && x.state != "canceled" }

// kept is a card that a buyer left with the provider.
type kept struct {
	method, customer, number string
	changed                  string // what happened to it since: pays, or a code; empty: what its number says
	at                       time.Time
}

func (c *kept) says() string {
	switch c.changed {
	case "":
		return cardSays[c.number]
	case "pays":
		return ""
	}
	return c.changed
}

// leaf is a page on which a card is left.
type leaf struct {
	order           *bought
	session, number string
}

// mailed counts the mails that are sent, by whom they are to and what they are about.
type mailed struct {
	mu sync.Mutex
	n  map[string]int
}

func (p *mailed) Send(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n[m.To+" "+m.Subject]++
	return nil
}

// plans gives offers plans in instalments, and says which.
func (m *trade) plans() {
	m.installed = map[string]offers.Plan{}
	for i, p := range map[int]offers.Plan{
		1: {Currency: "EUR", Instalments: 3, Every: 5, Unit: "day", OnDefault: offers.SuspendAccess},
		2: {Currency: "EUR", Instalments: 4, Every: 7, Unit: "day", FirstPPM: ptr(400_000), OnDefault: offers.EndAccess, EndAfterDays: ptr(6)},
		4: {Currency: "XOF", Instalments: 2, Every: 1, Unit: "month", OnDefault: offers.KeepAccess, LeastMinor: 100_000},
		6: {Currency: "USD", Instalments: 3, Every: 4, Unit: "day", OnDefault: offers.EndAccess, EndAfterDays: ptr(3)},
		8: {Currency: "EUR", Instalments: 2, Every: 10, Unit: "day", OnDefault: offers.KeepAccess},
	} {
		p.OfferID = m.goods[i].ID
		m.installed[p.OfferID] = p
		m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := offers.PutPlanTx(ctx, tx, p, 0)
			return err
		})
	}
}

// planOf is the plan of things that cost so much: that with the fewest instalments, where each of them has one.
func (m *trade) planOf(goods []*good, minor int64) (best offers.Plan, ok bool) {
	for _, g := range goods {
		p, has := m.installed[g.ID]
		if !has || minor < p.LeastMinor {
			return best, false
		}
		if best.Instalments == 0 || p.Instalments < best.Instalments {
			best = p
		}
	}
	return best, minor > 0
}

// agreed notes the plan of an order as it was frozen, and holds it against what the offers promise.
func (m *trade) agreed(b *bought, from time.Time) {
	p, _ := m.planOf(b.goods, b.total.Minor)
	b.parts, b.cards, b.policy, b.endAfter = nil, nil, p.OnDefault, p.EndAfterDays
	if b.is.Schedule == nil || len(b.is.Schedule.Instalments) != p.Instalments {
		m.fail(b, "its plan is %+v, and %+v was offered", b.is.Schedule, p)
	}
	first, others := b.total.Minor/int64(p.Instalments), b.total.Minor/int64(p.Instalments)
	if p.FirstPPM != nil {
		first = b.total.Minor * int64(*p.FirstPPM) / 1_000_000
		others = (b.total.Minor - first) / int64(p.Instalments-1)
	}
	sum := int64(0)
	for i, x := range b.is.Schedule.Instalments {
		due := from.AddDate(0, 0, i*p.Every)
		if p.Unit == "month" {
			year, month, day := from.Date()
			last := time.Date(year, month+time.Month(i*p.Every+1), 0, 0, 0, 0, 0, time.UTC).Day()
			due = time.Date(year, month+time.Month(i*p.Every), min(day, last), from.Hour(), from.Minute(), from.Second(), from.Nanosecond(), time.UTC)
		}
		near := others
		if i == 0 {
			near = first
		}
		if x.N != i+1 || x.Amount.Minor < near-1 || x.Amount.Minor > near+1 || x.DueAt.Sub(due).Abs() > time.Microsecond || x.State != sales.Planned {
			m.fail(b, "its instalment %+v, the plan says about %d on %v", x, near, due)
		}
		sum += x.Amount.Minor
		b.parts = append(b.parts, &part{n: x.N, minor: x.Amount.Minor, due: due, next: &due, state: "planned"})
	}
	if sum != b.total.Minor {
		m.fail(b, "its instalments are %d, and it costs %d", sum, b.total.Minor)
	}
}

// leftPlan notes that an order of which nothing was paid is paid otherwise now.
func (b *bought) leftPlan() {
	if b.is.Way != sales.Instalments {
		b.parts = nil
	}
}

func (b *bought) inDefault() bool {
	return slices.ContainsFunc(b.parts, func(x *part) bool { return x.state == "defaulted" })
}

func (b *bought) drops() {
	for _, x := range b.parts {
		if x.open() {
			x.state, x.next = "canceled", nil
		}
	}
}

// sums are what of an order is still owed by its buyer, and owed no more.
func (b *bought) sums() (owed, dropped int64) {
	for _, x := range b.parts {
		switch {
		case x.state == "canceled":
			dropped += x.minor
		case x.open() && b.sold():
			owed += x.minor
		}
	}
	return owed, dropped
}

// ends drops what nobody owes any more: of an order that ended, and of one of which everything that was paid went back.
func (m *trade) ends(b *bought) {
	switch {
	case len(b.parts) == 0 || b.sold() && !slices.ContainsFunc(b.pages, func(p *payPage) bool { return p.counts && p.returned+p.lost() > 0 }):
	case b.sold():
		held, paid := int64(0), false
		m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			for _, p := range b.pages {
				if paid = paid || p.counts; p.counts {
					x, err := payments.OneTx(ctx, tx, p.id)
					if held += x.Left(); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if paid && held == 0 {
			b.drops()
		}
	case b.is.State != sales.AwaitingPayment:
		b.drops()
	}
}

// takenPart says of money for an instalment what taken says of money for an order.
func (m *trade) takenPart(b *bought, p *payPage) (own, surplus bool) {
	if len(b.parts) < p.n || !b.parts[p.n-1].open() || b.is.State != sales.AwaitingPayment && !b.sold() {
		return false, true
	}
	if b.is.State != sales.AwaitingPayment {
		return true, false
	}
	if p.n > 1 || m.superseded(b) {
		return false, true
	}
	return m.inTime(b)
}

// refused is what follows when the card of an instalment was refused, or there is none.
func (m *trade) refused(b *bought, x *part, why string) {
	now := m.w.clock.Now()
	x.by, x.next = nil, nil
	m.seen["refusals"]++
	if x.state = "refused"; why == payments.NeedsOwner {
		x.state = "needs_authentication"
	}
	if x.tries <= 3 {
		again := x.due.AddDate(0, 0, []int{3, 5, 7}[x.tries-1])
		if soonest := now.AddDate(0, 0, 1); again.Before(soonest) {
			again = soonest
		}
		x.next = &again
		return
	}
	if b.is.State == sales.AwaitingPayment {
		return
	}
	m.seen["defaults"]++
	if x.state = "defaulted"; b.policy == offers.EndAccess {
		end := now.AddDate(0, 0, *b.endAfter)
		x.next = &end
	}
}

// card is the card that the house would charge, which must be the one that was left last of those that it heard of.
func (m *trade) card(b *bought) *kept {
	var method string
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &method, postgres.Query{Name: "card", SQL: `select coalesce(method_id, '') from sales.plans where order_id = $1`}, b.id)
	})
	var last *kept
	for _, c := range b.cards {
		if last == nil || c.at.After(last.at) {
			last = c
		}
	}
	if last == nil {
		if method != "" {
			m.fail(b, "a card is kept that nobody left")
		}
		return nil
	}
	for _, c := range b.cards {
		if c.method == method && c.at.Equal(last.at) {
			return c
		}
	}
	m.fail(b, "the card %s is kept, and %s of %s was left last, of %d", method, last.method, last.number, len(b.cards))
	return nil
}

// goesBack says whether some of what was paid of an order is on its way back, or may be.
func (m *trade) goesBack(b *bought) bool {
	n := 0
	for _, p := range b.pages {
		if p.counts {
			m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
				var some int
				err := tx.Get(ctx, &some, postgres.Query{Name: "goes back", SQL: `select count(*) from payments.refunds where payment_id = $1 and state in ('proposed', 'requested', 'pending')`}, p.id)
				n += some
				return err
			})
		}
	}
	return n > 0
}

// tries does with an order what its first instalment asks for whose time has come; false where nothing is to be done.
func (m *trade) tries(b *bought) bool {
	now := m.w.clock.Now()
	at := slices.IndexFunc(b.parts, func(x *part) bool { return x.open() && x.next != nil && !now.Before(*x.next) })
	if at < 0 {
		return false
	}
	x := b.parts[at]
	switch b.is.State {
	case sales.Paid, sales.PartiallyRefunded:
	case sales.AwaitingPayment:
		if x.n > 1 || len(b.cards) == 0 {
			return false
		}
	default:
		return false
	}
	if x.state == "defaulted" {
		b.ended = true
		b.drops()
		m.seen["plans that ended"]++
		return true
	}
	if m.goesBack(b) || slices.ContainsFunc(b.pages, func(p *payPage) bool { return p.n == x.n && p.session != "" && !p.told && now.Before(p.expires) }) {
		return false
	}
	if x.tries++; len(b.cards) == 0 {
		m.refused(b, x, payments.CardGone)
		return true
	}
	x.state, x.next = "charging", nil
	return true
}

// clone is the plan of an order, to go back to.
func clone(parts []*part) (out []*part) {
	for _, x := range parts {
		y := *x
		out = append(out, &y)
	}
	return out
}

// chargesDue has the instalments charged that are due, and predicts of which order what. Where the worker is torn on its way, each order is
// as it was or one step further.
func (m *trade) chargesDue() {
	var all []*bought
	now := m.w.clock.Now()
	for _, b := range m.orders {
		if slices.ContainsFunc(b.parts, func(x *part) bool { return x.open() && x.next != nil && !now.Before(*x.next) }) {
			m.look(b)
			all = append(all, b)
		}
	}
	err := m.do(system, func(ctx context.Context) error {
		_, err := m.w.h.Sales.ChargeDue(ctx)
		for _, b := range all {
			if err == nil {
				m.steps1(b)
				continue
			}
			before, ended := clone(b.parts), b.ended
			if m.steps1(b); len(b.said()) > 0 {
				b.parts, b.ended = before, ended
			}
		}
		return err
	})
	m.allowed(nil, err)
	for _, b := range all {
		m.agrees(b)
	}
}

// steps1 takes an order one step, and notes what the house charges for it.
func (m *trade) steps1(b *bought) {
	did := m.tries(b)
	m.look(b)
	if !did {
		return
	}
	if b.ended {
		m.note("the plan of o%d ends", b.n)
	}
	for _, x := range b.parts {
		if x.state != "charging" || x.by != nil {
			continue
		}
		var id string
		m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &id, postgres.Query{Name: "charged by", SQL: `select coalesce(payment_id, '') from sales.instalments where order_id = $1 and n = $2`}, b.id, x.n)
		})
		if id == "" || slices.ContainsFunc(b.pages, func(p *payPage) bool { return p.id == id }) {
			continue // nothing yet, where a worker was torn
		}
		m.note("o%d : instalment %d is to be charged, attempt %d", b.n, x.n, x.tries)
		x.by = &payPage{order: b, id: id, n: x.n, minor: x.minor, state: "asked", asks: m.card(b)}
		b.pages = append(b.pages, x.by)
	}
}

// charges has a worker charge cards: it is torn here and there, and somebody else goes on later.
func (m *trade) charges(all bool) {
	for _, b := range m.orders {
		for _, p := range b.pages {
			if p.session != "" || p.answered || !all && m.r.IntN(3) == 0 {
				continue
			}
			var x *part
			if len(b.parts) >= p.n && b.parts[p.n-1].state == "charging" && b.parts[p.n-1].by == p {
				x = b.parts[p.n-1]
			}
			charge := func(ctx context.Context) error { return m.w.h.Sales.Charge(ctx, p.id) }
			c := p.asks
			if !all && m.r.IntN(6) == 0 {
				err := charge(&torn{Context: system, left: 1 + m.r.IntN(60), end: make(chan struct{})})
				m.note("the worker that charges o%d is torn: %v", b.n, err)
				p.torn = true
				m.fetch()
				continue
			}
			err := m.do(system, charge)
			m.fetch()
			m.note("charge o%d with instalment %d : %s %s", b.n, p.n, p.state, p.why)
			m.allowed(b, err)
			m.seen["charges"]++
			p.answered = true
			switch {
			case x == nil && p.state == "asked":
				p.state = "expired"
			case x != nil && !p.torn && (p.state == "complete") != (c.says() == ""), p.state == "asked":
				m.fail(b, "the charge is %s, and its card says %q", p.state, c.says())
			case x != nil && p.state == "declined":
				m.refused(b, x, p.why)
			}
			m.look(b)
			m.agrees(b)
		}
	}
}

// told notes what an event says of an instalment beside money: which card was left, and that one was refused.
func (m *trade) toldOfCard(x *told1) {
	b, first := x.leaf, !m.applied[x.id] // told again, an event says nothing: a plan that was chosen since has not its card
	m.applied[x.id] = true
	if x.page != nil {
		b = x.page.order
	}
	if b == nil || len(b.parts) == 0 {
		return
	}
	if first && x.card != nil {
		b.cards = append(b.cards, x.card)
	}
	if p := x.page; x.kind == "payment_intent.payment_failed" && p.session == "" && len(b.parts) >= p.n {
		if i := b.parts[p.n-1]; i.state == "charging" && i.by == p {
			m.refused(b, i, p.why)
		}
	}
}

// paidPart notes that money was taken for an instalment.
func (m *trade) paidPart(b *bought, p *payPage) {
	x := b.parts[p.n-1]
	if x.state == "defaulted" {
		m.seen["defaults that were cured"]++
	}
	x.state, x.next, p.counts = "paid", nil, true
}

// ofCards notes what the provider says of intents: which card was left where, and what a charge came to.
func (m *trade) ofCards(x *told1, object map[string]any) {
	text := func(key string) string { s, _ := object[key].(string); return s }
	meta, _ := object["metadata"].(map[string]any)
	switch {
	case x.kind == "setup_intent.succeeded":
		for _, l := range m.leaves1 {
			if l.order.id == meta["order_id"] && l.number != "" && m.methods[text("payment_method")] == nil {
				x.card = &kept{method: text("payment_method"), customer: text("customer"), number: l.number, at: m.w.clock.Now().Truncate(time.Second)}
				m.methods[x.card.method], x.leaf = x.card, l.order
				l.number = ""
			}
		}
		if x.card == nil {
			m.fail(nil, "a card was left by nobody: %v", object)
		}
	case !strings.HasPrefix(x.kind, "payment_intent.") || meta["card"] == nil:
	case x.page == nil:
		m.fail(nil, "the provider took what nobody asked for: %v", object)
	case meta["card"] == "kept":
		p := x.page
		if p.captured > 0 || p.state == "declined" {
			m.fail(p.order, "charged again: %v", object)
		}
		if p.state, p.captured = "complete", p.minor; x.kind == "payment_intent.succeeded" {
			x.captures = true
			return
		}
		failed := object["last_payment_error"].(map[string]any)
		p.state, p.captured, p.why = "declined", 0, fmt.Sprint(failed["decline_code"])
	case x.kind == "payment_intent.succeeded":
		x.captures = true
		x.card = &kept{method: text("payment_method"), customer: text("customer"), number: x.page.card, at: m.w.clock.Now().Truncate(time.Second)}
		m.methods[x.card.method] = x.card
	}
}

// paysPart asks for a page for an instalment, the first that is open or any.
func (m *trade) paysPart() {
	b, ok := m.recent(func(b *bought) bool {
		return len(b.parts) > 0 && b.is.State != sales.AwaitingPayment && (b.sold() || m.r.IntN(10) == 0)
	})
	if !ok {
		return
	}
	x := b.parts[m.r.IntN(len(b.parts))]
	if at := slices.IndexFunc(b.parts, func(x *part) bool { return x.open() && x.state != "planned" && x.state != "charging" }); at >= 0 && m.r.IntN(3) > 0 {
		x = b.parts[at]
	}
	m.note("o%d : instalment %d, which is %s, is asked for", b.n, x.n, x.state)
	var o sales.Order
	key := fmt.Sprint("i", len(m.steps))
	err := m.do(system, func(ctx context.Context) (err error) {
		o, err = m.w.h.Sales.PayInstalment(ctx, b.id, b.buyer, x.n, key)
		return err
	})
	if m.allowed(b, err, "instalment-not-owed") != (b.sold() && x.open() && x.state != "charging") {
		m.fail(b, "%v, and it is %s", err, x.state)
	}
	if err != nil {
		return
	}
	var p payments.Payment
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		var id string
		err := tx.Get(ctx, &id, postgres.Query{Name: "page", SQL: `select id from payments.payments where order_id = $1 and instalment = $2 and pay_url = $3`}, b.id, x.n, o.PayURL)
		if err == nil {
			p, err = payments.OneTx(ctx, tx, id)
		}
		return err
	})
	if !slices.ContainsFunc(b.pages, func(x *payPage) bool { return x.id == p.ID }) {
		b.pages = append(b.pages, &payPage{order: b, id: p.ID, session: p.CheckoutID, expires: p.ExpiresAt, state: "open", n: x.n, minor: x.minor})
	}
}

// leavesCard has a buyer leave a card for an order in instalments, or has something happen to those that she left.
func (m *trade) leavesCard() {
	b, ok := m.recent(func(b *bought) bool { return len(b.parts) > 0 })
	if !ok {
		return
	}
	if len(b.cards) > 0 && m.r.IntN(2) == 0 {
		c := b.cards[m.r.IntN(len(b.cards))]
		changed := []string{"pays", "pays", "insufficient_funds", "insufficient_funds", payments.NeedsOwner, ""}[m.r.IntN(6)]
		m.note("the cards of o%d say %s", b.n, changed)
		m.ask(http.MethodPost, "/sandbox/customers/"+c.customer, nil, map[string]any{"outcome": changed})
		for _, x := range m.methods {
			if x.customer == c.customer {
				x.changed = changed
			}
		}
		return
	}
	var url string
	err := m.do(system, func(ctx context.Context) (err error) {
		url, err = m.w.h.Sales.LeaveCard(ctx, b.id, b.buyer)
		return err
	})
	owes := slices.ContainsFunc(b.parts, func(x *part) bool { return x.open() }) && (b.sold() || b.is.State == sales.AwaitingPayment)
	if m.allowed(b, err, "instalment-not-owed") != owes {
		m.fail(b, "a card can be left: %v", err)
	}
	if err != nil {
		return
	}
	l := &leaf{b, path.Base(url), []string{visa, visa, threeD, wantsOwner, leftOnly, declined}[m.r.IntN(6)]}
	m.note("a card %s is left for o%d", l.number, b.n)
	if m.leaves1 = append(m.leaves1, l); m.ask(http.MethodPost, "/sandbox/pay/"+l.session, nil, map[string]any{"card": l.number, "authenticate": "complete"})["status"] != "complete" {
		l.number = ""
	}
	m.fetch()
}

// reminds tells buyers what is due soon, once each.
func (m *trade) reminds() {
	m.allowed(nil, m.do(system, func(ctx context.Context) error { _, err := m.w.h.Sales.RemindOfDue(ctx); return err }))
	now := m.w.clock.Now()
	for _, b := range m.orders {
		for _, x := range b.parts {
			if x.n > 1 && x.state == "planned" && b.sold() && !x.reminded && !now.AddDate(0, 0, 3).Before(x.due) {
				if x.reminded = true; now.Before(x.due) {
					b.reminders++
				}
			}
		}
	}
}

// said is what the house says otherwise of the plan of an order.
func (b *bought) said() (wrong []string) {
	if (b.is.Schedule != nil) != (len(b.parts) > 0) {
		return []string{fmt.Sprintf("its plan is %+v, the model has %d instalments", b.is.Schedule, len(b.parts))}
	}
	for i, x := range b.parts {
		is := b.is.Schedule.Instalments[i]
		next := (is.NextAt != nil) == (x.next != nil) && (x.next == nil || is.NextAt.Sub(*x.next).Abs() <= time.Microsecond)
		if string(is.State) != x.state || is.Amount.Minor != x.minor || is.Attempts != x.tries || !next {
			wrong = append(wrong, fmt.Sprintf("instalment %d is %s after %d attempts, next %v; the model says %s, %d, %v", x.n, is.State, is.Attempts, is.NextAt, x.state, x.tries, x.next))
		}
	}
	return wrong
}

// agrees fails where the house says otherwise of the plan of an order.
func (m *trade) agrees(b *bought) {
	if wrong := b.said(); len(wrong) > 0 {
		m.fail(b, "%s: %s", b.is.State, strings.Join(wrong, "\n"))
	}
}

// mailsAbout are the mails to somebody whose subject begins so.
func (p *mailed) mailsAbout(to, subject string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, times := range p.n {
		if strings.HasPrefix(key, to+" ") && strings.Contains(key, subject) {
			n += times
		}
	}
	return n
}

// instalments holds against the house what it does not say of each order: which card it keeps, and who was reminded.
func (m *trade) instalments() {
	due := map[string]int{}
	for _, b := range m.orders {
		if due[b.buyer] += b.reminders; len(b.parts) > 0 && len(b.cards) > 0 {
			m.card(b)
		}
	}
	for i, who := range m.people {
		if got := m.mails.mailsAbout(fmt.Sprintf("b%d@example.org", i), "Your next instalment: "); got != due[who] {
			m.fail(nil, "b%d was reminded %d times of instalments, the model says %d", i, got, due[who])
		}
	}
}

// held is how the grants of an order are held back.
func (b *bought) held() string {
	switch {
	case !b.sold() || !b.inDefault():
		return ""
	case b.policy == offers.KeepAccess:
		return "certificate"
	}
	return "all"
}
