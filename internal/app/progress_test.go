package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/privacy"
	"cursus/internal/domain/progress"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"

	"golang.org/x/net/html"
)

// followed makes a session that began some days ago, and a cohort of ESP in it whose n learners have paid at its desk. l0@…, l1@… have the keys
// S0, S1….
func (w *world) followed(n, days int) (c cohorts.Cohort, people []identity.Person) {
	w.t.Helper()
	ann, _ := w.desk()
	exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHomework 1: Week 1,1\nHomework 2: Week 2,2\n"))
	if err != nil {
		w.t.Fatal(err)
	}
	var offer offers.Offer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		from, until := tx.Now().AddDate(0, 0, -days), tx.Now().AddDate(0, 0, 60)
		if w.session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: "PRD-10", CourseKey: "PRD", Title: catalog.Text{EN: "Data networks", FR: "Réseaux de données"}, Platform: "fun", ThresholdPPM: 500_000, Exercises: exercises, StartsAt: &from, EndsAt: &until,
		}); err != nil {
			return err
		}
		offer, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.ID, Formula: offers.Qualifying, Price: money.Of(15000, "EUR")})
		return err
	})
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutPartnerRoleTx(ctx, tx, "ESP", ann.ID, identity.RoleRegistrar)
	})
	by := cohorts.By{PersonID: ann.ID}
	if c, err = w.h.Cohorts.Create(system, by, "cohort", cohorts.NewCohort{Organisation: "ESP", Key: "NET-2026", Name: "Networks 2026", OfferID: offer.ID, Agreement: cohorts.PayAtSchool}); err != nil {
		w.t.Fatal(err)
	}
	var rows []cohorts.Row
	for i := range n {
		people = append(people, w.person(fmt.Sprintf("l%d@esp.example.org", i), fmt.Sprintf("Learner %d", i)))
		rows = append(rows, cohorts.Row{StudentKey: fmt.Sprintf("S%d", i), Email: people[i].Email})
	}
	if _, err := w.h.Cohorts.Enrol(system, by, c.ID, "rows", cohorts.Delta, rows); err != nil {
		w.t.Fatal(err)
	}
	w.quiet()
	members, _, err := w.h.Cohorts.Members(system, by, c.ID, "", "", page.Request{Limit: 100})
	if err != nil || len(members) != n {
		w.t.Fatal(len(members), err)
	}
	for _, m := range members {
		if _, err := w.h.ReceiveAtDesk(staffCtx(ann.ID), ann.ID, "ESP", sales.Receive{OrderID: m.OrderID, Amount: money.Of(15000, "EUR"), Reference: "R-" + m.StudentKey, ReceivedAt: w.h.Clock.Now(), IdempotencyKey: m.ID}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.quiet()
	return c, people
}

// followedGrades are those of twelve learners of followed: the first did all, the second one exercise, the others nothing.
func followedGrades() []string {
	rows := []string{"50,l0@esp.example.org,l0,0.8,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled", "51,l1@esp.example.org,l1,0.3,1.0,Not Attempted,0.5,,honor,N/A,N,N,N/A,enrolled"}
	for i := 2; i < 12; i++ {
		rows = append(rows, fmt.Sprintf("%d,l%d@esp.example.org,l%d,0.0,Not Attempted,Not Attempted,0.0,,honor,N/A,N,N,N/A,enrolled", 50+i, i, i))
	}
	return rows
}

// agrees says whether somebody's school sees how far she is.
func (w *world) agrees(p identity.Person, given bool) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return privacy.SayTx(ctx, tx, p.ID, privacy.School, given)
	})
}

