package web

import (
	"net/url"

	"cursus/internal/domain/exams"
	"cursus/internal/kernel/fault"
)

// examRoutes are the addresses of exams.
func (w *Web) examRoutes() []route {
	return append(append(w.examResultRoutes(), w.examDeskRoutes()...), []route{
		{method: "GET", path: "/learning/:id/exam", who: signedIn, handle: w.examPage},
		{method: "POST", path: "/learning/:id/exam", who: signedIn, handle: w.actOnExam},
		{method: "GET", path: "/console/exams", who: staff, handle: w.examDesk},
		{method: "POST", path: "/console/exams", who: staff, handle: w.workOnExams},
	}...)
}

func (w *Web) examPage(r *request) (reply, error) {
	p, err := w.house.ExamPage(r.ctx, r.viewer, r.param("id"))
	return reply{page: "exam", title: "exam.title", data: p}, err
}

// actOnExam does what a button says, and leads to where it was.
func (w *Web) actOnExam(r *request) (reply, error) {
	id := r.param("id")
	if r.form("do") == "" { // the button of "my learning": an exam without slots
		return reply{redirect: "/learning#" + url.PathEscape(id)}, w.house.BookExam(r.ctx, r.viewer, id, r.form("key"))
	}
	do := r.form("do")
	if do == "launch" || do == "end" {
		return sendingToExam(w.house.LaunchExam(r.ctx, r.viewer, id, do == "end"))
	}
	err := w.house.ActOnExam(r.ctx, r.viewer, id, r.form("key"), ExamAct{Do: do, Slot: r.form("slot"), Reason: r.form("reason")})
	if err == nil && do == "submit" { // a provider that asked for it learns so at once
		p, err := w.house.ExamPage(r.ctx, r.viewer, id)
		if err == nil && p.Watched != nil && p.Watched.CanEnd {
			return sendingToExam(w.house.LaunchExam(r.ctx, r.viewer, id, true))
		}
	}
	return reply{redirect: "/learning/" + url.PathEscape(id) + "/exam"}, err
}

// examDeskForm is the desk with what was written, and what was wrong with it.
type examDeskForm struct {
	ExamDesk
	Written map[string]string
	Wrong   *fault.Fault
}

var slotFields = []string{"session", "kind", "place", "zone", "starts_at", "ends_at", "capacity", "organisation", "days"}

func (w *Web) examDesk(r *request) (reply, error) {
	d, err := w.house.ExamDesk(r.ctx, r.viewer)
	return reply{page: "exams", title: "exams.title", data: examDeskForm{ExamDesk: d, Written: map[string]string{"zone": "Europe/Paris", "kind": "proctored", "days": "1"}}}, err
}

func (w *Web) workOnExams(r *request) (reply, error) {
	f := &formReader{r: r}
	work := ExamWork{Do: r.form("do"), ID: r.form("id"), Note: f.text("note")}
	if work.Do == "plan" {
		work.Session, work.Kind = f.text("session"), exams.Kind(f.text("kind"))
		work.Plan, work.Days = f.slot(), max(f.number("days"), 1)
	}
	if said := f.text("score"); said != "" {
		ppm := f.ppm("score", said)
		work.ScorePPM = &ppm
	}
	err := f.fault()
	if err == nil {
		err = w.house.WorkOnExams(r.ctx, r.viewer, r.form("key"), work)
	}
	if err == nil {
		return reply{redirect: "/console/exams"}, nil
	}
	k := fault.From(err)
	if kinds[k.Kind].status >= 500 || k.Kind == fault.NotFound || k.Kind == fault.Forbidden && k.Code == "scope-missing" {
		return reply{}, err
	}
	d, found := w.house.ExamDesk(r.ctx, r.viewer)
	return reply{status: kinds[k.Kind].status, page: "exams", title: "exams.title", data: examDeskForm{ExamDesk: d, Written: written(r, slotFields), Wrong: k}}, found
}
