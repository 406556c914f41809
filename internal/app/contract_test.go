package app_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	client "cursus/api"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport/api"
	"cursus/internal/transport/api/apitest"
)

// The whole house, on PostgreSQL, under the matrix of the contract: what the contract does not allow is refused and changes no row;
// nobody sees or moves what is somebody else's; what is strange and allowed is no failure of ours; every answer is as documented.
func TestTheWholeHouseKeepsTheContract(t *testing.T) {
	w := newWorld(t)
	walker := w.walk(w.h)
	unaudited := everyWriteIsAudited(t, walker, testkit.Owner(t, w.dsn))
	zoe := w.person("zoe@example.org", "Zoé N’Diaye 🎓")
	walker.Values = w.certified(zoe.ID)
	e := w.program("WHOLE", nil, money.Of(9999, "EUR"), nil, 10000)
	walker.Values["edition"], walker.Values["offer"] = e.Key, e.offer.ID
	walker.Values["of"], walker.Values["If-Match"] = w.session.Key, "*"
	edition, price := w.networks()
	w.follows(zoe.ID, price, "k-edition")
	maps.Copy(walker.Values, map[string]string{"program": edition.ProgramKey, "edition": edition.Key, "number": "1", "person": zoe.ID})
	staff := w.person("staff@example.org", "Staff Member")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, staff.ID, "admin")
	})
	w.proctors(staff.ID)
	stranger := w.person("stranger@example.org", "Somebody Else")
	w.catalogue()
	walker.Values["collection"] = "FLIRT"
	w.hybridStory(t, walker, w.tokens(staff)(api.Scopes...), w.tokens(zoe)("learning:read", "exams:book"), zoe.ID)
	w.authoringStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.ordersStory(t, walker, w.tokens(zoe)("orders:write", "orders:read"))
	second := w.person("second@example.org", "Second Person")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, second.ID, "refund")
	})
	w.refundsStory(t, walker, w.tokens(zoe)("orders:write", "orders:read"), w.tokens(staff)(api.Scopes...), w.tokens(second)("refunds:write"))
	w.waitingStory(t, walker, w.tokens(stranger)("orders:write", "orders:read"), w.tokens(staff)(api.Scopes...))
	w.pricesStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.accountsStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.waysStory(t, walker, staff, w.tokens(zoe)("orders:write", "orders:read"), w.tokens(staff)(api.Scopes...))
	w.poolsStory(t, walker, zoe, w.tokens(zoe)("orders:write", "orders:read"), w.tokens(staff)(api.Scopes...))
	w.programsStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.accessStory(t, walker, w.tokens(staff)(api.Scopes...))
	badgeStory(t, walker, w.tokens(staff)(api.Scopes...), walker.Values["code"])
	w.certificatesStory(t, walker, w.tokens(staff)(api.Scopes...), zoe.ID)
	w.traceStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.progressStory(t, walker, staff, w.tokens(staff)(api.Scopes...))
	w.webhooksStory(t, walker, w.tokens(staff)(api.Scopes...), w.tokens(stranger)("webhooks:write"))
	w.outreachStory(t, walker, zoe.ID, w.tokens(staff)(api.Scopes...), w.tokens(zoe)("learning:read", "preferences:write"))
	w.cohortsStory(t, walker, w.tokens(stranger)("learning:read"))
	w.surveyStory(t, walker, w.tokens(staff)(api.Scopes...), w.tokens(zoe)("learning:read", "surveys:answer"), w.tokens(stranger)("learning:read", "surveys:answer"))
	w.lmsStory(t, walker, w.tokens(zoe)("learning:read"), w.tokens(staff)(api.Scopes...), w.tokens(stranger)("learning:read"))
	w.collectingStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.rostersStory(t, walker)
	(&asker{t: t, w: walker, token: w.tokens(staff)(api.Scopes...)}).intake()
	w.figuresStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, second.ID, "exams")
	})
	w.examStory(t, walker, w.tokens(staff)(api.Scopes...), w.tokens(second)("exams:write"))
	w.proctorStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.confidenceStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.exportStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.labStory(t, walker, w.tokens(staff)(api.Scopes...))
	w.privacyStory(t, walker, w.tokens(staff)(api.Scopes...), w.tokens(stranger)("privacy:own"))
	w.told() // the provider has nothing more to say, or it would say it between two marks

	rows := everyRow(t, testkit.Owner(t, w.dsn))
	own := []string{"orders:write", "orders:read", "learning:read", "exams:book", "webhooks:write"}
	if sent := walker.BadInput(t, w.tokens(staff), rows); sent < 2000 {
		t.Error("only", sent, "bad requests were sent")
	}
	for _, operation := range []string{"getOrder", "getEligibility", "getCertificate", "getCertificatePdf", "listOrders", "listEnrolments", "getMyPath", "listMyPaths", "getDocument", "getDocumentPdf", "getDocumentXml", "listOrderDocuments"} {
		r := walker.Example(operation)
		r.Token = w.tokens(zoe)(own...)
		if a := walker.Do(t, r); a.Status != 200 {
			t.Errorf("%s of her own: %d %s", operation, a.Status, a.Body)
		}
	}
	hers := walker.Example("issueMyTranscript")
	hers.Token = w.tokens(zoe)("learning:read")
	hers.Header.Set("Idempotency-Key", "transcript")
	var transcript client.Certificate
	if a := walker.Do(t, hers); a.Status != 201 {
		t.Errorf("issueMyTranscript of her own: %d %s", a.Status, a.Body)
	} else if a.JSON(t, &transcript); transcript.Transcript == nil || len(transcript.Transcript.Records) == 0 {
		t.Errorf("%s", a.Body)
	}
	given := walker.Example("awardCertificate")
	given.Token, given.Body = w.tokens(staff)(api.Scopes...), []byte(`{"kind":"transcript","learner_id":"`+zoe.ID+`","edition":"`+walker.Values["edition"]+`"}`)
	given.Header.Set("Idempotency-Key", "transcript")
	var same client.Certificate
	if a := walker.Do(t, given); a.Status != 201 {
		t.Errorf("her transcript, by staff: %d %s", a.Status, a.Body)
	} else if a.JSON(t, &same); same.Id != transcript.Id {
		t.Error("nothing changed, and staff's transcript is another one")
	}
	walker.Scopes(t, w.tokens(staff), api.Scopes)
	walker.OddInput(t, w.tokens(staff))
	w.imports(t, walker, w.tokens(staff)("catalog:write"))
	unaudited()
	for operation, statuses := range walker.NeverAnswered() {
		t.Errorf("%s never answered %v", operation, statuses)
	}
	w.quiet()
	w.verify()
}

