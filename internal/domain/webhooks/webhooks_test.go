package webhooks_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/webhooks"
	"cursus/internal/gateways/webhookgate"
	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
	"cursus/internal/testkit"
)

var system = postgres.WithActor(context.Background(), "system")

const key = "a secret for tests, long enough 1"

// receiver is a partner's server. It keeps what it was sent, and answers what it is told to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	heads  []http.Header
	bodies []string
	answer func(w http.ResponseWriter)
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.heads, r.bodies = append(r.heads, q.Header.Clone()), append(r.bodies, string(body))
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = func(w http.ResponseWriter) { w.WriteHeader(status); _, _ = io.WriteString(w, text) }
}

func (r *receiver) heard() ([]http.Header, []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heads), slices.Clone(r.bodies)
}

// site is the room on a database of its own, with two schools, their managers, an officer and a receiver.
type site struct {
	*testing.T
	db              *postgres.DB
	owner           *sql.DB
	clock           *clock.Manual
	room            *webhooks.Service
	gate            *webhookgate.Gate
	jobs            *jobs.Jobs
	r               *receiver
	officer, ma, mb webhooks.By
}

func newSite(t *testing.T) *site {
	dsn := testkit.OwnerDSN(t)
	s := &site{T: t, clock: testkit.Clock(), owner: testkit.Owner(t, dsn), r: newReceiver(t)}
	s.db = testkit.Open(t, dsn, s.clock)
	s.jobs = jobs.New(s.db, nil)
	var err error
	if s.gate, err = webhookgate.New(webhookgate.Options{Inside: []string{strings.TrimPrefix(s.r.URL, "http://")}, Timeout: time.Second}); err != nil {
		t.Fatal(err)
	}
	if s.room, err = webhooks.New(s.db, s.jobs, s.gate, []byte(key)); err != nil {
		t.Fatal(err)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for name, by := range map[string]*webhooks.By{"officer": &s.officer, "ma": &s.ma, "mb": &s.mb} {
			p, err := identity.PutPersonTx(ctx, tx, name+"@example.org", name, "en")
			if err != nil {
				return err
			}
			by.PersonID = p.ID
		}
		s.officer.Any = true
		return errors.Join(
			identity.PutOrganisationTx(ctx, tx, "A", "School A"), identity.PutOrganisationTx(ctx, tx, "B", "School B"),
			identity.PutManagerTx(ctx, tx, "A", s.ma.PersonID), identity.PutManagerTx(ctx, tx, "B", s.mb.PersonID),
		)
	})
	t.Cleanup(func() {
		for _, c := range webhooks.Checks() {
			if rows, err := postgres.RunCheck(system, s.db, c); err != nil || len(rows) > 0 {
				t.Errorf("%s: %v %v", c.Name, rows, err)
			}
		}
	})
	return s
}

func (s *site) inTx(fn func(ctx context.Context, tx *postgres.Tx) error) {
	s.Helper()
	if err := s.db.InTx(system, "test", fn); err != nil {
		s.Fatal(err)
	}
}

func (s *site) publish(all ...webhooks.News) {
	s.Helper()
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error { return s.room.PublishTx(ctx, tx, all) })
}

func (s *site) news(kind, cause string, owners ...string) webhooks.News {
	return webhooks.News{Type: kind, Cause: cause, At: s.clock.Now(), Owners: owners, Data: webhooks.TestData{EndpointID: cause}}
}

func (s *site) endpoint(by webhooks.By, organisation string, types ...string) webhooks.Endpoint {
	s.Helper()
	e, err := s.room.Create(s.as(by), by, "key "+organisation+strings.Join(types, ""), webhooks.NewEndpoint{Organisation: organisation, URL: s.r.URL, Types: types})
	if err != nil {
		s.Fatal(err)
	}
	return e
}

// as is how somebody is known to the database.
func (s *site) as(by webhooks.By) context.Context {
	if by.Any {
		return postgres.WithActor(context.Background(), "staff:"+by.PersonID)
	}
	return postgres.WithActor(context.Background(), "learner:"+by.PersonID)
}

func (s *site) serve(id string) {
	s.Helper()
	if err := s.room.Serve(context.Background(), id); err != nil {
		s.Fatal(err)
	}
}

