package app_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// asker sends the requests of a story to the API.
type asker struct {
	t     testing.TB
	w     *apitest.Walker
	token string
	seq   int
}

func (a *asker) ask(want int, operation string, path map[string]string, body any, more ...func(*apitest.Request)) map[string]any {
	a.t.Helper()
	r := a.w.Example(operation)
	r.Token = a.token
	for k, v := range path {
		r.Path[k] = v
	}
	if body != nil {
		if raw, ok := body.([]byte); ok {
			r.Body = raw
			r.Header.Set("Content-Type", "text/csv")
		} else {
			b, err := json.Marshal(body)
			if err != nil {
				a.t.Fatal(err)
			}
			r.Body = b
		}
	}
	if r.Header.Get("Idempotency-Key") != "" {
		a.seq++
		r.Header.Set("Idempotency-Key", operation+strings.Repeat("i", a.seq))
	}
	if r.Header.Get("If-Match") != "" {
		r.Header.Set("If-Match", "*")
	}
	for _, m := range more {
		m(&r)
	}
	got := a.w.Do(a.t, r)
	if got.Status != want {
		a.t.Fatalf("%s: %d, want %d: %.400s", operation, got.Status, want, got.Body)
	}
	out := map[string]any{}
	_ = json.Unmarshal(got.Body, &out)
	return out
}

func query(q string) func(*apitest.Request) { return func(r *apitest.Request) { r.Query = q } }

