package app_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// confidenceStory leads a learner from a good grade towards the exam, through the API: the mock exam and its result, how others fared, every answer as
// documented.
func (w *world) confidenceStory(t *testing.T, walker *apitest.Walker, staff string) (learner identity.Person, enrolmentID string) {
	t.Helper()
	mia := w.person("mia.dares@example.org", "Mia Dares")
	own := w.fit(mia, "ord_mia", "9101")
	s, m := &asker{t: t, w: walker, token: staff}, &asker{t: t, w: walker, token: w.tokens(mia)("learning:read", "exams:book", "preferences:write")}
	hers := map[string]string{"enrolment": own}
	practice := map[string]any{"title": map[string]string{"en": "Trial"}, "max_attempts": 1, "limit_minutes": 30, "pass_ppm": 500000}
	if got := m.ask(404, "bookMockExam", hers, nil); got["code"] != "no-such-exam" {
		t.Error("a mock exam of a session without one:", got)
	}
	s.ask(200, "putExam", map[string]string{"session": w.session.Key, "kind": "practice"}, practice)
	sitting := m.ask(201, "bookMockExam", hers, nil, keyed("mock-1"))["id"].(string)
	m.ask(409, "bookMockExam", hers, nil, keyed("mock-2"))
	s.ask(200, "recordResult", map[string]string{"sitting": sitting}, map[string]any{"state": "failed", "score_ppm": 420000})
	again := m.ask(201, "bookMockExam", hers, nil, keyed("mock-3"))["id"].(string) // as often as she likes, whatever max_attempts says
	s.ask(200, "recordResult", map[string]string{"sitting": again}, map[string]any{"state": "passed", "score_ppm": 810000})
	w.quiet()
	got := m.ask(200, "getReadiness", hers, nil)
	if got["mock_ppm"] != 810000.0 || got["grade_ppm"] != 900000.0 || got["by"] != nil || got["definition"] != "readiness/1" {
		t.Error("how she stands:", got)
	}
	// whatever the exam asked for before: she proved who she is, and there is a time to come
	s.ask(201, "recordIdentityCheck", map[string]string{"person": mia.ID}, map[string]any{"method": "document", "verified": true}, keyed("identity"))
	starts := w.clock.Now().AddDate(0, 0, 10)
	s.ask(201, "createExamSlot", map[string]string{"session": w.session.Key}, map[string]any{"place": "Dakar", "zone": "Africa/Dakar", "starts_at": starts.Format(time.RFC3339), "ends_at": starts.Add(2 * time.Hour).Format(time.RFC3339), "capacity": 5}, keyed("slot"))
	w.quiet()
	session, coach := map[string]string{"session": w.session.Key}, w.person("coach.calls@example.org", "Coach Calls")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, coach.ID, "coach")
	})
	c := &asker{t: t, w: walker, token: w.tokens(coach)("coaching:write")}
	if got := c.ask(200, "getExamReminders", session, nil); fmt.Sprint(got["days"]) != "[21 7 2]" {
		t.Error("when learners are reminded where nobody says otherwise:", got)
	}
	c.ask(412, "putExamReminders", session, map[string]any{"days": []int{14}, "hold_out": 0}, func(r *apitest.Request) { r.Header.Set("If-Match", `"7"`) })
	c.ask(200, "putExamReminders", session, map[string]any{"days": []int{3, 14}, "hold_out": 0})
	m.ask(200, "putCallNumber", nil, map[string]any{"number": "+221 33 123 45 67"})
	if got := m.ask(200, "getCallNumber", nil, nil); got["number"] != "+221 33 123 45 67" {
		t.Error("her number:", got)
	}
	of := func(query string) map[string]any {
		for _, x := range c.ask(200, "listExamCalls", nil, nil, func(r *apitest.Request) { r.Query = query })["calls"].([]any) {
			if x := x.(map[string]any); x["enrolment_id"] == own {
				return x
			}
		}
		return nil
	}
	if got := of("session=" + w.session.Key); got["reason"] != "not_booked" || got["number"] != "+221 33 123 45 67" || got["email"] != mia.Email {
		t.Error("she is to be called:", got)
	}
	c.ask(422, "assignExamCoach", hers, map[string]any{"coach": mia.ID})
	c.ask(204, "assignExamCoach", hers, map[string]any{"coach": coach.ID})
	c.ask(201, "noteExamCall", hers, map[string]any{"outcome": "call_back", "note": "after work"}, keyed("call-1"))
	c.ask(201, "noteExamCall", hers, map[string]any{"outcome": "call_back", "note": "after work"}, keyed("call-1"))
	if got := of("coach=" + coach.ID); got["last_outcome"] != "call_back" || got["coach"] != "Coach Calls" {
		t.Error("after the call:", got)
	}
	if got := c.ask(200, "listExamContacts", hers, nil)["contacts"].([]any); len(got) != 1 || got[0].(map[string]any)["note"] != "after work" {
		t.Error("once per key:", got)
	}
	c.ask(200, "exportExamCalls", nil, nil)
	c.ask(200, "putExamReminders", session, map[string]any{"days": []int{14}, "hold_out": 500})
	for i := range 40 { // some are drawn by the lot
		p := w.person(fmt.Sprintf("lot%d@example.org", i), "Lot")
		var id string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			id, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: w.session.ID, OrderID: fmt.Sprint("ord_lot", i), Formula: "FREE", Entitlements: []string{"course"}})
			return err
		})
		var held bool
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &held, postgres.Query{Name: "lot", SQL: "select confidence.held_out($1, $2, 500)"}, w.session.ID, p.ID)
		})
		if held {
			if got := c.ask(409, "noteExamCall", map[string]string{"enrolment": id}, map[string]any{"outcome": "reached"}, keyed("lot")); got["code"] != "held-out" {
				t.Error("called whom the lot leaves alone:", got)
			}
			break
		}
	}
	c.ask(200, "putExamReminders", session, map[string]any{"days": []int{14}, "hold_out": 0})
	return mia, own
}

