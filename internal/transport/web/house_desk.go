package web

import (
	"context"

	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/sales"
	paging "cursus/internal/kernel/page"
)

// DeskHouse is what the pages ask of the rooms about the orders of everybody, and about refunds and disputes. Who may not see them, or may
// not give money back, is Forbidden.
type DeskHouse interface {
	DeskOrders(ctx context.Context, who Viewer, f sales.OrderFilter, p paging.Request) (all []sales.Listed, next string, err error)
	// DeskOrdersFile is the same list, all of it, as CSV.
	DeskOrdersFile(ctx context.Context, who Viewer, f sales.OrderFilter) (File, error)
	DeskOrder(ctx context.Context, who Viewer, id string) (sales.Case, []invoicing.Full, error)
	// GiveBack gives money of an order back once per key, or proposes it.
	GiveBack(ctx context.Context, who Viewer, c sales.RefundOrder) error
	Desk(ctx context.Context, who Viewer) (sales.ToDo, error)
	// OrderEvidence is a ZIP of what can be shown to the bank of an order's buyer, in en or fr.
	OrderEvidence(ctx context.Context, who Viewer, id, lang string) (File, error)
	// DecideRefund agrees to a proposed refund or not, once per key; it gives the order.
	DecideRefund(ctx context.Context, who Viewer, id string, agree bool, key string) (string, error)
	// SayRepaid says once per key that what a refund left owed was paid otherwise; DecideRepaid is a second person's word on that, once per key too.
	SayRepaid(ctx context.Context, who Viewer, id, reference, key string) error
	DecideRepaid(ctx context.Context, who Viewer, id string, agree bool, key string) error
}

// deskRoutes are the addresses of these pages.
func (w *Web) deskRoutes() []route {
	return []route{
		{method: "GET", path: "/console/orders", who: staff, handle: w.deskOrders},
		{method: "GET", path: "/console/orders.csv", who: staff, handle: w.deskOrdersFile},
		{method: "GET", path: "/console/orders/:id", who: staff, handle: w.deskOrder},
		{method: "GET", path: "/console/orders/:id/evidence.zip", who: staff, handle: w.orderEvidence},
		{method: "POST", path: "/console/orders/:id/refunds", who: staff, handle: w.giveBack, fresh: always},
		{method: "GET", path: "/console/refunds", who: staff, handle: w.refundDesk},
		{method: "POST", path: "/console/refunds/:id", who: staff, handle: w.decideRefund, fresh: always},
		{method: "POST", path: "/console/refunds/:id/repayment", who: staff, handle: w.repay, fresh: always},
	}
}
