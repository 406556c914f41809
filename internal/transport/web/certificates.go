package web

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// certificateRoutes are the addresses at which staff issue certificates.
func (w *Web) certificateRoutes() []route {
	return []route{
		{method: "GET", path: "/console/certificates", who: staff, handle: w.certificateDesk},
		{method: "POST", path: "/console/certificates", who: staff, handle: w.issueCertificates},
		{method: "GET", path: "/console/certificates/:id", who: staff, handle: w.certificateOf},
		{method: "POST", path: "/console/certificates/:id", who: staff, handle: w.changeCertificate},
		{method: "GET", path: "/console/certificate-batches/:id", who: staff, handle: w.certificateBatch},
		{method: "GET", path: "/console/certificate-batches/:id/state", who: staff, handle: w.certificateBatchState},
		{method: "GET", path: "/console/certificate-layouts", who: staff, handle: w.certificateLayouts},
		{method: "POST", path: "/console/certificate-layouts", who: staff, handle: w.changeCertificateKind},
		{method: "GET", path: "/console/certificate-layouts/preview.:format", who: staff, handle: w.certificatePreview},
		{method: "GET", path: "/console/certificate-layouts/:id", who: staff, handle: w.certificateLayout},
		{method: "POST", path: "/console/certificate-layouts/:id", who: staff, handle: w.writeCertificateLayout, large: true},
		{method: "POST", path: "/console/certificate-layouts/:id/images", who: staff, handle: w.addCertificateImage, upload: true},
	}
}

// certificatesPage is the desk: a list, what is issued in bulk, and the form to begin that.
type certificatesPage struct {
	Filter  certificates.Filter
	Some    []certificates.Certificate
	Next    string // cursor
	Kinds   []certificates.Kind
	Batches []certificates.Batch
	Written certificates.NewBatch
	Wrong   *fault.Fault
}

// States are those that certificates can be shown by.
func (certificatesPage) States() []string {
	return []string{certificates.StateValid, certificates.StateReplaced, certificates.StateRevoked}
}

// More is the address of the next page of the list.
func (p certificatesPage) More() string {
	return "/console/certificates?" + url.Values{"kind": {p.Filter.Kind}, "session": {p.Filter.Session}, "edition": {p.Filter.Edition}, "state": {p.Filter.State}, "text": {p.Filter.Text}, "after": {p.Next}}.Encode()
}

func (w *Web) certificateDesk(r *request) (reply, error) {
	return w.certificateDeskWith(r, certificates.NewBatch{}, nil)
}

func (w *Web) certificateDeskWith(r *request, written certificates.NewBatch, wrong *fault.Fault) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := certificatesPage{Written: written, Wrong: wrong, Filter: certificates.Filter{
		Kind: r.query("kind"), Session: strings.TrimSpace(r.query("session")), Edition: strings.TrimSpace(r.query("edition")), State: r.query("state"), Text: strings.TrimSpace(r.query("text")),
	}}
	var next string
	if d.Some, next, err = w.house.CertificateDesk(r.ctx, r.viewer, d.Filter, p); err != nil {
		return reply{}, err
	}
	d.Next = paging.Cursor(next)
	if d.Kinds, err = w.house.CertificateKinds(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	d.Batches, _, err = w.house.CertificateBatches(r.ctx, r.viewer, paging.Request{Limit: 10})
	return reply{page: "certificates", title: "console.certificates", data: d, status: refusedAs(wrong)}, err
}

