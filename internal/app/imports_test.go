package app_test

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/gradebook"
)

// anIntake is a report of the session of the world, as it was taken in.
func (w *world) anIntake(text string) gradebook.Collection {
	w.t.Helper()
	c, err := w.h.Gradebook.Import(system, gradebook.Intake{SessionID: w.session.ID, FileName: "r.csv", CollectedAt: w.h.DB.Now(), Content: []byte(text)})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// filesOfAPlatform takes in two reports of PRD-9 at the page: the second one calls an exercise by another name, which is said before it is applied.
func (w *world) filesOfAPlatform(t *testing.T, b tab) {
	t.Helper()
	folder := t.TempDir()
	try := func(name, text, then string) {
		t.Helper()
		if err := os.WriteFile(folder+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{folder + "/" + name}))
		b.press("#try", then)
	}
	b.open(w.cfg.BaseURL + "/console/imports?session=PRD-9")
	b.shows("Nothing yet.")
	try("report_2026-02-01-0900.csv", "id,username,grade,Homework 2: Week 2,Final Exam\n1,ada,0.5,0.5,0.5\n2,bob,0.1,0.2,0\nx\n", "#result")
	b.shows("grade report", "New learners", "1\t2\tnew")
	if value := ask[string](b, `document.querySelector("#leftout").closest("table").textContent`); !strings.Contains(value, "4") {
		t.Error(value)
	}
	b.press("button[value=apply]", "section.good #result")
	try("report_2026-02-08-0900.csv", "id,username,grade,Homework Two: Week 2,Survey,Final Exam\n1,ada,0.2,0,1,0.5\n", "#ask")
	b.shows("Homework Two: Week 2", "Dropped to nought", "bob")
	b.do(chromedp.SetValue(chromedp.CSS("#column0"), `{"label":"Homework Two: Week 2","occurrence":0,"meaning":"exercise","exercise":"Homework 2: Week 2"}`))
	b.do(chromedp.SetValue(chromedp.CSS("#column1"), `{"label":"Survey","occurrence":0,"meaning":"ignored"}`))
	b.seen("imports-mapping")
	b.axeEverywhere("a file that is tried")
	b.press("button[value=try][formnovalidate]", "main:not(:has(#ask)) input[type=checkbox]")
	b.press("button[value=apply]", "section.good #result")
	b.shows("another name of Homework 2: Week 2", "nothing that is graded", "report_2026-02-08-0900.csv", "Staff Member")
	b.seen("imports-done")
	b.axe("a file that was taken in")
	b.press("[aria-label='Take back: Survey']", "p.notice.good")
	b.shows("an exercise of no week")
	w.verify()
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		c := w.anIntake("learner,Homework 1: Week 1,Essay\nnobody@example.org,0.5,1\n")
		return map[string]string{
			"/console/imports":                  "/console/imports /console/imports?session=" + w.session.Key + "",
			"/console/imports/progress":         "/console/imports/progress?once=x",
			"/console/imports/:session/:intake": "/console/imports/" + w.session.Key + "/" + c.ID,
		}
	})
}
