package sales

import (
	"context"
	"slices"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Faults of pools.
var (
	ErrNoPool      = fault.New(fault.Conflict, "no-seats-to-give", "Seats are given out of a paid order of an organisation, while it stands.")
	ErrNoSeatLeft  = fault.New(fault.Conflict, "no-seat-left", "Every seat of this order is given out.")
	ErrNoSeat      = fault.New(fault.NotFound, "no-such-seat", "There is no such seat, or it is nobody's any more.")
	ErrSeatUsed    = fault.New(fault.Conflict, "seat-used", "Its learner has begun: the seat stays hers.")
	ErrSeatsClosed = fault.New(fault.Unprocessable, "seats-closed", "What these seats are for has ended.")
	ErrSeatHeld    = fault.New(fault.Conflict, "seat-held-already", "She has a seat of this order already.")
)

func init() {
	postgres.RegisterConstraint("one_seat_per_person", ErrSeatHeld)
	postgres.RegisterConstraint("one_seat_per_address", ErrSeatHeld)
}

// SeatState is where a seat of a pool stands that was given to somebody.
type SeatState string

// The states of a seat.
const (
	SeatReserved  SeatState = "reserved"  // for an address; claimed when its owner signs in
	SeatClaimed   SeatState = "claimed"   // somebody is enrolled with it
	SeatReturning SeatState = "returning" // its money is on its way back
	SeatReturned  SeatState = "returned"  // its money went back: nobody can have it
	SeatEnded     SeatState = "ended"     // taken back: the pool has it again
)

// Seat is a seat of an organisation's line that was given to somebody. Its number is never given again.
type Seat struct {
	ID           string     `json:"id" db:"id"`
	OrderID      string     `json:"order_id" db:"order_id"`
	Line         int        `json:"line" db:"line"`
	N            int        `json:"-" db:"seat"`
	State        SeatState  `json:"state" db:"state"`
	Email        string     `json:"email,omitempty" db:"email"` // of who has it, or is to have it
	Name         string     `json:"name,omitempty" db:"name"`
	PersonID     string     `json:"-" db:"person_id"`
	MembershipID string     `json:"-" db:"membership_id"`
	GivenAt      time.Time  `json:"given_at" db:"given_at"`
	ClaimedAt    *time.Time `json:"claimed_at,omitempty" db:"claimed_at"`
	Begun        bool       `json:"begun" db:"-"` // her record shows work: it can be neither released nor moved
}

// SeatGiven says that somebody is enrolled with a seat.
type SeatGiven struct {
	SeatID string `json:"seat_id"`
}

// Kind names the job.
func (SeatGiven) Kind() string { return "sales.seat_claimed" }

// SeatKept says that a seat waits for somebody who never signed in.
type SeatKept struct {
	SeatID string `json:"seat_id"`
}

// Kind names the job.
func (SeatKept) Kind() string { return "sales.seat_reserved" }

// SeatLost says that somebody lost a seat, and the enrolments that it had opened.
type SeatLost struct {
	SeatID     string   `json:"seat_id"`
	Enrolments []string `json:"enrolments,omitempty"`
}

// Kind names the job.
func (SeatLost) Kind() string { return "sales.seat_ended" }

// By is who acts on a pool: a manager of the organisation, or staff who may order on behalf of others.
type By struct {
	PersonID string
	Staff    bool
}

// Pool is a line of an organisation's order, and how its seats stand: Quantity = Free + Reserved + Claimed + Returned, of which those
// whose money is still on its way back are counted as returned.
type Pool struct {
	Line     int          `json:"line"`
	Title    catalog.Text `json:"title"`
	Formula  string       `json:"formula"`
	Quantity int          `json:"quantity"`
	Free     int          `json:"free"`
	Reserved int          `json:"reserved"`
	Claimed  int          `json:"claimed"`
	Returned int          `json:"returned"`
}

// holding counts the seats of a line by what they take.
type holding struct {
	Line     int `db:"line"`
	Last     int `db:"last"` // the highest number
	Reserved int `db:"reserved"`
	Claimed  int `db:"claimed"`
	Returned int `db:"returned"`
}

// apart is how many seats have their money apart from that of the pool.
func (h holding) apart() int { return h.Claimed + h.Returned }

func holdingsTx(ctx context.Context, tx *postgres.Tx, orderID string) (map[int]holding, error) {
	var rows []holding
	err := tx.Select(ctx, &rows, q.Q("Holdings"), orderID)
	out := map[int]holding{}
	for _, h := range rows {
		out[h.Line] = h
	}
	return out, err
}

// free is how many seats of a line nobody was given.
func (l Line) free(h holding) int { return l.Quantity - h.Reserved - h.apart() }

// poolTx finds an order whose seats somebody may manage, and holds it. Errors: ErrNoOrder, ErrNoPool where an order is no organisation's.
func poolTx(ctx context.Context, tx *postgres.Tx, orderID string, by By) (o Order, err error) {
	if o, err = one(ctx, tx, "Lock", orderID); err != nil {
		return o, err
	}
	return o, o.mustManage(ctx, tx, by)
}

func (o Order) mustManage(ctx context.Context, tx *postgres.Tx, by By) error {
	if !by.Staff {
		if err := o.mustOwnTx(ctx, tx, by.PersonID); err != nil {
			return err
		}
	}
	if !o.Pool() {
		return ErrNoPool
	}
	return nil
}

// pool finds a line out of which seats can be given now. Errors: ErrNoLine, ErrNoPool.
func (o Order) pool(line int) (Line, error) {
	i := slices.IndexFunc(o.Lines, func(l Line) bool { return l.N == line })
	if i < 0 {
		return Line{}, ErrNoLine
	}
	if !o.Pool() || o.State != Paid && o.State != PartiallyRefunded && o.State != Accruing {
		return Line{}, ErrNoPool
	}
	return o.Lines[i], nil
}

// Pools says how the seats of an order stand, line by line, and lists those that were given to somebody, the newest first. Errors:
// ErrNoOrder, ErrNoPool.
func (s *Service) Pools(ctx context.Context, orderID string, by By, r page.Request) (o Order, pools []Pool, seats []Seat, next string, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "pools", func(ctx context.Context, tx *postgres.Tx) error {
		if o, err = OrderTx(ctx, tx, orderID); err != nil {
			return err
		}
		if err := o.mustManage(ctx, tx, by); err != nil {
			return err
		}
		held, err := holdingsTx(ctx, tx, orderID)
		if err != nil {
			return err
		}
		pools, seats, next = nil, nil, ""
		for _, l := range o.Lines {
			h := held[l.N]
			pools = append(pools, Pool{Line: l.N, Title: l.Title, Formula: l.Formula, Quantity: l.Quantity, Free: l.free(h), Reserved: h.Reserved, Claimed: h.Claimed, Returned: h.Returned})
		}
		if err := tx.Select(ctx, &seats, q.Q("SeatsOf"), orderID, r.After, r.Limit+1); err != nil {
			return err
		}
		if len(seats) > r.Limit {
			seats, next = seats[:r.Limit], seats[r.Limit-1].ID
		}
		return begun(ctx, tx, orderID, seats)
	})
	o.decide(s.db.Now(), "", s.payments.Site(""))
	return o, pools, seats, next, err
}

