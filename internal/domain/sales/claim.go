package sales

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// maxLinkLife is how long a claim link lives at most.
const maxLinkLife = 366 * 24 * time.Hour

// Faults of claim links.
var (
	ErrClaimLink     = fault.New(fault.NotFound, "no-such-claim-link", "This link gives no seat: it is not whole, or it was never made.")
	ErrClaimLinkOver = fault.New(fault.Conflict, "claim-link-over", "This link gives no seat any more: its time is over, it was used as often as it may, or it was taken back.")
)

// ClaimLink is a link by which seats of a line are claimed. Token is there once, when it is made.
type ClaimLink struct {
	ID        string     `json:"id" db:"id"`
	OrderID   string     `json:"order_id" db:"order_id"`
	Line      int        `json:"line" db:"line"`
	Token     string     `json:"token,omitempty" db:"-"`
	MaxUses   int        `json:"max_uses" db:"max_uses"`
	Uses      int        `json:"uses" db:"uses"` // seats that were claimed by it, released ones too
	MadeAt    time.Time  `json:"made_at" db:"made_at"`
	ExpiresAt time.Time  `json:"expires_at" db:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty" db:"revoked_at"`
}

// live says whether the link gives a seat at an instant.
func (k ClaimLink) live(at time.Time) bool {
	return k.RevokedAt == nil && at.Before(k.ExpiresAt) && k.Uses < k.MaxUses
}

// NewClaimLink is a link to make. It gives MaxUses seats at most, and none at or after ExpiresAt.
type NewClaimLink struct {
	OrderID        string
	Line           int
	MaxUses        int
	ExpiresAt      time.Time
	By             By
	IdempotencyKey string
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// MakeClaimLink makes a link, once per key: again it gives the link without its token, which is kept nowhere. Errors: ErrNoOrder,
// ErrNoPool, ErrNoLine, ErrNoSeatLeft where the line has fewer seats, invalid fields.
func (s *Service) MakeClaimLink(ctx context.Context, c NewClaimLink) (k ClaimLink, err error) {
	now := s.db.Now()
	if !c.ExpiresAt.After(now) || c.ExpiresAt.After(now.Add(maxLinkLife)) {
		return k, fault.InvalidInput(fault.Field{Pointer: "/expires_at", Code: "out-of-range", Detail: "Later than now, within a year."})
	}
	var fresh string
	reply, _, err := s.replies.Do(postgres.WithActor(ctx, "system"), "pool:"+c.By.PersonID, c.IdempotencyKey, requestHash("claim link", c),
		func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
			o, err := poolTx(ctx, tx, c.OrderID, c.By)
			if err != nil {
				return idempotency.Reply{}, err
			}
			l, err := o.pool(c.Line)
			if err != nil {
				return idempotency.Reply{}, err
			}
			if c.MaxUses < 1 || c.MaxUses > l.Quantity {
				return idempotency.Reply{}, fault.InvalidInput(fault.Field{Pointer: "/max_uses", Code: "out-of-range", Detail: "1 to the number of seats of the line."})
			}
			id := ident.New("lnk")
			fresh = ident.Secret(32)
			if _, err := tx.Exec(ctx, q.Q("AddLink"), id, o.ID, c.Line, hashOf(fresh), c.MaxUses, c.By.PersonID, tx.Now(), c.ExpiresAt); err != nil {
				return idempotency.Reply{}, err
			}
			b, err := json.Marshal(id)
			if err != nil {
				return idempotency.Reply{}, err
			}
			return idempotency.Reply{Status: http.StatusCreated, Body: b}, audit.AppendTx(ctx, tx, audit.Entry{
				Action: "claim_link.made", Object: id, Detail: map[string]any{"order": o.ID, "line": c.Line, "max_uses": c.MaxUses, "expires_at": c.ExpiresAt, "by": c.By.PersonID},
			})
		})
	if err != nil {
		return k, err
	}
	var id string
	if err := json.Unmarshal(reply.Body, &id); err != nil {
		return k, err
	}
	err = s.db.View(postgres.WithActor(ctx, "system"), "claim link", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &k, q.Q("LinkByID"), id)
	})
	k.Token = fresh
	return k, err
}

// ClaimLinks lists the links of an order, the newest first, and the key after which the list goes on. Errors: ErrNoOrder, ErrNoPool.
func (s *Service) ClaimLinks(ctx context.Context, orderID string, by By, r page.Request) (all []ClaimLink, next string, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "claim links", func(ctx context.Context, tx *postgres.Tx) error {
		o, err := OrderTx(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if err := o.mustManage(ctx, tx, by); err != nil {
			return err
		}
		all, next = nil, ""
		if err := tx.Select(ctx, &all, q.Q("LinksOf"), orderID, r.After, r.Limit+1); err != nil {
			return err
		}
		if len(all) > r.Limit {
			all, next = all[:r.Limit], all[r.Limit-1].ID
		}
		return nil
	})
	return all, next, err
}

// RevokeClaimLink takes a link back: it gives no seat any more. Again it does nothing. Errors: ErrNoOrder, ErrNoPool, ErrClaimLink.
func (s *Service) RevokeClaimLink(ctx context.Context, orderID, linkID string, by By) error {
	return s.db.InTx(postgres.WithActor(ctx, "system"), "revoke claim link", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := poolTx(ctx, tx, orderID, by); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, q.Q("RevokeLink"), linkID, orderID, tx.Now())
		if err == nil && n == 0 {
			err = ErrClaimLink
		}
		if err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "claim_link.revoked", Object: linkID, Detail: map[string]any{"order": orderID, "by": by.PersonID}})
	})
}

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

func linkTx(ctx context.Context, tx *postgres.Tx, token string) (k ClaimLink, err error) {
	var found []ClaimLink
	if err := tx.Select(ctx, &found, q.Q("LinkByHash"), hashOf(token)); err != nil {
		return k, err
	}
	if len(found) == 0 {
		return k, ErrClaimLink
	}
	return found[0], nil
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

// ReleaseSeat takes a seat back that nobody has begun with: the pool has it again. Errors: ErrNoOrder, ErrNoPool, ErrNoSeat, ErrSeatUsed.
func (s *Service) ReleaseSeat(ctx context.Context, orderID, seatID string, by By) error {
	return s.db.InTx(postgres.WithActor(ctx, "system"), "release seat", func(ctx context.Context, tx *postgres.Tx) error {
		o, x, err := lockSeat(ctx, tx, orderID, seatID, by)
		if err != nil {
			return err
		}
		return s.release(ctx, tx, o, x, "released", by)
	})
}

// release ends a seat; its money is the pool's again.
func (s *Service) release(ctx context.Context, tx *postgres.Tx, o Order, x Seat, because string, by By) error {
	if x.Begun {
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
	if x.State == SeatClaimed {
		if err := s.jobs.EnqueueTx(ctx, tx, SeatLost{SeatID: x.ID, Enrolments: enrolments}); err != nil {
			return err
		}
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "seat." + because, Object: x.ID, Detail: map[string]any{"order": o.ID, "line": x.Line, "person": x.PersonID, "by": by.PersonID}})
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
