package exams_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/gateways/proctordouble"
	"cursus/internal/gateways/proctoring"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

const sealing = "a secret for tests, long enough 1"

// watched is a room whose exam a double of a provider watches over.
type watched struct {
	*room
	double *proctordouble.Double
	secret string
	url    string
}

// newWatched opens a room with learners, and a provider "acme". What the provider sends is taken in as the API would.
func newWatched(t testing.TB, learners int) *watched {
	w := &watched{room: newRoom(t, learners)}
	house := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // v1 proctoring-providers acme attempts ID ready
		err := w.exams.HearProctor(r.Context(), parts[2], exams.ProctorMessage{
			Attempt: parts[4], Call: parts[5], ID: r.Header.Get("webhook-id"), Timestamp: r.Header.Get("webhook-timestamp"), Signature: r.Header.Get("webhook-signature"), Body: body.Bytes(),
		})
		if err != nil {
			http.Error(rw, err.Error(), http.StatusUnauthorized)
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(house.Close)
	w.double = proctordouble.New(proctordouble.Config{ClientID: "cursus", ClientSecret: "client secret", Secret: func() string { return w.secret }, Clock: w.clock})
	there := httptest.NewServer(w.double)
	t.Cleanup(there.Close)
	w.url = there.URL
	gate, err := proctoring.New(proctoring.Options{Inside: []string{strings.TrimPrefix(there.URL, "http://")}, Clock: w.clock})
	w.must(err)
	w.must(w.exams.ProctorWith(gate, []byte(sealing), house.URL))
	_, err = w.exams.PutProvider(system, "acme", -1, w.said())
	w.must(err)
	w.secret, _, err = w.exams.RotateProvider(system, "test", "k", "acme")
	w.must(err)
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		return w.exams.WatchTx(ctx, tx, w.session.ID, exams.Proctored, "acme")
	})
	return w
}

func (w *watched) said() exams.NewProvider {
	return exams.NewProvider{Name: "Acme", Kind: exams.ProctorREST, BaseURL: w.url, ClientID: "cursus", Secret: "client secret"}
}

// learner acts as who sits.
func (w *watched) learner(i int, sitting string, e exams.AttemptEvent) (a exams.Attempt, err error) {
	err = w.try(system, func(ctx context.Context, tx *postgres.Tx) error {
		a, err = w.exams.ActAsLearnerTx(ctx, tx, exams.Act{SittingID: sitting, Event: e}, w.learners[i])
		return err
	})
	return a, err
}

// jobs does the work that waits for providers.
func (w *watched) jobs() {
	w.Helper()
	var due, heard []string
	read := func(kind, field string, into *[]string) {
		rows, err := w.owner.Query("delete from jobs.queue where kind = $1 returning args->>$2", kind, field)
		w.must(err)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id string
			w.must(rows.Scan(&id))
			*into = append(*into, id)
		}
		w.must(rows.Err())
	}
	for {
		due, heard = nil, nil
		read("exams.proctor_due", "attempt_id", &due)
		read("exams.proctor_heard", "event_id", &heard)
		for _, id := range due {
			w.must(w.exams.TellProctor(system, id))
		}
		for _, id := range heard {
			w.must(w.exams.WorkOnProctorEvent(system, id))
		}
		if len(due)+len(heard) == 0 {
			return
		}
	}
}

func (w *watched) attempt(sitting string) (a exams.Attempt) {
	w.Helper()
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := exams.AttemptsTx(ctx, tx, sitting)
		if len(all) > 0 {
			a = all[0]
		}
		return err
	})
	return a
}

func (w *watched) provider() (p exams.Provider) {
	w.Helper()
	w.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = exams.ProviderTx(ctx, tx, "acme")
		return err
	})
	return p
}

