package lms_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/lms"
	"cursus/internal/gateways/openedx"
	"cursus/internal/gateways/openedxdouble"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

const (
	key    = "a secret for tests, long enough 1"
	course = "course-v1:IMT+PRD+9"
	fun    = "fun"
)

// site is the room on a database of its own, a session that is followed on a double of Open edX, and its learners.
type site struct {
	testing.TB
	db       *postgres.DB
	dsn      string
	owner    *sql.DB
	clock    *clock.Manual
	room     *lms.Service
	jobs     *jobs.Jobs
	double   *openedxdouble.Double
	url      string
	session  catalog.Session
	learners []identity.Person
}

func newSite(t testing.TB, learners int) *site {
	dsn := testkit.OwnerDSN(t)
	s := &site{TB: t, dsn: dsn, clock: testkit.Clock(), owner: testkit.Owner(t, dsn)}
	s.db = testkit.Open(t, dsn, s.clock)
	s.jobs = jobs.New(s.db, nil)
	var err error
	s.double, err = openedxdouble.Open(openedxdouble.Config{APIKey: "server key", ClientID: "cursus", ClientSecret: "client secret", Worker: "cursus_worker", Clock: s.clock})
	s.must(err)
	server := httptest.NewServer(s.double)
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	s.url = server.URL
	s.room = s.newRoom()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		for i := range learners {
			p, err := identity.PutPersonTx(ctx, tx, fmt.Sprintf("l%d@example.org", i), fmt.Sprint("Learner ", i), "en")
			if err != nil {
				return err
			}
			s.learners = append(s.learners, p)
		}
		if err := catalog.PutCourseTx(ctx, tx, catalog.Course{Key: "PRD", Title: catalog.Text{EN: "Networks"}}); err != nil {
			return err
		}
		s.session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-9", CourseKey: "PRD", Title: catalog.Text{EN: "Networks"}, Platform: fun, PlatformKey: course})
		return err
	})
	for i, p := range s.learners {
		s.double.Register(fmt.Sprint("user", i), p.Email)
	}
	t.Cleanup(s.verify)
	return s
}

// newRoom is a worker: it has nothing in memory. It sleeps by the clock of the test.
func (s *site) newRoom() *lms.Service {
	gate, err := openedx.New(openedx.Options{Inside: []string{strings.TrimPrefix(s.url, "http://")}, Timeout: 300 * time.Millisecond, Clock: s.clock})
	s.must(err)
	room, err := lms.New(s.db, s.jobs, gate, []byte(key), lms.Options{Sleep: func(_ context.Context, d time.Duration) error { s.clock.Advance(d); return nil }})
	s.must(err)
	return room
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) inTx(fn func(ctx context.Context, tx *postgres.Tx) error) {
	s.Helper()
	s.must(s.db.InTx(system, "test", fn))
}

func (s *site) verify() {
	for _, c := range lms.Checks() {
		if rows, err := postgres.RunCheck(system, s.db, c); err != nil || len(rows) > 0 {
			s.Errorf("%s: %v %v", c.Name, rows, err)
		}
	}
}

func said(url string) lms.NewPlatform {
	return lms.NewPlatform{BaseURL: url, Auth: lms.APIKey, Secret: "server key", PerMinute: 6000, Modes: map[string]string{"DISCOVERY": "audit", "QUALIFYING": "verified"}}
}

func (s *site) platform(change func(n *lms.NewPlatform)) lms.Platform {
	s.Helper()
	n := said(s.url)
	if change != nil {
		change(&n)
	}
	p, err := s.room.Put(system, fun, 0, n)
	s.must(err)
	return p
}

// grant gives a learner a formula, as an order does, and returns the enrolment.
func (s *site) grant(learner int, order, formula string) (id string) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		g := enrolment.Grant{LearnerID: s.learners[learner].ID, SessionID: s.session.ID, OrderID: order, Formula: formula, Entitlements: []string{"knowledge"}}
		if formula == "QUALIFYING" {
			g.Entitlements, g.Qualifying = []string{"knowledge", "practice"}, true
		}
		id, err = enrolment.GrantTx(ctx, tx, g)
		return err
	})
	return id
}

