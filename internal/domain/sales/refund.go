package sales

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/lib/pq"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
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

// DecideRefund has a second person agree to a proposed refund, or not, once per key of who decides; again it gives the order as it stands then.
// Errors: payments.ErrRefundUnknown, payments.ErrRefundDecided, payments.ErrSecondPerson and those of idempotency.
func (s *Service) DecideRefund(ctx context.Context, refundID string, agree bool, key string) (Order, error) {
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
