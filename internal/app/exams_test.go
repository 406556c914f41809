package app_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// fit gives a learner a place with the exam in the session of the world, graded well enough to sit it.
func (w *world) fit(p identity.Person, order, platformID string) (enrolmentID string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		enrolmentID, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: w.session.ID, OrderID: order, Formula: "QUALIFYING",
			Entitlements: []string{"proctored_exam", "certificate"}, Qualifying: true})
		if err == nil {
			err = identity.LinkTx(ctx, tx, p.ID, w.session.Platform, platformID)
		}
		return err
	})
	n, err := strconv.Atoi(platformID) // two reports of a session are not of one instant
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.h.Gradebook.Import(system, gradebook.Intake{SessionID: w.session.ID, FileName: order + ".csv", CollectedAt: w.h.DB.Now().Add(-time.Duration(n) * time.Millisecond),
		Content: report(platformID + "," + p.Email + ",z,0.9,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled")}); err != nil {
		w.t.Fatal(err)
	}
	w.quiet()
	return enrolmentID
}

// examStory writes an exam, plans slots, has a learner book, wait, move, sit and appeal, through the API: every answer is as documented.
func (w *world) examStory(t *testing.T, walker *apitest.Walker, staff, second string) {
	t.Helper()
	awa, ben := w.person("awa.sits@example.org", "Awa Sits"), w.person("ben.waits@example.org", "Ben Waits")
	own := w.fit(awa, "ord_exam_awa", "9001")
	his := w.fit(ben, "ord_exam_ben", "9002")
	s, two := &asker{t: t, w: walker, token: staff}, &asker{t: t, w: walker, token: second}
	a, b := &asker{t: t, w: walker, token: w.tokens(awa)("learning:read", "exams:book")}, &asker{t: t, w: walker, token: w.tokens(ben)("learning:read", "exams:book")}
	at := map[string]string{"session": w.session.Key, "kind": "proctored"}
	if e := a.ask(200, "getExam", at, nil); e["version"] != 0.0 || e["max_attempts"] != 2.0 {
		t.Error("the usual exam:", e)
	}
	a.ask(404, "getExam", map[string]string{"session": w.session.Key, "kind": "practice"}, nil)
	rules := map[string]any{"title": map[string]string{"en": "Final"}, "max_attempts": 2, "limit_minutes": 60, "pass_ppm": 600000, "identity": true, "cancel_hours": 1}
	s.ask(200, "putExam", at, rules)
	s.ask(200, "putExam", at, rules)
	s.ask(412, "putExam", at, rules, func(r *apitest.Request) { r.Header.Set("If-Match", `"7"`) })
	w.quiet()
	starts := w.clock.Now().Add(90 * time.Minute).Truncate(time.Second)
	slot := func(starts time.Time, capacity int) map[string]any {
		return map[string]any{"place": "Dakar", "zone": "Africa/Dakar", "starts_at": starts.Format(time.RFC3339), "ends_at": starts.Add(3 * time.Hour).Format(time.RFC3339), "capacity": capacity}
	}
	first := s.ask(201, "createExamSlot", at, slot(starts, 1))["id"].(string)
	later := s.ask(201, "createExamSlot", at, slot(starts.Add(4*time.Hour), 1))["id"].(string)
	off := map[string]string{"slot": s.ask(201, "createExamSlot", at, slot(starts.Add(8*time.Hour), 1))["id"].(string)}
	s.ask(200, "putExamSlot", off, slot(starts.Add(9*time.Hour), 2))
	s.ask(200, "cancelExamSlot", off, nil)
	mine, waits := map[string]string{"enrolment": own, "slot": first}, map[string]string{"enrolment": his, "slot": first}
	if refused := a.ask(422, "bookExamSlot", mine, nil); refused["code"] != "not-eligible" {
		t.Error("booked without a proof of identity:", refused)
	}
	for _, p := range []identity.Person{awa, ben} {
		s.ask(201, "recordIdentityCheck", map[string]string{"person": p.ID}, map[string]any{"method": "document", "verified": true, "note": "Passport"})
	}
	s.ask(200, "putExamBlock", map[string]string{"enrolment": own}, map[string]any{"blocked": true, "reason": "A doubt"})
	a.ask(422, "bookExamSlot", mine, nil)
	s.ask(200, "putExamBlock", map[string]string{"enrolment": own}, map[string]any{"blocked": false})
	s.ask(200, "putExamAccommodation", map[string]string{"enrolment": own}, map[string]any{"extra_minutes": 0, "percent": 150, "reason": "As agreed"})
	w.quiet()
	sitting := map[string]string{"sitting": a.ask(201, "bookExamSlot", mine, nil)["id"].(string)}
	b.ask(409, "bookExamSlot", waits, nil)
	b.ask(404, "bookExamSlot", mine, nil)
	if row := b.ask(200, "waitForExamSlot", waits, nil); row["state"] != "waiting" || row["ahead"] != 0.0 {
		t.Error(row)
	}
	if all := b.ask(200, "listExamSlots", map[string]string{"session": w.session.Key}, nil)["slots"].([]any); len(all) < 2 || all[0].(map[string]any)["waiting"] != 1.0 {
		t.Error(all)
	}
	b.ask(404, "moveSitting", map[string]string{"sitting": sitting["sitting"], "slot": later}, nil)
	a.ask(200, "moveSitting", map[string]string{"sitting": sitting["sitting"], "slot": later}, nil)
	w.quiet()
	if row := b.ask(200, "waitForExamSlot", waits, nil); row["state"] != "offered" || row["offer_until"] == nil {
		t.Error("her place was not offered to who waits:", row)
	}
	b.ask(204, "leaveExamWaiting", waits, nil)
	b.ask(204, "leaveExamWaiting", waits, nil)
	gone := map[string]string{"sitting": b.ask(201, "bookExamSlot", waits, nil)["id"].(string)}
	a.ask(404, "cancelSitting", gone, nil)
	b.ask(200, "cancelSitting", gone, nil)
	a.ask(400, "actOnSitting", sitting, map[string]any{"event": "start"})
	s.ask(409, "actOnSitting", sitting, map[string]any{"event": "start"})
	w.clock.Advance(331 * time.Minute)
	if attempt := s.ask(200, "actOnSitting", sitting, map[string]any{"event": "start"}); attempt["limit_minutes"] != 90.0 {
		t.Error("150 % of 60 minutes:", attempt)
	}
	s.ask(201, "reportIncident", sitting, map[string]any{"kind": "technical", "severity": 30, "note": "The light went out"})
	a.ask(200, "actOnSitting", sitting, map[string]any{"event": "submit"})
	if all := s.ask(200, "listSittings", nil, nil, query("state=review"))["sittings"].([]any); len(all) != 1 {
		t.Error(all)
	}
	s.ask(200, "actOnSitting", sitting, map[string]any{"event": "reject", "note": "Another hand"})
	w.quiet()
	appeal := map[string]string{"appeal": a.ask(201, "appealSitting", sitting, map[string]any{"reason": "It is my hand"})["id"].(string)}
	if all := s.ask(200, "listAppeals", nil, nil)["appeals"].([]any); len(all) != 1 {
		t.Error(all)
	}
	ruling := map[string]any{"upheld": true, "score_ppm": 700000, "answer": "So it is"}
	s.ask(403, "decideAppeal", appeal, ruling)
	two.ask(200, "decideAppeal", appeal, ruling)
	s.ask(409, "decideAppeal", appeal, ruling)
	w.quiet()
	if y := a.ask(200, "getSitting", sitting, nil); y["sitting"].(map[string]any)["state"] != "passed" || y["incidents"] != nil || y["appeal"].(map[string]any)["state"] != "upheld" {
		t.Error(y)
	}
	if y := s.ask(200, "getSitting", sitting, nil); len(y["incidents"].([]any)) != 1 {
		t.Error(y)
	}
	f := s.ask(200, "getExamFile", map[string]string{"enrolment": own}, nil)
	if len(f["decisions"].([]any)) < 3 || len(f["blocks"].([]any)) != 2 || len(f["sittings"].([]any)) != 1 {
		t.Error(f)
	}
	if c := w.certificate(awa.ID, own); c.ID == "" {
		t.Error("passed on appeal, and no certificate")
	}
	w.results(s, b, his)
	w.proctoring(walker, s)
	walker.Values["slot"], walker.Values["appeal"] = later, appeal["appeal"]
}