// firstIsCertified lets the first three of followed agree to be seen, and two weeks pass: followedGrades come in, and the first is certified.
func (w *world) firstIsCertified(people []identity.Person) {
	w.t.Helper()
	for _, p := range people[:3] {
		w.agrees(p, true)
	}
	w.clock.Advance(15 * 24 * time.Hour)
	w.grades(w.clock.Now(), followedGrades()...)
	var enrolment string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &enrolment, postgres.Query{Name: "test", SQL: "select id from enrolment.enrolments where learner_id = $1"}, people[0].ID)
	})
	if _, err := w.h.Exams.Book(context.Background(), exams.BookSitting{LearnerID: people[0].ID, EnrolmentID: enrolment, IdempotencyKey: "b"}); err != nil {
		w.t.Fatal(err)
	}
	w.pass(enrolment)
	w.quiet()
}

// A teacher of a school follows its cohort by key: by learner who agrees to it, in files, and in counts that give nobody away; another school
// finds nothing.
func TestASchoolFollowsItsCohort(t *testing.T) {
	w := newWorld(t)
	c, people := w.followed(12, 0)
	w.firstIsCertified(people)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ENS", "ENS Dakar")
	})
	walker := w.walk(w.h)
	by := func(organisation string) *asker {
		return &asker{t: t, w: walker, token: w.partnerKey(organisation, []string{"teacher"}, []string{"cohorts:read"})}
	}
	own, foreign, at := by("ESP"), by("ENS"), map[string]string{"cohort": c.ID}
	learner := func(key string) map[string]any {
		t.Helper()
		for _, l := range own.ask(200, "listCohortProgress", at, nil)["learners"].([]any) {
			if l := l.(map[string]any); l["student_key"] == key {
				if courses := l["courses"].([]any); len(courses) == 1 {
					course := courses[0].(map[string]any)
					course["shared"] = l["shared"]
					return course
				}
				return l
			}
		}
		t.Fatal("nobody is", key)
		return nil
	}
	first := learner("S0")
	if first["stage"] != "certified" || first["pace"] != "on_time" || first["exam"] != "passed" || first["grade_ppm"] != 800_000. || first["passed"] != true || first["certificate"] == nil {
		t.Errorf("%v", first)
	}
	if got := learner("S1"); got["stage"] != "started" || got["pace"] != "behind" || got["grade_ppm"] != 300_000. || got["passed"] != false || got["certificate"] != nil {
		t.Errorf("%v", got)
	}
	if got := learner("S2"); got["stage"] != "enrolled" || got["pace"] != "silent" {
		t.Errorf("%v", got)
	}
	if got := learner("S3"); got["shared"] != false || len(got["courses"].([]any)) != 0 || got["state"] != "enrolled" {
		t.Errorf("somebody who did not agree is shown: %v", got)
	}
	for asked, want := range map[string]string{"stage=certified": "S0", "pace=behind": "S1", "pace=lagging": "S1 S2", "pace=silent&session=PRD-10": "S2", "session=PRD-10&limit=1": "S0", "stage=diligent": ""} {
		var found []string
		for _, l := range own.ask(200, "listCohortProgress", at, nil, query(asked))["learners"].([]any) {
			found = append(found, l.(map[string]any)["student_key"].(string))
		}
		if got := strings.Join(found, " "); got != want {
			t.Errorf("%s finds %q, not %q", asked, got, want)
		}
	}
	candidates := func() (rows map[string]map[string]any, all map[string]any) {
		rows, all = map[string]map[string]any{}, own.ask(200, "listCohortCandidates", at, nil)
		for _, l := range all["learners"].([]any) {
			rows[l.(map[string]any)["student_key"].(string)] = l.(map[string]any)
		}
		return rows, all
	}
	exam := func(l map[string]any) map[string]any { return l["exams"].([]any)[0].(map[string]any) }
	rows, all := candidates()
	if got := exam(rows["S0"]); got["standing"] != "certified" || got["certificate"] == nil {
		t.Errorf("%v", got)
	}
	if got := exam(rows["S1"]); got["standing"] != "not_eligible" || fmt.Sprint(got["missing"]) != "[grade]" {
		t.Errorf("%v", got)
	}
	if got := rows["S3"]; got["shared"] != false || len(got["exams"].([]any)) != 0 {
		t.Errorf("somebody who did not agree is shown: %v", got)
	}
	if cells := all["counts"].([]any)[0].(map[string]any)["cells"].([]any); all["suppressed"] != true || len(cells) != 6 || cells[5].(map[string]any)["count"] != nil {
		t.Errorf("a count of one is told: %v", all["counts"])
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		var id string
		if err := tx.Get(ctx, &id, postgres.Query{Name: "test", SQL: "select id from enrolment.enrolments where learner_id = $1"}, people[1].ID); err != nil {
			return err
		}
		_, err := w.h.Exams.BlockTx(ctx, tx, id, exams.Block{Blocked: true, Reason: "a doubt"})
		return err
	})
	if rows, _ := candidates(); fmt.Sprint(exam(rows["S1"])["missing"]) != "[other grade]" {
		t.Errorf("what is between her and the institute is told, or not at all: %v", rows["S1"])
	}
	foreign.ask(404, "listCohortCandidates", at, nil)
	w.agrees(people[1], false)
	if got := learner("S1"); got["shared"] != false || got["stage"] != nil {
		t.Errorf("somebody who agrees no more is shown: %v", got)
	}
	file := func(operation string, more ...func(*apitest.Request)) string {
		t.Helper()
		r := walker.Example(operation)
		r.Token, r.Path["cohort"], r.Query = own.token, c.ID, ""
		for _, m := range more {
			m(&r)
		}
		return string(walker.Do(t, r).Body)
	}
	w.inLabs(people[2], people[0], people[4])
	w.clock.Advance(5 * time.Minute)
	board := own.ask(200, "getCohortLabBoard", at, nil)
	in := board["learners"].([]any)
	if len(in) != 2 || board["shared"] != 2. || board["members"] != 12. {
		t.Fatalf("somebody who did not agree is on the board: %v", board)
	}
	if asks := in[0].(map[string]any); asks["student_key"] != "S2" || asks["help_since"] == nil || asks["minutes"] != 5. || asks["minutes_left"] != 115. || asks["session"] != "PRD-10" || in[1].(map[string]any)["student_key"] != "S0" {
		t.Errorf("%v", in)
	}
	code := first["certificate"].(map[string]any)["code"].(string)
	if got := file("exportCohortProgress"); !strings.Contains(got, "S0,Learner 0,enrolled,true,PRD-10,certified,0.800,true,on_time,passed,"+code+"\r\n") || !strings.Contains(got, "S1,Learner 1,enrolled,false,,,,,,,\r\n") {
		t.Error(got)
	}
	if got := file("exportCohortProgress", query("stage=certified")); strings.Count(got, "\r\n") != 2 || !strings.Contains(got, "\r\nS0,") {
		t.Error(got)
	}
	if got := file("exportCohortGrades"); !strings.HasPrefix(got, "student_key,letter_grade,percent,passed,error\r\nS0,Pass,0.800,true,\r\n") || !strings.Contains(got, "S1,,,,not-shared\r\nS2,,0.000,false,\r\n") {
		t.Error(got)
	}
	if got := file("exportCohortGrades", query("session=PRD-10")); !strings.HasPrefix(got, "student_key,letter_grade,percent,passed,error\r\nS0,Pass") {
		t.Error(got)
	}
	own.ask(400, "exportCohortGrades", at, nil, query("session=PRD-9"))
	counted := func(a *asker) (certified, learners any) {
		t.Helper()
		s := a.ask(200, "getCohortCounts", at, nil)["sessions"].([]any)[0].(map[string]any)
		return s["furthest"].([]any)[7].(map[string]any)["count"], s["learners"]
	}
	if certified, all := counted(own); certified != nil || all != 12. {
		t.Error("a school is told a count of one:", certified, all)
	}
	officer := w.person("officer@example.org", "Officer")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, officer.ID, "sales")
	})
	if certified, all := counted(&asker{t: t, w: walker, token: w.tokens(officer)("cohorts:read")}); certified != 1. || all != 12. {
		t.Error(certified, all)
	}
	for _, operation := range []string{"listCohortProgress", "getCohortLabBoard", "exportCohortProgress", "exportCohortGrades", "getCohortCounts", "getCohortDigestMail"} {
		foreign.ask(404, operation, at, nil)
		(&asker{t: t, w: walker, token: w.tokens(people[0])("learning:read")}).ask(403, operation, at, nil)
	}
	w.verify()
}

