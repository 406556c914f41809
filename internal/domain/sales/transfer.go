package sales

import (
	"context"
	"slices"
	"time"

	"github.com/lib/pq"

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

// transferFor is how long a place that is offered to somebody waits for her.
const transferFor = 14 * 24 * time.Hour

// Faults of transfers.
var (
	ErrNoTransfer    = fault.New(fault.NotFound, "no-such-transfer", "No place is offered to you here, or not any more.")
	ErrNotTransfered = fault.New(fault.Conflict, "not-transferable", "This place cannot be given to somebody else.")
	ErrBegun         = fault.New(fault.Conflict, "begun-already", "It has begun: the place stays with who has it.")
	ErrToHerself     = fault.New(fault.Unprocessable, "to-herself", "This address is the buyer's own.")
)

// The states of a transfer.
const (
	TransferOffered   = "offered"
	TransferAccepted  = "accepted"
	TransferWithdrawn = "withdrawn"
	TransferLapsed    = "lapsed"
)

// Handover is a place that its buyer offers to somebody else, by her address.
type Handover struct {
	ID        string       `json:"id" db:"id"`
	OrderID   string       `json:"-" db:"order_id"`
	Line      int          `json:"-" db:"line"`
	FromID    string       `json:"-" db:"from_id"`
	From      string       `json:"from" db:"from_name"`
	Email     string       `json:"email" db:"email"`
	ToID      string       `json:"-" db:"to_id"`
	State     string       `json:"state" db:"state"`
	OfferedAt time.Time    `json:"offered_at" db:"offered_at"`
	Until     time.Time    `json:"until" db:"until"`
	Title     catalog.Text `json:"title" db:"-"`
	Formula   string       `json:"formula" db:"-"`
}

// Movable says of a line whether its buyer may give the place to somebody else, or the code of why not, and to whom it is offered.
type Movable struct {
	Line    int          `json:"line"`
	Title   catalog.Text `json:"title"`
	Allowed bool         `json:"allowed"`
	Reason  string       `json:"reason,omitempty"`
	Offer   *Handover    `json:"offer,omitempty"`
}

// TransferMade says that a place is offered, or was taken: State is that of then.
type TransferMade struct {
	TransferID string `json:"transfer_id"`
	State      string `json:"state"`
}

// Kind names the job.
func (TransferMade) Kind() string { return "sales.transfer_made" }

// movable says why the place of a line cannot be given to somebody else: it is an organisation's, not paid, given away already, or has
// begun, by the calendar or by the record of its learner. Errors: ErrNoLine, ErrNotTransfered, ErrBegun.
func (o Order) movable(ctx context.Context, tx *postgres.Tx, line int) (l Line, err error) {
	i := slices.IndexFunc(o.Lines, func(l Line) bool { return l.N == line })
	if i < 0 {
		return l, ErrNoLine
	}
	l = o.Lines[i]
	if !o.mayMove() || l.HolderID != "" || l.Retake() {
		return l, ErrNotTransfered
	}
	begun, err := begunTx(ctx, tx, Order{Lines: []Line{l}})
	if err == nil && l.begun(begun) {
		err = ErrBegun
	}
	return l, err
}

// Transfers says of each line of an order whether its buyer may give the place to somebody else. Errors: ErrNoOrder.
func (s *Service) Transfers(ctx context.Context, orderID, buyerID string) (out []Movable, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "transfers", func(ctx context.Context, tx *postgres.Tx) error {
		o, err := OrderTx(ctx, tx, orderID)
		if err == nil {
			err = o.mustOwnTx(ctx, tx, buyerID)
		}
		if err != nil {
			return err
		}
		var all []Handover
		if err := tx.Select(ctx, &all, q.Q("TransfersOf"), orderID); err != nil {
			return err
		}
		out = []Movable{}
		for _, l := range o.Lines {
			m := Movable{Line: l.N, Title: l.Title}
			_, why := o.movable(ctx, tx, l.N)
			f := fault.From(why)
			if why != nil && f.Kind == fault.Internal {
				return why
			}
			if m.Allowed = why == nil; why != nil {
				m.Reason = f.Code
			}
			for i, t := range all {
				if t.Line == l.N && (t.State == TransferAccepted || m.Allowed && tx.Now().Before(t.Until)) {
					m.Offer = &all[i]
				}
			}
			out = append(out, m)
		}
		return nil
	})
	return out, err
}

