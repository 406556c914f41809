package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// AccessHouse is what the pages ask of the rooms about the systems that speak to the API. Who may not do a thing is Forbidden.
type AccessHouse interface {
	// Clients are those of an organisation, or all.
	Clients(ctx context.Context, who Viewer, organisation string, p paging.Request) (all []identity.Client, next string, err error)
	Client(ctx context.Context, who Viewer, id string) (identity.Client, error)
	// MakeClient registers a system once per key and gives its id.
	MakeClient(ctx context.Context, who Viewer, key string, n identity.NewClient) (string, error)
	// SaveClient writes one over the version that was read.
	SaveClient(ctx context.Context, who Viewer, id string, n identity.NewClient, version int) error
	EndClient(ctx context.Context, who Viewer, id string) error
	// MakeKey gives the secret too, which is shown once.
	MakeKey(ctx context.Context, who Viewer, client string, life time.Duration) (k identity.Key, secret string, err error)
	EndKey(ctx context.Context, who Viewer, client, key string) error
}

// accessRoutes are the addresses of these pages.
func (w *Web) accessRoutes() []route {
	return []route{
		{method: "GET", path: "/console/clients", who: staff, handle: w.clientList},
		{method: "POST", path: "/console/clients", who: staff, handle: w.makeClient, fresh: always, large: true},
		{method: "GET", path: "/console/clients/:id", who: staff, handle: w.client},
		{method: "POST", path: "/console/clients/:id", who: staff, handle: w.changeClient, fresh: always, large: true},
		{method: "GET", path: "/partners/:key/systems", who: signedIn, handle: w.clientList},
		{method: "POST", path: "/partners/:key/systems", who: signedIn, handle: w.makeClient, fresh: always, large: true},
		{method: "GET", path: "/partners/:key/systems/:id", who: signedIn, handle: w.client},
		{method: "POST", path: "/partners/:key/systems/:id", who: signedIn, handle: w.changeClient, fresh: always, large: true},
	}
}

// clientForm is what was written of a client.
type clientForm struct {
	Written       map[string]string
	Roles, Scopes []string // that are ticked
	Organisations []identity.Organisation
	AllRoles      []string
	AllScopes     []string
	Wrong         *fault.Fault
}

// Ticked says whether one of a list is ticked.
func (f clientForm) Ticked(name string) bool {
	return slices.Contains(f.Roles, name) || slices.Contains(f.Scopes, name)
}

type clientsPage struct {
	At      string           // the address of this list
	Of      identity.Managed // whose they are; zero: everybody's
	Clients []identity.Client
	Form    clientForm
	Next    string
	Now     time.Time
}

type clientPage struct {
	At     string // the address of the list that it is in
	One    identity.Client
	Form   clientForm
	Secret string // of the key that was just made
	Made   identity.Key
	Base   string // of the examples
	Try    string // what the first example asks for; empty: nothing that the client may
	Now    time.Time
}

func clientWritten(r *request) clientForm {
	f := clientForm{Written: map[string]string{}, Roles: r.forms("role"), Scopes: r.forms("scope")}
	for _, name := range []string{"name", "organisation", "networks", "per_minute", "version"} {
		f.Written[name] = strings.TrimSpace(r.form(name))
	}
	return f
}

// says reads the form. What is no number is out of range.
func (f clientForm) says() identity.NewClient {
	n := identity.NewClient{
		Name: f.Written["name"], Organisation: f.Written["organisation"], Roles: f.Roles, Scopes: f.Scopes,
		Networks: strings.FieldsFunc(f.Written["networks"], func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\r' }),
	}
	if s := f.Written["per_minute"]; s != "" {
		var err error
		if n.PerMinute, err = strconv.Atoi(s); err != nil || n.PerMinute == 0 {
			n.PerMinute = -1
		}
	}
	return n
}

// systemsAt is the address of the list of systems: of the console, or of a partner.
func systemsAt(r *request) string {
	if key := r.param("key"); key != "" {
		return "/partners/" + url.PathEscape(key) + "/systems"
	}
	return "/console/clients"
}

func (w *Web) clientList(r *request) (reply, error) { return w.clientsWith(r, clientForm{}) }

func (w *Web) clientsWith(r *request, f clientForm) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	data := clientsPage{At: systemsAt(r), Now: w.clock.Now()}
	if r.param("key") != "" {
		if data.Of, err = w.partnerOf(r); err != nil {
			return reply{}, err
		}
	}
	all, next, err := w.house.Clients(r.ctx, r.viewer, data.Of.Key, p)
	if err != nil {
		return reply{}, err
	}
	f.AllRoles = identity.ClientRoles("x")
	if data.Of.Key == "" {
		if f.Organisations, err = w.house.Organisations(r.ctx, r.viewer); err != nil {
			return reply{}, err
		}
		for _, role := range identity.ClientRoles("") {
			if !slices.Contains(f.AllRoles, role) {
				f.AllRoles = append(f.AllRoles, role)
			}
		}
	}
	f.AllScopes = identity.ScopesOf(f.AllRoles)
	data.Clients, data.Form, data.Next = all, f, paging.Cursor(next)
	return reply{page: "access_clients", title: "clients.title", data: data, status: refusedAs(f.Wrong)}, nil
}

