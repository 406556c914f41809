package sales

import (
	"context"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// ReleaseSeat takes a seat back that nobody has begun with: the pool has it again. Errors: ErrNoOrder, ErrNoPool, ErrNoSeat, ErrSeatUsed,
// ErrInvoiced where its month is over.
func (s *Service) ReleaseSeat(ctx context.Context, orderID, seatID string, by By) error {
	return s.db.InTx(postgres.WithActor(ctx, "system"), "release seat", func(ctx context.Context, tx *postgres.Tx) error {
		o, x, err := lockSeat(ctx, tx, orderID, seatID, by)
		if err == nil {
			err = collects(ctx, tx, o)
		}
		if err != nil {
			return err
		}
		return s.release(ctx, tx, o, x, "released", by)
	})
}

// release ends a seat; its money is the pool's again.
func (s *Service) release(ctx context.Context, tx *postgres.Tx, o Order, x Seat, because string, by By) error {
	if o.State == Billed {
		return ErrInvoiced
	}
	if x.Begun && o.State != Accruing {
		return ErrSeatUsed
	}
	var enrolments []string
	if x.State == SeatClaimed {
		share, err := seatParts(ctx, tx, o.ID, x)
		if err != nil {
			return err
		}
		for _, p := range share {
			enrolments = append(enrolments, p.EnrolmentID)
		}
		if err := enrolment.RevokeSomeTx(ctx, tx, o.ID, enrolments, x.MembershipID, "seat "+because); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("MergeSeat"), o.ID, x.Line, x.N); err != nil {
			return err
		}
		if err := s.follow(ctx, tx, o, x.ID+":back", "seat_"+because, share, "", false); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, q.Q("EndSeat"), x.ID, tx.Now(), because); err != nil {
		return err
	}
	if o.State == Accruing {
		if err := s.shrink(ctx, tx, o); err != nil {
			return err
		}
	}
	if x.State == SeatClaimed {
		if err := s.jobs.EnqueueTx(ctx, tx, SeatLost{SeatID: x.ID, Enrolments: enrolments}); err != nil {
			return err
		}
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "seat." + because, Object: x.ID, Detail: map[string]any{"order": o.ID, "line": x.Line, "person": x.PersonID, "by": by.PersonID},
		Before: map[string]any{"state": x.State}, After: map[string]any{"state": SeatEnded}})
}

// seatParts are the parts of a claimed seat.
func seatParts(ctx context.Context, tx *postgres.Tx, orderID string, x Seat) (out []Part, err error) {
	all, err := PartsTx(ctx, tx, orderID)
	for _, p := range all {
		if p.Line == x.Line && p.Seat == x.N {
			out = append(out, p)
		}
	}
	return out, err
}

// MoveSeat gives a seat that nobody has begun with to somebody else, by her address: at once where she is known, reserved where she never
// signed in. Errors: ErrNoOrder, ErrNoPool, ErrNoSeat, ErrSeatUsed, ErrSeatsClosed, ErrEnrolled, ErrOpenAlready, ErrSeatHeld, identity.ErrEmail.
func (s *Service) MoveSeat(ctx context.Context, orderID, seatID, email, name string, by By) (x Seat, err error) {
	if email, err = identity.NormalEmail(email); err != nil {
		return x, err
	}
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "move seat", func(ctx context.Context, tx *postgres.Tx) error {
		o, old, err := lockSeat(ctx, tx, orderID, seatID, by)
		if err != nil {
			return err
		}
		if old.Email == email {
			x = old
			return nil
		}
		if err := s.release(ctx, tx, o, old, "moved", by); err != nil {
			return err
		}
		if o, err = OrderTx(ctx, tx, o.ID); err != nil { // its parts have changed
			return err
		}
		p, err := placeOf(ctx, tx, o, old.Line)
		if err != nil {
			return err
		}
		x, err = s.assign(ctx, tx, &p, email, name)
		return err
	})
	return x, err
}

// assign gives a seat to who has an address: a person who is known is enrolled, for another one it is reserved.
func (s *Service) assign(ctx context.Context, tx *postgres.Tx, p *place, email, name string) (Seat, error) {
	person, known, err := identity.FindByEmailTx(ctx, tx, email)
	if err != nil {
		return Seat{}, err
	}
	if known {
		var hers []Seat
		if err := tx.Select(ctx, &hers, q.Q("SeatsFor"), p.order.ID, p.line.N, person.ID, email); err != nil {
			return Seat{}, err
		}
		if len(hers) == 0 {
			return s.give(ctx, tx, p, person, nil, "")
		}
		if hers[0].State == SeatClaimed {
			return Seat{}, ErrSeatHeld
		}
		return s.give(ctx, tx, p, person, &hers[0], "") // the one that waits for her
	}
	return s.reserve(ctx, tx, p, email, name)
}
