package web

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/confidence"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// confidenceRoutes are the addresses of the way to the exam.
func (w *Web) confidenceRoutes() []route {
	return []route{
		{method: "GET", path: "/learning/:id/readiness", who: signedIn, handle: w.readinessPage},
		{method: "POST", path: "/learning/:id/readiness", who: signedIn, handle: w.bookMock},
		{method: "POST", path: "/learning/:id/call-number", who: signedIn, handle: w.saveCallNumber},
		{method: "GET", path: "/console/exam-calls", who: staff, handle: w.examCalls},
		{method: "GET", path: "/console/exam-calls.csv", who: staff, slow: true, handle: w.examCallsFile},
		{method: "POST", path: "/console/exam-calls", who: staff, handle: w.workOnCall},
		{method: "GET", path: "/console/exam-reminders/:session", who: staff, handle: w.examReminders},
		{method: "POST", path: "/console/exam-reminders/:session", who: staff, handle: w.saveExamReminders},
	}
}

func (w *Web) readinessPage(r *request) (reply, error) {
	p, err := w.house.ReadinessPage(r.ctx, r.viewer, r.param("id"))
	return reply{page: "readiness", title: "ready.title", data: p}, err
}

func (w *Web) bookMock(r *request) (reply, error) {
	id := r.param("id")
	return reply{redirect: "/learning/" + url.PathEscape(id) + "/readiness"}, w.house.BookMock(r.ctx, r.viewer, id, r.form("key"), r.form("slot"))
}

func (w *Web) saveCallNumber(r *request) (reply, error) {
	number := strings.TrimSpace(r.form("number"))
	if r.form("do") == "drop" {
		number = ""
	}
	return reply{redirect: "/learning/" + url.PathEscape(r.param("id")) + "/readiness#call"}, w.house.SaveCallNumber(r.ctx, r.viewer, r.param("id"), number)
}

// callPage is whom to call.
type callPage struct {
	CallList
	Filter  confidence.CallFilter // the session by key
	More    string                // cursor
	Written map[string]string     // what was refused, of the enrolment in it
	Wrong   *fault.Fault
}

// Outcomes are what can come of a call.
func (callPage) Outcomes() []string { return confidence.Outcomes() }

// Reasons are why somebody is on the list.
func (callPage) Reasons() []string { return []string{confidence.NotBooked, confidence.DidNotCome} }

// Days are the whole days that are left; -1: nobody said until when.
func (p callPage) Days(c confidence.Call) int { return c.DaysLeft(p.At) }

// Passed is the share of those who stood where she stands.
func (callPage) Passed(c confidence.Call) analytics.Rate {
	return analytics.NewRate(int64(c.Standing.Passed), int64(c.Standing.Sat))
}

// Query is the filter as the address has it.
func (p callPage) Query() string {
	return url.Values{"session": {p.Filter.SessionID}, "coach": {p.Filter.Coach}, "reason": {p.Filter.Reason}}.Encode()
}

func callFilter(r *request) confidence.CallFilter {
	return confidence.CallFilter{SessionID: strings.TrimSpace(r.query("session")), Coach: r.query("coach"), Reason: r.query("reason")}
}

func (w *Web) callsWith(r *request, d callPage) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d.Filter = callFilter(r)
	d.CallList, err = w.house.ExamCalls(r.ctx, r.viewer, d.Filter, p)
	d.More = paging.Cursor(d.Next)
	return reply{page: "exam_calls", title: "calls.title", data: d, status: refusedAs(d.Wrong)}, err
}

func (w *Web) examCalls(r *request) (reply, error) { return w.callsWith(r, callPage{}) }

func (w *Web) examCallsFile(r *request) (reply, error) {
	var b bytes.Buffer
	err := w.house.WriteExamCalls(r.ctx, r.viewer, callFilter(r), &b)
	return reply{file: &File{Name: "exam-calls.csv", ContentType: "text/csv; charset=utf-8", Content: b.Bytes()}}, err
}

// workOnCall notes a call, or says who calls, and leads to where it was.
func (w *Web) workOnCall(r *request) (reply, error) {
	id := r.form("enrolment")
	var err error
	if r.form("do") == "assign" {
		err = w.house.AssignCoach(r.ctx, r.viewer, id, r.form("coach"))
	} else {
		err = w.house.NoteCall(r.ctx, r.viewer, r.form("key"), id, confidence.NewCall{Outcome: r.form("outcome"), Note: strings.TrimSpace(r.form("note"))})
	}
	if wrong := refusal(err); wrong != nil && wrong.Kind != fault.NotFound {
		return w.callsWith(r, callPage{Wrong: wrong, Written: map[string]string{"enrolment": id, "outcome": r.form("outcome"), "note": r.form("note")}})
	}
	return reply{redirect: "/console/exam-calls?" + callPage{Filter: callFilter(r)}.Query()}, err
}

// reminderPage is when the learners of a session are reminded of their exam.
type reminderPage struct {
	Session string
	Written map[string]string
	Wrong   *fault.Fault
	Saved   bool
}

func (w *Web) examReminders(r *request) (reply, error) {
	p, err := w.house.ExamReminders(r.ctx, r.viewer, r.param("session"))
	days := make([]string, len(p.Days))
	for i, d := range p.Days {
		days[i] = strconv.FormatInt(d, 10)
	}
	return reply{page: "exam_reminders", title: "reminding.title", data: reminderPage{Session: p.Session, Saved: r.query("saved") == "1", Written: map[string]string{
		"days": strings.Join(days, ", "), "hold_out": strconv.Itoa(p.HoldOut), "version": strconv.Itoa(p.Version),
	}}}, err
}

func (w *Web) saveExamReminders(r *request) (reply, error) {
	f := &formReader{r: r}
	d := reminderPage{Session: r.param("session"), Written: written(r, []string{"days", "hold_out", "version"})}
	p := confidence.Plan{HoldOut: f.number("hold_out")}
	for _, s := range strings.FieldsFunc(f.text("days"), func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
		n, err := strconv.ParseInt(s, 10, 32)
		if err != nil {
			f.refuse("days", "bad-number", "Whole numbers with commas between them.")
		}
		p.Days = append(p.Days, n)
	}
	version := f.number("version")
	err := f.fault()
	if err == nil {
		err = w.house.SaveExamReminders(r.ctx, r.viewer, d.Session, version, p)
	}
	if d.Wrong = refusedOrChanged(err, confidence.ErrChanged); d.Wrong != nil && d.Wrong.Kind != fault.NotFound {
		if now, err := w.house.ExamReminders(r.ctx, r.viewer, d.Session); err == nil {
			d.Written["version"] = strconv.Itoa(now.Version) // after a change by somebody else, to save again is to decide
		}
		return reply{page: "exam_reminders", title: "reminding.title", data: d, status: refusedAs(d.Wrong)}, nil
	}
	return reply{redirect: "/console/exam-reminders/" + url.PathEscape(d.Session) + "?saved=1"}, err
}
