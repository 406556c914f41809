package web

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exams"
	"cursus/internal/kernel/fault"
)

func (w *Web) examDeskRoutes() []route {
	return []route{
		{method: "GET", path: "/console/exams/calendar", who: staff, handle: w.examCalendar},
		{method: "GET", path: "/console/exams/queue", who: staff, handle: w.examQueue},
		{method: "GET", path: "/console/exams/rules", who: staff, handle: w.examRules},
		{method: "POST", path: "/console/exams/rules", who: staff, handle: w.putExamRules},
		{method: "GET", path: "/console/exams/slots/:id", who: staff, handle: w.examSlot},
		{method: "POST", path: "/console/exams/slots/:id", who: staff, handle: w.putExamSlot},
		{method: "GET", path: "/console/exams/enrolments/:id", who: staff, handle: w.examFile},
		{method: "POST", path: "/console/exams/enrolments/:id", who: staff, handle: w.workOnExamFile},
	}
}

// slot reads the form of a slot, by the clock of its place.
func (f *formReader) slot() exams.NewSlot {
	place, err := time.LoadLocation(f.text("zone"))
	if err != nil || f.text("zone") == "" {
		f.refuse("zone", "unknown-zone", "A name such as Europe/Paris.")
		place = zone
	}
	n := exams.NewSlot{Organisation: f.text("organisation"), Place: f.text("place"), Zone: place.String(), Capacity: f.number("capacity")}
	if starts, ends := f.time("starts_at", place), f.time("ends_at", place); starts != nil && ends != nil {
		n.StartsAt, n.EndsAt = *starts, *ends
	}
	return n
}

// shownAgain says whether what was refused stands on the form again, rather than on a page of its own.
func shownAgain(err error) *fault.Fault {
	k := fault.From(err)
	if kinds[k.Kind].status >= 500 || k.Kind == fault.NotFound || k.Code == "scope-missing" || k.Code == "partner-role-missing" {
		return nil
	}
	return k
}

// examMonth is a month of slots, as weeks of days and as a list.
type examMonth struct {
	First, Before, After time.Time
	Weeks                [][]examDay
	Slots                []ExamSlot
}

type examDay struct {
	Day   time.Time
	Other bool // of another month
	Slots []ExamSlot
}

// Month is how addresses name a month.
func (examMonth) Month(t time.Time) string { return t.Format("2006-01") }

func (w *Web) examCalendar(r *request) (reply, error) {
	now := w.clock.Now().UTC()
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	if said := r.query("month"); said != "" {
		t, err := time.Parse("2006-01", said)
		if err != nil || t.Year() < 1990 || t.Year() > 2200 {
			return reply{}, fault.InvalidInput(fault.Field{Pointer: "/month", Code: "bad-month", Detail: "A month such as 2026-05."})
		}
		first = t
	}
	m := examMonth{First: first, Before: first.AddDate(0, -1, 0), After: first.AddDate(0, 1, 0)}
	all, err := w.house.ExamCalendar(r.ctx, r.viewer, first.AddDate(0, 0, -1), m.After.AddDate(0, 0, 1)) // a place's clock may be a day away
	if err != nil {
		return reply{}, err
	}
	on := map[time.Time][]ExamSlot{}
	for _, x := range all {
		s := ExamSlot{Slot: x}
		on[s.Day(x.StartsAt)] = append(on[s.Day(x.StartsAt)], s)
		if day := s.Day(x.StartsAt); !day.Before(first) && day.Before(m.After) {
			m.Slots = append(m.Slots, s)
		}
	}
	for day := first.AddDate(0, 0, -(int(first.Weekday())+6)%7); day.Before(m.After); {
		var week []examDay
		for range 7 {
			week = append(week, examDay{day, day.Month() != first.Month(), on[day]})
			day = day.AddDate(0, 0, 1)
		}
		m.Weeks = append(m.Weeks, week)
	}
	return reply{page: "exam_calendar", title: "exams.calendar", data: m}, nil
}

func (w *Web) examQueue(r *request) (reply, error) {
	all, err := w.house.ExamQueue(r.ctx, r.viewer)
	return reply{page: "exam_queue", title: "examqueue.title", data: all}, err
}