// proctoring has a school hold a slot, and one of its teachers proctor who booked it.
func (w *world) proctoring(walker *apitest.Walker, staff *asker) {
	eva, teacher := w.person("eva.sits@example.org", "Eva Sits"), w.person("teacher@rooms.example", "Teacher")
	own := w.fit(eva, "ord_exam_eva", "9003")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return errors.Join(identity.PutOrganisationTx(ctx, tx, "ROOMS", "School with rooms"), identity.PutPartnerRoleTx(ctx, tx, "ROOMS", teacher.ID, identity.RoleTeacher))
	})
	staff.ask(201, "recordIdentityCheck", map[string]string{"person": eva.ID}, map[string]any{"method": "document", "verified": true})
	w.quiet()
	at := map[string]string{"session": w.session.Key, "kind": "proctored"}
	starts := w.clock.Now().Add(30 * time.Minute).Truncate(time.Second)
	slot := staff.ask(201, "createExamSlot", at, map[string]any{"place": "Room 7", "zone": "Africa/Dakar", "starts_at": starts.Format(time.RFC3339), "ends_at": starts.Add(2 * time.Hour).Format(time.RFC3339), "capacity": 5, "organisation": "ROOMS"})["id"].(string)
	e := &asker{t: staff.t, w: walker, token: w.tokens(eva)("learning:read", "exams:book")}
	in := map[string]string{"slot": slot, "sitting": e.ask(201, "bookExamSlot", map[string]string{"enrolment": own, "slot": slot}, nil)["id"].(string)}
	p := &asker{t: staff.t, w: walker, token: w.token(teacher.ID)}
	e.ask(403, "getProctoredSlot", in, nil)
	if all := p.ask(200, "listProctoredSlots", nil, nil)["slots"].([]any); len(all) != 1 {
		staff.t.Error(all)
	}
	p.ask(201, "checkCandidate", in, nil)
	p.ask(200, "proctorSitting", in, map[string]any{"event": "start"})
	p.ask(201, "reportCandidateIncident", in, map[string]any{"kind": "technical", "severity": 10, "note": "The light went out"})
	p.ask(409, "proposeResult", in, nil)
	p.ask(200, "proctorSitting", in, map[string]any{"event": "submit"})
	p.ask(200, "proposeResult", in, nil)
	c := p.ask(200, "getProctoredSlot", in, nil)["candidates"].([]any)[0].(map[string]any)
	if c["proposal"] != "verify" || c["attempt"] != "submitted" || c["incidents"] != 1.0 || c["name"] != "Eva Sits" {
		staff.t.Error(c)
	}
	staff.ask(200, "actOnSitting", in, map[string]any{"event": "verify"})
	w.quiet()
	if x := e.ask(200, "getSitting", in, nil)["sitting"].(map[string]any); x["state"] != "passed" || x["score_ppm"] != 700000.0 {
		staff.t.Error(x)
	}
}

