package web

import (
	"context"
	"strconv"
	"strings"

	"cursus/internal/domain/dossier"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// PrivacyHouse is what the pages ask of the rooms about what is kept of people. Who may not look after that of others is Forbidden.
type PrivacyHouse interface {
	Consents(ctx context.Context, who Viewer) ([]privacy.Consent, error)
	// SayConsents notes what she agrees to; a purpose that is not named stays as it is.
	SayConsents(ctx context.Context, who Viewer, given map[string]bool) error
	// Exports lists those of a person; empty: of the viewer.
	Exports(ctx context.Context, who Viewer, person string) ([]dossier.Export, error)
	AskExport(ctx context.Context, who Viewer, person string) (string, error)
	ExportFile(ctx context.Context, who Viewer, id string) (File, error)
	// OpenErasure finds the open request of the viewer; nil: there is none.
	OpenErasure(ctx context.Context, who Viewer) (*dossier.Erasure, error)
	AskErasure(ctx context.Context, who Viewer) error
	WithdrawErasure(ctx context.Context, who Viewer, id string) error
	Erasures(ctx context.Context, who Viewer, p paging.Request) (all []dossier.Erasure, next string, err error)
	DecideErasure(ctx context.Context, who Viewer, id string, approve bool, note string) error
	Erase(ctx context.Context, who Viewer, id, person string) error
	Retention(ctx context.Context, who Viewer) ([]dossier.Rule, error)
	// SetRetention sets for how many days a kind of records is kept, over the version that was read.
	SetRetention(ctx context.Context, who Viewer, kind string, days, version int) error
}

// privacyRoutes are the addresses of these pages.
func (w *Web) privacyRoutes() []route {
	return []route{
		{method: "GET", path: "/privacy", who: signedIn, handle: w.myPrivacy},
		{method: "POST", path: "/privacy", who: signedIn, handle: w.changePrivacy, fresh: does("erase")},
		{method: "GET", path: "/privacy/exports/:id.zip", who: signedIn, slow: true, handle: w.exportFile},
		{method: "GET", path: "/console/privacy", who: staff, handle: w.privacyDesk},
		{method: "POST", path: "/console/privacy", who: staff, slow: true, handle: w.decidePrivacy, fresh: does("approve", "erase")},
	}
}

type myPrivacyPage struct {
	Consents []privacy.Consent
	Exports  []dossier.Export
	Erasure  *dossier.Erasure
}

func (w *Web) myPrivacy(r *request) (reply, error) {
	var data myPrivacyPage
	var err error
	if data.Consents, err = w.house.Consents(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	if data.Exports, err = w.house.Exports(r.ctx, r.viewer, ""); err != nil {
		return reply{}, err
	}
	data.Erasure, err = w.house.OpenErasure(r.ctx, r.viewer)
	return reply{page: "privacy_mine", title: "privacy.title", data: data}, err
}

var errDo = fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown", Detail: "There is nothing of that name here."})

func (w *Web) changePrivacy(r *request) (reply, error) {
	back := reply{redirect: "/privacy"}
	switch r.form("do") {
	case "consents":
		given := map[string]bool{}
		for _, p := range privacy.Purposes() {
			given[p.Code] = r.form(p.Code) != ""
		}
		return back, w.house.SayConsents(r.ctx, r.viewer, given)
	case "export":
		_, err := w.house.AskExport(r.ctx, r.viewer, "")
		return back, err
	case "erase":
		if r.form("sure") == "" {
			return reply{}, fault.InvalidInput(fault.Field{Pointer: "/sure", Code: "missing", Detail: "Say that you are sure."})
		}
		return back, w.house.AskErasure(r.ctx, r.viewer)
	case "keep":
		return back, w.house.WithdrawErasure(r.ctx, r.viewer, r.form("erasure"))
	}
	return reply{}, errDo
}

func (w *Web) exportFile(r *request) (reply, error) {
	f, err := w.house.ExportFile(r.ctx, r.viewer, r.param("id"))
	return reply{file: &f}, err
}

type privacyDeskPage struct {
	Erasures []dossier.Erasure
	Next     string // cursor
	Rules    []dossier.Rule
	Person   string
	Exports  []dossier.Export // of the person
	Wrong    *fault.Fault
}

func (w *Web) privacyDesk(r *request) (reply, error) {
	return w.privacyDeskWith(r, r.query("person"), nil)
}

func (w *Web) privacyDeskWith(r *request, person string, wrong *fault.Fault) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	data := privacyDeskPage{Person: person, Wrong: wrong}
	all, next, err := w.house.Erasures(r.ctx, r.viewer, p)
	if err != nil {
		return reply{}, err
	}
	data.Erasures, data.Next = all, paging.Cursor(next)
	if data.Rules, err = w.house.Retention(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	if person != "" {
		data.Exports, err = w.house.Exports(r.ctx, r.viewer, person)
	}
	return reply{page: "privacy_desk", title: "privacy.desk.title", data: data, status: refusedAs(wrong)}, err
}

func (w *Web) decidePrivacy(r *request) (reply, error) {
	back, id := reply{redirect: "/console/privacy"}, r.form("erasure")
	var err error
	switch r.form("do") {
	case "export":
		back.redirect += "?person=" + r.form("person")
		_, err = w.house.AskExport(r.ctx, r.viewer, r.form("person"))
	case "approve", "refuse":
		err = w.house.DecideErasure(r.ctx, r.viewer, id, r.form("do") == "approve", r.form("note"))
	case "erase":
		err = w.house.Erase(r.ctx, r.viewer, id, r.form("person"))
	case "retention":
		days, wrong := strconv.Atoi(strings.TrimSpace(r.form("days")))
		version, unread := strconv.Atoi(r.form("version"))
		if wrong != nil || unread != nil || version < 1 {
			err = fault.InvalidInput(fault.Field{Pointer: "/days", Code: "not-a-number", Detail: "A whole number of days."})
			break
		}
		err = w.house.SetRetention(r.ctx, r.viewer, r.form("kind"), days, version)
	default:
		err = errDo
	}
	if f := refusal(err); f != nil {
		return w.privacyDeskWith(r, "", f)
	}
	return back, err
}
