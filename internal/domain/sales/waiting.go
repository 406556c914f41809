package sales

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// keptFor is how long a place that became free is kept for who waited: a night and a working day, so that who reads her mail once a
// day still has it, and a row of ten does not outlast a fortnight.
const keptFor = 24 * time.Hour

// Faults of waiting.
var (
	ErrPlaceFree  = fault.New(fault.Conflict, "place-free", "There is a place: order it.")
	ErrNotWaiting = fault.New(fault.NotFound, "not-waiting", "You do not wait for this offer.")
)

// The states of somebody who waits.
const (
	InRow       = "waiting"
	PlaceKept   = "offered" // a place is hers until Until
	PlaceTaken  = "taken"
	PlaceLapsed = "lapsed" // she did not take it in time
	LeftRow     = "left"
	PassedOver  = "passed_over" // when her turn came she had what she waited for, or could not take it any more
)

// Waiting is somebody's place in the row for an offer. Ahead counts who comes before her for the same offer.
type Waiting struct {
	ID       string     `json:"id" db:"id"`
	OfferID  string     `json:"offer_id" db:"offer_id"`
	PersonID string     `json:"-" db:"person_id"`
	State    string     `json:"state" db:"state"`
	Ahead    int        `json:"ahead" db:"ahead"`
	JoinedAt time.Time  `json:"joined_at" db:"joined_at"`
	Until    *time.Time `json:"kept_until,omitempty" db:"offered_until"`
}

// Number is her number in the row.
func (w Waiting) Number() int { return w.Ahead + 1 }

// PlaceOffered says that a place is kept for somebody who waited.
type PlaceOffered struct {
	WaitingID string `json:"waiting_id"`
}

// Kind names the job.
func (PlaceOffered) Kind() string { return "sales.place_offered" }

// Wait puts somebody at the end of the row for an offer that is sold out. Who waits already keeps her place. Errors: those of an order
// that could not be placed for another reason, and ErrPlaceFree.
func (s *Service) Wait(ctx context.Context, offerID, personID string) (w Waiting, err error) {
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "wait for a place", func(ctx context.Context, tx *postgres.Tx) error {
		items, err := wantedOf(ctx, tx, []Item{{offerID, 1}})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("LockBuyer"), personID); err != nil {
			return err
		}
		if w, err = waitingTx(ctx, tx, offerID, personID); !errors.Is(err, ErrNotWaiting) {
			return err
		}
		if _, err := s.mayOrder(ctx, tx, PlaceOrder{BuyerID: personID}, items); err != nil {
			return err
		}
		k, err := queueNear(ctx, tx, nearItems(items))
		if err != nil {
			return err
		}
		if err := lockLimits(ctx, tx, items, k.locks()); err != nil {
			return err
		}
		if _, err := s.serve(ctx, tx, k, ""); err != nil { // what is free is theirs who wait already
			return err
		}
		switch err := takeSeats(ctx, tx, Order{BuyerID: personID}, items); {
		case err == nil:
			return ErrPlaceFree
		case !errors.Is(err, ErrSoldOut) && !errors.Is(err, ErrQuota):
			return err
		}
		id := ident.New("wai")
		if _, err := tx.Exec(ctx, q.Q("Wait"), id, offerID, nullable(items[0].on.edition.ID), pq.Array(items[0].on.sessions()), personID, tx.Now()); err != nil {
			return err
		}
		if w, err = waitingTx(ctx, tx, offerID, personID); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "waiting.joined", Object: id, Detail: map[string]any{"offer": offerID, "person": personID}})
	})
	return w, err
}

// LeaveRow ends somebody's wait; a place that was kept for her goes to the next. Errors: ErrNotWaiting.
func (s *Service) LeaveRow(ctx context.Context, offerID, personID string) error {
	return s.db.InTx(postgres.WithActor(ctx, "system"), "leave the row", func(ctx context.Context, tx *postgres.Tx) error {
		k, err := lockRow(ctx, tx, offerID)
		if err != nil {
			return err
		}
		w, err := waitingTx(ctx, tx, offerID, personID)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("EndWait"), w.ID, LeftRow, tx.Now()); err != nil {
			return err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "waiting.left", Object: w.ID, Detail: map[string]any{"offer": offerID, "person": personID}}); err != nil {
			return err
		}
		_, err = s.serve(ctx, tx, k, "")
		return err
	})
}

// WaitingOf is somebody's place in the row for an offer, as far as the actor may see it. Errors: ErrNotWaiting.
func (s *Service) WaitingOf(ctx context.Context, offerID, personID string) (w Waiting, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "waiting", func(ctx context.Context, tx *postgres.Tx) error {
		w, err = waitingTx(ctx, tx, offerID, personID)
		return err
	})
	return w, err
}

func waitingTx(ctx context.Context, tx *postgres.Tx, offerID, personID string) (w Waiting, err error) {
	err = tx.Get(ctx, &w, q.Q("WaitingOf"), offerID, personID)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotWaiting
	}
	w.at(tx.Now())
	return w, err
}

// at says of a place whose time is over that it lapsed, though nobody has noted it yet.
func (w *Waiting) at(now time.Time) {
	if w.State == PlaceKept && !now.Before(*w.Until) {
		w.State = PlaceLapsed
	}
}

// Waits lists where somebody waits, the earliest joined first, and the key after which the list goes on.
func (s *Service) Waits(ctx context.Context, personID string, r page.Request) (all []Waiting, next string, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "waits", func(ctx context.Context, tx *postgres.Tx) error {
		all, next = nil, ""
		err := tx.Select(ctx, &all, q.Q("MyWaits"), personID, r.After, r.Limit+1)
		if len(all) > r.Limit {
			all, next = all[:r.Limit], all[r.Limit-1].ID
		}
		for i := range all {
			all[i].at(tx.Now())
		}
		return err
	})
	return all, next, err
}

// waitsOf is where a person stands in the rows for some offers; an empty person stands in none.
func waitsOf(ctx context.Context, tx *postgres.Tx, personID string, all []offers.Offer) (map[string]Waiting, error) {
	out := map[string]Waiting{}
	if personID == "" {
		return out, nil
	}
	ids := make([]string, len(all))
	for i, o := range all {
		ids[i] = o.ID
	}
	var mine []Waiting
	err := tx.Select(ctx, &mine, q.Q("WaitsOf"), personID, pq.Array(ids), tx.Now())
	for _, w := range mine {
		out[w.OfferID] = w
	}
	return out, err
}

// WaitTx finds a wait by its id, with its offer. The actor sees all.
func WaitTx(ctx context.Context, tx *postgres.Tx, id string) (w Waiting, o offers.Offer, err error) {
	if err = tx.Get(ctx, &w, q.Q("WaitByID"), id); err == nil {
		o, err = offers.OfferTx(ctx, tx, w.OfferID)
	}
	return w, o, err
}
