package app

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// WaitFor puts somebody into the row for an offer, or takes her out of it.
func (p Pages) WaitFor(ctx context.Context, who web.Viewer, offerID string, leave bool) error {
	if leave {
		return p.h.Sales.LeaveRow(ctx, offerID, who.PersonID)
	}
	_, err := p.h.Sales.Wait(ctx, offerID, who.PersonID)
	return err
}

// Seats says how the places of offers stand.
func (p Pages) Seats(ctx context.Context, who web.Viewer, r page.Request) (all []sales.Seats, next string, err error) {
	err = p.offering(ctx, who, "seats page", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = sales.SeatsTx(ctx, tx, r)
		return err
	})
	return all, next, err
}