// examRulesPage is the form of an exam's rules. Written is what was sent, where it was refused.
type examRulesPage struct {
	Session  string
	Kind     exams.Kind
	Sessions []string
	Kinds    []exams.Kind
	Version  int
	Written  map[string]string
	Wrong    *fault.Fault
}

var rulesFields = []string{"title_en", "title_fr", "opens_at", "closes_at", "grade", "diligence", "identity", "practice", "prerequisites", "max_attempts", "included_attempts", "wait_days", "limit_minutes",
	"pass", "cancel_hours", "offer_hours", "appeal_days", "house_verifies"}

func writtenRules(e exams.Exam) map[string]string {
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.In(zone).Format("2006-01-02T15:04")
	}
	on := map[bool]string{true: "1"}
	out := map[string]string{
		"title_en": e.TitleEN, "title_fr": e.TitleFR, "opens_at": at(e.OpensAt), "closes_at": at(e.ClosesAt), "diligence": on[e.Diligence], "identity": on[e.Identity],
		"practice": on[e.Practice], "prerequisites": strings.Join(e.Prerequisites, " "), "max_attempts": strconv.Itoa(e.MaxAttempts), "wait_days": strconv.Itoa(e.WaitDays),
		"limit_minutes": strconv.Itoa(e.LimitMinutes), "pass": percentOf(e.PassPPM), "cancel_hours": strconv.Itoa(e.CancelHours), "offer_hours": strconv.Itoa(e.OfferHours),
		"appeal_days": strconv.Itoa(e.AppealDays), "house_verifies": on[e.HouseVerifies],
	}
	if e.GradePPM != nil {
		out["grade"] = percentOf(*e.GradePPM)
	}
	if e.Included != nil {
		out["included_attempts"] = strconv.Itoa(*e.Included)
	}
	return out
}

// percentOf writes millionths as per cent, without what is nothing.
func percentOf(ppm int) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%04d", ppm/10_000, ppm%10_000), "0"), ".")
}

func (w *Web) examRules(r *request) (reply, error) {
	p := examRulesPage{Session: r.query("session"), Kind: exams.Kind(r.query("kind"))}
	return w.examRulesWith(r, p, 0)
}

