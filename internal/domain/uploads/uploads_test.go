package uploads_test

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/cohorts/roster"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/uploads"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

// site is the room on a database of its own, with two schools, their managers and a session.
type site struct {
	testing.TB
	db     *postgres.DB
	owner  *sql.DB
	clock  *clock.Manual
	groups *cohorts.Service
	room   *uploads.Service
	a, b   cohorts.By
	offer  offers.Offer
	n      int
}

func newSite(t testing.TB) *site {
	dsn := testkit.OwnerDSN(t)
	s := &site{TB: t, clock: testkit.Clock(), owner: testkit.Owner(t, dsn)}
	s.db = testkit.Open(t, dsn, s.clock)
	j := jobs.New(s.db, nil)
	till := sales.New(s.db, j, payments.New(s.db, j, nil, "http://cursus.test"), sales.Options{Issuer: invoicing.Issuer{Code: "IMT", Name: "IMT"}})
	desks := func(context.Context, *postgres.Tx, string, money.Currency) (sales.DeskOf, bool, error) {
		return sales.DeskOf{}, false, nil
	}
	var err error
	if s.groups, err = cohorts.New(s.db, j, till, desks, []byte("a secret for tests, long enough 1")); err != nil {
		t.Fatal(err)
	}
	s.room = uploads.New(s.db, j, s.groups, 0)
	if err := s.db.InTx(system, "site", func(ctx context.Context, tx *postgres.Tx) error {
		for organisation, by := range map[string]*cohorts.By{"A": &s.a, "B": &s.b} {
			p, err := identity.PutPersonTx(ctx, tx, organisation+"@staff.example.org", organisation, "en")
			if err != nil {
				return err
			}
			by.PersonID = p.ID
			if err := errors.Join(identity.PutOrganisationTx(ctx, tx, organisation, "School "+organisation), identity.PutPartnerRoleTx(ctx, tx, organisation, p.ID, identity.RoleRegistrar)); err != nil {
				return err
			}
		}
		session, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "NET-1", CourseKey: "NET", Title: catalog.Text{EN: "Networks"}, Platform: "fun", ThresholdPPM: 500_000})
		if err != nil {
			return err
		}
		s.offer, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: session.ID, Formula: offers.Qualifying, Price: money.Of(100_000, "XOF")})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) cohort() cohorts.Cohort {
	s.Helper()
	s.n++
	c, err := s.groups.Create(system, s.a, fmt.Sprint("cohort", s.n), cohorts.NewCohort{Organisation: "A", Key: fmt.Sprint("c", s.n), Name: "Group", OfferID: s.offer.ID, Agreement: cohorts.PayAtSchool})
	if err != nil {
		s.Fatal(err)
	}
	return c
}

func (s *site) take(c cohorts.Cohort, m cohorts.Mode, file string) (uploads.Upload, error) {
	s.n++
	return s.room.Take(context.Background(), s.a, fmt.Sprint("k", s.n), uploads.NewUpload{CohortID: c.ID, FileName: "roster.csv", Mode: m, Content: []byte(file)})
}

// checked sends a file and makes its difference.
func (s *site) checked(c cohorts.Cohort, m cohorts.Mode, file string) uploads.Upload {
	s.Helper()
	u, err := s.take(c, m, file)
	if err != nil {
		s.Fatal(err)
	}
	if u.State != uploads.Checking || u.Difference != nil {
		s.Fatalf("%+v", u)
	}
	if err := s.room.Check(context.Background(), uploads.CheckAsked{UploadID: u.ID}); err != nil {
		s.Fatal(err)
	}
	return s.see(c, u)
}

func (s *site) see(c cohorts.Cohort, u uploads.Upload) uploads.Upload {
	s.Helper()
	u, err := s.room.Upload(context.Background(), s.a, c.ID, u.ID)
	if err != nil {
		s.Fatal(err)
	}
	return u
}

// ask wants an upload applied as it was seen, with how many are absent.
func (s *site) ask(c cohorts.Cohort, u uploads.Upload) error {
	s.n++
	_, err := s.room.Apply(context.Background(), s.a, fmt.Sprint("k", s.n), uploads.Apply{CohortID: c.ID, UploadID: u.ID, Difference: u.Difference.SHA256, Absent: &u.Difference.Absent})
	return err
}

