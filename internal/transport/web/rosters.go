package web

import (
	"net/url"
	"strings"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/uploads"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// rosterRoutes are the addresses of rosters that come as files: sent, looked at, applied.
func (w *Web) rosterRoutes() []route {
	return []route{
		{method: "GET", path: "/cohorts/:id/roster", who: signedIn, handle: w.rosters},
		{method: "POST", path: "/cohorts/:id/roster", who: signedIn, handle: w.sendRoster, upload: true, slow: true},
		{method: "GET", path: "/cohorts/:id/roster/:upload", who: signedIn, handle: w.roster},
		{method: "POST", path: "/cohorts/:id/roster/:upload", who: signedIn, handle: w.applyRoster},
		{method: "GET", path: "/cohorts/:id/roster/:upload/outcome", who: signedIn, handle: w.rosterOutcome, slow: true},
		{method: "GET", path: "/cohorts/:id/members", who: signedIn, handle: w.exportRoster, slow: true},
	}
}

// rostersPage lists the files of a cohort, and takes another one.
type rostersPage struct {
	Cohort  cohorts.Cohort
	Uploads []uploads.Upload
	Next    string // cursor
	Writes  bool
	Written map[string]string
	Wrong   *fault.Fault
}

func (w *Web) rosters(r *request) (reply, error) { return w.rostersWith(r, nil, nil) }

func (w *Web) rostersWith(r *request, written map[string]string, wrong *fault.Fault) (out reply, err error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := rostersPage{Written: written, Wrong: wrong}
	d.Cohort, d.Uploads, d.Next, d.Writes, err = w.house.Rosters(r.ctx, r.viewer, r.param("id"), p)
	d.Next = paging.Cursor(d.Next)
	return reply{page: "rosters", title: "rosters.title", data: d, status: refusedAs(wrong)}, err
}

var errNoFile = fault.New(fault.Invalid, "no-file", "Choose a file.")

func (w *Web) sendRoster(r *request) (reply, error) {
	in := map[string]string{"mode": r.form("mode"), "class": strings.TrimSpace(r.form("class"))}
	n := uploads.NewUpload{CohortID: r.param("id"), Mode: cohorts.Mode(in["mode"]), Class: in["class"], Content: r.upload()}
	var u uploads.Upload
	err := error(errNoFile)
	if len(n.Content) > 0 {
		u, err = w.house.SendRoster(r.ctx, r.viewer, r.form("once"), n)
	}
	if f := refusal(err); f != nil && f.Kind != fault.NotFound {
		return w.rostersWith(r, in, f)
	}
	return reply{redirect: rosterPath(n.CohortID, u.ID)}, err
}

func rosterPath(cohort, id string) string {
	return "/cohorts/" + url.PathEscape(cohort) + "/roster/" + url.PathEscape(id)
}

// rosterPage is a file with what it changes. Waits says that something will be seen by itself.
type rosterPage struct {
	Cohort cohorts.Cohort
	Upload uploads.Upload
	Waits  bool
	Writes bool
	Wrong  *fault.Fault
}

func (w *Web) roster(r *request) (reply, error) { return w.rosterWith(r, nil) }

func (w *Web) rosterWith(r *request, wrong *fault.Fault) (out reply, err error) {
	d := rosterPage{Wrong: wrong}
	d.Cohort, d.Upload, d.Writes, err = w.house.Roster(r.ctx, r.viewer, r.param("id"), r.param("upload"))
	u := d.Upload
	d.Waits = wrong == nil && (u.State == uploads.Checking || u.State == uploads.Applying || u.State == uploads.Applied && u.Progress.Done < u.Progress.Total)
	return reply{page: "roster", title: "rosters.one", data: d, status: refusedAs(wrong)}, err
}

func (w *Web) applyRoster(r *request) (reply, error) {
	a := uploads.Apply{CohortID: r.param("id"), UploadID: r.param("upload"), Difference: r.form("difference")}
	absent, err := wholeField("/absent", strings.TrimSpace(r.form("absent")))
	if a.Absent = absent; err == nil {
		err = w.house.ApplyRosterUpload(r.ctx, r.viewer, r.form("once"), a)
	}
	if f := refusal(err); f != nil && f.Kind != fault.NotFound {
		return w.rosterWith(r, f)
	}
	return reply{redirect: rosterPath(a.CohortID, a.UploadID)}, err
}

func (w *Web) rosterOutcome(r *request) (reply, error) {
	f, err := w.house.RosterOutcome(r.ctx, r.viewer, r.param("id"), r.param("upload"))
	return reply{file: &f}, err
}

func (w *Web) exportRoster(r *request) (reply, error) {
	f, err := w.house.ExportRoster(r.ctx, r.viewer, r.param("id"))
	return reply{file: &f}, err
}
