package app_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
)

// Two editors have a session open: what the second one wrote is not saved over the first, and nothing of it is lost.
func TestTwoEditorsOfASession(t *testing.T) {
	w, mails := newSite(t)
	first, second := w.twoEditors(t, mails)
	address := w.cfg.BaseURL + "/console/sessions/PRD-9"
	first.open(address)
	second.open(address)
	first.set("title_en", "Data networks, spring")
	first.set("language", "fr")
	first.press("form[data-keep] .toolbar button", "#title_en[value='Data networks, spring']")
	second.set("title_en", "Data networks, autumn")
	second.set("audience", "bachelor")
	second.press("form[data-keep] .toolbar button", "#conflict")
	second.shows("Data networks, spring", "Data networks, autumn", "Language")
	if said := ask[string](second, `document.getElementById("language").value`); said != "fr" {
		t.Errorf("what the first alone changed stands as %q in the form of the second", said)
	}
	second.seen("session-conflict")
	second.axe("conflict of a session")
	if s := w.sheet("PRD-9"); s.Title.EN != "Data networks, spring" || s.Audience != "" {
		t.Errorf("the second editor's text was saved over the first's: %+v", s)
	}
	second.press("form[data-keep] .toolbar button", "body:not(:has(#conflict))")
	if s := w.sheet("PRD-9"); s.Title.EN != "Data networks, autumn" || s.Audience != "bachelor" || s.Language != "fr" {
		t.Errorf("what was written was lost: %+v", s)
	}
	second.shows("version 3", "version 2", "version 1", "Staff Member", "Data networks, spring", "The session was made.") // who made it say what, and what stood there before
	second.axeEverywhere("a session with its history")
	first.open(address)
	second.open(address)
	first.set("title_en", "Data networks, winter")
	first.press("form[data-keep] .toolbar button", "#title_en[value='Data networks, winter']")
	second.set("number", "none") // what cannot be read does not hide that somebody else saved
	second.press("form[data-keep] .toolbar button", "#conflict")
	second.shows("A whole number.", "Data networks, winter")
	second.set("number", "9")
	second.press("form[data-keep] .toolbar button", "#conflict")
	second.press("form[data-keep] .toolbar button", "p.notice.good")
	if s := w.sheet("PRD-9"); s.Title.EN != "Data networks, winter" || s.Number != 9 {
		t.Errorf("%+v", s)
	}
	first.open(address) // rows of the map: one is added, one is removed
	first.press("form[action$='/map'] button[name=more]", "tbody tr:nth-child(3) input[name=label]")
	first.fill("tbody tr:nth-child(3) input[name=label]", "Final Exam")
	first.fill("tbody tr:nth-child(3) input[name=weight]", "40%")
	first.do(chromedp.Click(chromedp.CSS("input[name=gone][value='0']")))
	first.press("form[action$='/map'] .toolbar button", "tbody tr:nth-child(2) input[name=label][value='Final Exam']")
	if all := w.sheet("PRD-9").Exercises; len(all) != 2 || all[0].Label != "Homework 2: Week 2" || all[1].Label != "Final Exam" || all[1].WeightPPM != 400_000 {
		t.Errorf("%+v", all)
	}
	first.seen("session-rows")
	first.open(w.cfg.BaseURL + "/console/sessions?kind=mooc")
	first.shows("PRD-9")
	first.seen("console-sessions")
	first.fill("#newkey", "PRD-10")
	first.fill("#newen", "Data networks, session 10")
	first.fill("#newplatform", "fun")
	first.press("form[method=post][action='/console/sessions'] button", "#map")
	if s := w.sheet("PRD-10"); s.Publication != catalog.Drafted || s.CourseKey != "PRD" {
		t.Errorf("%+v", s)
	}
	w.filesOfAPlatform(t, first)
}

func (w *world) sheet(key string) (s catalog.SessionSheet) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = catalog.SessionSheetTx(ctx, tx, key)
		return err
	})
	return s
}

