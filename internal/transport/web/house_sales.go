package web

import (
	"context"
	"slices"

	"cursus/internal/domain/sales"
	paging "cursus/internal/kernel/page"
)

// SalesHouse is what the pages ask of the rooms about orders, seats, ways to pay, withdrawal, refunds and disputes. Who may not do a
// thing is Forbidden.
type SalesHouse interface {
	// Orders are those of the viewer, the newest first.
	Orders(ctx context.Context, who Viewer, p paging.Request) (all []Order, next string, err error)
	CancelOrder(ctx context.Context, who Viewer, id string) error
	// PayOrder gives the address of the pay page of an order that waits for its payment.
	PayOrder(ctx context.Context, who Viewer, id string) (string, error)
	// Withdrawal says whether the viewer may leave an order, and gives the receipt once she did.
	Withdrawal(ctx context.Context, who Viewer, id string) (Order, sales.Leaving, error)
	Withdraw(ctx context.Context, who Viewer, id, name, email, key string) error
	// WaitFor puts the viewer into the row for an offer, or takes her out of it.
	WaitFor(ctx context.Context, who Viewer, offerID string, leave bool) error
	// Seats says how the places of offers stand, the newest offer first.
	Seats(ctx context.Context, who Viewer, p paging.Request) (all []sales.Seats, next string, err error)
	WayHouse
	PoolHouse
	InstalmentHouse
}

// salesRoutes are the addresses of these pages.
func (w *Web) salesRoutes() []route {
	return append(slices.Concat(w.wayRoutes(), w.poolRoutes(), w.instalmentRoutes()), []route{
		{method: "GET", path: "/orders", who: signedIn, handle: w.myOrders},
		{method: "POST", path: "/orders/:id/cancel", who: signedIn, handle: w.cancelOrder},
		{method: "POST", path: "/orders/:id/pay", who: signedIn, handle: w.payOrder},
		{method: "GET", path: "/orders/:id/withdrawal", who: signedIn, handle: w.withdrawal},
		{method: "POST", path: "/orders/:id/withdrawal", who: signedIn, handle: w.withdraw},
		{method: "POST", path: "/waiting", who: signedIn, handle: w.waitFor},
		{method: "GET", path: "/console/seats", who: staff, handle: w.seats},
	}...)
}
