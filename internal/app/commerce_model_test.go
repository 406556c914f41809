package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// The model of commerce: what each order must come to, whatever happened on the way. It knows what buyers, banks and cashiers did, not how the
// house is built: the money that came and went is what the provider and the cashiers say, and the house must say the same of each order.

// good is an offer with its limit (nil: none) and how many sessions it opens.
type good struct {
	offers.Offer
	parts int
}

// bought is an order, as it was placed and as the house last said that it stands.
type bought struct {
	id, buyer string
	n         int // its place among the orders, for the list of steps
	goods     []*good
	voucher   string
	total     money.Amount
	is        sales.Order
	pending   bool // its payment waits for a bank, as the house heard it
	pages     []*payPage
	byHand    int64 // came by hand, all in all
	backHand  int64 // and went back by hand
	withdrawn bool

	pool      *pool   // of an organisation's
	parts     []*part // of one that is paid in instalments
	cards     []*kept // that were left for it, as the house heard
	policy    string  // in default
	endAfter  *int    // days
	ended     bool    // in default for too long
	reminders int
}

// payPage is a page at the provider and the money that came by it.
type payPage struct {
	order               *bought
	id, session, intent string
	expires             time.Time
	state               string // open, pending, complete, failed, expired
	captured, returned  int64  // at the provider, in minor units
	dispute, turn       string // its id, and opened, won or lost
	disputed            int64
	failed              int64 // refunds that came back
	repaid              int64 // and were transferred

	n        int    // which instalment it is for; 0: all of the order
	minor    int64  // what is asked for on it
	card     string // number of the last that was tried
	counts   bool   // its money was taken for its instalment
	told     bool   // the house heard how it ended
	answered bool   // a worker knows what came of the charge of a kept card
	asks     *kept  // the card that is charged: that of when it was asked for
	torn     bool   // a worker that charged it was: the provider may have answered before its card was told to say something else
	why      string // the card was refused
}

func (p *payPage) lost() int64 {
	if p.turn == "lost" {
		return p.disputed
	}
	return 0
}

// left is what can be given back of a page: nothing while its bank holds or kept the money.
func (p *payPage) left() int64 {
	if p.turn == "opened" || p.turn == "lost" {
		return 0
	}
	return p.captured - p.returned
}

// row is somebody who waits for a place.
type waiter struct{ person, offer string }

var sold = []sales.State{sales.Paid, sales.PartiallyRefunded, sales.Disputed}

func (b *bought) sold() bool { return slices.Contains(sold, b.is.State) }

// stands says whether an order takes places and uses of vouchers at an instant.
func (b *bought) stands(now time.Time) bool {
	return b.sold() || b.is.State == sales.AwaitingPayment && (b.pending || b.is.ExpiresAt != nil && now.Before(*b.is.ExpiresAt))
}

func (b *bought) has(offer string) bool {
	return slices.ContainsFunc(b.goods, func(g *good) bool { return g.ID == offer })
}

// opens says whether an order is for the session or the edition of a good.
func (b *bought) opens(g *good) bool {
	return slices.ContainsFunc(b.goods, func(x *good) bool { return x.SessionID == g.SessionID && x.EditionID == g.EditionID })
}

// superseded says whether other orders of the buyer that were paid open all that this one opens.
func (m *trade) superseded(b *bought) bool {
	if b.pool != nil { // its seats are for others
		return false
	}
	for _, g := range b.goods {
		if !slices.ContainsFunc(m.orders, func(x *bought) bool {
			return x != b && x.buyer == b.buyer && x.sold() && slices.ContainsFunc(x.goods, func(y *good) bool {
				return y.SessionID == g.SessionID && y.EditionID == g.EditionID && !slices.ContainsFunc(g.Entitlements, func(e string) bool { return !slices.Contains(y.Entitlements, e) })
			})
		}) {
			return false
		}
	}
	return true
}

