package app

import (
	"context"

	"cursus/internal/kernel/page"
	"cursus/internal/transport/web"
)

// Orders shows somebody her orders.
func (p Pages) Orders(ctx context.Context, who web.Viewer, r page.Request) (out []web.Order, next string, err error) {
	all, next, err := p.h.Sales.Orders(as(ctx, who), who.PersonID, r)
	for _, o := range all {
		out = append(out, shownOrder(o))
	}
	return out, next, err
}

// CancelOrder cancels an order that was not paid.
func (p Pages) CancelOrder(ctx context.Context, who web.Viewer, id string) error {
	_, err := p.h.Sales.CancelOrder(as(ctx, who), id)
	return err
}
