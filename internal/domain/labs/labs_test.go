package labs_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/labs"
	"cursus/internal/gateways/labdouble"
	"cursus/internal/gateways/labgate"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

const key = "a secret for tests, long enough 1"

var shared = "whsec_" + base64.StdEncoding.EncodeToString([]byte("what both sides know of each other"))

// site is the room on a database of its own beside a provider, a session with a lab, and learners whose formula opens it.
type site struct {
	testing.TB
	db      *postgres.DB
	dsn     string
	owner   *sql.DB
	clock   *clock.Manual
	jobs    *jobs.Jobs
	room    *labs.Service
	double  *labdouble.Double
	private *rsa.PrivateKey
	us      string // our address
	theirs  string
	session catalog.Session
	lab     labs.Lab
	n       int
}

// SignToken signs by another implementation than that of the house.
func (s *site) SignToken(_ context.Context, claims any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: s.private, KeyID: "k1"}}, nil)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(b)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

func newSite(t testing.TB) *site {
	s := &site{TB: t, dsn: testkit.OwnerDSN(t), clock: testkit.Clock()}
	s.owner, s.db = testkit.Owner(t, s.dsn), testkit.Open(t, s.dsn, s.clock)
	s.jobs = jobs.New(s.db, nil)
	var err error
	s.private, err = rsa.GenerateKey(rand.Reader, 2048)
	s.must(err)
	us := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.private.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
			return
		}
		body, _ := io.ReadAll(r.Body)
		provider := strings.Split(r.URL.Path, "/")[3]
		if err := s.room.Receive(r.Context(), provider, labs.Delivery{ID: r.Header.Get("webhook-id"), Timestamp: r.Header.Get("webhook-timestamp"), Signature: r.Header.Get("webhook-signature"), Body: body}); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(us.Close)
	theirs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.double.ServeHTTP(w, r) }))
	t.Cleanup(theirs.Close)
	s.us, s.theirs = us.URL, theirs.URL
	s.double, err = labdouble.New(labdouble.Config{PublicURL: s.theirs, Issuer: s.us, KeysURL: s.us + "/keys", LoginURL: s.us + "/labs/lti", ClientID: "cursus", DeploymentID: "1", Secret: shared, Clock: s.clock})
	s.must(err)
	gate, err := labgate.New(labgate.Options{Inside: []string{strings.TrimPrefix(s.theirs, "http://")}})
	s.must(err)
	s.room, err = labs.New(s.db, s.jobs, gate, s, []byte(key), s.us)
	s.must(err)
	jobs.Register(s.jobs, func(ctx context.Context, e labs.StopDue) error { return s.room.Stop(ctx, e.LaunchID) })
	starts, ends := s.clock.Now().AddDate(0, 0, -7), s.clock.Now().AddDate(10, 0, 0)
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := catalog.PutCourseTx(ctx, tx, catalog.Course{Key: "PRD", Title: catalog.Text{EN: "Networks"}}); err != nil {
			return err
		}
		s.session, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-9", CourseKey: "PRD", Title: catalog.Text{EN: "Networks"}, Platform: "fun", StartsAt: &starts, EndsAt: &ends})
		if err != nil {
			return err
		}
		if _, err = s.room.PutProviderTx(ctx, tx, "cloud", s.plain(), 0); err != nil {
			return err
		}
		if _, err = s.room.PutProviderTx(ctx, tx, "tool", s.lti(), 0); err != nil {
			return err
		}
		s.lab, err = labs.CreateLabTx(ctx, tx, "PRD-9", s.plan())
		return err
	})
	return s
}

func (s *site) plain() labs.NewProvider {
	return labs.NewProvider{Title: "Cloud", Shape: labs.JWT, LaunchURL: s.theirs + "/launch", ClientID: "cursus", StopURL: s.theirs + "/stop", Secret: shared}
}

