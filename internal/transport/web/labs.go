package web

import (
	"net/url"
	"strconv"
	"strings"

	"cursus/internal/domain/labs"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/lti"
)

// labRoutes are the addresses of labs.
func (w *Web) labRoutes() []route {
	return []route{
		{method: "POST", path: "/learning/:id/labs", who: signedIn, handle: w.launchLab},
		{method: "GET", path: "/labs/launches/:id", who: signedIn, handle: w.labLink},
		{method: "POST", path: "/labs/launches/:id", who: signedIn, handle: w.openLab},
		{method: "GET", path: "/labs/lti", who: signedIn, handle: w.answerLab},
		{method: "GET", path: "/console/sessions/:key/labs", who: staff, handle: w.labDesk},
		{method: "POST", path: "/console/sessions/:key/labs", who: staff, handle: w.workOnLabs},
		{method: "GET", path: "/console/sessions/:key/labs/board", who: staff, handle: w.labBoard},
		{method: "POST", path: "/console/sessions/:key/labs/board", who: staff, handle: w.workOnBoard},
	}
}

// sending is the page from which a browser goes on to a provider: the form may end there, and nowhere else.
func sending(page, title, to string, data any) (reply, error) {
	u, err := url.Parse(to)
	if err != nil {
		return reply{}, err
	}
	return reply{page: page, title: title, data: data, formTo: u.Scheme + "://" + u.Host}, nil
}

func sendingToLab(t labs.Ticket, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return sending("labopen", "labs.open", t.URL, t)
}

func (w *Web) launchLab(r *request) (reply, error) {
	return sendingToLab(w.house.LaunchLab(r.ctx, r.viewer, r.param("id"), r.form("lab")))
}

// labLink asks before it opens: a link that is only looked at is not spent.
func (w *Web) labLink(r *request) (reply, error) {
	return reply{page: "lablink", title: "labs.open", data: r.param("id")}, nil
}

func (w *Web) openLab(r *request) (reply, error) {
	return sendingToLab(w.house.OpenLab(r.ctx, r.viewer, r.param("id")))
}

func (w *Web) answerLab(r *request) (reply, error) {
	return sendingToLab(w.house.AnswerLab(r.ctx, r.viewer, loginOf(r)))
}

// loginOf reads what a tool of LTI answers a login of ours with.
func loginOf(r *request) lti.Login {
	return lti.Login{
		Scope: r.query("scope"), ResponseType: r.query("response_type"), ResponseMode: r.query("response_mode"), Prompt: r.query("prompt"), ClientID: r.query("client_id"),
		RedirectURI: r.query("redirect_uri"), LoginHint: r.query("login_hint"), Hint: r.query("lti_message_hint"), State: r.query("state"), Nonce: r.query("nonce"),
	}
}

// labForm is the labs of a session with what was written of one, and what was wrong with it.
type labForm struct {
	LabDesk
	Written map[string]string
	Wrong   *fault.Fault
}

var labFields = []string{"id", "version", "title_en", "title_fr", "week", "provider", "resource", "quota", "idle", "currency", "cost", "open"}

func labValues(l labs.Lab) map[string]string {
	v := map[string]string{
		"id": l.ID, "version": strconv.Itoa(l.Version), "title_en": l.TitleEN, "title_fr": l.TitleFR, "week": strconv.Itoa(l.Week), "provider": l.Provider, "resource": l.Resource,
		"quota": strconv.Itoa(l.QuotaMinutes), "idle": strconv.Itoa(l.IdleMinutes), "currency": string(l.Currency), "cost": strconv.FormatInt(l.CostMilli, 10),
	}
	if l.Open {
		v["open"] = "1"
	}
	return v
}

func (w *Web) labDesk(r *request) (reply, error) {
	d, err := w.house.LabDesk(r.ctx, r.viewer, r.param("key"))
	f := labForm{LabDesk: d, Written: map[string]string{"week": "1", "quota": "120", "idle": "15", "currency": "EUR", "cost": "0", "open": "1"}}
	for _, l := range d.Labs {
		if l.ID == r.query("lab") {
			f.Written = labValues(l)
		}
	}
	return reply{page: "labs", title: "labs.title", data: f}, err
}

func (w *Web) workOnLabs(r *request) (reply, error) {
	f := &formReader{r: r}
	work := LabWork{Do: "make", ID: r.form("id"), Lab: labs.NewLab{
		Week: f.number("week"), Provider: f.text("provider"), Resource: f.text("resource"), QuotaMinutes: f.number("quota"), IdleMinutes: f.number("idle"),
		Currency: money.Currency(strings.ToUpper(f.text("currency"))), CostMilli: int64(f.number("cost")), Open: r.form("open") == "1",
	}}
	work.Lab.Title.EN, work.Lab.Title.FR = f.text("title_en"), f.text("title_fr")
	if work.ID != "" {
		if work.Do, work.Version = "change", f.number("version"); work.Version < 1 {
			return reply{}, errStaleForm
		}
	}
	err := f.fault()
	if err == nil {
		err = w.house.WorkOnLabs(r.ctx, r.viewer, r.param("key"), r.form("key"), work)
	}
	wrong := refusedOrChanged(err, labs.ErrChanged)
	if wrong == nil || wrong.Kind == fault.NotFound {
		return reply{redirect: "/console/sessions/" + url.PathEscape(r.param("key")) + "/labs"}, err
	}
	d, found := w.house.LabDesk(r.ctx, r.viewer, r.param("key"))
	return reply{status: refusedAs(wrong), page: "labs", title: "labs.title", data: labForm{LabDesk: d, Written: written(r, labFields), Wrong: wrong}}, found
}

func (w *Web) labBoard(r *request) (reply, error) {
	b, err := w.house.LabsSeen(r.ctx, r.viewer, r.param("key"))
	return reply{page: "labboard", title: "labs.board", data: b}, err
}

func (w *Web) workOnBoard(r *request) (reply, error) {
	err := w.house.WorkOnLabs(r.ctx, r.viewer, r.param("key"), r.form("key"), LabWork{Do: r.form("do"), ID: r.form("launch")})
	return reply{redirect: "/console/sessions/" + url.PathEscape(r.param("key")) + "/labs/board"}, err
}
