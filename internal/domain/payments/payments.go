// Package payments is the book of what came in and went back through payment providers.
//
// It keeps every event of a provider as it came, and for each payment how much was captured, given back and lost. It does
// not know what was sold: sales reads an event's fact and tells this room what to write, in one transaction with the order.
// The database refuses that more leaves a payment than came in.
package payments

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("payments", queriesSQL)

// State is how far a payment got.
type State string

// The states of a payment.
const (
	Created  State = "created" // ours alone so far
	Open     State = "open"    // the pay page is there
	Pending  State = "pending" // a delayed method has been chosen
	Captured State = "captured"
	Failed   State = "failed"
	Expired  State = "expired"
	Surplus  State = "surplus"  // money came that the order did not need; it is sent back
	Mismatch State = "mismatch" // another amount or currency came than was asked for
)

// Paid says whether money came in.
func (s State) Paid() bool { return s == Captured || s == Surplus || s == Mismatch }

// Payment is one attempt to pay one order.
type Payment struct {
	ID               string     `db:"id"`
	OrderID          string     `db:"order_id"`
	Provider         string     `db:"provider"`
	Demo             bool       `db:"demo"`
	AmountMinor      int64      `db:"amount_minor"`
	Currency         string     `db:"currency"`
	State            State      `db:"state"`
	Description      string     `db:"description"`
	Email            string     `db:"email"`
	Lang             string     `db:"lang"`
	CheckoutID       string     `db:"checkout_id"`
	IntentID         string     `db:"intent_id"`
	PayURL           string     `db:"pay_url"`
	Method           string     `db:"method"`
	ExpiresAt        time.Time  `db:"expires_at"`
	CapturedMinor    int64      `db:"captured_minor"`
	CapturedCurrency string     `db:"captured_currency"`
	RefundedMinor    int64      `db:"refunded_minor"`
	LostMinor        int64      `db:"lost_minor"`
	CapturedAt       *time.Time `db:"captured_at"`
	ByHand           bool       `db:"by_hand"`         // no provider has it: a person sees the money come
	PayReference     string     `db:"pay_reference"`   // for the buyer to quote; by hand only
	BuyerReference   string     `db:"buyer_reference"` // her own
	Instalment       int        `db:"instalment"`      // which one it is for; 0: all of its order
	CustomerID       string     `db:"customer_id"`     // the provider's, whose card it is; empty: none yet
	MethodID         string     `db:"method_id"`       // the card of hers that is charged; a pay page asks for one itself
	CreatedAt        time.Time  `db:"created_at"`      // known where it was found by id
}

// Amount is what was asked for.
func (p Payment) Amount() money.Amount { return money.Of(p.AmountMinor, money.Currency(p.Currency)) }

// Left is what can still be given back, in minor units.
func (p Payment) Left() int64 { return p.CapturedMinor - p.RefundedMinor - p.LostMinor }

// Service is the room. Without a gateway nothing can be paid for.
type Service struct {
	db      *postgres.DB
	jobs    *jobs.Jobs
	gateway Gateway
	baseURL string
	stored  shelf
}

// New opens the room. A nil gateway means that nothing is sold. baseURL is our site, where the pay page leads back to.
func New(db *postgres.DB, j *jobs.Jobs, gateway Gateway, baseURL string) *Service {
	return &Service{db: db, jobs: j, gateway: gateway, baseURL: baseURL}
}

// CanTake says whether there is a provider.
func (s *Service) CanTake() error {
	if s.gateway == nil {
		return ErrNoProvider
	}
	return nil
}

// Demo says whether payments move no real money.
func (s *Service) Demo() bool { return s.gateway != nil && !s.gateway.Live() }

// Holder is the name of the clearing account of the provider.
func (s *Service) Holder() string {
	if s.gateway == nil {
		return ""
	}
	return s.gateway.Name()
}

// NewPayment is what CreateTx needs.
type NewPayment struct {
	OrderID     string
	Amount      money.Amount
	Description string // what the buyer reads on the pay page
	Email, Lang string
	ExpiresAt   time.Time
	Instalment  int    // which one it is for; 0: all of the order
	CustomerID  string // the provider's, whose card it is
	MethodID    string // the provider's, of a card that is charged without its owner
}

// CreateTx notes the intent to be paid. The pay page is opened after the transaction, by OpenCheckout.
func (s *Service) CreateTx(ctx context.Context, tx *postgres.Tx, n NewPayment) (Payment, error) {
	if s.gateway == nil {
		return Payment{}, ErrNoProvider
	}
	p := Payment{
		ID: ident.New("pay"), OrderID: n.OrderID, AmountMinor: n.Amount.Minor, Currency: string(n.Amount.Currency), State: Created,
		Description: n.Description, Email: n.Email, Lang: n.Lang, ExpiresAt: n.ExpiresAt,
	}
	_, err := tx.Exec(ctx, q.Q("Add"), p.ID, n.OrderID, s.gateway.Name(), !s.gateway.Live(), n.Amount.Minor, n.Amount.Currency,
		n.Description, n.Email, n.Lang, n.ExpiresAt, tx.Now())
	if err == nil && n.Instalment > 0 {
		p.Instalment, p.CustomerID, p.MethodID = n.Instalment, n.CustomerID, n.MethodID
		_, err = tx.Exec(ctx, q.Q("OfInstalment"), p.ID, n.Instalment, n.CustomerID, n.MethodID)
	}
	return p, err
}