func (s *site) revoke(order string) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, order, "refunded")
		return err
	})
}

func (s *site) hold(order string, h enrolment.Hold) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.HoldTx(ctx, tx, order, h)
		return err
	})
}

// react does the jobs that the grants enqueued, once each, and takes them out of the queue.
func (s *site) react() (n int) {
	s.Helper()
	rows, err := s.owner.QueryContext(system, "delete from jobs.queue where kind = 'enrolment.changed' returning args ->> 'enrolment_id'")
	s.must(err)
	defer func() { _ = rows.Close() }()
	for ; rows.Next(); n++ {
		var id string
		s.must(rows.Scan(&id))
		s.must(s.room.Ask(system, id))
	}
	s.must(rows.Err())
	return n
}

func (s *site) serve() {
	s.Helper()
	s.must(s.room.Serve(system, fun))
}

func (s *site) sync(id string) (x lms.Sync) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = lms.SyncTx(ctx, tx, id)
		return err
	})
	return x
}

// is says that an enrolment is in a state, because of a failure, and that the platform's own book has it so: "" for not at all, "-" in
// front of the mode for not active.
func (s *site) is(learner int, id, when string, state lms.State, failure, book string) {
	s.Helper()
	got := ""
	if e, there := s.double.Of(s.learners[learner].Email, course); there {
		if got = e.Mode; !e.Active {
			got = "-" + e.Mode
		}
	}
	if x := s.sync(id); x.State != state || x.Failure != failure || got != book {
		s.Errorf("%s: %s %q, in the book %q; not %s %q %q (%s)", when, x.State, x.Failure, got, state, failure, book, x.Detail)
	}
}

// What an order grants is opened on the platform in the mode of its formula; an upgrade changes the mode, a refund changes it back or ends it.
// Each of these enqueues in its own transaction.
func TestThePlatformSaysWhatTheGrantsSay(t *testing.T) {
	for _, auth := range []lms.Auth{lms.APIKey, lms.OAuth2} {
		t.Run(string(auth), func(t *testing.T) {
			s := newSite(t, 2)
			s.platform(func(n *lms.NewPlatform) {
				if n.Auth = auth; auth == lms.OAuth2 {
					n.ClientID, n.Secret = "cursus", "client secret"
				}
			})
			step := func(when string, enqueued int, state lms.State, failure, book string, id string) {
				t.Helper()
				if n := s.react(); n != enqueued {
					t.Errorf("%s: %d jobs, not %d", when, n, enqueued)
				}
				s.serve()
				s.is(0, id, when, state, failure, book)
			}
			id := s.grant(0, "ord_free", "DISCOVERY")
			step("a free formula", 1, lms.Confirmed, "", "audit", id)
			s.grant(0, "ord_paid", "QUALIFYING")
			step("an upgrade", 1, lms.Confirmed, "", "verified", id)
			s.hold("ord_paid", enrolment.HoldAll)
			step("an instalment is missing", 1, lms.Confirmed, "", "audit", id)
			s.hold("ord_paid", enrolment.HoldCertificate)
			s.hold("ord_paid", enrolment.NoHold)
			step("and is paid", 2, lms.Confirmed, "", "verified", id)
			s.double.Expire() // of tokens
			s.revoke("ord_paid")
			step("a refund", 1, lms.Confirmed, "", "audit", id)
			s.revoke("ord_free")
			step("the end", 1, lms.Confirmed, "", "-audit", id)
			s.revoke("ord_free")
			step("the end again", 0, lms.Confirmed, "", "-audit", id)
			s.grant(0, "ord_again", "QUALIFYING")
			step("a return", 1, lms.Confirmed, "", "verified", id)

			other := s.grant(1, "ord_brief", "QUALIFYING")
			s.revoke("ord_brief")
			calls, _ := s.double.Calls()
			s.react()
			s.serve()
			s.is(1, other, "taken back before it was told", lms.Confirmed, "", "")
			if now, _ := s.double.Calls(); len(now) != len(calls) {
				t.Error("the platform was asked about what it never heard of")
			}
			if x := s.sync(id); x.Username != "user0" || x.WantedMode != "verified" || x.Active == nil || !*x.Active || x.DueAt != nil {
				t.Errorf("%+v", x)
			}
		})
	}
}