func (s *site) apply(c cohorts.Cohort, u uploads.Upload) uploads.Upload {
	s.Helper()
	if err := errors.Join(s.ask(c, u), s.room.Run(context.Background(), uploads.ApplyAsked{UploadID: u.ID})); err != nil {
		s.Fatal(err)
	}
	return s.see(c, u)
}

func (s *site) outcome(c cohorts.Cohort, u uploads.Upload) string {
	s.Helper()
	file, err := s.room.Outcome(context.Background(), s.a, c.ID, u.ID)
	if err != nil {
		s.Fatal(err)
	}
	return string(file)
}

// roster is who is in a cohort, as the school reads it.
func (s *site) roster(c cohorts.Cohort) string {
	s.Helper()
	file, err := s.room.Roster(context.Background(), s.a, c.ID)
	if err != nil {
		s.Fatal(err)
	}
	return string(file)
}

func (s *site) count(query string) (n int) {
	s.Helper()
	if err := s.owner.QueryRow(query).Scan(&n); err != nil {
		s.Fatal(err)
	}
	return n
}

func (s *site) verify() {
	s.Helper()
	for _, c := range slices.Concat(uploads.Checks(), cohorts.Checks()) {
		if rows, err := postgres.RunCheck(system, s.db, c); err != nil || len(rows) > 0 {
			s.Errorf("%s: %v %v", c.Name, rows, err)
		}
	}
}

func counts(u uploads.Upload) string {
	d := u.Difference
	if d == nil {
		return string(u.State)
	}
	return fmt.Sprintf("%s new %d changed %d unchanged %d absent %d conflicting %d", u.State, d.New, d.Changed, d.Unchanged, d.Absent, d.Conflicting)
}

const class = "student_key,status,email,given_name\nk1,enrolled,ada@example.org,Ada\nk2,pending,,\nk3,nonsense,,\n=k4,enrolled,,\n"

// A file changes nothing until it is applied, and then all that it said; the same again, and what was exported, change nothing.
func TestAnUploadIsSeenAndThenApplied(t *testing.T) {
	s := newSite(t)
	c := s.cohort()
	u := s.checked(c, "", class)
	if counts(u) != "checked new 3 changed 0 unchanged 0 absent 0 conflicting 1" || u.Rows != 4 || u.Mode != cohorts.Delta || u.ConfirmAbsent || u.Unended || u.Progress.Total != 3 {
		t.Fatalf("%+v", u)
	}
	if want := []uploads.Refused{{Line: 4, StudentKey: "k3", Code: "invalid-status"}}; !slices.Equal(u.Difference.Refused, want) {
		t.Error(u.Difference.Refused)
	}
	if s.count("select count(*) from cohorts.members") != 0 {
		t.Fatal("a dry run changed something")
	}
	const outcome = "student_key,status\nk1,enrolled\nk2,suspended\nk3,invalid-status\n'=k4,enrolled\n"
	if got := s.outcome(c, u); got != outcome {
		t.Error(got)
	}
	u = s.apply(c, u)
	if counts(u) != "applied new 3 changed 0 unchanged 0 absent 0 conflicting 1" || u.AppliedAt == nil || s.outcome(c, u) != outcome || u.Progress.Done > u.Progress.Total {
		t.Errorf("%+v", u)
	}
	exported := s.roster(c)
	if exported != "student_key,status,account_exists,username,email\nk1,enrolled,false,,ada@example.org\nk2,suspended,false,,\n'=k4,enrolled,false,,\n" {
		t.Error(exported)
	}
	moves := s.count("select count(*) from cohorts.moves")
	for _, file := range []string{class, exported} {
		again := s.checked(c, cohorts.Bulk, file)
		if d := again.Difference; d.New+d.Changed+d.Absent != 0 || d.Unchanged != 3 {
			t.Error(counts(again))
		}
		s.apply(c, again)
	}
	if s.count("select count(*) from cohorts.moves") != moves {
		t.Error("the same again moved somebody")
	}
	if err := s.ask(c, u); err != nil {
		t.Error("what is applied stays so:", err)
	}
	// A school that gives new keys: who is absent under the old one leaves her address to the new one.
	u = s.apply(c, s.checked(c, cohorts.Bulk, "student_key,status,email\nn1,enrolled,ada@example.org\n"))
	if counts(u) != "applied new 1 changed 0 unchanged 0 absent 3 conflicting 0" {
		t.Error(counts(u), u.Difference.Refused)
	}
	s.verify()
}