// progressStory follows a cohort whose learners did not come yet.
func (w *world) progressStory(t *testing.T, walker *apitest.Walker, staff identity.Person, token string) {
	t.Helper()
	by := cohorts.By{PersonID: staff.ID}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar")
	})
	c, err := w.h.Cohorts.Create(system, by, "progress", cohorts.NewCohort{Organisation: "ESP", Key: "PROGRESS", Name: "Networks", OfferID: w.paid.ID, Agreement: cohorts.PayAtSchool})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Cohorts.Enrol(system, by, c.ID, "progress rows", cohorts.Delta, []cohorts.Row{{StudentKey: "=1+1"}}); err != nil {
		t.Fatal(err)
	}
	s := &asker{t: t, w: walker, token: token}
	at := map[string]string{"cohort": c.ID}
	if all := s.ask(200, "listCohortProgress", at, nil)["learners"].([]any); len(all) != 1 {
		t.Error(all)
	}
	s.ask(200, "listCohortCandidates", at, nil)
	s.ask(200, "getCohortLabBoard", at, nil)
	for _, operation := range []string{"exportCohortProgress", "exportCohortGrades"} {
		r := walker.Example(operation)
		r.Token, r.Path["cohort"], r.Query = token, c.ID, ""
		if file := string(walker.Do(t, r).Body); !strings.Contains(file, "\r\n'=1+1,") {
			t.Errorf("%s says %s", operation, file)
		}
	}
	s.ask(200, "getCohortCounts", at, nil)
	s.ask(200, "getCohortDigestMail", at, nil)
	s.ask(200, "putCohortDigestMail", at, map[string]any{"wanted": true})
	week := progress.WeekOf(w.clock.Now()).Before()
	r := walker.Example("exportCohortDigest")
	r.Token, r.Path["cohort"], r.Query = token, c.ID, "week="+week.String()
	if paper := walker.Do(t, r); !strings.HasPrefix(string(paper.Body), "%PDF") {
		t.Error(paper.Status, string(paper.Body))
	}
}

