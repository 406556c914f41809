package cohorts_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

// site is the room on a database of its own, with two schools, their managers, an officer and a session that is free for the one offer and
// costs 100,000 XOF by the other.
type site struct {
	testing.TB
	db             *postgres.DB
	owner          *sql.DB
	clock          *clock.Manual
	room           *cohorts.Service
	sales          *sales.Service
	a, b           cohorts.By
	officer        cohorts.By
	teacher        cohorts.By
	session        catalog.Session
	priced, gratis offers.Offer
	n              int
}

func newSite(t testing.TB) *site {
	dsn := testkit.OwnerDSN(t)
	s := &site{TB: t, clock: testkit.Clock(), owner: testkit.Owner(t, dsn)}
	s.db = testkit.Open(t, dsn, s.clock)
	j := jobs.New(s.db, nil)
	s.sales = sales.New(s.db, j, payments.New(s.db, j, nil, "http://cursus.test"), sales.Options{Issuer: invoicing.Issuer{Code: "IMT", Name: "IMT"}})
	desks := func(_ context.Context, _ *postgres.Tx, organisation string, c money.Currency) (sales.DeskOf, bool, error) {
		return sales.DeskOf{Organisation: organisation, Holder: "desk:" + strings.ToLower(organisation)}, c == "XOF", nil
	}
	var err error
	if s.room, err = cohorts.New(s.db, j, s.sales, desks, []byte("a secret for tests, long enough 1")); err != nil {
		t.Fatal(err)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := invoicing.EnsureIssuerTx(ctx, tx, invoicing.Issuer{Code: "IMT", Name: "IMT"}); err != nil {
			return err
		}
		for name, by := range map[string]*cohorts.By{"a": &s.a, "b": &s.b, "officer": &s.officer, "teacher": &s.teacher} {
			p, err := identity.PutPersonTx(ctx, tx, name+"@staff.example.org", name, "en")
			if err != nil {
				return err
			}
			by.PersonID = p.ID
		}
		if err := errors.Join(
			identity.PutOrganisationTx(ctx, tx, "A", "School A"), identity.PutOrganisationTx(ctx, tx, "B", "School B"),
			identity.PutPartnerRoleTx(ctx, tx, "A", s.a.PersonID, identity.RoleRegistrar), identity.PutPartnerRoleTx(ctx, tx, "B", s.b.PersonID, identity.RoleOwner),
			identity.PutManagerTx(ctx, tx, "A", s.a.PersonID), identity.GrantRoleTx(ctx, tx, s.officer.PersonID, "admin"),
			identity.PutPartnerRoleTx(ctx, tx, "A", s.teacher.PersonID, identity.RoleTeacher),
		); err != nil {
			return err
		}
		if s.session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "NET-1", CourseKey: "NET", Title: catalog.Text{EN: "Networks"}, Platform: "fun", ThresholdPPM: 500_000}); err != nil {
			return err
		}
		if s.gratis, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.session.ID, Formula: offers.Discovery, Price: money.Of(0, "XOF")}); err != nil {
			return err
		}
		s.priced, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.session.ID, Formula: offers.Qualifying, Price: money.Of(100_000, "XOF")})
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

// verify holds the invariants of the rooms that a cohort touches.
func (s *site) verify(t interface {
	Helper()
	Errorf(format string, args ...any)
}) {
	t.Helper()
	for _, c := range slices.Concat(cohorts.Checks(), sales.Checks(), enrolment.Checks()) {
		if rows, err := postgres.RunCheck(system, s.db, c); err != nil || len(rows) > 0 {
			t.Errorf("%s: %v %v", c.Name, rows, err)
		}
	}
}

func (s *site) person(email string) (id string) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PutPersonTx(ctx, tx, email, "", "fr")
		id = p.ID
		return err
	})
	return id
}

// pool is an order of seats that school A has paid: they cost nothing.
func (s *site) pool(seats int) sales.Order {
	s.Helper()
	s.n++
	o, err := s.sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: s.a.PersonID, Organisation: "A", Items: []sales.Item{{OfferID: s.gratis.ID, Quantity: seats}}, Lang: "en", IdempotencyKey: fmt.Sprint("pool", s.n)})
	if err != nil || o.State != sales.Paid {
		s.Fatal(o.State, err)
	}
	return o
}

func (s *site) prepaid(seats int) cohorts.Cohort {
	s.Helper()
	o := s.pool(seats)
	return s.cohort(cohorts.NewCohort{Agreement: cohorts.Prepaid, OfferID: s.gratis.ID, OrderID: o.ID, Line: 1})
}

func (s *site) atSchool(seats *int) cohorts.Cohort {
	s.Helper()
	return s.cohort(cohorts.NewCohort{Agreement: cohorts.PayAtSchool, OfferID: s.priced.ID, Seats: seats})
}

func (s *site) cohort(n cohorts.NewCohort) cohorts.Cohort {
	s.Helper()
	s.n++
	n.Organisation, n.Key, n.Name = "A", fmt.Sprint("c", s.n), "Group"
	c, err := s.room.Create(system, s.a, fmt.Sprint("k", s.n), n)
	if err != nil {
		s.Fatal(err)
	}
	return c
}

func (s *site) apply(c cohorts.Cohort, m cohorts.Mode, rows ...cohorts.Row) (d cohorts.Difference) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		dry, err := s.room.DiffTx(ctx, tx, s.a, c.ID, m, rows)
		if err != nil {
			return err
		}
		if d, err = s.room.ApplyRowsTx(ctx, tx, s.a, c.ID, m, rows, c.ID); err == nil && d.Fingerprint() != dry.Fingerprint() {
			err = errors.New("what was applied is not what the dry run said")
		}
		return err
	})
	return d
}

// follow works the job that an application enqueued.
func (s *site) follow(c cohorts.Cohort) {
	s.Helper()
	if err := s.room.Follow(context.Background(), c.ID); err != nil {
		s.Fatal(err)
	}
}

func (s *site) members(c cohorts.Cohort) map[string]cohorts.Member {
	s.Helper()
	all, _, err := s.room.Members(system, s.a, c.ID, "", "", page.Request{Limit: 10_000})
	if err != nil {
		s.Fatal(err)
	}
	out := map[string]cohorts.Member{}
	for _, m := range all {
		out[m.StudentKey] = m
	}
	return out
}

func (s *site) states(c cohorts.Cohort) string {
	s.Helper()
	all := s.members(c)
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s=%s/%s ", k, all[k].State, all[k].WaitsFor)
	}
	return strings.TrimSpace(b.String())
}

func codes(d cohorts.Difference) string {
	var b strings.Builder
	for _, o := range d.Rows {
		b.WriteString(o.StudentKey + ":" + string(o.Code) + " ")
	}
	return strings.TrimSpace(b.String())
}

func row(key, status string) cohorts.Row { return cohorts.Row{StudentKey: key, Status: status} }

