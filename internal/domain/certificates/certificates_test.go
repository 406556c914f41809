package certificates_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/programs"
	"cursus/internal/gateways/pdf"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/origin"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

// site is the room on a database of its own, with a session and an edition of a program that has no other course.
type site struct {
	testing.TB
	db      *postgres.DB
	owner   *sql.DB
	clock   *clock.Manual
	room    *certificates.Service
	exams   *exams.Service
	session catalog.Session
	edition programs.Edition
	n       int
}

func newSite(t testing.TB) *site {
	t.Helper()
	dsn := testkit.OwnerDSN(t)
	s := &site{TB: t, clock: testkit.Clock(), owner: testkit.Owner(t, dsn)}
	s.db = testkit.Open(t, dsn, s.clock)
	printer, err := pdf.New()
	if err != nil {
		t.Fatal(err)
	}
	j := jobs.New(s.db, nil)
	s.exams = exams.New(s.db, j)
	s.room = certificates.New(s.db, j, printer, certificates.Issuer{Code: "IMT", Name: "Institut Mines-Télécom", Signatory: "D. Irector", BaseURL: "https://cursus.test"}, false)
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "École supérieure polytechnique de Dakar"); err != nil {
			return err
		}
		s.session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "NET-1", CourseKey: "NET", Title: catalog.Text{EN: "Networks", FR: "Réseaux"}, Platform: "fun", ThresholdPPM: 500_000})
		if err != nil {
			return err
		}
		content := programs.Content{Title: catalog.Text{EN: "Networks basics", FR: "Bases des réseaux"}, Summary: catalog.Text{EN: "All of it.", FR: "Tout."}, Language: "fr", Organisations: []string{"IMT", "ESP"},
			Parts: []programs.Node{{Course: &programs.CourseRule{Key: "NET", WorkloadHours: 150, ECTSHundredths: 650}}}}
		if _, err := programs.SaveDraftTx(ctx, tx, "BASICS", content, programs.New); err != nil {
			return err
		}
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if _, err := programs.MoveProgramTx(ctx, tx, "BASICS", to, "read", 0); err != nil {
				return err
			}
		}
		s.edition, err = programs.PutEditionTx(ctx, tx, "BASICS-1", programs.EditionPlan{Program: "BASICS", Lang: "fr", Sessions: []programs.SessionPlan{{Session: "NET-1", Opening: programs.AtOnce}}}, programs.New)
		return err
	})
	return s
}

func (s *site) inTx(fn func(ctx context.Context, tx *postgres.Tx) error) {
	s.Helper()
	if err := s.db.InTx(system, "test", fn); err != nil {
		s.Fatal(err)
	}
}

// learner has a formula in the session, and in the edition where it is a member's.
func (s *site) learner(name string, entitlements ...string) (who identity.Person, enrolled string) {
	s.Helper()
	s.n++
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if who, err = identity.PutPersonTx(ctx, tx, fmt.Sprintf("l%d@example.org", s.n), name, "fr"); err != nil {
			return err
		}
		order := fmt.Sprint("ord_", s.n)
		if enrolled, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: who.ID, SessionID: s.session.ID, OrderID: order, Formula: "QUALIFYING", Entitlements: entitlements}); err != nil {
			return err
		}
		_, err = enrolment.AdmitTx(ctx, tx, enrolment.Membership{LearnerID: who.ID, EditionID: s.edition.ID, Version: 1, OrderID: order, Formula: "QUALIFYING", Entitlements: entitlements})
		return err
	})
	return who, enrolled
}

func (s *site) reaches(enrolled string, stage journey.Stage) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: enrolled, Stage: stage, Reached: true, At: tx.Now(), Cause: "col_test"}})
	})
}

// passes sits the exam and passes it.
func (s *site) passes(who identity.Person, enrolled string) (sitting string) {
	s.Helper()
	s.reaches(enrolled, journey.Succeeded)
	x, err := s.exams.Book(system, exams.BookSitting{LearnerID: who.ID, EnrolmentID: enrolled, IdempotencyKey: "b" + enrolled})
	if err != nil {
		s.Fatal(err)
	}
	score := 875_000
	if _, err := s.exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.Passed, ScorePPM: &score}); err != nil {
		s.Fatal(err)
	}
	return x.ID
}

func (s *site) award(kind, learner string) (certificates.Certificate, error) {
	s.n++
	e := certificates.Earned{Kind: kind, LearnerID: learner, Session: s.session.Key}
	if kind == "program" || kind == "transcript" {
		e.Session, e.Edition = "", s.edition.Key
	}
	return s.room.AwardOne(system, fmt.Sprint("a", s.n), e)
}

