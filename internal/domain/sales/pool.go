package sales

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/books/ledger"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
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
	if !o.Pool() || o.State != Paid && o.State != PartiallyRefunded {
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

// place is a line whose seats are given out in a transaction that holds its order.
type place struct {
	order Order
	line  Line
	on    thing
	held  holding
	parts []Part // of the line itself: the money that nobody has claimed
}

// placeOf prepares a line for giving seats out. Errors: ErrNoLine, ErrNoPool, ErrSeatsClosed.
func placeOf(ctx context.Context, tx *postgres.Tx, o Order, line int) (p place, err error) {
	if p.line, err = o.pool(line); err != nil {
		return p, err
	}
	p.order, p.parts = o, slices.Clone(p.line.Parts)
	offer, err := offers.OfferTx(ctx, tx, p.line.OfferID)
	if err != nil {
		return p, err
	}
	if p.on, err = thingOf(ctx, tx, offer); err != nil {
		return p, err
	}
	if p.on.over(tx.Now()) {
		return p, ErrSeatsClosed
	}
	held, err := holdingsTx(ctx, tx, o.ID)
	p.held = held[line]
	return p, err
}

// over says whether there is nothing left to begin.
func (t thing) over(at time.Time) bool {
	if t.edition.ID != "" {
		return t.edition.StateAt(at) == catalog.Closed
	}
	return t.session.StateAt(at) == catalog.Closed
}

// mayHave says why a person cannot have a seat: she has what it opens, or an order for it that waits for its payment. It holds her, so
// that she does not order the same meanwhile. Errors: ErrEnrolled, ErrOpenAlready.
func (p place) mayHave(ctx context.Context, tx *postgres.Tx, personID string) error {
	if _, err := tx.Exec(ctx, q.Q("LockBuyer"), personID); err != nil {
		return err
	}
	return p.couldHave(ctx, tx, personID)
}

func (p place) couldHave(ctx context.Context, tx *postgres.Tx, personID string) error {
	has, err := p.on.held(ctx, tx, personID)
	if err != nil {
		return err
	}
	if opensNothing(has, offers.Offer{Entitlements: p.line.Entitlements}) {
		return ErrEnrolled
	}
	var open []struct {
		ID     string         `db:"id"`
		Offers pq.StringArray `db:"offers"`
		Things pq.StringArray `db:"things"`
	}
	if err := tx.Select(ctx, &open, q.Q("OpenOrders"), personID, tx.Now()); err != nil {
		return err
	}
	for _, x := range open {
		if slices.Contains(x.Things, p.line.SessionID+p.line.EditionID) {
			return ErrOpenAlready
		}
	}
	return nil
}

// next is a seat that nobody had. Error: ErrNoSeatLeft.
func (p *place) next(tx *postgres.Tx) (Seat, error) {
	if p.line.free(p.held) < 1 {
		return Seat{}, ErrNoSeatLeft
	}
	p.held.Last++
	return Seat{ID: ident.New("sea"), OrderID: p.order.ID, Line: p.line.N, N: p.held.Last, GivenAt: tx.Now()}, nil
}

// reserve keeps a seat for an address. Errors: ErrNoSeatLeft, ErrSeatHeld.
func (s *Service) reserve(ctx context.Context, tx *postgres.Tx, p *place, email, name string) (Seat, error) {
	x, err := p.next(tx)
	if err != nil {
		return x, err
	}
	x.State, x.Email, x.Name = SeatReserved, email, name
	if _, err := tx.Exec(ctx, q.Q("AddSeat"), x.ID, x.OrderID, x.Line, x.N, x.State, x.Email, nullable(x.Name), nil, nil, nil, x.GivenAt, nil); err != nil {
		return x, err
	}
	p.held.Reserved++
	if err := s.jobs.EnqueueTx(ctx, tx, SeatKept{x.ID}); err != nil {
		return x, err
	}
	return x, audit.AppendTx(ctx, tx, audit.Entry{Action: "seat.reserved", Object: x.ID, Detail: map[string]any{"order": x.OrderID, "line": x.Line}})
}

// give enrols a person with a seat: one that was reserved for her, or a free one where reserved is nil. Her share of the money follows.
// The order is held. Errors: ErrNoSeatLeft, ErrEnrolled, ErrOpenAlready, ErrSeatHeld.
func (s *Service) give(ctx context.Context, tx *postgres.Tx, p *place, person identity.Person, reserved *Seat, linkID string) (x Seat, err error) {
	if err := p.mayHave(ctx, tx, person.ID); err != nil {
		return x, err
	}
	if reserved != nil {
		x = *reserved
		p.held.Reserved--
	} else if x, err = p.next(tx); err != nil {
		return x, err
	}
	now := tx.Now()
	x.State, x.PersonID, x.ClaimedAt, x.Email, x.Name = SeatClaimed, person.ID, &now, person.Email, person.FullName
	share := p.cut(x.N)
	if x.MembershipID, err = s.enrol(ctx, tx, p.order, p.line, person.ID, share); err != nil {
		return x, err
	}
	if reserved != nil {
		_, err = tx.Exec(ctx, q.Q("ClaimSeat"), x.ID, x.PersonID, nullable(x.MembershipID), now)
	} else {
		_, err = tx.Exec(ctx, q.Q("AddSeat"), x.ID, x.OrderID, x.Line, x.N, x.State, nil, nil, x.PersonID, nullable(x.MembershipID), nullable(linkID), x.GivenAt, now)
	}
	if err != nil {
		return x, err
	}
	p.held.Claimed++
	if err := p.split(ctx, tx, share); err != nil {
		return x, err
	}
	if err := s.follow(ctx, tx, p.order, x.ID+":claim", "seat_claimed", share, "", true); err != nil {
		return x, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, SeatGiven{x.ID}); err != nil {
		return x, err
	}
	return x, audit.AppendTx(ctx, tx, audit.Entry{Action: "seat.claimed", Object: x.ID, Detail: map[string]any{"order": x.OrderID, "line": x.Line, "person": x.PersonID}})
}

// cut takes one seat's share of what nobody has claimed: what is left divided by how many seats it is left for, so that the last one
// takes what remains and the seats sum to the line whatever the order of claims.
func (p *place) cut(n int) []Part {
	left := int64(p.line.Quantity - p.held.apart())
	out := make([]Part, len(p.parts))
	for i := range p.parts {
		of := &p.parts[i]
		out[i] = Part{Line: of.Line, Seat: n, Position: of.Position, SessionID: of.SessionID, Weight: of.Weight, Sold: of.Sold / left, Credited: of.Credited / left}
		of.Sold, of.Credited = of.Sold-out[i].Sold, of.Credited-out[i].Credited
	}
	return out
}

// enrol grants a person what a line opens, and notes the enrolments in the parts.
func (*Service) enrol(ctx context.Context, tx *postgres.Tx, o Order, l Line, personID string, parts []Part) (membershipID string, err error) {
	if l.EditionID != "" {
		if membershipID, err = enrolment.AdmitTx(ctx, tx, enrolment.Membership{
			LearnerID: personID, EditionID: l.EditionID, Version: l.Version, OrderID: o.ID, Formula: l.Formula, Entitlements: l.Entitlements, Qualifying: l.paidFor(),
		}); err != nil {
			return "", err
		}
	}
	at := make([]*Part, len(parts))
	for i := range parts {
		at[i] = &parts[i]
	}
	// Enrolments are locked in one order, whatever that of the program.
	slices.SortFunc(at, func(a, b *Part) int { return strings.Compare(a.SessionID, b.SessionID) })
	for _, part := range at {
		if part.EnrolmentID, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{
			LearnerID: personID, SessionID: part.SessionID, OrderID: o.ID, Formula: l.Formula, Entitlements: l.Entitlements, Qualifying: l.paidFor(),
		}); err != nil {
			return "", err
		}
	}
	return membershipID, nil
}

