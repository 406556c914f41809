package sales

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// RefundOrder gives money back. A nil amount is everything that is left. The provider is asked by a job; the order changes
// when the money is on its way.
type RefundOrder struct {
	OrderID        string
	AmountMinor    *int64
	Lines          []RefundLine // what of which line, instead of an amount
	Reason         string
	IdempotencyKey string
}

// RefundLine is what goes back of one line of an order, in minor units: an amount of the line; of an organisation's, so many seats that
// nobody was given, or an amount of a seat that somebody has, all that is left of it where none is named.
type RefundLine struct {
	Line   int    `json:"line" db:"line"`
	Seat   int    `json:"-" db:"seat"` // its number, as it is stored; 0: all of the line
	Minor  int64  `json:"amount_minor" db:"minor"`
	Seats  int    `json:"seats,omitempty" db:"-"`
	SeatID string `json:"seat,omitempty" db:"-"`
}

// Refund requests a refund, or proposes it to a second person where it is above what one gives back alone. Errors: ErrNoOrder,
// ErrNotPaid, ErrNoLine, payments.ErrTooMuch, payments.ErrRefundReason and those of idempotency.
func (s *Service) Refund(ctx context.Context, c RefundOrder) (Order, error) {
	actor := postgres.Actor(ctx)
	_, _, err := s.replies.Do(ctx, actor, c.IdempotencyKey, requestHash("refund", c),
		func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
			r, err := s.requestRefund(ctx, tx, c)
			if err != nil {
				return idempotency.Reply{}, err
			}
			b, err := json.Marshal(r.ID)
			return idempotency.Reply{Status: http.StatusAccepted, Body: b}, err
		})
	if err != nil {
		return Order{}, err
	}
	failpoint.Here("refund requested")
	return s.Order(ctx, c.OrderID)
}

// requestRefund gives money back over the payments of an order, of which only one paid in instalments has several: the newest first. It
// gives the last of the refunds.
func (s *Service) requestRefund(ctx context.Context, tx *postgres.Tx, c RefundOrder) (r payments.Refund, err error) {
	o, err := one(ctx, tx, "Lock", c.OrderID)
	if err != nil {
		return r, err
	}
	switch o.State {
	case Paid, PartiallyRefunded, Withdrawn, PaymentMismatch, Defaulted:
	default:
		return r, ErrNotPaid
	}
	if o.PaymentID == "" {
		return r, ErrNotPaid
	}
	from, err := givesBack(ctx, tx, o)
	if err != nil {
		return r, err
	}
	left := int64(0)
	for _, p := range from {
		left += p.Free
	}
	minor := left
	if c.AmountMinor != nil {
		minor = *c.AmountMinor
	}
	var of []target
	var apart []string
	if len(c.Lines) > 0 {
		if c.AmountMinor != nil {
			return r, fault.InvalidInput(fault.Field{Pointer: "/lines", Code: "one-of", Detail: "Either an amount or lines."})
		}
		if of, apart, err = s.targets(ctx, tx, o, c.Lines); err != nil {
			return r, err
		}
		minor = 0
		for _, t := range of {
			minor += t.minor
		}
	}
	if minor <= 0 {
		return r, payments.ErrRefundAmount
	}
	if minor > left {
		return r, payments.ErrTooMuch
	}
	alone, named := s.alone[from[0].CapturedCurrency]
	propose := named && minor > alone && postgres.Actor(ctx) != "system"
	for _, p := range from {
		part := min(minor, p.Free)
		if part <= 0 {
			continue
		}
		minor -= part
		if r, err = s.payments.RequestRefundTx(ctx, tx, p.Payment, payments.NewRefund{Minor: part, Reason: c.Reason, Propose: propose}); err != nil {
			return r, err
		}
		for i := range of {
			t := min(part, of[i].minor)
			if t == 0 { // a seat whose money had gone back before, or what an earlier payment gave
				continue
			}
			part, of[i].minor = part-t, of[i].minor-t
			if _, err := tx.Exec(ctx, q.Q("AddRefundLine"), r.ID, o.ID, of[i].line, t, of[i].seat); err != nil {
				return r, err
			}
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "refund." + r.State, Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount_minor": r.AmountMinor, "reason": c.Reason}}); err != nil {
			return r, err
		}
	}
	if len(apart) > 0 {
		_, err = tx.Exec(ctx, q.Q("SetRefundOfSeats"), pq.Array(apart), r.ID)
	}
	return r, err
}