// results has somebody book, and brings in what a file says of his attempt.
func (w *world) results(staff, learner *asker, enrolment string) {
	at := map[string]string{"session": w.session.Key, "kind": "proctored"}
	starts := w.clock.Now().Add(30 * time.Minute).Truncate(time.Second)
	slot := staff.ask(201, "createExamSlot", at, map[string]any{"place": "Online", "zone": "UTC", "starts_at": starts.Format(time.RFC3339), "ends_at": starts.Add(time.Hour).Format(time.RFC3339), "capacity": 5})["id"].(string)
	sitting := map[string]string{"sitting": learner.ask(201, "bookExamSlot", map[string]string{"enrolment": enrolment, "slot": slot}, nil)["id"].(string)}
	w.clock.Advance(2 * time.Hour)
	file := []byte("course_id,email,attempt_code,started_at,status,score\n" + courseKey + ",ben.waits@example.org,PX-1," + starts.Format(time.RFC3339) + ",verified,0.9\n")
	if r := staff.ask(200, "importExamResults", at, file, query("file_name=r.csv&dry_run=true")); r["new"] != 1.0 {
		staff.t.Error(r)
	}
	staff.ask(201, "importExamResults", at, file, query("file_name=r.csv"))
	if r := staff.ask(200, "importExamResults", at, file, query("file_name=r.csv")); r["replayed"] != true {
		staff.t.Error(r)
	}
	staff.ask(422, "importExamResults", at, []byte("a,b\n"), query("file_name=r.csv"))
	if x := learner.ask(200, "getSitting", sitting, nil)["sitting"].(map[string]any); x["state"] != "passed" || x["score_ppm"] != 900000.0 {
		staff.t.Error(x)
	}
	w.quiet()
}

