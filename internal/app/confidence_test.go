package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// confidenceStory leads a learner from a good grade towards the exam, through the API: the mock exam and its result, how others fared, every answer as
// documented.
func (w *world) confidenceStory(t *testing.T, walker *apitest.Walker, staff string) (learner identity.Person, enrolment string) {
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
	walker.Values["enrolment"] = own
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
	w.verify()
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		var id string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &id, postgres.Query{Name: "hers", SQL: "select id from enrolment.enrolments where learner_id = $1 and session_id = $2"}, staff, w.session.ID)
		})
		return map[string]string{"/learning/:id/readiness": "/learning/" + id + "/readiness"}
	})
}
