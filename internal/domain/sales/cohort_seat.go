package sales

import (
	"context"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/platform/postgres"
)

// GiveSeatTx enrols a person with a seat of an organisation's line: one that was reserved for her address, or a free one. It holds the order.
// The actor must be "system". Errors: ErrNoOrder, ErrNoPool, ErrNoLine, ErrSeatsClosed, ErrNoSeatLeft, ErrEnrolled, ErrOpenAlready, ErrSeatHeld.
func (s *Service) GiveSeatTx(ctx context.Context, tx *postgres.Tx, orderID string, line int, personID string) (x Seat, err error) {
	o, err := one(ctx, tx, "Lock", orderID)
	if err != nil {
		return x, err
	}
	p, err := placeOf(ctx, tx, o, line)
	if err != nil {
		return x, err
	}
	person, err := identity.PersonTx(ctx, tx, personID)
	if err != nil {
		return x, err
	}
	var hers []Seat
	if err := tx.Select(ctx, &hers, q.Q("SeatsFor"), o.ID, line, person.ID, person.Email); err != nil {
		return x, err
	}
	if len(hers) == 0 {
		return s.give(ctx, tx, &p, person, nil, "")
	}
	if hers[0].State == SeatClaimed {
		return x, ErrSeatHeld
	}
	return s.give(ctx, tx, &p, person, &hers[0], "")
}

// ReleaseSeatTx is ReleaseSeat in the caller's transaction, by the house itself. The actor must be "system".
func (s *Service) ReleaseSeatTx(ctx context.Context, tx *postgres.Tx, orderID, seatID string, by By) error {
	o, x, err := lockSeat(ctx, tx, orderID, seatID, By{PersonID: by.PersonID, Staff: true})
	if err != nil {
		return err
	}
	return s.release(ctx, tx, o, x, "released", by)
}

// JoinUntilTx is until when one can join what an offer is on; nil: nobody knows.
func JoinUntilTx(ctx context.Context, tx *postgres.Tx, offerID string) (*time.Time, error) {
	offer, err := offers.OfferTx(ctx, tx, offerID)
	if err != nil {
		return nil, err
	}
	t, err := thingOf(ctx, tx, offer)
	if err != nil {
		return nil, err
	}
	if t.edition.ID != "" {
		return earliest(t.edition.EnrolUntil, t.edition.EndsAt), nil
	}
	return earliest(t.session.EnrolUntil, t.session.EndsAt), nil
}

func earliest(all ...*time.Time) (first *time.Time) {
	for _, t := range all {
		if t != nil && (first == nil || t.Before(*first)) {
			first = t
		}
	}
	return first
}

// SeatUsedTx says whether the learner of a seat has begun.
func SeatUsedTx(ctx context.Context, tx *postgres.Tx, x Seat) (bool, error) {
	all := []Seat{x}
	err := begun(ctx, tx, x.OrderID, all)
	return all[0].Begun, err
}
