package outreach_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/outreach"
	"cursus/internal/domain/privacy"
	"cursus/internal/flows"
	"cursus/internal/gateways/mail"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

// server is a mail server with the faults that the address of a recipient asks for: nobody@ is refused for good, spam@ too, after the mail
// was read; full@ is told to come back, busy@ hears that the server closes; drop@ and slow@ get their mail, and we no answer.
type server struct {
	mu    sync.Mutex
	mails map[string][][]byte // by recipient
	asked map[string]int
}

type session struct {
	*server
	conn *smtp.Conn
	to   string
}

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{server: s, conn: c}, nil
}
func (*session) Mail(string, *smtp.MailOptions) error { return nil }
func (*session) Reset()                               {}
func (*session) Logout() error                        { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
	s.asked[to]++
	switch user, _, _ := strings.Cut(to, "@"); user {
	case "nobody":
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such person"}
	case "full":
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "mailbox full"}
	case "busy":
		if s.asked[to] < 3 {
			return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "closing"}
		}
	}
	return nil
}

func (s *session) Data(body io.Reader) error {
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	user, _, _ := strings.Cut(s.to, "@")
	if user == "spam" {
		return &smtp.SMTPError{Code: 554, Message: "not here"}
	}
	s.mails[s.to] = append(s.mails[s.to], b)
	switch user {
	case "drop":
		_ = s.conn.Conn().Close()
	case "slow":
		s.mu.Unlock()
		time.Sleep(700 * time.Millisecond)
		s.mu.Lock()
	}
	return nil
}

func (s *server) got(to string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails[to])
}

func (s *server) all() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mails {
		n += len(m)
	}
	return n
}

func listen(t *testing.T) (*server, string) {
	t.Helper()
	s := &server{mails: map[string][][]byte{}, asked: map[string]int{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	smtpd := smtp.NewServer(s)
	smtpd.ErrorLog = quiet{}
	go func() { _ = smtpd.Serve(listener) }()
	t.Cleanup(func() { _ = smtpd.Close() })
	return s, "smtp://" + listener.Addr().String() + "?tls=none"
}

// quiet hears of connections that we broke.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// impatient gives up on a mail server after half a second, as the gateway does after thirty.
type impatient struct{ outreach.Post }

func (p impatient) Send(ctx context.Context, l outreach.Letter) outreach.Outcome {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	return p.Post.Send(ctx, l)
}

// house is the room on a database of its own, with an old session of a course, which learners were in, and a new one.
type house struct {
	testing.TB
	dsn       string
	db        *postgres.DB
	clock     *clock.Manual
	room      *outreach.Service
	server    *server
	old, next catalog.Session
	people    map[string]string
}

func newHouse(t testing.TB, perMinute int, post outreach.Post) *house {
	t.Helper()
	h := &house{TB: t, dsn: testkit.OwnerDSN(t), clock: testkit.Clock(), people: map[string]string{}}
	h.db = testkit.Open(t, h.dsn, h.clock)
	h.room = outreach.New(h.db, jobs.New(h.db, nil), post, outreach.Options{PerMinute: perMinute, Secret: []byte("a secret for tests, long enough 1")})
	h.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nQuiz 1,1\nQuiz 2,2\nQuiz 3,3\n"))
		if err != nil {
			return err
		}
		starts, ends := h.clock.Now().AddDate(0, 0, -15), h.clock.Now().AddDate(0, 0, 40)
		if h.old, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-8", CourseKey: "PRD", Title: catalog.Text{EN: "Data networks", FR: "Réseaux de données"}, Platform: "fun", ThresholdPPM: 500_000,
			StartsAt: &starts, EndsAt: &ends, Exercises: exercises}); err != nil {
			return err
		}
		h.next, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-9", CourseKey: "PRD", Title: catalog.Text{EN: "Data networks", FR: "Réseaux de données"}, Platform: "fun", ThresholdPPM: 500_000})
		return err
	})
	t.Cleanup(func() { testkit.Verify(t, h.db, outreach.Checks()) })
	return h
}

