package sales

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ErrDeskSum answers an amount at a desk that is not what the order costs: a desk takes an order whole.
var ErrDeskSum = fault.New(fault.Unprocessable, "not-the-sum", "At the desk an order is paid whole: the amount is not what it costs.")

// Received is money that was recorded, and what became of it.
type Received = payments.Receipt

// Receive is money that somebody saw come, at a desk or on the bank account.
type Receive struct {
	Desk           DeskOf // empty: the bank
	OrderID        string // empty: the order that is quoted in the label or reference, if any
	Amount         money.Amount
	Reference      string // of the desk's receipt, or of the bank's entry: once per holder
	Payer, Label   string
	ReceivedAt     time.Time
	Proof          *payments.Proof
	IdempotencyKey string
}

func (c Receive) validate(now time.Time) error {
	var bad []fault.Field
	length := func(pointer, s string, least, most int) {
		if n := utf8.RuneCountInString(s); n < least || n > most {
			bad = append(bad, fault.Field{Pointer: pointer, Code: "bad-length", Detail: fmt.Sprintf("%d to %d characters.", least, most)})
		}
	}
	length("/reference", c.Reference, 1, 100)
	length("/payer", c.Payer, 0, 200)
	length("/label", c.Label, 0, 500)
	if c.Amount.Minor <= 0 || c.Amount.Minor > 1_000_000_000_000 || !c.Amount.Currency.Known() {
		bad = append(bad, fault.Field{Pointer: "/amount_minor", Code: "bad-amount", Detail: "More than nothing, in a known currency."})
	}
	if c.ReceivedAt.IsZero() || c.ReceivedAt.After(now) {
		bad = append(bad, fault.Field{Pointer: "/received_at", Code: "not-yet", Detail: "A time that has come."})
	}
	if bad != nil {
		return fault.InvalidInput(bad...)
	}
	return nil
}

// Receive records money that came and settles its order with it when the sum is there, in one transaction. The same reference of the
// same desk or bank is one effect, however often it is recorded. Money at the bank that names no order stays unmatched. Errors:
// ErrNoOrder, ErrDeskSum, payments.ErrReceiptUsed, payments.ErrProof, those of ChooseWay, invalid fields.
func (s *Service) Receive(ctx context.Context, c Receive) (r payments.Receipt, err error) {
	if err := c.validate(s.db.Now()); err != nil {
		return r, err
	}
	r, err = once(ctx, s, postgres.Actor(ctx), c.IdempotencyKey, "receive", c, func(ctx context.Context, tx *postgres.Tx) (payments.Receipt, error) { return s.receiveTx(ctx, tx, c) })
	failpoint.Here("money received")
	return r, err
}

func (s *Service) receiveTx(ctx context.Context, tx *postgres.Tx, c Receive) (payments.Receipt, error) {
	r := payments.Receipt{
		Way: payments.ByTransfer, Holder: payments.Bank, Reference: c.Reference, AmountMinor: c.Amount.Minor, Currency: string(c.Amount.Currency), Payer: c.Payer, Label: c.Label,
		ReceivedAt: c.ReceivedAt, OrderID: c.OrderID,
	}
	if c.Desk.Organisation != "" {
		r.Way, r.Holder, r.Organisation = payments.ByDesk, c.Desk.Holder, c.Desk.Organisation
	}
	r, fresh, err := payments.AddReceiptTx(ctx, tx, r, c.Proof)
	if err != nil || !fresh {
		return r, err
	}
	o, found, err := s.orderOf(ctx, tx, c)
	if err != nil {
		return r, err
	}
	if found && r.Way == payments.ByDesk && o.State == AwaitingPayment && c.Amount != o.Total {
		return r, ErrDeskSum.At("/amount_minor", "not-the-sum", fmt.Sprintf("The order costs %s.", o.Total))
	}
	if found && c.OrderID == "" && o.Total.Currency != c.Amount.Currency {
		found = false // a person decides
	}
	if found {
		r, err = s.count(ctx, tx, o, r, false)
	} else {
		err = ledger.PostTx(ctx, tx, ledger.Posting{Reference: r.ID + ":received", Kind: "received", Currency: c.Amount.Currency, OccurredAt: tx.Now(), Entries: []ledger.Entry{
			{Account: ledger.Clearing(r.Holder), Minor: r.AmountMinor}, {Account: suspense, Minor: -r.AmountMinor},
		}})
	}
	if err != nil {
		return r, err
	}
	return r, audit.AppendTx(ctx, tx, audit.Entry{Action: "money.received", Object: r.ID, Detail: map[string]any{
		"order": r.OrderID, "holder": r.Holder, "reference": r.Reference, "amount": r.Amount(), "surplus_minor": r.Surplus, "file_sha256": r.ProofSHA256}})
}

