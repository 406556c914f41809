package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/workshops"
)

// sessionFake is a house with one hybrid session, of which version 3 stands.
type sessionFake struct {
	*fake
	day   workshops.Day
	saved []catalog.Exercise
	put   *catalog.NewSession
	file  string
}

func (f *sessionFake) SessionDesk(_ context.Context, _ Viewer, key string) (d SessionDesk, err error) {
	d.Sheet.Version, d.Sheet.Kind, d.Sheet.Publication, d.Sheet.CourseKey = 3, catalog.Hybrid, catalog.Drafted, "PRD"
	d.Sheet.Key, d.Sheet.Policy = key, catalog.Policy{{Type: "Quiz", WeightPPM: 1_000_000, MinCount: 5, DropCount: 1}}
	d.Sheet.Exercises = []catalog.Exercise{{Label: "Homework; 1", Week: 1, Scored: true, Activity: catalog.Quiz}, {Label: "Lab 02", Week: 2, Activity: catalog.Lab, WeightPPM: 250_000}}
	d.Days = []workshops.Day{f.day}
	return d, nil
}

func (f *sessionFake) SessionVersion(context.Context, Viewer, string, int) (catalog.SessionVersion, error) {
	return catalog.SessionVersion{}, catalog.ErrNoVersion
}

func (f *sessionFake) PutMap(_ context.Context, _ Viewer, _ string, all []catalog.Exercise, version int) error {
	if version != 3 {
		return catalog.ErrChanged
	}
	f.saved = all
	return nil
}

func (f *sessionFake) PutSession(_ context.Context, _ Viewer, _ string, n catalog.NewSession, version int) error {
	if version != 3 {
		return catalog.ErrChanged
	}
	if n.Closed {
		return programs.ErrImpossible.At("/closed", "session-closed", "In the edition E: it is closed.").At("/ends_at", "opens-after-end", "In the edition E: too early.")
	}
	f.put = &n
	return nil
}

func (f *sessionFake) ImportMap(_ context.Context, _ Viewer, in gradebook.ImportMap) (catalog.Proposal, error) {
	f.file = string(in.Content)
	return catalog.ProposeFromLabels(nil, nil, nil, []string{"Lab 02"}), nil
}

func (f *sessionFake) SessionList(_ context.Context, who Viewer, _ catalog.SessionFilter) ([]catalog.SessionSheet, []string, error) {
	d, err := f.SessionDesk(context.Background(), who, "PRD-8")
	return []catalog.SessionSheet{d.Sheet}, []string{"PRD"}, err
}

func (f *sessionFake) MakeSession(context.Context, Viewer, catalog.NewSession) error {
	return catalog.ErrNoCourse
}

func (f *sessionFake) DayDesk(context.Context, Viewer, string) (DayDesk, error) {
	return DayDesk{Day: f.day, Seats: []workshops.Seat{{EnrolmentID: "enr_1", FullName: "Zoé"}}}, nil
}

func (f *sessionFake) WorkOnDay(_ context.Context, _ Viewer, _ string, w DayWork) error {
	if w.Edit != nil && w.Version != 7 {
		return workshops.ErrChanged
	}
	return nil
}

func newSessionFake() *sessionFake {
	return &sessionFake{fake: newFake(), day: workshops.Day{
		ID: "wsd_1", SessionKey: "PRD-8", Place: "Palaiseau", Zone: "Europe/Paris", StartsAt: day, EndsAt: day.Add(7 * time.Hour), Capacity: 12, Currency: "EUR",
		CostMinor: 130_050, State: workshops.Planned, Version: 7,
	}}
}