// newSMTP is a house that sends to a real mail server.
func newSMTP(t *testing.T, perMinute int) *house {
	t.Helper()
	s, address := listen(t)
	sender, err := mail.New(mail.Options{Address: address, From: "Cursus <no-reply@cursus.test>", Clock: testkit.Clock()})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, perMinute, impatient{flows.Letters{Mail: sender, BaseURL: "https://cursus.test", MailDomain: "cursus.test"}})
	h.server = s
	return h
}

func (h *house) inTx(fn func(ctx context.Context, tx *postgres.Tx) error) {
	h.Helper()
	if err := h.db.InTx(system, "test", fn); err != nil {
		h.Fatal(err)
	}
}

// learner was enrolled in the old session; a customer by an order.
func (h *house) learner(email, lang string, customer bool) string {
	h.Helper()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		p, err := identity.PutPersonTx(ctx, tx, email, "Awa <b>N’Diaye</b>", lang)
		if err != nil {
			return err
		}
		h.people[email] = p.ID
		if !customer {
			_, _, err = enrolment.ImportTx(ctx, tx, h.old.ID, []string{p.ID}, func(string) time.Time { return tx.Now() }, "test")
			return err
		}
		_, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: h.old.ID, OrderID: "ord_" + p.ID, Formula: "DISCOVERY", Entitlements: []string{"knowledge"}})
		return err
	})
	return h.people[email]
}

func (h *house) says(email, purpose string, yes bool) {
	h.Helper()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return privacy.SayTx(ctx, tx, h.people[email], purpose, yes)
	})
}

var words = outreach.Words{Subject: "{title} comes back, {name}", Paragraphs: []string{"Hello {name},\nit **begins** {starts}.", "<script>alert(1)</script>"}, Button: "Read on"}

func announcement() outreach.NewCampaign {
	return outreach.NewCampaign{
		Name: "The ninth session", About: outreach.About{Session: "PRD-9"}, Segment: outreach.Segment{Course: "PRD"},
		Text: outreach.Text{EN: words, FR: outreach.Words{Subject: "{title} revient", Paragraphs: []string{"Bonjour {name},"}, Button: "Lire"}},
	}
}

func (h *house) scheduled(n outreach.NewCampaign) (id string) {
	h.Helper()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if id, err = outreach.CreateTx(ctx, tx, n); err != nil {
			return err
		}
		return h.room.ScheduleTx(ctx, tx, id, nil)
	})
	return id
}

func (h *house) serve() {
	h.Helper()
	if err := h.room.Serve(context.Background()); err != nil {
		h.Fatal(err)
	}
	if _, err := h.room.AskDue(context.Background()); err != nil {
		h.Fatal(err)
	}
}

func (h *house) campaign(id string) (c outreach.Campaign) {
	h.Helper()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = outreach.CampaignTx(ctx, tx, id)
		return err
	})
	return c
}

func (h *house) stateOf(id, email string) (state string) {
	h.Helper()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, _, err := outreach.RecipientsTx(ctx, tx, id, "", page.Request{Limit: 200})
		for _, r := range all {
			if r.PersonID == h.people[email] {
				state = r.State + " " + r.Because
			}
		}
		return err
	})
	return strings.TrimSpace(state)
}

func header(t testing.TB, raw []byte, name string) string {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header.Get(name)
}

