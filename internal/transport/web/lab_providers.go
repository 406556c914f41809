package web

import (
	"net/url"
	"strconv"

	"cursus/internal/domain/labs"
	"cursus/internal/kernel/fault"
)

// labProviderRoutes are the addresses of who hosts the machines of labs.
func (w *Web) labProviderRoutes() []route {
	return []route{
		{method: "GET", path: "/console/lab-providers", who: staff, handle: w.labProviders},
		{method: "POST", path: "/console/lab-providers", who: staff, handle: w.makeLabProvider, fresh: always},
		{method: "GET", path: "/console/lab-providers/:key", who: staff, handle: w.labProvider},
		{method: "POST", path: "/console/lab-providers/:key", who: staff, handle: w.changeLabProvider, fresh: always},
	}
}

// labProviderForm is what was written of a provider, and what was wrong with it.
type labProviderForm struct {
	Written map[string]string
	New     bool // it has no key yet
	Wrong   *fault.Fault
}

// Shapes are how a launch can reach a provider.
func (labProviderForm) Shapes() []labs.Shape { return []labs.Shape{labs.JWT, labs.LTI} }

var labProviderFields = []string{"key", "version", "title", "shape", "launch_url", "login_url", "client_id", "deployment_id", "stop_url", "secret", "enabled"}

func labProviderValues(p labs.Provider) map[string]string {
	v := map[string]string{
		"version": strconv.Itoa(p.Version), "title": p.Title, "shape": string(p.Shape), "launch_url": p.LaunchURL, "login_url": p.LoginURL, "client_id": p.ClientID, "deployment_id": p.DeploymentID,
		"stop_url": p.StopURL,
	}
	if p.Enabled {
		v["enabled"] = "1"
	}
	return v
}

func (f labProviderForm) says() labs.NewProvider {
	on := f.Written["enabled"] == "1"
	return labs.NewProvider{
		Title: f.Written["title"], Shape: labs.Shape(f.Written["shape"]), LaunchURL: f.Written["launch_url"], LoginURL: f.Written["login_url"], ClientID: f.Written["client_id"],
		DeploymentID: f.Written["deployment_id"], StopURL: f.Written["stop_url"], Secret: f.Written["secret"], Enabled: &on,
	}
}

func labProviderFormOf(r *request) labProviderForm {
	return labProviderForm{Written: trimmed(r, labProviderFields)}
}

// labProvidersPage is every provider, and the form of another one for who may make it.
type labProvidersPage struct {
	All    []labs.Provider
	MaySet bool
	Form   labProviderForm
}

func (w *Web) labProviders(r *request) (reply, error) {
	return w.labProvidersWith(r, labProviderForm{Written: map[string]string{"shape": string(labs.JWT), "client_id": "cursus", "enabled": "1", "secret": labs.NewSecret()}})
}

func (w *Web) labProvidersWith(r *request, f labProviderForm) (reply, error) {
	all, may, err := w.house.LabProviders(r.ctx, r.viewer)
	f.New = true
	return reply{page: "lab_providers", title: "labproviders.title", data: labProvidersPage{all, may, f}, status: refusedAs(f.Wrong)}, err
}

func (w *Web) makeLabProvider(r *request) (reply, error) {
	f := labProviderFormOf(r)
	err := w.house.SaveLabProvider(r.ctx, r.viewer, f.Written["key"], -1, f.says())
	if f.Wrong = refusedOrChanged(err, labs.ErrChanged); f.Wrong != nil {
		return w.labProvidersWith(r, f)
	}
	return reply{redirect: "/console/lab-providers/" + url.PathEscape(f.Written["key"])}, err
}

// labProviderPage is one provider with the labs that it hosts. Fresh is a secret that it could be given.
type labProviderPage struct {
	One    labs.Provider
	Labs   []labs.Lab
	MaySet bool
	Form   labProviderForm
	Fresh  string
}

func (w *Web) labProvider(r *request) (reply, error) { return w.labProviderWith(r, nil) }

// labProviderWith shows a provider: as it is, or with what was written of it and refused.
func (w *Web) labProviderWith(r *request, refused *labProviderForm) (reply, error) {
	one, hosts, may, err := w.house.LabProvider(r.ctx, r.viewer, r.param("key"))
	if err != nil {
		return reply{}, err
	}
	d := labProviderPage{One: one, Labs: hosts, MaySet: may, Form: labProviderForm{Written: labProviderValues(one)}, Fresh: labs.NewSecret()}
	if refused != nil {
		d.Form = *refused
		d.Form.Written["version"] = strconv.Itoa(one.Version) // after a change by somebody else, to save again is to decide
	}
	return reply{page: "lab_provider", title: "labproviders.one", data: d, status: refusedAs(d.Form.Wrong)}, nil
}

func (w *Web) changeLabProvider(r *request) (reply, error) {
	key, f := r.param("key"), labProviderFormOf(r)
	version, err := strconv.Atoi(f.Written["version"])
	if err != nil || version < 1 {
		return reply{}, errStaleForm
	}
	switch r.form("do") {
	case "save":
		f.Written["secret"] = "" // that has a form of its own
		err = w.house.SaveLabProvider(r.ctx, r.viewer, key, version, f.says())
	case "rotate":
		err = w.house.RotateLabProvider(r.ctx, r.viewer, key, version, f.Written["secret"])
	default:
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown-act", Detail: "Not something that can be done with a provider."})
	}
	wrong := refusedOrChanged(err, labs.ErrChanged)
	if wrong == nil || wrong.Kind == fault.NotFound {
		return reply{redirect: "/console/lab-providers/" + url.PathEscape(key)}, err
	}
	if r.form("do") == "rotate" { // the other form was not written
		one, _, _, err := w.house.LabProvider(r.ctx, r.viewer, key)
		if err != nil {
			return reply{}, err
		}
		f.Written = labProviderValues(one)
	}
	f.Wrong = wrong
	return w.labProviderWith(r, &f)
}