// What breaks: an attempt is not made known, once, in spite of lost answers and an outage; its learner starts before the provider is ready; the
// provider is told out of order; its review does not become the result.
func TestAnAttemptGoesTheWholeWayWithAProvider(t *testing.T) {
	w := newWatched(t, 2)
	x := w.sitting(0, "")
	_, err := w.learner(0, x.ID, exams.EvStart)
	w.wants(err, exams.ErrNotReady)
	w.double.Set(proctordouble.Weather{Down: true})
	a, err := w.learner(0, x.ID, exams.EvDownload)
	w.must(err)
	if a.State != exams.Downloading {
		t.Fatal(a.State)
	}
	w.jobs()
	if p := w.provider(); p.Failures != 1 || p.Untold != 1 || !strings.Contains(p.Failure, "server_error") {
		t.Errorf("%+v", p)
	}
	_, err = w.learner(0, x.ID, exams.EvStart)
	w.wants(err, exams.ErrNotReady)
	w.double.Set(proctordouble.Weather{LoseReplies: 2, Twice: true}) // of the exam, then of the attempt
	for range 3 {
		w.clock.Advance(time.Hour)
		_, err := w.exams.SweepProctors(system)
		w.must(err)
		w.jobs()
	}
	book := w.double.Attempts()
	if len(book) != 1 || w.double.Exams() != 1 || book[0].Code != a.ID || strings.Contains(fmt.Sprint(book), "Learner") || book[0].User == w.learners[0] {
		t.Fatalf("%+v", book)
	}
	there := book[0].ID
	w.must(w.double.Ready(context.Background(), there))
	w.jobs()
	_, err = w.learner(0, x.ID, exams.EvStart)
	w.must(err)
	w.jobs()
	w.double.Expire() // a new token is got
	_, err = w.learner(0, x.ID, exams.EvSubmit)
	w.must(err)
	w.jobs()
	if told := w.double.Attempts()[0].Told; !slices.Equal(told, []string{"started", "submitted"}) {
		t.Error(told)
	}
	w.must(w.double.Review(context.Background(), there, "passed"))
	w.jobs()
	if s := w.attempt(x.ID); s.State != exams.Verified || s.ReviewedAt == nil {
		t.Errorf("%+v", s)
	}
	_, err = w.act("staff:ann", x.ID, "", 800_000)
	w.must(err)
	if s := w.stands(x.ID); s.State != exams.Passed {
		t.Errorf("%+v", s)
	}
	p := w.provider()
	if p.HeardAt == nil || p.AnsweredAt == nil || p.Failures != 0 || p.Parked != 0 || p.Untold != 0 || p.Exams != 1 {
		t.Errorf("%+v", p)
	}
	// A booking that is left is canceled there.
	y := w.sitting(1, "")
	_, err = w.learner(1, y.ID, exams.EvDownload)
	w.must(err)
	w.jobs()
	_, err = w.learner(1, y.ID, exams.EvDecline)
	w.must(err)
	w.jobs()
	for _, one := range w.double.Attempts() {
		if one.ID != there && !slices.Equal(one.Told, []string{"deleted"}) {
			t.Errorf("%+v", one)
		}
	}
	w.verify()
}

// begin sits an exam up to its start, and gives what the provider calls the attempt.
func (w *watched) begin(i int) (sitting exams.Sitting, there string) {
	w.Helper()
	sitting = w.sitting(i, "")
	a, err := w.learner(i, sitting.ID, exams.EvDownload)
	w.must(err)
	w.jobs()
	for _, one := range w.double.Attempts() {
		if one.Code == a.ID {
			there = one.ID
		}
	}
	return sitting, there
}

// withheld sits an exam during which something happens, and looks that the good review of the provider tells no result then.
func (w *watched) withheld(happens func()) exams.Sitting {
	w.Helper()
	x, there := w.begin(0)
	w.must(w.double.Ready(context.Background(), there))
	w.jobs()
	_, err := w.learner(0, x.ID, exams.EvStart)
	w.must(err)
	_, err = w.act("staff:ann", x.ID, exams.EvSubmit, 900_000)
	w.must(err)
	happens()
	w.must(w.double.Review(context.Background(), there, "passed"))
	w.jobs()
	if s := w.stands(x.ID); s.State != exams.Withheld || s.HeldState != "passed" || s.ResultAt != nil {
		w.Errorf("%+v", s)
	}
	w.verify()
	return x
}

// What breaks: after a refund during a sitting the review of a provider tells a result.
func TestTheReviewOfAProviderAfterARefundTellsNoResult(t *testing.T) {
	w := newWatched(t, 1)
	w.withheld(func() {
		w.in(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := enrolment.RevokeTx(ctx, tx, "ord_0", "refunded")
			return err
		})
	})
}