func keyed(key string) func(*apitest.Request) {
	return func(r *apitest.Request) { r.Header.Set("Idempotency-Key", key+"-0123456789") }
}

// From a good grade to the booked exam, through the API and on a phone.
func TestFromAGoodGradeToTheExam(t *testing.T) {
	w, mails := newSite(t)
	walker := w.walk(w.h)
	staff := w.person("staff@example.org", "Staff Member")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, staff.ID, "admin")
	})
	walker.Values = map[string]string{"If-Match": "*"}
	mia, own := w.confidenceStory(t, walker, w.tokens(staff)("exams:write", "exams:book", "learning:read"))
	w.slot(72*time.Hour, 2)
	b := newTab(t)
	w.signIn(b, mails, mia.Email)
	b.do(chromedp.EmulateViewport(390, 844))
	b.open(w.cfg.BaseURL + "/learning")
	b.press("a[href='/learning/"+own+"/readiness']", "#others")
	b.shows("You have met all that the exam asks for", "Too few people", "Attempt 2: ")
	b.seen("readiness")
	b.axe("readiness")
	b.press("a.button[href='/learning/"+own+"/exam']", "#times")
	// the mail that reminds her leads there, through the sign-in
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, postgres.Query{Name: "plan", SQL: "update confidence.plans set days = '{14}' where session_id = $1"}, w.session.ID)
		return err
	})
	if n, err := w.h.Outreach.AskExams(context.Background()); n != 1 || err != nil {
		t.Error("reminded:", n, err)
	}
	if n, err := w.h.Outreach.AskExams(context.Background()); n != 0 || err != nil {
		t.Error("reminded again:", n, err)
	}
	// who calls her notes what came of it, and says when others are reminded
	d := newTab(t)
	w.signIn(d, mails, staff.Email)
	d.open(w.cfg.BaseURL + "/console/exam-calls?session=" + w.session.Key)
	d.shows("Mia Dares", "+221 33 123 45 67", "Call again", "Coach Calls")
	d.do(chromedp.SetValue(chromedp.CSS("#outcome-"+own), "will_book"))
	d.fill("#note-"+own, "after the holidays")
	d.press("article[aria-labelledby=who-"+own+"] button[value=note]", "#who-"+own)
	d.shows("Last: Will book")
	d.do(chromedp.SetValue(chromedp.CSS("#coach-"+own), ""))
	d.press("article[aria-labelledby=who-"+own+"] button[value=assign]", "#who-"+own)
	w.counts(map[string]int{"select count(*) from confidence.contacts where outcome = 'will_book' and note = 'after the holidays' and by = 'staff:" + staff.ID + "'": 1,
		"select count(*) from confidence.coaches where coach is null": 1})
	d.do(chromedp.SetValue(chromedp.CSS("form.toolbar #coach"), "nobody"))
	d.press("form.toolbar button", "#who-"+own)
	d.axe("exam calls")
	d.seen("exam calls")
	d.open(w.cfg.BaseURL + "/console/exam-reminders/" + w.session.Key)
	d.do(chromedp.SetValue(chromedp.CSS("#days"), "30, soon"))
	d.press("#save", "[role=alert]")
	if written := ask[string](d, `document.querySelector("#days").value`); written != "30, soon" {
		t.Errorf("what was written is lost: %q", written)
	}
	d.do(chromedp.SetValue(chromedp.CSS("#days"), "30, 5"), chromedp.SetValue(chromedp.CSS("#hold_out"), "100"))
	d.press("#save", "p.notice.good")
	w.counts(map[string]int{"select count(*) from confidence.plans where days = '{30,5}' and hold_out_ppt = 100": 1})
	d.axe("exam reminders")
	d.press("a[href*='figures/exam_contacts']", "table")
	d.open(w.cfg.BaseURL + "/staff/figures/exam_contacts?lang=fr&days=1&as_of=" + w.clock.Now().Add(1000*time.Hour).UTC().Format(time.RFC3339))
	d.do(chromedp.WaitVisible(chromedp.CSS(".plotted svg rect"))) // who was there before is a group, whoever was reminded or called since
	d.shows("Ont réservé", "avant")
	w.until("the mail that reminds of the exam", func() bool {
		files, _ := filepath.Glob(filepath.Join(mails, "*"))
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if text := strings.NewReplacer("=\r\n", "", "=\n", "").Replace(string(raw)); err == nil && strings.Contains(text, "/learning/"+own+"/exam") && strings.Contains(text, "You may sit the exam") {
				return true
			}
		}
		return false
	})
	w.verify()
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		var id string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &id, postgres.Query{Name: "hers", SQL: "select id from enrolment.enrolments where learner_id = $1 and session_id = $2"}, staff, w.session.ID)
		})
		return map[string]string{"/learning/:id/readiness": "/learning/" + id + "/readiness", "/console/exam-reminders/:session": "/console/exam-reminders/" + w.session.Key}
	})
}