// pass lets time pass, and sends what is due then as a worker would.
func (s *site) pass(d time.Duration) (asked int) {
	s.Helper()
	s.clock.Set(s.clock.Now().Add(d))
	asked, err := s.room.AskDue(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	var ids string
	if err := s.owner.QueryRow("select coalesce(string_agg(distinct args ->> 'endpoint_id', ' '), '') from jobs.queue where kind = 'webhooks.due'").Scan(&ids); err != nil {
		s.Fatal(err)
	}
	if _, err := s.owner.Exec("delete from jobs.queue where kind = 'webhooks.due'"); err != nil {
		s.Fatal(err)
	}
	for _, id := range strings.Fields(ids) {
		s.serve(id)
	}
	return asked
}

func (s *site) deliveries(id string) []webhooks.Delivery {
	s.Helper()
	all, _, err := s.room.Deliveries(s.as(s.officer), s.officer, id, "", page.Request{Limit: 200})
	if err != nil {
		s.Fatal(err)
	}
	return all
}

func (s *site) sent(endpoint, id string) webhooks.Sent {
	s.Helper()
	d, err := s.room.Delivery(s.as(s.officer), s.officer, endpoint, id)
	if err != nil {
		s.Fatal(err)
	}
	return d
}

// verify has the official library judge a message.
func verify(t *testing.T, secret, body string, h http.Header) error {
	t.Helper()
	w, err := standard.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return w.VerifyIgnoringTimestamp([]byte(body), h)
}

// What is sent is what the official library takes for ours, and nothing else is; while two secrets live either of them verifies.
func TestTheOfficialLibraryVerifies(t *testing.T) {
	s := newSite(t)
	s.clock.Set(clock.System{}.Now()) // the library goes by the machine's clock
	e := s.endpoint(s.ma, "A")
	if !strings.HasPrefix(e.Secret, "whsec_") || len(e.Secret) != 6+44 {
		t.Fatal(e.Secret)
	}
	s.publish(s.news(webhooks.OrderPaid, "ord_1", "A"))
	s.pass(0)
	heads, bodies := s.r.heard()
	if len(bodies) != 1 {
		t.Fatal(bodies)
	}
	w, err := standard.NewWebhook(e.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Verify([]byte(bodies[0]), heads[0]); err != nil {
		t.Error("with its time:", err)
	}
	for what, broken := range map[string]func(http.Header) (string, string){
		"another body":   func(http.Header) (string, string) { return e.Secret, bodies[0] + " " },
		"another id":     func(h http.Header) (string, string) { h.Set("webhook-id", "evt_other"); return e.Secret, bodies[0] },
		"another time":   func(h http.Header) (string, string) { h.Set("webhook-timestamp", "1"); return e.Secret, bodies[0] },
		"another secret": func(http.Header) (string, string) { return "whsec_" + strings.Repeat("A", 43) + "=", bodies[0] },
		"no signature":   func(h http.Header) (string, string) { h.Del("webhook-signature"); return e.Secret, bodies[0] },
	} {
		h := heads[0].Clone()
		secret, body := broken(h)
		if verify(t, secret, body, h) == nil {
			t.Error(what, "was taken")
		}
	}
	var event struct {
		ID, Type  string
		Version   int
		Timestamp time.Time
		Data      map[string]any
	}
	if err := json.Unmarshal([]byte(bodies[0]), &event); err != nil || event.ID != heads[0].Get("webhook-id") || event.Type != webhooks.OrderPaid || event.Version != 1 || !event.Timestamp.Equal(s.clock.Now()) || event.Data == nil {
		t.Error(bodies[0], err)
	}

	// A rotation: the same key gives the same secret, the old one lives a day, and a third ends it at once.
	second, err := s.room.Rotate(s.as(s.ma), s.ma, e.ID, "rotate")
	if err != nil || second.Secret == e.Secret {
		t.Fatal(second.Secret, err)
	}
	if same, err := s.room.Rotate(s.as(s.ma), s.ma, e.ID, "rotate"); err != nil || same.Secret != second.Secret {
		t.Error("the same key made another secret:", err)
	}
	try := func(n int, works map[string]bool) {
		t.Helper()
		s.publish(s.news(webhooks.OrderPaid, fmt.Sprint("ord_rotated_", n), "A"))
		s.pass(0)
		heads, bodies := s.r.heard()
		last := len(bodies) - 1
		for secret, want := range works {
			if err := verify(t, secret, bodies[last], heads[last]); (err == nil) != want {
				t.Errorf("message %d, %.12s…: %v", n, secret, err)
			}
		}
		signatures := 0
		for _, ok := range works {
			if ok {
				signatures++
			}
		}
		if got := len(strings.Fields(heads[last].Get("webhook-signature"))); got != signatures {
			t.Errorf("message %d has %d signatures", n, got)
		}
	}
	try(1, map[string]bool{e.Secret: true, second.Secret: true})
	s.pass(24*time.Hour - time.Second)
	try(2, map[string]bool{e.Secret: true, second.Secret: true})
	s.pass(time.Second)
	try(3, map[string]bool{e.Secret: false, second.Secret: true})
	third, err := s.room.Rotate(s.as(s.ma), s.ma, e.ID, "rotate again")
	if err != nil {
		t.Fatal(err)
	}
	fourth, err := s.room.Rotate(s.as(s.ma), s.ma, e.ID, "rotate once more")
	if err != nil {
		t.Fatal(err)
	}
	try(4, map[string]bool{second.Secret: false, third.Secret: true, fourth.Secret: true})
	if _, err := s.room.Forget(context.Background()); err != nil {
		t.Fatal(err)
	}
	var sealed []byte
	if err := s.owner.QueryRow("select string_agg(sealed, '') from webhooks.secrets").Scan(&sealed); err != nil || strings.Contains(string(sealed), third.Secret[6:20]) {
		t.Error("a secret stands in the table", err)
	}
}

// What failed is sent again as Standard Webhooks has it, over three days, under the same id; then it has failed.
func TestRetriesOverDays(t *testing.T) {
	s := newSite(t)
	e := s.endpoint(s.officer, "")
	s.r.answers(500, strings.Repeat("é", 3000))
	s.publish(s.news(webhooks.OrderPaid, "ord_1"))
	began := s.clock.Now()
	s.pass(0)
	after := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
	for i, d := range after {
		one := s.deliveries(e.ID)[0]
		if one.State != webhooks.Pending || one.Tried != i+1 || one.DueAt == nil {
			t.Fatalf("after attempt %d: %+v", i+1, one)
		}
		if wait := one.DueAt.Sub(s.clock.Now()); wait < d || wait > d+d/10 {
			t.Errorf("attempt %d comes after %v, not about %v", i+2, wait, d)
		}
		s.pass(one.DueAt.Sub(s.clock.Now()) - time.Microsecond)
		if heads, _ := s.r.heard(); len(heads) != i+1 {
			t.Fatal("it was sent too early")
		}
		s.pass(max(time.Microsecond, 5*time.Second)) // nobody is asked twice within seconds
	}
	one := s.deliveries(e.ID)[0]
	if one.State != webhooks.Failed || one.Tried != 10 || one.DueAt != nil || one.EndedAt == nil || one.Status == nil || *one.Status != 500 {
		t.Errorf("%+v", one)
	}
	if took := s.clock.Now().Sub(began); took < 75*time.Hour || took > 84*time.Hour {
		t.Error("it was tried for", took)
	}
	if n := s.pass(100 * time.Hour); n != 0 {
		t.Error("what has failed is asked for again")
	}
	heads, bodies := s.r.heard()
	for i := range heads {
		if heads[i].Get("webhook-id") != one.EventID || bodies[i] != bodies[0] {
			t.Error("attempt", i+1, "has another id or body")
		}
		if err := verify(t, e.Secret, bodies[i], heads[i]); err != nil {
			t.Error("attempt", i+1, err)
		}
		if i > 0 && heads[i].Get("webhook-timestamp") == heads[i-1].Get("webhook-timestamp") {
			t.Error("attempt", i+1, "has the time of the one before")
		}
	}
	log := s.sent(e.ID, one.ID)
	if len(log.Attempts) != 10 || len(log.Attempts[9].Response) > 2100 || *log.Attempts[9].Status != 500 || log.Body != bodies[0] {
		t.Errorf("%d attempts, %+v", len(log.Attempts), log.Attempts[9])
	}

	// Asked for again, it begins anew and keeps its log.
	s.r.answers(200, "ok")
	if _, err := s.room.Replay(s.as(s.officer), s.officer, e.ID, one.ID); err != nil {
		t.Fatal(err)
	}
	s.pass(0)
	if d := s.sent(e.ID, one.ID); d.State != webhooks.Delivered || len(d.Attempts) != 11 || d.Attempts[10].Response != "ok" {
		t.Errorf("%+v", d)
	}
	if heads, _ := s.r.heard(); heads[10].Get("webhook-id") != one.EventID {
		t.Error("a replay has another id")
	}
}

// A receiver that asks for time gets it; one that is slow, breaks off or sends us elsewhere has not said yes.
func TestReceiversThatMisbehave(t *testing.T) {
	s := newSite(t)
	e := s.endpoint(s.officer, "")
	for name, c := range map[string]struct {
		answer  func(http.ResponseWriter)
		failure string
		least   time.Duration
	}{
		"later": {func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "", time.Hour},
		"slow": {func(http.ResponseWriter) { time.Sleep(1200 * time.Millisecond) }, "timeout", 5 * time.Second},
		"elsewhere": {func(w http.ResponseWriter) {
			w.Header().Set("Location", s.r.URL)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "", 5 * time.Second},
		"hangs up":   {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "broken_answer", 5 * time.Second},
		"not for me": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, "", 5 * time.Second},
	} {
		s.r.mu.Lock()
		s.r.answer = c.answer
		s.r.mu.Unlock()
		before, _ := s.r.heard()
		s.publish(s.news(webhooks.OrderPaid, "ord_"+name))
		s.pass(0)
		one := s.sent(e.ID, s.deliveries(e.ID)[0].ID)
		heads, _ := s.r.heard()
		if one.State != webhooks.Pending || len(one.Attempts) != 1 || one.Attempts[0].Failure != c.failure || one.DueAt.Sub(s.clock.Now()) < c.least || len(heads) != len(before)+1 {
			t.Errorf("%s: %+v, sent %d times", name, one, len(heads)-len(before))
		}
	}
}

// crashing is a courier after whose first message the worker is no more: what was sent is not written down.
type crashing struct {
	webhooks.Courier
	die context.CancelFunc
}

func (c *crashing) Send(ctx context.Context, m webhooks.Message) webhooks.Answer {
	a := c.Courier.Send(ctx, m)
	c.die()
	return a
}

// Killed between sending and writing it down, it is sent again under the same id: at least once, never lost.
func TestACrashAfterSending(t *testing.T) {
	s := newSite(t)
	e := s.endpoint(s.officer, "")
	s.publish(s.news(webhooks.OrderPaid, "ord_1"))
	ctx, die := context.WithCancel(context.Background())
	dying, err := webhooks.New(s.db, s.jobs, &crashing{s.gate, die}, []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	if err := dying.Serve(ctx, e.ID); err == nil {
		t.Fatal("it survived")
	}
	if d := s.deliveries(e.ID)[0]; d.State != webhooks.Pending || d.Tried != 0 {
		t.Fatalf("%+v", d)
	}
	s.serve(e.ID) // another worker does not know yet that the first is dead
	if heads, _ := s.r.heard(); len(heads) != 1 {
		t.Fatal("two workers send to one endpoint")
	}
	s.pass(3 * time.Minute)
	heads, bodies := s.r.heard()
	if d := s.deliveries(e.ID)[0]; d.State != webhooks.Delivered || d.Tried != 1 || len(heads) != 2 || heads[0].Get("webhook-id") != heads[1].Get("webhook-id") || bodies[0] != bodies[1] {
		t.Errorf("%+v, sent %d times", d, len(heads))
	}
}

// A receiver that is gone, or fails for five days, hears no more; its owner is told; what happens is held, and can be asked for.
func TestEndpointsAreDisabled(t *testing.T) {
	s := newSite(t)
	gone, failing := s.endpoint(s.ma, "A", webhooks.OrderPaid), s.endpoint(s.ma, "A", webhooks.ExamResult)
	told := func() (n int) {
		t.Helper()
		if err := s.owner.QueryRow("select count(*) from jobs.queue where kind = 'webhooks.disabled'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	s.r.answers(410, "")
	s.publish(s.news(webhooks.OrderPaid, "ord_1", "A"))
	s.pass(0)
	e, err := s.room.Endpoint(s.as(s.ma), s.ma, gone.ID)
	if err != nil || e.State != webhooks.StateDisabled || e.DisabledBecause != webhooks.Gone || told() != 1 {
		t.Errorf("%+v %v", e, err)
	}
	if d := s.deliveries(gone.ID)[0]; d.State != webhooks.Failed {
		t.Errorf("%+v", d)
	}
	s.publish(s.news(webhooks.OrderPaid, "ord_2", "A"))
	if d := s.deliveries(gone.ID)[0]; d.State != webhooks.Held {
		t.Errorf("%+v", d)
	}

	s.r.answers(500, "")
	began := s.clock.Now()
	for day := 0; ; day++ { // something happens twice a day
		s.publish(s.news(webhooks.ExamResult, fmt.Sprint("sit_", day), "A"))
		s.pass(12 * time.Hour)
		if e, err = s.room.Endpoint(s.as(s.ma), s.ma, failing.ID); err != nil {
			t.Fatal(err)
		}
		if e.State == webhooks.StateDisabled {
			break
		}
		if day > 20 {
			t.Fatal("it is never disabled")
		}
		if day == 5 { // one yes, and the five days begin anew
			s.r.answers(200, "")
			s.pass(30 * time.Hour)
			s.r.answers(500, "")
			began = s.clock.Now()
			if e, err = s.room.Endpoint(s.as(s.ma), s.ma, failing.ID); err != nil || e.FailingSince != nil {
				t.Errorf("%+v %v", e, err)
			}
		}
	}
	if after := s.clock.Now().Sub(began); e.DisabledBecause != webhooks.Failing || after < 5*24*time.Hour || after > 7*24*time.Hour || told() != 2 {
		t.Errorf("%s after %v, %d told", e.DisabledBecause, after, told())
	}
	for _, d := range s.deliveries(failing.ID) {
		if d.State == webhooks.Pending {
			t.Errorf("%+v waits for nothing", d)
		}
	}
	if _, err := s.room.Test(s.as(s.ma), s.ma, failing.ID, "t"); !errors.Is(err, webhooks.ErrDisabled) {
		t.Error(err)
	}
	if _, err := s.room.ReplaySince(s.as(s.ma), s.ma, failing.ID, webhooks.ReplayMany{}); !errors.Is(err, webhooks.ErrDisabled) {
		t.Error(err)
	}

	// Enabled again, everything that was not taken is asked for.
	s.r.answers(200, "")
	if e, err = s.room.Change(s.as(s.ma), s.ma, failing.ID, e.Version, webhooks.NewEndpoint{URL: s.r.URL, Types: []string{webhooks.ExamResult}}); err != nil || e.State != webhooks.Enabled || e.FailingSince != nil || e.DisabledAt != nil {
		t.Fatalf("%+v %v", e, err)
	}
	before, _ := s.r.heard()
	n, err := s.room.ReplaySince(s.as(s.ma), s.ma, failing.ID, webhooks.ReplayMany{Since: began})
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	s.pass(0)
	if heads, _ := s.r.heard(); len(heads)-len(before) != int(n) {
		t.Error(len(heads)-len(before), "were sent, not", n)
	}
	if n, err := s.room.ReplaySince(s.as(s.ma), s.ma, failing.ID, webhooks.ReplayMany{Since: began}); err != nil || n != 0 {
		t.Error("what was delivered is asked for again:", n, err)
	}
	if all, err := s.room.ReplaySince(s.as(s.ma), s.ma, failing.ID, webhooks.ReplayMany{Since: began, Delivered: true}); err != nil || all < n {
		t.Error(all, err)
	}
	s.pass(0)

	// After thirty days the log forgets.
	s.pass(31 * 24 * time.Hour)
	if n, err := s.room.Forget(context.Background()); err != nil || n == 0 || len(s.deliveries(failing.ID)) != 0 {
		t.Error(n, err)
	}
}

// A school hears of what is its own, and sees, tests, rotates and replays nothing of another's; so the database has it too.
func TestSchoolsHearTheirOwn(t *testing.T) {
	s := newSite(t)
	a, b, institute := s.endpoint(s.ma, "A"), s.endpoint(s.mb, "B"), s.endpoint(s.officer, "")
	s.publish(s.news(webhooks.OrderPaid, "1", "A"), s.news(webhooks.OrderPaid, "2", "B"), s.news(webhooks.OrderPaid, "3"), s.news(webhooks.OrderPaid, "4", "A", "B"), s.news(webhooks.StageReached, "1", "C"))
	s.publish(s.news(webhooks.OrderPaid, "1", "A", "B")) // told already
	s.pass(0)
	for id, n := range map[string]int{a.ID: 2, b.ID: 2, institute.ID: 5} {
		if got := len(s.deliveries(id)); got != n {
			t.Errorf("%s has %d deliveries, not %d", id, got, n)
		}
	}
	theirs := s.deliveries(b.ID)[0]
	ctx := s.as(s.ma)
	for name, act := range map[string]func(endpoint, delivery string) error{
		"see": func(e, _ string) error { _, err := s.room.Endpoint(ctx, s.ma, e); return err },
		"change": func(e, _ string) error {
			_, err := s.room.Change(ctx, s.ma, e, 0, webhooks.NewEndpoint{URL: s.r.URL})
			return err
		},
		"delete": func(e, _ string) error { return s.room.Delete(ctx, s.ma, e) },
		"rotate": func(e, _ string) error { _, err := s.room.Rotate(ctx, s.ma, e, "r"+e); return err },
		"test":   func(e, _ string) error { _, err := s.room.Test(ctx, s.ma, e, "t"+e); return err },
		"list": func(e, _ string) error {
			_, _, err := s.room.Deliveries(ctx, s.ma, e, "", page.Request{Limit: 9})
			return err
		},
		"see delivery": func(e, d string) error { _, err := s.room.Delivery(ctx, s.ma, e, d); return err },
		"replay":       func(e, d string) error { _, err := s.room.Replay(ctx, s.ma, e, d); return err },
		"replay all": func(e, _ string) error {
			_, err := s.room.ReplaySince(ctx, s.ma, e, webhooks.ReplayMany{Delivered: true})
			return err
		},
		"make for it":   func(string, string) error { return s.create(s.ma, "B") },
		"make for none": func(string, string) error { return s.create(s.ma, "") },
		"make unknown":  func(string, string) error { return s.create(s.ma, "NOWHERE") },
	} {
		for _, e := range []string{b.ID, institute.ID, "whe_nothing"} {
			if f := fault.From(act(e, theirs.ID)); f.Kind != fault.NotFound {
				t.Errorf("%s of %s: %v", name, e, f)
			}
		}
	}
	if _, err := s.room.Delivery(ctx, s.ma, a.ID, theirs.ID); !errors.Is(err, webhooks.ErrNoDelivery) {
		t.Error("another's delivery under one's own endpoint:", err)
	}
	if _, err := s.room.Replay(ctx, s.ma, a.ID, theirs.ID); !errors.Is(err, webhooks.ErrNoDelivery) {
		t.Error("another's delivery under one's own endpoint:", err)
	}
	if all, _, err := s.room.Endpoints(ctx, s.ma, "", page.Request{Limit: 9}); err != nil || len(all) != 1 || all[0].ID != a.ID || all[0].Secret != "" {
		t.Error(all, err)
	}
	if _, _, err := s.room.Endpoints(ctx, s.ma, "B", page.Request{Limit: 9}); fault.From(err).Kind != fault.NotFound {
		t.Error(err)
	}
	if all, _, err := s.room.Endpoints(s.as(s.officer), s.officer, "", page.Request{Limit: 9}); err != nil || len(all) != 3 {
		t.Error(all, err)
	}
	for table, n := range map[string]int{"endpoints": 1, "deliveries": 2, "events": 2, "attempts": 2, "secrets": 0} {
		if err := s.db.View(ctx, "wall", func(ctx context.Context, tx *postgres.Tx) error {
			var got int
			if err := tx.Get(ctx, &got, postgres.Query{Name: "wall", SQL: "select count(*) from webhooks." + table}); err != nil || got != n {
				t.Errorf("a manager reads %d rows of %s: %v", got, table, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.View(postgres.WithActor(context.Background(), "learner:per_nobody"), "wall", func(ctx context.Context, tx *postgres.Tx) error {
		var got int
		err := tx.Get(ctx, &got, postgres.Query{Name: "wall", SQL: "select (select count(*) from webhooks.endpoints) + (select count(*) from webhooks.events)"})
		if got != 0 {
			t.Error("anybody reads", got, "rows")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.DropManagerTx(ctx, tx, "A", s.ma.PersonID)
	})
	if _, err := s.room.Endpoint(ctx, s.ma, a.ID); !errors.Is(err, webhooks.ErrNoEndpoint) {
		t.Error("who is no manager any more sees it:", err)
	}
}

func (s *site) create(by webhooks.By, organisation string) error {
	_, err := s.room.Create(s.as(by), by, "make "+organisation, webhooks.NewEndpoint{Organisation: organisation, URL: s.r.URL})
	return err
}

// What is entered is checked, a key makes one endpoint, and who edits what was changed meanwhile is told so.
func TestEndpointsAreEdited(t *testing.T) {
	s := newSite(t)
	e := s.endpoint(s.ma, "A", webhooks.OrderPaid)
	if same := s.endpoint(s.ma, "A", webhooks.OrderPaid); same.ID != e.ID || same.Secret != e.Secret {
		t.Error("the same key made another one")
	}
	for _, n := range []webhooks.NewEndpoint{{URL: "http://127.0.0.1:1/"}, {URL: "https://localhost/"}, {URL: ""}, {URL: s.r.URL, Types: []string{"order.eaten"}}, {URL: s.r.URL, Description: strings.Repeat("x", 201)}} {
		if _, err := s.room.Create(s.as(s.ma), s.ma, "bad", n); fault.From(err).Kind != fault.Invalid {
			t.Errorf("%+v: %v", n, err)
		}
		if _, err := s.room.Change(s.as(s.ma), s.ma, e.ID, 0, n); fault.From(err).Kind != fault.Invalid {
			t.Errorf("%+v: %v", n, err)
		}
	}
	off := false
	changed, err := s.room.Change(s.as(s.ma), s.ma, e.ID, 1, webhooks.NewEndpoint{URL: s.r.URL + "/x", Description: "ours", Types: []string{webhooks.StageLost, webhooks.ExamResult, webhooks.StageLost}, Enabled: &off})
	if err != nil || changed.Version != 2 || changed.DisabledBecause != webhooks.Asked || !slices.Equal(changed.Types, []string{webhooks.ExamResult, webhooks.StageLost}) || changed.Secret != "" || changed.Organisation != "A" {
		t.Errorf("%+v %v", changed, err)
	}
	if _, err := s.room.Change(s.as(s.ma), s.ma, e.ID, 1, webhooks.NewEndpoint{URL: s.r.URL}); !errors.Is(err, webhooks.ErrChanged) {
		t.Error(err)
	}
	if err := s.room.Delete(s.as(s.ma), s.ma, e.ID); err != nil {
		t.Error(err)
	}
	if err := s.room.Delete(s.as(s.ma), s.ma, e.ID); !errors.Is(err, webhooks.ErrNoEndpoint) {
		t.Error(err)
	}
	for i := range 21 {
		_, err := s.room.Create(s.as(s.mb), s.mb, fmt.Sprint(i), webhooks.NewEndpoint{Organisation: "B", URL: s.r.URL})
		if (err == nil) != (i < 20) || i == 20 && !errors.Is(err, webhooks.ErrTooMany) {
			t.Error(i, err)
		}
	}
	if _, err := webhooks.New(s.db, s.jobs, s.gate, []byte("short")); !errors.Is(err, seal.ErrWeak) {
		t.Error(err)
	}
}

// A test says that it is one, to the endpoint that is tested alone, whatever it hears.
func TestATest(t *testing.T) {
	s := newSite(t)
	e, other := s.endpoint(s.ma, "A", webhooks.OrderPaid), s.endpoint(s.officer, "")
	d, err := s.room.Test(s.as(s.ma), s.ma, e.ID, "k")
	if err != nil || d.Type != webhooks.Test {
		t.Fatalf("%+v %v", d, err)
	}
	if same, err := s.room.Test(s.as(s.ma), s.ma, e.ID, "k"); err != nil || same.ID != d.ID {
		t.Error("the same key tests twice:", err)
	}
	s.pass(0)
	if d := s.sent(e.ID, d.ID); d.State != webhooks.Delivered || !strings.Contains(d.Body, `"type":"webhook.test"`) || len(s.deliveries(other.ID)) != 0 {
		t.Errorf("%+v", d)
	}
}

// Another key of the house cannot read what signs: nothing is sent unsigned, the log says why, and a new secret mends it.
func TestAnotherKeyOfTheHouse(t *testing.T) {
	s := newSite(t)
	e := s.endpoint(s.officer, "")
	s.publish(s.news(webhooks.OrderPaid, "1"))
	var err error
	if s.room, err = webhooks.New(s.db, s.jobs, s.gate, []byte("another secret, as long as it has to be")); err != nil {
		t.Fatal(err)
	}
	s.pass(0)
	one := s.sent(e.ID, s.deliveries(e.ID)[0].ID)
	if heads, _ := s.r.heard(); len(heads) != 0 || one.State != webhooks.Pending || one.Attempts[0].Failure != "secret_not_readable" {
		t.Errorf("%+v", one)
	}
	for range 2 { // the second ends the unreadable one
		if e, err = s.room.Rotate(s.as(s.officer), s.officer, e.ID, "r"+e.Secret); err != nil {
			t.Fatal(err)
		}
	}
	s.pass(time.Minute)
	if heads, bodies := s.r.heard(); len(heads) != 1 || verify(t, e.Secret, bodies[0], heads[0]) != nil {
		t.Error("it is not mended")
	}
}

// Whatever is published, answered, replayed and disabled in whatever order: an endpoint hears of each event that is its own at least
// once while it is enabled and its receiver well, and never of another's.
func TestRandomDeliveries(t *testing.T) {
	s := newSite(t)
	a, institute := s.endpoint(s.ma, "A"), s.endpoint(s.officer, "")
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"publish", "well", "ill", "pass", "replay", "again"}).Draw(t, "step") {
			case "publish":
				n++
				s.publish(s.news(webhooks.OrderPaid, fmt.Sprint(n), rapid.SampledFrom([]string{"A", "B"}).Draw(t, "owner")))
			case "again":
				n = max(1, n)
				s.publish(s.news(webhooks.OrderPaid, fmt.Sprint(n), "A", "B"))
			case "well":
				s.r.answers(200, "")
			case "ill":
				s.r.answers(502, "")
			case "pass":
				s.pass(time.Duration(rapid.IntRange(0, 7200).Draw(t, "seconds")) * time.Second)
			case "replay":
				if _, err := s.room.ReplaySince(s.as(s.officer), s.officer, institute.ID, webhooks.ReplayMany{Delivered: true}); err != nil && !errors.Is(err, webhooks.ErrDisabled) {
					t.Fatal(err)
				}
			}
		}
		s.r.answers(200, "")
		for _, id := range []string{a.ID, institute.ID} {
			if _, err := s.room.Change(s.as(s.officer), s.officer, id, 0, webhooks.NewEndpoint{URL: s.r.URL}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.room.ReplaySince(s.as(s.officer), s.officer, id, webhooks.ReplayMany{}); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			s.pass(48 * time.Hour)
		}
		heads, bodies := s.r.heard()
		heard := map[string]bool{}
		for i, b := range bodies {
			if verify(s.T, institute.Secret, b, heads[i]) == nil {
				var e struct{ Data webhooks.TestData }
				if err := json.Unmarshal([]byte(b), &e); err != nil {
					t.Fatal(err)
				}
				heard[e.Data.EndpointID] = true
			}
		}
		if len(heard) != n {
			t.Fatalf("the institute heard of %d events of %d", len(heard), n)
		}
		var wrong int
		if err := s.owner.QueryRow(`select count(*) from webhooks.deliveries where state <> 'delivered'`).Scan(&wrong); err != nil || wrong > 0 {
			t.Fatalf("%d are not delivered: %v", wrong, err)
		}
	})
}