func mail(key, email string) cohorts.Row { return cohorts.Row{StudentKey: key, Email: email} }

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

// Each row gets its code, and a row that is refused changes nothing and keeps nobody else out.
func TestRowsHaveTheirCodes(t *testing.T) {
	s := newSite(t)
	four := 4
	c, other := s.atSchool(&four), s.atSchool(nil)
	s.apply(other, cohorts.Delta, row("away", ""), mail("theirs", "hers@example.org"), row("gone", "enrolled"), row("gone2", ""))
	s.apply(other, cohorts.Delta, row("gone", "canceled"))
	long := strings.Repeat("x", 256)
	for _, x := range []struct {
		mode cohorts.Mode
		rows []cohorts.Row
		want string
	}{
		{cohorts.Delta, []cohorts.Row{row("k1", "ENROLLED"), row(" k2 ", " Active"), row("k3", "pending")}, "k1:created k2:created k3:created"},
		{cohorts.Delta, []cohorts.Row{row("k1", ""), row("k2", "enrolled"), row("k3", "suspended")}, "k1:unchanged k2:unchanged k3:unchanged"},
		{cohorts.Delta, []cohorts.Row{row("k1", ""), row("k1", "suspended"), row("k2", "audit")}, "k1:duplicated k1:duplicated k2:invalid-status"},
		{cohorts.Delta, []cohorts.Row{row("", ""), row(long, ""), row("a\tb", ""), mail("k9", "nobody"), {StudentKey: "k9b", GivenName: long}}, ":invalid-key " + long + ":invalid-key a\tb:invalid-key k9:invalid-email k9b:invalid-name"},
		{cohorts.Delta, []cohorts.Row{row("away", ""), mail("k5", "HERS@example.org"), row("unknown", "withdrawn"), row("gone", "withdrawn")}, "away:conflict k5:conflict unknown:not-found gone:not-in-program"},
		{cohorts.Update, []cohorts.Row{row("k1", "suspended"), row("unknown", ""), row("away", "")}, "k1:changed unknown:not-found away:not-in-program"},
		{cohorts.Delta, []cohorts.Row{mail("k1", "one@example.org"), mail("k2", "one@example.org")}, "k1:changed k2:conflict"},
		{cohorts.Delta, []cohorts.Row{row("gone", ""), row("k6", ""), row("k1", "withdrawn")}, "gone:created k6:no-seat-left k1:changed"},
		{cohorts.Delta, []cohorts.Row{row("k1", "suspended"), row("k1b", "")}, "k1:illegal-operation k1b:created"},
		{cohorts.Delta, []cohorts.Row{row("k1", "enrolled")}, "k1:no-seat-left"},
		{cohorts.Delta, []cohorts.Row{row("k2", "withdrawn"), row("k1", "enrolled")}, "k2:changed k1:changed"},
	} {
		if got := codes(s.apply(c, x.mode, x.rows...)); got != x.want {
			t.Errorf("%v:\n got %s\nwant %s", x.rows, got, x.want)
		}
		s.verify(t)
	}
	d := s.apply(c, cohorts.Bulk, row("k1", ""), row("k7", ""), row("k3", "nonsense"))
	if got := codes(d); got != "k1:unchanged k7:created k3:invalid-status" || d.Absent != 2 || d.Gone[0].StudentKey != "gone" || d.Gone[1].StudentKey != "k1b" {
		t.Error("a bulk withdraws who is not in it, and nobody whose row is only wrong:", got, d.Gone)
	}
	if _, err := s.room.Put(system, s.a, c.ID, c.Version, cohorts.Edit{Key: c.Key, Name: "Closed", Seats: &four, Closed: true}); err != nil {
		t.Fatal(err)
	}
	if got := codes(s.apply(c, cohorts.Delta, row("k8", ""), row("k2", ""), row("k1", "suspended"))); got != "k8:illegal-operation k2:illegal-operation k1:changed" {
		t.Error("nobody comes into a closed cohort:", got)
	}
	s.verify(t)
}