// holds ends a test: every invariant of the room holds.
func (s *site) holds() {
	s.Helper()
	for _, c := range certificates.Checks() {
		rows, err := postgres.RunCheck(system, s.db, c)
		if err != nil || len(rows) > 0 {
			s.Errorf("%s: %v %v", c.Name, rows, err)
		}
	}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

var all = []string{"knowledge", "proctored_exam", "certificate"}

// Each kind asks for what its row says, and a learner has one live certificate of a kind and a subject.
func TestEachKindAsksForItsOwn(t *testing.T) {
	s := newSite(t)
	zoe, enrolled := s.learner("Zoé Ndiaye", all...)
	free, freely := s.learner("Free", "knowledge")
	for _, kind := range []string{"attestation", "qualifying", "program"} {
		if _, err := s.award(kind, zoe.ID); code(err) != "certificate-not-earned" {
			t.Errorf("%s before anything was done: %v", kind, err)
		}
	}
	s.reaches(freely, journey.Succeeded)
	if c, err := s.award("attestation", free.ID); err != nil || c.Facts.Heading != "Attestation de réussite" || c.Facts.Formula != "QUALIFYING" || c.SittingID != "" {
		t.Error("success is attested, whatever the formula:", c, err)
	}
	if _, err := s.award("program", free.ID); code(err) != "certificate-not-earned" {
		t.Error("a formula without a certificate leads to none:", err)
	}
	sitting := s.passes(zoe, enrolled)
	q, err := s.room.Award(system, sitting)
	if err != nil || q.Kind != "qualifying" || q.Facts.Grade != "87\u00a0%" {
		t.Fatal(q, err)
	}
	if again, err := s.room.Award(system, sitting); err != nil || again.ID != q.ID {
		t.Error("a sitting earns once:", again, err)
	}
	if _, err := s.award("qualifying", zoe.ID); code(err) != "certificate-exists" {
		t.Error("two live ones of a kind:", err)
	}
	p, err := s.award("program", zoe.ID)
	if err != nil || p.Facts.CourseTitle != "Bases des réseaux" || p.Facts.Hours != 150 || p.Facts.ECTSHundredths != 650 || strings.Join(p.Facts.Partners, ";") != "École supérieure polytechnique de Dakar" || p.EnrolmentID != "" {
		t.Fatalf("%+v %v", p, err)
	}
	for _, bad := range []certificates.Earned{{Kind: "program", LearnerID: zoe.ID, Session: "NET-1"}, {Kind: "qualifying", LearnerID: zoe.ID, Edition: "BASICS-1"}} {
		if _, err := s.room.AwardOne(system, "bad"+bad.Kind, bad); fault.From(err).Kind != fault.Invalid {
			t.Error(bad, err)
		}
	}
	if _, err := s.award("diploma", zoe.ID); code(err) != "no-such-kind" {
		t.Error(err)
	}
	// What paid for it is taken back: all that it led to is, and the attestation of the other stays.
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, "ord_1", "refunded")
		return err
	})
	if err := s.room.RevokeUnpaid(system, enrolled, "refunded"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []certificates.Certificate{q, p} {
		if now, err := s.room.Verify(context.Background(), c.Code); err != nil || now.State() != certificates.StateRevoked || now.RevokedReason != "refunded" {
			t.Error(c.Kind, "outlived its payment:", now.State(), err)
		}
		if _, err := s.room.Reinstate(system, c.ID, "why not"); code(err) != "certificate-not-earned" {
			t.Error("reinstated, and nobody paid:", err)
		}
	}
	s.holds()
}