// What breaks: while the bank looks into the payment the review of a provider tells a result; once it decided for us nobody tells it.
func TestTheReviewOfAProviderDuringADisputeTellsNoResult(t *testing.T) {
	w := newWatched(t, 1)
	_, err := w.owner.Exec(`insert into sales.orders (id, buyer_id, total_minor, currency, state, lang, demo, way, placed_at, paid_at)
		values ('ord_0', $1, 15000, 'EUR', 'paid', 'en', false, 'card', $2, $2)`, w.learners[0], w.clock.Now())
	w.must(err)
	order := func(state string) {
		_, err := w.owner.Exec("update sales.orders set state = $1 where id = 'ord_0'", state)
		w.must(err)
	}
	x := w.withheld(func() { order("disputed") })
	w.must(w.exams.RefreshOne(system, w.enrolments[0], "ord_0"))
	if s := w.stands(x.ID); s.State != exams.Withheld {
		t.Errorf("%+v", s)
	}
	order("paid")
	w.must(w.exams.RefreshOne(system, w.enrolments[0], "ord_0"))
	if s := w.stands(x.ID); s.State != exams.Passed || s.ResultAt == nil {
		t.Errorf("%+v", s)
	}
	w.verify()
}

// What breaks: an exam is given to a provider whose set-up nobody who sits can reach, so that nobody sits it.
func TestNoExamIsGivenToAProviderThatNobodyCanReach(t *testing.T) {
	w := newWatched(t, 1)
	_, err := w.exams.PutProvider(system, "tool", -1, exams.NewProvider{Name: "Tool", Kind: exams.ProctorLTI, BaseURL: w.url, TargetURL: w.url, KeysURL: w.url, ClientID: "c"})
	w.must(err)
	err = w.try(system, func(ctx context.Context, tx *postgres.Tx) error {
		return w.exams.WatchTx(ctx, tx, w.session.ID, exams.Proctored, "tool")
	})
	if f := fault.From(err); err == nil || len(f.Fields) != 1 || f.Fields[0].Pointer != "/provider" || f.Fields[0].Code != "without-launches" {
		t.Error(err)
	}
	if p := w.provider(); p.Exams != 1 {
		t.Error("its exam was taken from the provider that had it:", p.Exams)
	}
}