// Who bought or said yes is written to, once, in her language, under a Message-ID of her own and with the header that ends it in one click;
// who said no, who never said anything and is no customer, and who has no address is not. Nothing that staff or learners wrote is HTML.
func TestAnAnnouncementGoesToWhoMayBeWrittenTo(t *testing.T) {
	h := newSMTP(t, 1000)
	h.learner("buys@example.org", "en", true)
	h.learner("lit@example.org", "fr", true)
	h.learner("imported@example.org", "en", false)
	h.learner("agrees@example.org", "en", false)
	h.says("agrees@example.org", privacy.News, true)
	h.learner("refuses@example.org", "en", true)
	h.says("refuses@example.org", privacy.News, false)
	h.learner("late@example.org", "en", true)
	id := h.scheduled(announcement())
	h.serve()
	h.serve()
	c := h.campaign(id)
	if want := (outreach.Counts{Recipients: 6, Sent: 4, NoConsent: 1, Refused: 1}); c.Counts != want || c.State != outreach.Done {
		t.Errorf("%s %+v", c.State, c.Counts)
	}
	if h.server.all() != 4 {
		t.Error(h.server.all(), "mails")
	}
	raw := h.server.got("buys@example.org")[0]
	link := strings.Trim(header(t, raw, "List-Unsubscribe"), "<>")
	if !strings.HasPrefix(header(t, raw, "Message-Id"), "<rcp_") || !strings.HasPrefix(link, "https://cursus.test/unsubscribe/rcp_") || header(t, raw, "List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("%s", raw)
	}
	if _, _, html := decoded(t, raw); strings.Contains(html, "<script>") || !strings.Contains(html, "&lt;script&gt;") || !strings.Contains(html, "Hello Awa &lt;b&gt;") || !strings.Contains(html, "<strong>begins</strong> soon") {
		t.Errorf("%s", html)
	}
	if s := header(t, h.server.got("lit@example.org")[0], "Subject"); !strings.Contains(s, "revient") {
		t.Error("in French:", s)
	}
	// Who is enrolled in it needs no announcement of it.
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: h.people["late@example.org"], SessionID: h.next.ID, OrderID: "ord_late", Formula: "DISCOVERY", Entitlements: []string{"knowledge"}})
		return err
	})
	if again := h.campaign(h.scheduledAndServed(announcement())); again.Counts.Recipients != 5 {
		t.Errorf("%+v", again.Counts)
	}
}

func (h *house) scheduledAndServed(n outreach.NewCampaign) string {
	h.Helper()
	id := h.scheduled(n)
	h.serve()
	return id
}

// A mail server with faults: what was refused for good is final and stops further mails to that address; what was refused for now is tried
// again, ever more rarely, and given up; what was handed over without an answer is uncertain, and nobody tries it again.
func TestAMailServerWithFaults(t *testing.T) {
	h := newSMTP(t, 1000)
	for _, user := range []string{"well", "nobody", "spam", "full", "busy", "drop", "slow"} {
		h.learner(user+"@example.org", "en", true)
	}
	id := h.scheduled(announcement())
	for range 40 {
		h.serve()
		h.clock.Advance(40 * time.Minute)
	}
	for user, want := range map[string]struct {
		state       string
		mails, asks int
	}{
		"well": {"sent", 1, 1}, "nobody": {"bounced dead", 0, 1}, "spam": {"failed refused", 0, 1}, "full": {"failed given_up", 0, 6}, "busy": {"sent", 1, 3},
		"drop": {"uncertain unknown", 1, 1}, "slow": {"uncertain unknown", 1, 1},
	} {
		to := user + "@example.org"
		if state, mails, asks := h.stateOf(id, to), len(h.server.got(to)), h.server.asked[to]; state != want.state || mails != want.mails || asks != want.asks {
			t.Errorf("%s: %s, %d mails, asked %d times; want %+v", user, state, mails, asks, want)
		}
	}
	if c := h.campaign(id); c.State != outreach.Done {
		t.Error(c.State)
	}
	next := h.scheduledAndServed(announcement())
	if state := h.stateOf(next, "nobody@example.org"); state != "skipped dead_address" || h.server.asked["nobody@example.org"] != 1 {
		t.Error("after a refusal for good:", state)
	}
}

// In any minute no more mails leave than the rate allows, whatever waits.
func TestTheRateIsKept(t *testing.T) {
	h := newSMTP(t, 5)
	for i := range 12 {
		h.learner(fmt.Sprintf("l%d@example.org", i), "en", true)
	}
	h.scheduled(announcement())
	for i, want := range []int{5, 5, 10, 10, 12} {
		h.serve()
		h.serve()
		if n := h.server.all(); n != want {
			t.Errorf("after %d half minutes: %d mails, want %d", i, n, want)
		}
		h.clock.Advance(30*time.Second + time.Millisecond)
	}
}

