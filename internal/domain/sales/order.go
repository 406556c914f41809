package sales

import (
	"fmt"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/kernel/money"
)

// State is where an order stands.
type State string

// The states of an order.
const (
	AwaitingPayment   State = "awaiting_payment"
	Paid              State = "paid"
	Expired           State = "expired"
	Canceled          State = "canceled"
	PaymentMismatch   State = "payment_mismatch" // another amount came than was asked for; a person decides
	PartiallyRefunded State = "partially_refunded"
	Withdrawn         State = "withdrawn" // its buyer left the contract in time; what she owes for what was provided is kept
	Refunded          State = "refunded"
	Disputed          State = "disputed"  // the bank took the money back for now
	Lost              State = "lost"      // and kept it
	Accruing          State = "accruing"  // the account of an organisation collects the places of a month; its learners are enrolled
	Billed            State = "billed"    // the month is over: it was invoiced, and waits for its payment
	Defaulted         State = "defaulted" // an instalment was not paid for so long that the contract ended; what was paid is kept
)

// Life is every move that an order can make.
var Life = lifecycle.Table[State]{Name: "order", Start: AwaitingPayment, Moves: map[State][]State{
	AwaitingPayment:   {Paid, Expired, Canceled, PaymentMismatch},
	Accruing:          {Billed, Paid, Canceled}, // paid where it costs nothing, canceled where nobody remained
	Billed:            {Paid},
	Paid:              {PartiallyRefunded, Withdrawn, Refunded, Disputed, Lost, Defaulted},
	PartiallyRefunded: {PartiallyRefunded, Withdrawn, Refunded, Disputed, Lost, Defaulted},
	Withdrawn:         {Refunded, Lost},
	Defaulted:         {Refunded, Lost},
	Disputed:          {Paid, PartiallyRefunded, Refunded, Lost},
}}

// Way is how an order is paid.
type Way string

// The ways to pay that this room knows itself.
const (
	Free Way = "free"
	Card Way = "card" // the provider's pay page, whatever method is chosen there
)

// AllWays are all ways to pay that an order may name.
var AllWays = []Way{Card, Free, Desk, Transfer, PurchaseOrder, Instalments}

// Order is what somebody buys in one go: lines in one currency, at the prices that were quoted.
type Order struct {
	ID             string
	BuyerID        string
	PlacedBy       string // of staff who ordered on behalf of the buyer; empty: she did herself
	Organisation   string // key of the organisation that buys; empty: the buyer does, for herself
	Way            Way
	Lines          []Line // never none
	Total          money.Amount
	Credited       money.Amount // given back so far
	State          State
	Lang           string
	Demo           bool
	PaymentID      string
	PayURL         string // while it can be paid
	InvoiceNumber  string
	PlacedAt       time.Time
	ExpiresAt      *time.Time
	PaidAt         *time.Time
	ClosedAt       *time.Time // when it ended without being paid
	DueAt          *time.Time // of one that was billed: until when it is to be paid
	Next           Next       // what the buyer has to do
	Actions        []Action   // what can be done with it
	Schedule       *Schedule  // of one that is paid in instalments; known where it says what to do next
	means          string     // in which its money really came; documents say so
	payReference   string     // for the buyer to quote
	buyerReference string
	fixed          string // why none of its places can be given to somebody else; known when it is advised
	superseded     bool   // other paid orders open the same; known when the order was locked
}

// Line is one formula of one session, or of one edition of a program, in an order. The other of the two is empty.
type Line struct {
	N            int // from 1
	OfferID      string
	SessionID    string
	SessionKey   string
	EditionID    string
	EditionKey   string
	Version      int          // of the program, as it was promised; 0 with a session
	Title        catalog.Text // of what is bought, as it is called now
	Formula      string
	Entitlements []string
	Qualifying   bool
	Quantity     int
	List         money.Amount // of one
	Discount     money.Amount // off the whole line
	Reason       string       // of the discount
	PriceID      string       // of the price that was quoted, known when it is placed; empty: the offer's own
	Total        money.Amount // Quantity × List − Discount
	Credited     money.Amount
	MembershipID string // of a line on an edition that its buyer follows
	HolderID     string // to whom the buyer gave the place; empty: she has it
	Parts        []Part // of the line itself, without those of seats that were claimed of it
}

// Enrolment is the enrolment of a line on a session; empty while there is none, or several.
func (l Line) Enrolment() string {
	if l.EditionID != "" {
		return ""
	}
	return l.Parts[0].EnrolmentID
}

// paidFor says whether the line makes a paying learner of its buyer.
func (l Line) paidFor() bool { return l.Qualifying && !l.Total.IsZero() }

// invoiced says whether the order has its invoice, if it costs anything.
func (o Order) invoiced() bool { return o.PaidAt != nil || o.State == Billed }

// Pool says whether the seats of the order are claimed by others than its buyer.
func (o Order) Pool() bool { return o.Organisation != "" }

// Seats counts what was bought, over all lines.
func (o Order) Seats() (n int) {
	for _, l := range o.Lines {
		n += l.Quantity
	}
	return n
}