// A teacher sees by page how far her cohort is, by name who agrees to it, and finds who is behind; a manager sees the same of the seats that the
// company bought; an owner who orders nothing is shown what she can do; others find nothing.
func TestPagesOfProgress(t *testing.T) {
	w, mails := newSite(t)
	c, people := w.followed(12, 15)
	for _, p := range people[:3] {
		w.agrees(p, true)
	}
	w.grades(w.h.Clock.Now(), followedGrades()...)
	teacher, manager, other := w.person("teacher@esp.example.org", "Teacher"), w.person("manager@acme.example.org", "Manager"), w.person("teacher@ens.example.org", "Other")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return errors.Join(identity.PutOrganisationTx(ctx, tx, "ENS", "ENS Dakar"), identity.PutOrganisationTx(ctx, tx, "ACME", "Acme"), identity.PutPartnerRoleTx(ctx, tx, "ESP", teacher.ID, identity.RoleTeacher),
			identity.PutPartnerRoleTx(ctx, tx, "ESP", teacher.ID, identity.RoleOwner), identity.PutPartnerRoleTx(ctx, tx, "ACME", manager.ID, identity.RoleManager), identity.PutPartnerRoleTx(ctx, tx, "ENS", other.ID, identity.RoleTeacher))
	})
	d, at := w.signedIn(t, mails, teacher.Email), "/cohorts/"+c.ID+"/progress"
	d.open("/cohorts")
	d.says("Networks 2026")
	d.open(at)
	d.says("3 of 12 agree", "12 learners", "kept back", "Learner 0", "80%", "Succeeded", "Learner 11", "does not share her progress")
	found := func() (keys string) {
		t.Helper()
		for _, n := range d.all(func(n *html.Node) bool { return n.Data == "th" && attr(n, "scope") == "row" }) {
			keys += words(n) + " "
		}
		return keys
	}
	d.open(at + "?pace=lagging")
	if got := found(); got != "S1 S2 " {
		t.Errorf("behind are %q", got)
	}
	d.says("Behind", "Silent")
	if csv := string(d.download(at + ".csv?stage=succeeded")); !strings.Contains(csv, "S0,Learner 0,enrolled,true,PRD-10,succeeded,0.800,true,on_time,,") || strings.Contains(csv, "S1,") {
		t.Error(csv)
	}
	if file := string(d.download(at + ".json?pace=behind")); !strings.Contains(file, `"student_key":"S1"`) || strings.Contains(file, "S2") || !strings.Contains(file, `"learners":12`) {
		t.Error(file)
	}
	if csv := string(d.download("/cohorts/" + c.ID + "/grades.csv?session=PRD-10")); !strings.Contains(csv, "S3,,,,not-shared") {
		t.Error(csv)
	}
	w.inLabs(people[2], people[4])
	d.open("/cohorts/" + c.ID + "/labs")
	if d.says("3 of 12 agree", "1 in now", "Learner 2", "asks for help since", "min left"); strings.Contains(words(d.page), "Learner 4") {
		t.Error("who did not agree is on the board")
	}
	w.agrees(people[1], false)
	d.open(at + "?pace=behind&lang=fr")
	d.says("Personne.", "2 sur 12", "Progression : Networks 2026")
	five := w.signedIn(t, mails, people[5].Email)
	sharing := func(page, before, button, after string, seen bool) {
		t.Helper()
		five.open(page)
		five.says("Who sees how far you are", before)
		five.form("/learning/sharing").press("given", button)
		five.says(after)
		d.open(at + "?lang=en")
		d.says(map[bool]string{true: "3 of 12 agree", false: "2 of 12 agree"}[seen])
	}
	sharing("/learning", "ESP Dakar sees that you have a place, and not how far", "1", "ESP Dakar sees how far you are, with your name", true)
	sharing("/learning", "You agreed on", "0", "You said no on", false)
	w.counts(map[string]int{"select count(*) from platform.audit where action like 'consent.%' and actor = 'learner:" + people[5].ID + "'": 2})
	d.open("/organisation?lang=en")
	d.says("My school", "What you can do for ESP Dakar", "Systems and keys", "Webhooks", "What is due")
	d.want = 404
	d.open("/orders/ord_00000000000000000000000000/progress")
	stranger := w.signedIn(t, mails, other.Email)
	for _, page := range []string{"/progress", "/progress.csv", "/progress.json", "/labs"} {
		stranger.want = 404
		stranger.open("/cohorts/" + c.ID + page)
	}
	pool, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: manager.ID, Organisation: "ACME", Items: []sales.Item{{OfferID: w.free.ID, Quantity: 2}}, IdempotencyKey: "pool"})
	if err != nil {
		t.Fatal(err)
	}
	k, err := w.h.Sales.MakeClaimLink(system, sales.NewClaimLink{OrderID: pool.ID, Line: 1, MaxUses: 2, ExpiresAt: w.h.Clock.Now().Add(time.Hour), By: sales.By{PersonID: manager.ID}, IdempotencyKey: "link"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []identity.Person{people[0], people[5]} { // what she did for her school is none of the company's business
		if _, err := w.h.Sales.ClaimSeat(system, k.Token, p.ID); err != nil {
			t.Fatal(err)
		}
	}
	five.open("/learning")
	five.says("ESP Dakar sees that you have a place", "Acme sees that you have a place")
	m := w.signedIn(t, mails, manager.Email)
	m.open("/orders/" + pool.ID + "/progress")
	m.form("/orders/"+pool.ID+"/digest").press("wanted", "1")
	m.says("mailed to manager@acme.example.org each Monday")
	m.form("/orders/"+pool.ID+"/digest").press("wanted", "0")
	m.says("Send me the digest")
	week := progress.WeekOf(w.h.Clock.Now()).Before().String()
	if paper := m.download("/orders/" + pool.ID + "/digest.pdf?week=" + week); !bytes.HasPrefix(paper, []byte("%PDF")) {
		t.Errorf("%.200s", paper)
	}
	d.open(at)
	d.form("/cohorts/"+c.ID+"/digest").press("wanted", "1")
	link := "/digest/" + w.digestLink(c.ID, teacher)
	public := &desk{t: t, w: w, http: &http.Client{}}
	public.open(link + "?lang=en")
	public.says("The weekly digest of Networks 2026 (ESP Dakar).", "Send me no more of these")
	answer, err := public.http.PostForm(w.cfg.BaseURL+link, url.Values{"List-Unsubscribe": {"One-Click"}}) // as a mail program does it
	if err != nil || answer.StatusCode != http.StatusOK || answer.Body.Close() != nil {
		t.Fatal(answer, err)
	}
	d.open(at)
	d.says("Send me the digest")
	m.open("/organisation")
	m.says("What you can do for Acme")
	m.open("/orders/" + pool.ID + "/progress")
	m.says("1 of 2 agree", "Learner 0", "Enrolled", "does not share her progress")
	if strings.Contains(words(m.page), "80%") {
		t.Error("a company sees what somebody did elsewhere")
	}
	stranger.want = 404
	stranger.open("/orders/" + pool.ID + "/progress")
	w.verify()
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		c := w.cohortOf("UADB", staff)
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return identity.PutPartnerRoleTx(ctx, tx, "UADB", staff, identity.RoleManager)
		})
		pool, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: staff, Organisation: "UADB", Items: []sales.Item{{OfferID: w.free.ID, Quantity: 2}}, IdempotencyKey: "progress walk"})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.h.Cohorts.Enrol(system, cohorts.By{PersonID: staff}, c.ID, "progress walk", cohorts.Delta, []cohorts.Row{{StudentKey: "k1", GivenName: "Awa"}}); err != nil {
			w.t.Fatal(err)
		}
		at := map[string]string{}
		for route, of := range map[string]string{"/cohorts/:id": "/cohorts/" + c.ID, "/orders/:id": "/orders/" + pool.ID} {
			at[route+"/progress"], at[route+"/progress.:format"], at[route+"/grades.csv"] = of+"/progress", of+"/progress.csv", of+"/grades.csv?session="+w.session.Key
			at[route+"/labs"], at[route+"/candidates"], at[route+"/candidates.csv"] = of+"/labs", of+"/candidates", of+"/candidates.csv"
			at[route+"/digest.pdf"] = of + "/digest.pdf?week=2026-W01"
		}
		reader := w.person("reader@uadb.example", "Reader")
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return identity.PutPartnerRoleTx(ctx, tx, "UADB", reader.ID, identity.RoleTeacher)
		})
		if err := w.h.Progress.Read(system, reader.ID, c.ID, true); err != nil {
			w.t.Fatal(err)
		}
		at["/digest/:token"] = "/digest/" + w.digestLink(c.ID, reader)
		at["/cohorts/:id/grades.csv"] = "/cohorts/" + c.ID + "/grades.csv"
		return at
	})
}