func (s *site) lti() labs.NewProvider {
	return labs.NewProvider{Title: "Tool", Shape: labs.LTI, LaunchURL: s.theirs + "/lti", LoginURL: s.theirs + "/login", ClientID: "cursus", DeploymentID: "1", StopURL: s.theirs + "/stop", Secret: shared}
}

// plan is a lab of half an hour, idle after five minutes, at 1.25 cents a minute.
func (s *site) plan() labs.NewLab {
	return labs.NewLab{Title: catalog.Text{EN: "Routing", FR: "Routage"}, Week: 2, Provider: "cloud", Resource: "routing", QuotaMinutes: 30, IdleMinutes: 5, Currency: "EUR", CostMilli: 1250, Open: true}
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

// learner is somebody with a formula that opens labs.
func (s *site) learner(opens ...string) (id, enrolled string) {
	s.Helper()
	s.n++
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PutPersonTx(ctx, tx, fmt.Sprintf("l%d@example.org", s.n), fmt.Sprint("Learner ", s.n), "en")
		if err != nil {
			return err
		}
		id = p.ID
		enrolled, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: id, SessionID: s.session.ID, OrderID: fmt.Sprint("ord_", s.n), Formula: "QUALIFYING", Entitlements: opens, Qualifying: true})
		return err
	})
	return id, enrolled
}

func (s *site) launch(labID, enrolled, learner string) (l labs.Launch, err error) {
	err = s.db.InTx(system, "launch", func(ctx context.Context, tx *postgres.Tx) error {
		l, err = labs.LaunchTx(ctx, tx, labID, enrolled, learner)
		return err
	})
	return l, err
}

func (s *site) launched() labs.Launch {
	s.Helper()
	id, enrolled := s.learner("labs")
	l, err := s.launch(s.lab.ID, enrolled, id)
	s.must(err)
	return l
}

func (s *site) of(id string) (l labs.Launch) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		l, err = labs.LaunchOfTx(ctx, tx, id)
		return err
	})
	return l
}

// come posts a ticket as a browser does, and follows to what is shown.
func (s *site) come(t labs.Ticket) (status int, shown string) {
	s.Helper()
	form := url.Values{}
	for _, f := range t.Fields {
		form.Add(f[0], f[1])
	}
	jar, err := cookiejar.New(nil)
	s.must(err)
	b := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), s.us) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	a, err := b.PostForm(t.URL, form) //nolint:noctx // a test
	s.must(err)
	defer func() { _ = a.Body.Close() }()
	raw, err := io.ReadAll(a.Body)
	s.must(err)
	if at := a.Header.Get("Location"); at != "" {
		return a.StatusCode, at
	}
	return a.StatusCode, string(raw)
}

// say tells an event as a provider does, signed for now.
func (s *site) say(id, kind, launch string, at time.Time) error {
	body, err := json.Marshal(map[string]any{"type": "lab." + kind, "timestamp": at.UTC(), "data": map[string]string{"launch": launch}})
	s.must(err)
	return s.room.Receive(context.Background(), "cloud", s.signed(id, string(body)))
}

func (s *site) signed(id, body string) labs.Delivery {
	d := labs.Delivery{ID: id, Timestamp: fmt.Sprint(s.clock.Now().Unix()), Body: []byte(body)}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(shared, "whsec_"))
	s.must(err)
	d.Signature = labs.SignForTest(secret, d)
	return d
}

func (s *site) sweep() {
	s.Helper()
	_, err := s.room.Sweep(context.Background())
	s.must(err)
	s.must(s.jobs.Drain(system))
}

func (s *site) posted(enrolled string) (minor int64) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		c, err := ledger.CostsTx(ctx, tx, []string{enrolled}, time.Time{}, time.Time{})
		minor = c["EUR"]
		return err
	})
	return minor
}

// verify runs the checks of the room and of the ledger.
func (s *site) verify() {
	s.Helper()
	testkit.Verify(s, s.db, labs.Checks())
	testkit.Verify(s, s.db, ledger.Checks())
}

