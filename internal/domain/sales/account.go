package sales

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ErrInvoiced refuses to take a place back whose month is over: it is on the invoice.
var ErrInvoiced = fault.New(fault.Conflict, "place-invoiced", "The month of this place is over: it is on the invoice of the month.")

// Accounts of what an organisation has and was not invoiced yet: what it will owe, by organisation, and the same as what we earned with it. They
// stand apart from the revenue, which is what was invoiced.
const accrued = "accrued"

func unbilled(organisation string) string { return "unbilled:" + strings.ToLower(organisation) }

// OnAccount is a place that an organisation takes for somebody and pays with the others of the month. Account says whose places stand
// together: there is one order for each account and month. Price is that of one place, as it was agreed on for all of the account.
type OnAccount struct {
	Account      string
	Organisation string
	ContactID    string // of the organisation: who is written to about the order
	OfferID      string
	PersonID     string
	Lang         string
	Price        money.Amount
	DueDays      int // in which an invoice is to be paid
}

// Month is the order of an account and month.
type Month struct {
	OrderID   string     `json:"order" db:"order_id"`
	Account   string     `json:"-" db:"account"`
	First     time.Time  `json:"month" db:"month"` // its first day
	EndsAt    time.Time  `json:"ends_at" db:"ends_at"`
	DueDays   int        `json:"due_days" db:"due_days"`
	BilledAt  *time.Time `json:"billed_at,omitempty" db:"billed_at"`
	DroppedAt *time.Time `json:"-" db:"dropped_at"`
	Reminders int        `json:"reminders" db:"reminders"`

	// Known where they are listed.
	State      State          `json:"state" db:"state"`
	Places     int            `json:"places" db:"places"`
	PriceMinor int64          `json:"price_minor" db:"price_minor"`
	TotalMinor int64          `json:"total_minor" db:"total_minor"`
	Currency   money.Currency `json:"currency" db:"currency"`
	DueAt      *time.Time     `json:"due_at,omitempty" db:"due_at"`
	PaidAt     *time.Time     `json:"paid_at,omitempty" db:"paid_at"`
}

// Total is what the order costs, so far.
func (a Month) Total() money.Amount { return money.Of(a.TotalMinor, a.Currency) }

// until is until when an order can be, or is to be, paid.
func (o Order) until() *time.Time {
	if o.ExpiresAt == nil {
		return o.DueAt
	}
	return o.ExpiresAt
}

// AgreedPriceTx is what an organisation pays for one place of an offer now: what it agrees on where it is invoiced by the month. Errors:
// offers.ErrNoOffer, those of quotes.
func AgreedPriceTx(ctx context.Context, tx *postgres.Tx, organisation, offerID string) (money.Amount, error) {
	items, err := wantedOf(ctx, tx, []Item{{offerID, 1}})
	if err != nil {
		return money.Amount{}, err
	}
	p, err := pricingOf(ctx, tx, PlaceOrder{Organisation: organisation}, items)
	if err == nil {
		err = p.count(ctx, tx, "", "")
	}
	if err != nil {
		return money.Amount{}, err
	}
	quoted, err := p.quote(tx, items)
	return quoted.Total, err
}

// TakeOnAccountTx enrols a person with a place of the account's order of this month, which is made where there is none. The actor must be
// "system". Errors: offers.ErrNotValid, ErrClosed, ErrEditionClosed, ErrSoldOut, ErrQuota, ErrEnrolled, ErrOpenAlready.
func (s *Service) TakeOnAccountTx(ctx context.Context, tx *postgres.Tx, c OnAccount) (x Seat, err error) {
	items, err := wantedOf(ctx, tx, []Item{{c.OfferID, 1}})
	if err != nil {
		return x, err
	}
	w := &items[0]
	if err := w.offer.ValidAt(tx.Now()); err != nil {
		return x, err
	}
	if w.on, err = thingOf(ctx, tx, w.offer); err != nil {
		return x, err
	}
	if err := w.on.openAt(tx.Now()); err != nil {
		return x, err
	}
	person, err := identity.PersonTx(ctx, tx, c.PersonID)
	if err != nil {
		return x, err
	}
	o, a, err := s.accountOrder(ctx, tx, c)
	if err != nil {
		return x, err
	}
	row, err := queueNear(ctx, tx, nearItems(items))
	if err != nil {
		return x, err
	}
	if err := lockLimits(ctx, tx, items, row.locks()); err != nil {
		return x, err
	}
	if _, err := s.serve(ctx, tx, row, ""); err != nil { // nobody overtakes who waits
		return x, err
	}
	if err := takeSeats(ctx, tx, Order{Organisation: c.Organisation}, items); err != nil {
		return x, err
	}
	if o.ID != "" {
		o, err = s.grow(ctx, tx, o, 1)
	} else {
		o, err = s.openAccount(ctx, tx, c, a, *w)
	}
	if err != nil {
		return x, err
	}
	p, err := placeOf(ctx, tx, o, 1)
	if err != nil {
		return x, err
	}
	return s.give(ctx, tx, &p, person, nil, "")
}

// accountOrder holds an account, and finds the order of this month; one without an id where there is none.
func (s *Service) accountOrder(ctx context.Context, tx *postgres.Tx, c OnAccount) (o Order, a Month, err error) {
	a = Month{Account: c.Account, DueDays: c.DueDays}
	if a.First, a.EndsAt, err = s.monthOf(ctx, tx, c); err != nil {
		return o, a, err
	}
	if _, err := tx.Exec(ctx, q.Q("LockAccount"), c.Account); err != nil {
		return o, a, err
	}
	err = tx.Get(ctx, &a.OrderID, q.Q("AccountOfMonth"), a.Account, a.First)
	if errors.Is(err, sql.ErrNoRows) {
		return o, a, nil
	}
	if err == nil {
		o, err = one(ctx, tx, "Lock", a.OrderID)
	}
	return o, a, err
}

