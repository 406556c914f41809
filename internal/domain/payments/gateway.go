package payments

import (
	"context"
	"encoding/json"
	"time"

	"cursus/internal/kernel/money"
)

// Gateway is the door to a payment provider. It is called outside transactions only. Every call that creates something
// carries a key made from our own row id, so that a repeated call finds the first one's result.
type Gateway interface {
	// Name is the provider's name in our book, "stripe".
	Name() string
	// Live says whether real money moves. The sandbox and test keys answer false.
	Live() bool
	// OpenCheckout opens a hosted pay page for one payment.
	OpenCheckout(ctx context.Context, r CheckoutRequest) (CheckoutSession, error)
	// ExpireCheckout closes a pay page that nobody needs any more. Closing a finished one is an error of kind Conflict.
	ExpireCheckout(ctx context.Context, sessionID, idempotencyKey string) error
	// OpenSetup opens a hosted page on which a buyer leaves her card, to be charged later; nothing is paid on it.
	OpenSetup(ctx context.Context, r SetupRequest) (CheckoutSession, error)
	// Charge takes an amount from a card that was kept, without its owner. A card that is refused is an answer, not an error; that the
	// money is there is said by an event.
	Charge(ctx context.Context, r ChargeRequest) (Charged, error)
	// Refund gives money back on a captured payment.
	Refund(ctx context.Context, r RefundRequest) (ProviderRefund, error)
	// ReadEvent checks the signature over the raw bytes and reads the event. A bad signature is a fault of kind
	// Unauthenticated; bytes that are not an event are of kind Invalid.
	ReadEvent(raw []byte, signature string, now time.Time) (ProviderEvent, error)
	// Fact turns a stored event's payload into what it says about our payments; false when it says nothing of interest.
	Fact(e ProviderEvent) (Fact, bool, error)
	// EventsSince lists the events created at or after t, oldest first, for what the webhook missed.
	EventsSince(ctx context.Context, t time.Time) ([]ProviderEvent, error)
	// Book is the provider's own record of our payments.
	Book(ctx context.Context) ([]Charge, error)
	// Balance lists what moved the provider's balance from an instant until before another (the zero time: no bound), oldest first: what payments
	// did, with the fees that were kept of them, and what the account did by itself.
	Balance(ctx context.Context, from, until time.Time) ([]Fee, []Movement, error)
}

// FeeKind is what a fee was taken of.
type FeeKind string

// What fees are taken of.
const (
	FeeOfCharge  FeeKind = "charge"
	FeeOfRefund  FeeKind = "refund"
	FeeOfDispute FeeKind = "dispute"
)

// Fee is what the provider kept for itself of one movement of its balance by a payment, which may be of another system on the same account.
type Fee struct {
	ID              string // the provider's, of the movement
	Kind            FeeKind
	PaymentID       string // ours; empty where the provider's object does not carry it
	PaymentIntentID string
	Amount          money.Amount // in the currency of the balance; negative where a fee came back; zero where none was kept
	Moved           int64        // what moved, in minor units of that currency, before the fee; negative where it went
	At              time.Time
}

// MovementKind is why the balance of a provider moved without a payment of ours.
type MovementKind string

// Why it moves.
const (
	MovedOut   MovementKind = "payout" // to our bank; back, where that took it not
	MovedFee   MovementKind = "fee"    // of the account: a month, a report, a conversion
	MovedOther MovementKind = "other"  // by another system on the same account, or by what we have no name for
)

// Movement is one of these.
type Movement struct {
	ID       string // the provider's
	Kind     MovementKind
	Currency money.Currency
	Minor    int64 // what moved before the fee; negative where it went
	Fee      int64 // kept of it
	At       time.Time
}

// Net is what the balance is more by it.
func (m Movement) Net() int64 { return m.Minor - m.Fee }

// Charge is what the provider's book says of one payment; Left of it is what it holds for us.
type Charge struct {
	PaymentID     string // ours
	Currency      money.Currency
	CapturedMinor int64
	RefundedMinor int64
	LostMinor     int64 // to disputes
}

// Left is captures − refunds − lost disputes.
func (c Charge) Left() int64 { return c.CapturedMinor - c.RefundedMinor - c.LostMinor }