// A token opens the lab once, within a minute, and tells nobody's name; a stranger's launch is not there; whoever has no right to it any more at the very
// moment is refused.
func TestATokenOpensALabOnce(t *testing.T) {
	s := newSite(t)
	l := s.launched()
	other, _ := s.learner("labs")
	if _, err := s.room.Open(system, l.ID, other); !errors.Is(err, labs.ErrNoLaunch) {
		t.Error("a stranger opened it:", err)
	}
	ticket, err := s.room.Open(system, l.ID, l.LearnerID)
	s.must(err)
	token, err := jose.ParseSignedCompact(ticket.Fields[0][1], []jose.SignatureAlgorithm{jose.RS256})
	s.must(err)
	raw, err := token.Verify(s.private.Public())
	s.must(err)
	var c map[string]any
	s.must(json.Unmarshal(raw, &c))
	if c["exp"].(float64)-c["iat"].(float64) > 60 || c["aud"] != "cursus" || c["iss"] != s.us || strings.Contains(string(raw), "Learner 1") || strings.Contains(string(raw), "example.org") {
		t.Errorf("%s", raw)
	}
	if status, shown := s.come(ticket); status != 200 || !strings.Contains(shown, "The machine runs") {
		t.Fatal(status, shown)
	}
	if status, _ := s.come(ticket); status != 403 {
		t.Error("the same token opened it again:", status)
	}
	if _, err := s.room.Open(system, l.ID, l.LearnerID); !errors.Is(err, labs.ErrSpent) {
		t.Error("a second token of one link:", err)
	}
	again, err := s.launch(s.lab.ID, l.EnrolmentID, l.LearnerID)
	s.must(err)
	if again.ID != l.ID || s.of(l.ID).State != labs.Running {
		t.Errorf("she who comes back is in another machine: %+v", again)
	}
	s.clock.Advance(labs.TokenLife)
	if _, err := s.room.Open(system, again.ID, l.LearnerID); !errors.Is(err, labs.ErrSpent) {
		t.Error("a link of more than a minute:", err)
	}
	_, err = s.launch(s.lab.ID, l.EnrolmentID, l.LearnerID)
	s.must(err)
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, "ord_1", "refund")
		return err
	})
	if _, err := s.room.Open(system, again.ID, l.LearnerID); !errors.Is(err, labs.ErrLeft) {
		t.Error("after a refund:", err)
	}
	if _, err := s.launch(s.lab.ID, l.EnrolmentID, l.LearnerID); !errors.Is(err, labs.ErrLeft) {
		t.Error("after a refund:", err)
	}
	if _, err := s.launch(s.lab.ID, l.EnrolmentID, other); !errors.Is(err, enrolment.ErrNoEnrolment) {
		t.Error("by somebody else's enrolment:", err)
	}
	free, enrolled := s.learner("knowledge")
	if _, err := s.launch(s.lab.ID, enrolled, free); !errors.Is(err, labs.ErrFormula) {
		t.Error("without labs:", err)
	}
	s.verify()
}

