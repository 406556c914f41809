package sales

import (
	"context"
	"fmt"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// target is what goes back of a line, or of one seat of it; seat 0 is all of the line.
type target struct {
	line, seat int
	minor      int64
}

// targets turns what a refund asks of lines into amounts: seats that nobody was given are set apart with their share each, so that nobody
// is given them while their money is on its way; of a seat that somebody has goes what is asked, or all that is left. The order is held.
// Errors: ErrNoLine, ErrNoPool, ErrNoSeatLeft, ErrNoSeat, payments.ErrTooMuch, an invalid field.
func (s *Service) targets(ctx context.Context, tx *postgres.Tx, o Order, lines []RefundLine) (out []target, apart []string, err error) {
	seen := map[string]bool{}
	whole, parted := map[int]bool{}, map[int]bool{} // lines of which an amount goes back, and lines of which seats do
	var plain []RefundLine
	for i, l := range lines {
		at, key, seats := fmt.Sprintf("/lines/%d", i), fmt.Sprint(l.Line, l.SeatID), l.SeatID != "" || l.Seats != 0
		if seen[key] || seats && whole[l.Line] || !seats && parted[l.Line] {
			return nil, nil, ErrNoLine.At(at+"/line", "unknown", "The order has no such line, or it was named before.")
		}
		if seen[key] = true; seats {
			parted[l.Line] = true
		} else {
			whole[l.Line] = true
		}
		switch {
		case l.Seats != 0 && (l.SeatID != "" || l.Minor != 0):
			return nil, nil, fault.InvalidInput(fault.Field{Pointer: at, Code: "one-of", Detail: "Either a number of seats, or an amount."})
		case l.Seats < 0:
			return nil, nil, fault.InvalidInput(fault.Field{Pointer: at + "/seats", Code: "too-small", Detail: "One seat or more."})
		case l.Seats > 0:
			some, ids, err := s.setApart(ctx, tx, o, l, at)
			if err != nil {
				return nil, nil, err
			}
			out, apart = append(out, some...), append(apart, ids...)
			if o, err = OrderTx(ctx, tx, o.ID); err != nil { // its parts have changed
				return nil, nil, err
			}
		case l.SeatID != "":
			one, err := ofSeat(ctx, tx, o, l, at)
			if err != nil {
				return nil, nil, err
			}
			out = append(out, one)
		default:
			plain = append(plain, l)
			out = append(out, target{line: l.Line, minor: l.Minor})
		}
	}
	if len(plain) > 0 {
		if err := o.enough(ctx, tx, plain); err != nil {
			return nil, nil, err
		}
	}
	return out, apart, nil
}

// setApart takes seats that nobody was given out of a pool, each with its share of the money.
func (s *Service) setApart(ctx context.Context, tx *postgres.Tx, o Order, l RefundLine, at string) (out []target, ids []string, err error) {
	line, err := o.pool(l.Line)
	if err != nil {
		return nil, nil, err
	}
	held, err := holdingsTx(ctx, tx, o.ID)
	if err != nil {
		return nil, nil, err
	}
	p := place{order: o, line: line, held: held[l.Line], parts: append([]Part{}, line.Parts...)}
	if free := line.free(p.held); l.Seats > free {
		return nil, nil, ErrNoSeatLeft.At(at+"/seats", "too-many", fmt.Sprintf("%d seats are free.", free))
	}
	for range l.Seats {
		p.held.Last++
		x := Seat{ID: ident.New("sea"), N: p.held.Last}
		share := p.cut(x.N)
		p.held.Returned++
		if _, err := tx.Exec(ctx, q.Q("AddSeat"), x.ID, o.ID, l.Line, x.N, SeatReturning, nil, nil, nil, nil, nil, tx.Now(), nil); err != nil {
			return nil, nil, err
		}
		if err := p.split(ctx, tx, share); err != nil {
			return nil, nil, err
		}
		t := target{line: l.Line, seat: x.N}
		for _, part := range share {
			t.minor += part.Sold - part.Credited
		}
		out, ids = append(out, t), append(ids, x.ID)
	}
	return out, ids, nil
}

// ofSeat is what goes back of a seat that somebody has.
func ofSeat(ctx context.Context, tx *postgres.Tx, o Order, l RefundLine, at string) (t target, err error) {
	if _, err := o.pool(l.Line); err != nil {
		return t, err
	}
	var found []Seat
	if err := tx.Select(ctx, &found, q.Q("SeatByID"), l.SeatID); err != nil {
		return t, err
	}
	if len(found) == 0 || found[0].OrderID != o.ID || found[0].Line != l.Line || found[0].State != SeatClaimed {
		return t, ErrNoSeat.At(at+"/seat", "unknown", "Nobody has this seat of the line.")
	}
	parts, err := seatParts(ctx, tx, o.ID, found[0])
	if err != nil {
		return t, err
	}
	var left int64
	for _, p := range parts {
		left += p.Sold - p.Credited
	}
	var underWay int64
	if err := tx.Get(ctx, &underWay, q.Q("SeatUnderWay"), o.ID, l.Line, found[0].N); err != nil {
		return t, err
	}
	left -= underWay
	t = target{line: l.Line, seat: found[0].N, minor: l.Minor}
	if t.minor == 0 {
		t.minor = left
	}
	if t.minor < 1 || t.minor > left {
		return t, payments.ErrTooMuch.At(at+"/amount_minor", "too-much", "This seat has less left to give back.")
	}
	return t, nil
}

// returned ends what a refund that was booked was for: seats that were set apart are returned, and of who had a seat of which nothing is
// left, the right too. Their places are free. The order, which stands, is held; no enrolment is yet.
func (s *Service) returned(ctx context.Context, tx *postgres.Tx, o Order, refundID string) error {
	var gone []Seat
	if err := tx.Select(ctx, &gone, q.Q("SeatsReturned"), refundID, o.ID); err != nil || len(gone) == 0 {
		return err
	}
	counts := map[int]int{}
	for _, x := range gone {
		counts[x.Line]++
	}
	for line, n := range counts {
		if _, err := tx.Exec(ctx, q.Q("ReturnSeats"), o.ID, line, n); err != nil {
			return err
		}
	}
	k, err := queueNear(ctx, tx, nearOrder(o))
	if err != nil {
		return err
	}
	if len(k) > 0 {
		if err := lockLimits(ctx, tx, nil, k.locks()); err != nil {
			return err
		}
		if _, err := s.serve(ctx, tx, k, ""); err != nil {
			return err
		}
	}
	for _, x := range gone {
		if x.State == SeatClaimed {
			if err := s.takeBack(ctx, tx, o, x); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, q.Q("SeatIsReturned"), x.ID, refundID); err != nil {
			return err
		}
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "seats.returned", Object: o.ID, Detail: map[string]any{"refund": refundID, "seats": len(gone)}})
}