// begun notes of seats whether their learners have begun.
func begun(ctx context.Context, tx *postgres.Tx, orderID string, seats []Seat) error {
	parts, err := PartsTx(ctx, tx, orderID)
	if err != nil {
		return err
	}
	type at struct{ line, seat int }
	of, ids := map[at][]string{}, []string{}
	for _, p := range parts {
		if p.Seat > 0 && p.EnrolmentID != "" {
			of[at{p.Line, p.Seat}] = append(of[at{p.Line, p.Seat}], p.EnrolmentID)
			ids = append(ids, p.EnrolmentID)
		}
	}
	rows, err := journey.RowsTx(ctx, tx, ids...)
	for i, x := range seats {
		for _, id := range of[at{x.Line, x.N}] {
			seats[i].Begun = seats[i].Begun || rows[id].Ever.Has(journey.Started)
		}
	}
	return err
}

// lockSeat finds a seat that is somebody's, and holds its order. Errors: ErrNoOrder, ErrNoPool, ErrNoSeat.
func lockSeat(ctx context.Context, tx *postgres.Tx, orderID, seatID string, by By) (o Order, x Seat, err error) {
	if o, err = poolTx(ctx, tx, orderID, by); err != nil {
		return o, x, err
	}
	var found []Seat
	if err := tx.Select(ctx, &found, q.Q("SeatByID"), seatID); err != nil {
		return o, x, err
	}
	if len(found) == 0 || found[0].OrderID != orderID || found[0].State != SeatReserved && found[0].State != SeatClaimed {
		return o, x, ErrNoSeat
	}
	err = begun(ctx, tx, orderID, found)
	return o, found[0], err
}

// SeatTx finds a seat with its order, as far as the actor may see them. Errors: ErrNoSeat, ErrNoOrder.
func SeatTx(ctx context.Context, tx *postgres.Tx, id string) (x Seat, o Order, err error) {
	var found []Seat
	if err := tx.Select(ctx, &found, q.Q("SeatByID"), id); err != nil {
		return x, o, err
	}
	if len(found) == 0 {
		return x, o, ErrNoSeat
	}
	o, err = OrderTx(ctx, tx, found[0].OrderID)
	return found[0], o, err
}