// A learner whose formula opens the workshops takes the last seat and gives it back; who is not enrolled sees the days and no button; staff
// move the day.
func TestASeatOnAWorkshopDayInABrowser(t *testing.T) {
	w, mails := newSite(t)
	now := w.h.DB.Now()
	zoe, other := w.person("zoe@example.org", "Zoé N’Diaye"), w.person("other@example.org", "Other")
	var day string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: "IOT-1", CourseKey: "IOT", Title: catalog.Text{EN: "Internet of Things"}, Platform: "fun", Kind: catalog.Hybrid, Language: "fr", MinDays: 1,
		})
		if err != nil {
			return err
		}
		d, err := workshops.CreateDayTx(ctx, tx, s.ID, workshops.NewDay{
			Place: "Dakar, room 4", Zone: "Africa/Dakar", StartsAt: now.Add(48 * time.Hour), EndsAt: now.Add(55 * time.Hour), Capacity: 2, Currency: "XOF", CostMinor: 100_000,
		})
		if err != nil {
			return err
		}
		day = d.ID
		for i, p := range []string{zoe.ID, other.ID} {
			id, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p, SessionID: s.ID, OrderID: fmt.Sprint("ord_seat", i), Formula: "W", Entitlements: []string{"workshop"}})
			if err != nil {
				return err
			}
			if p == other.ID {
				if _, err := workshops.RegisterTx(ctx, tx, d.ID, id, p); err != nil {
					return err
				}
			}
		}
		return nil
	})
	b := newTab(t)
	b.open(w.cfg.BaseURL + "/sessions/IOT-1?lang=en")
	b.shows("Hybrid", "Dakar, room 4", "Seats left: 1")
	b.seen("session-hybrid")
	b.axe("hybrid session")
	w.signIn(b, mails, "zoe@example.org")
	b.open(w.cfg.BaseURL + "/sessions/IOT-1")
	b.press(".days form button", ".days button[name=leave]")
	b.shows("You have a seat", "Every seat is taken")
	b.open(w.cfg.BaseURL + "/learning")
	b.seen("learning-workshop")
	b.axe("my learning with a workshop")
	b.press(".days button[name=leave]", ".days button:not([name=leave])")
	b.shows("Seats left: 1")
	staff := newTab(t)
	w.staffTab(staff, mails, "officer@example.org")
	staff.open(w.cfg.BaseURL + "/console/workshop-days/" + day)
	staff.press("details:not(nav *) > summary", "#place")
	staff.set("place", "Dakar, room 7")
	staff.press("button[name=edit]", "details:not([open])")
	staff.shows("Dakar, room 7")
	staff.seen("day-edit")
	b.open(w.cfg.BaseURL + "/sessions/IOT-1")
	b.shows("Dakar, room 7")
	w.verify()
}

// An officer uploads the exercise map as a CSV, then the header of a grade report: she is told first what would come of it, a broken file
// names its line and changes nothing, and what the report does not name stays.
func TestTheExerciseMapFromFilesInABrowser(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	w.staffTab(b, mails, "officer@example.org")
	folder, form := t.TempDir(), "form[action$='/exercises']"
	upload := func(name, content, then string) {
		t.Helper()
		file := folder + "/" + name
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		b.open(w.cfg.BaseURL + "/console/sessions/PRD-9")
		b.press("details:has(#mapfile) summary", "#mapfile")
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#mapfile"), []string{file}))
		b.press(form+" button[name=dry]", then)
	}
	apply := func() { t.Helper(); b.press(form+" button[name=apply]", "details:has(#mapfile):not([open])") }
	says := func(want string) {
		t.Helper()
		got := ""
		for _, e := range w.sheet("PRD-9").Exercises {
			got += fmt.Sprintf("%s %d %v %s %d; ", e.Label, e.Week, e.Scored, e.Activity, e.WeightPPM)
		}
		if got != want {
			t.Errorf("the map says %s, want %s", got, want)
		}
	}
	before := "Homework 1: Week 1 1 true quiz 0; Homework 2: Week 2 2 true quiz 0; "
	says(before)
	upload("broken.csv", "exercise,week\nHomework 1: Week 1,soon\n", ".notice.bad")
	b.shows("ine 2")
	b.seen("map-refused")
	says(before)
	upload("map.csv", "exercise,week,scored,weight\nHomework 1: Week 1,1,Y,0.25\nLab 02,2,Y,0.75\n", ".notice[role=status] ul")
	b.shows("Lab 02")
	b.seen("map-proposed")
	b.axe("what a map would change")
	says(before)
	apply()
	mapped := "Homework 1: Week 1 1 true quiz 250000; Lab 02 2 true lab 750000; "
	says(mapped)
	upload("report.csv", "id,username,grade,Homework 1: Week 1,Homework 3: Week 3,Homework (Avg),Cohort Name,Enrollment Track,Verification Status,Certificate Eligible,Certificate Delivered,Certificate Type,Enrollment Status\n",
		".notice[role=status] ul")
	b.shows("Homework 3: Week 3")
	says(mapped)
	apply()
	says("Homework 1: Week 1 1 true quiz 250000; Homework 3: Week 3 3 true quiz 0; Lab 02 2 true lab 750000; ")
	w.verify()
}