// LTI 1.3 as a platform: the tool answers the login that we began, gets an id_token at the address that is registered, and at no other.
func TestALabOpensByLTI(t *testing.T) {
	s := newSite(t)
	var lab labs.Lab
	s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		n := s.plan()
		n.Provider = "tool"
		lab, err = labs.CreateLabTx(ctx, tx, "PRD-9", n)
		return err
	})
	id, enrolled := s.learner("labs")
	l, err := s.launch(lab.ID, enrolled, id)
	s.must(err)
	ticket, err := s.room.Open(system, l.ID, id)
	s.must(err)
	status, to := s.come(ticket)
	u, err := url.Parse(to)
	s.must(err)
	v := u.Query()
	if status != 303 || !strings.HasPrefix(to, s.us+"/labs/lti?") {
		t.Fatal(status, to)
	}
	good := labs.Login{Scope: v.Get("scope"), ResponseType: v.Get("response_type"), ResponseMode: v.Get("response_mode"), Prompt: v.Get("prompt"), ClientID: v.Get("client_id"), RedirectURI: v.Get("redirect_uri"),
		LoginHint: v.Get("login_hint"), Hint: v.Get("lti_message_hint"), State: v.Get("state"), Nonce: v.Get("nonce")}
	for name, spoil := range map[string]func(*labs.Login){
		"another address": func(a *labs.Login) { a.RedirectURI = "https://evil.example/" }, "another client": func(a *labs.Login) { a.ClientID = "x" }, "no nonce": func(a *labs.Login) { a.Nonce = "" },
		"no state": func(a *labs.Login) { a.State = "" }, "another flow": func(a *labs.Login) { a.ResponseType = "code" }, "another token": func(a *labs.Login) { a.Hint = "2" },
	} {
		bad := good
		spoil(&bad)
		if _, err := s.room.Answer(system, id, bad); !errors.Is(err, labs.ErrLogin) {
			t.Error(name, err)
		}
	}
	if stranger, _ := s.learner("labs"); stranger != "" {
		if _, err := s.room.Answer(system, stranger, good); !errors.Is(err, labs.ErrNoLaunch) {
			t.Error("somebody else's browser:", err)
		}
	}
	answer, err := s.room.Answer(system, id, good)
	s.must(err)
	if status, shown := s.come(answer); status != 200 || !strings.Contains(shown, "The machine runs") {
		t.Fatal(status, shown)
	}
	if _, err := s.room.Answer(system, id, good); !errors.Is(err, labs.ErrSpent) {
		t.Error("a second id_token of one login:", err)
	}
	m := s.double.Machines()
	if len(m) != 1 || m[0].Shape != "lti" || m[0].Subject != enrolled || s.of(l.ID).State != labs.Running {
		t.Errorf("%+v", m)
	}
	s.verify()
}

// In whatever order and however often events come, and whenever the sweep looks, a launch says and costs what one delivery in order says, and the ledger has it once.
func TestEventsAddUpInAnyOrder(t *testing.T) {
	s := newSite(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		begin := s.clock.Now()
		type sent struct {
			id, kind string
			at       time.Time
		}
		var all []sent
		kinds := []string{"activity", "activity", "help_asked", "help_given", "stopped", "started"}
		if rapid.IntRange(0, 9).Draw(t, "start is lost") > 0 {
			all = append(all, sent{"0", "started", begin})
		}
		for i := range rapid.IntRange(1, 7).Draw(t, "events") {
			all = append(all, sent{fmt.Sprint(i + 1), rapid.SampledFrom(kinds).Draw(t, "kind"), begin.Add(time.Duration(rapid.IntRange(0, 40*60).Draw(t, "second")) * time.Second)})
		}
		deliver := func(l labs.Launch, list []sent) {
			for _, e := range list {
				if err := s.say(fmt.Sprint(round, "-", l.ID, "-", e.id), e.kind, l.ID, e.at); err != nil {
					t.Fatal(err)
				}
			}
		}
		one, two := s.launched(), s.launched()
		s.clock.Advance(45 * time.Minute)
		ordered := slices.Clone(all)
		slices.SortStableFunc(ordered, func(a, b sent) int { return a.at.Compare(b.at) })
		deliver(one, ordered)
		shuffled := rapid.Permutation(append(slices.Clone(all), all[:rapid.IntRange(0, len(all)).Draw(t, "again")]...)).Draw(t, "order")
		half := rapid.IntRange(0, len(shuffled)).Draw(t, "half")
		deliver(two, shuffled[:half])
		if rapid.Bool().Draw(t, "the sweep looks in between") {
			s.clock.Advance(time.Duration(rapid.IntRange(0, 30).Draw(t, "minutes")) * time.Minute)
			s.sweep()
		}
		deliver(two, shuffled[half:])
		s.clock.Advance(time.Hour)
		s.sweep()
		a, b := s.of(one.ID), s.of(two.ID)
		times := func(l labs.Launch) string {
			if l.EndedAt == nil {
				return string(l.State)
			}
			return fmt.Sprint(l.State, l.StartedAt.Sub(begin), l.LastAt.Sub(begin), l.EndedAt.Sub(begin), l.Minutes, l.CostMinor)
		}
		if times(a) != times(b) || s.posted(a.EnrolmentID) != a.CostMinor || s.posted(b.EnrolmentID) != b.CostMinor {
			t.Fatalf("in order %s, ledger %d; otherwise %s, ledger %d\n%v", times(a), s.posted(a.EnrolmentID), times(b), s.posted(b.EnrolmentID), shuffled)
		}
		if a.State == labs.Ended && a.CostMinor != labs.CostOf(a.Minutes, 1250, "EUR").Minor {
			t.Fatal(a.Minutes, a.CostMinor)
		}
	})
	s.verify()
}

