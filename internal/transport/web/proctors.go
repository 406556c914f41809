package web

import (
	"net/url"

	"cursus/internal/domain/exams"
)

// proctoringProviderRoutes are the addresses at which staff look after providers of proctoring.
func (w *Web) proctoringProviderRoutes() []route {
	return []route{
		{method: "GET", path: "/console/proctors", who: staff, handle: w.proctors},
		{method: "POST", path: "/console/proctors", who: staff, handle: w.makeProctor, fresh: always},
		{method: "GET", path: "/console/proctors/:key", who: staff, handle: w.proctorOne},
		{method: "POST", path: "/console/proctors/:key", who: staff, handle: w.changeProctor, fresh: does("save", "rotate")},
		{method: "GET", path: "/exams/lti", who: signedIn, handle: w.answerExam},
		{method: "POST", path: "/exams/lti/:provider/start", who: anybody, handle: w.startAssessment, oneClick: true},
	}
}

func sendingToExam(t exams.Ticket, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return sending("examlaunch", "examlaunch.title", t.URL, t)
}

func (w *Web) answerExam(r *request) (reply, error) {
	return sendingToExam(w.house.AnswerExam(r.ctx, r.viewer, loginOf(r)))
}

// startAssessment is where browsers bring LtiStartAssessment. The tool posts it from its own site, so that no cookie of ours comes with it: the message
// proves itself, and the page to which it leads asks who she is.
func (w *Web) startAssessment(r *request) (reply, error) {
	enrolment, err := w.house.StartAssessment(r.ctx, r.param("provider"), r.form("JWT"))
	return reply{redirect: "/learning/" + url.PathEscape(enrolment) + "/exam"}, err
}
