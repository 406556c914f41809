package web

import (
	"slices"

	"cursus/internal/domain/identity"
)

// always is for routes each of whose posts asks for who signed in just now.
func always(*request) bool { return true }

// does is for routes of which some acts, by their button, ask for who signed in just now.
func does(acts ...string) func(*request) bool {
	return func(r *request) bool { return slices.Contains(acts, r.form("do")) }
}

// begun is the session that the browser gets; nil where the one that it has goes on.
func (o Opened) begun() *Opened {
	if o.Secret == "" {
		return nil
	}
	return &o
}

// stepUpPage is what stands between who signed in long ago and what moves money, keys or roles. What was written waits there: she signs in
// again in another window, by which the session of this browser is proven afresh, and sends it from here.
type stepUpPage struct {
	Action    string
	Written   []typed
	Email     string
	Providers []identity.Provider
}

type typed struct{ Name, Value string }

func (w *Web) stepUp(r *request) reply {
	d := stepUpPage{Action: r.path, Email: r.viewer.Email}
	for _, name := range r.names() {
		for _, value := range r.forms(name) {
			if name != "form" { // each page has its own
				d.Written = append(d.Written, typed{name, value})
			}
		}
	}
	var err error
	if d.Providers, err = w.house.SignInBy(r.ctx); err != nil {
		return w.fault(r, err)
	}
	return reply{page: "stepup", title: "stepup.title", data: d, status: 401}
}

func (w *Web) confirmed(*request) (reply, error) {
	return reply{page: "confirmed", title: "stepup.done"}, nil
}
