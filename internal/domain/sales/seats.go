package sales

import (
	"context"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// Faults of limits.
var (
	ErrSoldOut = fault.New(fault.Conflict, "sold-out", "Every seat is taken. A seat whose payment does not come is free again after 45 minutes.")
	ErrQuota   = fault.New(fault.Conflict, "offer-quota-reached", "This offer was for a limited number of buyers, and all were sold.")
)

// limits are what bounds the number of orders: the quota of the offer, the capacity of the edition, the capacities of sessions.
// Nil and none are without limit.
type limits struct {
	offerID   string
	quota     *int
	editionID string
	edition   *int
	seats     []seat
}

func (t thing) limits(offer offers.Offer) limits {
	return limits{offer.ID, offer.Quota, t.edition.ID, t.edition.Capacity, t.seats}
}

// locks names what is to be counted, in the one order in which everybody takes them.
func (l limits) locks() (keys []string) {
	if l.quota != nil {
		keys = append(keys, l.offerID)
	}
	if l.edition != nil {
		keys = append(keys, l.editionID)
	}
	for _, s := range l.seats {
		keys = append(keys, s.ID)
	}
	slices.Sort(keys)
	return keys
}

// lockLimits holds what bounds the number of orders until the transaction ends, so that two do not take the last one: the limits of
// the items, and more. All of them are taken here, in one order; what has no limit waits for nobody and costs nothing. Take them
// before anything that others hold for long.
func lockLimits(ctx context.Context, tx *postgres.Tx, items []wanted, more []string) error {
	keys := more
	for _, w := range items {
		keys = append(keys, w.on.limits(w.offer).locks()...)
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	_, err := tx.Exec(ctx, q.Q("LockSeats"), pq.Array(slices.Compact(keys)))
	return err
}

// takeSeats refuses an order for which no seat is left: paid orders and those that can still be paid count, each person once for
// a seat, each order once for a quota, the seats of an organisation all. The limits are locked. Errors: ErrSoldOut, ErrQuota.
func takeSeats(ctx context.Context, tx *postgres.Tx, o Order, items []wanted) error {
	for _, w := range items { // other statements than the lock: they see what was committed while we waited
		if err := w.on.limits(w.offer).full(ctx, tx, o, w.Quantity); err != nil {
			return err
		}
	}
	return nil
}

// full says ErrSoldOut or ErrQuota where fewer seats than needed are left.
func (l limits) full(ctx context.Context, tx *postgres.Tx, o Order, needed int) error {
	if len(l.locks()) == 0 {
		return nil
	}
	sessions, capacities := make([]string, len(l.seats)), make([]int64, len(l.seats))
	for i, s := range l.seats {
		sessions[i], capacities[i] = s.ID, int64(s.Capacity)
	}
	own := o.BuyerID // a seat that she has already is not taken again
	if o.Pool() {
		own = ""
	}
	var full string
	if err := tx.Get(ctx, &full, q.Q("Full"), o.ID, own, l.offerID, l.quota, nullable(l.editionID), l.edition, pq.Array(sessions), pq.Array(capacities),
		tx.Now(), needed); err != nil {
		return err
	}
	switch full {
	case "":
		return nil
	case "offer":
		return ErrQuota
	}
	return ErrSoldOut
}

// lateSeats takes the seats of an order that is paid after its time, and what it was given besides: others may have taken them
// meanwhile. A place that is kept for its buyer, who waited again, is the one that it takes. Errors: those of takeSeats and lateFavours.
func (s *Service) lateSeats(ctx context.Context, tx *postgres.Tx, o Order) error {
	items := make([]wanted, len(o.Lines))
	for i, l := range o.Lines {
		offer, err := offers.OfferTx(ctx, tx, l.OfferID)
		if err != nil {
			return err
		}
		items[i] = wanted{Item: Item{l.OfferID, l.Quantity}, offer: offer}
		if items[i].on, err = thingOf(ctx, tx, offer); err != nil {
			return err
		}
	}
	favours, err := favoursOf(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	row, err := queueNear(ctx, tx, nearItems(items))
	if err != nil {
		return err
	}
	if err := lockLimits(ctx, tx, items, append(favourLocks(favours), row.locks()...)); err != nil {
		return err
	}
	if _, err := s.serve(ctx, tx, row, ""); err != nil {
		return err
	}
	if err := takeSeats(ctx, tx, o, items); err != nil {
		return err
	}
	if err := lateFavours(ctx, tx, o, favours); err != nil || o.Pool() {
		return err
	}
	return take(ctx, tx, o)
}

func seatsOf(ctx context.Context, tx *postgres.Tx, e programs.Edition) (seats []seat, err error) {
	ids := make([]string, len(e.Sessions))
	for i, s := range e.Sessions {
		ids[i] = s.SessionID
	}
	err = tx.Select(ctx, &seats, q.Q("Seats"), pq.Array(ids))
	return seats, err
}

// Sales says how an offer sells: paid orders, and orders that can still be paid.
type Sales struct {
	Sold int `db:"sold"`
	Held int `db:"held"`
}

// SoldTx counts the orders of offers; an offer without any is not in the answer.
func SoldTx(ctx context.Context, tx *postgres.Tx, offerIDs []string) (map[string]Sales, error) {
	var rows []struct {
		OfferID string `db:"offer_id"`
		Sales
	}
	err := tx.Select(ctx, &rows, q.Q("Sold"), pq.Array(offerIDs), tx.Now())
	out := map[string]Sales{}
	for _, r := range rows {
		out[r.OfferID] = r.Sales
	}
	return out, err
}