// openAccount makes the order of a month, with one place that nobody has.
func (s *Service) openAccount(ctx context.Context, tx *postgres.Tx, c OnAccount, a Month, w wanted) (o Order, err error) {
	o = Order{
		ID: ident.New("ord"), BuyerID: c.ContactID, Organisation: c.Organisation, Way: Transfer, State: Accruing, Lang: c.Lang, Demo: s.payments.Demo(), PlacedAt: tx.Now(),
	}
	quoted := Quotation{Currency: c.Price.Currency, Total: c.Price, Lines: []offers.Quoted{{List: c.Price, Discount: money.Zero(c.Price.Currency), Total: c.Price}}}
	if err := o.freeze(ctx, tx, []wanted{w}, quoted); err != nil {
		return o, err
	}
	if err := add(ctx, tx, o); err != nil {
		return o, err
	}
	if _, err := tx.Exec(ctx, q.Q("AddAccount"), o.ID, a.Account, a.First, a.EndsAt, a.DueDays); err != nil {
		return o, err
	}
	return o, audit.AppendTx(ctx, tx, audit.Entry{Action: "account.opened", Object: o.ID, Detail: map[string]any{
		"account": c.Account, "organisation": c.Organisation, "month": a.First.Format("2006-01"), "price": c.Price}})
}

// monthOf is the month that it is where the issuer of an account is, by its first day, and when it ends.
func (s *Service) monthOf(ctx context.Context, tx *postgres.Tx, c OnAccount) (first, ends time.Time, err error) {
	zone, err := invoicing.ZoneTx(ctx, tx, s.issuer, invoicing.NewDocument{Organisation: c.Organisation, Lines: []invoicing.NewLine{{OfferID: c.OfferID}}})
	if err != nil {
		return first, ends, err
	}
	y, m, _ := tx.Now().In(zone).Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), time.Date(y, m+1, 1, 0, 0, 0, 0, zone).UTC(), nil
}

// grow gives an order that collects its month some places more, or fewer; it reads the order again.
func (s *Service) grow(ctx context.Context, tx *postgres.Tx, o Order, places int) (Order, error) {
	l := o.Lines[0]
	l.Total = l.List
	ids, weights := make([]string, len(l.Parts)), make([]int64, len(l.Parts))
	for i, p := range l.Parts {
		ids[i], weights[i] = p.SessionID, p.Weight
	}
	share, err := split(l, ids, weights)
	if err != nil {
		return o, err
	}
	positions, minors := make([]int64, len(share)), make([]int64, len(share))
	for i, p := range share {
		positions[i], minors[i] = int64(l.Parts[i].Position), p.Sold
	}
	if _, err := tx.Exec(ctx, q.Q("GrowAccount"), o.ID, places, pq.Array(positions), pq.Array(minors)); err != nil {
		return o, err
	}
	return one(ctx, tx, "Lock", o.ID)
}

// shrink takes a place that nobody has any more off the order of a month; with the last one there is nothing to bill.
func (s *Service) shrink(ctx context.Context, tx *postgres.Tx, o Order) error {
	o, err := one(ctx, tx, "Lock", o.ID)
	if err != nil {
		return err
	}
	if o.Lines[0].Quantity > 1 {
		o, err = s.grow(ctx, tx, o, -1)
		if err != nil {
			return err
		}
		return s.freedBy(ctx, tx, o, "")
	}
	if _, err := tx.Exec(ctx, q.Q("DropAccount"), o.ID, tx.Now()); err != nil {
		return err
	}
	if err := s.move(ctx, tx, &o, Canceled); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "account.dropped", Object: o.ID})
}

// accrue notes that an organisation will be invoiced for a place, or not any more.
func accrue(ctx context.Context, tx *postgres.Tx, o Order, reference, kind string, parts []Part, forth bool) error {
	p := ledger.Posting{Reference: reference, Kind: kind, Currency: o.Total.Currency, OccurredAt: tx.Now()}
	for _, x := range parts {
		minor := x.Sold
		if !forth {
			minor = -minor
		}
		if minor != 0 {
			p.Entries = append(p.Entries, ledger.Entry{Account: unbilled(o.Organisation), Minor: minor, OrderID: o.ID, EnrolmentID: x.EnrolmentID},
				ledger.Entry{Account: accrued, Minor: -minor, OrderID: o.ID, EnrolmentID: x.EnrolmentID})
		}
	}
	if p.Entries == nil {
		return nil
	}
	return ledger.PostTx(ctx, tx, p)
}

// collects refuses to take a place back from an order of a month that is over, though it may not be billed yet. Other orders are none of its
// business. Error: ErrInvoiced.
func collects(ctx context.Context, tx *postgres.Tx, o Order) error {
	if o.State != Accruing {
		return nil
	}
	var a Month
	if err := tx.Get(ctx, &a, q.Q("AccountOf"), o.ID); err != nil {
		return err
	}
	if !tx.Now().Before(a.EndsAt) {
		return ErrInvoiced
	}
	return nil
}

// MonthTx is the month of an order; false where it is none of an account.
func MonthTx(ctx context.Context, tx *postgres.Tx, orderID string) (a Month, found bool, err error) {
	if err = tx.Get(ctx, &a, q.Q("AccountOf"), orderID); errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	return a, err == nil, err
}

// MonthsTx lists the orders of an account, the newest month first, ten years of them at most.
func MonthsTx(ctx context.Context, tx *postgres.Tx, account string) (all []Month, err error) {
	all = []Month{}
	err = tx.Select(ctx, &all, q.Q("AccountsOf"), account)
	return all, err
}