// split moves the share of a seat out of the line's own parts.
func (p *place) split(ctx context.Context, tx *postgres.Tx, share []Part) error {
	type row struct {
		Position  int     `json:"position"`
		Session   string  `json:"session"`
		Weight    int64   `json:"weight"`
		Enrolment *string `json:"enrolment"`
		Sold      int64   `json:"sold"`
		Credited  int64   `json:"credited"`
	}
	rows := make([]row, len(share))
	for i, x := range share {
		rows[i] = row{x.Position, x.SessionID, x.Weight, nullable(x.EnrolmentID), x.Sold, x.Credited}
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, q.Q("SplitSeat"), p.order.ID, p.line.N, share[0].Seat, string(b))
	return err
}

// follow has the money of parts follow their enrolments in the ledger: from another enrolment, or what of the order is nobody's, to
// theirs; or, not forth, back.
func (s *Service) follow(ctx context.Context, tx *postgres.Tx, o Order, reference, kind string, parts []Part, other string, forth bool) error {
	posting := ledger.Posting{Reference: reference, Kind: kind, Currency: o.Total.Currency, OccurredAt: tx.Now()}
	for _, p := range parts {
		minor := p.Sold - p.Credited
		if !forth {
			minor = -minor
		}
		if minor == 0 {
			continue
		}
		posting.Entries = append(posting.Entries,
			ledger.Entry{Account: ledger.Revenue, Minor: minor, OrderID: o.ID, EnrolmentID: other},
			ledger.Entry{Account: ledger.Revenue, Minor: -minor, OrderID: o.ID, EnrolmentID: p.EnrolmentID})
	}
	if posting.Entries == nil {
		return nil
	}
	return ledger.PostTx(ctx, tx, posting)
}
