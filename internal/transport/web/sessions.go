package web

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/fault"
)

// sessionRoutes are the addresses of the console's sessions and workshop days.
func (w *Web) sessionRoutes() []route {
	return []route{
		{method: "GET", path: "/console/calendar", who: staff, handle: w.calendar},
		{method: "GET", path: "/console/calendar.:format", who: staff, handle: w.calendarFile},
		{method: "GET", path: "/console/sessions", who: staff, handle: w.sessionList},
		{method: "POST", path: "/console/sessions", who: staff, handle: w.newSession},
		{method: "GET", path: "/console/sessions/:key", who: staff, handle: w.sessionDesk},
		{method: "POST", path: "/console/sessions/:key", who: staff, handle: w.putSession, large: true},
		{method: "POST", path: "/console/sessions/:key/move", who: staff, handle: w.moveSession},
		{method: "POST", path: "/console/sessions/:key/copy", who: staff, handle: w.copySession},
		{method: "POST", path: "/console/sessions/:key/exercises", who: staff, handle: w.importMap, upload: true},
		{method: "POST", path: "/console/sessions/:key/map", who: staff, handle: w.editMap, large: true},
		{method: "POST", path: "/console/sessions/:key/days", who: staff, handle: w.planDay},
		{method: "GET", path: "/console/workshop-days/:id", who: staff, handle: w.dayDesk},
		{method: "POST", path: "/console/workshop-days/:id", who: staff, handle: w.workOnDay, large: true},
	}
}

// sessionForm is what the page of a session shows: what stands there, or what somebody wrote and could not save.
type sessionForm struct {
	SessionDesk
	Values   map[string]string
	Version  int
	Changed  []changedField // what somebody else changed meanwhile
	Done     string         // what was done just now
	Fault    *fault.Fault
	Wrong    map[string]string // field of the session → what is wrong with it
	Blank    int               // empty rows of the grade policy
	Exercise string            // the map as a CSV, or what was pasted
	Rows     []exerciseRow
	Mapped   int    // version that the rows were read with
	Theirs   string // the map that somebody else saved meanwhile, as a CSV
	Proposal *catalog.Proposal
	Day      map[string]string // the day that would be planned, as it was written
}

var sessionFields = []string{"title_en", "title_fr", "number", "kind", "platform", "platform_key", "course_url", "audience", "language", "capacity",
	"threshold", "starts_at", "ends_at", "enrol_from", "enrol_until", "closed", "min_days", "production", "policy"}

func sessionValues(s catalog.NewSession) map[string]string {
	at := func(t *time.Time) string { return localTime(t, zone) }
	v := map[string]string{
		"title_en": s.Title.EN, "title_fr": s.Title.FR, "number": strconv.Itoa(s.Number), "kind": string(s.Kind), "platform": s.Platform, "platform_key": s.PlatformKey,
		"course_url": s.CourseURL, "audience": s.Audience, "language": s.Language, "threshold": percents(s.ThresholdPPM), "starts_at": at(s.StartsAt),
		"ends_at": at(s.EndsAt), "enrol_from": at(s.EnrolFrom), "enrol_until": at(s.EnrolUntil), "min_days": strconv.Itoa(s.MinDays), "production": percents(s.ProductionPPM),
	}
	if s.Capacity != nil {
		v["capacity"] = strconv.Itoa(*s.Capacity)
	}
	if s.Closed {
		v["closed"] = "yes"
	}
	for _, a := range s.Policy {
		v["policy"] += fmt.Sprintf("%s; %s; %d; %d\n", a.Type, percents(a.WeightPPM), a.MinCount, a.DropCount)
	}
	return v
}

// percents prints millionths as a number of per cent.
func percents(ppm int) string { return catalog.FormatWeight(int64(ppm) * 100) }

func (w *Web) deskOf(r *request) (sessionForm, error) {
	d, err := w.house.SessionDesk(r.ctx, r.viewer, r.param("key"))
	return sessionForm{
		SessionDesk: d, Values: sessionValues(d.Sheet.NewSession), Version: d.Sheet.Version, Mapped: d.Sheet.Version, Exercise: mapCSV(d.Sheet.Exercises),
		Rows: mapRows(d.Sheet.Exercises), Day: map[string]string{"zone": catalog.DefaultZone, "currency": "EUR"},
	}, err
}