// OpenCheckout gives the address of the pay page and opens it where that was not done. It calls the provider, so it must
// not run inside a transaction; called again after a crash it finds the first call's page by the payment's id.
func (s *Service) OpenCheckout(ctx context.Context, paymentID string) (string, error) {
	var p Payment
	if err := s.db.View(postgres.WithActor(ctx, "system"), "payment", func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = OneTx(ctx, tx, paymentID)
		return err
	}); err != nil {
		return "", err
	}
	if p.State != Created {
		return p.PayURL, nil
	}
	return s.OpenFor(ctx, p)
}

// OpenFor is OpenCheckout for a payment that the caller has just created.
func (s *Service) OpenFor(ctx context.Context, p Payment) (string, error) {
	if s.gateway == nil {
		return "", ErrNoProvider
	}
	c, err := s.gateway.OpenCheckout(ctx, CheckoutRequest{
		PaymentID: p.ID, OrderID: p.OrderID, Description: p.Description, Email: p.Email, Amount: p.Amount(), Lang: p.Lang,
		SuccessURL: s.baseURL + "/orders/" + p.OrderID, CancelURL: s.baseURL + "/orders/" + p.OrderID,
		ExpiresAt: p.ExpiresAt, KeepCard: p.Instalment > 0, CustomerID: p.CustomerID, IdempotencyKey: p.ID + ":checkout",
	})
	if err != nil {
		return "", err
	}
	failpoint.Here("checkout answered")
	err = s.db.InTx(postgres.WithGenericPlans(postgres.WithActor(ctx, "system")), "checkout opened", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("Opened"), p.ID, c.ID, c.PaymentIntentID, c.URL)
		return err
	})
	return c.URL, err
}

// OneTx finds a payment by id.
func OneTx(ctx context.Context, tx *postgres.Tx, id string) (Payment, error) {
	return one(ctx, tx, "One", id)
}

// LockTx is OneTx that holds the payment until the transaction ends.
func LockTx(ctx context.Context, tx *postgres.Tx, id string) (Payment, error) {
	return one(ctx, tx, "Lock", id)
}

// OfFactTx finds the payment that a fact is about, by our id or by the provider's. ErrUnknownPayment when there is none yet.
func OfFactTx(ctx context.Context, tx *postgres.Tx, f Fact) (Payment, error) {
	return one(ctx, tx, "OfFact", f.PaymentID, f.CheckoutID, f.PaymentIntentID)
}

func one(ctx context.Context, tx *postgres.Tx, statement string, args ...any) (Payment, error) {
	var p Payment
	err := tx.Get(ctx, &p, q.Q(statement), args...)
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrUnknownPayment
	}
	return p, err
}

// CaptureTx notes the money of a fact under a state: captured, surplus or mismatch.
func CaptureTx(ctx context.Context, tx *postgres.Tx, p Payment, state State, f Fact) error {
	_, err := tx.Exec(ctx, q.Q("Captured"), p.ID, state, f.Amount.Minor, f.Amount.Currency, f.PaymentIntentID, f.Method, tx.Now())
	return err
}

// MoveTx moves a payment that brought no money: pending, failed or expired. A payment that was paid stays so.
func MoveTx(ctx context.Context, tx *postgres.Tx, p Payment, state State) error {
	_, err := tx.Exec(ctx, q.Q("Move"), p.ID, state)
	return err
}

// Forgotten lists orders whose pay page was never opened and whose time is over, a hundred after a payment, and gives the last payment:
// empty where none follow.
func (s *Service) Forgotten(ctx context.Context, before time.Time, after string) (orders []string, last string, err error) {
	var rows []struct {
		ID      string `db:"id"`
		OrderID string `db:"order_id"`
	}
	err = s.db.View(ctx, "forgotten payments", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &rows, q.Q("Forgotten"), before, after)
	})
	for _, r := range rows {
		orders, last = append(orders, r.OrderID), r.ID
	}
	return orders, last, err
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "3", Name: "no payment gave back more than it took", Query: q.Q("CheckNeverMoreBack")},
		{Invariant: "3", Name: "refunds and lost disputes add up to the payment's columns", Query: q.Q("CheckSums")},
		{Invariant: "4", Name: "at most one capture counts per order", Query: q.Q("CheckOneCapture")},
		{Invariant: "4", Name: "a surplus is being sent back", Query: q.Q("CheckSurplusRefunded")},
		{Invariant: "8", Name: "what came by hand stands in the ledger, once, with its holder", Query: q.Q("CheckReceived")},
		{Invariant: "8", Name: "a payment by hand is what came for it", Query: q.Q("CheckCollected")},
		{Invariant: "7", Name: "what the provider kept of payments stands in the ledger, once", Query: q.Q("CheckFees")},
		{Invariant: "7", Name: "what a provider paid out, or took of the account, stands in the ledger, once", Query: q.Q("CheckMovements")},
	}
}