// The way from the rules of an exam to the certificate that a second reviewer gave.
func TestExamsThroughTheAPI(t *testing.T) {
	w := newWorld(t)
	walker := w.walk(w.h)
	staff, second := w.person("staff@example.org", "Staff Member"), w.person("second@example.org", "Second Person")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for _, p := range []identity.Person{staff, second} {
			if err := identity.GrantRoleTx(ctx, tx, p.ID, "exams"); err != nil {
				return err
			}
		}
		return nil
	})
	walker.Values = map[string]string{"If-Match": "*"}
	scopes := []string{"exams:write", "exams:book", "learning:read", "grades:read"}
	w.examStory(t, walker, w.tokens(staff)(scopes...), w.tokens(second)(scopes...))
	w.verify()
}

// slot plans a slot of the exam of the world's session, by the clock of Dakar.
func (w *world) slot(in time.Duration, capacity int) (x exams.Slot) {
	w.t.Helper()
	at := w.h.DB.Now().Add(in).Truncate(time.Minute)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = w.h.Exams.PlanSlotTx(ctx, tx, w.session.ID, exams.Proctored, exams.NewSlot{Place: fmt.Sprint("ESP Dakar, room ", capacity), Zone: "Africa/Dakar", StartsAt: at, EndsAt: at.Add(2 * time.Hour), Capacity: capacity})
		return err
	})
	return x
}

// heldBy plans a slot that a school proctors.
func (w *world) heldBy(organisation, session string) (x exams.Slot) {
	w.t.Helper()
	at := w.h.DB.Now().Add(72 * time.Hour).Truncate(time.Minute)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = w.h.Exams.PlanSlotTx(ctx, tx, session, exams.Proctored, exams.NewSlot{Organisation: organisation, Place: "Room 7", Zone: "Africa/Dakar", StartsAt: at, EndsAt: at.Add(2 * time.Hour), Capacity: 20})
		return err
	})
	return x
}

// elsewhere is a session whose slots no operation of the walk lists.
func (w *world) elsewhere(walker *apitest.Walker) string {
	var id string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &id, postgres.Query{Name: "elsewhere", SQL: "select id from catalog.sessions where key <> $1 and id <> $1 order by id desc limit 1"}, walker.Example("listExamSlots").Path["session"])
	})
	return id
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		var id string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return tx.Get(ctx, &id, postgres.Query{Name: "hers", SQL: "select id from enrolment.enrolments where learner_id = $1 and session_id = $2"}, staff, w.session.ID)
		})
		w.slot(72*time.Hour, 3)
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return errors.Join(identity.PutOrganisationTx(ctx, tx, "ROOMS", "School with rooms"), identity.PutPartnerRoleTx(ctx, tx, "ROOMS", staff, identity.RoleTeacher))
		})
		return map[string]string{"/learning/:id/exam": "/learning/" + id + "/exam", "/proctoring/:slot": "/proctoring/" + w.heldBy("ROOMS", w.session.ID).ID,
			"/console/exams/slots/:id": "/console/exams/slots/" + w.slot(96*time.Hour, 4).ID, "/console/exams/enrolments/:id": "/console/exams/enrolments/" + id,
			"/console/exams/rules": "/console/exams/rules?session=" + w.session.Key}
	})
}