func (w *Web) examRulesWith(r *request, p examRulesPage, status int) (out reply, err error) {
	if p.Kind == "" {
		p.Kind = exams.Proctored
	}
	p.Kinds = exams.Kinds()
	if p.Sessions, err = w.house.ExamSessions(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	if p.Session != "" && p.Written == nil {
		e, err := w.house.ExamRules(r.ctx, r.viewer, p.Session, p.Kind)
		if err != nil {
			return reply{}, err
		}
		p.Version, p.Written = e.Version, writtenRules(e)
	}
	return reply{page: "exam_rules", title: "examrules.title", data: p, status: status}, nil
}

// putExamRules writes the rules over the version that was read. What is refused stands on the form as it was written; where somebody else wrote
// meanwhile it says so, and the form holds the new version.
func (w *Web) putExamRules(r *request) (reply, error) {
	f := &formReader{r: r}
	session, kind := f.text("session"), exams.Kind(f.text("kind"))
	n := exams.NewExam{Title: catalog.Text{EN: f.text("title_en"), FR: f.text("title_fr")}, Rules: exams.Rules{
		OpensAt: f.time("opens_at", zone), ClosesAt: f.time("closes_at", zone), Diligence: r.form("diligence") == "1", Identity: r.form("identity") == "1", Practice: r.form("practice") == "1",
		Prerequisites: strings.Fields(f.text("prerequisites")), MaxAttempts: f.number("max_attempts"), WaitDays: f.number("wait_days"), LimitMinutes: f.number("limit_minutes"),
		PassPPM: f.ppm("pass", f.text("pass")), CancelHours: f.number("cancel_hours"), OfferHours: f.number("offer_hours"), AppealDays: f.number("appeal_days"),
		HouseVerifies: r.form("house_verifies") == "1",
	}}
	if said := f.text("grade"); said != "" {
		ppm := f.ppm("grade", said)
		n.GradePPM = &ppm
	}
	if f.text("included_attempts") != "" {
		included := f.number("included_attempts")
		n.Included = &included
	}
	version := f.number("version")
	err := f.fault()
	if err == nil {
		err = w.house.PutExamRules(r.ctx, r.viewer, session, kind, n, version)
	}
	if err == nil {
		return reply{redirect: "/console/exams/rules?" + url.Values{"session": {session}, "kind": {string(kind)}}.Encode()}, nil
	}
	k := shownAgain(err)
	if k == nil {
		return reply{}, err
	}
	p := examRulesPage{Session: session, Kind: kind, Version: version, Written: written(r, rulesFields), Wrong: k}
	if k.Kind == fault.Precondition {
		now, err := w.house.ExamRules(r.ctx, r.viewer, session, kind)
		if err != nil {
			return reply{}, err
		}
		p.Version = now.Version
	}
	return w.examRulesWith(r, p, kinds[k.Kind].status)
}

// examSlotPage is the form of a slot.
type examSlotPage struct {
	At      ExamSlot
	Version int
	Written map[string]string
	Wrong   *fault.Fault
}

func (w *Web) examSlot(r *request) (reply, error) { return w.examSlotWith(r, examSlotPage{}, 0) }

func (w *Web) examSlotWith(r *request, p examSlotPage, status int) (reply, error) {
	x, err := w.house.ExamSlot(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	p.At, p.Version = ExamSlot{Slot: x}, x.Version
	if p.Written == nil {
		at := func(t time.Time) string { return t.In(x.Location()).Format("2006-01-02T15:04") }
		p.Written = map[string]string{"place": x.Place, "zone": x.Zone, "starts_at": at(x.StartsAt), "ends_at": at(x.EndsAt), "capacity": strconv.Itoa(x.Capacity), "organisation": x.Organisation}
	}
	return reply{page: "exam_slot", title: "examslot.title", data: p, status: status}, nil
}

func (w *Web) putExamSlot(r *request) (reply, error) {
	f := &formReader{r: r}
	n, version := f.slot(), f.number("version")
	err := f.fault()
	if err == nil {
		err = w.house.PutExamSlot(r.ctx, r.viewer, r.param("id"), n, version)
	}
	if err == nil {
		return reply{redirect: "/console/exams/slots/" + url.PathEscape(r.param("id"))}, nil
	}
	k := shownAgain(err)
	if k == nil {
		return reply{}, err
	}
	return w.examSlotWith(r, examSlotPage{Written: written(r, slotFields), Wrong: k}, kinds[k.Kind].status)
}

// examFilePage is the file of an enrolment, with what was wrong with what was written into it.
type examFilePage struct {
	ExamFile
	Written map[string]string
	Wrong   *fault.Fault
}

var fileFields = []string{"do", "until", "reason", "extra_minutes", "percent", "why", "method", "valid_until", "note"}

func (w *Web) examFile(r *request) (reply, error) {
	return w.examFileWith(r, map[string]string{"extra_minutes": "0", "percent": "100"}, nil, 0)
}

func (w *Web) examFileWith(r *request, written map[string]string, wrong *fault.Fault, status int) (reply, error) {
	f, err := w.house.ExamFile(r.ctx, r.viewer, r.param("id"))
	return reply{page: "exam_file", title: "examfile.title", data: examFilePage{f, written, wrong}, status: status}, err
}

func (w *Web) workOnExamFile(r *request) (reply, error) {
	f := &formReader{r: r}
	work := ExamFileWork{Do: r.form("do")}
	switch work.Do {
	case "block", "unblock":
		work.Block = exams.Block{Reason: f.text("reason")}
		if work.Do == "block" {
			work.Block.Until = f.time("until", zone)
		}
	case "accommodate":
		work.Accommodation = exams.Accommodation{ExtraMinutes: f.number("extra_minutes"), Percent: f.number("percent"), Reason: f.text("why")}
	case "identity", "doubt":
		work.Identity = exams.IdentityCheck{Method: f.text("method"), Verified: work.Do == "identity", Note: f.text("note")}
		if at := f.time("valid_until", zone); at != nil {
			work.Identity.ValidUntil = *at
		}
		work.Do = "identity"
	}
	err := f.fault()
	if err == nil {
		err = w.house.WorkOnExamFile(r.ctx, r.viewer, r.form("key"), r.param("id"), work)
	}
	if err == nil {
		return reply{redirect: "/console/exams/enrolments/" + url.PathEscape(r.param("id"))}, nil
	}
	k := shownAgain(err)
	if k == nil {
		return reply{}, err
	}
	return w.examFileWith(r, written(r, fileFields), k, kinds[k.Kind].status)
}
