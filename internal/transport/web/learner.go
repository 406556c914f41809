package web

import (
	"encoding/json"
	"net/url"
	"strings"

	"cursus/internal/domain/progress"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/fault"
)

// checkout orders an offer and leads to the pay page, or straight to the order where nothing is to be paid.
func (w *Web) checkout(r *request) (reply, error) {
	offer, key := r.form("offer"), r.form("key")
	if offer == "" || key == "" {
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "offer", Code: "required", Detail: "offer, key"})
	}
	placed, err := w.house.PlaceOrder(r.ctx, r.viewer, Purchase{
		OfferID: offer, Key: key, Lang: r.lang, Voucher: strings.TrimSpace(r.form("voucher")), Currency: r.form("currency"), Way: sales.Way(r.form("way")), Reference: strings.TrimSpace(r.form("reference")),
		BeginNow: r.form("begin_now") == "1",
	})
	if err != nil {
		return reply{}, err
	}
	if placed.PayURL != "" {
		return reply{redirect: placed.PayURL}, nil
	}
	return reply{redirect: "/orders/" + url.PathEscape(placed.OrderID)}, nil
}

func (w *Web) order(r *request) (reply, error) {
	o, err := w.house.Order(r.ctx, r.viewer, r.param("id"))
	return reply{page: "order", title: "order.title", data: o}, err
}

// orderState is what the script of the order page asks every few seconds.
func (w *Web) orderState(r *request) (reply, error) {
	o, err := w.house.Order(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	b, err := json.Marshal(map[string]string{"state": o.State})
	return reply{file: &File{"state.json", "application/json", b}, inline: true}, err
}

// learnt is what "my learning" shows.
type learnt struct {
	Programs   []Membership
	Enrolments []Enrolment
	Followed   progress.Followed
	Others     []Certificate                // of no enrolment that is shown
	Surveys    map[string][]surveys.Waiting // by enrolment
}

func (w *Web) learning(r *request) (reply, error) {
	programs, err := w.house.Memberships(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	followed, err := w.house.Followed(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	all, err := w.house.Learning(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	open, err := w.house.OpenSurveys(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	others, err := w.house.OtherCertificates(r.ctx, r.viewer)
	return reply{page: "learning", title: "learning.title", data: learnt{programs, all, followed, others, open}}, err
}

func (w *Web) setName(r *request) (reply, error) {
	return reply{redirect: "/learning"}, w.house.SetName(r.ctx, r.viewer, strings.TrimSpace(r.form("name")))
}

// workshopSeat takes a seat on a workshop day, or gives it back, and leads to where the button was.
func (w *Web) workshopSeat(r *request) (reply, error) {
	id, day := r.param("id"), r.form("day")
	next := "/learning#" + url.PathEscape(id)
	if at := r.form("session"); at != "" {
		next = "/sessions/" + url.PathEscape(at) + "#workshops"
	}
	if r.form("leave") != "" {
		return reply{redirect: next}, w.house.LeaveSeat(r.ctx, r.viewer, id, day)
	}
	if day == "" || r.form("key") == "" {
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "day", Code: "required", Detail: "day, key"})
	}
	return reply{redirect: next}, w.house.TakeSeat(r.ctx, r.viewer, id, day, r.form("key"))
}

func (w *Web) certificate(r *request) (reply, error) {
	f, err := w.house.CertificatePDF(r.ctx, r.viewer, r.param("id"))
	return reply{file: &f}, err
}