func (w *Web) makeClient(r *request) (reply, error) {
	f := clientWritten(r)
	n := f.says()
	if key := r.param("key"); key != "" {
		n.Organisation = key
	}
	id, err := w.house.MakeClient(r.ctx, r.viewer, r.form("key"), n)
	if f.Wrong = refusal(err); f.Wrong != nil {
		return w.clientsWith(r, f)
	}
	return reply{redirect: systemsAt(r) + "/" + id}, err
}

func (w *Web) client(r *request) (reply, error) { return w.clientWith(r, nil, clientPage{}) }

// clientWith shows a client: as it is, with what was written of it and refused, or with the key that was just made.
func (w *Web) clientWith(r *request, refused *clientForm, data clientPage) (reply, error) {
	c, err := w.house.Client(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	if key := r.param("key"); key != "" && key != c.Organisation {
		return reply{}, identity.ErrNoClient
	}
	out := reply{page: "access_client", title: c.Name}
	data.At = systemsAt(r)
	data.One, data.Base, data.Now = c, w.base, w.clock.Now()
	data.Form = clientForm{Scopes: c.Scopes, Written: map[string]string{"name": c.Name, "networks": strings.Join(c.Networks, "\n"), "per_minute": strconv.Itoa(c.PerMinute)}}
	if refused != nil {
		data.Form, out.status = *refused, kinds[refused.Wrong.Kind].status
	}
	data.Form.Written["version"] = strconv.Itoa(c.Version) // after a change by somebody else, to save again is to decide
	data.Form.AllScopes = identity.ScopesOf(c.Roles)
	data.Try = Tried(c.Scopes)
	out.data = data
	return out, nil
}

// tried are addresses that say something to whoever has a scope.
var tried = []struct{ scope, path string }{
	{"learning:read", "/v1/me"}, {"orders:read", "/v1/orders"}, {"webhooks:write", "/v1/webhook-event-types"}, {"operations:read", "/v1/queue"}, {"accounts:read", "/v1/documents"},
	{"refunds:write", "/v1/refunds"}, {"catalog:read", "/v1/course-drafts"}, {"offers:write", "/v1/offers"},
}

// Tried is the address that a client with these scopes can try its key at; empty: none is known.
func Tried(scopes []string) string {
	for _, t := range tried {
		if slices.Contains(scopes, t.scope) {
			return t.path
		}
	}
	return ""
}

func (w *Web) changeClient(r *request) (reply, error) {
	id, back := r.param("id"), reply{redirect: systemsAt(r) + "/" + r.param("id")}
	switch r.form("do") {
	case "key":
		days, _ := strconv.Atoi(r.form("days")) // what is no number is no life
		k, secret, err := w.house.MakeKey(r.ctx, r.viewer, id, time.Duration(days)*24*time.Hour)
		if f := refusal(err); f != nil {
			return w.clientWith(r, &clientForm{Written: map[string]string{}, Wrong: f}, clientPage{})
		}
		if err != nil {
			return reply{}, err
		}
		return w.clientWith(r, nil, clientPage{Secret: secret, Made: k})
	case "end":
		return back, w.house.EndClient(r.ctx, r.viewer, id)
	case "save":
		f := clientWritten(r)
		version, err := strconv.Atoi(f.Written["version"])
		if err != nil {
			return reply{}, fault.InvalidInput(fault.Field{Pointer: "/version", Code: "bad-number", Detail: "It is no version."})
		}
		err = w.house.SaveClient(r.ctx, r.viewer, id, f.says(), version)
		if f.Wrong = refusedOrChanged(err, identity.ErrClientChanged); f.Wrong != nil {
			return w.clientWith(r, &f, clientPage{})
		}
		return back, err
	}
	if key, ok := strings.CutPrefix(r.form("do"), "end "); ok {
		return back, w.house.EndKey(r.ctx, r.viewer, id, key)
	}
	return reply{}, fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown", Detail: fmt.Sprintf("There is no %q here.", r.form("do"))})
}
