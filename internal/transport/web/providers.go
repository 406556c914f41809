package web

import (
	"context"
	"maps"
	"net/url"
	"slices"
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

	// SignOutByProvider ends the sessions that a provider's logout token names.
	SignOutByProvider(ctx context.Context, provider, token string) error

	Providers(ctx context.Context, who Viewer) ([]identity.Provider, error)
	// ProviderHints lists what the groups of people at a provider hint at.
	ProviderHints(ctx context.Context, who Viewer, id string) ([]identity.Hint, error)
	// TestProvider reads what a provider publishes of itself now.
	TestProvider(ctx context.Context, who Viewer, id string) (identity.ProviderReport, error)
	// SaveProvider makes a provider, or writes one over the version that was read, and gives its id.
	SaveProvider(ctx context.Context, who Viewer, id string, n identity.NewProvider, version int) (string, error)
}

// providerRoutes are the addresses at which staff look after providers.
func (w *Web) providerRoutes() []route {
	return []route{
		{method: "GET", path: "/console/providers", who: staff, handle: w.providerList},
		{method: "POST", path: "/console/providers", who: staff, handle: w.saveProvider, fresh: always},
		{method: "GET", path: "/console/providers/:id", who: staff, handle: w.provider},
		{method: "POST", path: "/console/providers/:id", who: staff, handle: w.changeProvider, fresh: func(r *request) bool { return r.form("do") != "test" }},
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

// signedOutThere is where a provider posts that somebody signed out there (OpenID Connect Back-Channel Logout 1.0): its token proves that it is it.
func (w *Web) signedOutThere(r *request) (reply, error) {
	if err := w.house.SignOutByProvider(r.ctx, r.param("id"), r.form("logout_token")); err != nil {
		out := w.fault(r, err)
		if out.status == kinds[fault.Unauthenticated].status {
			out.status = kinds[fault.Invalid].status // what the specification says, section 2.8
		}
		return out, nil
	}
	return reply{page: "signedout", title: "signedout.title", data: identity.Leaving{}}, nil
}

// providerPage is what staff see of the providers: all of them, or One.
type providerPage struct {
	All           []identity.Provider
	One           *identity.Provider
	Organisations []identity.Organisation
	Written       map[string]string
	Wrong         *fault.Fault
	Addresses     []identity.Endpoint // of ours, which the provider has to know
	Names         []claimField        // by which it tells what it says of people
	Hints         []identity.Hint
	Report        *identity.ProviderReport // what it publishes of itself, where that was asked for
}

// claimField is a name of a claim in the form: the name of its field, and what stands there where nothing is said.
type claimField struct{ Field, Usual string }

var claimFields = []claimField{{"email", "email"}, {"verified", "email_verified"}, {"name", "name"}, {"given", "given_name"}, {"family", "family_name"}, {"groups", ""}}

var providerFields = []string{
	"name", "issuer", "client_id", "people", "domains", "organisation", "key_claim", "enabled", "version",
	"claim_email", "claim_verified", "claim_name", "claim_given", "claim_family", "claim_groups", "hints",
}

// claimsOf reads the names of claims, and the hints: each in its line, the group before the last =.
func claimsOf(in map[string]string) (c identity.ClaimNames, err error) {
	c = identity.ClaimNames{Email: in["claim_email"], Verified: in["claim_verified"], Name: in["claim_name"], Given: in["claim_given"], Family: in["claim_family"], Groups: in["claim_groups"], Hints: map[string]string{}}
	for line := range strings.Lines(in["hints"]) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		at := strings.LastIndex(line, "=")
		if at < 0 {
			return c, fault.InvalidInput(fault.Field{Pointer: "/claims/hints", Code: "bad-hint", Detail: "Each line is a group, = and a role."})
		}
		group := strings.TrimSpace(line[:at])
		if c.Hints[group] != "" {
			return c, fault.InvalidInput(fault.Field{Pointer: "/claims/hints", Code: "twice", Detail: "A group stands in two lines."})
		}
		c.Hints[group] = strings.TrimSpace(line[at+1:])
	}
	return c, nil
}

// writtenClaims are the fields of the form for names of claims.
func writtenClaims(c identity.ClaimNames, into map[string]string) {
	into["claim_email"], into["claim_verified"], into["claim_name"], into["claim_given"], into["claim_family"], into["claim_groups"] = c.Email, c.Verified, c.Name, c.Given, c.Family, c.Groups
	var lines []string
	for _, group := range slices.Sorted(maps.Keys(c.Hints)) {
		lines = append(lines, group+" = "+c.Hints[group])
	}
	into["hints"] = strings.Join(lines, "\n")
}

func (w *Web) providerList(r *request) (reply, error) {
	return w.providersWith(r, "", map[string]string{"people": identity.LearnersOnly, "enabled": "1"}, nil)
}

func (w *Web) provider(r *request) (reply, error) { return w.providersWith(r, r.param("id"), nil, nil) }

// changeProvider writes a provider, or looks at it without changing anything.
func (w *Web) changeProvider(r *request) (reply, error) {
	if r.form("do") != "test" {
		return w.saveProvider(r)
	}
	report, err := w.house.TestProvider(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	out, err := w.provider(r)
	if d, is := out.data.(providerPage); is {
		d.Report = &report
		out.data = d
	}
	return out, err
}

func (w *Web) providersWith(r *request, id string, written map[string]string, wrong *fault.Fault) (out reply, err error) {
	d := providerPage{Written: written, Wrong: wrong, Names: claimFields}
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
		at := w.base + "/sign-in/with/" + url.PathEscape(id)
		d.Addresses = []identity.Endpoint{{Name: "back", Address: at + "/back"}, {Name: "left", Address: w.base + "/signed-out"}, {Name: "logout", Address: at + "/logout"}}
		if d.Hints, err = w.house.ProviderHints(r.ctx, r.viewer, id); err != nil {
			return reply{}, err
		}
		if written == nil {
			d.Written = map[string]string{
				"name": d.One.Name, "issuer": d.One.Issuer, "client_id": d.One.ClientID, "people": d.One.People, "domains": strings.Join(d.One.Domains, "\n"),
				"organisation": d.One.Organisation, "key_claim": d.One.KeyClaim,
			}
			writtenClaims(d.One.Claims.Usual(), d.Written)
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
	claims, err := claimsOf(in)
	made := ""
	if err == nil {
		made, err = w.house.SaveProvider(r.ctx, r.viewer, id, identity.NewProvider{
			Name: in["name"], Issuer: in["issuer"], ClientID: in["client_id"], Secret: strings.TrimSpace(r.form("secret")), People: in["people"],
			Domains:      strings.FieldsFunc(in["domains"], func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\r' }),
			Organisation: in["organisation"], KeyClaim: in["key_claim"], Claims: claims, Enabled: in["enabled"] == "1",
		}, version)
	}
	if f := refusedOrChanged(err, identity.ErrProviderChanged); f != nil && f.Code != identity.ErrNoProvider.Code {
		return w.providersWith(r, id, in, f)
	}
	return reply{redirect: "/console/providers/" + made}, err
}

// ProviderPeople are those whom a provider can be for, the safest first.
func (View) ProviderPeople() []string {
	return []string{identity.LearnersOnly, identity.StaffOnly, identity.Everybody}
}