// A machine that is idle is stopped by its provider; a stop that nobody tells of is closed by the last activity and the idle time; what comes late corrects
// the ledger by a reversal; the checks see a cost that nobody posted.
func TestAnIdleMachineIsStopped(t *testing.T) {
	s := newSite(t)
	l := s.launched()
	ticket, err := s.room.Open(system, l.ID, l.LearnerID)
	s.must(err)
	s.come(ticket)
	s.clock.Advance(4 * time.Minute)
	s.sweep()
	if got := s.of(l.ID); got.State != labs.Running || got.StopAskedAt != nil {
		t.Fatalf("stopped before it was idle: %+v", got)
	}
	s.clock.Advance(2 * time.Minute)
	s.sweep()
	if got := s.of(l.ID); got.State != labs.Ended || got.StopReason != labs.ReasonIdle || got.Minutes != 6 || got.CostMinor != 8 || s.posted(l.EnrolmentID) != 8 {
		t.Fatalf("6 minutes at 1.25 cents are 7.5, and so 8: %+v", got)
	}
	s.double.Set(labdouble.Weather{LoseStops: true})
	lost := s.launched()
	ticket, err = s.room.Open(system, lost.ID, lost.LearnerID)
	s.must(err)
	s.come(ticket)
	began := s.clock.Now()
	s.clock.Advance(14 * time.Minute)
	s.sweep()
	if got := s.of(lost.ID); got.State != labs.Running || got.StopAskedAt == nil {
		t.Fatalf("it is given time to say that it stopped: %+v", got)
	}
	s.clock.Advance(time.Minute)
	s.sweep()
	if got := s.of(lost.ID); got.State != labs.Ended || got.Minutes != 5 || got.CostMinor != 6 {
		t.Fatalf("the last activity and the idle time are five minutes: %+v", got)
	}
	s.must(s.say("late", "stopped", lost.ID, began.Add(2*time.Minute)))
	if got := s.of(lost.ID); got.Minutes != 2 || got.CostMinor != 3 || got.Costing != 2 || s.posted(lost.EnrolmentID) != 3 {
		t.Fatalf("what came late corrects: %+v", got)
	}
	s.verify()
	for _, spoil := range []string{
		`UPDATE labs.launches SET cost_minor = cost_minor + 1 WHERE id = '` + lost.ID + `'`,
		`UPDATE labs.launches SET minutes = minutes + 1, cost_minor = cost_minor + 1 WHERE id = '` + lost.ID + `'`,
	} {
		_, err := s.owner.Exec(spoil)
		s.must(err)
		broken := 0
		for _, c := range labs.Checks() {
			rows, err := postgres.RunCheck(system, s.db, c)
			s.must(err)
			broken += len(rows)
		}
		if broken == 0 {
			t.Error("no check sees", spoil)
		}
	}
}