func (w *Web) sessionDesk(r *request) (reply, error) {
	f, err := w.deskOf(r)
	if done := r.query("done"); slices.Contains(sessionDoings, done) {
		f.Done = done
	}
	return reply{page: "console-session", title: f.Sheet.Key, data: f}, err
}

// formReader reads fields and collects what is wrong with them.
type formReader struct {
	r     *request
	wrong []fault.Field
}

func (f *formReader) refuse(name, code, detail string) {
	f.wrong = append(f.wrong, fault.Field{Pointer: "/" + name, Code: code, Detail: detail})
}

func (f *formReader) text(name string) string { return strings.TrimSpace(f.r.form(name)) }

func (f *formReader) number(name string) int {
	s := f.text(name)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		f.refuse(name, "not-a-number", "A whole number.")
	}
	return n
}

func (f *formReader) ppm(name, said string) int {
	n, ok := catalog.ParseWeight(strings.TrimSuffix(strings.TrimSpace(said), "%"))
	if !ok {
		f.refuse(name, "not-a-number", "A number of per cent.")
	}
	return int(n / 100)
}

func (f *formReader) time(name string, in *time.Location) *time.Time {
	s := f.text(name)
	if s == "" {
		return nil
	}
	t, ok := instant(s, in)
	if !ok {
		f.refuse(name, "bad-time", "A date and a time, 2027-03-01T09:00.")
		return nil
	}
	return &t
}

func (f *formReader) fault() error {
	if f.wrong == nil {
		return nil
	}
	return fault.InvalidInput(f.wrong...)
}

// putSession saves the form. What cannot be saved comes back as it was written, with the reasons; where somebody else saved meanwhile, both
// versions stand side by side.
func (w *Web) putSession(r *request) (reply, error) {
	f := &formReader{r: r}
	n := catalog.NewSession{
		Title: catalog.Text{EN: f.text("title_en"), FR: f.text("title_fr")}, Number: f.number("number"), Kind: catalog.Kind(f.text("kind")), Platform: f.text("platform"),
		PlatformKey: f.text("platform_key"), CourseURL: f.text("course_url"), Audience: f.text("audience"), Language: f.text("language"),
		ThresholdPPM: f.ppm("threshold", f.text("threshold")), StartsAt: f.time("starts_at", zone), EndsAt: f.time("ends_at", zone), EnrolFrom: f.time("enrol_from", zone),
		EnrolUntil: f.time("enrol_until", zone), Closed: f.text("closed") != "", MinDays: f.number("min_days"), ProductionPPM: f.ppm("production", f.text("production")),
		Policy: f.policy(policyText(r)),
	}
	if f.text("capacity") != "" {
		seats := f.number("capacity")
		n.Capacity = &seats
	}
	version, err := strconv.Atoi(r.form("version"))
	if err != nil || version < 1 {
		return reply{}, errStaleForm
	}
	if r.form("more") != "" { // more rows for the policy, and everything as it was written
		form, err := w.deskOf(r)
		form.Values, form.Version, form.Blank = written(r, sessionFields), version, 3
		return reply{page: "console-session", title: form.Sheet.Key, data: form}, err
	}
	if err = f.fault(); err == nil {
		err = w.house.PutSession(r.ctx, r.viewer, r.param("key"), n, version)
	}
	if err == nil {
		return back(r, "saved"), nil
	}
	return w.unsaved(r, err, sessionFields)
}

// sessionDoings are what can have been done when the page of a session is shown again.
var sessionDoings = []string{"saved", "moved", "mapped", "planned", "copied"}

func back(r *request, done string) reply {
	return reply{redirect: "/console/sessions/" + url.PathEscape(r.param("key")) + "?done=" + done}
}

