package sales

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// payAfter is how long an order of vocational training can be paid once it may be asked for.
const payAfter = 7 * 24 * time.Hour

// maxLines is how many items an order may have.
const maxLines = 20

// Item is one offer of an order, and how often: a learner buys one place, an organisation as many seats as it likes.
type Item struct {
	OfferID  string `json:"offer_id"`
	Quantity int    `json:"quantity"`
}

// PlaceOrder orders one or several offers. The same key with the same content gives the same order, however often it is sent.
//
// An organisation's order has as many seats of each item as it says; nobody is enrolled by paying it. It is placed by one of its managers,
// or by staff for one of them.
type PlaceOrder struct {
	BuyerID        string
	BuyerEmail     string `json:",omitempty"` // of on whose behalf it is placed, where her id is not known
	BuyerName      string `json:",omitempty"` // of her where she is new
	Organisation   string `json:",omitempty"` // which buys; empty: the buyer does, for herself
	PlacedBy       string `json:",omitempty"` // of staff who places it on the buyer's behalf
	OfferID        string // one place; or Items
	Items          []Item
	Lang           string         // en or fr
	Voucher        string         `json:",omitempty"` // a code; empty: none
	Currency       money.Currency `json:",omitempty"` // in which it is paid; empty: that of the offers
	BeginNow       bool           `json:",omitempty"` // express request that it begin before the time to withdraw is over
	Way            Way            `json:",omitempty"` // how it will be paid; empty: on the provider's pay page
	Desk           DeskOf         `json:",omitzero"`  // of the way Desk
	Reference      string         `json:",omitempty"` // the buyer's own, such as the number of a purchase order
	HoldUntil      *time.Time     `json:",omitempty"` // how long its places are kept where it is to be paid by hand; nil: as long as is usual
	IdempotencyKey string
}

// normal is the command with its defaults. Errors: an invalid field.
func (c PlaceOrder) normal() (PlaceOrder, error) {
	if c.Lang != "fr" {
		c.Lang = "en"
	}
	if (c.OfferID == "") == (len(c.Items) == 0) {
		return c, fault.InvalidInput(fault.Field{Pointer: "/items", Code: "one-of", Detail: "Either an offer or items."})
	}
	if c.OfferID != "" {
		c.OfferID, c.Items = "", []Item{{c.OfferID, 1}}
	}
	if len(c.Items) > maxLines {
		return c, fault.InvalidInput(fault.Field{Pointer: "/items", Code: "too-many", Detail: "At most 20 items."})
	}
	for i, x := range c.Items {
		if code, detail := c.quantityOf(x); code != "" {
			return c, fault.InvalidInput(fault.Field{Pointer: fmt.Sprintf("/items/%d/quantity", i), Code: code, Detail: detail})
		}
	}
	if c.Way == Card {
		c.Way = ""
	}
	if c.Way != "" && c.Way != Instalments && !c.Way.ByHand() {
		return c, fault.InvalidInput(fault.Field{Pointer: "/way", Code: "unknown", Detail: "No way to pay."})
	}
	return c, referenceFits(c.Way, c.Reference)
}

// asChosen is how the order that was placed will be paid.
func (c PlaceOrder) asChosen(o Order) ChooseWay {
	return ChooseWay{OrderID: o.ID, BuyerID: o.BuyerID, Way: c.Way, Desk: c.Desk, Reference: c.Reference, until: c.HoldUntil}
}

// PlaceOrder places an order. One that costs nothing is fulfilled when it returns; another one carries the address of its
// pay page. While an order of the same offers waits for its payment, that one is given instead of a second. Errors:
// offers.ErrNoOffer, offers.ErrNotValid, ErrClosed, ErrEditionClosed, ErrEnrolled, ErrOpenAlready, ErrTwice, ErrCurrencies,
// ErrSoldOut, ErrQuota, ErrRetakeAlone, ErrRetakeLeft and what the exam says of a retake, identity.ErrNoOrganisation, ErrNoContact, payments.ErrNoProvider, those of ChooseWay where a way was chosen, and those of idempotency and of the provider. After the last of these the order
// is there and the same call tries again.
func (s *Service) PlaceOrder(ctx context.Context, c PlaceOrder) (Order, error) {
	c, err := c.normal()
	if err != nil {
		return Order{}, err
	}
	if err := s.mayGuess(ctx, c); err != nil {
		return Order{}, err
	}
	var made struct{ OrderID, PaymentID string }
	var fresh placed
	ctx = postgres.WithGenericPlans(ctx)
	reply, replayed, err := s.replies.Do(postgres.WithActor(ctx, "system"), c.principal(), c.IdempotencyKey, requestHash("place order", c),
		func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
			var err error
			if fresh, err = s.placeTx(ctx, tx, c); err != nil {
				return idempotency.Reply{}, err
			}
			made.OrderID, made.PaymentID = fresh.order.ID, fresh.order.PaymentID
			b, err := json.Marshal(made)
			return idempotency.Reply{Status: http.StatusCreated, Body: b}, err
		})
	if errors.Is(err, offers.ErrNoCode) {
		err = errors.Join(err, s.guessed(ctx, c))
	}
	if err != nil {
		return Order{}, err
	}
	if err := json.Unmarshal(reply.Body, &made); err != nil {
		return Order{}, err
	}
	failpoint.Here("order placed")
	if !replayed && fresh.payment.ID != "" {
		fresh.order.PayURL, err = s.payments.OpenFor(ctx, fresh.payment)
		fresh.order.decide(s.db.Now(), payments.Open, s.payments.Site(""))
		failpoint.Here("checkout opened")
		return fresh.order, err
	}
	if made.PaymentID != "" && !c.Way.ByHand() {
		if _, err := s.payments.OpenCheckout(ctx, made.PaymentID); err != nil {
			return Order{}, err
		}
	}
	return s.Order(postgres.WithActor(ctx, "system"), made.OrderID)
}

