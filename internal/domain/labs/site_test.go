package labs_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/labs"
	"cursus/internal/gateways/labdouble"
	"cursus/internal/gateways/labgate"
	"cursus/internal/kernel/clock"
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

// enters opens a launch and comes into its machine.
func (s *site) enters(l labs.Launch) {
	s.Helper()
	ticket, err := s.room.Open(system, l.ID, l.LearnerID)
	s.must(err)
	s.come(ticket)
}

// say tells an event as a provider does, signed for now.
func (s *site) say(id, kind, launch string, at time.Time) error {
	body, err := json.Marshal(map[string]any{"type": "lab." + kind, "timestamp": at.UTC(), "data": map[string]string{"launch": launch}})
	s.must(err)
	return s.room.Receive(context.Background(), "cloud", s.signed(id, string(body)))
}

func (s *site) signed(id, body string) labs.Delivery { return s.signedBy(shared, id, body) }

func (s *site) signedBy(with, id, body string) labs.Delivery {
	d := labs.Delivery{ID: id, Timestamp: fmt.Sprint(s.clock.Now().Unix()), Body: []byte(body)}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(with, "whsec_"))
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
		return tx.Get(ctx, &minor, postgres.Query{Name: "test", SQL: `
			select coalesce(sum(e.minor), 0)::bigint from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
			 where e.enrolment_id = $1 and e.account like 'cost:%' and t.currency = 'EUR'`}, enrolled)
	})
	return minor
}

// verify runs the checks of the room and of the ledger.
func (s *site) verify() {
	s.Helper()
	testkit.Verify(s, s.db, labs.Checks())
	testkit.Verify(s, s.db, ledger.Checks())
}
