package sales

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
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

// near is what is freed or wanted: whoever waits for any of it may be served by it.
type near struct{ offers, editions, sessions []string }

func nearItems(items []wanted) (n near) {
	for _, w := range items {
		n.offers = append(n.offers, w.OfferID)
		n.sessions = append(n.sessions, w.on.sessions()...)
		if w.on.edition.ID != "" {
			n.editions = append(n.editions, w.on.edition.ID)
		}
	}
	return n
}

func nearOrder(o Order) (n near) {
	for _, l := range o.Lines {
		n.offers = append(n.offers, l.OfferID)
		if l.EditionID != "" {
			n.editions = append(n.editions, l.EditionID)
		}
		for _, p := range l.Parts {
			n.sessions = append(n.sessions, p.SessionID)
		}
	}
	return n
}

// sessions are those that an offer on the thing opens.
func (t thing) sessions() []string {
	if t.edition.ID == "" {
		return []string{t.session.ID}
	}
	ids := make([]string, len(t.edition.Sessions))
	for i, s := range t.edition.Sessions {
		ids[i] = s.SessionID
	}
	return ids
}

// queue is the offers that people wait for, or have places kept of, and that what is near could serve.
type queue []wanted

func queueNear(ctx context.Context, tx *postgres.Tx, n near) (out queue, err error) {
	var ids []string
	if err := tx.Select(ctx, &ids, q.Q("WaitedFor"), pq.Array(n.offers), pq.Array(n.editions), pq.Array(n.sessions)); err != nil {
		return nil, err
	}
	for _, id := range ids {
		w := wanted{Item: Item{id, 1}}
		if w.offer, err = offers.OfferTx(ctx, tx, id); err != nil {
			return nil, err
		}
		if w.on, err = thingOf(ctx, tx, w.offer); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func (k queue) locks() (keys []string) {
	for _, w := range k {
		keys = append(keys, w.on.limits(w.offer).locks()...)
	}
	return keys
}

// serve offers what is free to who waits, in the order of joining: whose offer is full is waited on no more, and others go on. The
// limits are locked. Places whose time is over are free first. freed is an order that takes nothing any more, whatever it says of itself
// so far; empty: none.
func (s *Service) serve(ctx context.Context, tx *postgres.Tx, k queue, freed string) (n int, err error) {
	if len(k) == 0 {
		return 0, nil
	}
	ids := make([]string, len(k))
	open := map[string]wanted{}
	for i, w := range k {
		ids[i] = w.OfferID
		if w.offer.ValidAt(tx.Now()) == nil && w.on.openAt(tx.Now()) == nil {
			open[w.OfferID] = w
		}
	}
	if _, err := tx.Exec(ctx, q.Q("LapsePlaces"), pq.Array(ids), tx.Now()); err != nil {
		return 0, err
	}
	var row []Waiting
	if err := tx.Select(ctx, &row, q.Q("Row"), pq.Array(ids)); err != nil {
		return 0, err
	}
	for _, x := range row {
		w, ok := open[x.OfferID]
		if !ok {
			continue
		}
		err := w.on.limits(w.offer).full(ctx, tx, Order{ID: freed, BuyerID: x.PersonID}, 1)
		if errors.Is(err, ErrSoldOut) || errors.Is(err, ErrQuota) {
			delete(open, x.OfferID)
			continue
		}
		if err != nil {
			return n, err
		}
		served, err := s.offer(ctx, tx, w, x)
		if err != nil {
			return n, err
		}
		if served {
			n++
		}
	}
	return n, nil
}

// offer keeps a place for somebody, and tells her. Who could not take it is passed over.
func (s *Service) offer(ctx context.Context, tx *postgres.Tx, w wanted, x Waiting) (bool, error) {
	has, err := w.on.held(ctx, tx, x.PersonID)
	if err != nil {
		return false, err
	}
	err = offers.MayTakeTx(ctx, tx, w.offer, x.PersonID)
	if f := (*fault.Fault)(nil); err != nil && !errors.As(err, &f) {
		return false, err
	}
	if err != nil || opensNothing(has, w.offer) {
		_, err := tx.Exec(ctx, q.Q("EndWait"), x.ID, PassedOver, tx.Now())
		return false, err
	}
	until := tx.Now().Add(keptFor)
	if u := w.offer.ValidUntil; u != nil && u.Before(until) {
		until = *u
	}
	if _, err := tx.Exec(ctx, q.Q("OfferPlace"), x.ID, tx.Now(), until); err != nil {
		return false, err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, PlaceOffered{x.ID}); err != nil {
		return false, err
	}
	return true, audit.AppendTx(ctx, tx, audit.Entry{Action: "waiting.offered", Object: x.ID, Detail: map[string]any{"offer": x.OfferID, "until": until}})
}

// freed offers what an order had taken to who waits for it, in the transaction that frees it and before enrolments are locked. The
// order is locked; it may still say that it stands.
func (s *Service) freed(ctx context.Context, tx *postgres.Tx, o Order) error {
	k, err := queueNear(ctx, tx, nearOrder(o))
	if err != nil || len(k) == 0 {
		return err
	}
	if err := lockLimits(ctx, tx, nil, k.locks()); err != nil {
		return err
	}
	_, err = s.serve(ctx, tx, k, o.ID)
	return err
}

// take ends the wait of a buyer for what she ordered.
func take(ctx context.Context, tx *postgres.Tx, o Order) error {
	ids := make([]string, len(o.Lines))
	for i, l := range o.Lines {
		ids[i] = l.OfferID
	}
	_, err := tx.Exec(ctx, q.Q("TakePlaces"), o.ID, o.BuyerID, pq.Array(ids), tx.Now())
	return err
}

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
		if _, err := s.mayOrder(ctx, tx, personID, items); err != nil {
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
		items, err := wantedOf(ctx, tx, []Item{{offerID, 1}})
		if err != nil {
			return err
		}
		if items[0].on, err = thingOf(ctx, tx, items[0].offer); err != nil {
			return err
		}
		k, err := queueNear(ctx, tx, nearItems(items))
		if err != nil {
			return err
		}
		if err := lockLimits(ctx, tx, items, k.locks()); err != nil {
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
	if err == nil && w.State == PlaceKept && !tx.Now().Before(*w.Until) {
		w.State = PlaceLapsed
	}
	return w, err
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

// ServeWaiting offers what became free without anybody saying so: places that were not taken in time, holds that ran out, capacities
// that grew. It gives how many places it offered.
func (s *Service) ServeWaiting(ctx context.Context) (n int, err error) {
	var ids []string
	if err := s.db.View(ctx, "waited for", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &ids, q.Q("AllWaitedFor"))
	}); err != nil {
		return 0, err
	}
	done := map[string]bool{}
	for _, id := range ids {
		if done[id] {
			continue
		}
		var served int
		err := s.db.InTx(ctx, "serve the row", func(ctx context.Context, tx *postgres.Tx) error {
			items, err := wantedOf(ctx, tx, []Item{{id, 1}})
			if err != nil {
				return err
			}
			if items[0].on, err = thingOf(ctx, tx, items[0].offer); err != nil {
				return err
			}
			k, err := queueNear(ctx, tx, nearItems(items))
			if err != nil {
				return err
			}
			if err := lockLimits(ctx, tx, items, k.locks()); err != nil {
				return err
			}
			for _, w := range k {
				done[w.OfferID] = true
			}
			served, err = s.serve(ctx, tx, k, "")
			return err
		})
		if n += served; err != nil {
			return n, err
		}
	}
	return n, nil
}

// Seats says how the places of an offer stand. Capacity is the fewest that limit it, its own quota included; nil: nothing does. Taken is
// what others of the same session or edition took too, where they share its places.
type Seats struct {
	OfferID  string `json:"offer_id"`
	Session  string `json:"session,omitempty"` // key; one of the two is there
	Edition  string `json:"edition,omitempty"`
	Formula  string `json:"formula"`
	Capacity *int   `json:"capacity,omitempty"`
	Left     *int   `json:"left,omitempty"`
	Sold     int    `json:"sold"`
	Held     int    `json:"held"`
	Offered  int    `json:"offered"`
	Waiting  int    `json:"waiting"`
}

// SeatsTx says how the places of offers stand, the newest offer first. The actor sees all orders, or the numbers are too small.
func SeatsTx(ctx context.Context, tx *postgres.Tx, p page.Request) (out []Seats, next string, err error) {
	all, next, err := offers.ListTx(ctx, tx, offers.Filter{}, p)
	if err != nil {
		return nil, "", err
	}
	ids := make([]string, len(all))
	for i, o := range all {
		ids[i] = o.ID
	}
	sold, err := SoldTx(ctx, tx, ids)
	if err != nil {
		return nil, "", err
	}
	rows, err := rowsTx(ctx, tx, ids)
	if err != nil {
		return nil, "", err
	}
	out = make([]Seats, 0, len(all))
	for _, o := range all {
		x := Seats{
			OfferID: o.ID, Session: o.SessionKey, Edition: o.EditionKey, Formula: o.Formula, Sold: sold[o.ID].Sold, Held: sold[o.ID].Held,
			Offered: rows[o.ID].Offered, Waiting: rows[o.ID].Waiting,
		}
		on, err := thingOf(ctx, tx, o)
		if err != nil {
			return nil, "", err
		}
		if x.Left, err = on.leftTx(ctx, tx, []offers.Offer{o}); err != nil {
			return nil, "", err
		}
		x.Capacity = least(o.Quota, on.edition.Capacity)
		for _, seat := range on.seats {
			x.Capacity = least(x.Capacity, &seat.Capacity)
		}
		if o.Quota != nil {
			n := max(0, *o.Quota-x.Sold-x.Held-x.Offered)
			x.Left = least(x.Left, &n)
		}
		out = append(out, x)
	}
	return out, next, nil
}

func least(a, b *int) *int {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	return slices.MinFunc([]*int{a, b}, func(x, y *int) int { return *x - *y })
}

// inRow counts who waits for an offer, and who has a place kept.
type inRow struct {
	Offered int `db:"offered"`
	Waiting int `db:"waiting"`
}

func rowsTx(ctx context.Context, tx *postgres.Tx, offerIDs []string) (map[string]inRow, error) {
	var rows []struct {
		OfferID string `db:"offer_id"`
		inRow
	}
	err := tx.Select(ctx, &rows, q.Q("InRow"), pq.Array(offerIDs), tx.Now())
	out := map[string]inRow{}
	for _, r := range rows {
		out[r.OfferID] = r.inRow
	}
	return out, err
}