// placed is an order, and the payment that was made for it; none where the order was there already or costs nothing.
type placed struct {
	order   Order
	payment payments.Payment
}

func (s *Service) placeTx(ctx context.Context, tx *postgres.Tx, c PlaceOrder) (placed, error) {
	wanted, err := wantedOf(ctx, tx, c.Items)
	if err != nil {
		return placed{}, err
	}
	if err := c.resolve(ctx, tx); err != nil {
		return placed{}, err
	}
	if c.Organisation == "" {
		if open, same, err := s.openAlready(ctx, tx, c, wanted); err != nil || same {
			return placed{order: open}, err
		}
	}
	buyer, err := s.mayOrder(ctx, tx, c, wanted)
	if err != nil {
		return placed{}, err
	}
	o := Order{
		ID: ident.New("ord"), BuyerID: c.BuyerID, PlacedBy: c.PlacedBy, Organisation: c.Organisation, Way: Card, State: AwaitingPayment, Lang: c.Lang, Demo: s.payments.Demo(), PlacedAt: tx.Now(),
	}
	row, err := queueNear(ctx, tx, nearItems(wanted))
	if err != nil {
		return placed{}, err
	}
	quoted, err := quoteTx(ctx, tx, c, o.ID, wanted, row.locks())
	if err != nil {
		return placed{}, err
	}
	if err := o.freeze(ctx, tx, wanted, quoted); err != nil {
		return placed{}, err
	}
	if _, err := s.serve(ctx, tx, row, ""); err != nil { // nobody overtakes who waits
		return placed{}, err
	}
	if err := takeSeats(ctx, tx, o, wanted); err != nil {
		return placed{}, err
	}
	terms := termsOf(o, wanted, c.BeginNow, tx.Now())
	var payment payments.Payment
	if c.Way == Instalments && !o.Total.IsZero() {
		if err := o.plan(ctx, tx, terms); err != nil {
			return placed{}, err
		}
	}
	switch {
	case o.Total.IsZero():
	case terms.PayableFrom != nil: // nothing may be asked for before; see Pay
		until := terms.PayableFrom.Add(payAfter)
		o.ExpiresAt = &until
	case c.Way.ByHand(): // chosen below, when the order is there
	default:
		if payment, err = s.ask(ctx, tx, &o, buyer); err != nil {
			return placed{}, err
		}
		if o.PlacedBy != "" { // its buyer is not here; pay pages that close meanwhile are opened again
			until := tx.Now().Add(behalfOpen)
			o.ExpiresAt = &until
		}
	}
	if err := add(ctx, tx, o); err != nil {
		return placed{}, err
	}
	if o.Schedule != nil {
		if err := addSchedule(ctx, tx, o); err != nil {
			return placed{}, err
		}
	}
	if err := addTerms(ctx, tx, o.ID, terms); err != nil {
		return placed{}, err
	}
	if err := redeem(ctx, tx, o, quoted); err != nil {
		return placed{}, err
	}
	if len(row) > 0 && !o.Pool() { // who buys for others waits on for herself
		if err := take(ctx, tx, o); err != nil {
			return placed{}, err
		}
	}
	if o.Total.IsZero() && !o.told() {
		err := s.fulfilTx(ctx, tx, &o)
		return placed{order: o}, err
	}
	detail := map[string]any{"offers": c.Items, "total": o.Total}
	if o.told() {
		detail["buyer"], detail["organisation"], detail["placed_by"] = o.BuyerID, o.Organisation, o.PlacedBy
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "order.placed", Object: o.ID, Detail: detail}); err != nil {
		return placed{}, err
	}
	if o.Total.IsZero() {
		err := s.fulfilTx(ctx, tx, &o)
		return placed{order: o}, err
	}
	if c.Way.ByHand() {
		if err := s.chooseTx(ctx, tx, &o, c.asChosen(o)); err != nil {
			return placed{}, err
		}
	}
	if o.told() {
		err = s.jobs.EnqueueTx(ctx, tx, OrderPlaced{o.ID})
	}
	return placed{o, payment}, err
}

