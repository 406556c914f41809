package sales

import (
	"cmp"
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// The ways to pay without the provider. Somebody sees the money come and says so.
const (
	Desk          Way = "desk"           // at a partner school, which owes it to us
	Transfer      Way = "transfer"       // to the seller's bank account
	PurchaseOrder Way = "purchase_order" // the same, by an organisation that orders first and pays later
)

// advances is the account of what came for orders that are not paid in full yet.
const advances = "advances"

// ByHand says whether no provider tells of the money.
func (w Way) ByHand() bool { return w == Desk || w == Transfer || w == PurchaseOrder }

// Faults of the ways to pay.
var (
	ErrNoWay     = fault.New(fault.Unprocessable, "way-not-offered", "This order cannot be paid in this way.")
	ErrWayChosen = fault.New(fault.Conflict, "payment-begun", "Some of the money has come already: the order goes on in the way that was begun.")
)

// Holds say how long an order that is paid by hand keeps its places.
type Holds struct{ Desk, Transfer, PurchaseOrder time.Duration }

func (h Holds) of(w Way) time.Duration {
	return map[Way]time.Duration{Desk: h.Desk, Transfer: h.Transfer, PurchaseOrder: h.PurchaseOrder}[w]
}

// orUsual are the holds, each that is not set as it usually is.
func (h Holds) orUsual() Holds {
	const day = 24 * time.Hour
	return Holds{cmp.Or(h.Desk, 7*day), cmp.Or(h.Transfer, 14*day), cmp.Or(h.PurchaseOrder, 45*day)}
}

// DeskOf is the desk of a school at which a buyer may pay, with the clearing account of what it takes.
type DeskOf struct {
	Organisation, Holder string
}

// OfferedWay is a way in which an order can be paid.
type OfferedWay struct {
	Way     Way    `json:"way"`
	Partner string `json:"partner,omitempty"` // whose desk
	Chosen  bool   `json:"chosen"`
}

// Ways lists how an order that waits for its payment can be paid, as far as the actor may see it: on a pay page where there is a
// provider, to the bank where its seller has an account, and at the desks that take its buyer's money.
func (s *Service) Ways(ctx context.Context, orderID string, desks []DeskOf) ([]OfferedWay, error) {
	out := []OfferedWay{}
	o, err := s.Order(ctx, orderID)
	if err != nil || o.State != AwaitingPayment {
		return out, err
	}
	var seller invoicing.Seller
	var holder string
	planned := o.Way == Instalments
	err = s.db.View(postgres.WithActor(ctx, "system"), "ways to pay", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if holder, err = holderTx(ctx, tx, o); err != nil {
			return err
		}
		if !planned {
			could := o
			err = could.plan(ctx, tx, Terms{})
			if planned = err == nil; err != nil && !errors.Is(err, ErrNoPlan) {
				return err
			}
		}
		seller, err = s.sellerTx(ctx, tx, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.payments.CanTake() == nil {
		out = append(out, OfferedWay{Way: Card, Chosen: o.Way == Card})
		if planned {
			out = append(out, OfferedWay{Way: Instalments, Chosen: o.Way == Instalments})
		}
	}
	if seller.IBAN != "" {
		out = append(out, OfferedWay{Way: Transfer, Chosen: o.Way == Transfer}, OfferedWay{Way: PurchaseOrder, Chosen: o.Way == PurchaseOrder})
	}
	for _, d := range desks {
		out = append(out, OfferedWay{Way: Desk, Partner: d.Organisation, Chosen: o.Way == Desk && d.Holder == holder})
	}
	return out, nil
}

func holderTx(ctx context.Context, tx *postgres.Tx, o Order) (string, error) {
	if o.PaymentID == "" {
		return "", nil
	}
	p, err := payments.OneTx(ctx, tx, o.PaymentID)
	return p.Provider, err
}

// sellerTx is the seller of an order; one that nobody would bill has no bank account.
func (s *Service) sellerTx(ctx context.Context, tx *postgres.Tx, o Order) (invoicing.Seller, error) {
	buyer, err := o.buyerTx(ctx, tx)
	if err != nil {
		return invoicing.Seller{}, err
	}
	seller, err := invoicing.SellerTx(ctx, tx, s.issuer, o.document(buyer))
	if errors.Is(err, invoicing.ErrNoIssuer) {
		err = nil
	}
	return seller, err
}

// sellerOf is the seller of an offer, as sellerTx is that of an order.
func (s *Service) sellerOf(ctx context.Context, tx *postgres.Tx, o offers.Offer) (invoicing.Seller, error) {
	seller, err := invoicing.SellerTx(ctx, tx, s.issuer, invoicing.NewDocument{Lines: []invoicing.NewLine{{OfferID: o.ID}}})
	if errors.Is(err, invoicing.ErrNoIssuer) {
		err = nil
	}
	return seller, err
}

// ChooseWay says how an order will be paid.
type ChooseWay struct {
	OrderID   string
	BuyerID   string
	Way       Way
	Desk      DeskOf // of the way Desk
	Reference string // the buyer's own, such as the number of a purchase order
	until     *time.Time

	IdempotencyKey string
}

// referenceFits says whether the buyer's own reference is one for a way.
func referenceFits(w Way, reference string) error {
	if n := utf8.RuneCountInString(reference); n > 60 || w == PurchaseOrder && n == 0 {
		return fault.InvalidInput(fault.Field{Pointer: "/reference", Code: "bad-length", Detail: "The number of your purchase order: 1 to 60 characters."})
	}
	return nil
}

// ChooseWay has the buyer choose how to pay an order. By bank she gets a proforma and a reference to quote. Choosing the same again
// changes nothing. Errors: ErrNoOrder, ErrNotPayable, ErrNotPayableYet, ErrNoWay, ErrWayChosen, ErrUnderWay, an invalid field, those
// of idempotency.
func (s *Service) ChooseWay(ctx context.Context, c ChooseWay) (Order, error) {
	if err := referenceFits(c.Way, c.Reference); err != nil {
		return Order{}, err
	}
	_, err := once(postgres.WithActor(ctx, "system"), s, "buyer:"+c.BuyerID, c.IdempotencyKey, "choose way", c, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		o, err := one(ctx, tx, "Lock", c.OrderID)
		if err == nil {
			err = o.mustOwnTx(ctx, tx, c.BuyerID)
		}
		if err != nil {
			return "", err
		}
		if o.ExpiresAt != nil && !tx.Now().Before(*o.ExpiresAt) {
			return "", ErrNotPayable
		}
		return o.ID, s.chooseTx(ctx, tx, &o, c)
	})
	if err != nil {
		return Order{}, err
	}
	failpoint.Here("way chosen")
	if !c.Way.ByHand() {
		return s.Pay(ctx, c.OrderID, c.BuyerID)
	}
	return s.Order(ctx, c.OrderID)
}

// chooseTx moves a locked order to a way to pay.
func (s *Service) chooseTx(ctx context.Context, tx *postgres.Tx, o *Order, c ChooseWay) error {
	if o.State != AwaitingPayment || o.Total.IsZero() {
		return ErrNotPayable
	}
	terms, err := termsTx(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	if terms.PayableFrom != nil && tx.Now().Before(*terms.PayableFrom) {
		return ErrNotPayableYet.At("/order", "payable-from", terms.PayableFrom.Format(time.RFC3339))
	}
	holder := payments.Bank
	switch c.Way {
	case Card, Instalments:
		holder = s.payments.Holder()
	case Desk:
		holder = c.Desk.Holder
	case Transfer, PurchaseOrder:
		seller, err := s.sellerTx(ctx, tx, *o)
		if err != nil {
			return err
		}
		if seller.IBAN == "" {
			return ErrNoWay
		}
	}
	if holder == "" || c.Way != Card && c.Way != Instalments && !c.Way.ByHand() {
		return ErrNoWay
	}
	same, err := s.leaveWay(ctx, tx, o, c, holder)
	if err != nil || same {
		return err
	}
	buyer, err := identity.PersonTx(ctx, tx, o.BuyerID)
	if err != nil {
		return err
	}
	var p payments.Payment
	if c.Way == Instalments {
		if err := o.plan(ctx, tx, terms); err != nil {
			return err
		}
		if err := addSchedule(ctx, tx, *o); err != nil {
			return err
		}
	}
	if !c.Way.ByHand() {
		p, err = s.ask(ctx, tx, o, buyer)
	} else {
		until := tx.Now().Add(s.holds.of(c.Way))
		if c.until != nil && c.until.After(until) {
			until = *c.until
		}
		p, err = payments.CreateByHandTx(ctx, tx, payments.NewByHand{
			OrderID: o.ID, Holder: holder, Amount: o.Total, Description: o.description(500), Email: buyer.Email, Lang: o.Lang, BuyerReference: c.Reference, Demo: o.Demo, ExpiresAt: until,
		})
		o.ExpiresAt = &until
	}
	if err != nil {
		return err
	}
	if err := s.setWay(ctx, tx, o, c.Way, p); err != nil {
		return err
	}
	if c.Way == Transfer || c.Way == PurchaseOrder {
		party, err := o.buyerTx(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := s.proformaTx(ctx, tx, *o, party); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, *o, "pay_by_transfer", p.ID, o.Total); err != nil {
			return err
		}
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "order.way_chosen", Object: o.ID, Detail: map[string]any{"way": c.Way, "payment": p.ID, "holder": holder}})
}

// leaveWay ends the way in which an order was to be paid until now; same says that it is the one that is chosen.
func (s *Service) leaveWay(ctx context.Context, tx *postgres.Tx, o *Order, c ChooseWay, holder string) (same bool, err error) {
	if o.PaymentID == "" {
		return false, nil
	}
	if !o.Way.ByHand() {
		if c.Way == o.Way {
			return true, nil
		}
		if o.Way == Instalments {
			if err := o.dropSchedule(ctx, tx); err != nil {
				return false, err
			}
			o.Way = Card
		}
		return false, s.abandon(ctx, tx, o.PaymentID)
	}
	p, err := payments.LockTx(ctx, tx, o.PaymentID)
	switch {
	case err != nil:
		return false, err
	case o.Way == c.Way && p.Provider == holder && p.BuyerReference == c.Reference:
		return true, nil
	case p.CapturedMinor > 0:
		return false, ErrWayChosen
	}
	return false, payments.MoveTx(ctx, tx, p, payments.Expired)
}

func (s *Service) setWay(ctx context.Context, tx *postgres.Tx, o *Order, w Way, p payments.Payment) error {
	o.Way, o.PaymentID = w, p.ID
	o.paidBy(p)
	_, err := tx.Exec(ctx, q.Q("SetWay"), o.ID, w, p.ID, o.ExpiresAt)
	return err
}

// paidBy notes what documents say of the payment of an order: the way in which the money really came, and what to quote.
func (o *Order) paidBy(p payments.Payment) {
	o.means, o.payReference, o.buyerReference = p.Method, p.PayReference, p.BuyerReference
	if o.means == "" && o.Way == PurchaseOrder {
		o.means = payments.ByTransfer
	}
}

// yield says what a payment on the provider's page finds of an order that was to be paid by hand: what has begun to come by hand
// keeps the order; otherwise the page takes it back.
func (s *Service) yield(ctx context.Context, tx *postgres.Tx, o *Order) (kept bool, err error) {
	if o.State != AwaitingPayment || !o.Way.ByHand() {
		return false, nil
	}
	p, err := payments.LockTx(ctx, tx, o.PaymentID)
	if err != nil || p.CapturedMinor > 0 {
		return true, err
	}
	if err := payments.MoveTx(ctx, tx, p, payments.Expired); err != nil {
		return false, err
	}
	o.Way = Card
	_, err = tx.Exec(ctx, q.Q("SetWay"), o.ID, Card, o.PaymentID, o.ExpiresAt)
	return false, err
}

// giveUp ends the payment by hand of an order that ends: what came of it goes back.
func (s *Service) giveUp(ctx context.Context, tx *postgres.Tx, o Order) error {
	p, err := payments.LockTx(ctx, tx, o.PaymentID)
	if err != nil {
		return err
	}
	if p.CapturedMinor == 0 {
		return payments.MoveTx(ctx, tx, p, payments.Expired)
	}
	if p, err = payments.LeaveTx(ctx, tx, p); err != nil {
		return err
	}
	came := money.Of(p.CapturedMinor, o.Total.Currency)
	if err := s.post(ctx, tx, p.ID+":left", "surplus", came, o, advances, overpaid); err != nil {
		return err
	}
	return s.payBack(ctx, tx, o, p, "the order ended before it was paid in full")
}

// payBack has a surplus that came by hand stand among what is to be paid back, and tells the buyer.
func (s *Service) payBack(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, reason string) error {
	if _, err := s.payments.RequestRefundTx(ctx, tx, p, payments.NewRefund{Minor: p.CapturedMinor, Reason: reason}); err != nil {
		return err
	}
	return s.tell(ctx, tx, o, "surplus_returned", p.ID, money.Of(p.CapturedMinor, money.Currency(p.CapturedCurrency)))
}

// ExpireByHand closes orders that were to be paid by hand and whose time is over. It gives how many.
func (s *Service) ExpireByHand(ctx context.Context) (int, error) {
	return s.eachListed(ctx, "expire by hand", "OverdueByHand", func(ctx context.Context, tx *postgres.Tx, o Order) (bool, error) {
		if !o.Way.ByHand() || o.ExpiresAt == nil || tx.Now().Before(*o.ExpiresAt) {
			return false, nil
		}
		if err := s.giveUp(ctx, tx, o); err != nil {
			return false, err
		}
		return true, s.move(ctx, tx, &o, Expired)
	})
}