// OfferTransfer offers the place of a line to who has an address; another one to whom it was offered has it no more, the same one keeps
// her time. Errors: ErrNoOrder, ErrNoLine, ErrNotTransfered, ErrBegun, ErrToHerself, identity.ErrEmail.
func (s *Service) OfferTransfer(ctx context.Context, orderID string, line int, buyerID, email string) (t Handover, err error) {
	if email, err = identity.NormalEmail(email); err != nil {
		return t, err
	}
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "offer transfer", func(ctx context.Context, tx *postgres.Tx) error {
		o, l, open, err := lockMovable(ctx, tx, orderID, line, buyerID)
		if err != nil {
			return err
		}
		buyer, err := identity.PersonTx(ctx, tx, buyerID)
		if err != nil {
			return err
		}
		if email == buyer.Email {
			return ErrToHerself
		}
		if open != nil {
			if open.Email == email && tx.Now().Before(open.Until) {
				t = *open
				t.Title, t.Formula = l.Title, l.Formula
				return nil
			}
			if err := endTransfer(ctx, tx, *open); err != nil {
				return err
			}
		}
		t = Handover{
			ID: ident.New("trf"), OrderID: o.ID, Line: line, FromID: buyerID, From: buyer.FullName, Email: email, State: TransferOffered,
			OfferedAt: tx.Now(), Until: tx.Now().Add(transferFor), Title: l.Title, Formula: l.Formula,
		}
		if _, err := tx.Exec(ctx, q.Q("AddTransfer"), t.ID, t.OrderID, t.Line, t.FromID, t.Email, t.OfferedAt, t.Until); err != nil {
			return err
		}
		if err := s.jobs.EnqueueTx(ctx, tx, TransferMade{t.ID, t.State}); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "transfer.offered", Object: t.ID, Detail: map[string]any{"order": o.ID, "line": line, "by": buyerID}})
	})
	return t, err
}

// lockMovable holds an order whose buyer may give the place of a line away, and finds to whom she offered it.
func lockMovable(ctx context.Context, tx *postgres.Tx, orderID string, line int, buyerID string) (o Order, l Line, open *Handover, err error) {
	if o, err = one(ctx, tx, "Lock", orderID); err != nil {
		return o, l, nil, err
	}
	if o.Pool() || o.BuyerID != buyerID {
		return o, l, nil, ErrNoOrder
	}
	if l, err = o.movable(ctx, tx, line); err != nil {
		return o, l, nil, err
	}
	var all []Handover
	err = tx.Select(ctx, &all, q.Q("TransfersOf"), orderID)
	for i, t := range all {
		if t.Line == line && t.State == TransferOffered {
			open = &all[i]
		}
	}
	return o, l, open, err
}

func endTransfer(ctx context.Context, tx *postgres.Tx, t Handover) error {
	state := TransferWithdrawn
	if !tx.Now().Before(t.Until) {
		state = TransferLapsed
	}
	_, err := tx.Exec(ctx, q.Q("EndTransfer"), t.ID, state, nil, tx.Now())
	return err
}

// WithdrawTransfer takes an offer of a place back; where there is none it does nothing. Errors: those of OfferTransfer.
func (s *Service) WithdrawTransfer(ctx context.Context, orderID string, line int, buyerID string) error {
	return s.db.InTx(postgres.WithActor(ctx, "system"), "withdraw transfer", func(ctx context.Context, tx *postgres.Tx) error {
		o, _, open, err := lockMovable(ctx, tx, orderID, line, buyerID)
		if err != nil || open == nil {
			return err
		}
		if err := endTransfer(ctx, tx, *open); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "transfer.withdrawn", Object: open.ID, Detail: map[string]any{"order": o.ID, "line": line, "by": buyerID}})
	})
}

// OfferedTo lists the places that are offered to a person and can be taken, the earliest first, and the key after which the list goes on.
// What cannot be taken any more is left out of its page, which is shorter then.
func (s *Service) OfferedTo(ctx context.Context, personID string, r page.Request) (out []Handover, next string, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "offered to", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PersonTx(ctx, tx, personID)
		if err != nil {
			return err
		}
		var all []Handover
		if err := tx.Select(ctx, &all, q.Q("TransfersTo"), p.Email, tx.Now(), r.After, r.Limit+1); err != nil {
			return err
		}
		out, next = []Handover{}, ""
		if len(all) > r.Limit {
			all, next = all[:r.Limit], all[r.Limit-1].ID
		}
		for _, t := range all {
			o, err := OrderTx(ctx, tx, t.OrderID)
			if err != nil {
				return err
			}
			l, why := o.movable(ctx, tx, t.Line)
			if why != nil && fault.From(why).Kind == fault.Internal {
				return why
			}
			if t.Title, t.Formula = l.Title, l.Formula; why == nil {
				out = append(out, t)
			}
		}
		return nil
	})
	return out, next, err
}