// orderOf finds and locks the order that money is for. At a desk there is one.
func (s *Service) orderOf(ctx context.Context, tx *postgres.Tx, c Receive) (o Order, found bool, err error) {
	id := c.OrderID
	if id == "" {
		if reference, quoted := payments.FindPayReference(c.Label + " " + c.Reference); quoted {
			p, err := payments.OfReferenceTx(ctx, tx, reference)
			if err != nil && !errors.Is(err, payments.ErrUnknownPayment) {
				return o, false, err
			}
			id = p.OrderID
		}
	}
	if id == "" {
		if c.Desk.Organisation != "" {
			err = ErrNoOrder
		}
		return o, false, err
	}
	o, err = one(ctx, tx, "Lock", id)
	return o, err == nil, err
}

// count takes money for an order that was locked: as much as it still costs, the rest is a surplus that goes back. With the last of
// it the order is settled. matched money stood in suspense until now. Errors: those of chooseTx, ErrNoWay for another currency.
func (s *Service) count(ctx context.Context, tx *postgres.Tx, o Order, r payments.Receipt, matched bool) (payments.Receipt, error) {
	if string(o.Total.Currency) != r.Currency {
		return r, ErrNoWay.At("/currency", "other-currency", "The order is in another currency.")
	}
	takes, p, err := s.takes(ctx, tx, &o, r)
	if err != nil {
		return r, err
	}
	take := int64(0)
	if takes {
		take = min(r.AmountMinor, p.AmountMinor-p.CapturedMinor)
		if p, err = payments.CollectTx(ctx, tx, p, take, r.Way); err != nil {
			return r, err
		}
		r.PaymentID = p.ID
	}
	if r.Surplus = r.AmountMinor - take; r.Surplus > 0 {
		if r.SurplusID, err = s.surplusByHand(ctx, tx, o, r); err != nil {
			return r, err
		}
	}
	if err := ledger.PostTx(ctx, tx, receivedPosting(tx, o, r, take, matched)); err != nil {
		return r, err
	}
	r.OrderID, r.State = o.ID, "counted"
	if err := payments.CountReceiptTx(ctx, tx, r); err != nil {
		return r, err
	}
	if p.State != payments.Captured || take == 0 {
		return r, nil
	}
	o.paidBy(p)
	return r, s.settle(ctx, tx, o)
}

// takes says whether an order still wants money by hand, and gives its payment, locked. One that was to be paid otherwise is paid
// in this way now.
func (s *Service) takes(ctx context.Context, tx *postgres.Tx, o *Order, r payments.Receipt) (takes bool, p payments.Payment, err error) {
	if o.State == Billed {
		p, err = s.heldBy(ctx, tx, *o)
		return err == nil && p.Provider == r.Holder, p, err
	}
	if o.State != AwaitingPayment || o.superseded {
		return false, p, nil
	}
	if o.ExpiresAt != nil && !tx.Now().Before(*o.ExpiresAt) {
		if err := s.lateSeats(ctx, tx, *o); taken(err) {
			return false, p, nil
		} else if err != nil {
			return false, p, err
		}
	}
	if p, err = s.heldBy(ctx, tx, *o); err != nil {
		return false, p, err
	}
	if !o.Way.ByHand() || p.Provider != r.Holder {
		c := ChooseWay{Way: Transfer}
		if r.Way == payments.ByDesk {
			c = ChooseWay{Way: Desk, Desk: DeskOf{r.Organisation, r.Holder}}
		}
		err := s.chooseTx(ctx, tx, o, c)
		if errors.Is(err, ErrUnderWay) || errors.Is(err, ErrWayChosen) { // it is being paid otherwise
			return false, p, nil
		}
		if err != nil {
			return false, p, err
		}
		if p, err = s.heldBy(ctx, tx, *o); err != nil {
			return false, p, err
		}
	}
	return true, p, nil
}

func (s *Service) heldBy(ctx context.Context, tx *postgres.Tx, o Order) (payments.Payment, error) {
	if o.PaymentID == "" {
		return payments.Payment{}, nil
	}
	return payments.LockTx(ctx, tx, o.PaymentID)
}