// unsaved shows what was written again, with what is wrong with it.
func (w *Web) unsaved(r *request, err error, fields []string) (reply, error) {
	f := fault.From(err)
	if k := kinds[f.Kind]; k.status >= 500 || f.Kind == fault.NotFound {
		return reply{}, err
	}
	form, found := w.deskOf(r)
	if found != nil {
		return reply{}, found
	}
	form.Fault = f
	if fields != nil {
		theirs, stale := form.Values, errors.Is(err, catalog.ErrChanged)
		read, err := strconv.Atoi(r.form("version"))
		if err != nil {
			return reply{}, errStaleForm
		}
		form.Values, form.Wrong = written(r, fields), atFields(f.Fields)
		if read != form.Sheet.Version { // a fault of the form does not hide that somebody else saved
			changed, together, err := w.meanwhile(r, read, theirs, form.Values, fields)
			if err != nil {
				return reply{}, err
			}
			if form.Changed = changed; stale {
				form.Values = together
			}
		}
		if !stale {
			form.Version = read // what was not brought together with somebody else's is not saved over it
		}
	}
	return reply{status: kinds[f.Kind].status, page: "console-session", title: form.Sheet.Key, data: form}, nil
}

// atFields says what is wrong with each field of the form of a session.
func atFields(wrong []fault.Field) map[string]string {
	out := map[string]string{}
	for _, x := range wrong {
		name, _, _ := strings.Cut(strings.TrimPrefix(x.Pointer, "/"), "/")
		if name = strings.TrimSuffix(name, "_ppm"); name == "title" {
			name = "title_en"
		}
		if out[name] != "" {
			out[name] += " "
		}
		out[name] += x.Detail
	}
	return out
}

// written is a form as it came; the rows of the policy are one text.
func written(r *request, fields []string) map[string]string {
	out := map[string]string{}
	for _, name := range fields {
		out[name] = r.form(name)
		if name == "policy" {
			out[name] = policyText(r)
		}
	}
	return out
}

// trimmed is written without the spaces around each.
func trimmed(r *request, fields []string) map[string]string {
	out := written(r, fields)
	for name, value := range out {
		out[name] = strings.TrimSpace(value)
	}
	return out
}

func (w *Web) moveSession(r *request) (reply, error) {
	version, err := strconv.Atoi(r.form("version"))
	if err != nil || version < 1 {
		return reply{}, errStaleForm
	}
	if err := w.house.MoveSession(r.ctx, r.viewer, r.param("key"), catalog.Publication(r.form("to")), r.form("note"), version); err != nil {
		return w.unsaved(r, err, nil)
	}
	return back(r, "moved"), nil
}

func (w *Web) copySession(r *request) (reply, error) {
	f := &formReader{r: r}
	c := catalog.CopySession{From: r.param("key"), Key: f.text("key"), Weeks: f.number("weeks"), StartsOn: f.text("starts_on")}
	err := f.fault()
	key := ""
	if err == nil {
		key, err = w.house.CopySession(r.ctx, r.viewer, c)
	}
	if err != nil {
		return w.unsaved(r, err, nil)
	}
	return reply{redirect: "/console/sessions/" + url.PathEscape(key) + "?done=copied"}, nil
}

// What the templates of these pages list.

// SessionLines are the fields of a session that are one line of text each.
func (View) SessionLines() []string {
	return []string{"title_en", "title_fr", "number", "platform", "platform_key", "course_url", "audience", "language", "capacity", "threshold",
		"starts_at", "ends_at", "enrol_from", "enrol_until", "min_days", "production"}
}

// IsTime says which of them are times.
func (View) IsTime(name string) bool {
	return strings.HasSuffix(name, "_at") || strings.HasPrefix(name, "enrol_")
}

// ExerciseKinds are the activities that an exercise can belong to.
func (View) ExerciseKinds() []string { return catalog.ExerciseKinds() }

// SessionKinds are the kinds of sessions.
func (View) SessionKinds() []string {
	return []string{string(catalog.Mooc), string(catalog.Spoc), string(catalog.Hybrid)}
}

// Attendance is what can be said of somebody who has a seat.
func (View) Attendance() []string {
	return []string{workshops.Present, workshops.Absent, workshops.Excused}
}

// Days are what the list of workshop days is made of: the days, and the key of the session on whose page they stand, empty elsewhere.
func (v View) Days(w Workshop, session string) map[string]any {
	return map[string]any{"View": v, "Value": w, "Session": session}
}

// Percents prints millionths as a number to write in a field.
func (View) Percents(ppm *int) string { return percents(*ppm) }
