package sales

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// payWithin is how long a pay page stays open. The provider wants 30 minutes at least, by its own clock.
const payWithin = 45 * time.Minute

// PlaceOrder orders an offer. The same key with the same content gives the same order, however often it is sent.
type PlaceOrder struct {
	BuyerID        string
	OfferID        string
	Lang           string // en or fr
	IdempotencyKey string
}

// PlaceOrder places an order. One that costs nothing is fulfilled when it returns; another one carries the address of its
// pay page. While an order of the same offer waits for its payment, that one is given instead of a second. Errors: offers.ErrNoOffer, offers.ErrNotValid, ErrClosed,
// ErrEditionClosed, ErrEnrolled, ErrSoldOut, ErrQuota, payments.ErrNoProvider, and those of idempotency and of the provider. After the last of these the order is there and
// the same call tries again.
func (s *Service) PlaceOrder(ctx context.Context, c PlaceOrder) (Order, error) {
	if c.Lang != "fr" {
		c.Lang = "en"
	}
	var made struct{ OrderID, PaymentID string }
	var fresh placed
	reply, replayed, err := s.replies.Do(postgres.WithActor(ctx, "system"), "buyer:"+c.BuyerID, c.IdempotencyKey, requestHash("place order", c),
		func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
			var err error
			if fresh, err = s.placeTx(ctx, tx, c); err != nil {
				return idempotency.Reply{}, err
			}
			made.OrderID, made.PaymentID = fresh.order.ID, fresh.order.PaymentID
			b, err := json.Marshal(made)
			return idempotency.Reply{Status: http.StatusCreated, Body: b}, err
		})
	if err != nil {
		return Order{}, err
	}
	if err := json.Unmarshal(reply.Body, &made); err != nil {
		return Order{}, err
	}
	failpoint.Here("order placed")
	if !replayed && fresh.payment.ID != "" {
		fresh.order.PayURL, err = s.payments.OpenFor(ctx, fresh.payment)
		failpoint.Here("checkout opened")
		return fresh.order, err
	}
	if made.PaymentID != "" {
		if _, err := s.payments.OpenCheckout(ctx, made.PaymentID); err != nil {
			return Order{}, err
		}
	}
	return s.Order(postgres.WithActor(ctx, "system"), made.OrderID)
}

// requestHash identifies the content of a command beside its key.
func requestHash(name string, command any) string {
	b, err := json.Marshal(command)
	if err != nil {
		panic(err) // commands are strings and numbers
	}
	sum := sha256.Sum256(append([]byte(name+"\x00"), b...))
	return hex.EncodeToString(sum[:])
}

// placed is an order, and the payment that was made for it; none where the order was there already or costs nothing.
type placed struct {
	order   Order
	payment payments.Payment
}

func (s *Service) placeTx(ctx context.Context, tx *postgres.Tx, c PlaceOrder) (placed, error) {
	offer, err := offers.OfferTx(ctx, tx, c.OfferID)
	if err != nil {
		return placed{}, err
	}
	// Two orders of one person at once would both find no open order.
	if _, err := tx.Exec(ctx, q.Q("LockBuyer"), c.BuyerID); err != nil {
		return placed{}, err
	}
	open, err := one(ctx, tx, "OpenOrder", c.BuyerID, offer.ID, tx.Now())
	if err == nil {
		return placed{order: open}, nil
	}
	if !errors.Is(err, ErrNoOrder) {
		return placed{}, err
	}
	on, buyer, err := s.mayOrder(ctx, tx, c.BuyerID, offer)
	if err != nil {
		return placed{}, err
	}
	o := Order{
		ID: ident.New("ord"), BuyerID: c.BuyerID, OfferID: offer.ID, SessionID: on.session.ID, SessionKey: on.session.Key, EditionID: on.edition.ID,
		EditionKey: on.edition.Key, Version: on.edition.Version, Title: on.title(), Formula: offer.Formula, Entitlements: offer.Entitlements,
		Qualifying: offer.Qualifying, Total: offer.Price, Credited: money.Zero(offer.Price.Currency), State: AwaitingPayment, Lang: c.Lang,
		Demo: s.payments.Demo(), PlacedAt: tx.Now(),
	}
	if err := takeSeat(ctx, tx, o, on.limits(offer)); err != nil {
		return placed{}, err
	}
	var payment payments.Payment
	if !o.Total.IsZero() {
		until := tx.Now().Add(payWithin)
		o.ExpiresAt = &until
		payment, err = s.payments.CreateTx(ctx, tx, payments.NewPayment{
			OrderID: o.ID, Amount: o.Total, Email: buyer.Email, Lang: c.Lang, ExpiresAt: until,
			Description: fmt.Sprintf("%s · %s", o.Title.In(c.Lang), offer.Formula),
		})
		if err != nil {
			return placed{}, err
		}
		o.PaymentID = payment.ID
	}
	if err := add(ctx, tx, o, on); err != nil {
		return placed{}, err
	}
	if o.Total.IsZero() {
		err := s.fulfilTx(ctx, tx, &o, buyer)
		return placed{order: o}, err
	}
	return placed{o, payment}, audit.AppendTx(ctx, tx, audit.Entry{Action: "order.placed", Object: o.ID, Detail: map[string]any{"offer": o.OfferID, "total": o.Total}})
}

// add stores a new order, and with an edition the sessions that it promises.
func add(ctx context.Context, tx *postgres.Tx, o Order, on thing) error {
	if _, err := tx.Exec(ctx, q.Q("Add"), o.ID, o.BuyerID, o.OfferID, nullable(o.SessionID), o.Formula, pq.Array(o.Entitlements), o.Qualifying,
		o.Total.Minor, o.Total.Currency, o.State, o.Lang, o.Demo, nullable(o.PaymentID), o.PlacedAt, o.ExpiresAt, nullable(o.EditionID), orNull(o.Version)); err != nil {
		return err
	}
	if o.EditionID == "" {
		return nil
	}
	return addParts(ctx, tx, o, on.edition)
}

// mayOrder says why an offer cannot be ordered now by somebody.
func (s *Service) mayOrder(ctx context.Context, tx *postgres.Tx, buyerID string, offer offers.Offer) (on thing, buyer identity.Person, err error) {
	if err := offers.MayTakeTx(ctx, tx, offer, buyerID); err != nil {
		return on, buyer, err
	}
	if err := offer.ValidAt(tx.Now()); err != nil {
		return on, buyer, err
	}
	if on, err = thingOf(ctx, tx, offer); err != nil {
		return on, buyer, err
	}
	if err := on.openAt(tx.Now()); err != nil {
		return on, buyer, err
	}
	if buyer, err = identity.PersonTx(ctx, tx, buyerID); err != nil {
		return on, buyer, err
	}
	has, err := on.held(ctx, tx, buyerID)
	if err == nil && opensNothing(has, offer) {
		err = ErrEnrolled
	}
	return on, buyer, err
}

// addsAnything says whether an offer opens what the enrolment does not.
func addsAnything(e enrolment.Enrolment, offer offers.Offer) bool {
	for _, x := range offer.Entitlements {
		if !e.Has(x) {
			return true
		}
	}
	return false
}

func orNull(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
