package sales

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

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
	if o.State == Accruing {
		return accrue(ctx, tx, o, reference, kind, parts, forth)
	}
	var moves []move
	for _, p := range parts {
		m := move{other, p.EnrolmentID, p.Sold - p.Credited}
		if !forth {
			m.from, m.to = m.to, m.from
		}
		moves = append(moves, m)
	}
	postings, err := movePostings(ctx, tx, o, reference, kind, moves)
	if err != nil || postings == nil {
		return err
	}
	return ledger.PostTx(ctx, tx, postings...)
}
