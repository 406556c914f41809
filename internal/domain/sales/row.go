package sales

import (
	"context"
	"errors"

	"github.com/lib/pq"

	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

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

// lockRow is the row for an offer, and those near it, with their limits locked.
func lockRow(ctx context.Context, tx *postgres.Tx, offerID string) (queue, error) {
	items, err := wantedOf(ctx, tx, []Item{{offerID, 1}})
	if err != nil {
		return nil, err
	}
	if items[0].on, err = thingOf(ctx, tx, items[0].offer); err != nil {
		return nil, err
	}
	k, err := queueNear(ctx, tx, nearItems(items))
	if err != nil {
		return nil, err
	}
	return k, lockLimits(ctx, tx, items, k.locks())
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
	return s.freedBy(ctx, tx, o, o.ID)
}

// freedBy is freed where the order that is named takes no places any more; empty: each takes what it says.
func (s *Service) freedBy(ctx context.Context, tx *postgres.Tx, o Order, gone string) error {
	k, err := queueNear(ctx, tx, nearOrder(o))
	if err != nil || len(k) == 0 {
		return err
	}
	if err := lockLimits(ctx, tx, nil, k.locks()); err != nil {
		return err
	}
	_, err = s.serve(ctx, tx, k, gone)
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
			k, err := lockRow(ctx, tx, id)
			if err != nil {
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