// Each way in which the platform surprises its callers: what is said of the enrolment, what its book has, and that it is mended by itself
// once the platform does what it should.
func TestTraps(all *testing.T) {
	sites, taken := map[lms.Auth]*site{}, map[lms.Auth]int{}
	for name, c := range map[string]struct {
		weather openedxdouble.Weather
		begin   string // mode in the book before; "-audit" for not active
		first   bool   // the platform told it before, and it is taken back now
		state   lms.State
		failure string
		book    string
		auth    lms.Auth
	}{
		"200 and the mode as it was":       {weather: openedxdouble.Weather{KeepMode: true}, begin: "audit", state: lms.Refused, failure: lms.NotChanged, book: "audit"},
		"200 and only said":                {weather: openedxdouble.Weather{SayOnly: true}, state: lms.Refused, failure: lms.NotChanged},
		"200 and still active":             {weather: openedxdouble.Weather{KeepActive: true}, first: true, state: lms.Refused, failure: lms.NotChanged, book: "verified"},
		"a page with 200":                  {weather: openedxdouble.Weather{Down: "html"}, state: lms.Pending, failure: lms.BrokenAnswer},
		"503":                              {weather: openedxdouble.Weather{Down: "error"}, state: lms.Pending, failure: lms.ServerError},
		"no answer":                        {weather: openedxdouble.Weather{Down: "hang"}, state: lms.Pending, failure: lms.Timeout},
		"the connection breaks":            {weather: openedxdouble.Weather{Down: "reset"}, state: lms.Pending, failure: lms.BrokenAnswer},
		"the reply is lost":                {weather: openedxdouble.Weather{LoseReplies: 1}, state: lms.Pending, failure: lms.BrokenAnswer, book: "verified"},
		"the mode is expired":              {weather: openedxdouble.Weather{Expired: []string{"verified"}}, state: lms.Refused, failure: lms.ModeUnavailable},
		"not staff":                        {weather: openedxdouble.Weather{NotStaff: true}, state: lms.Refused, failure: lms.NotPermitted},
		"404 at the end proves nothing":    {weather: openedxdouble.Weather{NotStaff: true}, first: true, state: lms.Refused, failure: lms.NotPermitted, book: "verified"},
		"addresses are ignored by a key":   {weather: openedxdouble.Weather{IgnoreEmail: true}, state: lms.Waiting, failure: lms.NoAccount},
		"addresses are ignored by a token": {weather: openedxdouble.Weather{IgnoreEmail: true}, state: lms.Refused, failure: lms.IgnoresEmail, auth: lms.OAuth2},
		"she was there, not active":        {begin: "-audit", state: lms.Confirmed, book: "verified"},
	} {
		all.Run(name, func(t *testing.T) {
			s, ok := sites[c.auth]
			if !ok {
				s = newSite(all, 20)
				s.platform(func(n *lms.NewPlatform) {
					if c.auth == lms.OAuth2 {
						n.Auth, n.ClientID, n.Secret = c.auth, "cursus", "client secret"
					}
				})
				sites[c.auth] = s
			}
			s.TB = t
			defer func() { s.TB = all }()
			learner := taken[c.auth]
			taken[c.auth]++
			order := fmt.Sprint("ord_", learner)
			if mode, off := strings.CutPrefix(c.begin, "-"); mode != "" {
				s.double.Put(openedxdouble.Enrolment{User: fmt.Sprint("user", learner), Course: course, Mode: mode, Active: !off})
			}
			id, want := s.grant(learner, order, "QUALIFYING"), "verified"
			s.react()
			if c.first {
				s.serve()
				s.is(learner, id, "before", lms.Confirmed, "", "verified")
				s.revoke(order)
				s.react()
				want = "-verified"
			}
			s.double.Set(c.weather)
			s.serve()
			s.is(learner, id, "in bad weather", c.state, c.failure, c.book)
			if e, there := s.double.Of("cursus_worker@lms.example", course); there && e.Active {
				t.Error("the service account itself is enrolled")
			}
			s.double.Set(openedxdouble.Weather{})
			s.clock.Advance(25 * time.Hour)
			s.serve()
			s.is(learner, id, "in good weather", lms.Confirmed, "", want)
		})
	}
}