// TransferTx finds a transfer with its order, as far as the actor may see them. Errors: ErrNoTransfer.
func TransferTx(ctx context.Context, tx *postgres.Tx, id string) (t Handover, o Order, err error) {
	var found []Handover
	if err := tx.Select(ctx, &found, q.Q("TransferByID"), id); err != nil {
		return t, o, err
	}
	if len(found) == 0 {
		return t, o, ErrNoTransfer
	}
	t = found[0]
	if o, err = OrderTx(ctx, tx, t.OrderID); err != nil {
		return t, o, err
	}
	for _, l := range o.Lines {
		if l.N == t.Line {
			t.Title, t.Formula = l.Title, l.Formula
		}
	}
	return t, o, nil
}

// AcceptTransfer gives a place to the person to whose address it was offered: what its buyer had of it ends, hers begins, and the money of
// its parts follows. Again it does nothing. Errors: ErrNoTransfer, ErrNotTransfered, ErrBegun, ErrEnrolled, ErrOpenAlready.
func (s *Service) AcceptTransfer(ctx context.Context, transferID, personID string) (t Handover, err error) {
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "accept transfer", func(ctx context.Context, tx *postgres.Tx) error {
		person, err := identity.PersonTx(ctx, tx, personID)
		if err != nil {
			return err
		}
		if t, _, err = TransferTx(ctx, tx, transferID); err != nil {
			return err
		}
		if t.Email != person.Email || person.Email == "" {
			return ErrNoTransfer
		}
		o, err := one(ctx, tx, "Lock", t.OrderID)
		if err != nil {
			return err
		}
		if t, _, err = TransferTx(ctx, tx, transferID); err != nil { // as it is now that nobody else acts on it
			return err
		}
		if t.State == TransferAccepted {
			return nil
		}
		if t.State != TransferOffered || !tx.Now().Before(t.Until) {
			return ErrNoTransfer
		}
		l, err := o.movable(ctx, tx, t.Line)
		if err != nil {
			return err
		}
		if err := s.handOver(ctx, tx, o, l, t, person); err != nil {
			return err
		}
		t.State, t.ToID = TransferAccepted, person.ID
		return nil
	})
	return t, err
}

func (s *Service) handOver(ctx context.Context, tx *postgres.Tx, o Order, l Line, t Handover, person identity.Person) error {
	offer, err := offers.OfferTx(ctx, tx, l.OfferID)
	if err != nil {
		return err
	}
	p := place{order: o, line: l}
	if p.on, err = thingOf(ctx, tx, offer); err != nil {
		return err
	}
	if err := p.mayHave(ctx, tx, person.ID); err != nil {
		return err
	}
	var old []string
	for _, x := range l.Parts {
		old = append(old, x.EnrolmentID)
	}
	if err := enrolment.RevokeSomeTx(ctx, tx, o.ID, old, l.MembershipID, "transferred"); err != nil {
		return err
	}
	parts := slices.Clone(l.Parts)
	membership, err := s.enrol(ctx, tx, o, l, person.ID, parts)
	if err != nil {
		return err
	}
	var positions []int64
	var enrolments []string
	var moves []move
	for i, x := range parts {
		positions, enrolments = append(positions, int64(x.Position)), append(enrolments, x.EnrolmentID)
		moves = append(moves, move{old[i], x.EnrolmentID, x.Sold - x.Credited})
	}
	postings, err := movePostings(ctx, tx, o, t.ID+":transfer", "transfer", moves)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("HandOver"), o.ID, l.N, pq.Array(positions), pq.Array(enrolments), person.ID, nullable(membership)); err != nil {
		return err
	}
	if postings != nil {
		if err := ledger.PostTx(ctx, tx, postings...); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, q.Q("EndTransfer"), t.ID, TransferAccepted, person.ID, tx.Now()); err != nil {
		return err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, TransferMade{t.ID, TransferAccepted}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "transfer.accepted", Object: t.ID, Detail: map[string]any{"order": o.ID, "line": l.N, "from": o.BuyerID, "to": person.ID}})
}