// freeze writes what was quoted into the order's lines, and what each of them promises. Errors: ErrTwice.
func (o *Order) freeze(ctx context.Context, tx *postgres.Tx, items []wanted, quoted Quotation) (err error) {
	seen := map[string]bool{}
	o.Total, o.Credited = quoted.Total, money.Zero(quoted.Currency)
	for i, w := range items {
		x := quoted.Lines[i]
		l := Line{
			N: i + 1, OfferID: w.OfferID, SessionID: w.on.session.ID, SessionKey: w.on.session.Key, EditionID: w.on.edition.ID, EditionKey: w.on.edition.Key,
			Version: w.on.edition.Version, Title: w.on.title(), Formula: w.offer.Formula, Entitlements: w.offer.Entitlements, Qualifying: w.offer.Qualifying,
			Quantity: w.Quantity, List: x.List, Discount: x.Discount, Reason: x.Reason(), PriceID: x.PriceID, Credited: money.Zero(quoted.Currency), Total: x.Total,
		}
		if l.Parts, err = promise(ctx, tx, l, w.on.edition); err != nil {
			return err
		}
		for _, p := range l.Parts {
			if seen[p.SessionID] {
				return ErrTwice
			}
			seen[p.SessionID] = true
		}
		o.Lines = append(o.Lines, l)
	}
	if o.Total.IsZero() {
		o.Way = Free
	}
	return nil
}

// add stores a new order with its lines and parts, in one statement.
func add(ctx context.Context, tx *postgres.Tx, o Order) error {
	var lines, parts []map[string]any
	for _, l := range o.Lines {
		lines = append(lines, map[string]any{
			"line": l.N, "offer": l.OfferID, "session": nullable(l.SessionID), "edition": nullable(l.EditionID), "version": orNull(l.Version), "formula": l.Formula,
			"entitlements": l.Entitlements, "qualifying": l.Qualifying, "quantity": l.Quantity, "list": l.List.Minor, "discount": l.Discount.Minor,
			"reason": l.Reason, "total": l.Total.Minor, "price": nullable(l.PriceID),
		})
		for _, p := range l.Parts {
			parts = append(parts, map[string]any{"line": l.N, "position": p.Position, "session": p.SessionID, "weight": p.Weight, "sold": p.Sold, "place": !l.Retake()})
		}
	}
	linesJSON, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	partsJSON, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, q.Q("Add"), o.ID, o.BuyerID, nullable(o.PlacedBy), nullable(o.Organisation), o.Way, o.Total.Minor, o.Total.Currency, o.State, o.Lang,
		o.Demo, nullable(o.PaymentID), o.PlacedAt, o.ExpiresAt, string(linesJSON), string(partsJSON))
	return err
}

// mayOrder says why somebody cannot order offers now; it finds what they are on.
func (s *Service) mayOrder(ctx context.Context, tx *postgres.Tx, c PlaceOrder, items []wanted) (buyer identity.Person, err error) {
	for i := range items {
		w := &items[i]
		if err := c.mayTake(ctx, tx, w.offer); err != nil {
			return buyer, err
		}
		if err := w.offer.ValidAt(tx.Now()); err != nil {
			return buyer, err
		}
		if w.on, err = thingOf(ctx, tx, w.offer); err != nil {
			return buyer, err
		}
		retake := w.offer.Retake()
		if !retake { // its exam is sat when joining is long over
			if err := w.on.openAt(tx.Now()); err != nil {
				return buyer, err
			}
		}
		if i == 0 {
			if buyer, err = identity.PersonTx(ctx, tx, c.BuyerID); err != nil {
				return buyer, err
			}
		}
		if retake {
			if err := s.mayRetake(ctx, tx, c, *w); err != nil {
				return buyer, err
			}
			continue
		}
		if c.Organisation != "" { // its seats are for others
			continue
		}
		has, err := w.on.held(ctx, tx, c.BuyerID)
		if err != nil {
			return buyer, err
		}
		if opensNothing(has, w.offer) {
			return buyer, ErrEnrolled
		}
	}
	return buyer, nil
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