// Who has no account waits, and is enrolled when there is one: under her address, under a username that staff know, or under the new name of an
// account that was renamed.
func TestLearnersWithoutAnAccountWait(t *testing.T) {
	s := newSite(t, 2)
	s.platform(nil)
	s.double.Rename("user0", "gone")
	s.double.Register("gone", "other@example.org")
	id := s.grant(0, "ord_1", "QUALIFYING")
	s.react()
	s.serve()
	s.is(0, id, "no account", lms.Waiting, lms.NoAccount, "")
	for range 3 {
		s.clock.Advance(5 * time.Minute)
		s.serve()
	}
	if calls, _ := s.double.Calls(); len(calls) > 3 {
		t.Error(len(calls), "calls for an account that is not there")
	}
	s.double.Register("ada", s.learners[0].Email)
	s.clock.Advance(25 * time.Hour)
	s.serve()
	s.is(0, id, "an account", lms.Confirmed, "", "verified")

	s.double.Rename("ada", "ada2")
	s.revoke("ord_1")
	s.grant(0, "ord_2", "DISCOVERY")
	s.react()
	s.serve()
	s.is(0, id, "a renamed account", lms.Confirmed, "", "audit")
	if x := s.sync(id); x.Username != "ada2" {
		t.Errorf("%+v", x)
	}

	s.double.Register("user1", "private@example.net")
	other := s.grant(1, "ord_3", "QUALIFYING")
	s.react()
	s.serve()
	s.is(1, other, "another address", lms.Waiting, lms.NoAccount, "")
	if _, err := s.room.Retry(system, other, "ada2"); !errors.Is(err, lms.ErrUsername) {
		t.Error("a username of somebody else:", err)
	}
	if _, err := s.room.Retry(system, other, "user1"); err != nil {
		t.Fatal(err)
	}
	s.serve()
	if x := s.sync(other); x.State != lms.Confirmed || x.Username != "user1" || x.Mode != "verified" {
		t.Errorf("with the username that staff know: %+v", x)
	}
	s.double.Rename("user1", "user1_gone")
	s.revoke("ord_3")
	s.grant(1, "ord_4", "DISCOVERY")
	_, err := s.owner.ExecContext(system, "update catalog.sessions set ends_at = $1", s.clock.Now().Add(-time.Minute))
	s.must(err)
	s.react()
	s.serve()
	if x := s.sync(other); x.State != lms.Waiting || x.DueAt == nil || x.DueAt.Sub(s.clock.Now()) < 29*24*time.Hour {
		t.Errorf("of a session that is over: %+v", x)
	}
	if _, err := s.room.Retry(system, "enr_x", ""); !errors.Is(err, lms.ErrNoSync) {
		t.Error(err)
	}
}

// What was asked for while the platform was being told is not confirmed by the answer to the older question.
func TestTheLatestWins(t *testing.T) {
	s := newSite(t, 1)
	s.platform(nil)
	id := s.grant(0, "ord_1", "QUALIFYING")
	s.react()
	s.double.Set(openedxdouble.Weather{Slow: 100})
	done := make(chan error)
	go func() { done <- s.room.Serve(system, fun) }()
	time.Sleep(50 * time.Millisecond)
	s.revoke("ord_1")
	s.react()
	s.must(<-done)
	s.is(0, id, "revoked meanwhile", lms.Confirmed, "", "-verified")
}

