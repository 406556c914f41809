package cohorts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// How many members one job looks at, and how many of them it works through, before it gives way to others; and how long an order at a desk that
// nobody has to pay by a day is kept open.
const (
	inOneLook = 5000
	inOneGo   = 200
	openHold  = 366 * 24 * time.Hour
)

// What a member waits for whose order ended before it was paid; the school enrols her again, or not.
const orderEnded = "order-ended"

// retryAfter is how long somebody waits who was refused, before she is tried again: a seat may have become free.
const retryAfter = time.Hour

// Follow does what is due in a cohort: whoever has an account, or an address at which she can be asked to pay, is enrolled or gets her order;
// who left gives back her seat, or her unpaid order is canceled. Each in a transaction of its own. Again it goes on where it was.
func (s *Service) Follow(ctx context.Context, cohortID string) error {
	ctx = postgres.WithActor(ctx, "system")
	var seen, due []string
	for more := true; more; more = len(seen) == inOneLook && len(due) == 0 { // where nobody has an account, there is little to do for many
		if err := s.db.InTx(ctx, "match members", func(ctx context.Context, tx *postgres.Tx) error {
			seen, due = nil, nil
			if err := tx.Select(ctx, &[]string{}, q.Q("ShareCohort"), cohortID); err != nil {
				return err
			}
			if err := tx.Select(ctx, &seen, q.Q("Due"), cohortID, inOneLook); err != nil || len(seen) == 0 {
				return err
			}
			if _, err := tx.Exec(ctx, q.Q("MatchAccounts"), pq.Array(seen)); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, q.Q("Park"), cohortID, pq.Array(seen)); err != nil {
				return err
			}
			return tx.Select(ctx, &due, q.Q("StillDue"), pq.Array(seen), inOneGo)
		}); err != nil {
			return err
		}
	}
	for _, id := range due {
		if err := s.settle(ctx, id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	if len(seen) < inOneLook && len(due) < inOneGo {
		return nil
	}
	return s.db.InTx(ctx, "more members", func(ctx context.Context, tx *postgres.Tx) error {
		return s.jobs.EnqueueTx(ctx, tx, Stirred{cohortID})
	})
}

// Realise finds the members that wait for a person: by her address, once she has proven it by signing in, or by the school's own key where it
// is known to be hers. What she cannot have now waits on. It gives how many were enrolled, or asked to pay.
func (s *Service) Realise(ctx context.Context, personID string) (n int, err error) {
	ctx = postgres.WithActor(ctx, "system")
	var mine []string
	if err := s.db.InTx(ctx, "realise members", func(ctx context.Context, tx *postgres.Tx) error {
		mine = nil
		return tx.Select(ctx, &mine, q.Q("MatchPerson"), personID)
	}); err != nil {
		return 0, err
	}
	for _, id := range mine {
		if err := s.settle(ctx, id); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Retry has members looked at again who were refused an hour ago or more, and those whose order ended. It gives how many cohorts it stirred.
func (s *Service) Retry(ctx context.Context) (n int, err error) {
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "retry members", func(ctx context.Context, tx *postgres.Tx) error {
		var all []string
		if err := tx.Select(ctx, &all, q.Q("Retry"), tx.Now().Add(-retryAfter)); err != nil {
			return err
		}
		n = len(all)
		for _, id := range all {
			if err := s.jobs.EnqueueTx(ctx, tx, Stirred{id}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// FollowOrder does what follows for the members of cohorts of an order that was paid, or reversed.
func (s *Service) FollowOrder(ctx context.Context, orderID string) error {
	return s.followAll(ctx, "OfOrder", orderID)
}

// FollowSeat does what follows for the member whose seat was taken back by somebody who manages the order.
func (s *Service) FollowSeat(ctx context.Context, seatID string) error {
	return s.followAll(ctx, "OfSeat", seatID)
}

func (s *Service) followAll(ctx context.Context, statement, of string) error {
	ctx = postgres.WithActor(ctx, "system")
	var all []string
	if err := s.db.LookAll(ctx, &all, q.Q(statement), of); err != nil {
		return err
	}
	for _, id := range all {
		if err := s.settle(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// settle does what follows of where one member stands. What refuses her is noted: she waits for it.
func (s *Service) settle(ctx context.Context, memberID string) error {
	var next func(ctx context.Context) error
	err := s.db.InTx(ctx, "settle member", func(ctx context.Context, tx *postgres.Tx) (err error) {
		next = nil
		m, c, err := hold(ctx, tx, memberID)
		if err != nil {
			return err
		}
		if m.OrderID != "" {
			if err := s.compare(ctx, tx, c, &m); err != nil {
				return err
			}
		}
		switch {
		case m.State == Waiting && m.EnrolledAt == nil && m.OrderID == "" && c.Agreement == Prepaid && m.PersonID != "":
			err = s.giveSeat(ctx, tx, c, &m)
		case m.State == Waiting && m.EnrolledAt == nil && m.OrderID == "" && c.Agreement == InvoicedMonthly && m.PersonID != "" && m.WaitsFor != orderEnded:
			err = s.onAccount(ctx, tx, c, &m)
		case m.State == Waiting && m.EnrolledAt == nil && m.OrderID == "" && c.Agreement == PayAtSchool && m.WaitsFor != orderEnded:
			next, err = s.prepare(ctx, tx, c, &m)
		case (m.State == Withdrawn || m.State == Transferred) && m.SeatID != "":
			err = s.takeBack(ctx, tx, &m)
		case (m.State == Withdrawn || m.State == Transferred) && m.OrderID != "" && m.EnrolledAt == nil && c.Agreement == PayAtSchool:
			order := m.OrderID
			next = func(ctx context.Context) error { return s.cancel(ctx, memberID, order) }
		}
		if err != nil {
			return err
		}
		m.Due = next != nil // until that is done
		return store(ctx, tx, m)
	})
	if err == nil && next != nil {
		err = next(ctx)
	}
	if errors.Is(err, idempotency.ErrInFlight) { // another worker is at it
		return nil
	}
	// What cannot be had now refuses nobody: it is done again.
	if f := (*fault.Fault)(nil); errors.As(err, &f) && f.Kind != fault.Internal && f.Kind != fault.Unavailable {
		return s.refuse(ctx, memberID, f.Code)
	}
	return err
}

// hold finds a member and holds her, and her cohort against rows that are being applied.
func hold(ctx context.Context, tx *postgres.Tx, memberID string) (m Member, c Cohort, err error) {
	var cohort []string
	if err := tx.Select(ctx, &cohort, q.Q("ShareCohortOf"), memberID); err != nil {
		return m, c, err
	}
	if err := tx.Get(ctx, &m, q.Q("LockMember"), memberID); err != nil {
		return m, c, err
	}
	c, err = cohortBy(ctx, tx, "BareCohort", m.CohortID)
	return m, c, err
}

// compare brings a member to where her order stands: paid, she is enrolled, or held back if her school says so; taken back, she is withdrawn.
func (s *Service) compare(ctx context.Context, tx *postgres.Tx, c Cohort, m *Member) error {
	o, err := sales.OrderTx(ctx, tx, m.OrderID)
	if err != nil {
		return err
	}
	stands := slices.Contains([]sales.State{sales.Paid, sales.PartiallyRefunded, sales.Disputed, sales.Accruing, sales.Billed}, o.State)
	if stands && m.SeatID != "" {
		x, _, err := sales.SeatTx(ctx, tx, m.SeatID)
		if err != nil {
			return err
		}
		stands = x.State == sales.SeatClaimed && x.PersonID == m.PersonID
	}
	switch {
	case stands && m.EnrolledAt == nil:
		now := tx.Now()
		m.EnrolledAt, m.WaitsFor = &now, ""
		if m.State == Waiting {
			return s.move(ctx, tx, m, Enrolled, m.OrderID)
		}
		var h enrolment.Holders
		h.Add(m.PersonID, m.OrderID)
		return enrolment.SuspendTx(ctx, tx, h, true)
	case !stands && m.EnrolledAt != nil:
		cause := m.OrderID
		m.EnrolledAt, m.OrderID, m.SeatID, m.WaitsFor = nil, "", "", ""
		if m.State == Enrolled || m.State == Suspended {
			return s.move(ctx, tx, m, Withdrawn, cause)
		}
	case o.State == sales.AwaitingPayment && m.State == Waiting:
		m.WaitsFor = ForPayment
	case !stands && o.State != sales.AwaitingPayment:
		m.OrderID = ""
		if m.State == Waiting {
			m.WaitsFor = orderEnded
		}
	}
	return nil
}

// giveSeat enrols a member of a prepaid cohort.
func (s *Service) giveSeat(ctx context.Context, tx *postgres.Tx, c Cohort, m *Member) error {
	if err := known(ctx, tx, c, *m); err != nil {
		return err
	}
	x, err := s.sales.GiveSeatTx(ctx, tx, c.OrderID, c.Line, m.PersonID)
	if err != nil {
		return err
	}
	now := tx.Now()
	m.OrderID, m.SeatID, m.EnrolledAt, m.WaitsFor = c.OrderID, x.ID, &now, ""
	return s.move(ctx, tx, m, Enrolled, x.ID)
}

// takeBack gives the seat of who left back to the pool, or to the account of the month while it collects. One that was begun out of a pool
// stays hers, held back, since it is used; and so does one that was invoiced.
func (s *Service) takeBack(ctx context.Context, tx *postgres.Tx, m *Member) error {
	x, _, err := sales.SeatTx(ctx, tx, m.SeatID)
	if err != nil {
		return err
	}
	if x.State == sales.SeatClaimed {
		stays, err := stays(ctx, tx, x, m.ChangedAt)
		if err != nil || stays {
			return err
		}
		if err := s.sales.ReleaseSeatTx(ctx, tx, m.OrderID, m.SeatID, sales.By{PersonID: m.AddedBy}); err != nil {
			return err
		}
	}
	m.EnrolledAt, m.OrderID, m.SeatID = nil, "", ""
	return nil
}

// stays says whether a seat stays with who left at a time: it was begun, or its month was over.
func stays(ctx context.Context, tx *postgres.Tx, x sales.Seat, left time.Time) (bool, error) {
	month, on, err := sales.MonthTx(ctx, tx, x.OrderID)
	if err != nil || on {
		return month.BilledAt != nil || !left.Before(month.EndsAt), err
	}
	return sales.SeatUsedTx(ctx, tx, x)
}

// known makes a member known by the school's key, and a member of the school: what is offered to its members alone is hers.
func known(ctx context.Context, tx *postgres.Tx, c Cohort, m Member) error {
	if err := identity.LinkTx(ctx, tx, m.PersonID, c.Organisation, m.StudentKey); err != nil {
		return err
	}
	return identity.JoinTx(ctx, tx, c.Organisation, m.PersonID)
}

// refuse notes why a member is not enrolled.
func (s *Service) refuse(ctx context.Context, memberID, code string) error {
	return s.db.InTx(ctx, "member refused", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("Refuse"), memberID, code, tx.Now())
		return err
	})
}

// move takes a member to a state of her table, and notes it. Store her afterwards.
func (s *Service) move(ctx context.Context, tx *postgres.Tx, m *Member, to State, cause string) error {
	if !Life.Allows(m.State, to) {
		return errNotInLife.Because(fmt.Errorf("%s: %s to %s", m.ID, m.State, to))
	}
	n := step{was: place{ID: m.ID, State: m.State}, to: to}
	m.State, m.ChangedAt = to, tx.Now()
	_, err := tx.Exec(ctx, q.Q("AddMove"), n.was.ID, n.was.State, n.to, cause, "system", tx.Now())
	return err
}

// store writes what can change of a member.
func store(ctx context.Context, tx *postgres.Tx, m Member) error {
	_, err := tx.Exec(ctx, q.Q("StoreMember"), m.ID, m.State, m.PersonID, m.OrderID, m.SeatID, m.EnrolledAt, m.WaitsFor, m.Due, m.Tries, m.ChangedAt)
	return err
}