// Title names what is bought: the first line, and how many others there are.
func (o Order) Title() catalog.Text {
	t, n := o.Lines[0].Title, len(o.Lines)-1
	if n == 0 {
		return t
	}
	return catalog.Text{EN: fmt.Sprintf("%s and %d more", t.In("en"), n), FR: fmt.Sprintf("%s et %d de plus", t.In("fr"), n)}
}

// Enrolments lists what the order opened to its buyer.
func (o Order) Enrolments() (ids []string) {
	for _, l := range o.Lines {
		for _, p := range l.Parts {
			if p.EnrolmentID != "" {
				ids = append(ids, p.EnrolmentID)
			}
		}
	}
	return ids
}

// row is an order with one part of one of its lines; an order is read as all of its rows.
type row struct {
	ID            string     `db:"id"`
	BuyerID       string     `db:"buyer_id"`
	PlacedBy      string     `db:"placed_by"`
	Organisation  string     `db:"organisation"`
	Way           string     `db:"way"`
	TotalMinor    int64      `db:"total_minor"`
	Currency      string     `db:"currency"`
	CreditedMinor int64      `db:"credited_minor"`
	State         string     `db:"state"`
	Lang          string     `db:"lang"`
	Demo          bool       `db:"demo"`
	PaymentID     string     `db:"payment_id"`
	PlacedAt      time.Time  `db:"placed_at"`
	ExpiresAt     *time.Time `db:"expires_at"`
	PaidAt        *time.Time `db:"paid_at"`
	ClosedAt      *time.Time `db:"closed_at"`
	DueAt         *time.Time `db:"due_at"`
	Superseded    bool       `db:"superseded"`

	N            int            `db:"line"`
	OfferID      string         `db:"offer_id"`
	SessionID    string         `db:"session_id"`
	SessionKey   string         `db:"session_key"`
	EditionID    string         `db:"edition_id"`
	EditionKey   string         `db:"edition_key"`
	Version      int            `db:"program_version"`
	TitleEN      string         `db:"title_en"`
	TitleFR      string         `db:"title_fr"`
	Formula      string         `db:"formula"`
	Entitlements pq.StringArray `db:"entitlements"`
	Qualifying   bool           `db:"qualifying"`
	Quantity     int            `db:"quantity"`
	List         int64          `db:"list_minor"`
	Discount     int64          `db:"discount_minor"`
	Reason       string         `db:"discount_reason"`
	LineMinor    int64          `db:"line_minor"`
	LineCredited int64          `db:"line_credited"`
	MembershipID string         `db:"membership_id"`
	HolderID     string         `db:"holder_id"`

	Position     int    `db:"position"`
	PartSession  string `db:"part_session"`
	Weight       int64  `db:"weight"`
	EnrolmentID  string `db:"enrolment_id"`
	Sold         int64  `db:"sold_minor"`
	PartCredited int64  `db:"part_credited"`
}

func (r row) order() Order {
	c := money.Currency(r.Currency)
	return Order{
		ID: r.ID, BuyerID: r.BuyerID, PlacedBy: r.PlacedBy, Organisation: r.Organisation, Way: Way(r.Way), Total: money.Of(r.TotalMinor, c),
		Credited: money.Of(r.CreditedMinor, c), State: State(r.State), Lang: r.Lang, Demo: r.Demo, PaymentID: r.PaymentID,
		PlacedAt: r.PlacedAt, ExpiresAt: r.ExpiresAt, PaidAt: r.PaidAt, ClosedAt: r.ClosedAt, DueAt: r.DueAt, superseded: r.Superseded,
	}
}

func (r row) lineOf() Line {
	c := money.Currency(r.Currency)
	return Line{
		N: r.N, OfferID: r.OfferID, SessionID: r.SessionID, SessionKey: r.SessionKey, EditionID: r.EditionID, EditionKey: r.EditionKey, Version: r.Version,
		Title: catalog.Text{EN: r.TitleEN, FR: r.TitleFR}, Formula: r.Formula, Entitlements: r.Entitlements, Qualifying: r.Qualifying, Quantity: r.Quantity,
		List: money.Of(r.List, c), Discount: money.Of(r.Discount, c), Reason: r.Reason, Total: money.Of(r.LineMinor, c), Credited: money.Of(r.LineCredited, c),
		MembershipID: r.MembershipID, HolderID: r.HolderID,
	}
}

// ordersOf folds rows, which come sorted by order, line and part.
func ordersOf(rows []row) (out []Order) {
	for _, r := range rows {
		if n := len(out); n == 0 || out[n-1].ID != r.ID {
			out = append(out, r.order())
		}
		o := &out[len(out)-1]
		if n := len(o.Lines); n == 0 || o.Lines[n-1].N != r.N {
			o.Lines = append(o.Lines, r.lineOf())
		}
		l := &o.Lines[len(o.Lines)-1]
		l.Parts = append(l.Parts, Part{Line: r.N, Position: r.Position, SessionID: r.PartSession, Weight: r.Weight, EnrolmentID: r.EnrolmentID, Sold: r.Sold, Credited: r.PartCredited})
	}
	return out
}