// After an outage nothing comes faster than before: 500 enrolments wait, the platform is left alone while it is down, and then hears them
// at its rate, measured at its own door on the clock by which all of them go.
func TestAnOutageEndsWithoutAStampede(t *testing.T) {
	const waiting, perMinute = 500, 6000 // 100 a second
	s := newSite(t, waiting)
	rooms := []*lms.Service{s.room, s.newRoom(), s.newRoom()} // workers
	s.platform(func(n *lms.NewPlatform) { n.PerMinute = perMinute })
	s.double.Set(openedxdouble.Weather{Down: "error"})
	for i := range waiting {
		s.grant(i, fmt.Sprint("ord_", i), "QUALIFYING")
	}
	s.react()
	for range 10 {
		for _, r := range rooms {
			s.must(r.Serve(system, fun))
		}
	}
	if calls, _ := s.double.Calls(); len(calls) != 3 {
		t.Errorf("%d calls to a platform that is down, not 3", len(calls))
	}
	p, err := s.room.Platform(system, fun)
	s.must(err)
	if p.Failure != lms.ServerError || p.ClosedUntil == nil || p.Counts.Pending != waiting {
		t.Errorf("%+v", p)
	}

	s.double.Set(openedxdouble.Weather{})
	s.clock.Advance(time.Minute)
	for round := 0; p.Counts.Confirmed < waiting && round < 20; round++ {
		done := make(chan error)
		for _, r := range rooms {
			go func() { done <- r.Serve(system, fun) }()
		}
		for range rooms {
			s.must(<-done)
		}
		s.clock.Advance(time.Second)
		p, err = s.room.Platform(system, fun)
		s.must(err)
	}
	calls, changes := s.double.Calls()
	calls = calls[3:]
	took := calls[len(calls)-1].Sub(calls[0])
	most := 0
	for i := range calls {
		n := 0
		for ; i+n < len(calls) && calls[i+n].Sub(calls[i]) < time.Second; n++ {
		}
		most = max(most, n)
	}
	t.Logf("%d enrolments, %d calls in %s, at most %d in a second", p.Counts.Confirmed, len(calls), took, most)
	if p.Counts.Confirmed != waiting || changes != waiting || len(calls) != 2*waiting {
		t.Errorf("%+v, %d changes in %d calls", p.Counts, changes, len(calls))
	}
	if most > 100+5 { // the rate, and what may follow at once
		t.Errorf("%d calls in one second, and 100 are allowed", most)
	}
}

// A platform that is left alone is tried by one call, ever later, and one that asks for time gets it.
func TestAPlatformIsLeftAlone(t *testing.T) {
	s := newSite(t, 4)
	s.platform(nil)
	for i := range 4 {
		s.grant(i, fmt.Sprint("ord_", i), "QUALIFYING")
	}
	s.react()
	s.double.Set(openedxdouble.Weather{PerMinute: 1, RetryAfter: 900})
	s.serve()
	calls, _ := s.double.Calls()
	p, err := s.room.Platform(system, fun)
	s.must(err)
	if len(calls) != 2 || p.Failure != lms.Throttled || p.ClosedUntil == nil || p.ClosedUntil.Sub(s.clock.Now()) < 899*time.Second {
		t.Errorf("%d calls: %+v", len(calls), p)
	}
	s.clock.Advance(14 * time.Minute)
	s.serve()
	if n, err := s.room.AskDue(system); err != nil || n != 0 {
		t.Error(n, err)
	}
	s.double.Set(openedxdouble.Weather{Down: "error"})
	var waits []time.Duration
	for range 6 {
		s.clock.Set(p.ClosedUntil.Add(time.Second))
		if p.ClosedUntil.Sub(s.clock.Now()) < 0 {
			s.clock.Advance(2 * time.Hour) // what failed is due again
		}
		before, _ := s.double.Calls()
		if n, err := s.room.AskDue(system); err != nil || n != 1 {
			t.Error(n, err)
		}
		s.serve()
		after, _ := s.double.Calls()
		if p, err = s.room.Platform(system, fun); err != nil || len(after)-len(before) != 1 || p.ClosedUntil == nil {
			t.Fatalf("%d calls: %+v %v", len(after)-len(before), p, err)
		}
		waits = append(waits, p.ClosedUntil.Sub(s.clock.Now()))
	}
	if !slices.IsSorted(waits[:4]) || waits[5] > 12*time.Minute {
		t.Error(waits)
	}
	s.double.Set(openedxdouble.Weather{})
	if n, err := s.room.RetryAll(system, fun); err != nil || n != 4 {
		t.Error(n, err)
	}
	s.serve()
	if p, err = s.room.Platform(system, fun); err != nil || p.Counts.Confirmed != 4 || p.Failure != "" || p.AnsweredAt == nil {
		t.Errorf("%+v %v", p, err)
	}
	f, err := s.room.Figures(system)
	if err != nil || f != (lms.Figures{}) {
		t.Error(f, err)
	}
}

