package sales

import (
	"context"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/domain/offers"
	"cursus/internal/platform/postgres"
)

// wanted is an item with its offer and what that is on.
type wanted struct {
	Item
	offer offers.Offer
	on    thing
}

// wantedOf finds the offers of items. Errors: offers.ErrNoOffer.
func wantedOf(ctx context.Context, tx *postgres.Tx, items []Item) (out []wanted, err error) {
	for _, x := range items {
		w := wanted{Item: x}
		if w.offer, err = offers.OfferTx(ctx, tx, x.OfferID); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// openAlready finds the order of a buyer that waits for the same payment; with another voucher or currency it makes room for the new one.
func (s *Service) openAlready(ctx context.Context, tx *postgres.Tx, c PlaceOrder, items []wanted) (open Order, same bool, err error) {
	// Two orders of one person at once would both find no open order.
	if _, err := tx.Exec(ctx, q.Q("LockBuyer"), c.BuyerID); err != nil {
		return open, false, err
	}
	open, found, err := openOrder(ctx, tx, c.BuyerID, items)
	if err != nil || !found {
		return open, false, err
	}
	same, err = s.instead(ctx, tx, open, c)
	if same && c.Way != "" && err == nil {
		if open, err = one(ctx, tx, "Lock", open.ID); err == nil {
			err = s.chooseTx(ctx, tx, &open, c.asChosen(open))
		}
	}
	return open, same, err
}

// openOrder finds the unpaid order of somebody for exactly these offers. Another one that waits for the same, among several lines
// of either, is ErrOpenAlready: both could be paid.
func openOrder(ctx context.Context, tx *postgres.Tx, buyerID string, items []wanted) (o Order, found bool, err error) {
	var open []struct {
		ID     string         `db:"id"`
		Offers pq.StringArray `db:"offers"`
		Things pq.StringArray `db:"things"`
	}
	if err := tx.Select(ctx, &open, q.Q("OpenOrders"), buyerID, tx.Now()); err != nil || len(open) == 0 {
		return o, false, err
	}
	mine := make([]string, len(items))
	for i, x := range items {
		mine[i] = x.OfferID
	}
	slices.Sort(mine)
	for _, x := range open {
		slices.Sort(x.Offers)
		if slices.Equal(x.Offers, mine) {
			o, err = OrderTx(ctx, tx, x.ID)
			return o, err == nil, err
		}
		for _, w := range items {
			if len(items)+len(x.Offers) > 2 && slices.Contains(x.Things, w.offer.SessionID+w.offer.EditionID) {
				return o, false, ErrOpenAlready
			}
		}
	}
	return o, false, nil
}
