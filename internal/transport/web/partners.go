package web

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
)

// PartnerHouse is what the pages ask of the rooms about who is what for an organisation. What the viewer has nothing to do with is NotFound.
type PartnerHouse interface {
	// Partners are the organisations whose people the viewer looks after: for staff who may, all.
	Partners(ctx context.Context, who Viewer) ([]identity.Managed, error)
	// PartnerHomes are the organisations for which the viewer is something.
	PartnerHomes(ctx context.Context, who Viewer) ([]PartnerHome, error)
	PartnerRoles(ctx context.Context, who Viewer, organisation string) ([]identity.PartnerRole, error)
	// GivePartnerRole gives a role to who has an address, once per key; she is made where it is new.
	GivePartnerRole(ctx context.Context, who Viewer, key, organisation, email, name, role string) error
	TakePartnerRole(ctx context.Context, who Viewer, organisation, role, person string) error
}

// PartnerHome is an organisation with what the viewer is for it.
type PartnerHome struct {
	identity.Managed
	Roles []string
}

// Is says whether she is one of these.
func (h PartnerHome) Is(roles ...string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(h.Roles, role) })
}

// partnerRoutes are the addresses of who looks after an organisation.
func (w *Web) partnerRoutes() []route {
	return []route{
		{method: "GET", path: "/partners", who: signedIn, handle: w.partnerList},
		{method: "GET", path: "/partners/:key", who: signedIn, handle: w.partnerPeople},
		{method: "POST", path: "/partners/:key", who: signedIn, handle: w.changePartnerPeople, fresh: always},
	}
}

// partnerPeoplePage is what an owner sees of the people of an organisation.
type partnerPeoplePage struct {
	Of      identity.Managed
	People  []identity.PartnerRole
	Roles   []string
	Written map[string]string
	Wrong   *fault.Fault
}

func (w *Web) partnerList(r *request) (reply, error) {
	all, err := w.house.Partners(r.ctx, r.viewer)
	if err == nil && len(all) == 1 {
		return reply{redirect: "/partners/" + url.PathEscape(all[0].Key)}, nil
	}
	return reply{page: "partners", title: "partner.title", data: all}, err
}

func (w *Web) partnerPeople(r *request) (reply, error) { return w.partnerPeopleWith(r, nil, nil) }

func (w *Web) partnerPeopleWith(r *request, written map[string]string, wrong *fault.Fault) (reply, error) {
	of, err := w.partnerOf(r)
	if err != nil {
		return reply{}, err
	}
	d := partnerPeoplePage{Of: of, Roles: identity.PartnerRoles(), Written: written, Wrong: wrong}
	d.People, err = w.house.PartnerRoles(r.ctx, r.viewer, of.Key)
	return reply{page: "partner_people", title: of.Name, data: d, status: refusedAs(wrong)}, err
}

// partnerOf finds the organisation of the address among those that the viewer looks after.
func (w *Web) partnerOf(r *request) (identity.Managed, error) {
	all, err := w.house.Partners(r.ctx, r.viewer)
	if err != nil {
		return identity.Managed{}, err
	}
	for _, m := range all {
		if m.Key == r.param("key") {
			return m, nil
		}
	}
	return identity.Managed{}, identity.ErrNoOrganisation
}

func (w *Web) changePartnerPeople(r *request) (reply, error) {
	at, in := r.param("key"), map[string]string{}
	for _, name := range []string{"email", "name", "role"} {
		in[name] = strings.TrimSpace(r.form(name))
	}
	var err error
	if r.form("do") == "take" {
		err = w.house.TakePartnerRole(r.ctx, r.viewer, at, in["role"], r.form("person"))
	} else {
		err = w.house.GivePartnerRole(r.ctx, r.viewer, r.form("key"), at, in["email"], in["name"], in["role"])
	}
	if f := refusal(err); f != nil && f.Code != identity.ErrNoOrganisation.Code {
		return w.partnerPeopleWith(r, in, f)
	}
	return reply{redirect: "/partners/" + url.PathEscape(at)}, err
}
