// Package sales turns offers into an order, and an order into enrolments.
//
// An order freezes what was quoted. When a provider's event says that the money is there, one transaction writes payment,
// ledger, order, enrolment, journey and invoice, and enqueues what follows: paid without enrolled cannot exist. An order
// that costs nothing is fulfilled in the transaction that places it.
package sales

import (
	"context"
	_ "embed"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("sales", queriesSQL)

// Every fault of this room.
var (
	ErrNoOrder       = fault.New(fault.NotFound, "no-such-order", "There is no such order.")
	ErrEnrolled      = fault.New(fault.Conflict, "already-enrolled", "You have what this offer opens already.")
	ErrClosed        = fault.New(fault.Unprocessable, "session-not-open", "This session cannot be joined now.")
	ErrEditionClosed = fault.New(fault.Unprocessable, "edition-not-open", "This program cannot be joined now.")
	ErrOpenAlready   = fault.New(fault.Conflict, "order-open-already", "One of these is in an order that waits for its payment. Pay or cancel that one first.")
	ErrTwice         = fault.New(fault.Unprocessable, "session-twice", "Two items of this order open the same session.")
	ErrCurrencies    = fault.New(fault.Unprocessable, "one-currency", "The items of an order have one currency.")
	ErrNotPaid       = fault.New(fault.Conflict, "order-not-paid", "Nothing was paid for this order, or it was given back already.")
	ErrNotPayable    = fault.New(fault.Conflict, "order-not-payable", "This order does not wait for a payment on a pay page.")
	ErrNotPayableYet = fault.New(fault.Conflict, "order-not-payable-yet", "The law allows this order to be paid only when the time to withdraw is over.")
	ErrNoWithdrawal  = fault.New(fault.Conflict, "no-withdrawal", "This order cannot be withdrawn from.")
	ErrNoLine        = fault.New(fault.Invalid, "no-such-line", "The order has no such line.")
	errNotInLife     = fault.New(fault.Internal, "bad-order-move", "An order was to move where its table does not lead.")
)

func init() {
	postgres.RegisterConstraint("never_credited_more_than_sold", payments.ErrTooMuch)
	postgres.RegisterConstraint("never_credited_more_than_its_line", payments.ErrTooMuch)
	postgres.RegisterConstraint("never_credited_more_than_its_share", payments.ErrTooMuch)
	postgres.RegisterConstraint("session_once_in_an_order", ErrTwice)
}

// OrderPaid says that an order was fulfilled: paid, enrolled and invoiced.
type OrderPaid struct {
	OrderID string `json:"order_id"`
}

// Kind names the job.
func (OrderPaid) Kind() string { return "sales.order_paid" }

// OrderReversed says that everything that an order brought was given back or lost, and its enrolment revoked.
type OrderReversed struct {
	OrderID     string   `json:"order_id"`
	EnrolmentID string   `json:"enrolment_id,omitempty"` // in jobs that are older than programs
	Enrolments  []string `json:"enrolments,omitempty"`
	Reason      string   `json:"reason"`
}

// Kind names the job.
func (OrderReversed) Kind() string { return "sales.order_reversed" }

// OrderContested says that the bank asks for the money of an order, or no longer does: what is earned with it waits meanwhile.
type OrderContested struct {
	OrderID string `json:"order_id"`
}

// Kind names the job.
func (OrderContested) Kind() string { return "sales.order_contested" }

// Service is the room.
type Service struct {
	db       *postgres.DB
	jobs     *jobs.Jobs
	payments *payments.Service
	replies  *idempotency.Store
	issuer   invoicing.Issuer
	alone    map[string]int64
	holds    Holds
	dunning  Dunning
	retaking Retaking // nil until RetakeWith
}

// Options of New.
type Options struct {
	Issuer      invoicing.Issuer // writes the invoices
	RefundAlone map[string]int64 // up to how much one person gives back alone, in minor units by currency; more takes two, and a currency that is not there has no limit
	Holds       Holds
	Dunning     Dunning
}

// New opens the room.
func New(db *postgres.DB, j *jobs.Jobs, p *payments.Service, o Options) *Service {
	return &Service{db: db, jobs: j, payments: p, replies: idempotency.New(db), issuer: o.Issuer, alone: o.RefundAlone, holds: o.Holds.orUsual(), dunning: o.Dunning.orUsual()}
}

// OrderTx finds an order by id, as far as the actor may see it.
func OrderTx(ctx context.Context, tx *postgres.Tx, id string) (Order, error) {
	return one(ctx, tx, "One", id)
}

func one(ctx context.Context, tx *postgres.Tx, statement string, args ...any) (Order, error) {
	var rows []row
	if err := tx.Select(ctx, &rows, q.Q(statement), args...); err != nil {
		return Order{}, err
	}
	if len(rows) == 0 {
		return Order{}, ErrNoOrder
	}
	return ordersOf(rows)[0], nil
}

// Order finds an order, as far as the actor may see it, with what can be done with it.
func (s *Service) Order(ctx context.Context, id string) (o Order, err error) {
	err = s.db.View(ctx, "order", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if o, err = OrderTx(ctx, tx, id); err != nil || !o.invoiced() || o.Total.IsZero() {
			return err
		}
		o.InvoiceNumber, err = invoicing.NumberTx(ctx, tx, id)
		return err
	})
	if err != nil {
		return o, err
	}
	all := []Order{o}
	if err = s.advise(ctx, all); err == nil {
		err = s.account(ctx, &all[0])
	}
	return all[0], err
}