// What breaks: what the provider did not sign, what is old, for somebody else or about another attempt is taken; the same message again, or another
// under its id, moves something; a message about an attempt that is not known yet is lost.
func TestWhatAProviderDidNotSignChangesNothing(t *testing.T) {
	w := newWatched(t, 1)
	x, there := w.begin(0)
	before := w.attempt(x.ID)
	body := []byte(fmt.Sprintf(`{"attempt":%q,"status":"ready"}`, there))
	send := func(change func(*exams.ProctorMessage)) error {
		m := exams.ProctorMessage{Attempt: there, Call: "ready", ID: ident.New("msg"), Timestamp: fmt.Sprint(w.clock.Now().Unix()), Body: body}
		m.Signature, _ = proctordouble.Sign(w.secret, m.ID, m.Timestamp, m.Body)
		if change != nil {
			change(&m)
		}
		return w.exams.HearProctor(context.Background(), "acme", m)
	}
	resigned := func(m *exams.ProctorMessage) {
		m.Signature, _ = proctordouble.Sign(w.secret, m.ID, m.Timestamp, m.Body)
	}
	for name, change := range map[string]func(*exams.ProctorMessage){
		"no signature": func(m *exams.ProctorMessage) { m.Signature = "" },
		"another secret": func(m *exams.ProctorMessage) {
			m.Signature, _ = proctordouble.Sign("whsec_"+strings.Repeat("QUJD", 10), m.ID, m.Timestamp, m.Body)
		},
		"another body": func(m *exams.ProctorMessage) { m.Body = []byte(strings.Replace(string(m.Body), "ready", "error", 1)) },
		"another id":   func(m *exams.ProctorMessage) { m.ID = ident.New("msg") },
		"of yesterday": func(m *exams.ProctorMessage) {
			m.Timestamp = fmt.Sprint(w.clock.Now().Add(-24 * time.Hour).Unix())
			resigned(m)
		},
		"of tomorrow": func(m *exams.ProctorMessage) {
			m.Timestamp = fmt.Sprint(w.clock.Now().Add(24 * time.Hour).Unix())
			resigned(m)
		},
		"no time":              func(m *exams.ProctorMessage) { m.Timestamp = "soon"; resigned(m) },
		"a token for a secret": func(m *exams.ProctorMessage) { m.Signature, m.Authorization = "", "Bearer x" },
	} {
		if err := send(change); !errors.Is(err, exams.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*exams.ProctorMessage){
		"to the address of another attempt": func(m *exams.ProctorMessage) { m.Attempt = "prx_other" },
		"of no attempt":                     func(m *exams.ProctorMessage) { m.Body = []byte(`{"status":"ready"}`); resigned(m) },
		"of an unknown status": func(m *exams.ProctorMessage) {
			m.Body = []byte(fmt.Sprintf(`{"attempt":%q,"status":"verified"}`, there))
			resigned(m)
		},
		"no JSON": func(m *exams.ProctorMessage) { m.Body = []byte("ready"); resigned(m) },
	} {
		if err := send(change); !errors.Is(err, exams.ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.exams.HearProctor(context.Background(), "other", exams.ProctorMessage{}); !errors.Is(err, exams.ErrNoProvider) {
		t.Error(err)
	}
	w.jobs()
	if now := w.attempt(x.ID); now != before && (now.State != before.State || now.Version != before.Version) {
		t.Errorf("%+v", now)
	}
	if p := w.provider(); p.RefusedAt == nil || p.HeardAt != nil {
		t.Errorf("%+v", p)
	}
	// One that is good, again, and another word under its id.
	var good exams.ProctorMessage
	w.must(send(func(m *exams.ProctorMessage) { good = *m }))
	w.must(w.exams.HearProctor(context.Background(), "acme", good))
	other := good
	other.Body = []byte(fmt.Sprintf(`{"attempt":%q,"status":"error"}`, there))
	resigned(&other)
	w.wants(w.exams.HearProctor(context.Background(), "acme", other), exams.ErrForged)
	w.jobs()
	if s := w.attempt(x.ID); s.State != exams.ReadyToStart || s.Version != before.Version+1 {
		t.Errorf("%+v", s)
	}
	// A new secret, and the old one for a day.
	old := w.secret
	var err error
	w.secret, _, err = w.exams.RotateProvider(system, "test", "again", "acme")
	w.must(err)
	if same, _, err := w.exams.RotateProvider(system, "test", "again", "acme"); err != nil || same != w.secret || same == old {
		t.Error("the same key gives another secret", err)
	}
	w.clock.Advance(23 * time.Hour)
	sign := func(secret string) error {
		return send(func(m *exams.ProctorMessage) { m.Signature, _ = proctordouble.Sign(secret, m.ID, m.Timestamp, m.Body) })
	}
	w.must(sign(old))
	w.must(sign(w.secret))
	w.clock.Advance(2 * time.Hour)
	w.wants(sign(old), exams.ErrForged)
	w.must(sign(w.secret))
	w.verify()
}

// What breaks: a message about an attempt that is not known here yet is dropped, or never looked at again.
func TestAMessageAboutAnUnknownAttemptIsParkedUntilItIsKnown(t *testing.T) {
	w := newWatched(t, 2)
	_, first := w.begin(1) // the exam is known
	w.double.Set(proctordouble.Weather{LoseReplies: 100})
	x := w.sitting(0, "")
	_, err := w.learner(0, x.ID, exams.EvDownload)
	w.must(err)
	w.jobs()
	w.double.Set(proctordouble.Weather{})
	there := ""
	for _, one := range w.double.Attempts() {
		if one.ID != first {
			there = one.ID
		}
	}
	w.must(w.double.Ready(context.Background(), there))
	w.jobs()
	if p := w.provider(); p.Parked != 1 {
		t.Fatalf("%+v", p)
	}
	w.clock.Advance(10 * time.Minute)
	if n, err := w.exams.SweepProctors(system); n != 2 || err != nil { // what is to be told, and what is parked
		t.Error(n, err)
	}
	w.jobs()
	if s := w.attempt(x.ID); s.State != exams.ReadyToStart {
		t.Errorf("%+v", s)
	}
	if p := w.provider(); p.Parked != 0 || p.Untold != 0 {
		t.Errorf("%+v", p)
	}
	w.in(func(ctx context.Context, tx *postgres.Tx) error {
		all, next, err := exams.ProviderEventsTx(ctx, tx, "acme", "applied", page.Request{Limit: 10})
		if len(all) != 1 || next != "" || all[0].Attempt != there {
			t.Error(all, next)
		}
		return err
	})
	w.verify()
}

// The same through the book: messages in any order, some twice, worked on by jobs.
func TestMessagesConvergeThroughTheBook(t *testing.T) {
	w := newWatched(t, 60)
	i := -1
	rapid.Check(t, func(rt *rapid.T) {
		if i++; i >= 12 { // each walk takes a learner
			return
		}
		messages := []map[string]any{{"status": "ready"}, {"status": "started"}, {"status": "submitted"}}
		for n := range rapid.IntRange(1, 3).Draw(rt, "reviews") {
			messages = append(messages, map[string]any{
				"status":      rapid.SampledFrom([]string{"passed", "violation", "suspicious", "not_reviewed"}).Draw(rt, "verdict"),
				"reviewed_at": w.clock.Now().Add(time.Duration(n) * time.Second).Format(time.RFC3339), "comments": []map[string]string{{"comment": "c"}},
			})
		}
		states := [2]exams.AttemptState{}
		for k, order := range [][]map[string]any{messages, rapid.Permutation(append(slices.Clone(messages), rapid.SliceOfN(rapid.SampledFrom(messages), 0, 3).Draw(rt, "again")...)).Draw(rt, "order")} {
			x, there := w.begin(2*i + k)
			for _, m := range order {
				call := "ready"
				if m["comments"] != nil {
					call = "reviewed"
				}
				w.must(w.double.Send(context.Background(), there, call, m))
				if rapid.Bool().Draw(rt, "at once") {
					w.jobs()
				}
			}
			w.jobs()
			states[k] = w.attempt(x.ID).State
		}
		if states[0] != states[1] {
			rt.Fatalf("%v: in their order %s, otherwise %s", messages, states[0], states[1])
		}
	})
	w.verify()
}

// What is refused of a provider, and that nobody sends a secret she does not know to an address of hers.
func TestSettingsOfAProvider(t *testing.T) {
	w := newWatched(t, 0)
	for name, change := range map[string]func(n *exams.NewProvider){
		"/name":         func(n *exams.NewProvider) { n.Name = "" },
		"/base_url":     func(n *exams.NewProvider) { n.BaseURL = "http://169.254.169.254/latest" },
		"/setup_url":    func(n *exams.NewProvider) { n.SetupURL = "javascript:alert(1)" },
		"/client_id":    func(n *exams.NewProvider) { n.ClientID = "" },
		"/target_url":   func(n *exams.NewProvider) { n.TargetURL = w.url },
		"/keys_url":     func(n *exams.NewProvider) { n.Issuer = "https://acme.example.org" },
		"/secret":       func(n *exams.NewProvider) { n.Secret, n.ClientID = "", "other" },
		"/on_violation": func(n *exams.NewProvider) { n.OnViolation = "shrug" },
	} {
		n := w.said()
		change(&n)
		_, err := w.exams.PutProvider(system, "acme", 0, n)
		if f := fault.From(err); err == nil || len(f.Fields) != 1 || f.Fields[0].Pointer != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := w.said()
	n.Secret = ""
	if p, err := w.exams.PutProvider(system, "acme", 1, n); err != nil || p.Version != 2 {
		t.Error(p, err)
	}
	_, err := w.exams.PutProvider(system, "acme", 1, n)
	w.wants(err, exams.ErrChanged)
	_, err = w.exams.PutProvider(system, "acme", -1, n)
	w.wants(err, exams.ErrChanged)
	_, err = w.exams.PutProvider(system, "none", 1, n)
	w.wants(err, exams.ErrNoProvider)
	if c, trouble, err := w.exams.ProbeProvider(system, "acme"); err != nil || trouble != nil || c.Name != "Proctor double" {
		t.Error(c, trouble, err)
	}
	w.double.Set(proctordouble.Weather{Down: true})
	if _, trouble, err := w.exams.ProbeProvider(system, "acme"); err != nil || trouble == nil || trouble.Code != "server_error" {
		t.Error(trouble, err)
	}
	n.Enabled = new(bool)
	_, err = w.exams.PutProvider(system, "acme", 0, n)
	w.must(err)
	w.wants(w.exams.HearProctor(system, "acme", exams.ProctorMessage{}), exams.ErrNoProvider)
	if _, err := json.Marshal(w.provider()); err != nil {
		t.Error(err)
	}
}
