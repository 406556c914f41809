package app_test

import (
	"testing"

	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/lms"
	"cursus/internal/gateways/openedxdouble"
	"cursus/internal/transport/api/apitest"
)

// scheduled has the grades of the session of the world collected, some day.
func (w *world) scheduled() {
	w.t.Helper()
	w.onPlatform()
	if _, err := w.h.Gradebook.PutSchedule(system, w.session.Key, 0, gradebook.NewSchedule{EveryDays: 7, NextAt: w.h.Clock.Now().AddDate(1, 0, 0), Cohorts: []gradebook.PullCohort{{ID: 12, Name: "PRO"}}}); err != nil {
		w.t.Fatal(err)
	}
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		w.scheduled()
		return map[string]string{"/console/sessions/:key/collecting": "/console/sessions/PRD-9/collecting"}
	})
}

// collectingStory has the grades of a session collected, edits when, and has its stages checked and derived anew.
func (w *world) collectingStory(t *testing.T, walker *apitest.Walker, token string) {
	t.Helper()
	w.onPlatform()
	s, session := &asker{t: t, w: walker, token: token}, map[string]string{"session": "PRD-9"}
	body := map[string]any{"every_days": 7, "next_at": "2100-01-04T06:00:00Z", "cohorts": []any{map[string]any{"id": 12, "name": "PRO"}}}
	s.ask(200, "putCollectionSchedule", session, body)
	body["every_days"] = 14
	if put := s.ask(200, "putCollectionSchedule", session, body); put["every_days"] != 14.0 || put["enabled"] != true {
		t.Error(put)
	}
	if got := s.ask(202, "collectGrades", session, nil); got["begun_at"] == nil {
		t.Error(got)
	}
	if got := s.ask(202, "checkStages", session, nil); got["pending"] != true {
		t.Error(got)
	}
	s.ask(200, "rebuildStages", session, nil)
	s.ask(200, "getStageCheck", session, nil)
	if all := s.ask(200, "listStageChecks", nil, nil)["checks"].([]any); len(all) == 0 {
		t.Error("no session is listed")
	}
}

// Staff have what a platform says of a session collected: they see that it is out of reach, go on when it is back, and read what came of it without
// asking for the page again; and have the stages checked that were derived from it.
func TestGradesAreCollectedFromAPage(t *testing.T) {
	double, at := newDouble(t)
	w, mails := newSite(t, at)
	w.onPlatform()
	if _, err := w.h.LMS.Put(system, "fun", 0, lms.NewPlatform{BaseURL: "http://" + at, Auth: lms.OAuth2, ClientID: "cursus", Secret: "client secret", PerMinute: 6000}); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"ada", "bob"} {
		double.Put(openedxdouble.Enrolment{User: user, Course: courseKey, Mode: "honor", Active: true})
	}
	double.SetGrades(courseKey, []openedxdouble.Grade{{UserID: 1, User: "ada", Percent: "0.6", Sections: []openedxdouble.Section{{Label: "HW 01", Percent: "1.0", Attempted: true}}}, {UserID: 2, User: "bob", Percent: "0"}})
	double.Set(openedxdouble.Weather{Down: "error"})
	b := newTab(t)
	w.staffTab(b, mails, "staff@example.org")
	b.open(w.cfg.BaseURL + "/console/sessions/PRD-9/collecting?lang=en")
	b.shows("Nothing is collected of this session.", "never checked", courseKey)
	b.set("next_at", "2100-01-04T06:00")
	b.fill("#cohorts", "PRO")
	b.press("#schedule ~ form button", "#faults")
	b.shows("A group a line: its number on the platform; its name.")
	b.set("cohorts", "12; PRO")
	b.press("#schedule ~ form button", ".notice.good")
	b.shows("The schedule is saved.", "every 7 days")
	b.press("button[value=collect]", "#board .notice")
	until := func(words string) {
		t.Helper()
		w.until(words, func() bool { return ask[bool](b, `document.getElementById("board").innerText.includes("`+words+`")`) })
	}
	until("The platform is out of reach")
	b.axeEverywhere("a platform that is waited for")
	double.Set(openedxdouble.Weather{})
	b.press("button[value=collect]", "#board")
	until("2 learners; 2 new, 0 left, 0 back")
	b.press("button[value=check]", "#board")
	until("of 2 learners. no difference")
	b.axeEverywhere("collected grades")
	b.seen("collected-grades")
	b.open(w.cfg.BaseURL + "/console/sessions/PRD-9/collecting?lang=fr")
	b.shows("Prochaine échéance", "tous les 7 jours", "2 nouveaux", "aucun écart")
	b.open(w.cfg.BaseURL + "/console/stage-checks?lang=en")
	b.shows("PRD-9", "no difference")
	b.seen("stage-checks")
}