// A link to unsubscribe is ours or nothing; to look at it changes nothing, to use it ends the mails of its kind, and only those, also for
// mails that wait. Preferences are her word from then on.
func TestUnsubscribing(t *testing.T) {
	h := newSMTP(t, 1)
	h.learner("a@example.org", "en", true)
	h.learner("b@example.org", "en", true)
	id := h.scheduled(announcement())
	h.serve()
	first, second := "a@example.org", "b@example.org"
	if len(h.server.got(first)) == 0 {
		first, second = second, first
	}
	token := strings.TrimPrefix(strings.Trim(header(t, h.server.got(first)[0], "List-Unsubscribe"), "<>"), "https://cursus.test/unsubscribe/")
	for _, bad := range []string{"", "rcp_1", token + "x", token[:len(token)-1], "x" + token, strings.Replace(token, "-", "_", 1), "rcp_01kb5t8kz9e0qv4m3r2x7nwhjd" + token[30:]} {
		if _, err := h.room.Unsubscribe(context.Background(), bad); !errors.Is(err, outreach.ErrNoLink) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if l, err := h.room.Link(context.Background(), token); err != nil || l.Refused || l.PersonID != h.people[first] {
		t.Error(l, err)
	}
	if p, err := h.room.Preferences(context.Background(), h.people[first]); err != nil || p != (outreach.Preferences{News: true, Progress: true, Nudges: true}) {
		t.Error("to look at a link changed something:", p, err)
	}
	for range 2 {
		if l, err := h.room.Unsubscribe(context.Background(), token); err != nil || !l.Refused {
			t.Error(l, err)
		}
	}
	if p, err := h.room.Preferences(context.Background(), h.people[first]); err != nil || p != (outreach.Preferences{Progress: true, Nudges: true}) {
		t.Error(p, err)
	}
	// The other one refuses while her mail waits.
	if err := h.room.Prefer(context.Background(), h.people[second], outreach.Preferences{Progress: true}); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(2 * time.Minute)
	h.serve()
	if n := len(h.server.got(second)); n != 0 || h.stateOf(id, second) != "skipped refused" {
		t.Error(n, "mails,", h.stateOf(id, second))
	}
	if c := h.campaign(id); c.Counts.Unsubscribed != 1 || c.Counts.Sent != 1 || c.State != outreach.Done {
		t.Errorf("%+v", c)
	}
}

// What waits when a campaign is canceled is not sent, and what is over cannot be canceled or changed.
func TestCancelWhileSending(t *testing.T) {
	h := newSMTP(t, 3)
	for i := range 8 {
		h.learner(fmt.Sprintf("l%d@example.org", i), "en", true)
	}
	id := h.scheduled(announcement())
	h.serve()
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error { return outreach.CancelTx(ctx, tx, id) })
	h.clock.Advance(time.Hour)
	h.serve()
	c := h.campaign(id)
	if want := (outreach.Counts{Recipients: 8, Sent: 3, Canceled: 5}); c.Counts != want || c.State != outreach.Canceled || h.server.all() != 3 {
		t.Errorf("%+v", c)
	}
	for want, do := range map[error]func(ctx context.Context, tx *postgres.Tx) error{
		outreach.ErrOver:     func(ctx context.Context, tx *postgres.Tx) error { return outreach.CancelTx(ctx, tx, id) },
		outreach.ErrNotDraft: func(ctx context.Context, tx *postgres.Tx) error { return h.room.ScheduleTx(ctx, tx, id, nil) },
		outreach.ErrChanged: func(ctx context.Context, tx *postgres.Tx) error {
			return outreach.ChangeTx(ctx, tx, id, 77, announcement())
		},
		outreach.ErrNoCampaign: func(ctx context.Context, tx *postgres.Tx) error { return outreach.CancelTx(ctx, tx, "cmp_none") },
	} {
		if err := h.db.InTx(system, "test", do); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

// What cannot be sent as written is refused, with the place.
func TestTextsAndSegmentsAreChecked(t *testing.T) {
	h := newHouse(t, 1, nil)
	for want, spoil := range map[string]func(n *outreach.NewCampaign){
		"/text/en/paragraphs/1 unknown-placeholder": func(n *outreach.NewCampaign) { n.Text.EN.Paragraphs = []string{"a", "Hello {nam}"} },
		"/text/fr/subject bad-length":               func(n *outreach.NewCampaign) { n.Text.FR.Subject = " " },
		"/text/fr/subject control-character":        func(n *outreach.NewCampaign) { n.Text.FR.Subject = "a\r\nBcc: b@example.org" },
		"/text/en/paragraphs bad-length":            func(n *outreach.NewCampaign) { n.Text.EN.Paragraphs = nil },
		"/text/en/button unknown-placeholder":       func(n *outreach.NewCampaign) { n.Text.EN.Button = "{week}" },
		"/about one-of-two":                         func(n *outreach.NewCampaign) { n.About = outreach.About{} },
		"/about/session no-such-session":            func(n *outreach.NewCampaign) { n.About.Session = "NONE" },
		"/segment too-wide":                         func(n *outreach.NewCampaign) { n.Segment = outreach.Segment{} },
		"/segment/collection no-such-collection":    func(n *outreach.NewCampaign) { n.Segment.Collection = "NONE" },
		"/segment/course no-such-course":            func(n *outreach.NewCampaign) { n.Segment.Course = "NONE" },
		"/segment/stage unknown-stage":              func(n *outreach.NewCampaign) { n.Segment.Stage = "asleep" },
		"/segment/formula no-such-formula":          func(n *outreach.NewCampaign) { n.Segment.Formula = "NONE" },
		"/name bad-length":                          func(n *outreach.NewCampaign) { n.Name = "" },
	} {
		n := announcement()
		spoil(&n)
		err := h.db.InTx(system, "test", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := outreach.CreateTx(ctx, tx, n)
			return err
		})
		var all []string
		for _, f := range fault.From(err).Fields {
			all = append(all, f.Pointer+" "+f.Code)
		}
		if !slices.Equal(all, []string{want}) {
			t.Errorf("%v, want %s", all, want)
		}
	}
}

// A preview is the mail that a learner would get, and does nothing.
func TestPreview(t *testing.T) {
	h := newHouse(t, 1, nil)
	who := h.learner("a@example.org", "fr", true)
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		id, err := outreach.CreateTx(ctx, tx, announcement())
		if err != nil {
			return err
		}
		p, err := outreach.PreviewTx(ctx, tx, id, who, "")
		if p.EN.Subject != "Data networks comes back, Awa <b>N’Diaye</b>" || p.FR.Subject != "Réseaux de données revient" || p.EN.Unsubscribe != "" {
			t.Errorf("%+v", p)
		}
		if _, err := outreach.PreviewTx(ctx, tx, id, "per_none", ""); !errors.Is(err, outreach.ErrNoLearner) {
			t.Error(err)
		}
		return err
	})
	if c, err := jobs.New(h.db, nil).Count(system); err != nil || c.Pending != 0 {
		t.Error(c, err)
	}
}

// Enrolments in what was announced are counted by day, of those who were written to and of the others.
func TestTheEffectOfAMailing(t *testing.T) {
	h := newSMTP(t, 1000)
	h.learner("a@example.org", "en", true)
	id := h.scheduled(announcement())
	enrol := func(email string, order string) {
		h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			p, err := identity.PutPersonTx(ctx, tx, email, "", "en")
			if err != nil {
				return err
			}
			_, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: h.next.ID, OrderID: "ord_" + order, Formula: "DISCOVERY", Entitlements: []string{"knowledge"}})
			return err
		})
	}
	h.clock.Advance(-48 * time.Hour)
	enrol("early@example.org", "1")
	h.clock.Advance(48 * time.Hour)
	h.serve()
	h.clock.Advance(24 * time.Hour)
	enrol("a@example.org", "2")
	enrol("other@example.org", "3")
	h.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		days, err := outreach.EffectTx(ctx, tx, id)
		if len(days) != 9 || days[0].Day != -7 || days[5] != (outreach.Day{Day: -2, Others: 1}) || days[8] != (outreach.Day{Day: 1, Mailed: 1, Others: 1}) {
			t.Error(days)
		}
		return err
	})
}
