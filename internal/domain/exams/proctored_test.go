package exams_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/gateways/proctordouble"
	"cursus/internal/gateways/proctoring"
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