// givesBack holds the payments of an order from which money goes back, with what each can give.
func givesBack(ctx context.Context, tx *postgres.Tx, o Order) ([]payments.Holding, error) {
	if o.Way == Instalments {
		return payments.HoldingsTx(ctx, tx, o.ID)
	}
	p, err := payments.LockTx(ctx, tx, o.PaymentID)
	left := p.Left()
	if p.State == payments.Captured { // what came back from a bank is credited already, and owed: it is paid otherwise, not given back twice
		left = min(left, o.Total.Minor-o.Credited.Minor)
	}
	return []payments.Holding{{Payment: p, Free: left}}, err
}

// enough refuses more than lines have left. Errors: ErrNoLine, payments.ErrRefundAmount, payments.ErrTooMuch where a line has less left than
// that, less what is on its way.
func (o Order) enough(ctx context.Context, tx *postgres.Tx, lines []RefundLine) error {
	left, err := o.left(ctx, tx)
	if err != nil {
		return err
	}
	for i, l := range lines {
		at := fmt.Sprintf("/lines/%d", i)
		has, known := left[l.Line]
		switch {
		case !known:
			return ErrNoLine.At(at+"/line", "unknown", "The order has no such line.")
		case l.Minor <= 0:
			return payments.ErrRefundAmount.At(at+"/amount_minor", "too-small", "More than nothing.")
		case l.Minor > has:
			return payments.ErrTooMuch.At(at+"/amount_minor", "too-much", "This line has less left to give back.")
		}
	}
	return nil
}

// left is what each line still has to give back, in minor units, less what is on its way.
func (o Order) left(ctx context.Context, tx *postgres.Tx) (map[int]int64, error) {
	var underWay []RefundLine
	if err := tx.Select(ctx, &underWay, q.Q("RefundLinesUnderWay"), o.ID); err != nil {
		return nil, err
	}
	left := map[int]int64{}
	for _, l := range o.Lines {
		left[l.N] = l.Total.Minor - l.Credited.Minor
	}
	for _, u := range underWay {
		left[u.Line] -= u.Minor
	}
	return left, nil
}

// DecideRefund has a second person agree to a proposed refund, or not. To decide it again in the same way does nothing. Errors:
// payments.ErrRefundUnknown, payments.ErrRefundDecided, payments.ErrSecondPerson.
func (s *Service) DecideRefund(ctx context.Context, refundID string, agree bool) (o Order, err error) {
	err = s.db.InTx(ctx, "decide refund", func(ctx context.Context, tx *postgres.Tx) (err error) {
		o, err = s.decideRefundTx(ctx, tx, refundID, agree)
		return err
	})
	if err != nil {
		return o, err
	}
	return s.Order(ctx, o.ID)
}

// DecideRefundOnce is DecideRefund once per key of who decides; again it gives the order as it stands then. Errors: those of DecideRefund
// and of idempotency.
func (s *Service) DecideRefundOnce(ctx context.Context, refundID string, agree bool, key string) (Order, error) {
	id, err := once(ctx, s, postgres.Actor(ctx), key, "decide refund", []any{refundID, agree}, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		o, err := s.decideRefundTx(ctx, tx, refundID, agree)
		return o.ID, err
	})
	if err != nil {
		return Order{}, err
	}
	return s.Order(ctx, id)
}

