package web

import (
	"net/url"
	"time"

	"cursus/internal/domain/sales"
	paging "cursus/internal/kernel/page"
)

// waitFor joins the row for an offer, or leaves it, and goes back to the page of what it is on.
func (w *Web) waitFor(r *request) (reply, error) {
	back := "/"
	if key := r.form("session"); key != "" {
		back = "/sessions/" + url.PathEscape(key)
	} else if key := r.form("edition"); key != "" {
		back = "/editions/" + url.PathEscape(key)
	}
	return reply{redirect: back}, w.house.WaitFor(r.ctx, r.viewer, r.form("offer"), r.form("do") == "leave")
}

// seatsPage is how the places of offers stand.
type seatsPage struct {
	Seats []sales.Seats
	Next  string // cursor
}

func (w *Web) seats(r *request) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	all, next, err := w.house.Seats(r.ctx, r.viewer, p)
	return reply{page: "seats", title: "seats.title", data: seatsPage{all, paging.Cursor(next)}}, err
}

// Moment prints a day with its time.
func (v View) Moment(t *time.Time) (string, error) {
	day, err := v.Day(t)
	if err != nil || t == nil {
		return day, err
	}
	return day + ", " + t.UTC().Format("15:04 UTC"), nil
}