// takeBack ends the right of who has a seat.
func (s *Service) takeBack(ctx context.Context, tx *postgres.Tx, o Order, x Seat) error {
	parts, err := seatParts(ctx, tx, o.ID, x)
	if err != nil {
		return err
	}
	var enrolments []string
	for _, p := range parts {
		enrolments = append(enrolments, p.EnrolmentID)
	}
	if err := enrolment.RevokeSomeTx(ctx, tx, o.ID, enrolments, x.MembershipID, "refunded"); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(ctx, tx, SeatLost{SeatID: x.ID, Enrolments: enrolments})
}

// stay gives seats that were set apart for a refund back to the pool: it was rejected, or never reached anybody.
func (s *Service) stay(ctx context.Context, tx *postgres.Tx, o Order, refundID string) error {
	var apart []Seat
	if err := tx.Select(ctx, &apart, q.Q("SeatsApart"), refundID, o.ID); err != nil {
		return err
	}
	for _, x := range apart {
		if _, err := tx.Exec(ctx, q.Q("MergeSeat"), o.ID, x.Line, x.N); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("EndSeat"), x.ID, tx.Now(), "not given back"); err != nil {
			return err
		}
	}
	return nil
}

// endSeats ends all seats of an order whose money went back, and tells who had them.
func (s *Service) endSeats(ctx context.Context, tx *postgres.Tx, o Order, reason string) error {
	var lost []string
	if err := tx.Select(ctx, &lost, q.Q("EndSeats"), o.ID, tx.Now(), reason); err != nil {
		return err
	}
	for _, id := range lost {
		if err := s.jobs.EnqueueTx(ctx, tx, SeatLost{SeatID: id}); err != nil {
			return err
		}
	}
	return nil
}