// Whoever asks twice with one key has one upload, and another file under the key is refused; another school sees nothing of it.
func TestKeysAndWalls(t *testing.T) {
	s := newSite(t)
	c, ctx := s.cohort(), context.Background()
	n := uploads.NewUpload{CohortID: c.ID, FileName: `C:\rosters\`, Content: []byte(class)}
	one, err := s.room.Take(ctx, s.a, "one", n)
	two, err2 := s.room.Take(ctx, s.a, "one", n)
	if err != nil || err2 != nil || one.ID != two.ID || s.count("select count(*) from uploads.uploads") != 1 {
		t.Fatal(one, two, err, err2)
	}
	n.Content = []byte("student_key,status\nk1,enrolled\n")
	if _, err := s.room.Take(ctx, s.a, "one", n); !errors.Is(err, idempotency.ErrReused) {
		t.Error(err)
	}
	if err := s.ask(c, uploads.Upload{ID: one.ID, Difference: &uploads.Difference{}}); !errors.Is(err, uploads.ErrUnchecked) {
		t.Error("applied unseen:", err)
	}
	_, takeErr := s.room.Take(ctx, s.b, "b", n)
	_, seeErr := s.room.Upload(ctx, s.b, c.ID, one.ID)
	_, _, listErr := s.room.Uploads(ctx, s.b, c.ID, page.Request{Limit: 10})
	_, outErr := s.room.Outcome(ctx, s.b, c.ID, one.ID)
	_, rosterErr := s.room.Roster(ctx, s.b, c.ID)
	_, applyErr := s.room.Apply(ctx, s.b, "b", uploads.Apply{CohortID: c.ID, UploadID: one.ID})
	for _, err := range []error{takeErr, seeErr, listErr, outErr, rosterErr, applyErr} {
		if !errors.Is(err, cohorts.ErrNoCohort) {
			t.Error("another school:", err)
		}
	}
	other := s.cohort()
	if _, err := s.room.Upload(ctx, s.a, other.ID, one.ID); !errors.Is(err, uploads.ErrNoUpload) {
		t.Error("an upload of another cohort:", err)
	}
	if _, err := s.room.Apply(ctx, s.a, "other", uploads.Apply{CohortID: other.ID, UploadID: one.ID}); !errors.Is(err, uploads.ErrNoUpload) {
		t.Error("an upload of another cohort:", err)
	}
	all, _, err := s.room.Uploads(ctx, s.a, c.ID, page.Request{Limit: 10})
	if err != nil || len(all) != 1 || all[0].ID != one.ID {
		t.Error(all, err)
	}
	// The walls of the database, too: the manager of the school sees a row, that of another one none.
	for by, want := range map[cohorts.By]int{s.a: 1, s.b: 0} {
		if err := s.db.View(postgres.WithActor(ctx, "learner:"+by.PersonID), "wall", func(ctx context.Context, tx *postgres.Tx) error {
			var n, m int
			err := errors.Join(tx.Get(ctx, &n, postgres.Query{Name: "wall", SQL: "select count(*) from uploads.uploads"}), tx.Get(ctx, &m, postgres.Query{Name: "wall", SQL: "select count(*) from uploads.contents"}))
			if n != want || m != want {
				t.Error(by, n, m)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	// Who may not act any more when the job runs changes nothing.
	u := s.checked(c, "", class)
	if err := s.ask(c, u); err != nil {
		t.Fatal(err)
	}
	if err := s.db.InTx(system, "drop", func(ctx context.Context, tx *postgres.Tx) error {
		return identity.DropPartnerRoleTx(ctx, tx, "A", s.a.PersonID, identity.RoleRegistrar, false)
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.room.Run(ctx, uploads.ApplyAsked{UploadID: u.ID}); err != nil {
		t.Fatal(err)
	}
	if s.count("select count(*) from uploads.uploads where state = 'failed' and problem = 'no-such-cohort'") != 1 || s.count("select count(*) from cohorts.members") != 0 {
		t.Error("who may not act any more enrolled somebody")
	}
	s.verify()
}

// A file of fifty that is cut anywhere, as the full truth about a cohort of fifty: it is refused, or its difference says who is missing
// and nothing is changed before somebody says how many they are.
func TestCutAtEveryByte(t *testing.T) {
	s := newSite(t)
	c := s.cohort()
	var b strings.Builder
	b.WriteString("student_key,status\n")
	for i := range 50 {
		fmt.Fprintf(&b, "k%02d,enrolled\n", i)
	}
	whole := b.String()
	s.apply(c, s.checked(c, cohorts.Bulk, whole))
	before, taken := s.roster(c), 0
	for n := range whole {
		u, err := s.take(c, cohorts.Bulk, whole[:n])
		if errors.Is(err, roster.ErrRefused) {
			continue
		}
		if err != nil {
			t.Fatal(n, err)
		}
		taken++
		if err := s.room.Check(context.Background(), uploads.CheckAsked{UploadID: u.ID}); err != nil {
			t.Fatal(err)
		}
		u = s.see(c, u)
		lines := strings.Count(whole[:n], "\n") - 1
		complete := n == len(whole)-1 && strings.HasSuffix(whole[:n], "enrolled") || whole[n-1] == '\n' || strings.HasSuffix(whole[:n], ",enrolled")
		if !complete {
			lines++ // it is there, with a status that is none
		}
		if strings.HasSuffix(whole[:n], ",enrolled") {
			lines++
		}
		if d := u.Difference; d.Absent != 50-lines || d.New+d.Changed != 0 || u.Unended != (whole[n-1] != '\n') || (d.Conflicting == 1) == complete {
			t.Fatalf("%d %q: %s", n, whole[max(0, n-20):n], counts(u))
		}
		s.n++
		_, err = s.room.Apply(context.Background(), s.a, fmt.Sprint("k", s.n), uploads.Apply{CohortID: c.ID, UploadID: u.ID, Difference: u.Difference.SHA256})
		if (u.Difference.Absent > 0) != errors.Is(err, uploads.ErrAbsent) {
			t.Fatal(n, counts(u), err)
		}
		if err == nil {
			if err := s.room.Run(context.Background(), uploads.ApplyAsked{UploadID: u.ID}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if taken < 50 || taken > len(whole)-50 || s.roster(c) != before {
		t.Error("of", len(whole), "cuts", taken, "were read; the cohort is now", s.roster(c))
	}
	// Said and confirmed it is done, all of it.
	u := s.checked(c, cohorts.Bulk, whole[:strings.Index(whole, "k40")])
	wrong := 9
	if _, err := s.room.Apply(context.Background(), s.a, "wrong", uploads.Apply{CohortID: c.ID, UploadID: u.ID, Difference: u.Difference.SHA256, Absent: &wrong}); !errors.Is(err, uploads.ErrAbsent) {
		t.Error(err)
	}
	if u = s.apply(c, u); u.Difference.Absent != 10 || strings.Count(s.roster(c), ",canceled,") != 10 || !strings.HasSuffix(s.outcome(c, u), "k49,canceled\n") {
		t.Error(counts(u), s.roster(c))
	}
	s.verify()
}

// Where the database fails in the middle of a file, nothing of it is there; tried again, all of it is.
func TestHalfAFileIsNothing(t *testing.T) {
	s := newSite(t)
	c := s.cohort()
	u := s.checked(c, "", class)
	if err := s.ask(c, u); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"cohorts.members", "cohorts.moves", "uploads.uploads"} {
		event := map[bool]string{true: "before update", false: "before insert"}[table == "uploads.uploads"]
		for _, x := range []string{
			"create or replace function public.dark() returns trigger language plpgsql as $$ begin if (select count(*) from cohorts.members) > 0 or tg_table_name <> 'members' then raise 'the lights went out'; end if; return new; end $$",
			"create trigger dark " + event + " on " + table + " for each row execute function public.dark()",
		} {
			if _, err := s.owner.Exec(x); err != nil {
				t.Fatal(err)
			}
		}
		err := s.room.Run(context.Background(), uploads.ApplyAsked{UploadID: u.ID})
		if table == "cohorts.members" && err == nil {
			break // one statement sees no row of its own: it is all or nothing by itself
		}
		if err == nil || s.count("select count(*) from cohorts.members")+s.count("select count(*) from cohorts.moves") != 0 || s.see(c, u).State != uploads.Applying {
			t.Error(table, "half a file:", err, s.roster(c))
		}
		if _, err := s.owner.Exec("drop trigger dark on " + table); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the job may run twice
		if err := s.room.Run(context.Background(), uploads.ApplyAsked{UploadID: u.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if s.see(c, u).State != uploads.Applied || s.count("select count(*) from cohorts.members") != 3 || s.count("select count(*) from cohorts.moves") != 3 {
		t.Error(s.roster(c))
	}
	s.verify()
}

// What somebody else wrote between the look and the act is not overwritten unseen: the upload says its fresh difference.
func TestTheDifferenceChangedMeanwhile(t *testing.T) {
	s := newSite(t)
	c, ctx := s.cohort(), context.Background()
	u := s.checked(c, "", class)
	seen := u
	if err := s.ask(c, u); err != nil {
		t.Fatal(err)
	}
	if _, err := s.groups.Enrol(ctx, s.a, c.ID, "meanwhile", cohorts.Delta, []cohorts.Row{{StudentKey: "k2", Status: "enrolled"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.room.Run(ctx, uploads.ApplyAsked{UploadID: u.ID}); err != nil {
		t.Fatal(err)
	}
	u = s.see(c, u)
	if counts(u) != "checked new 2 changed 1 unchanged 0 absent 0 conflicting 1" || u.Problem != uploads.ErrDifference.Code || s.count("select count(*) from cohorts.members") != 1 {
		t.Fatalf("%+v %s", u, s.roster(c))
	}
	if err := s.ask(c, seen); !errors.Is(err, uploads.ErrDifference) {
		t.Error("the old difference was taken:", err)
	}
	if u = s.apply(c, u); counts(u) != "applied new 2 changed 1 unchanged 0 absent 0 conflicting 1" || u.Problem != "" {
		t.Error(counts(u), u.Problem)
	}
	s.verify()
}

// One upload of a cohort is applied at a time, whoever asks at once; others are told so, and so is who sends another file meanwhile.
func TestOneAtATime(t *testing.T) {
	s := newSite(t)
	c, ctx := s.cohort(), context.Background()
	const many = 6
	var all [many]uploads.Upload
	for i := range all {
		all[i] = s.checked(c, "", fmt.Sprintf("student_key,status\nk%d,enrolled\n", i))
	}
	var group sync.WaitGroup
	var errs [many]error
	for i := range all {
		group.Go(func() {
			_, errs[i] = s.room.Apply(ctx, s.a, fmt.Sprint("at once", i), uploads.Apply{CohortID: c.ID, UploadID: all[i].ID, Difference: all[i].Difference.SHA256})
		})
	}
	group.Wait()
	first := -1
	for i, err := range errs {
		switch {
		case err == nil && first < 0:
			first = i
		case err == nil || !errors.Is(err, uploads.ErrBusy):
			t.Error(i, err)
		}
	}
	if first < 0 {
		t.Fatal("nobody could")
	}
	if _, err := s.take(c, "", class); !errors.Is(err, uploads.ErrBusy) {
		t.Error("a file was looked at while another one was applied:", err)
	}
	for range 3 {
		group.Go(func() {
			if err := s.room.Run(ctx, uploads.ApplyAsked{UploadID: all[first].ID}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if s.see(c, all[first]).State != uploads.Applied || s.count("select count(*) from cohorts.moves") != 1 {
		t.Error(s.roster(c))
	}
	s.verify()
}

// OneRoster: the class with the cohort's key, its own mode, and no password anywhere; a CSV of courses: the others' rows are not found.
func TestClassesOfAFile(t *testing.T) {
	s := newSite(t)
	c, ctx := s.cohort(), context.Background()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range [][2]string{
		{"manifest.csv", "propertyName,value\noneroster.version,1.2\nfile.classes,bulk\nfile.enrollments,bulk\nfile.users,bulk\n"},
		{"classes.csv", "sourcedId,title,classCode\nc1,Réseaux,NET-1\nc2,Optics,OPT-1\n"},
		{"users.csv", "sourcedId,enabledUser,givenName,familyName,email,password\nu1,true,Ada,L,ada@example.org,hunter2\nu2,false,Bob,B,,hunter2\nu3,true,C,C,,hunter2\n"},
		{"enrollments.csv", "classSourcedId,userSourcedId,role\nc1,u1,student\nc1,u2,student\nc2,u3,student\n"},
	} {
		w, _ := z.Create(f[0])
		_, _ = w.Write([]byte(f[1]))
	}
	_ = z.Close()
	send := func(key, class string, m cohorts.Mode) (uploads.Upload, error) {
		return s.room.Take(ctx, s.a, key, uploads.NewUpload{CohortID: c.ID, Class: class, Mode: m, Content: b.Bytes()})
	}
	if _, err := send("mode", "", cohorts.Delta); !errors.Is(err, uploads.ErrMode) {
		t.Error(err)
	}
	if _, err := send("class", "c9", ""); !errors.Is(err, roster.ErrWhichClass) {
		t.Error(err)
	}
	u, err := send("ok", "NET-1", "")
	if err != nil || u.FileName != "roster.zip" || u.Format != roster.OneRoster12 || u.Mode != cohorts.Bulk {
		t.Fatal(u, err)
	}
	if err := s.room.Check(ctx, uploads.CheckAsked{UploadID: u.ID}); err != nil {
		t.Fatal(err)
	}
	if u = s.apply(c, s.see(c, u)); counts(u) != "applied new 2 changed 0 unchanged 0 absent 0 conflicting 0" || s.roster(c) != "student_key,status,account_exists,username,email\nu1,enrolled,false,,ada@example.org\nu2,suspended,false,,\n" {
		t.Error(counts(u), s.roster(c))
	}
	mixed := s.checked(c, "", "course_id,student_key,status\nNET-1,u1,enrolled\nOTHER,u7,enrolled\n")
	if counts(mixed) != "checked new 0 changed 0 unchanged 1 absent 0 conflicting 1" || s.outcome(c, mixed) != "student_key,status\nu1,enrolled\nu7,course-not-found\n" {
		t.Error(counts(mixed), s.outcome(c, mixed))
	}
	if n, err := s.room.Forget(ctx); n != 0 || err != nil {
		t.Error(n, err)
	}
	s.clock.Advance(91 * 24 * 3600e9)
	if n, err := s.room.Forget(ctx); n != 2 || err != nil {
		t.Error(n, err)
	}
	if _, err := s.room.Outcome(ctx, s.a, c.ID, u.ID); !errors.Is(err, uploads.ErrForgotten) {
		t.Error(err)
	}
	if err := errors.Join(s.ask(c, mixed), s.room.Run(ctx, uploads.ApplyAsked{UploadID: mixed.ID})); err != nil || s.see(c, mixed).State != uploads.Failed {
		t.Error("applied without its rows:", err, s.see(c, mixed))
	}
	s.verify()
}

// Whatever a school sends, what its difference says is what applying it does, and the same again changes nothing of it.
func TestAnyFilesInARow(t *testing.T) {
	s := newSite(t)
	rapid.Check(t, func(t *rapid.T) {
		c := s.cohort()
		for range rapid.IntRange(1, 4).Draw(t, "files") {
			var b strings.Builder
			b.WriteString("student_key,status,email\n")
			for range rapid.IntRange(1, 6).Draw(t, "rows") {
				fmt.Fprintf(&b, "%s-%d,%s,%s\n", c.Key, rapid.IntRange(0, 5).Draw(t, "key"), rapid.SampledFrom([]string{"enrolled", "pending", "canceled", "nonsense"}).Draw(t, "status"),
					rapid.SampledFrom([]string{"", c.Key + "a@example.org", c.Key + "b@example.org"}).Draw(t, "email"))
			}
			mode := rapid.SampledFrom([]cohorts.Mode{cohorts.Delta, cohorts.Bulk}).Draw(t, "mode")
			before := strings.Count(s.roster(c), "\n")
			u := s.checked(c, mode, b.String())
			said, outcome := *u.Difference, s.outcome(c, u)
			u = s.apply(c, u)
			if u.State != uploads.Applied || u.Difference.SHA256 != said.SHA256 || s.outcome(c, u) != outcome || strings.Count(s.roster(c), "\n") < before {
				t.Fatalf("%s\n%+v\n%+v", b.String(), said, u.Difference)
			}
			again := s.checked(c, mode, b.String())
			// A row that was refused may be taken by now: who had her address, or her seat, left with the same file. The others stand.
			if d := again.Difference; d.Absent != 0 || d.New+d.Changed > said.Conflicting || d.Unchanged < said.New+said.Changed+said.Unchanged {
				t.Fatalf("%s\nagain %s", b.String(), counts(again))
			}
		}
	})
	s.verify()
}