// Used minutes shut the lab and stop the machine; a refund stops it too; a provider that is down is asked again.
func TestAMachineIsStoppedWhenItsTimeIsUsedOrItsRightIsGone(t *testing.T) {
	s := newSite(t)
	one, two := s.launched(), s.launched()
	for _, l := range []labs.Launch{one, two} {
		ticket, err := s.room.Open(system, l.ID, l.LearnerID)
		s.must(err)
		s.come(ticket)
	}
	for range 7 {
		s.clock.Advance(4 * time.Minute)
		for _, l := range []labs.Launch{one, two} {
			s.must(s.double.Tell(system, l.ID, "activity"))
		}
		s.sweep()
	}
	if a, b := s.of(one.ID), s.of(two.ID); a.State != labs.Running || b.State != labs.Running {
		t.Fatalf("28 of 30 minutes: %+v %+v", a, b)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.RevokeTx(ctx, tx, "ord_2", "refund")
		return err
	})
	s.sweep()
	if b := s.of(two.ID); b.State != labs.Ended || b.StopReason != labs.ReasonAccess {
		t.Errorf("after a refund: %+v", b)
	}
	s.clock.Advance(2 * time.Minute)
	s.must(s.double.Tell(system, one.ID, "activity"))
	s.sweep()
	if a := s.of(one.ID); a.State != labs.Ended || a.StopReason != labs.ReasonQuota || a.Minutes != 30 || a.CostMinor != 38 {
		t.Errorf("30 minutes at 1.25 cents are 37.5: %+v", a)
	}
	if _, err := s.launch(s.lab.ID, one.EnrolmentID, one.LearnerID); !errors.Is(err, labs.ErrQuota) {
		t.Error("with all minutes used:", err)
	}
	s.double.Set(labdouble.Weather{Down: true})
	if err := s.room.Stop(system, one.ID); err != nil {
		t.Error("what has ended is asked for no more:", err)
	}
	three := s.launched()
	ticket, err := s.room.Open(system, three.ID, three.LearnerID)
	s.must(err)
	s.come(ticket)
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error { return s.room.AskStopTx(ctx, tx, three.ID) })
	if err := s.room.Stop(system, three.ID); !errors.Is(err, labs.ErrProvider) {
		t.Error("a provider that is down took it:", err)
	}
	s.double.Set(labdouble.Weather{})
	s.must(s.room.Stop(system, three.ID))
	if c := s.of(three.ID); c.State != labs.Ended || c.StopReason != labs.ReasonTeacher {
		t.Errorf("%+v", c)
	}
	s.verify()
}

// Who asks for help is first on the board until she is helped; a new price changes nothing of what was launched; usages come in pages.
func TestTheBoardAndThePriceOfWhatWasLaunched(t *testing.T) {
	s := newSite(t)
	one, two := s.launched(), s.launched()
	for _, l := range []labs.Launch{one, two} {
		ticket, err := s.room.Open(system, l.ID, l.LearnerID)
		s.must(err)
		s.come(ticket)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		n := s.plan()
		n.CostMilli, n.Currency = 99_000, "XOF"
		if _, err := labs.PutLabTx(ctx, tx, s.lab.ID, n, 7); !errors.Is(err, labs.ErrChanged) {
			t.Error("over a version that is not there:", err)
		}
		_, err := labs.PutLabTx(ctx, tx, s.lab.ID, n, s.lab.Version)
		return err
	})
	s.clock.Advance(time.Minute)
	s.must(s.double.Tell(system, one.ID, "help_asked"))
	s.clock.Advance(time.Minute)
	s.must(s.double.Tell(system, two.ID, "activity"))
	board := func() (all []labs.Usage) {
		s.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			all, err = labs.BoardTx(ctx, tx, s.session.ID)
			return err
		})
		return all
	}
	if b := board(); len(b) != 2 || b[0].ID != one.ID || b[0].HelpSince == nil || b[0].In(s.clock.Now()) != 2 || b[0].Left() != 28 || b[1].HelpSince != nil {
		t.Fatalf("%+v", b)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error { return s.room.HelpGivenTx(ctx, tx, one.ID) })
	if b := board(); len(b) != 2 || b[0].ID != two.ID || b[1].HelpSince != nil {
		t.Fatalf("%+v", b)
	}
	s.must(s.double.Tell(system, one.ID, "stopped"))
	if got := s.of(one.ID); got.Currency != "EUR" || got.CostMinor != 3 {
		t.Errorf("2 minutes at 1.25 cents are 2.5: %+v", got)
	}
	next, seen := "", 0
	for range 3 {
		s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			all, after, err := labs.UsagesTx(ctx, tx, s.session.ID, page.Request{Limit: 1, After: next})
			seen += len(all)
			next = after
			return err
		})
		if next == "" {
			break
		}
	}
	if seen != 2 {
		t.Error(seen, "usages were listed")
	}
	s.verify()
}