// Another school does not learn that a cohort is there, whatever it asks; an officer may act for every school.
func TestASchoolSeesItsOwnCohortsAlone(t *testing.T) {
	s := newSite(t)
	c := s.prepaid(3)
	s.apply(c, cohorts.Delta, row("k1", ""))
	rows := []cohorts.Row{row("k1", "withdrawn")}
	for what, do := range map[string]func(by cohorts.By) error{
		"read": func(by cohorts.By) error { _, err := s.room.Cohort(system, by, c.ID); return err },
		"put": func(by cohorts.By) error {
			_, err := s.room.Put(system, by, c.ID, 0, cohorts.Edit{Key: "x", Name: "x"})
			return err
		},
		"members": func(by cohorts.By) error {
			_, _, err := s.room.Members(system, by, c.ID, "", "", page.Request{Limit: 1})
			return err
		},
		"enrol": func(by cohorts.By) error {
			_, err := s.room.Enrol(system, by, c.ID, "k", cohorts.Delta, rows)
			return err
		},
		"apply": func(by cohorts.By) error {
			return s.db.InTx(system, "test", func(ctx context.Context, tx *postgres.Tx) error {
				_, err := s.room.ApplyRowsTx(ctx, tx, by, c.ID, cohorts.Delta, rows, "x")
				return err
			})
		},
	} {
		if err := do(s.b); codeOf(err) != "no-such-cohort" {
			t.Errorf("%s: another school: %v", what, err)
		}
		if err := do(s.teacher); (codeOf(err) != "partner-role-missing") != (what == "read" || what == "members") {
			t.Errorf("%s: a teacher: %v", what, err)
		}
	}
	if _, err := s.room.Create(system, s.b, "k", cohorts.NewCohort{Organisation: "A", Key: "x", Name: "x", OfferID: s.priced.ID, Agreement: cohorts.PayAtSchool}); codeOf(err) != "no-such-organisation" {
		t.Error("a school made a cohort of another:", err)
	}
	if m := s.members(c)["k1"]; m.State != cohorts.Waiting {
		t.Error("another school changed a member:", m.State)
	}
	for name, by := range map[string]struct {
		by   cohorts.By
		want int
	}{"own": {s.a, 1}, "other": {s.b, 0}, "officer": {s.officer, 1}} {
		if all, _, err := s.room.Cohorts(system, by.by, "", page.Request{Limit: 10}); err != nil || len(all) != by.want {
			t.Errorf("%s lists %d cohorts: %v", name, len(all), err)
		}
	}
	for actor, want := range map[string]int{"learner:" + s.a.PersonID: 1, "learner:" + s.teacher.PersonID: 1, "learner:" + s.b.PersonID: 0, "": 0} { // the database says so too
		for _, table := range []string{"cohorts.cohorts", "cohorts.members", "cohorts.moves"} {
			if err := s.db.View(postgres.WithActor(context.Background(), actor), "walls", func(ctx context.Context, tx *postgres.Tx) error {
				var n int
				err := tx.Get(ctx, &n, postgres.Query{Name: "test", SQL: "select count(*) from " + table})
				if n != want {
					t.Errorf("%q sees %d rows of %s", actor, n, table)
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		}
	}
}

// Two requests with one key are one effect, and requests at once never take more seats than there are.
func TestSeatsAreExactUnderManyHands(t *testing.T) {
	s := newSite(t)
	ten := 10
	c := s.atSchool(&ten)
	var wg sync.WaitGroup
	answers := make([]cohorts.Difference, 2)
	for i := range answers {
		wg.Go(func() {
			for {
				d, err := s.room.Enrol(system, s.a, c.ID, "same", cohorts.Delta, []cohorts.Row{row("k1", ""), row("k2", "")})
				if codeOf(err) == "idempotency-key-in-flight" || codeOf(err) == "in-flight" {
					time.Sleep(5 * time.Millisecond)
					continue
				}
				if answers[i] = d; err != nil {
					t.Error(err)
				}
				return
			}
		})
	}
	wg.Wait()
	if answers[0].New != 2 || answers[0].Fingerprint() != answers[1].Fingerprint() {
		t.Error("one key, two answers:", answers)
	}
	if _, err := s.room.Enrol(system, s.a, c.ID, "same", cohorts.Delta, []cohorts.Row{row("k3", "")}); codeOf(err) == "" {
		t.Error("one key took two contents")
	}
	for i := range 8 {
		wg.Go(func() {
			if _, err := s.room.Enrol(system, s.a, c.ID, fmt.Sprint("h", i), cohorts.Delta, []cohorts.Row{row(fmt.Sprint("a", i), ""), row(fmt.Sprint("b", i), ""), row("same", "")}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	now, err := s.room.Cohort(system, s.a, c.ID)
	if err != nil || now.Waiting != 10 {
		t.Errorf("10 seats, %d members: %v", now.Waiting, err)
	}
	s.verify(t)
}

// model is what a cohort is, said as plainly as possible.
type model struct {
	seats int
	state map[string]cohorts.State
	email map[string]string
}

func (m *model) live() (n int) {
	for _, s := range m.state {
		if s.Live() {
			n++
		}
	}
	return n
}

// apply is what rows do: of everybody one by one, in their order, after a bulk has let go whom it does not name.
func (m *model) apply(mode cohorts.Mode, rows []cohorts.Row) (codes []cohorts.Code) {
	times := map[string]int{}
	for _, r := range rows {
		times[r.StudentKey]++
	}
	before, lived := maps.Clone(m.email), map[string]bool{} // of who is absent the address is free at once; what a row gives up, in the next call
	for k, s := range m.state {
		if mode == cohorts.Bulk && times[k] == 0 && s.Live() {
			m.state[k] = cohorts.Withdrawn
		}
		lived[k] = m.state[k].Live()
	}
	for _, r := range rows {
		codes = append(codes, m.one(mode, r, times[r.StudentKey] > 1, before, lived))
	}
	return codes
}

func (m *model) one(mode cohorts.Mode, r cohorts.Row, twice bool, before map[string]string, lived map[string]bool) cohorts.Code {
	was, there := m.state[r.StudentKey]
	if twice {
		return cohorts.Duplicated
	}
	if r.Status == "bad" {
		return cohorts.InvalidStatus
	}
	next := was
	switch {
	case !there && (mode == cohorts.Update || r.Status == "withdrawn"):
		return cohorts.NotFound
	case r.Status == "withdrawn":
		next = cohorts.Withdrawn
	case r.Status == "suspended" && there && !was.Live():
		return cohorts.IllegalOperation
	case r.Status == "suspended":
		next = cohorts.Suspended
	case !there || was != cohorts.Waiting:
		next = cohorts.Waiting
	}
	email := r.Email
	if email == "" {
		email = m.email[r.StudentKey]
	}
	if next.Live() && email != "" {
		for k, e := range m.email {
			if k != r.StudentKey && e == email && m.state[k].Live() {
				return cohorts.Conflict
			}
		}
		for k, e := range before {
			if k != r.StudentKey && e == email && lived[k] {
				return cohorts.Conflict
			}
		}
	}
	if next.Live() && !was.Live() && m.live() >= m.seats {
		return cohorts.NoSeatLeft
	}
	m.state[r.StudentKey] = next
	told := r.Email != "" && r.Email != m.email[r.StudentKey]
	if told {
		m.email[r.StudentKey] = r.Email
	}
	switch {
	case !there:
		return cohorts.Created
	case next != was || told:
		return cohorts.Changed
	}
	return cohorts.Unchanged
}

// Whatever rows come in whatever order, codes and states are those of a small model, a dry run says what is done, the same again changes
// nothing, and the invariants hold.
func TestRandomRowsAreWhatTheModelSays(t *testing.T) {
	s := newSite(t)
	rapid.Check(t, func(rt *rapid.T) {
		seats := rapid.IntRange(1, 6).Draw(rt, "seats")
		c := s.atSchool(&seats)
		m := &model{seats: seats, state: map[string]cohorts.State{}, email: map[string]string{}}
		prefix := c.Key // students of one cohort are no other's
		row := rapid.Custom(func(rt *rapid.T) cohorts.Row {
			r := cohorts.Row{StudentKey: prefix + rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"}).Draw(rt, "key"), Status: rapid.SampledFrom([]string{"", "enrolled", "suspended", "withdrawn", "bad"}).Draw(rt, "status")}
			if e := rapid.SampledFrom([]string{"", "", "1", "2", "3"}).Draw(rt, "email"); e != "" {
				r.Email = e + "@" + prefix + ".example.org"
			}
			return r
		})
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			mode := rapid.SampledFrom([]cohorts.Mode{cohorts.Delta, cohorts.Delta, cohorts.Bulk, cohorts.Update}).Draw(rt, "mode")
			rows := rapid.SliceOfN(row, 0, 6).Draw(rt, "rows")
			want := m.apply(mode, rows)
			d := s.apply(c, mode, rows...)
			for i, o := range d.Rows {
				if o.Code != want[i] {
					rt.Fatalf("%s %+v: row %d is %s, the model says %s", mode, rows, i, o.Code, want[i])
				}
			}
			if d.New+d.Changed+d.Unchanged+d.Conflicting != len(rows) {
				rt.Fatalf("%+v does not count %d rows", d, len(rows))
			}
			got := map[string]cohorts.State{}
			for k, x := range s.members(c) {
				if got[k] = x.State; x.Email != m.email[k] {
					rt.Fatalf("the address of %s is %q, the model says %q", k, x.Email, m.email[k])
				}
			}
			if !maps.Equal(got, m.state) {
				rt.Fatalf("%s %+v: %v, the model says %v", mode, rows, got, m.state)
			}
		}
		for _, x := range cohorts.Checks() {
			if broken, err := postgres.RunCheck(system, s.db, x); err != nil || len(broken) > 0 {
				rt.Fatalf("%s: %v %v", x.Name, broken, err)
			}
		}
	})
}

// Whoever works on a cohort at once, each member gets one order, or one seat.
func TestManyWorkersEnrolOnce(t *testing.T) {
	s := newSite(t)
	desk, pool := s.atSchool(nil), s.prepaid(5)
	var rows, seats []cohorts.Row
	for i := range 8 {
		rows = append(rows, mail(fmt.Sprint("k", i), fmt.Sprintf("k%d@example.org", i)))
		s.person(fmt.Sprintf("p%d@example.org", i))
		seats = append(seats, mail(fmt.Sprint("p", i), fmt.Sprintf("p%d@example.org", i)))
	}
	s.apply(desk, cohorts.Delta, rows...)
	if got := s.apply(pool, cohorts.Delta, seats...); got.New != 5 || got.Conflicting != 3 {
		t.Error(got)
	}
	var wg sync.WaitGroup
	for range 4 {
		for _, c := range []cohorts.Cohort{desk, pool} {
			wg.Go(func() {
				if err := s.room.Follow(context.Background(), c.ID); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	s.follow(desk)
	s.follow(pool)
	for _, m := range s.members(desk) {
		if m.State != cohorts.Waiting || m.WaitsFor != cohorts.ForPayment {
			t.Error(m)
		}
	}
	for _, m := range s.members(pool) {
		if m.State != cohorts.Enrolled {
			t.Error(m)
		}
	}
	var orders, given int
	if err := s.owner.QueryRow("select (select count(*) from sales.orders where organisation is null), (select count(*) from sales.seats where state = 'claimed')").Scan(&orders, &given); err != nil || orders != 8 || given != 5 {
		t.Error(orders, "orders of 8 members,", given, "seats of 5:", err)
	}
	s.verify(t)
}

// Members of a prepaid cohort are enrolled with its seats as soon as they have an account; suspended, they can do nothing, and keep their
// seat; who leaves gives it back while she has not begun.
func TestPrepaidMembers(t *testing.T) {
	s := newSite(t)
	c := s.prepaid(2)
	awa := s.person("awa@example.org")
	s.apply(c, cohorts.Delta, mail("k1", "awa@example.org"), mail("k2", "bob@example.org"))
	s.follow(c)
	if got := s.states(c); got != "k1=enrolled/ k2=waiting/account" {
		t.Fatal(got)
	}
	s.entitled(awa, true)
	if n, err := s.room.Realise(context.Background(), s.person("bob@example.org")); err != nil || n != 1 {
		t.Error("who signed in was not found:", n, err)
	}
	if n, err := s.room.Realise(context.Background(), awa); err != nil || n != 0 {
		t.Error("who is enrolled was realised again:", n, err)
	}
	for _, x := range []struct {
		status, want string
		now, open    bool // before anything follows, and after
	}{
		{"suspended", "k1=suspended/ k2=enrolled/", false, false}, {"enrolled", "k1=enrolled/ k2=enrolled/", true, true},
		{"withdrawn", "k1=withdrawn/ k2=enrolled/", false, false}, {"enrolled", "k1=enrolled/ k2=enrolled/", false, true},
	} {
		s.apply(c, cohorts.Delta, row("k1", x.status))
		s.entitled(awa, x.now)
		s.follow(c)
		if got := s.states(c); got != x.want {
			t.Errorf("%s: %s, not %s", x.status, got, x.want)
		}
		s.entitled(awa, x.open)
		s.verify(t)
	}
	s.apply(c, cohorts.Delta, row("k2", "withdrawn"))
	s.follow(c)
	s.apply(c, cohorts.Delta, mail("k3", "awa2@example.org"))
	s.person("awa2@example.org")
	s.follow(c)
	if got := s.states(c); got != "k1=enrolled/ k2=withdrawn/ k3=enrolled/" {
		t.Error("the seat of who left was not given to who came:", got)
	}
	s.verify(t)
}

// Who manages the order takes a seat back: its member is withdrawn.
func TestASeatThatIsTakenBackWithdrawsItsMember(t *testing.T) {
	s := newSite(t)
	c := s.prepaid(1)
	s.person("awa@example.org")
	s.apply(c, cohorts.Delta, mail("k1", "awa@example.org"))
	s.follow(c)
	_, _, seats, _, err := s.sales.Pools(context.Background(), c.OrderID, sales.By{PersonID: s.a.PersonID}, page.Request{Limit: 10})
	if err != nil || len(seats) != 1 {
		t.Fatal(seats, err)
	}
	if err := s.sales.ReleaseSeat(context.Background(), c.OrderID, seats[0].ID, sales.By{PersonID: s.a.PersonID}); err != nil {
		t.Fatal(err)
	}
	if err := s.room.FollowSeat(context.Background(), seats[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := s.states(c); got != "k1=withdrawn/" {
		t.Error(got)
	}
	s.verify(t)
}

// Members who pay at the school have an order each: paid at the desk it enrols them, and canceled it is when they leave before.
func TestMembersPayAtTheSchool(t *testing.T) {
	s := newSite(t)
	c := s.atSchool(nil)
	s.apply(c, cohorts.Delta, mail("k1", "awa@example.org"), mail("k2", "bob@example.org"), mail("k3", "cyd@example.org"), row("k4", ""))
	s.follow(c)
	if got := s.states(c); got != "k1=waiting/payment k2=waiting/payment k3=waiting/payment k4=waiting/account" {
		t.Fatal(got)
	}
	m := s.members(c)
	s.forget(c, "k1")
	s.follow(c)
	if again := s.members(c)["k1"]; again.OrderID != m["k1"].OrderID || again.WaitsFor != cohorts.ForPayment {
		t.Error("after a crash she has another order:", again)
	}
	s.entitled(s.person("awa@example.org"), false)
	s.receive(m["k1"].OrderID, "R-1")
	s.apply(c, cohorts.Delta, row("k3", "suspended"))
	s.receive(m["k3"].OrderID, "R-3")
	s.apply(c, cohorts.Delta, row("k2", "withdrawn"))
	s.follow(c)
	if got := s.states(c); got != "k1=enrolled/ k2=withdrawn/ k3=suspended/ k4=waiting/account" {
		t.Fatal(got)
	}
	s.entitled(s.person("awa@example.org"), true)
	s.entitled(s.person("cyd@example.org"), false)
	if o, err := s.sales.Order(system, m["k2"].OrderID); err != nil || o.State != sales.Canceled {
		t.Error("the order of who left before she paid is open:", o.State, err)
	}
	s.verify(t)
	s.apply(c, cohorts.Delta, row("k1", "withdrawn"), row("k2", ""), row("k3", ""))
	s.follow(c)
	if got := s.states(c); got != "k1=withdrawn/ k2=waiting/payment k3=enrolled/ k4=waiting/account" {
		t.Fatal(got)
	}
	s.entitled(s.person("awa@example.org"), false)
	s.entitled(s.person("cyd@example.org"), true)
	if again := s.members(c)["k2"]; again.OrderID == "" || again.OrderID == m["k2"].OrderID {
		t.Error("who came back has no order of her own:", again.OrderID)
	}
	s.apply(c, cohorts.Delta, row("k1", "enrolled"))
	s.entitled(s.person("awa@example.org"), true) // her payment still stands
	s.verify(t)
}

// monthly makes a cohort that is invoiced monthly.
func (s *site) monthly() cohorts.Cohort {
	s.Helper()
	return s.cohort(cohorts.NewCohort{Agreement: cohorts.InvoicedMonthly, OfferID: s.priced.ID})
}

// bill ends the month and bills it.
func (s *site) bill() (n int) {
	s.Helper()
	n, err := s.room.Bill(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	return n
}

func (s *site) months(c cohorts.Cohort) []sales.Month {
	s.Helper()
	all, err := s.room.Months(context.Background(), s.a, c.ID)
	if err != nil {
		s.Fatal(err)
	}
	return all
}

// A school that is invoiced by the month has its learners enrolled at once. What they cost stands as unbilled until the month is over in the
// time zone of the issuer; then it is one order and one invoice, made out to the school, due as agreed, paid by transfer under its reference.
func TestMembersOnTheAccountOfTheSchool(t *testing.T) {
	s := newSite(t)
	s.clock.Set(time.Date(2026, 3, 30, 9, 0, 0, 0, time.UTC))
	due := 14
	c := s.cohort(cohorts.NewCohort{Agreement: cohorts.InvoicedMonthly, OfferID: s.priced.ID, DueDays: &due})
	awa := s.person("awa@example.org")
	s.person("cyd@example.org")
	s.apply(c, cohorts.Delta, mail("k1", "awa@example.org"), mail("k2", "bob@example.org"), mail("k3", "cyd@example.org"), mail("k4", "dia@example.org"))
	s.follow(c)
	if got := s.states(c); got != "k1=enrolled/ k2=waiting/account k3=enrolled/ k4=waiting/account" {
		t.Fatal(got)
	}
	s.entitled(awa, true)
	if n, err := s.room.Realise(context.Background(), s.person("bob@example.org")); err != nil || n != 1 {
		t.Error(n, err)
	}
	sums := func() (unbilled, owed, revenue, documents int64) {
		t.Helper()
		if err := s.owner.QueryRow(`select coalesce(sum(minor) filter (where account = 'unbilled:a'), 0), coalesce(sum(minor) filter (where account = 'receivable'), 0),
			coalesce(-sum(minor) filter (where account = 'revenue'), 0), (select count(*) from invoicing.documents) from ledger.entries`).Scan(&unbilled, &owed, &revenue, &documents); err != nil {
			t.Fatal(err)
		}
		return unbilled, owed, revenue, documents
	}
	if u, o, r, d := sums(); u != 300_000 || o != 0 || r != 0 || d != 0 {
		t.Error("what stands as unbilled while the month runs:", u, o, r, d)
	}
	s.apply(c, cohorts.Delta, row("k3", "withdrawn"), row("k1", "suspended"))
	s.clock.Set(time.Date(2026, 3, 31, 21, 59, 0, 0, time.UTC)) // 23:59 in Paris: the job that lets k3 go comes too late
	if n := s.bill(); n != 0 {
		t.Error("a month was billed that is not over in Paris:", n)
	}
	s.clock.Set(time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC))
	s.person("dia@example.org")
	s.apply(c, cohorts.Delta, row("k2", "withdrawn"), mail("k4", "dia@example.org")) // after the month: she is billed
	if _, err := s.room.Realise(context.Background(), s.person("dia@example.org")); err != nil {
		t.Fatal(err)
	}
	if n, again := s.bill(), s.bill(); n != 1 || again != 0 {
		t.Error("a month is billed once:", n, again)
	}
	s.follow(c)
	s.verify(t)
	months := s.months(c)
	if len(months) != 2 || months[0].Places != 1 || months[0].State != sales.Accruing || months[1].Places != 2 || months[1].TotalMinor != 200_000 || months[1].State != sales.Billed ||
		!months[1].DueAt.Equal(s.clock.Now().AddDate(0, 0, 14)) {
		t.Fatalf("%+v", months)
	}
	if u, o, r, d := sums(); u != 100_000 || o != 200_000 || r != 200_000 || d != 1 {
		t.Error("what stands when the month was billed:", u, o, r, d)
	}
	if got := s.states(c); got != "k1=suspended/ k2=withdrawn/ k3=withdrawn/ k4=enrolled/" {
		t.Error(got)
	}
	bill, err := s.sales.Order(system, months[1].OrderID)
	if err != nil || bill.Next.Reference == "" || bill.Next.Until == nil || bill.InvoiceNumber == "" || !bill.Pool() {
		t.Fatalf("%+v %v", bill.Next, err)
	}
	var company string
	if err := s.owner.QueryRow("select facts -> 'buyer' ->> 'company' from invoicing.documents where order_id = $1", bill.ID).Scan(&company); err != nil || company != "School A" {
		t.Error(company, err)
	}
	for _, left := range []int64{150_000, 50_000} { // in two transfers, matched by what they quote
		if _, err := s.sales.Receive(system, sales.Receive{Amount: money.Of(left, "XOF"), Reference: fmt.Sprint("T", left), Label: "invoice " + bill.Next.Reference, ReceivedAt: s.clock.Now(), IdempotencyKey: fmt.Sprint("T", left)}); err != nil {
			t.Fatal(err)
		}
		s.verify(t)
	}
	if bill, err = s.sales.Order(system, bill.ID); err != nil || bill.State != sales.Paid {
		t.Error(bill.State, err)
	}
	if u, o, _, d := sums(); u != 100_000 || o != 0 || d != 1 {
		t.Error("what stands when it was paid:", u, o, d)
	}
	s.apply(c, cohorts.Delta, row("k2", "enrolled"), row("k4", "withdrawn"))
	s.follow(c)
	s.entitled(s.person("bob@example.org"), true) // she is on the invoice of March: nothing more is owed
	if months = s.months(c); len(months) != 1 {
		t.Errorf("of April nobody remained: %+v", months)
	}
	s.verify(t)
}

// A database that is busy is no reason why somebody stays: who left while the month ran is let go when it is over, and not invoiced.
func TestABusyDatabaseInvoicesNobodyWhoLeft(t *testing.T) {
	s := newSite(t)
	c := s.monthly()
	s.person("awa@example.org")
	s.person("bob@example.org")
	s.apply(c, cohorts.Delta, mail("k1", "awa@example.org"), mail("k2", "bob@example.org"))
	s.follow(c)
	s.apply(c, cohorts.Delta, row("k2", "withdrawn"))
	for _, statement := range []string{
		"create function busy() returns trigger language plpgsql as $$ begin raise exception 'busy' using errcode = 'serialization_failure'; end $$",
		"create trigger busy before update on sales.seats for each row execute function busy()",
	} {
		if _, err := s.owner.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.room.Follow(context.Background(), c.ID); !errors.Is(err, postgres.ErrBusy) {
		t.Error("the job does not say that it has to be done again:", err)
	}
	if _, err := s.owner.Exec("drop function busy cascade"); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(40 * 24 * time.Hour)
	s.bill()
	if months := s.months(c); len(months) != 1 || months[0].Places != 1 {
		t.Errorf("%+v", months)
	}
	s.verify(t)
}

// What cannot be invoiced, or asked for, holds up no other month.
func TestOneMonthHoldsUpNoOther(t *testing.T) {
	s := newSite(t)
	all := []cohorts.Cohort{s.monthly(), s.monthly(), s.monthly()}
	for i, c := range all {
		s.person(fmt.Sprint(i, "@example.org"))
		s.apply(c, cohorts.Delta, mail(fmt.Sprint("k", i), fmt.Sprint(i, "@example.org")))
		s.follow(c)
	}
	s.clock.Advance(40 * 24 * time.Hour)
	broken := errors.New("broken")
	n, err := s.sales.BillDue(context.Background(), func(_ context.Context, account string) error {
		if account == all[0].ID {
			return broken
		}
		return nil
	})
	if n != 2 || !errors.Is(err, broken) {
		t.Error(n, err)
	}
	if n := s.bill(); n != 1 {
		t.Error(n)
	}
	s.verify(t)
}

// Late invoices of months are asked for again, once for each step, and not when they are paid.
func TestLateInvoicesAreAskedFor(t *testing.T) {
	s := newSite(t)
	c := s.monthly()
	s.person("awa@example.org")
	s.apply(c, cohorts.Delta, mail("k1", "awa@example.org"))
	s.follow(c)
	s.clock.Advance(40 * 24 * time.Hour)
	s.bill()
	remind := func(days int) (n int) {
		s.clock.Advance(time.Duration(days) * 24 * time.Hour)
		n, err := s.sales.RemindOfBilled(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.sales.RemindOfBilled(context.Background())
		if err != nil || again != 0 {
			t.Error("a step was told twice:", again, err)
		}
		return n
	}
	for _, x := range []struct{ after, told int }{{29, 0}, {3, 0}, {2, 1}, {3, 0}, {20, 1}, {50, 0}} { // 3 days late, then 10 and 21 at once: the last notice alone
		if n := remind(x.after); n != x.told {
			t.Errorf("%d days on: told %d times, want %d", x.after, n, x.told)
		}
	}
	var news string
	if err := s.owner.QueryRow("select string_agg(args ->> 'news', ' ' order by id) from jobs.queue where kind = 'sales.order_news'").Scan(&news); err != nil || news != "account_reminder account_last_notice" {
		t.Error(news, err)
	}
}

// Whatever a school enrols, withdraws, suspends, reinstates and transfers in whatever months: each month has, for each cohort, one order of the
// agreed price times who was in when it ended and on none before, and the ledger the same as unbilled.
func TestRandomMonthsAddUp(t *testing.T) {
	s := newSite(t)
	const price = 100_000
	rapid.Check(t, func(rt *rapid.T) {
		type student struct {
			state  string // of her: "", enrolled, suspended, withdrawn
			in     int    // which cohort
			on     int    // the cohort whose month has her place; -1: none
			billed bool
		}
		groups := []cohorts.Cohort{s.monthly(), s.monthly()}
		s.n++
		run, all := s.n, make([]student, 4)
		email := func(i int) string { return fmt.Sprintf("s%d-%d@example.org", run, i) }
		key := func(i int) string { return fmt.Sprintf("s%d-%d", run, i) }
		for i := range all {
			s.person(email(i))
			all[i].on = -1
		}
		var want [2][]int // places of each month that was billed
		say := func(i, in int, status string) {
			s.apply(groups[in], cohorts.Delta, cohorts.Row{StudentKey: key(i), Status: status, Email: email(i)})
		}
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			i := rapid.IntRange(0, len(all)-1).Draw(rt, "student")
			x := &all[i]
			switch op := rapid.SampledFrom([]string{"enrol", "enrol", "withdraw", "suspend", "transfer", "month"}).Draw(rt, "op"); {
			case op == "enrol":
				say(i, x.in, "enrolled")
				if x.on < 0 {
					x.on = x.in
				}
				x.state = "enrolled"
			case op == "withdraw" && (x.state == "enrolled" || x.state == "suspended"):
				say(i, x.in, "withdrawn")
				if x.state = "withdrawn"; !x.billed {
					x.on = -1
				}
			case op == "suspend" && x.state == "enrolled":
				say(i, x.in, "suspended")
				x.state = "suspended"
			case op == "transfer" && (x.state == "enrolled" || x.state == "suspended"):
				to := 1 - x.in
				s.n++
				out, err := s.room.Transfer(system, s.a, groups[x.in].ID, groups[to].ID, fmt.Sprint("t", s.n), []string{key(i)})
				if err != nil || out[0].Code != cohorts.Changed {
					rt.Fatal(out, err)
				}
				x.in = to
			case op == "month":
				for g := range groups {
					places := 0
					for i := range all {
						if all[i].on == g && !all[i].billed {
							places, all[i].billed = places+1, true
						}
					}
					if places > 0 {
						want[g] = append(want[g], places)
					}
				}
				now := s.clock.Now()
				s.clock.Set(time.Date(now.Year(), now.Month()+1, 3, 0, 0, 0, 0, time.UTC))
				s.bill()
				continue
			}
			if rapid.Bool().Draw(rt, "follow") || x.state == "enrolled" { // a job that lets go may come late; one that enrols says when she comes in
				s.follow(groups[0])
				s.follow(groups[1])
			}
		}
		s.follow(groups[0])
		s.follow(groups[1])
		for g, c := range groups {
			var got []int
			open := 0
			for _, m := range s.months(c) {
				if m.PriceMinor != price || m.TotalMinor != price*int64(m.Places) {
					rt.Fatalf("%+v", m)
				}
				if m.State == sales.Accruing {
					open += m.Places
				} else {
					got = append([]int{m.Places}, got...)
				}
			}
			unbilled := 0
			for _, x := range all {
				if x.on == g && !x.billed {
					unbilled++
				}
			}
			if !slices.Equal(got, want[g]) || open != unbilled {
				rt.Fatalf("cohort %d was billed %v and has %d unbilled, want %v and %d", g, got, open, want[g], unbilled)
			}
		}
		s.verify(rt)
	})
}

// An invitation that nobody takes up is recalled once for each step of the ladder, whatever dies, and no more once it was taken up, its student was
// withdrawn, she wants no reminders or her address is dead.
func TestInvitationsAreRecalled(t *testing.T) {
	s := newSite(t)
	s.room.RemindAfter([]int{3, 10, 21, -2})
	start := s.clock.Now()
	end := start.AddDate(0, 0, 16)
	if _, err := s.owner.Exec("update catalog.sessions set enrol_until = $2 where id = $1", s.session.ID, end); err != nil {
		t.Fatal(err)
	}
	c := s.cohort(cohorts.NewCohort{Agreement: cohorts.InvoicedMonthly, OfferID: s.priced.ID})
	keys := []string{"claims", "leaves", "refuses", "dies", "waits", "crashes"}
	for _, k := range keys {
		s.apply(c, cohorts.Delta, mail(k, k+"@example.org"))
	}
	s.follow(c)
	made, err := s.room.Invite(system, s.a, c.ID, "invite", keys)
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]cohorts.Invitation{}
	for _, x := range made {
		of[x.StudentKey] = x
		if err := s.room.NoteInvited(context.Background(), x.ID, cohorts.MailTaken); err != nil {
			t.Fatal(err)
		}
	}
	// recall looks, sends what is due and gives whom it wrote to, with the step.
	recall := func(day int) string {
		t.Helper()
		s.clock.Set(start.AddDate(0, 0, day).Add(time.Minute))
		n, err := s.room.RemindInvited(context.Background())
		again, errAgain := s.room.RemindInvited(context.Background())
		if err != nil || errAgain != nil || again != 0 {
			t.Fatal(n, again, err, errAgain)
		}
		var wrote []string
		for _, k := range keys {
			for _, step := range []int{3, 10, 21, -2} {
				e := cohorts.Reminded{InvitationID: of[k].ID, Step: step}
				l, live, err := s.room.Recall(context.Background(), e)
				if err != nil {
					t.Fatal(err)
				}
				if !live {
					continue
				}
				wrote = append(wrote, fmt.Sprint(l.Member.StudentKey, ":", step))
				if _, twice, err := s.room.Recall(context.Background(), e); err != nil || twice {
					t.Errorf("%s is written to twice for step %d: %v", k, step, err)
				}
				if k == "crashes" { // between the mail and its note
					continue
				}
				became := cohorts.MailTaken
				if k == "dies" {
					became = cohorts.MailRefused
				}
				if err := s.room.NoteReminder(context.Background(), e, became); err != nil {
					t.Fatal(err)
				}
				if k == "refuses" {
					if _, err := s.room.StopReminders(context.Background(), l.Token); err == nil {
						t.Error("what takes the place up ends the reminders")
					}
					if _, err := s.room.StopReminders(context.Background(), l.Stop); err != nil {
						t.Error(err)
					}
					if _, ended, err := s.room.SeeReminders(context.Background(), l.Stop); err != nil || !ended {
						t.Error(ended, err)
					}
				}
			}
		}
		return strings.Join(wrote, " ")
	}
	if got := recall(2); got != "" {
		t.Error("too early:", got)
	}
	if got := recall(3); got != "claims:3 leaves:3 refuses:3 dies:3 waits:3 crashes:3" {
		t.Error(got)
	}
	if _, err := s.room.TakeUp(context.Background(), of["claims"].Token, s.person("me@example.org")); err != nil {
		t.Fatal(err)
	}
	s.apply(c, cohorts.Delta, row("leaves", "withdrawn"))
	if got := recall(14); got != "waits:-2 crashes:-2" { // ten days were missed: the end is nearer
		t.Error(got)
	}
	if got := recall(25); got != "" {
		t.Error("nobody can take it up after the end of enrolment:", got)
	}
	if n, err := s.room.RemindInvited(context.Background()); err != nil || n != 0 {
		t.Error(n, err)
	}
	all := s.members(c)
	if m := all["waits"]; m.InvitedAt == nil || m.Reminders < 2 || m.RemindedAt == nil || m.BouncedAt != nil || s.room.LinkOf(m) != of["waits"].Token {
		t.Errorf("%+v", m)
	}
	if all["claims"].ClaimedAt == nil || s.room.LinkOf(all["claims"]) != "" || all["dies"].BouncedAt == nil || all["refuses"].NoReminders == nil || all["crashes"].Reminders < 2 {
		t.Error("what became of the others is not shown")
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		n, err := cohorts.BouncedTx(ctx, tx, of["waits"].ID+".r3@cursus.test")
		other, otherErr := cohorts.BouncedTx(ctx, tx, "out_1@cursus.test")
		if n != 1 || other != 0 {
			t.Error("a report on a reminder is not known, or one on another mail is:", n, other)
		}
		return errors.Join(err, otherErr)
	})
	s.verify(t)
}

// An order that ends before it is paid is told of, and the school enrols her again where it wants to; who was refused is tried again.
func TestWhatRefusesAMemberIsSaid(t *testing.T) {
	s := newSite(t)
	c := s.atSchool(nil)
	s.apply(c, cohorts.Delta, mail("k1", "awa@example.org"))
	s.follow(c)
	if _, err := s.sales.CancelOrder(system, s.members(c)["k1"].OrderID); err != nil {
		t.Fatal(err)
	}
	if n, err := s.room.Retry(context.Background()); err != nil || n != 1 {
		t.Error("an order that ended stirs nobody:", n, err)
	}
	s.follow(c)
	if got := s.states(c); got != "k1=waiting/order-ended" {
		t.Error(got)
	}
	s.apply(c, cohorts.Delta, row("k1", "withdrawn"))
	s.apply(c, cohorts.Delta, row("k1", "enrolled"))
	s.follow(c)
	if got := s.states(c); got != "k1=waiting/payment" {
		t.Error(got)
	}
	pool := s.prepaid(1)
	bob := s.person("bob@example.org")
	if _, err := s.sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: bob, OfferID: s.gratis.ID, Lang: "en", IdempotencyKey: "own"}); err != nil {
		t.Fatal(err)
	}
	s.apply(pool, cohorts.Delta, mail("b", "bob@example.org"))
	s.follow(pool)
	if got := s.states(pool); got != "b=waiting/already-enrolled" {
		t.Error(got)
	}
	if n, err := s.room.Retry(context.Background()); err != nil || n != 0 {
		t.Error("who was refused just now is tried again:", n, err)
	}
	s.clock.Advance(61 * time.Minute)
	if n, err := s.room.Retry(context.Background()); err != nil || n != 1 {
		t.Error("who was refused an hour ago is not tried again:", n, err)
	}
	s.verify(t)
}

// A transfer takes what was paid along on the same offer, and begins anew on another one; what she had there is let go.
func TestMembersAreTransferred(t *testing.T) {
	s := newSite(t)
	one := 1
	a, b, full := s.atSchool(nil), s.atSchool(nil), s.atSchool(&one)
	pool := s.prepaid(3)
	s.apply(full, cohorts.Delta, row("other", ""))
	s.apply(a, cohorts.Delta, mail("k1", "awa@example.org"), mail("k2", "bob@example.org"), row("k3", "suspended"), row("k4", "withdrawn"), mail("k5", "eve@example.org"))
	s.follow(a)
	s.receive(s.members(a)["k1"].OrderID, "R-1")
	s.receive(s.members(a)["k5"].OrderID, "R-5")
	move := func(from, to cohorts.Cohort, keys ...string) string {
		out, err := s.room.Transfer(system, s.a, from.ID, to.ID, fmt.Sprint(from.ID, to.ID, keys), keys)
		if err != nil {
			t.Fatal(err)
		}
		s.follow(from)
		s.follow(to)
		s.verify(t)
		return codes(cohorts.Difference{Rows: out})
	}
	if got := move(a, b, "k1", "k2", "k3", "k4", "nobody", "other"); got != "k1:changed k2:changed k3:changed k4:not-found nobody:not-found other:not-in-program" {
		t.Error(got)
	}
	if a, b := s.states(a), s.states(b); a != "k1=transferred/ k2=transferred/ k3=transferred/ k5=enrolled/" || b != "k1=enrolled/ k2=waiting/payment k3=suspended/" {
		t.Error(a, "|", b)
	}
	s.entitled(s.person("awa@example.org"), true)
	s.receive(s.members(b)["k2"].OrderID, "R-2")
	if got := move(b, full, "k2"); got != "k2:no-seat-left" {
		t.Error(got)
	}
	if got := move(b, a, "k1", "k1", "k2"); got != "k1:duplicated k1:duplicated k2:changed" { // back again
		t.Error(got)
	}
	if got := move(a, pool, "k5", "k3"); got != "k5:changed k3:illegal-operation" {
		t.Error(got)
	}
	if got := s.states(pool); got != "k5=waiting/already-enrolled" { // what she paid is still hers, held back, until it is paid back
		t.Error(got)
	}
	s.entitled(s.person("eve@example.org"), false)
	if _, err := s.room.Transfer(system, s.b, a.ID, b.ID, "x", []string{"k2"}); codeOf(err) != "no-such-cohort" {
		t.Error("another school transferred a learner:", err)
	}
	if _, err := s.room.Transfer(system, s.a, a.ID, a.ID, "y", []string{"k2"}); codeOf(err) != "no-transfer" {
		t.Error("to the same cohort:", err)
	}
}

// An invitation gives a place to whoever signs in with it, once; its secret is kept nowhere.
func TestInvitationsAreTakenUpOnce(t *testing.T) {
	s := newSite(t)
	c := s.prepaid(2)
	s.apply(c, cohorts.Delta, row("k1", ""), mail("k2", "bob@example.org"))
	s.follow(c)
	all, err := s.room.Invite(system, s.a, c.ID, "key", []string{"k1", "k2", "nobody"})
	if err != nil || all[0].Code != cohorts.Created || all[0].Mailed || !all[1].Mailed || all[2].Code != cohorts.NotFound {
		t.Fatal(all, err)
	}
	if again, err := s.room.Invite(system, s.a, c.ID, "key", []string{"k1", "k2", "nobody"}); err != nil || again[0].Token != all[0].Token {
		t.Error("one key, two invitations:", err)
	}
	var kept int
	if err := s.owner.QueryRow("select count(*) from platform.idempotency k where k::text like '%' || $1 || '%'", all[0].Token).Scan(&kept); err != nil || kept != 0 {
		t.Error("a secret is kept:", kept, err)
	}
	awa, eve := s.person("awa@example.org"), s.person("eve@example.org")
	if l, err := s.room.SeeInvitation(context.Background(), all[0].Token); err != nil || l.School != "School A" {
		t.Error(l, err)
	}
	for range 2 {
		if m, err := s.room.TakeUp(context.Background(), all[0].Token, awa); err != nil || m.State != cohorts.Enrolled {
			t.Error(m.State, err)
		}
	}
	s.entitled(awa, true)
	for token, want := range map[string]string{all[0].Token: "invitation-over", all[0].Token[:len(all[0].Token)-1] + "u": "no-such-invitation", "": "no-such-invitation", "ivt_x.y": "no-such-invitation"} {
		if _, err := s.room.TakeUp(context.Background(), token, eve); codeOf(err) != want {
			t.Errorf("%q: %v, not %s", token, err, want)
		}
	}
	if _, err := s.room.TakeUp(context.Background(), all[1].Token, awa); codeOf(err) != "conflict" {
		t.Error("one person is two students:", err)
	}
	s.clock.Advance(cohorts.InvitationLife)
	if _, err := s.room.TakeUp(context.Background(), all[1].Token, eve); codeOf(err) != "invitation-over" {
		t.Error("an invitation lives for ever:", err)
	}
	s.apply(c, cohorts.Delta, row("k1", "withdrawn"))
	s.follow(c)
	s.apply(c, cohorts.Delta, row("k1", ""))
	s.follow(c)
	if got := s.states(c); got != "k1=enrolled/ k2=waiting/account" {
		t.Error("who is known by the school's key was not found by it:", got)
	}
	s.verify(t)
}

// forget is a crash after the order of a member was placed, or paid on account, and before that was noted of her.
func (s *site) forget(c cohorts.Cohort, student string) {
	s.Helper()
	if _, err := s.owner.Exec("update cohorts.members set state = 'waiting', order_id = null, enrolled_at = null, waits_for = null, due = true, tries = 0 where cohort_id = $1 and student_key = $2", c.ID, student); err != nil {
		s.Fatal(err)
	}
}

// entitled says whether something of the session is open to a person.
func (s *site) entitled(personID string, want bool) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		e, found, err := enrolment.FindTx(ctx, tx, personID, s.session.ID)
		if got := found && len(e.Entitlements) > 0; got != want {
			s.Errorf("something is open to %s: %v", personID, got)
		}
		return err
	})
}

// receive records that an order was paid at the desk of school A, and what follows.
func (s *site) receive(orderID, reference string) {
	s.Helper()
	if _, err := s.sales.Receive(system, sales.Receive{
		Desk: sales.DeskOf{Organisation: "A", Holder: "desk:a"}, OrderID: orderID, Amount: money.Of(100_000, "XOF"), Reference: reference, ReceivedAt: s.clock.Now(), IdempotencyKey: reference,
	}); err != nil {
		s.Fatal(err)
	}
	if err := s.room.FollowOrder(context.Background(), orderID); err != nil {
		s.Fatal(err)
	}
}
