package app

import (
	"context"

	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Waiting lists the rows that the caller waits in.
func (r Rooms) Waiting(ctx context.Context, who api.Principal, p page.Request) ([]sales.Waiting, string, error) {
	return r.h.Sales.Waits(ctx, who.PersonID, p)
}

// JoinWaiting puts the caller into the row for an offer.
func (r Rooms) JoinWaiting(ctx context.Context, who api.Principal, offerID string) (sales.Waiting, error) {
	return r.h.Sales.Wait(ctx, offerID, who.PersonID)
}

// LeaveWaiting takes the caller out of the row for an offer.
func (r Rooms) LeaveWaiting(ctx context.Context, who api.Principal, offerID string) error {
	return r.h.Sales.LeaveRow(ctx, offerID, who.PersonID)
}

// Seats says how the places of offers stand.
func (r Rooms) Seats(ctx context.Context, _ api.Principal, p page.Request) (all []sales.Seats, next string, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "list seats", func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err = sales.SeatsTx(ctx, tx, p)
		return err
	})
	return all, next, err
}
