package web

import (
	"context"

	paging "cursus/internal/kernel/page"
)

// SalesHouse is what the pages ask of the rooms about orders, seats, ways to pay, withdrawal, refunds and disputes. Who may not do a
// thing is Forbidden.
type SalesHouse interface {
	// Orders are those of the viewer, the newest first.
	Orders(ctx context.Context, who Viewer, p paging.Request) (all []Order, next string, err error)
	CancelOrder(ctx context.Context, who Viewer, id string) error
}

// salesRoutes are the addresses of these pages.
func (w *Web) salesRoutes() []route {
	return []route{
		{method: "GET", path: "/orders", who: signedIn, handle: w.myOrders},
		{method: "POST", path: "/orders/:id/cancel", who: signedIn, handle: w.cancelOrder},
	}
}
