package sales

import (
	"cmp"
	"context"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/domain/offers"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

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