// certified leads a learner to a certificate and names the things that came of it.
func (w *world) certified(learner string) map[string]string {
	w.t.Helper()
	o := w.order(learner, w.paid, "k1")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.LinkTx(ctx, tx, learner, w.session.Platform, "42")
	})
	w.clock.Advance(24 * time.Hour)
	w.grades(w.clock.Now(), "42,zoe@example.org,zoe,0.5,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled")
	x, err := w.h.Exams.Book(context.Background(), exams.BookSitting{LearnerID: learner, EnrolmentID: o.Lines[0].Enrolment(), IdempotencyKey: "b1"})
	if err != nil {
		w.t.Fatal(err)
	}
	score := 870_000
	if _, err := w.h.Exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.Passed, ScorePPM: &score}); err != nil {
		w.t.Fatal(err)
	}
	w.quiet()
	c := w.certificate(learner, o.Lines[0].Enrolment())
	return map[string]string{
		"course": "PRD", "session": w.session.Key, "order": o.ID, "offer_id": w.paid.ID, "enrolment": o.Lines[0].Enrolment(), "sitting": x.ID, "certificate": c.ID, "code": c.Code,
	}
}

// everyRow gives a mark of all rows, by their number and the last transaction that wrote one. Tokens are made by the test itself; the sums of figures
// (analytics, platform.touched) are brought up to what was written while it goes on, and say nothing else. The rows are counted again only where the
// snapshot is another than that of the last mark: while it is the same, no transaction that wrote has ended.
func everyRow(t *testing.T, owner *sql.DB) func() string {
	t.Helper()
	var parts []string
	found, err := owner.Query(`SELECT schemaname || '.' || tablename FROM pg_tables
	  WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'analytics') AND schemaname || '.' || tablename NOT IN ('identity.tokens', 'platform.touched') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	var tables []string
	for found.Next() {
		var name string
		if err := found.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
		parts = append(parts, fmt.Sprintf("(SELECT count(*) || ':' || coalesce(max(xmin::text::bigint), 0) FROM %s)", name))
	}
	if err := found.Err(); err != nil || len(parts) < 20 {
		t.Fatal(len(parts), "tables were found:", err)
	}
	statement := "SELECT pg_current_snapshot()::text, " + strings.Join(parts, " || ' ' || ")
	var snapshot, mark string
	return func() string {
		var now string
		if err := owner.QueryRow("SELECT pg_current_snapshot()::text").Scan(&now); err != nil {
			t.Fatal(err)
		}
		if now != snapshot {
			before := strings.Fields(mark)
			if err := owner.QueryRow(statement).Scan(&snapshot, &mark); err != nil {
				t.Fatal(err)
			}
			for i, m := range strings.Fields(mark) {
				if len(before) > i && before[i] != m && !strings.HasPrefix(tables[i], "platform.audit") {
					t.Logf("%s changed: %s, then %s (rows:transaction)", tables[i], before[i], m)
				}
			}
		}
		return mark
	}
}

// proctors has somebody teach at a school too: who proctors is somebody's of a school, and who walks the contract wants every scope.
func (w *world) proctors(person string) {
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "PROCTORS", "Proctors"); err != nil {
			return err
		}
		return identity.PutPartnerRoleTx(ctx, tx, "PROCTORS", person, identity.RoleTeacher)
	})
}

// intake reads one of the session, which the walker knows from then on.
func (s *asker) intake() {
	s.t.Helper()
	all, _ := s.ask(200, "listCollections", nil, nil)["collections"].([]any)
	if len(all) == 0 {
		s.t.Fatal("the session has no grades")
	}
	s.w.Values["intake"], _ = all[0].(map[string]any)["id"].(string)
	if one := s.ask(200, "getCollection", nil, nil); one["id"] != s.w.Values["intake"] {
		s.t.Errorf("%+v", one)
	}
	s.columns()
}

// columns says of a column what it is, once more after somebody else did, and takes it back.
func (s *asker) columns() {
	s.t.Helper()
	read := func(tag string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set("If-Match", tag) }
	}
	say := func(meaning string) any {
		return map[string]any{"columns": []any{map[string]any{"label": "Questionnaire", "meaning": meaning}}}
	}
	s.ask(200, "mapColumns", nil, say("ignored"), read(`"1"`))
	s.ask(412, "mapColumns", nil, say("itself"), read(`"1"`))
	s.ask(400, "mapColumns", nil, say("exercise"), read("*"))
	s.ask(200, "mapColumns", nil, say("itself"), read(`"2"`))
	if m := s.ask(200, "getColumnMapping", nil, nil); len(m["history"].([]any)) != 2 || m["columns"].([]any)[0].(map[string]any)["meaning"] != "itself" {
		s.t.Errorf("%+v", m)
	}
}

// tokens gives API tokens of a person, limited to scopes; each is made once.
func (w *world) tokens(p identity.Person) apitest.Tokens {
	made := map[string]string{}
	return func(scopes ...string) string {
		key := strings.Join(scopes, " ")
		if made[key] == "" {
			secret, _, err := w.h.Identity.NewToken(system, p.ID, "test", scopes, 24*time.Hour)
			if err != nil {
				w.t.Fatal(err)
			}
			made[key] = secret
		}
		return made[key]
	}
}

// programsStory writes a program and an edition of it before the matrix archives them: a session of what is in force is not closed, what is
// archived is not edited.
func (w *world) programsStory(t *testing.T, walker *apitest.Walker, token string) {
	t.Helper()
	s := &asker{t: t, w: walker, token: token}
	course := map[string]any{"course": map[string]any{"key": "LAN", "optional": false, "after": []any{}, "after_any": []any{}, "equivalents": []any{}, "workload_hours": 10, "ects_hundredths": 0}}
	content := map[string]any{
		"title": map[string]any{"en": "Local networks"}, "summary": map[string]any{}, "audience": map[string]any{}, "language": "fr", "organisations": []any{}, "parts": []any{course},
	}
	program, edition := map[string]string{"program": "STORY"}, map[string]string{"edition": "STORY-1"}
	plan := map[string]any{
		"program": "STORY", "title": map[string]any{"en": "Local networks"}, "lang": "fr", "partner": "", "sessions": []any{map[string]any{"session": "LAN-1", "opening": "at_once"}},
	}
	s.ask(200, "putProgramDraft", program, content)
	for _, to := range []string{"review", "published"} {
		s.ask(200, "moveProgram", program, map[string]string{"to": to})
	}
	s.ask(200, "putEdition", edition, plan)
	for _, to := range []string{"review", "published"} {
		s.ask(200, "moveEdition", edition, map[string]string{"to": to})
	}
	session, closed := map[string]string{"session": "LAN-1"}, map[string]any{"title": map[string]any{"en": "Local networks"}, "kind": "mooc", "platform": "fun", "threshold_ppm": 500_000, "closed": true}
	if refused := s.ask(422, "putSession", session, closed); refused["code"] != "edition-cannot-be-followed" || !strings.Contains(fmt.Sprint(refused["errors"]), "/closed") {
		t.Error(refused)
	}
	s.ask(200, "moveEdition", edition, map[string]string{"to": "archived"})
	if refused := s.ask(409, "putEdition", edition, plan); refused["code"] != "edition-archived" {
		t.Error(refused)
	}
	s.ask(200, "moveProgram", program, map[string]string{"to": "archived"})
	if refused := s.ask(409, "putProgramDraft", program, content); refused["code"] != "program-archived" {
		t.Error(refused)
	}
}
