package web

import "net/url"

// confidenceRoutes are the addresses of the way to the exam.
func (w *Web) confidenceRoutes() []route {
	return []route{
		{method: "GET", path: "/learning/:id/readiness", who: signedIn, handle: w.readinessPage},
		{method: "POST", path: "/learning/:id/readiness", who: signedIn, handle: w.bookMock},
	}
}

func (w *Web) readinessPage(r *request) (reply, error) {
	p, err := w.house.ReadinessPage(r.ctx, r.viewer, r.param("id"))
	return reply{page: "readiness", title: "ready.title", data: p}, err
}

func (w *Web) bookMock(r *request) (reply, error) {
	id := r.param("id")
	return reply{redirect: "/learning/" + url.PathEscape(id) + "/readiness"}, w.house.BookMock(r.ctx, r.viewer, id, r.form("key"), r.form("slot"))
}