// hybridStory plans a hybrid session as staff do it through the API, with a learner who comes, produces something and is complete.
func (w *world) hybridStory(t *testing.T, walker *apitest.Walker, staff, learner string, learnerID string) {
	t.Helper()
	s, l := &asker{t: t, w: walker, token: staff}, &asker{t: t, w: walker, token: learner}
	if made := s.ask(201, "createSession", nil, map[string]any{
		"key": "IOT-1", "course": "IOT", "number": 1, "title": map[string]string{"en": "Internet of Things, session 1"}, "platform": "fun", "threshold_ppm": 500000,
		"kind": "hybrid", "platform_key": "course-v1:IMT+IOT+s01", "publication": "draft", "starts_at": "2026-03-16T08:00:00Z", "ends_at": "2026-04-30T16:00:00Z",
	}); made["publication"] != "draft" {
		t.Errorf("it does not say that it is a draft: %v", made)
	}
	at := map[string]string{"session": "IOT-1"}
	s.ask(404, "getSession", at, nil)
	edit := map[string]any{
		"number": 1, "title": map[string]string{"en": "Internet of Things, session 1"}, "platform": "fun", "threshold_ppm": 500000, "kind": "hybrid", "min_days": 1,
		"production_ppm": 500000, "platform_key": "course-v1:IMT+IOT+s01", "capacity": 16, "audience": "professionals", "starts_at": "2026-03-16T08:00:00Z", "ends_at": "2026-04-30T16:00:00Z",
		"policy": []any{map[string]any{"type": "Quiz", "weight_ppm": 1000000, "min_count": 2, "drop_count": 1}},
	}
	s.ask(200, "putSession", at, edit)
	s.ask(412, "putSession", at, edit, func(r *apitest.Request) { r.Header.Set("If-Match", `"1"`) })
	s.ask(409, "moveSession", at, map[string]string{"to": "published"})
	s.ask(200, "moveSession", at, map[string]string{"to": "review"})
	s.ask(200, "moveSession", at, map[string]string{"to": "published", "note": "Read by two of us."})
	s.ask(200, "getSession", at, nil)
	report := []byte("Student ID,Email,Username,Grade,Homework 1: Week 1,Homework (Avg),Lab 02,Final Exam,Enrollment Status\r\n")
	proposal := s.ask(200, "importExercises", at, report, query("dry_run=true"))
	if len(proposal["new"].([]any)) != 3 || len(proposal["unplaced"].([]any)) != 1 || proposal["applied"] != false {
		t.Fatal(proposal)
	}
	s.ask(400, "importExercises", at, []byte("exercise;week\r\nQuiz 1;x\r\n"))
	s.ask(200, "importExercises", at, []byte("\ufeffexercise;week;weight\r\nHomework 1: Week 1;1;0,5\r\nLab 02;2;50 %\r\n"))
	sheet := s.ask(200, "getSessionSheet", at, nil)
	if len(sheet["exercises"].([]any)) != 2 || len(sheet["moves"].([]any)) != 2 || sheet["publication"] != "published" {
		t.Fatal(sheet)
	}
	s.ask(200, "listSessions", nil, nil, query("course=IOT&publication=published&kind=hybrid&from=2026-04-01T00:00:00Z&to=2026-05-01T00:00:00Z"))

	day := func(starts time.Time, capacity int) map[string]any {
		return map[string]any{"place": "Palaiseau", "zone": "Europe/Paris", "starts_at": starts.Format(time.RFC3339), "ends_at": starts.Add(8 * time.Hour).Format(time.RFC3339),
			"capacity": capacity, "currency": "EUR", "cost_minor": 130001, "per_head_minor": 1500}
	}
	starts := w.clock.Now().Add(4 * time.Hour).Truncate(time.Second)
	made := s.ask(201, "createWorkshopDay", at, day(starts, 1))
	d := map[string]string{"day": made["id"].(string)}
	s.ask(422, "createWorkshopDay", map[string]string{"session": w.session.Key}, day(starts, 1))
	off := map[string]string{"day": s.ask(201, "createWorkshopDay", at, day(starts, 1))["id"].(string)}
	s.ask(200, "cancelWorkshopDay", off, nil)
	s.ask(200, "putWorkshopDay", d, day(starts, 2))

	var enrolmentID, other string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err := catalog.SessionTx(ctx, tx, "IOT-1")
		if err != nil {
			return err
		}
		if enrolmentID, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: learnerID, SessionID: x.ID, OrderID: "ord_hybrid", Formula: "WORKSHOP", Entitlements: []string{"workshop"}}); err != nil {
			return err
		}
		return nil
	})
	p := w.person("paul@example.org", "Paul Sow")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err := catalog.SessionTx(ctx, tx, "IOT-1")
		if err != nil {
			return err
		}
		other, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: x.ID, OrderID: "ord_hybrid2", Formula: "WORKSHOP", Entitlements: []string{"workshop"}})
		return err
	})
	mine := map[string]string{"enrolment": enrolmentID, "day": d["day"]}
	l.ask(404, "registerForDay", map[string]string{"enrolment": other}, map[string]string{"day_id": d["day"]})
	l.ask(201, "registerForDay", mine, map[string]string{"day_id": d["day"]})
	l.ask(409, "registerForDay", mine, map[string]string{"day_id": d["day"]})
	l.ask(200, "leaveDay", mine, nil)
	l.ask(201, "registerForDay", mine, map[string]string{"day_id": d["day"]})
	if days := l.ask(200, "listWorkshopDays", at, nil)["days"].([]any); len(days) != 2 || days[0].(map[string]any)["cost_minor"] != nil {
		t.Fatal("a learner sees costs, or not the days:", days)
	}
	s.ask(201, "seatLearner", d, map[string]string{"enrolment_id": other})
	s.ask(409, "recordAttendance", d, map[string]any{"marks": []any{map[string]string{"enrolment_id": enrolmentID, "status": "present"}}})
	s.ask(409, "holdWorkshopDay", d, nil)
	w.clock.Advance(5 * time.Hour)
	s.ask(200, "recordAttendance", d, map[string]any{"marks": []any{map[string]string{"enrolment_id": enrolmentID, "status": "present"}, map[string]string{"enrolment_id": other, "status": "present"}}})
	s.ask(200, "holdWorkshopDay", d, nil)
	s.ask(200, "holdWorkshopDay", d, nil)
	if cost := w.cost(enrolmentID) + w.cost(other); cost != 130001+2*1500 {
		t.Error("the day cost", cost)
	}
	s.ask(200, "recordAttendance", d, map[string]any{"marks": []any{map[string]string{"enrolment_id": other, "status": "absent"}}})
	if a, b := w.cost(enrolmentID), w.cost(other); a != 130001+1500 || b != 0 {
		t.Error("after the correction the day cost", a, b)
	}
	seats := s.ask(200, "getAttendance", d, nil)["seats"].([]any)
	if len(seats) != 2 || seats[0].(map[string]any)["status"] != "absent" || seats[0].(map[string]any)["corrections"] != 1.0 {
		t.Error(seats)
	}
	standing := s.ask(200, "recordProductions", at, map[string]any{"productions": []any{map[string]any{"enrolment_id": enrolmentID, "grade_ppm": 870000}, map[string]any{"enrolment_id": other, "grade_ppm": 400000}}})
	if all := standing["enrolments"].([]any); all[0].(map[string]any)["complete"] != true || all[1].(map[string]any)["complete"] != false {
		t.Error(all)
	}
	if own := l.ask(200, "getWorkshops", mine, nil); own["attended"] != 1.0 || own["complete"] != true {
		t.Error(own)
	}
	l.ask(404, "getWorkshops", map[string]string{"enrolment": other}, nil)
	copied := s.ask(201, "copySession", at, map[string]any{"key": "IOT-2", "starts_on": "2026-10-01"})
	again := s.ask(200, "copySession", at, map[string]any{"key": "IOT-2", "starts_on": "2026-10-01"})
	x := copied["session"].(map[string]any)
	if x["platform_key"] != "course-v1:IMT+IOT+s02" || x["starts_at"] != "2026-10-05T07:00:00Z" || copied["workshop_days"] != 1.0 || again["replayed"] != true {
		t.Error(copied)
	}
}

// cost is what the ledger says that an enrolment cost in euro cents.
func (w *world) cost(enrolmentID string) (minor int64) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &minor, postgres.Query{Name: "test", SQL: `
			select coalesce(sum(e.minor), 0)::bigint from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
			 where e.enrolment_id = $1 and e.account like 'cost:%' and t.currency = 'EUR'`}, enrolmentID)
	})
	return minor
}