// CheckoutRequest asks for a pay page. Keys: the payment's id is the client reference and metadata "payment_id".
type CheckoutRequest struct {
	PaymentID      string
	OrderID        string
	Description    string // what the learner reads on the pay page
	Email          string
	Amount         money.Amount
	Lang           string // en or fr
	SuccessURL     string
	CancelURL      string
	ExpiresAt      time.Time // provider's bounds apply: 30 min to 24 h from now
	KeepCard       bool      // cards only, and the provider keeps the one that pays, to be charged later
	CustomerID     string    // the provider's, whose card it will be; empty: the provider makes one
	IdempotencyKey string
}

// SetupRequest asks for a page on which a card is left for an order.
type SetupRequest struct {
	OrderID        string
	Email          string
	CustomerID     string // the provider's; empty: the provider makes one
	Currency       money.Currency
	Lang           string // en or fr
	SuccessURL     string
	CancelURL      string
	ExpiresAt      time.Time
	IdempotencyKey string
}

// ChargeRequest asks for an amount from a card that was kept.
type ChargeRequest struct {
	PaymentID            string
	OrderID              string
	Description          string
	Amount               money.Amount
	CustomerID, MethodID string // the provider's
	IdempotencyKey       string
	AskedLongAgo         bool // as of a refund
}

// Charged is what became of a charge. Declined is empty where the card was not refused: the money is there, or on its way.
type Charged struct {
	PaymentIntentID string
	Declined        string // the provider's code of why not, NeedsOwner where its owner has to confirm
}

// NeedsOwner is the code of a card whose bank wants its owner to confirm.
const NeedsOwner = "authentication_required"

// CardGone is our code of a card that the provider does not have any more, or that was never left.
const CardGone = "card_gone"

// CheckoutSession is the provider's open pay page.
type CheckoutSession struct {
	ID              string
	URL             string
	PaymentIntentID string // may be empty until it is paid
	ExpiresAt       time.Time
}

// RefundRequest asks for money back.
type RefundRequest struct {
	RefundID        string // our row
	PaymentID       string
	PaymentIntentID string
	Amount          money.Amount
	IdempotencyKey  string
	// It may have been asked so long ago that the provider has forgotten the key, which it keeps for a day: it is looked for first.
	AskedLongAgo bool
}

// ProviderRefund is the provider's refund.
type ProviderRefund struct {
	ID     string
	Status string // pending, succeeded, failed, canceled, requires_action
}

// ProviderEvent is one event as the provider sent it.
type ProviderEvent struct {
	ID         string
	Type       string
	APIVersion string
	CreatedAt  time.Time
	Live       bool
	Raw        json.RawMessage
	Idle       bool // by its own bytes it says nothing about our payments: it is kept, and nothing follows
}

// FactKind is what an event means for us, whatever the provider's name for it.
type FactKind string

// The facts that the book of payments understands.
const (
	FactCaptured      FactKind = "captured"       // the money is ours
	FactPending       FactKind = "pending"        // checkout done, a delayed method has not paid yet
	FactFailed        FactKind = "failed"         // a delayed method failed
	FactExpired       FactKind = "expired"        // the pay page closed unpaid
	FactRefunded      FactKind = "refunded"       // a refund succeeded, or exists and will
	FactRefundFailed  FactKind = "refund_failed"  // a refund that was announced did not reach the buyer
	FactInquiry       FactKind = "inquiry"        // the bank asks, and takes nothing
	FactInquiryClosed FactKind = "inquiry_closed" // and asks no more
	FactDisputeOpened FactKind = "dispute_opened" // the bank took the money back for now
	FactDisputeWon    FactKind = "dispute_won"    // and returned it
	FactDisputeLost   FactKind = "dispute_lost"   // or kept it
	FactCardKept      FactKind = "card_kept"      // a card was left for an order, without a payment
	FactUninteresting FactKind = "uninteresting"  // known, says nothing about our books
)

// Fact is the content of an event in our words. Amounts are the provider's own numbers in minor units of the currency.
type Fact struct {
	Kind            FactKind
	PaymentID       string // our id, from metadata or client reference; empty when the object does not carry it
	PaymentIntentID string
	CheckoutID      string
	RefundID        string // our refund row's id from metadata, empty for a refund made in the provider's dashboard
	ProviderRefund  string // the provider's refund id
	DisputeID       string
	Reason          string       // the bank's, of a dispute: fraudulent, product_not_received …
	AnswerBy        *time.Time   // until when the bank takes an answer to a dispute
	Amount          money.Amount // captured, refunded or disputed amount of this fact alone
	Method          string       // card, sepa_debit …

	OrderID              string    // of a card that was kept
	CustomerID, MethodID string    // the provider's ids of a card that its owner left
	LeftAt               time.Time // when she did
	Declined             string    // of a failure: the provider's code of why
}
