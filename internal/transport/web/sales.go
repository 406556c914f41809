package web

import (
	"cmp"
	"net/url"

	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
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

func (w *Web) payOrder(r *request) (reply, error) {
	page, err := w.house.PayOrder(r.ctx, r.viewer, r.param("id"))
	return reply{redirect: cmp.Or(page, "/orders/"+url.PathEscape(r.param("id")))}, err
}

// withdrawalPage is the page on which a buyer withdraws: the statement first, then its confirmation, then the receipt.
type withdrawalPage struct {
	Order       Order
	Leaving     sales.Leaving
	Confirm     bool
	Name, Email string
	Wrong       *fault.Fault
}

func (w *Web) withdrawal(r *request) (reply, error) {
	return w.withdrawalWith(r, withdrawalPage{Name: r.viewer.FullName, Email: r.viewer.Email}, 0)
}

func (w *Web) withdrawalWith(r *request, p withdrawalPage, status int) (out reply, err error) {
	p.Order, p.Leaving, err = w.house.Withdrawal(r.ctx, r.viewer, r.param("id"))
	return reply{page: "withdrawal", title: "withdrawal.title", data: p, status: status}, err
}

// withdraw takes the statement, and on the second step declares it.
func (w *Web) withdraw(r *request) (reply, error) {
	p := withdrawalPage{Name: r.form("name"), Email: r.form("email")}
	if p.Confirm = true; r.form("do") != "confirm" {
		return w.withdrawalWith(r, p, 0)
	}
	id := r.param("id")
	err := w.house.Withdraw(r.ctx, r.viewer, id, p.Name, p.Email, r.form("key"))
	if f := refusal(err); f != nil && f.Kind != fault.NotFound {
		p.Confirm, p.Wrong = false, f
		return w.withdrawalWith(r, p, 422)
	}
	return reply{redirect: "/orders/" + url.PathEscape(id) + "/withdrawal"}, err
}
