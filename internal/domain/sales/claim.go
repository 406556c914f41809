package sales

import (
	"context"
	"errors"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Faults of claim links.
var (
	ErrClaimLink     = fault.New(fault.NotFound, "no-such-claim-link", "This link gives no seat: it is not whole, or it was never made.")
	ErrClaimLinkOver = fault.New(fault.Conflict, "claim-link-over", "This link gives no seat any more: its time is over, it was used as often as it may, or it was taken back.")
)

// Claimable is what a claim link gives: a seat of an order, if any is left.
type Claimable struct {
	Order Order
	Line  Line
	Seat  *Seat // that the person who asks has of it
	Why   error // why she cannot have one; nil: she can
}

// SeeClaim says what a claim link gives to a person, and gives nothing. Errors: ErrClaimLink.
func (s *Service) SeeClaim(ctx context.Context, token, personID string) (c Claimable, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "claim", func(ctx context.Context, tx *postgres.Tx) error {
		k, err := linkTx(ctx, tx, token)
		if err != nil {
			return err
		}
		if c.Order, err = OrderTx(ctx, tx, k.OrderID); err != nil {
			return err
		}
		for _, l := range c.Order.Lines {
			if l.N == k.Line {
				c.Line = l
			}
		}
		p, mine, reserved, why := s.claimable(ctx, tx, c.Order, k, personID)
		c.Seat, c.Why = mine, why
		if why == nil && mine == nil {
			if c.Why = p.couldHave(ctx, tx, personID); c.Why == nil && reserved == nil && p.line.free(p.held) < 1 {
				c.Why = ErrNoSeatLeft
			}
		}
		if f := (*fault.Fault)(nil); c.Why != nil && !errors.As(c.Why, &f) {
			return c.Why
		}
		return nil
	})
	return c, err
}

// claimable finds what a link gives: the seat that she has already, the one that is reserved for her, or a free one.
func (*Service) claimable(ctx context.Context, tx *postgres.Tx, o Order, k ClaimLink, personID string) (p place, mine, reserved *Seat, err error) {
	if p, err = placeOf(ctx, tx, o, k.Line); err != nil {
		return p, nil, nil, err
	}
	person, err := identity.PersonTx(ctx, tx, personID)
	if err != nil {
		return p, nil, nil, err
	}
	var seats []Seat
	if err := tx.Select(ctx, &seats, q.Q("SeatsFor"), o.ID, k.Line, personID, person.Email); err != nil {
		return p, nil, nil, err
	}
	for i, x := range seats {
		if x.State == SeatClaimed {
			return p, &seats[i], nil, nil
		}
		reserved = &seats[i]
	}
	if reserved == nil && !k.live(tx.Now()) {
		err = ErrClaimLinkOver
	}
	return p, nil, reserved, err
}

// ClaimSeat gives a person a seat by a link; who has one of the same line keeps it, and one that was reserved for her is taken first and
// uses nothing of the link. Errors: ErrClaimLink, ErrClaimLinkOver, ErrNoPool, ErrSeatsClosed, ErrNoSeatLeft, ErrEnrolled, ErrOpenAlready.
func (s *Service) ClaimSeat(ctx context.Context, token, personID string) (x Seat, err error) {
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "claim seat", func(ctx context.Context, tx *postgres.Tx) error {
		k, err := linkTx(ctx, tx, token)
		if err != nil {
			return err
		}
		o, err := one(ctx, tx, "Lock", k.OrderID)
		if err != nil {
			return err
		}
		if k, err = linkTx(ctx, tx, token); err != nil { // as it is now that nobody else claims
			return err
		}
		p, mine, reserved, err := s.claimable(ctx, tx, o, k, personID)
		if err != nil {
			return err
		}
		if mine != nil {
			x = *mine
			return nil
		}
		person, err := identity.PersonTx(ctx, tx, personID)
		if err != nil {
			return err
		}
		x, err = s.give(ctx, tx, &p, person, reserved, k.ID)
		return err
	})
	failpoint.Here("seat claimed")
	return x, err
}

// Realise gives a person the seats that were reserved for her address, once she has proven it by signing in. What she cannot have now
// stays reserved. It gives how many she got.
func (s *Service) Realise(ctx context.Context, personID string) (n int, err error) {
	ctx = postgres.WithActor(ctx, "system")
	var person identity.Person
	var waiting []Seat
	if err := s.db.View(ctx, "reserved seats", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if person, err = identity.PersonTx(ctx, tx, personID); err != nil || person.Email == "" {
			return err
		}
		waiting = nil
		return tx.Select(ctx, &waiting, q.Q("ReservedFor"), person.Email)
	}); err != nil {
		return 0, err
	}
	for _, w := range waiting {
		got := false
		err := s.db.InTx(ctx, "realise seat", func(ctx context.Context, tx *postgres.Tx) error {
			got = false
			o, x, err := lockSeat(ctx, tx, w.OrderID, w.ID, By{Staff: true})
			if err != nil || x.State != SeatReserved {
				return err
			}
			p, err := placeOf(ctx, tx, o, x.Line)
			if err != nil {
				return err
			}
			_, err = s.give(ctx, tx, &p, person, &x, "")
			got = err == nil
			return err
		})
		if f := (*fault.Fault)(nil); err != nil && (!errors.As(err, &f) || f.Kind == fault.Internal) {
			return n, err
		}
		if got {
			n++
		}
	}
	return n, nil
}