// free is how many places of an offer are neither sold nor held nor kept for others, and how many people wait for one.
func (m *trade) free(g *good, but *bought, buyer string) (free, waiting int) {
	free = *g.Quota
	for _, x := range m.orders {
		if x != but && x.has(g.ID) && x.stands(m.w.clock.Now()) {
			free--
		}
	}
	for _, x := range m.row {
		if x.offer != g.ID || x.person == buyer {
			continue
		}
		switch m.w.waits(g.Offer, x.person).State {
		case sales.PlaceKept:
			free--
		case sales.InRow:
			waiting++
		}
	}
	return free, waiting
}

// usesLeft is how many uses of a voucher others left.
func (m *trade) usesLeft(code string, but *bought) int {
	left := m.limits[code]
	for _, x := range m.orders {
		if x != but && x.voucher == code && x.stands(m.w.clock.Now()) {
			left--
		}
	}
	return left
}

// taken says what becomes of money that the provider announces for an order: the order's own, a surplus, or (where who waits may or may not
// take a place) either.
func (m *trade) taken(b *bought, p payments.Payment, collected bool) (own, surplus bool) {
	switch late := b.is.ExpiresAt != nil && !m.w.clock.Now().Before(*b.is.ExpiresAt); {
	case b.is.State != sales.AwaitingPayment, m.superseded(b), collected:
		return false, true
	case p.State == payments.Pending || !late:
		return true, false
	}
	return m.inTime(b)
}

// inTime says whether money that comes for an order that waits finds its places and vouchers; after its time somebody else may have them.
func (m *trade) inTime(b *bought) (own, surplus bool) {
	if b.is.ExpiresAt == nil || m.w.clock.Now().Before(*b.is.ExpiresAt) {
		return true, false
	}
	own = true
	for _, g := range b.goods {
		if g.Quota == nil {
			continue
		}
		free, waiting := m.free(g, b, b.buyer)
		own = own && free > 0
		surplus = surplus || free <= waiting
	}
	if b.voucher != "" && m.usesLeft(b.voucher, b) < 1 {
		own = false
	}
	return own, surplus || !own
}

// standing is what the house says of an order, in all of its books.
type standing struct {
	ID          string `db:"id"`
	State       string `db:"state"`
	Paid        bool   `db:"paid"`
	Credited    int64  `db:"credited"`
	PaymentID   string `db:"payment_id"`
	Held        int64  `db:"held"`    // by the provider, the bank and the desks
	Owed        int64  `db:"owed"`    // to the buyer
	Payable     int64  `db:"payable"` // of that, refunds that came back
	Lost        int64  `db:"lost"`    // to banks
	Due         int64  `db:"due"`     // by the buyer, who has more than she was owed
	Invoices    int    `db:"invoices"`
	Notes       int64  `db:"notes"` // sum of the credit notes
	Grants      int    `db:"grants"`
	ToPayBack   int64  `db:"to_pay_back"` // by hand, asked for
	HandPayment bool   `db:"by_hand"`
	Receivable  int64  `db:"receivable"` // by the buyer, in instalments
	Hold        string `db:"hold"`
}