// A learner books her exam on a phone: she sees what it asks for, chooses a time by the clock of its place, changes it, waits where it is
// full, and reads what she has to know.
func TestALearnerBooksHerExamOnAPhone(t *testing.T) {
	w, mails := newSite(t)
	zoe := w.person("zoe@example.org", "Zoé")
	own := w.fit(zoe, "ord_phone", "42")
	other := w.person("other@example.org", "Other")
	his := w.fit(other, "ord_other", "43")
	first, second, full := w.slot(72*time.Hour, 2), w.slot(96*time.Hour, 3), w.slot(120*time.Hour, 1)
	if _, err := w.h.Exams.Book(system, exams.BookSitting{LearnerID: other.ID, EnrolmentID: his, SlotID: full.ID, IdempotencyKey: "o"}); err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	w.signIn(b, mails, "zoe@example.org")
	b.do(chromedp.EmulateViewport(390, 844))
	b.open(w.cfg.BaseURL + "/learning")
	b.press("a[href='/learning/"+own+"/exam']", "#times")
	b.shows("Africa/Dakar", "ESP Dakar, room 2", first.StartsAt.In(first.Location()).Format("15:04"), "Places left: 2", "Every place is taken.")
	b.press("form:has(input[value='"+full.ID+"']) button[value=wait]", "form:has(input[value='"+full.ID+"']) button[value=leave]")
	b.press("form:has(input[value='"+first.ID+"']) button[value=book]", "#booked")
	b.shows("Before you come", "ESP Dakar, room 2", "60 minutes")
	b.press("form:has(input[value='"+second.ID+"']) button[value=move]", "form:has(input[value='"+first.ID+"']) button[value=move]")
	b.seen("exam")
	b.axe("exam")
	var x exams.Sitting
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := exams.OfEnrolmentTx(ctx, tx, own)
		if len(all) == 1 {
			x = all[0]
		}
		return err
	})
	if x.State != exams.Booked || x.SlotID != second.ID {
		t.Errorf("%+v", x)
	}
	w.until("the mail with the time of the place", func() bool {
		files, _ := filepath.Glob(filepath.Join(mails, "*"))
		for _, f := range files {
			raw, err := os.ReadFile(f)
			text := strings.NewReplacer("=\r\n", "", "=\n", "").Replace(string(raw))
			if err == nil && strings.Contains(text, "(Africa/Dakar)") && strings.Contains(text, "ESP Dakar, room 3") {
				return true
			}
		}
		return false
	})
	b.press("button[value=cancel]", "button[value=book]")

	// She fails at the attempt that is included: the next one is to be paid for, and the list says so with its price.
	retake := w.retakesFor(w.session.ID, 6000)
	x, err := w.h.Exams.Book(system, exams.BookSitting{LearnerID: zoe.ID, EnrolmentID: own, SlotID: second.ID, IdempotencyKey: "z"})
	score := 100_000
	if err == nil {
		_, err = w.h.Exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.Failed, ScorePPM: &score})
	}
	if err != nil {
		t.Fatal(err)
	}
	b.open(w.cfg.BaseURL + "/learning/" + own + "/exam")
	b.shows("The retake is paid for", "Pay for another attempt: 60.00")
	if ask[bool](b, `!!document.querySelector("button[value=book]")`) {
		t.Error("she can book what is not paid for")
	}
	b.axe("exam")
	b.press("form:has(input[value='"+retake.ID+"']) button", "#number")
	w.verify()
}
