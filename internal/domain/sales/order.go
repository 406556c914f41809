package sales

import (
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
	Refunded          State = "refunded"
	Disputed          State = "disputed" // the bank took the money back for now
	Lost              State = "lost"     // and kept it
)

// Life is every move that an order can make.
var Life = lifecycle.Table[State]{Name: "order", Start: AwaitingPayment, Moves: map[State][]State{
	AwaitingPayment:   {Paid, Expired, Canceled, PaymentMismatch},
	Paid:              {PartiallyRefunded, Refunded, Disputed, Lost},
	PartiallyRefunded: {PartiallyRefunded, Refunded, Disputed, Lost},
	Disputed:          {Paid, PartiallyRefunded, Refunded, Lost},
}}

// Order is what a learner buys: one formula of one session, or of one edition of a program, at the price that was quoted. The
// other of the two is empty.
type Order struct {
	ID            string
	BuyerID       string
	OfferID       string
	SessionID     string
	SessionKey    string
	EditionID     string
	EditionKey    string
	Version       int          // of the program, as it was promised; 0 with a session
	Title         catalog.Text // of what is bought, as it is called now
	Formula       string
	Entitlements  []string
	Qualifying    bool
	Total         money.Amount
	Credited      money.Amount // given back so far
	State         State
	Lang          string
	Demo          bool
	EnrolmentID   string // of an order for a session; those of an edition are in its Parts
	MembershipID  string // of an order for an edition
	PaymentID     string
	PayURL        string // while it can be paid
	InvoiceNumber string
	PlacedAt      time.Time
	ExpiresAt     *time.Time
	PaidAt        *time.Time
	superseded    bool // another paid order opens the same; known when the order was locked
}

type row struct {
	ID            string         `db:"id"`
	BuyerID       string         `db:"buyer_id"`
	OfferID       string         `db:"offer_id"`
	SessionID     string         `db:"session_id"`
	SessionKey    string         `db:"session_key"`
	EditionID     string         `db:"edition_id"`
	EditionKey    string         `db:"edition_key"`
	Version       int            `db:"program_version"`
	TitleEN       string         `db:"title_en"`
	TitleFR       string         `db:"title_fr"`
	Formula       string         `db:"formula"`
	Entitlements  pq.StringArray `db:"entitlements"`
	Qualifying    bool           `db:"qualifying"`
	TotalMinor    int64          `db:"total_minor"`
	Currency      string         `db:"currency"`
	CreditedMinor int64          `db:"credited_minor"`
	State         string         `db:"state"`
	Lang          string         `db:"lang"`
	Demo          bool           `db:"demo"`
	EnrolmentID   string         `db:"enrolment_id"`
	MembershipID  string         `db:"membership_id"`
	PaymentID     string         `db:"payment_id"`
	PlacedAt      time.Time      `db:"placed_at"`
	ExpiresAt     *time.Time     `db:"expires_at"`
	PaidAt        *time.Time     `db:"paid_at"`
	Superseded    bool           `db:"superseded"`
}

func (r row) order() Order {
	c := money.Currency(r.Currency)
	return Order{
		ID: r.ID, BuyerID: r.BuyerID, OfferID: r.OfferID, SessionID: r.SessionID, SessionKey: r.SessionKey, EditionID: r.EditionID,
		EditionKey: r.EditionKey, Version: r.Version, Title: catalog.Text{EN: r.TitleEN, FR: r.TitleFR}, Formula: r.Formula, MembershipID: r.MembershipID,
		Entitlements: r.Entitlements, Qualifying: r.Qualifying, Total: money.Of(r.TotalMinor, c), Credited: money.Of(r.CreditedMinor, c),
		State: State(r.State), Lang: r.Lang, Demo: r.Demo, EnrolmentID: r.EnrolmentID, PaymentID: r.PaymentID,
		PlacedAt: r.PlacedAt, ExpiresAt: r.ExpiresAt, PaidAt: r.PaidAt, superseded: r.Superseded,
	}
}