func (w *Web) issueCertificates(r *request) (reply, error) {
	n, on := certificates.NewBatch{Kind: r.form("kind")}, strings.TrimSpace(r.form("on"))
	kinds, err := w.house.CertificateKinds(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	if n.Session = on; slices.ContainsFunc(kinds, func(k certificates.Kind) bool { return k.Key == n.Kind && k.Subject == certificates.OfEdition }) {
		n.Session, n.Edition = "", on
	}
	b, err := w.house.IssueCertificates(r.ctx, r.viewer, r.form("key"), n)
	if f := refusal(err); f != nil {
		return w.certificateDeskWith(r, n, f)
	}
	return reply{redirect: "/console/certificate-batches/" + url.PathEscape(b.ID)}, err
}

// certificatePage is one certificate with what happened to it.
type certificatePage struct {
	One     certificates.Certificate
	History []certificates.Change
	Reason  string
	Wrong   *fault.Fault
}

func (w *Web) certificateOf(r *request) (reply, error) { return w.certificateWith(r, "", nil) }

func (w *Web) certificateWith(r *request, reason string, wrong *fault.Fault) (reply, error) {
	c, history, err := w.house.CertificateOf(r.ctx, r.viewer, r.param("id"))
	return reply{page: "certificate", title: "certs.one", data: certificatePage{c, history, reason, wrong}, status: refusedAs(wrong)}, err
}

func (w *Web) changeCertificate(r *request) (reply, error) {
	reason := strings.TrimSpace(r.form("reason"))
	id, err := w.house.ChangeCertificate(r.ctx, r.viewer, r.form("do"), r.param("id"), r.form("key"), reason)
	if f := refusal(err); f != nil && f.Kind != fault.NotFound {
		return w.certificateWith(r, reason, f)
	}
	return reply{redirect: "/console/certificates/" + url.PathEscape(id)}, err
}

func (w *Web) certificateBatch(r *request) (reply, error) {
	b, err := w.house.CertificateBatch(r.ctx, r.viewer, r.param("id"))
	return reply{page: "certificate_batch", title: "certs.batch", data: &b}, err
}

// certificateBatchState is what the script of the page of a batch asks every second.
func (w *Web) certificateBatchState(r *request) (reply, error) {
	b, err := w.house.CertificateBatch(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	out, err := json.Marshal(map[string]any{"state": b.State, "percent": b.Percent(), "total": b.Total, "issued": b.Issued, "refused": b.Refused, "printed": b.Printed, "waiting": b.Waiting})
	return reply{file: &File{"state.json", "application/json", out}, inline: true}, err
}

// layoutsPage is every layout and every kind.
type layoutsPage struct {
	Layouts []certificates.Layout
	Kinds   []certificates.Kind
	Wrong   *fault.Fault
}

func (w *Web) certificateLayouts(r *request) (reply, error) { return w.certificateLayoutsWith(r, nil) }

func (w *Web) certificateLayoutsWith(r *request, wrong *fault.Fault) (reply, error) {
	d := layoutsPage{Wrong: wrong}
	var err error
	if d.Layouts, err = w.house.CertificateLayouts(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	d.Kinds, err = w.house.CertificateKinds(r.ctx, r.viewer)
	return reply{page: "certificate_layouts", title: "console.layouts", data: d, status: refusedAs(wrong)}, err
}

func (w *Web) changeCertificateKind(r *request) (reply, error) {
	version, err := strconv.Atoi(r.form("version"))
	if err != nil {
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "/version", Code: "bad-number", Detail: "It is no version."})
	}
	text := func(name string) catalog.Text {
		return catalog.Text{EN: strings.TrimSpace(r.form(name + "_en")), FR: strings.TrimSpace(r.form(name + "_fr"))}
	}
	err = w.house.PutCertificateKind(r.ctx, r.viewer, r.form("kind"), version, certificates.KindPlan{
		Heading: text("heading"), Reason: text("reason"), Workshops: r.form("workshops") == "1", Cosigned: r.form("cosigned") == "1", LayoutID: r.form("layout"),
	})
	if f := refusedOrChanged(err, certificates.ErrChanged); f != nil {
		return w.certificateLayoutsWith(r, f)
	}
	return reply{redirect: "/console/certificate-layouts"}, err
}

// signatures is how many signatures a form of a layout offers.
const signatures = 4

// layoutForm is a layout as it is written.
type layoutForm struct {
	ID      string // new: none yet
	Written map[string]string
	Kinds   []certificates.Kind
	Wrong   *fault.Fault
}

// Signatures numbers the signatures of the form, and Logos its logos.
func (layoutForm) Signatures() []string { return []string{"1", "2", "3", "4"} }

// Logos numbers the places of logos.
func (layoutForm) Logos() []string { return []string{"1", "2", "3", "4"} }

// Query is the address of the preview without its format.
func (f layoutForm) Query() string {
	q := url.Values{}
	for name, v := range f.Written {
		if v != "" && name != "version" {
			q.Set(name, v)
		}
	}
	return q.Encode()
}

// layoutFields are the fields of a layout.
func layoutFields() []string {
	all := []string{"name", "organisation", "issuer", "accent", "line", "kind", "language", "version"}
	for i := range signatures {
		n := strconv.Itoa(i + 1)
		all = append(all, "logo"+n, "name"+n, "role_en"+n, "role_fr"+n, "organisation"+n, "image"+n)
	}
	return all
}

func layoutWritten(of func(string) string) map[string]string {
	in := map[string]string{}
	for _, name := range layoutFields() {
		in[name] = strings.TrimSpace(of(name))
	}
	return in
}

func layoutPlan(in map[string]string) certificates.LayoutPlan {
	p := certificates.LayoutPlan{Name: in["name"], Organisation: in["organisation"], Design: certificates.Design{Issuer: in["issuer"], Accent: in["accent"], Line: in["line"], Logos: []string{}, Signatures: []certificates.Signatory{}}}
	for i := range signatures {
		n := strconv.Itoa(i + 1)
		if h := in["logo"+n]; h != "" {
			p.Design.Logos = append(p.Design.Logos, h)
		}
		if in["name"+n]+in["role_en"+n]+in["role_fr"+n]+in["organisation"+n]+in["image"+n] != "" {
			p.Design.Signatures = append(p.Design.Signatures, certificates.Signatory{Name: in["name"+n], Role: catalog.Text{EN: in["role_en"+n], FR: in["role_fr"+n]}, Organisation: in["organisation"+n], Image: in["image"+n]})
		}
	}
	return p
}

func layoutAsWritten(l certificates.Layout) map[string]string {
	in := map[string]string{"name": l.Name, "organisation": l.Organisation, "issuer": l.Design.Issuer, "accent": l.Design.Accent, "line": l.Design.Line, "version": strconv.Itoa(l.Version)}
	for i, h := range l.Design.Logos {
		in["logo"+strconv.Itoa(i+1)] = h
	}
	for i, s := range l.Design.Signatures {
		n := strconv.Itoa(i + 1)
		in["name"+n], in["role_en"+n], in["role_fr"+n], in["organisation"+n], in["image"+n] = s.Name, s.Role.EN, s.Role.FR, s.Organisation, s.Image
	}
	return in
}

// certificatePreview is a layout as it would be printed, from the fields of its form.
func (w *Web) certificatePreview(r *request) (reply, error) {
	in, format := layoutWritten(r.query), r.param("format")
	if in["kind"] == "" {
		in["kind"] = certificates.Qualifying
	}
	if in["language"] == "" {
		in["language"] = r.lang
	}
	if format != "svg" && format != "pdf" {
		return reply{}, fault.New(fault.NotFound, "no-such-page", "There is no page at this address.")
	}
	out, err := w.house.PreviewCertificateLayout(r.ctx, r.viewer, layoutPlan(in), in["kind"], in["language"], format == "svg")
	if format == "svg" { // shown as an image it runs nothing; opened by itself it may not either
		return reply{file: &File{"preview.svg", "image/svg+xml", out}, inline: true, policy: "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"}, err
	}
	return reply{file: &File{"preview.pdf", "application/pdf", out}, inline: true}, err
}

func (w *Web) certificateLayout(r *request) (reply, error) {
	f := layoutForm{ID: r.param("id"), Written: map[string]string{"accent": "#14304f", "line": "#b08d3c"}}
	if f.ID != "new" {
		l, err := w.house.CertificateLayout(r.ctx, r.viewer, f.ID)
		if err != nil {
			return reply{}, err
		}
		f.Written = layoutAsWritten(l)
	}
	return w.certificateLayoutWith(r, f)
}

func (w *Web) certificateLayoutWith(r *request, f layoutForm) (reply, error) {
	var err error
	if f.Written["language"] == "" {
		f.Written["language"] = r.lang
	}
	if f.Written["kind"] == "" {
		f.Written["kind"] = certificates.Qualifying
	}
	f.Kinds, err = w.house.CertificateKinds(r.ctx, r.viewer)
	return reply{page: "certificate_layout", title: "certs.layout", data: f, status: refusedAs(f.Wrong)}, err
}

func (w *Web) writeCertificateLayout(r *request) (reply, error) {
	f := layoutForm{ID: r.param("id"), Written: layoutWritten(r.form)}
	if r.form("do") == "preview" {
		return w.certificateLayoutWith(r, f)
	}
	var err error
	if f.ID == "new" {
		var l certificates.Layout
		if l, err = w.house.CreateCertificateLayout(r.ctx, r.viewer, r.form("key"), layoutPlan(f.Written)); err == nil {
			f.ID = l.ID
		}
	} else {
		version, bad := strconv.Atoi(f.Written["version"])
		if bad != nil {
			return reply{}, fault.InvalidInput(fault.Field{Pointer: "/version", Code: "bad-number", Detail: "It is no version."})
		}
		err = w.house.PutCertificateLayout(r.ctx, r.viewer, f.ID, version, layoutPlan(f.Written))
	}
	if f.Wrong = refusedOrChanged(err, certificates.ErrChanged); f.Wrong != nil && f.Wrong.Kind != fault.NotFound {
		return w.certificateLayoutWith(r, f)
	}
	return reply{redirect: "/console/certificate-layouts/" + url.PathEscape(f.ID)}, err
}

// addCertificateImage puts an image into a place of a layout that is there.
func (w *Web) addCertificateImage(r *request) (reply, error) {
	l, err := w.house.CertificateLayout(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	f := layoutForm{ID: l.ID, Written: layoutAsWritten(l)}
	place := r.form("place")
	if !slices.Contains(layoutFields(), place) || !strings.HasPrefix(place, "logo") && !strings.HasPrefix(place, "image") {
		return reply{}, fault.InvalidInput(fault.Field{Pointer: "/place", Code: "unknown", Detail: "A logo or a signature."})
	}
	if file := r.upload(); len(file) > 0 || r.form("remove") == "" {
		f.Written[place], err = w.house.AddCertificateImage(r.ctx, r.viewer, file)
	} else {
		f.Written[place] = ""
	}
	if err == nil {
		err = w.house.PutCertificateLayout(r.ctx, r.viewer, l.ID, l.Version, layoutPlan(f.Written))
	}
	if f.Wrong = refusedOrChanged(err, certificates.ErrChanged); f.Wrong != nil {
		f.Written = layoutAsWritten(l)
		return w.certificateLayoutWith(r, f)
	}
	return reply{redirect: "/console/certificate-layouts/" + url.PathEscape(l.ID) + "#images"}, err
}