// surplusByHand notes what came by hand and nobody asked for, and has it paid back.
func (s *Service) surplusByHand(ctx context.Context, tx *postgres.Tx, o Order, r payments.Receipt) (string, error) {
	p, err := payments.CreateByHandTx(ctx, tx, payments.NewByHand{
		OrderID: o.ID, Holder: r.Holder, Amount: money.Of(r.Surplus, o.Total.Currency), Description: o.description(500), Lang: o.Lang, Demo: o.Demo, ExpiresAt: tx.Now(),
	})
	if err != nil {
		return "", err
	}
	p.CapturedMinor, p.CapturedCurrency, p.Method = r.Surplus, p.Currency, r.Way
	if p, err = payments.LeaveTx(ctx, tx, p); err != nil {
		return "", err
	}
	return p.ID, s.payBack(ctx, tx, o, p, "paid twice, too much or too late")
}

// receivedPosting books what came for an order.
func receivedPosting(tx *postgres.Tx, o Order, r payments.Receipt, take int64, matched bool) ledger.Posting {
	p := ledger.Posting{Reference: r.ID + ":received", Kind: "received", Currency: o.Total.Currency, OccurredAt: tx.Now()}
	held := ledger.Clearing(r.Holder)
	if matched {
		p.Reference, p.Kind = r.ID+":matched", "matched"
		p.Entries = append(p.Entries, ledger.Entry{Account: suspense, Minor: r.AmountMinor}, ledger.Entry{Account: held, Minor: -r.AmountMinor})
	}
	add := func(account string, minor int64) {
		if minor > 0 {
			p.Entries = append(p.Entries, ledger.Entry{Account: held, Minor: minor, OrderID: o.ID}, ledger.Entry{Account: account, Minor: -minor, OrderID: o.ID})
		}
	}
	add(advances, take)
	add(overpaid, r.Surplus)
	return p
}

// Match says for which order money at the bank was that named none. Again with the same order it does nothing. Errors:
// payments.ErrNoReceipt, payments.ErrMatched, ErrNoOrder, those of ChooseWay and of idempotency.
func (s *Service) Match(ctx context.Context, receiptID, orderID, key string) (payments.Receipt, error) {
	return once(ctx, s, postgres.Actor(ctx), key, "match", []string{receiptID, orderID}, func(ctx context.Context, tx *postgres.Tx) (payments.Receipt, error) {
		r, err := payments.ReceiptTx(ctx, tx, receiptID)
		if err != nil || r.State == "counted" && r.OrderID == orderID {
			return r, err
		}
		if r.State != "unmatched" {
			return r, payments.ErrMatched
		}
		o, err := one(ctx, tx, "Lock", orderID)
		if err != nil {
			return r, err
		}
		if r, err = s.count(ctx, tx, o, r, true); err != nil {
			return r, err
		}
		return r, audit.AppendTx(ctx, tx, audit.Entry{Action: "money.matched", Object: r.ID, Detail: map[string]any{"order": o.ID, "amount": r.Amount(), "surplus_minor": r.Surplus}})
	})
}

// SendBack says that money which belongs to no order was sent back by the bank under a reference. Again with the same reference it
// does nothing. Errors: payments.ErrNoReceipt, payments.ErrMatched, an invalid field, those of idempotency.
func (s *Service) SendBack(ctx context.Context, receiptID, reference, key string) (r payments.Receipt, err error) {
	if n := utf8.RuneCountInString(reference); n < 1 || n > 100 {
		return r, fault.InvalidInput(fault.Field{Pointer: "/reference", Code: "bad-length", Detail: "1 to 100 characters."})
	}
	return once(ctx, s, postgres.Actor(ctx), key, "send back", []string{receiptID, reference}, func(ctx context.Context, tx *postgres.Tx) (payments.Receipt, error) {
		r, err := payments.ReceiptTx(ctx, tx, receiptID)
		if err != nil || r.State == "sent_back" && r.SentBack == reference {
			return r, err
		}
		if r.State != "unmatched" {
			return r, payments.ErrMatched
		}
		if err := payments.SendBackReceiptTx(ctx, tx, r.ID, reference); err != nil {
			return r, err
		}
		r.State, r.SentBack = "sent_back", reference
		if err := ledger.PostTx(ctx, tx, ledger.Posting{Reference: r.ID + ":sent-back", Kind: "sent_back", Currency: money.Currency(r.Currency), OccurredAt: tx.Now(), Entries: []ledger.Entry{
			{Account: suspense, Minor: r.AmountMinor}, {Account: ledger.Clearing(r.Holder), Minor: -r.AmountMinor},
		}}); err != nil {
			return r, err
		}
		return r, audit.AppendTx(ctx, tx, audit.Entry{Action: "money.sent_back", Object: r.ID, Detail: map[string]any{"reference": reference, "amount": r.Amount()}})
	})
}