// Only what a provider signed just now is taken, each event once; what cannot be applied is kept and tells of nobody.
func TestOnlySignedEventsAreTaken(t *testing.T) {
	s := newSite(t)
	l := s.launched()
	good := s.signed("e1", `{"type":"lab.started","timestamp":"`+s.clock.Now().Format(time.RFC3339)+`","data":{"launch":"`+l.ID+`"}}`)
	for name, spoil := range map[string]func(*labs.Delivery){
		"another body": func(d *labs.Delivery) { d.Body = append(slices.Clone(d.Body), ' ') }, "another id": func(d *labs.Delivery) { d.ID = "e2" }, "another time": func(d *labs.Delivery) { d.Timestamp = fmt.Sprint(s.clock.Now().Unix() + 1) },
		"no signature": func(d *labs.Delivery) { d.Signature = "" }, "no time": func(d *labs.Delivery) { d.Timestamp = "now" }, "another version": func(d *labs.Delivery) { d.Signature = "v2" + d.Signature[2:] },
	} {
		bad := good
		spoil(&bad)
		if err := s.room.Receive(system, "cloud", bad); !errors.Is(err, labs.ErrSignature) {
			t.Error(name, err)
		}
	}
	if err := s.room.Receive(system, "nobody", good); !errors.Is(err, labs.ErrNoProvider) {
		t.Error(err)
	}
	rotated := good
	rotated.Signature = "v1,AAAA " + good.Signature
	s.must(s.room.Receive(system, "cloud", rotated))
	s.must(s.room.Receive(system, "cloud", good))
	foreign, err := s.launch(s.lab.ID, l.EnrolmentID, l.LearnerID)
	s.must(err)
	if foreign.ID != l.ID {
		t.Fatal("another machine")
	}
	now := s.clock.Now().Format(time.RFC3339)
	for problem, body := range map[string]string{
		"unreadable": "{", "unknown-kind": `{"type":"lab.exploded","timestamp":"` + now + `","data":{"launch":"` + l.ID + `"}}`, "unknown-launch": `{"type":"lab.started","timestamp":"` + now + `","data":{"launch":"lln_x"}}`,
		"out-of-time": `{"type":"lab.activity","timestamp":"2031-01-01T00:00:00Z","data":{"launch":"` + l.ID + `"}}`,
	} {
		s.must(s.room.Receive(system, "cloud", s.signed("p-"+problem, body)))
		var got, raw string
		s.must(s.owner.QueryRow(`SELECT problem, convert_from(raw, 'UTF8') FROM labs.events WHERE event_id = $1 AND launch_id IS NULL`, "p-"+problem).Scan(&got, &raw))
		if got != problem || raw != body {
			t.Error(problem, got, raw)
		}
	}
	var stored int
	s.must(s.owner.QueryRow(`SELECT count(*) FROM labs.events WHERE launch_id = $1`, l.ID).Scan(&stored))
	if stored != 1 {
		t.Error("the same event is stored", stored, "times")
	}
	s.clock.Advance(6 * time.Minute)
	if err := s.room.Receive(system, "cloud", good); !errors.Is(err, labs.ErrSignature) {
		t.Error("a signature of six minutes ago:", err)
	}
	if _, err := s.owner.Exec(`UPDATE labs.events SET kind = 'stopped'`); err == nil {
		t.Error("an event was rewritten")
	}
	s.verify()
}
