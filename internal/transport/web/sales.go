package web

import (
	"net/url"

	paging "cursus/internal/kernel/page"
)

// ordersPage is what "my orders" shows.
type ordersPage struct {
	Orders []Order
	Next   string // cursor
}

func (w *Web) myOrders(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	all, next, err := w.house.Orders(r.ctx, r.viewer, p)
	return reply{page: "orders", title: "orders.title", data: ordersPage{all, paging.Cursor(next)}}, err
}

func (w *Web) cancelOrder(r *request) (reply, error) {
	id := r.param("id")
	return reply{redirect: "/orders/" + url.PathEscape(id)}, w.house.CancelOrder(r.ctx, r.viewer, id)
}