// After a change of the name a certificate is issued anew: the old one is known as replaced for ever, and its document stays as it was.
func TestReissuedRevokedReinstated(t *testing.T) {
	s := newSite(t)
	zoe, enrolled := s.learner("Zoé Ndiaye", all...)
	old, err := s.room.Award(system, s.passes(zoe, enrolled))
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.room.PDF(system, old.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(48 * time.Hour)
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, postgres.Query{Name: "rename", SQL: "update identity.people set full_name = 'Zoé Diop' where id = $1"}, zoe.ID)
		return err
	})
	staff := postgres.WithActor(context.Background(), "staff:per_x")
	if _, err := s.room.Reissue(staff, old.ID, "r0", ""); code(err) != "bad-reason" {
		t.Error(err)
	}
	c, err := s.room.Reissue(staff, old.ID, "r1", "she married")
	if err != nil || c.ID == old.ID || c.Code == old.Code || c.Facts.HolderName != "Zoé Diop" || !c.Facts.IssuedAt.Equal(old.Facts.IssuedAt) || c.Facts.ReissuedAt == nil || c.ReplacesID != old.ID {
		t.Fatalf("%+v %v", c, err)
	}
	if again, err := s.room.Reissue(staff, old.ID, "r1", "she married"); err != nil || again.ID != c.ID {
		t.Error("the same key issues once:", again.ID, err)
	}
	for name, err := range map[string]error{"reissue": second(s.room.Reissue(staff, old.ID, "r2", "again")), "revoke": second(s.room.Revoke(staff, old.ID, "again")), "reinstate": second(s.room.Reinstate(staff, old.ID, "again"))} {
		if code(err) != "certificate-replaced" {
			t.Errorf("%s of what was replaced: %v", name, err)
		}
	}
	then, err := s.room.Verify(context.Background(), old.Code)
	if err != nil || then.State() != certificates.StateReplaced || then.ReplacedByID != c.ID || then.Facts.HolderName != "Zoé Ndiaye" {
		t.Errorf("%+v %v", then, err)
	}
	if after, err := s.room.PDF(system, old.ID); err != nil || !bytes.Equal(before, after) {
		t.Error("the old document changed:", err)
	}
	if _, err := s.room.Reinstate(staff, c.ID, "it holds"); code(err) != "certificate-holds" {
		t.Error(err)
	}
	if now, err := s.room.Revoke(staff, c.ID, "by mistake"); err != nil || now.State() != certificates.StateRevoked {
		t.Error(now.State(), err)
	}
	if _, err := s.room.Reissue(staff, c.ID, "r3", "again"); code(err) != "certificate-revoked-already" {
		t.Error(err)
	}
	s.holds()
	if now, err := s.room.Reinstate(staff, c.ID, "it was one"); err != nil || now.State() != certificates.StateValid {
		t.Error(now.State(), err)
	}
	history, err := s.room.History(staff, c.ID)
	said := ""
	for _, h := range history {
		said += h.Change + " " + h.Reason + " " + h.By + "; "
	}
	if want := "awarded she married staff:per_x; revoked by mistake staff:per_x; reinstated it was one staff:per_x; "; said != want || err != nil {
		t.Errorf("%s\nwant %s (%v)", said, want, err)
	}
	// Meanwhile another may have been earned: the old one cannot come back beside it.
	if _, err := s.room.Revoke(staff, c.ID, "again"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.award("qualifying", zoe.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.room.Reinstate(staff, c.ID, "again"); code(err) != "certificate-exists" {
		t.Error(err)
	}
	some, _, err := s.room.List(staff, certificates.Filter{Session: "NET-1", State: certificates.StateValid, Text: "diop"}, page.Request{Limit: 10})
	if err != nil || len(some) != 1 {
		t.Error(len(some), err)
	}
	s.holds()
}

func second[A any](_ A, err error) error { return err }

// A file is known by its hash alone; one that was changed, by the code that it carries too. Who asks for much that is not there has to wait, and
// who asks for what is there has not.
func TestAFileIsExamined(t *testing.T) {
	s := newSite(t)
	zoe, enrolled := s.learner("Zoé Ndiaye", all...)
	c, err := s.room.Award(system, s.passes(zoe, enrolled))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := s.room.PDF(system, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	sum := sumOf
	ctx := origin.With(context.Background(), "192.0.2.1")
	for _, x := range []struct{ sum, code, state, fault string }{
		{sum(doc), "", "valid", ""}, {strings.ToUpper(sum(doc)), "nonsense", "valid", ""}, {sum(append(doc, ' ')), c.Code, "altered", ""}, {sum(append(doc, ' ')), c.Code[:13] + "-" + strings.ToUpper(c.Code[13:]), "altered", ""},
		{sum(append(doc, ' ')), "", "", "no-such-certificate"}, {sum(append(doc, ' ')), "u" + c.Code[1:], "", "no-such-certificate"}, {"abc", "", "", "invalid-input"},
	} {
		if _, state, err := s.room.Examine(ctx, x.sum, x.code); code(err) != x.fault || err == nil && state != x.state {
			t.Errorf("%.8s %s: %s %v, want %s%s", x.sum, x.code, state, err, x.state, x.fault)
		}
	}
	for i := range 200 {
		if _, err := s.room.Verify(ctx, c.Code); err != nil {
			t.Fatal("what is there may be asked for:", i, err)
		}
	}
	refused := 0
	for i := range 40 {
		if _, err := s.room.Verify(ctx, fmt.Sprint("guess", i)); code(err) == "too-many-unknown-codes" {
			refused++
		}
	}
	if refused != 12 { // 30 a minute, two of which were asked for above
		t.Error(refused, "guesses of 40 were refused")
	}
	if _, err := s.room.Verify(origin.With(ctx, "192.0.2.2"), c.Code); err != nil {
		t.Error("another address is held up:", err)
	}
	s.clock.Advance(time.Minute)
	if _, err := s.room.Verify(ctx, c.Code); err != nil {
		t.Error("a minute later:", err)
	}
}
