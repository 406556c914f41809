package web

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
)

// SignInHouse is what the pages ask of the rooms about OpenID providers.
type SignInHouse interface {
	// SignInBy lists the providers that stand on the sign-in page.
	SignInBy(ctx context.Context) ([]identity.Provider, error)
	// StartSignIn gives the address at a provider to which the browser goes, and what it keeps meanwhile. afresh: she has to sign in there again.
	StartSignIn(ctx context.Context, provider, next, lang string, afresh bool) (address, flow string, err error)
	// FinishSignIn opens a session for who comes back with a provider's answer. issuer is what the answer says of whom it is of; may be empty.
	FinishSignIn(ctx context.Context, provider, flow, state, code, issuer, current string) (Opened, error)

	Providers(ctx context.Context, who Viewer) ([]identity.Provider, error)
	// SaveProvider makes a provider, or writes one over the version that was read, and gives its id.
	SaveProvider(ctx context.Context, who Viewer, id string, n identity.NewProvider, version int) (string, error)
}

// providerRoutes are the addresses at which staff look after providers.
func (w *Web) providerRoutes() []route {
	return []route{
		{method: "GET", path: "/console/providers", who: staff, handle: w.providerList},
		{method: "POST", path: "/console/providers", who: staff, handle: w.saveProvider, fresh: always},
		{method: "GET", path: "/console/providers/:id", who: staff, handle: w.provider},
		{method: "POST", path: "/console/providers/:id", who: staff, handle: w.saveProvider, fresh: always},
	}
}

// signInWith leads the browser to a provider. It writes nothing down, so it may be a link.
func (w *Web) signInWith(r *request) (reply, error) {
	address, flow, err := w.house.StartSignIn(r.ctx, r.param("id"), local(r.query("next")), r.lang, r.query("afresh") == "1")
	if err != nil {
		return reply{}, err
	}
	return reply{redirect: address, flow: &flow}, nil
}

// signedInWith is where a provider sends the browser back.
func (w *Web) signedInWith(r *request) (reply, error) {
	none := ""
	if r.query("error") != "" || r.flow == "" { // she thought better of it, or took too long
		return reply{redirect: "/sign-in", flow: &none}, nil
	}
	opened, err := w.house.FinishSignIn(r.ctx, r.param("id"), r.flow, r.query("state"), r.query("code"), r.query("iss"), r.secret)
	if err != nil {
		out := w.fault(r, err)
		out.flow = &none
		return out, nil
	}
	next := "/learning"
	if opened.Next != "" && opened.Next != "/" {
		next = local(opened.Next)
	}
	return reply{redirect: next, session: opened.begun(), flow: &none}, nil
}

// providerPage is what staff see of the providers: all of them, or One.
type providerPage struct {
	All           []identity.Provider
	One           *identity.Provider
	Organisations []identity.Organisation
	Written       map[string]string
	Wrong         *fault.Fault
	Back          string // the address that the provider has to know
}

var providerFields = []string{"name", "issuer", "client_id", "people", "domains", "organisation", "key_claim", "enabled", "version"}

func (w *Web) providerList(r *request) (reply, error) {
	return w.providersWith(r, "", map[string]string{"people": identity.LearnersOnly, "enabled": "1"}, nil)
}

func (w *Web) provider(r *request) (reply, error) { return w.providersWith(r, r.param("id"), nil, nil) }

func (w *Web) providersWith(r *request, id string, written map[string]string, wrong *fault.Fault) (out reply, err error) {
	d := providerPage{Written: written, Wrong: wrong}
	if d.All, err = w.house.Providers(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	if d.Organisations, err = w.house.Organisations(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	out = reply{page: "providers", title: "providers.title", status: refusedAs(wrong)}
	for i, p := range d.All {
		if p.ID == id {
			d.One, out.title = &d.All[i], p.Name
		}
	}
	if id != "" && d.One == nil {
		return reply{}, identity.ErrNoProvider
	}
	if d.One != nil {
		d.Back = w.base + "/sign-in/with/" + url.PathEscape(id) + "/back"
		if written == nil {
			d.Written = map[string]string{
				"name": d.One.Name, "issuer": d.One.Issuer, "client_id": d.One.ClientID, "people": d.One.People, "domains": strings.Join(d.One.Domains, "\n"),
				"organisation": d.One.Organisation, "key_claim": d.One.KeyClaim,
			}
			if d.One.Enabled {
				d.Written["enabled"] = "1"
			}
		}
		d.Written["version"] = strconv.Itoa(d.One.Version) // after a change by somebody else, to save again is to decide
	}
	out.data = d
	return out, nil
}

func (w *Web) saveProvider(r *request) (reply, error) {
	id, in := r.param("id"), map[string]string{}
	for _, name := range providerFields {
		in[name] = strings.TrimSpace(r.form(name))
	}
	version, _ := strconv.Atoi(in["version"]) // what is no number is no version
	made, err := w.house.SaveProvider(r.ctx, r.viewer, id, identity.NewProvider{
		Name: in["name"], Issuer: in["issuer"], ClientID: in["client_id"], Secret: strings.TrimSpace(r.form("secret")), People: in["people"],
		Domains:      strings.FieldsFunc(in["domains"], func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\r' }),
		Organisation: in["organisation"], KeyClaim: in["key_claim"], Enabled: in["enabled"] == "1",
	}, version)
	if f := refusedOrChanged(err, identity.ErrProviderChanged); f != nil && f.Code != identity.ErrNoProvider.Code {
		return w.providersWith(r, id, in, f)
	}
	return reply{redirect: "/console/providers/" + made}, err
}

// ProviderPeople are those whom a provider can be for, the safest first.
func (View) ProviderPeople() []string {
	return []string{identity.LearnersOnly, identity.StaffOnly, identity.Everybody}
}