// advise says of orders what can be done with them, and the numbers of their invoices that their reader does not see herself.
func (s *Service) advise(ctx context.Context, orders []Order) error {
	if err := s.numbers(ctx, orders); err != nil {
		return err
	}
	return s.say(ctx, orders)
}

// say says of orders what can be done with them, in as many statements however many they are. Payments are the house's to read, not the buyer's.
func (s *Service) say(ctx context.Context, orders []Order) error {
	var open []string
	for _, o := range orders {
		if (o.State == AwaitingPayment || o.State == Billed) && o.PaymentID != "" {
			open = append(open, o.PaymentID)
		}
	}
	var standing []Order
	for _, o := range orders {
		if o.mayMove() {
			standing = append(standing, o)
		}
	}
	byID, begun := map[string]payments.Payment{}, map[string]bool{}
	if len(open) > 0 || len(standing) > 0 || slices.ContainsFunc(orders, func(o Order) bool { return o.Way == Instalments }) {
		if err := s.db.View(postgres.WithActor(ctx, "system"), "open payments", func(ctx context.Context, tx *postgres.Tx) (err error) {
			if byID, err = payments.SomeTx(ctx, tx, open); err != nil {
				return err
			}
			for i := range orders {
				orders[i].Schedule = nil // a transaction may be repeated
			}
			if begun, err = begunTx(ctx, tx, standing...); err != nil {
				return err
			}
			return schedulesTx(ctx, tx, orders)
		}); err != nil {
			return err
		}
	}
	for i := range orders {
		p := byID[orders[i].PaymentID]
		orders[i].PayURL, orders[i].fixed = p.PayURL, orders[i].fixedBy(begun)
		orders[i].decide(s.db.Now(), p.State, s.payments.Site(""))
		orders[i].tellHow(p)
	}
	return nil
}

