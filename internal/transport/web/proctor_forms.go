package web

import (
	"net/url"
	"strconv"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
)

// proctorForm is what was written of a provider, and what was wrong with it.
type proctorForm struct {
	Written map[string]string
	New     bool // it has no key yet
	Wrong   *fault.Fault
}

// Kinds are the languages of providers.
func (proctorForm) Kinds() []exams.ProctorKind {
	return []exams.ProctorKind{exams.ProctorREST, exams.ProctorLTI}
}

// OnViolation lists what a violation can make of an attempt.
func (proctorForm) OnViolation() []string {
	return []string{exams.ViolationRejects, exams.ViolationIsLooked, exams.ViolationIsIgnored}
}

// proctorFields are those of the form that are shown again; the secret is not.
var proctorFields = []string{"key", "version", "name", "kind", "base_url", "target_url", "deployment", "client_id", "issuer", "keys_url", "on_violation", "setup_url", "guide_en", "guide_fr", "enabled"}

func proctorValues(p exams.Provider) map[string]string {
	v := map[string]string{
		"version": strconv.Itoa(p.Version), "name": p.Name, "kind": string(p.Kind), "base_url": p.BaseURL, "target_url": p.TargetURL, "deployment": p.Deployment, "client_id": p.ClientID,
		"issuer": p.Issuer, "keys_url": p.KeysURL, "on_violation": p.OnViolation, "setup_url": p.SetupURL, "guide_en": p.GuideEN, "guide_fr": p.GuideFR,
	}
	if p.Enabled {
		v["enabled"] = "1"
	}
	return v
}

func (f proctorForm) says(secret string) exams.NewProvider {
	v, on := f.Written, f.Written["enabled"] == "1"
	return exams.NewProvider{
		Name: v["name"], Kind: exams.ProctorKind(v["kind"]), BaseURL: v["base_url"], TargetURL: v["target_url"], Deployment: v["deployment"], ClientID: v["client_id"], Secret: secret,
		Issuer: v["issuer"], KeysURL: v["keys_url"], OnViolation: v["on_violation"], SetupURL: v["setup_url"], GuideEN: v["guide_en"], GuideFR: v["guide_fr"], Enabled: &on,
	}
}

func proctorFormOf(r *request) proctorForm {
	return proctorForm{Written: trimmed(r, proctorFields)}
}

// proctorsPage is every provider, and the form of another one for who may make it.
type proctorsPage struct {
	ProctorDesk
	Form proctorForm
}

func (w *Web) proctors(r *request) (reply, error) {
	return w.proctorsWith(r, proctorForm{Written: map[string]string{"kind": string(exams.ProctorREST), "on_violation": exams.ViolationRejects, "enabled": "1"}})
}

func (w *Web) proctorsWith(r *request, f proctorForm) (reply, error) {
	d, err := w.house.Proctors(r.ctx, r.viewer)
	f.New = true
	return reply{page: "proctors", title: "proctors.title", data: proctorsPage{d, f}, status: refusedAs(f.Wrong)}, err
}

func (w *Web) makeProctor(r *request) (reply, error) {
	f := proctorFormOf(r)
	err := w.house.SaveProctor(r.ctx, r.viewer, f.Written["key"], -1, f.says(r.form("secret")))
	if f.Wrong = refusedOrChanged(err, exams.ErrChanged); f.Wrong != nil {
		return w.proctorsWith(r, f)
	}
	return reply{redirect: "/console/proctors/" + url.PathEscape(f.Written["key"])}, err
}

// proctorPage is one provider.
type proctorPage struct {
	ProctorFile
	Addresses []identity.Endpoint // of ours, which the provider has to know
	Form      proctorForm
	Secret    string // that was just made, and is shown once
	Turned    bool   // another secret, or key, was just made
	Tested    *ProctorTested
}

// ExamKinds are the kinds of exams over which somebody can watch.
func (proctorPage) ExamKinds() []exams.Kind { return []exams.Kind{exams.Proctored, exams.Practice} }

func (w *Web) proctorOne(r *request) (reply, error) { return w.proctorWith(r, proctorPage{}) }

// proctorWith shows a provider: as it is, or with what was written of it and refused.
func (w *Web) proctorWith(r *request, d proctorPage) (_ reply, err error) {
	key := r.param("key")
	if d.ProctorFile, err = w.house.ProctorFile(r.ctx, r.viewer, key); err != nil {
		return reply{}, err
	}
	if d.Form.Written == nil {
		d.Form.Written = proctorValues(d.One)
	}
	d.Form.Written["version"] = strconv.Itoa(d.One.Version) // after a change by somebody else, to save again is to decide
	at := w.base + "/v1/proctoring-providers/" + url.PathEscape(key)
	if d.Addresses = []identity.Endpoint{{Name: "callback", Address: at}}; d.One.Kind == exams.ProctorLTI {
		d.Addresses = []identity.Endpoint{{Name: "issuer", Address: at}, {Name: "login", Address: w.base + "/exams/lti"}, {Name: "keys", Address: at + "/keys"}, {Name: "token", Address: at + "/token"}}
	}
	return reply{page: "proctor", title: "proctors.one", data: d, status: refusedAs(d.Form.Wrong)}, nil
}

// changeProctor does what a button says with a provider.
func (w *Web) changeProctor(r *request) (reply, error) {
	key, back := r.param("key"), "/console/proctors/"+url.PathEscape(r.param("key"))
	switch r.form("do") {
	case "test":
		tested, err := w.house.TestProctor(r.ctx, r.viewer, key)
		if err != nil {
			return reply{}, err
		}
		return w.proctorWith(r, proctorPage{Tested: &tested})
	case "rotate":
		secret, err := w.house.RotateProctor(r.ctx, r.viewer, r.form("key"), key)
		if err != nil {
			return reply{}, err
		}
		return w.proctorWith(r, proctorPage{Secret: secret, Turned: true})
	case "watch", "leave":
		watches := key
		if r.form("do") == "leave" {
			watches = ""
		}
		return reply{redirect: back}, w.house.WatchExam(r.ctx, r.viewer, r.form("session"), exams.Kind(r.form("kind")), watches)
	case "save":
		f := proctorFormOf(r)
		version, err := strconv.Atoi(f.Written["version"])
		if err != nil || version < 1 {
			return reply{}, errStaleForm
		}
		err = w.house.SaveProctor(r.ctx, r.viewer, key, version, f.says(r.form("secret")))
		if f.Wrong = refusedOrChanged(err, exams.ErrChanged); f.Wrong != nil && f.Wrong.Kind != fault.NotFound {
			return w.proctorWith(r, proctorPage{Form: f})
		}
		return reply{redirect: back}, err
	}
	return reply{}, fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown-act", Detail: "Not something that can be done with a provider."})
}