const standings = `
	select o.id, o.state, o.paid_at is not null as paid, o.credited_minor as credited, coalesce(o.payment_id, '') as payment_id, coalesce(p.by_hand, false) as by_hand,
	       coalesce(l.held, 0) as held, coalesce(l.owed, 0) as owed, coalesce(l.payable, 0) as payable, coalesce(l.lost, 0) as lost, coalesce(l.due, 0) as due,
	       coalesce(l.receivable, 0) as receivable, (select coalesce(string_agg(distinct g.hold, ' '), '') from enrolment.grants g where g.order_id = o.id and g.revoked_at is null) as hold,
	       (select count(*) from invoicing.documents d where d.order_id = o.id and d.kind = 'invoice') as invoices,
	       (select coalesce(sum(d.amount_minor), 0) from invoicing.documents d where d.order_id = o.id and d.kind = 'credit_note') as notes,
	       (select count(*) from enrolment.grants g where g.order_id = o.id and g.revoked_at is null) as grants,
	       (select coalesce(sum(r.amount_minor), 0) from payments.refunds r join payments.payments y on y.id = r.payment_id
	         where y.order_id = o.id and y.by_hand and r.state in ('requested', 'pending')) as to_pay_back
	  from sales.orders o left join payments.payments p on p.id = o.payment_id
	  left join (select order_id, sum(minor) filter (where account like 'clearing:%') as held,
	                    coalesce(-sum(minor) filter (where account in ('suspense', 'advances', 'refunds_payable')), 0)
	                    + greatest(-coalesce(sum(minor) filter (where account = 'overpaid'), 0), 0) as owed,
	                    sum(minor) filter (where account = 'receivable') as receivable, -sum(minor) filter (where account = 'refunds_payable') as payable, sum(minor) filter (where account = 'disputes') as lost,
	                    greatest(coalesce(sum(minor) filter (where account = 'overpaid'), 0), 0) as due
	               from ledger.entries group by order_id) l on l.order_id = o.id`

// compare holds every order against what the house says of it, when nothing is on its way any more.
func (m *trade) compare() {
	var rows []standing
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &rows, postgres.Query{Name: "standings", SQL: standings})
	})
	said := map[string]standing{}
	for _, s := range rows {
		said[s.ID] = s
	}
	if len(rows) != len(m.orders) {
		m.fail(nil, "the house has %d orders, %d were placed", len(rows), len(m.orders))
	}
	for _, b := range m.orders {
		if wrong := b.wrong(said[b.id], m.w.clock.Now()); len(wrong) > 0 {
			m.fail(b, "%+v\n%s", said[b.id], strings.Join(wrong, "\n"))
		}
	}
	for code, limit := range m.limits {
		used, held := 0, 0
		for _, b := range m.orders {
			switch {
			case b.voucher == code && b.sold():
				used++
			case b.voucher == code && b.stands(m.w.clock.Now()):
				held++
			}
		}
		if v := m.w.uses(m.vouchers[code]); v.Used != used || v.Held != held || used+held > limit {
			m.fail(nil, "%s is used %d and held %d times, the model says %d and %d of %d", code, v.Used, v.Held, used, held, limit)
		}
	}
	for _, g := range m.goods {
		if g.Quota != nil {
			if free, _ := m.free(g, nil, ""); free < 0 {
				var who []string
				for _, b := range m.orders {
					if b.has(g.ID) && b.stands(m.w.clock.Now()) {
						who = append(who, fmt.Sprintf("o%d %s", b.n, b.is.State))
					}
				}
				m.fail(nil, "%d places too many are taken of %s: %v", -free, g.ID, who)
			}
		}
	}
	m.instalments()
	for _, b := range m.orders {
		if b.pool != nil {
			m.agreesOnSeats(b)
		}
	}
	m.money()
}