// The settings of a platform: what is refused, that nobody sends a secret she does not know to an address of hers, that it cannot be read in
// the database, and that another mode, another course and a new platform are told by themselves.
func TestSettingsOfAPlatform(t *testing.T) {
	s := newSite(t, 1)
	id := s.grant(0, "ord_1", "QUALIFYING")
	s.react()
	if n, err := s.room.AskDiffering(system, ""); err != nil || n != 0 {
		t.Error("without a platform:", n, err)
	}
	off := false
	for name, change := range map[string]func(n *lms.NewPlatform){
		"/base_url":         func(n *lms.NewPlatform) { n.BaseURL = "http://169.254.169.254/latest" },
		"/auth":             func(n *lms.NewPlatform) { n.Auth = "basic" },
		"/client_id":        func(n *lms.NewPlatform) { n.Auth = lms.OAuth2 },
		"/secret":           func(n *lms.NewPlatform) { n.Secret = "" },
		"/calls_per_minute": func(n *lms.NewPlatform) { n.PerMinute = -1 },
		"/modes":            func(n *lms.NewPlatform) { n.Modes["DISCOVERY"] = "Audit track" },
	} {
		n := said(s.url)
		change(&n)
		_, err := s.room.Put(system, fun, 0, n)
		if f := fault.From(err); err == nil || len(f.Fields) != 1 || f.Fields[0].Pointer != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := said(s.url)
	n.Modes["NONE"] = "audit"
	if _, err := s.room.Put(system, fun, 0, n); !errors.Is(err, lms.ErrFormula) {
		t.Error(err)
	}
	if _, err := s.room.Put(system, fun, 3, said(s.url)); !errors.Is(err, lms.ErrNoPlatform) {
		t.Error(err)
	}
	p := s.platform(nil)
	if p.Version != 1 || p.Counts.Pending != 1 || p.Modes["QUALIFYING"] != "verified" {
		t.Errorf("a new platform asks for who is enrolled: %+v", p)
	}
	s.serve()
	s.is(0, id, "a new platform", lms.Confirmed, "", "verified")
	n = said("https://lms.school.org")
	n.Secret = ""
	if _, err := s.room.Put(system, fun, 1, n); err == nil || len(fault.From(err).Fields) != 1 || fault.From(err).Fields[0].Pointer != "/secret" {
		t.Error("the secret goes to another address:", err)
	}
	n = said(s.url)
	n.Secret, n.Modes = "", map[string]string{"QUALIFYING": "honor"}
	if _, err := s.room.Put(system, fun, 7, n); !errors.Is(err, lms.ErrChanged) {
		t.Error(err)
	}
	if p, err := s.room.Put(system, fun, 1, n); err != nil || p.Version != 2 {
		t.Error(p, err)
	}
	s.serve()
	s.is(0, id, "another mode", lms.Confirmed, "", "honor")
	var sealed string
	s.must(s.owner.QueryRowContext(system, "select sealed from lms.secrets").Scan(&sealed))
	if strings.Contains(sealed, "server key") {
		t.Error("the secret can be read")
	}

	_, err := s.owner.ExecContext(system, "update catalog.sessions set platform_key = 'course-v1:IMT+PRD+10'")
	s.must(err)
	if n, err := s.room.AskDiffering(system, ""); err != nil || n != 1 {
		t.Error("another course:", n, err)
	}
	s.serve()
	if e, ok := s.double.Of(s.learners[0].Email, "course-v1:IMT+PRD+10"); !ok || !e.Active || e.Mode != "honor" {
		t.Error(e)
	}
	n.Enabled = &off
	if _, err := s.room.Put(system, fun, 2, n); err != nil {
		t.Fatal(err)
	}
	calls, _ := s.double.Calls()
	s.revoke("ord_1")
	s.react()
	s.serve()
	if now, _ := s.double.Calls(); len(now) != len(calls) || s.sync(id).State != lms.Pending {
		t.Error("a platform that is off was called")
	}
	other, err := lms.New(s.db, s.jobs, nil, []byte(key+"!"), lms.Options{})
	s.must(err)
	n.Enabled = nil
	if _, err := s.room.Put(system, fun, 3, n); err != nil {
		t.Fatal(err)
	}
	s.must(other.Serve(system, fun))
	if x := s.sync(id); x.Failure != lms.SecretUnusable {
		t.Errorf("%+v", x)
	}
	if _, err := lms.New(s.db, s.jobs, nil, []byte("short"), lms.Options{}); err == nil {
		t.Error("a weak secret seals")
	}
	all, next, err := s.room.Syncs(system, lms.Filter{Platform: fun, State: lms.Pending, Session: "PRD-9"}, page.Request{Limit: 10})
	if err != nil || len(all) != 1 || next != "" || all[0].EnrolmentID != id {
		t.Error(all, next, err)
	}
	if _, _, err := s.room.Syncs(system, lms.Filter{Platform: "x"}, page.Request{Limit: 10}); !errors.Is(err, lms.ErrNoPlatform) {
		t.Error(err)
	}
}

// Random grants, refunds and holds, in every weather, with workers that die after a call and before they wrote it down: once the platform is
// well again its book says what the grants say, whatever happened.
func TestRandomOutages(t *testing.T) {
	s := newSite(t, 5)
	s.platform(nil)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		var given []string
		held := map[string]bool{}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"grant", "grant", "revoke", "hold", "serve", "serve", "weather", "wait", "death", "react"}).Draw(t, "step") {
			case "grant":
				order := "ord_" + ident.New("x")
				l := rapid.IntRange(0, 4).Draw(t, "learner")
				s.grant(l, order, rapid.SampledFrom([]string{"DISCOVERY", "QUALIFYING"}).Draw(t, "formula"))
				given = append(given, order)
			case "revoke":
				if len(given) > 0 {
					i := rapid.IntRange(0, len(given)-1).Draw(t, "order")
					s.revoke(given[i])
					given = slices.Delete(given, i, i+1)
				}
			case "hold":
				if len(given) > 0 {
					o := rapid.SampledFrom(given).Draw(t, "held")
					held[o] = !held[o]
					s.hold(o, map[bool]enrolment.Hold{true: enrolment.HoldAll}[held[o]])
				}
			case "serve":
				s.serve()
			case "react":
				s.react()
			case "wait":
				s.clock.Advance(time.Duration(rapid.IntRange(1, 7200).Draw(t, "seconds")) * time.Second)
			case "weather":
				s.double.Set(openedxdouble.Weather{
					Down: rapid.SampledFrom([]string{"", "", "", "error", "html", "reset"}).Draw(t, "down"), LoseReplies: rapid.IntRange(0, 3).Draw(t, "lost"),
					KeepMode: rapid.Bool().Draw(t, "keeps mode"), SayOnly: rapid.IntRange(0, 3).Draw(t, "says only") == 0,
					Expired: rapid.SampledFrom([][]string{nil, nil, {"verified"}}).Draw(t, "expired"),
				})
			case "death": // what it did is done, and nobody wrote it down
				ctx, die := context.WithCancel(system)
				s.double.Set(openedxdouble.Weather{Slow: 30})
				time.AfterFunc(time.Duration(rapid.IntRange(5, 60).Draw(t, "after"))*time.Millisecond, die)
				_ = s.room.Serve(ctx, fun)
				die()
				time.Sleep(50 * time.Millisecond) // what is on its way arrives within the lease, which only the clock of the test ends sooner
				s.double.Set(openedxdouble.Weather{})
				s.room = s.newRoom()
			}
		}
		s.double.Set(openedxdouble.Weather{})
		s.react()
		for range 20 {
			s.clock.Advance(25 * time.Hour)
			s.serve()
		}
		p, err := s.room.Platform(system, fun)
		if err != nil || p.Counts.Pending+p.Counts.Waiting+p.Counts.Refused > 0 {
			t.Fatalf("run %d does not come to rest: %+v %v", run, p, err)
		}
		for i, l := range s.learners {
			want := ""
			s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
				e, there, err := enrolment.FindTx(ctx, tx, l.ID, s.session.ID)
				if there && len(e.Entitlements) > 0 { // what is held back is not among them
					want = map[int]string{1: "audit", 2: "verified"}[len(e.Entitlements)]
				}
				return err
			})
			e, _ := s.double.Of(l.Email, course)
			if got := map[bool]string{true: e.Mode}[e.Active]; got != want {
				t.Fatalf("learner %d is %q on the platform, and her grants say %q", i, got, want)
			}
		}
		for _, o := range given {
			s.revoke(o)
		}
		s.react()
		for range 3 {
			s.clock.Advance(25 * time.Hour)
			s.serve()
		}
	})
	s.verify()
}