// numbers adds those of the invoices of organisations: a document is that of who placed its order, its number is every manager's.
func (s *Service) numbers(ctx context.Context, orders []Order) error {
	for i := range orders {
		o := &orders[i]
		if !o.Pool() || !o.invoiced() || o.InvoiceNumber != "" || o.Total.IsZero() {
			continue
		}
		if err := s.db.View(postgres.WithActor(ctx, "system"), "number of an invoice", func(ctx context.Context, tx *postgres.Tx) (err error) {
			o.InvoiceNumber, err = invoicing.NumberTx(ctx, tx, o.ID)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// decide says what can be done with an order whose payment is in a state.
func (o *Order) decide(now time.Time, payment payments.State, site string) {
	s := standing{state: o.State, payment: payment, payURL: o.PayURL, free: o.Total.IsZero(), openTill: o.until(), now: now, fixed: o.fixed}
	if o.Schedule != nil {
		s.asking = o.Schedule.Asking() != nil
		s.owing = o.Schedule.Next() != nil
	}
	o.Next, o.Actions = decide(s)
	if o.Schedule != nil && o.State.inForce() {
		o.tellOwed(site)
	}
	if o.Pool() {
		o.Next, o.Actions = ofPool(o.State, o.Next, o.Actions)
	}
}

// Orders lists the orders of a buyer, as far as the actor may see them, the newest first, and the key after which the list
// goes on.
func (s *Service) Orders(ctx context.Context, buyerID string, r page.Request) (out []Order, next string, err error) {
	return s.list(ctx, "List", buyerID, r)
}

func (s *Service) list(ctx context.Context, statement, of string, r page.Request) (out []Order, next string, err error) {
	err = s.db.View(ctx, "orders", func(ctx context.Context, tx *postgres.Tx) error {
		var rows []row
		if err := tx.Select(ctx, &rows, q.Q(statement), of, r.After, r.Limit+1); err != nil {
			return err
		}
		out, next = ordersOf(rows), ""
		if len(out) > r.Limit {
			out, next = out[:r.Limit], out[r.Limit-1].ID
		}
		for i := range out {
			o := &out[i]
			if o.invoiced() && !o.Total.IsZero() {
				if o.InvoiceNumber, err = invoicing.NumberTx(ctx, tx, o.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		err = s.advise(ctx, out)
	}
	return out, next, err
}

// DemoTx says of which sessions anything was ordered through a sandbox by an instant; nil is now.
func DemoTx(ctx context.Context, tx *postgres.Tx, by *time.Time, sessions ...string) (demo []string, err error) {
	err = tx.Select(ctx, &demo, q.Q("Demo"), pq.Array(sessions), by)
	return demo, err
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "2", Name: "an order's total less what was credited is what we hold or are owed", Query: q.Q("CheckOrdersBalance")},
		{Invariant: "22", Name: "an order that ended without being paid says when", Query: q.Q("CheckClosed")},
		{Invariant: "5", Name: "a paid order was paid in full", Query: q.Q("CheckPaidInFull")},
		{Invariant: "9", Name: "each session of a paid order has its enrolment and grant", Query: q.Q("CheckPaidEnrolled")},
		{Invariant: "9", Name: "a paid line on an edition has its membership", Query: q.Q("CheckPaidMember")},
		{Invariant: "9", Name: "parts sum to their line, lines to their order", Query: q.Q("CheckPartsSum")},
		{Invariant: "9", Name: "the parts of an enrolment, and what nobody has claimed, are what the ledger says of them", Query: q.Q("CheckPartsLedger")},
		{Invariant: "18", Name: "what was kept of a sale stands with those to whom it was sold", Query: q.Q("CheckKept")},
		{Invariant: "11", Name: "no offer was sold more often than its quota", Query: q.Q("CheckQuota")},
		{Invariant: "11", Name: "places are offered in the order of joining", Query: q.Q("CheckRowOrder")},
		{Invariant: "11", Name: "what is sold and what is kept for who waited are not more than there is", Query: q.Q("CheckPlacesKept")},
		{Invariant: "11", Name: "who took a place that was kept ordered what she waited for", Query: q.Q("CheckPlacesTaken")},
		{Invariant: "11", Name: "no voucher was used more often than its limits", Query: q.Q("CheckVoucherLimits")},
		{Invariant: "12", Name: "what a voucher took off stands in its line", Query: q.Q("CheckRedemptions")},
		{Invariant: "10", Name: "no paid grant is in force on a refunded or lost order", Query: q.Q("CheckNoGrantOnReversed")},
		{Invariant: "10", Name: "who withdrew has nothing open, and her money is on its way", Query: q.Q("CheckWithdrawn")},
		{Invariant: "12", Name: "the amount asked for is the price quoted", Query: q.Q("CheckPriceQuoted")},
		{Invariant: "17", Name: "every captured order has its invoice, every refund its credit note", Query: q.Q("CheckInvoiced")},
		{Invariant: "9", Name: "seats that were given are not more than were bought", Query: q.Q("CheckSeatsGiven")},
		{Invariant: "9", Name: "a claimed seat has its enrolments and membership, and no other grant is an organisation's", Query: q.Q("CheckSeatsEnrolled")},
		{Invariant: "9", Name: "only a claimed seat has money, and all claimed leave none to the pool", Query: q.Q("CheckSeatsMoney")},
		{Invariant: "9", Name: "the money of seats that were given back is back or on its way", Query: q.Q("CheckSeatsReturned")},
		{Invariant: "10", Name: "nobody has two seats of the same", Query: q.Q("CheckSeatTwice")},
		{Invariant: "10", Name: "seats are those of an organisation's order that stands", Query: q.Q("CheckSeatsStand")},
		{Invariant: "10", Name: "a place that was given to somebody else is hers, and its buyer's no more", Query: q.Q("CheckTransferred")},
		{Invariant: "2", Name: "instalments sum to their order; what was paid and is owed of them is what the ledger says", Query: q.Q("CheckInstalments")},
		{Invariant: "2", Name: "each instalment that is paid has its payment", Query: q.Q("CheckInstalmentsPaid")},
		{Invariant: "10", Name: "access is held back while an instalment is in default, as its plan says, and no longer", Query: q.Q("CheckHeldBack")},
		{Invariant: "17", Name: "who is in at the end of a month stands in the one order of it, which says so many as there are", Query: q.Q("CheckAccounts")},
		{Invariant: "2", Name: "what stands as unbilled are the orders that collect places", Query: q.Q("CheckUnbilled")},
		{Invariant: "18", Name: "the order of every ledger entry exists", Query: q.Q("CheckLedgerOrders")},
	}
}