// wrong says what the house says otherwise of an order than the model.
func (b *bought) wrong(s standing, now time.Time) (wrong []string) {
	is := func(what string, got, want any) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s: %v, the model says %v", what, got, want))
		}
	}
	var own []*payPage
	in, out, lost, surplus := b.byHand, b.backHand, int64(0), int64(0)
	for _, p := range b.pages {
		in, out = in+p.captured, out+p.returned+p.lost()
		if len(b.parts) > 0 && p.counts || len(b.parts) == 0 && p.id == s.PaymentID && s.Paid {
			own = append(own, p)
		} else {
			surplus += p.captured - p.returned - p.lost() - p.repaid
		}
	}
	if s.State != string(sales.AwaitingPayment) { // everything that is owed went back, or a person is asked to see to it
		is("owed, and in no queue", s.Owed-s.Payable, int64(0))
	}
	is("held", s.Held, in-out)
	owed, dropped := b.sums()
	is("receivable", s.Receivable, owed)
	wrong = append(wrong, b.said()...)
	parts := 0
	for _, g := range b.goods {
		parts += g.parts
	}
	if b.pool != nil { // nobody is enrolled by paying
		parts = len(b.pool.have)
	}
	if !s.Paid {
		if !slices.Contains([]sales.State{sales.AwaitingPayment, sales.Expired, sales.Canceled}, sales.State(s.State)) {
			wrong = append(wrong, "unpaid, and "+s.State)
		}
		asked := slices.ContainsFunc(b.pages, func(p *payPage) bool { return p.state == "pending" }) // a bank will say, though its place is gone
		if s.State == string(sales.AwaitingPayment) && !b.stands(now) && !b.total.IsZero() && !asked {
			wrong = append(wrong, "its time is over, and it waits still")
		}
		is("grants", s.Grants, 0)
		is("invoices", s.Invoices, 0)
		is("owed", s.Owed-s.Due, s.Held)
		return wrong
	}
	is("owed", s.Held, b.total.Minor-s.Credited-s.Receivable+s.Owed-s.Due)
	is("held back", s.Hold, b.held())
	state := sales.Paid
	failed, disputed := int64(0), false
	if len(own) > 0 {
		mine, back := s.Payable-s.Due-surplus, int64(0)
		gone := s.Credited - mine - dropped
		for _, p := range own {
			lost, back, failed, gone = lost+p.lost(), back+p.returned, failed+p.failed, gone-p.repaid
			disputed = disputed || p.turn == "opened"
		}
		is("given back of what it paid", gone, back+lost)
		if mine > failed {
			wrong = append(wrong, fmt.Sprintf("%d came back from the bank, and %d are owed", failed, mine))
		}
	}
	switch {
	case lost > 0 && s.Lost == 0 && s.State == string(sales.Refunded): // everything had been given back on paper before the bank took it
		state = sales.Refunded
	case lost > 0:
		state = sales.Lost
	case b.total.Minor > 0 && s.Credited == b.total.Minor:
		state = sales.Refunded
	case b.withdrawn:
		state = sales.Withdrawn
	case b.ended:
		state = sales.Defaulted
	case disputed:
		state = sales.Disputed
	case s.Credited > 0:
		state = sales.PartiallyRefunded
	}
	is("state", s.State, string(state))
	if slices.Contains(sold, state) {
		is("grants", s.Grants, parts)
	} else {
		is("grants", s.Grants, 0)
	}
	is("invoices", s.Invoices, map[bool]int{true: 1}[b.total.Minor > 0])
	is("credit notes", s.Notes, s.Credited-s.Lost) // what a bank took back is a loss, and no paper says that it was given
	if s.Lost > lost || lost-s.Lost > failed {
		is("lost", s.Lost, lost)
	}
	return wrong
}

// money holds our accounts against the books of those who hold the money: the provider's own, and what cashiers and the bank saw.
func (m *trade) money() {
	book := m.w.sandbox.Book()
	for _, c := range []money.Currency{"EUR", "XOF", "USD"} {
		code := strings.ToLower(string(c))
		if ours, theirs := m.w.balance("clearing:stripe", c), book.Balance[code]+book.DisputesOpen[code]; ours != theirs {
			m.fail(nil, "the provider holds %d %s, our book says %d", theirs, c, ours)
		}
		for _, holder := range []string{"bank", "desk:esp"} {
			ours := m.w.balance("clearing:"+holder, c)
			if holder != "bank" { // of what the desk holds a share is the school's
				if owed := m.w.owes("ESP", c); c != "USD" && owed.Closing != ours {
					m.fail(nil, "the desk owes us %d %s by its statement, our book says %d", owed.Closing, c, ours)
				}
				ours += m.w.balance(ledger.PartnerShare("ESP"), c)
			}
			if ours != m.cash[holder+string(c)] {
				m.fail(nil, "%s holds %d %s, our book says %d", holder, m.cash[holder+string(c)], c, ours)
			}
		}
	}
}