// The console's pages of sessions and days are whole in both languages.
func TestTheConsoleOfSessionsIsWhole(t *testing.T) {
	app, _ := open(t, newSessionFake(), "http://127.0.0.1:8080")
	for _, path := range []string{"/console/sessions", "/console/sessions/PRD-8", "/console/workshop-days/wsd_1"} {
		for _, lang := range languages {
			answer, body := visitor(t, app, "staff-link").send("GET", path+"?lang="+lang, "")
			if answer.StatusCode != http.StatusOK || strings.Contains(body, "ZgotmplZ") || strings.Contains(body, "{0}") {
				t.Errorf("%s (%s): %d\n%.600s", path, lang, answer.StatusCode, body)
			}
			for _, bad := range wrongIn(t, body) {
				t.Errorf("%s (%s): %s", path, lang, bad)
			}
		}
		if answer, _ := visitor(t, app, "learner-link").send("GET", path, ""); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s is open to learners: %d", path, answer.StatusCode)
		}
	}
}

func mapForm(version string, more ...string) url.Values {
	v := url.Values{
		"version": {version}, "label": {"Homework; 1", "Lab 02", "Final Exam", " "}, "week": {"1", "2", "0", ""}, "scored": {"Y", "N", "Y", "Y"},
		"weight": {"0,5", "25 %", "", ""}, "activity": {"quiz", "lab", "quiz", "quiz"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

// Rows become the map; more rows are asked for without saving; a wrong row or a version that is not the one that stands keeps what was written.
func TestTheMapIsEditedAsRows(t *testing.T) {
	house := newSessionFake()
	app, _ := open(t, house, "http://127.0.0.1:8080")
	b, page, action := visitor(t, app, "staff-link"), "/console/sessions/PRD-8", "/console/sessions/PRD-8/map"
	if answer, body := b.post(page, action, mapForm("3", "more", "yes")); answer.StatusCode != http.StatusOK || strings.Count(body, `name="label"`) != 3+moreRows || house.saved != nil {
		t.Errorf("more rows: %d, %d rows, %v", answer.StatusCode, strings.Count(body, `name="label"`), house.saved)
	}
	if answer, body := b.post(page, action, mapForm("2")); answer.StatusCode != http.StatusPreconditionFailed || !strings.Contains(body, "Final Exam") || !strings.Contains(body, "&#34;Homework; 1&#34;;1;Y;0;quiz") || house.saved != nil {
		t.Errorf("a conflict: %d, %v\n%.300s", answer.StatusCode, house.saved, body)
	}
	wrong := mapForm("3")
	wrong["week"] = []string{"one", "2", "0", ""}
	if answer, body := b.post(page, action, wrong); answer.StatusCode != http.StatusBadRequest || !strings.Contains(body, `value="one"`) || house.saved != nil {
		t.Errorf("a wrong week: %d, %v", answer.StatusCode, house.saved)
	}
	uneven := mapForm("3")
	uneven["week"] = []string{"1"}
	if answer, _ := b.post(page, action, uneven); answer.StatusCode != http.StatusBadRequest || house.saved != nil {
		t.Errorf("uneven rows: %d", answer.StatusCode)
	}
	answer, _ := b.post(page, action, mapForm("3", "gone", "0"))
	want := []catalog.Exercise{{Position: 1, Label: "Lab 02", Week: 2, Activity: "lab", WeightPPM: 250_000}, {Position: 2, Label: "Final Exam", Scored: true, Activity: "quiz"}}
	if answer.StatusCode != http.StatusSeeOther || !slices.Equal(house.saved, want) {
		t.Errorf("%d, %+v", answer.StatusCode, house.saved)
	}
}

// The policy is rows too; a form that was refused keeps the version that it was read with, and says at its fields why.
func TestASessionIsSavedWithItsPolicy(t *testing.T) {
	house := newSessionFake()
	app, _ := open(t, house, "http://127.0.0.1:8080")
	b, page := visitor(t, app, "staff-link"), "/console/sessions/PRD-8"
	form := func(version string) url.Values {
		return url.Values{
			"version": {version}, "kind": {"hybrid"}, "platform": {"fun"}, "threshold": {"50"}, "title_en": {"Mine"}, "policy_type": {"Quiz", "Lab", ""}, "policy_weight": {"40", "60 %", ""},
			"policy_works": {"5", "2", ""}, "policy_drop": {"1", "", ""},
		}
	}
	more := form("3")
	more.Set("more", "yes")
	if answer, body := b.post(page, page, more); answer.StatusCode != http.StatusOK || strings.Count(body, `name="policy_type"`) != 5 || house.put != nil {
		t.Errorf("more rows: %d, %d", answer.StatusCode, strings.Count(body, `name="policy_type"`))
	}
	bad := form("2")
	bad.Set("number", "x")
	if answer, body := b.post(page, page, bad); answer.StatusCode != http.StatusBadRequest || !strings.Contains(body, `name="version" value="2"`) || !strings.Contains(body, `value="Mine"`) {
		t.Errorf("a refused form forgets its version or its text: %d", answer.StatusCode)
	}
	if answer, body := b.post(page, page, form("2")); answer.StatusCode != http.StatusPreconditionFailed || !strings.Contains(body, `id="conflict"`) || !strings.Contains(body, "Lab; 60 %; 2; ") || house.put != nil {
		t.Errorf("a conflict: %d", answer.StatusCode)
	}
	shut := form("3")
	shut.Set("closed", "yes")
	answer, body := b.post(page, page, shut)
	for _, said := range []string{
		`name="closed" value="yes" checked class="wrong" aria-invalid="true" aria-describedby="closed-wrong"`, `id="closed-wrong">In the edition E: it is closed.<`,
		`aria-describedby="ends_at-wrong"`, `id="ends_at-wrong">In the edition E: too early.<`,
	} {
		if answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, said) || house.put != nil {
			t.Errorf("a refusal does not stand at its field: %d, %s", answer.StatusCode, said)
		}
	}
	for _, bad := range wrongIn(t, body) {
		t.Error(bad)
	}
	answer, _ = b.post(page, page, form("3"))
	if want := (catalog.Policy{{Type: "Quiz", WeightPPM: 400_000, MinCount: 5, DropCount: 1}, {Type: "Lab", WeightPPM: 600_000, MinCount: 2}}); answer.StatusCode != http.StatusSeeOther || house.put == nil || !slices.Equal(house.put.Policy, want) {
		t.Errorf("%d, %+v", answer.StatusCode, house.put)
	}
}

// A day that somebody else changed meanwhile is not saved over; a new session that cannot be made comes back as it was written.
func TestADayAndANewSessionKeepWhatWasWritten(t *testing.T) {
	app, _ := open(t, newSessionFake(), "http://127.0.0.1:8080")
	b, at := visitor(t, app, "staff-link"), "/console/workshop-days/wsd_1"
	day := func(version string) url.Values {
		return url.Values{"version": {version}, "edit": {"yes"}, "place": {"Dakar"}, "zone": {"Africa/Dakar"}, "starts_at": {"2027-03-01T09:00"}, "ends_at": {"2027-03-01T16:00"}, "capacity": {"9"}, "currency": {"EUR"}, "cost": {"10,50"}}
	}
	if answer, body := b.post(at, at, day("6")); answer.StatusCode != http.StatusPreconditionFailed || !strings.Contains(body, "<td>Palaiseau</td><td>Dakar</td>") || !strings.Contains(body, `value="10,50"`) {
		t.Errorf("%d\n%.300s", answer.StatusCode, body)
	}
	if answer, _ := b.post(at, at, day("7")); answer.StatusCode != http.StatusSeeOther {
		t.Error(answer.StatusCode)
	}
	answer, body := b.post("/console/sessions", "/console/sessions", url.Values{"key": {"RO-9"}, "course": {"RO"}, "platform": {"fun"}, "kind": {"spoc"}})
	if answer.StatusCode != http.StatusNotFound || !strings.Contains(body, `value="RO-9"`) {
		t.Error(answer.StatusCode)
	}
}
