package web

import (
	"net/url"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
)

// sessionsShown is how many sessions stand on one page of the list.
const sessionsShown = 100

// listed is the list of sessions, those without dates too, and the form of a new one as it was written.
type listed struct {
	Filter   catalog.SessionFilter
	Sessions []catalog.SessionSheet
	Next     string // id to go on after; empty: that is all
	Courses  []string
	Values   map[string]string
	Fault    *fault.Fault
}

// More is the address of the next page.
func (l listed) More() string {
	return "/console/sessions?" + url.Values{
		"course": {l.Filter.Course}, "state": {string(l.Filter.Publication)}, "kind": {string(l.Filter.Kind)}, "after": {l.Next},
	}.Encode()
}

// States are the states of publication to filter by.
func (listed) States() []catalog.Publication {
	return []catalog.Publication{catalog.Drafted, catalog.InReview, catalog.Published, catalog.Archived}
}

func (w *Web) listOf(r *request) (l listed, err error) {
	l.Filter = catalog.SessionFilter{
		Course: r.query("course"), Publication: catalog.Publication(r.query("state")), Kind: catalog.Kind(r.query("kind")), After: r.query("after"), Limit: sessionsShown + 1,
	}
	l.Values = map[string]string{"course": l.Filter.Course}
	if l.Sessions, l.Courses, err = w.house.SessionList(r.ctx, r.viewer, l.Filter); len(l.Sessions) > sessionsShown {
		l.Sessions = l.Sessions[:sessionsShown]
		l.Next = l.Sessions[sessionsShown-1].ID
	}
	return l, err
}

func (w *Web) sessionList(r *request) (reply, error) {
	l, err := w.listOf(r)
	return reply{page: "console-sessions", title: "console.sessions", data: l}, err
}

var newSessionFields = []string{"key", "course", "number", "title_en", "title_fr", "kind", "platform"}

// newSession makes a draft and leads to its page, where the rest is written.
func (w *Web) newSession(r *request) (reply, error) {
	f := &formReader{r: r}
	n := catalog.NewSession{
		Key: f.text("key"), CourseKey: f.text("course"), Number: f.number("number"), Title: catalog.Text{EN: f.text("title_en"), FR: f.text("title_fr")},
		Kind: catalog.Kind(f.text("kind")), Platform: f.text("platform"), ThresholdPPM: 500_000, Publication: catalog.Drafted,
	}
	err := f.fault()
	if err == nil {
		err = w.house.MakeSession(r.ctx, r.viewer, n)
	}
	if err == nil {
		return reply{redirect: "/console/sessions/" + url.PathEscape(n.Key)}, nil
	}
	k := fault.From(err)
	if kinds[k.Kind].status >= 500 {
		return reply{}, err
	}
	l, found := w.listOf(r)
	l.Values, l.Fault = written(r, newSessionFields), k
	return reply{status: kinds[k.Kind].status, page: "console-sessions", title: "console.sessions", data: l}, found
}
