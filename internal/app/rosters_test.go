package app_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/uploads"
	"cursus/internal/testkit"
	"cursus/internal/transport/api/apitest"
)

// rostersStory sends rosters to a cohort of a school and applies them, as its registrar does it through the API.
func (w *world) rostersStory(t *testing.T, walker *apitest.Walker) {
	t.Helper()
	registrar := w.person("registrar@ugb.example", "Registrar")
	c := w.cohortOf("UGB", registrar.ID)
	r, at := &asker{t: t, w: walker, token: w.token(registrar.ID)}, map[string]string{"cohort": c.ID}
	csv := func(rows string) []byte { return []byte("student_key,status\n" + rows) }
	r.ask(422, "uploadCohortRoster", at, csv("k1\n"))
	u := r.ask(202, "uploadCohortRoster", at, csv("k1,enrolled\nk2,suspended\nk3,nonsense\n"), query("file_name=first.csv"))
	at["upload"] = u["id"].(string)
	if u["state"] != "checking" || u["file_name"] != "first.csv" {
		t.Error(u)
	}
	decide := map[string]any{"difference": strings.Repeat("0", 64)}
	w.quiet()
	w.whileUploadIs(u["id"], "checking", func() {
		r.ask(409, "getRosterOutcome", at, nil)
		r.ask(409, "applyRosterUpload", at, decide)
	})
	u = r.ask(200, "getRosterUpload", at, nil)
	d, _ := u["difference"].(map[string]any)
	if u["state"] != "checked" || d["new"] != 2.0 || d["conflicting"] != 1.0 {
		t.Fatal(u)
	}
	r.ask(409, "applyRosterUpload", at, decide)
	r.ask(202, "applyRosterUpload", at, map[string]any{"difference": d["sha256"]})
	w.quiet()
	w.whileUploadIs(u["id"], "applying", func() { r.ask(409, "uploadCohortRoster", at, csv("k4,enrolled\n")) })
	if u = r.ask(200, "getRosterUpload", at, nil); u["state"] != "applied" || u["progress"].(map[string]any)["done"] != 2.0 {
		t.Error(u)
	}
	r.ask(200, "getRosterOutcome", at, nil)
	r.ask(200, "exportRoster", at, nil)
	full := r.ask(202, "uploadCohortRoster", at, csv("k1,enrolled\n"), query("mode=bulk"))
	w.quiet()
	next := map[string]string{"cohort": c.ID, "upload": full["id"].(string)}
	full = r.ask(200, "getRosterUpload", next, nil)
	sum := full["difference"].(map[string]any)["sha256"]
	if full["confirm_absent"] != true {
		t.Error(full)
	}
	r.ask(422, "applyRosterUpload", next, map[string]any{"difference": sum})
	r.ask(202, "applyRosterUpload", next, map[string]any{"difference": sum, "absent": 1})
	w.quiet()
	if all := r.ask(200, "listRosterUploads", at, nil)["uploads"].([]any); len(all) != 2 {
		t.Error(all)
	}
	walker.Values["upload"] = at["upload"]
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		c := w.cohortOf("UIDT", staff)
		by := cohorts.By{PersonID: staff}
		u, err := w.h.Uploads.Take(system, by, "walk", uploads.NewUpload{CohortID: c.ID, FileName: "roster.csv", Mode: cohorts.Bulk, Content: []byte("student_key,status\nk1,enrolled\nk2,nonsense")})
		if err != nil {
			w.t.Fatal(err)
		}
		w.quiet()
		at := "/cohorts/" + c.ID
		return map[string]string{
			"/cohorts/:id/roster": at + "/roster", "/cohorts/:id/roster/:upload": at + "/roster/" + u.ID,
			"/cohorts/:id/roster/:upload/outcome": at + "/roster/" + u.ID + "/outcome", "/cohorts/:id/members": at + "/members",
		}
	})
}

// A registrar sends a roster by page, sees what is wrong with it and then what it would change, applies it, and says how many leave; without
// any script. A teacher looks on.
func TestPagesOfRosters(t *testing.T) {
	w, mails := newSite(t)
	registrar := w.person("registrar@esp.example", "Registrar")
	c := w.cohortOf("ESP", registrar.ID)
	d := w.signedIn(t, mails, "registrar@esp.example")
	at := "/cohorts/" + c.ID + "/roster"
	send := func(file, mode string) {
		f := d.form(at)
		f.file = file
		f.set("mode", mode)
		f.press("", "")
	}
	d.open("/cohorts/" + c.ID)
	d.want = 422
	send("student_key,status\nk1\n", "")
	d.says("nothing was changed", "roster.csv:2:1")
	d.want = 0
	send("student_key;status;email\r\nk1;enrolled;awa@esp.example\r\nk2;suspended;\r\nk3;audit;", "")
	if !strings.HasPrefix(d.at, at+"/upl_") {
		t.Fatal(d.at)
	}
	refreshes := func() int {
		return len(d.all(func(n *html.Node) bool { return n.Data == "meta" && attr(n, "http-equiv") == "refresh" }))
	}
	one := d.at
	w.quiet()
	w.whileUploadIs(one[strings.LastIndex(one, "/")+1:], "checking", func() {
		d.open(one)
		d.says("being compared")
		if refreshes() != 1 {
			t.Error("the page does not go on by itself")
		}
	})
	d.open(one)
	d.says("To be decided", "3 rows", "has no end", "this is no status", "What it would change")
	if refreshes() != 0 {
		t.Error("a page that waits for its reader goes away under her")
	}
	d.form(one).press("", "")
	w.quiet()
	d.open(one)
	d.says("The file was applied", "2 of 2 learners")
	d.open("/cohorts/" + c.ID)
	d.says("k1", "k2", "Suspended")
	send("student_key,status\nk1,enrolled\n", "bulk")
	w.quiet()
	full := d.at
	d.open(full + "?lang=fr")
	d.says("1 apprenants seraient retirés", "Absents du fichier")
	f := d.form(full)
	f.set("absent", "7")
	d.want = 422
	f.press("", "")
	d.says("Écrivez combien")
	d.want = 0
	f = d.form(full)
	f.set("absent", "1")
	f.press("", "")
	w.quiet()
	d.open(full)
	d.says("Le fichier a été appliqué")
	w.verify()
}

// whileUploadIs looks at an upload as it stood while its job was at work, checking or applying: a job may be quicker than who asks.
func (w *world) whileUploadIs(id any, state string, look func()) {
	w.t.Helper()
	owner := testkit.Owner(w.t, w.dsn)
	var was string
	var report []byte
	var applied *time.Time
	if err := owner.QueryRow("select state, report, applied_at from uploads.uploads where id = $1", id).Scan(&was, &report, &applied); err != nil {
		w.t.Fatal(err)
	}
	if _, err := owner.Exec("update uploads.uploads set state = $2, report = case when $2 <> 'checking' then report end, applied_at = null where id = $1", id, state); err != nil {
		w.t.Fatal(err)
	}
	look()
	if _, err := owner.Exec("update uploads.uploads set state = $2, report = $3, applied_at = $4 where id = $1", id, was, report, applied); err != nil {
		w.t.Fatal(err)
	}
}