func (s *Service) decideRefundTx(ctx context.Context, tx *postgres.Tx, refundID string, agree bool) (o Order, err error) {
	o, p, err := lockRefund(ctx, tx, refundID)
	if err != nil {
		return o, err
	}
	r, err := s.payments.DecideRefundTx(ctx, tx, refundID, agree)
	if err != nil {
		return o, err
	}
	if !agree && o.Pool() {
		if err := s.stay(ctx, tx, o, refundID); err != nil {
			return o, err
		}
	}
	if r.Reversal && agree { // nobody sends anything: the desk recorded what was not
		if err := s.applyTx(ctx, tx, givenBack(p, r, "reversal:"+r.ID)); err != nil {
			return o, err
		}
	}
	return o, audit.AppendTx(ctx, tx, audit.Entry{Action: "refund." + r.State, Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount_minor": r.AmountMinor}})
}

// refunded books money that goes back, once per refund of the provider.
func (s *Service) refunded(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if !p.State.Paid() {
		return payments.ErrUnknownPayment.Detailf("The refund came before its capture.")
	}
	b, err := payments.BookRefundTx(ctx, tx, p, f, o.Total.Minor-o.Credited.Minor)
	if err != nil || !b.Fresh {
		return err
	}
	r := b.Refund
	if err := s.payOwed(ctx, tx, o, p, r.ID, b.Owed, b.Excess); err != nil {
		return err
	}
	amount := money.Of(r.AmountMinor-b.Owed-b.Excess, money.Currency(p.CapturedCurrency))
	if amount.IsZero() {
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "refund.owed_paid", Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount_minor": r.AmountMinor, "too_much_minor": b.Excess}})
	}
	if debit, ours := surplusAccounts[p.State]; ours {
		return s.post(ctx, tx, r.ID+":refund", "refund", amount, o, debit, s.clearing(p))
	}
	shares, of, err := creditParts(ctx, tx, o, amount, r.ID)
	if err != nil {
		return err
	}
	if err := s.post(ctx, tx, r.ID+":refund", "refund", amount, o, ledger.Refunds, s.clearing(p), shares...); err != nil {
		return err
	}
	if o.Credited, err = o.Credited.Add(amount); err != nil {
		return err
	}
	// The note of the refund before that of what is owed no more: each takes from what the invoice has left.
	if err := creditNote(ctx, tx, invoicing.Credit{OrderID: o.ID, Reference: r.ID, Reason: r.Reason, Amount: amount, Lines: of}); err != nil {
		return err
	}
	if o.Way == Instalments && o.State.inForce() {
		held, err := heldTx(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if held == 0 { // all that was paid went back: nothing more is owed
			if err := s.endPlan(ctx, tx, &o, "everything that was paid was given back"); err != nil {
				return err
			}
		}
	}
	to := PartiallyRefunded
	if o.State == Withdrawn || o.State == Defaulted {
		to = o.State
	}
	if o.State == Lost { // told late: the bank had given the rest back already, and took everything back
		to = Lost
	} else if o.Credited == o.Total {
		to = Refunded
		if err := s.reverse(ctx, tx, o, "refunded"); err != nil {
			return err
		}
	} else {
		if o.State == Disputed {
			to = Disputed
		}
		if o.Pool() {
			if err := s.returned(ctx, tx, o, r.ID); err != nil {
				return err
			}
		}
		if err := s.tell(ctx, tx, o, map[bool]string{false: "refunded_partly", true: "withdrawal_refunded"}[o.State == Withdrawn], r.ID, amount); err != nil {
			return err
		}
	}
	if err := s.credit(ctx, tx, &o, to); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "order." + string(to), Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount": amount}})
}

// creditNote writes a credit note by the lines that gave. Notes of before this was said spread every amount over all lines: where a
// line of the invoice has less left than its part for that reason, the note spreads too, because money that went must have its paper.
func creditNote(ctx context.Context, tx *postgres.Tx, c invoicing.Credit) error {
	_, err := invoicing.CreditTx(ctx, tx, c)
	if errors.Is(err, invoicing.ErrCredit) {
		c.Lines = nil
		_, err = invoicing.CreditTx(ctx, tx, c)
	}
	return err
}

// surplusAccounts hold what came by a payment that was not its order's.
var surplusAccounts = map[payments.State]string{payments.Surplus: overpaid, payments.Mismatch: suspense}

// payOwed books what leaves a payment and is given back by no order: what was owed since a refund came back, and what is too much, which
// the buyer owes us. id is that of the refund or the dispute.
func (s *Service) payOwed(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, id string, owed, excess int64) error {
	if owed > 0 {
		if err := s.post(ctx, tx, id+":owed", "owed_paid", money.Of(owed, money.Currency(p.CapturedCurrency)), o, returning, s.clearing(p)); err != nil {
			return err
		}
	}
	if excess <= 0 {
		return nil
	}
	return s.post(ctx, tx, id+":excess", "paid_too_much", money.Of(excess, money.Currency(p.CapturedCurrency)), o, overpaid, s.clearing(p))
}

// credit moves the order, or stores the credited amount where the state stays.
func (s *Service) credit(ctx context.Context, tx *postgres.Tx, o *Order, to State) error {
	if to != o.State {
		return s.move(ctx, tx, o, to)
	}
	return store(ctx, tx, *o)
}

// reverse takes back what the order opened; what stands above hears of it by a job.
func (s *Service) reverse(ctx context.Context, tx *postgres.Tx, o Order, reason string) error {
	if err := s.freed(ctx, tx, o); err != nil {
		return err
	}
	enrolments, err := enrolment.RevokeTx(ctx, tx, o.ID, reason)
	if err == nil && o.Pool() {
		err = s.endSeats(ctx, tx, o, reason)
	}
	if err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, OrderReversed{OrderID: o.ID, Enrolments: enrolments, Reason: reason})
}

// refundFailed notes that a refund came back to us. The buyer keeps her credit note, and we owe her the money.
func (s *Service) refundFailed(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if !p.State.Paid() {
		return payments.ErrUnknownPayment.Detailf("The refund came before its capture.")
	}
	x, err := payments.FailRefundTx(ctx, tx, p, f)
	if err != nil {
		return err
	}
	r, c := x.Refund, money.Currency(p.CapturedCurrency)
	from := surplusAccounts[p.State]
	if x.Booked {
		from = s.clearing(p)
	}
	if x.Owed > 0 {
		if err := s.post(ctx, tx, r.ID+":refund-failed", "refund_failed", money.Of(x.Owed, c), o, from, returning); err != nil {
			return err
		}
	}
	if x.Excess > 0 {
		if err := s.post(ctx, tx, r.ID+":excess-failed", "refund_failed", money.Of(x.Excess, c), o, from, overpaid); err != nil {
			return err
		}
	}
	if x.Booked {
		amount := money.Of(r.AmountMinor, c)
		if err := s.tell(ctx, tx, o, "refund_failed", r.ID, amount); err != nil {
			return err
		}
	} else if o.Pool() {
		if err := s.stay(ctx, tx, o, r.ID); err != nil {
			return err
		}
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "refund.failed", Object: o.ID, Detail: map[string]any{"refund": r.ID, "amount_minor": r.AmountMinor}})
}

var turns = map[payments.FactKind]string{
	payments.FactInquiry: "inquiry", payments.FactInquiryClosed: "closed",
	payments.FactDisputeOpened: "opened", payments.FactDisputeWon: "won", payments.FactDisputeLost: "lost",
}

// disputed follows a dispute: a question of the bank is noted and moves nothing; while it is open the order says so, won puts it back, lost
// takes back what it opened.
func (s *Service) disputed(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, f payments.Fact) error {
	if !p.State.Paid() {
		return payments.ErrUnknownPayment.Detailf("The dispute came before its capture.")
	}
	turn := turns[f.Kind]
	fresh, err := payments.DisputeTx(ctx, tx, p, f, turn)
	if err != nil || !fresh {
		return err
	}
	if turn == "lost" { // what the buyer was owed, she has now; what she had already otherwise, she owes us
		left := o.Total.Minor - o.Credited.Minor
		if p.State != payments.Captured {
			if left, err = payments.UnowedTx(ctx, tx, p); err != nil {
				return err
			}
		}
		owed, err := payments.SettleOwedTx(ctx, tx, p, f.Amount.Minor)
		if err != nil {
			return err
		}
		excess := max(0, f.Amount.Minor-owed-max(0, left))
		if err := s.payOwed(ctx, tx, o, p, f.DisputeID, owed, excess); err != nil {
			return err
		}
		f.Amount.Minor -= owed + excess
	}
	if debit, ours := surplusAccounts[p.State]; ours {
		if turn == "lost" && !f.Amount.IsZero() {
			err = s.post(ctx, tx, f.DisputeID+":lost", "dispute_lost", f.Amount, o, debit, s.clearing(p))
		}
		return err
	}
	to := o.State
	switch turn {
	case "opened":
		to = Disputed
	case "won":
		var another bool // instalments have a payment each, and each can be disputed
		if err := tx.Get(ctx, &another, q.Q("AtTheBank"), o.ID); err != nil {
			return err
		}
		switch {
		case another:
		case o.Credited.Minor > 0:
			to = PartiallyRefunded
		default:
			to = Paid
		}
	case "lost":
		to = Lost
		if !f.Amount.IsZero() { // otherwise it had been given back before, on paper
			shares, _, err := creditParts(ctx, tx, o, f.Amount, "")
			if err != nil {
				return err
			}
			if err := s.post(ctx, tx, f.DisputeID+":lost", "dispute_lost", f.Amount, o, ledger.Disputes, s.clearing(p), shares...); err != nil {
				return err
			}
			if o.Credited, err = o.Credited.Add(f.Amount); err != nil {
				return err
			}
		}
		if err := s.endPlan(ctx, tx, &o, "the bank gave an instalment back"); err != nil {
			return err
		}
		if err := s.reverse(ctx, tx, o, "dispute lost"); err != nil {
			return err
		}
	}
	if o.State == to || !Life.Allows(o.State, to) { // a refunded order is disputed no more
		err = store(ctx, tx, o)
	} else {
		err = s.move(ctx, tx, &o, to)
	}
	if err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "dispute." + turn, Object: o.ID, Detail: map[string]any{"dispute": f.DisputeID, "amount": f.Amount}})
}
