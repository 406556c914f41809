package app_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/postgres"
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

// filesOfAPlatform takes in reports of PRD-9 at the page: two that come together with one that is broken, then one that calls an exercise by another
// name, which is said before it is applied.
func (w *world) filesOfAPlatform(t *testing.T, b tab) {
	t.Helper()
	folder := t.TempDir()
	send := func(then string, files ...[2]string) {
		t.Helper()
		var paths []string
		for _, f := range files {
			paths = append(paths, folder+"/"+f[0])
			if err := os.WriteFile(folder+"/"+f[0], []byte(f[1]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		b.open(w.cfg.BaseURL + "/console/imports?session=PRD-9")
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), paths))
		b.press("#try", then)
	}
	b.open(w.cfg.BaseURL + "/console/imports?session=PRD-9")
	b.shows("Nothing yet.")
	send("#result",
		[2]string{"report_2026-02-01-0900.csv", "id,username,grade,Homework 2: Week 2,Final Exam\n1,ada,0.5,0.5,0.5\n2,bob,0.1,0.2,0\nx\n"},
		[2]string{"report_2026-01-25-0900.csv", "id,username,grade,Homework 2: Week 2,Final Exam\n1,ada,0,0.5,0\n"},
		[2]string{"broken_2026-01-31-0900.csv", "id,username,grade,Homework 2: Week 2\n1,\"ada,0.5,0.5\n"})
	b.shows("2 can be taken in, 1 are refused", "grade report", "New learners", "line 2")
	if order := ask[string](b, `Array.from(document.querySelectorAll(".filed h2"), (h) => h.textContent).join()`); order != "report_2026-01-25-0900.csv,broken_2026-01-31-0900.csv,report_2026-02-01-0900.csv" {
		t.Error("not in the order of their collection:", order)
	}
	if value := ask[string](b, `document.querySelector("#left2").closest("table").textContent`); !strings.Contains(value, "4") {
		t.Error(value)
	}
	b.seen("imports-files")
	b.axeEverywhere("files that are tried")
	b.press("button[value=apply]", "#result.good")
	b.shows("2 taken in, 1 refused")
	b.axe("files that were taken in")
	send("#ask", [2]string{"report_2026-02-08-0900.csv", "id,username,grade,Homework Two: Week 2,Survey,Final Exam\n1,ada,0.2,0,1,0.5\n"})
	b.shows("Homework Two: Week 2", "Dropped to nought")
	b.do(chromedp.SetValue(chromedp.CSS("#column0"), `{"label":"Homework Two: Week 2","occurrence":0,"meaning":"exercise","exercise":"Homework 2: Week 2"}`))
	b.do(chromedp.SetValue(chromedp.CSS("#column1"), `{"label":"Survey","occurrence":0,"meaning":"ignored"}`))
	b.seen("imports-mapping")
	b.press("button[value=try][formnovalidate]", "main:not(:has(#ask)) fieldset input[type=checkbox]")
	b.press("button[value=apply]", "#result.good")
	b.press("a[href*='/console/imports/PRD-9/col_']", "#rows")
	b.shows("bob", "left", "The file as it came", "page")
	b.seen("imports-intake")
	b.axeEverywhere("a file that was taken in")
	send("#result", [2]string{"report_2026-02-08-0900.csv", "id,username,grade,Homework Two: Week 2,Survey,Final Exam\n1,ada,0.2,0,1,0.5\n"})
	b.shows("The same file was taken in before")
	b.press("button[value=leave]", "#take")
	b.shows("another name of Homework 2: Week 2", "nothing that is graded", "report_2026-02-08-0900.csv", "Staff Member")
	b.seen("imports-done")
	b.axe("the files of a session")
	b.press("[aria-label='Take back: Survey']", "p.notice.good")
	b.shows("an exercise of no week")
	w.verify()
}

// aBatch is a file that was sent and tried.
func (w *world) aBatch(text string) string {
	w.t.Helper()
	id, err := w.h.Intakes.Begin(system, w.session.ID, true)
	if err == nil {
		err = w.h.Intakes.Receive(system, id, "r_2026-02-01-0900.csv", strings.NewReader(text))
	}
	if err == nil {
		err = w.h.Intakes.Decide(system, id, intakes.Decision{})
	}
	if err == nil {
		err = w.h.Intakes.Work(system, intakes.Asked{BatchID: id})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// filesWith takes in a file of answers, of posts, of results and of profiles that have an address or an id of a learner, and ids of another session on her platform, and has another
// one wait.
func (w *world) filesWith(id, email string) {
	w.t.Helper()
	w.aSurvey()
	for name, text := range map[string]string{
		"answers_2026-01-02-0900.csv": "email,routing before,routing after\n" + email + ",3,8\n",
		"forum_2026-01-02-0900.csv":   "id,created_at,author_email\np1,2026-01-01T09:00:00Z," + email + "\n",
		"results_2026-01-02-0900.csv": "course_id,attempt_code,status,email\nc,A,verified," + email + "\n",
		"people_2026-01-02-0902.csv":  "id,username,name,email,enrollment_mode,year_of_birth\n" + id + ",zoe,Zoé," + email + ",audit,1990\n",
	} {
		if _, err := w.h.Intakes.Take(system, intakes.File{Session: w.session.ID, Name: name, Via: intakes.ByCommand, Source: sheet.Bytes([]byte(text))}); err != nil {
			w.t.Fatal(name, err)
		}
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "IDS-1", CourseKey: "IDS", Title: catalog.Text{EN: "Nobody's"}, Platform: w.session.Platform, ThresholdPPM: 500_000})
		return err
	})
	if _, err := w.h.Intakes.Take(system, intakes.File{Session: "IDS-1", Name: "ids_2026-01-02-0901.csv", Via: intakes.ByCommand, Source: sheet.Bytes([]byte("User ID,Anonymized User ID\n" + id + ",a4711\n"))}); err != nil {
		w.t.Fatal(err)
	}
	w.aBatch("learner,Homework 1: Week 1\n" + email + ",0.5\n")
}

// filesKept counts the files of which bytes are kept, beside those of grades.
func (w *world) filesKept() (n int) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &n, postgres.Query{Name: "files", SQL: `select (select count(distinct import_id) from surveys.pieces) + (select count(*) from exams.result_files where content <> '') + (select count(distinct file_id) from intakes.pieces)
			+ (select count(*) from gradebook.collections where kind in ('profiles', 'anonymised_ids') and content <> '')`})
	})
	return n
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		c := w.anIntake("learner,Homework 1: Week 1,Essay\nnobody@example.org,0.5,1\n")
		batch := w.aBatch("learner,Homework 1: Week 1\nnobody@example.org,0.5\nx,y,z\n")
		return map[string]string{
			"/console/imports":                       "/console/imports /console/imports?session=" + w.session.Key + "",
			"/console/imports/:session/:intake":      "/console/imports/" + w.session.Key + "/" + c.ID,
			"/console/imports/:session/:intake/file": "/console/imports/" + w.session.Key + "/" + c.ID + "/file",
			"/console/files/:batch":                  "/console/files/" + batch,
			"/console/files/:batch/progress":         "/console/files/" + batch + "/progress",
		}
	})
}