// What somebody changes on the platform, and what it does long after we gave up waiting, shows in the comparison of a night, in lists of several
// pages; who is told again is no difference any more, and neither is what changed while it was compared.
func TestTheComparisonOfANight(t *testing.T) {
	s := newSite(t, 130)
	s.platform(func(n *lms.NewPlatform) { n.Auth, n.ClientID, n.Secret = lms.OAuth2, "cursus", "client secret" })
	ids := make([]string, len(s.learners))
	for i := range s.learners {
		ids[i] = s.grant(i, fmt.Sprint("ord_", i), "QUALIFYING")
	}
	s.revoke("ord_3")
	s.react()
	s.serve()
	s.clock.Advance(time.Hour)
	compare := func(when string, sessions int, want ...string) {
		t.Helper()
		if n, err := s.room.AskNightly(system); err != nil || n != sessions {
			t.Fatalf("%s: %d sessions, %v", when, n, err)
		}
		if sessions > 0 {
			s.must(s.room.List(system, lms.ListDue{SessionID: s.session.ID}))
		}
		all, _, err := s.room.Differences(system, fun, page.Request{Limit: 10})
		s.must(err)
		var got []string
		after := ""
		for i, d := range all {
			if one, next, err := s.room.Differences(system, fun, page.Request{Limit: 1, After: after}); err != nil || len(one) != 1 || one[0] != d || (next == "") != (i == len(all)-1) {
				t.Errorf("%s, a page of one: %v %q %v", when, one, next, err)
			}
			after = d.EnrolmentID
			got = append(got, fmt.Sprintf("%s %q %q", d.Username, d.Mode, d.ListedMode))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, not %v", when, got, want)
		}
	}
	compare("all is well", 1)
	compare("it was compared a moment ago", 0)
	s.double.Put(openedxdouble.Enrolment{User: "user0", Course: course, Mode: "verified"})
	s.double.Put(openedxdouble.Enrolment{User: "user1", Course: course, Mode: "audit", Active: true})
	s.double.Put(openedxdouble.Enrolment{User: "stranger", Course: course, Mode: "audit", Active: true})
	s.clock.Advance(24 * time.Hour)
	compare("two were changed", 1, `user0 "verified" ""`, `user1 "verified" "audit"`)
	for _, i := range []int{0, 1} {
		_, err := s.room.Retry(system, ids[i], "")
		s.must(err)
	}
	s.serve()
	compare("they are told again", 0)
	s.revoke("ord_5")
	s.react()
	s.serve()
	s.double.Put(openedxdouble.Enrolment{User: "user5", Course: course, Mode: "verified", Active: true})
	s.clock.Advance(24 * time.Hour)
	compare("it did late what we did not wait for", 1, `user5 "" "verified"`)
	s.clock.Advance(24 * time.Hour)
	s.double.Set(openedxdouble.Weather{NotStaff: true})
	compare("no list is given", 1)
	s.double.Set(openedxdouble.Weather{})
	s.clock.Advance(24 * time.Hour)
	_, err := s.owner.ExecContext(system, "update catalog.sessions set ends_at = $1", s.clock.Now().Add(-25*time.Hour))
	s.must(err)
	compare("the session is over", 0)
}
