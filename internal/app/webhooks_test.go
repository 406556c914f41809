package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"cursus/api/contract"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	hooks "cursus/internal/domain/webhooks"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// hooked is a partner's server that hears webhooks, each judged by the official library.
type hooked struct {
	t      *testing.T
	server *httptest.Server
	mu     sync.Mutex
	secret string
	events []string
	texts  []string
}

// hooked makes a receiver that may be spoken to once the house is opened again.
func (w *world) hooked(t *testing.T) *hooked {
	t.Helper()
	h := &hooked{t: t}
	h.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		judge, err2 := standard.NewWebhook(h.secret)
		if err != nil || err2 != nil || judge.VerifyIgnoringTimestamp(body, r.Header) != nil {
			t.Errorf("the official library refuses %s: %v %v", body, err, err2)
		}
		var e struct {
			ID   string `json:"id"`
			Type string `json:"type"`
		}
		if err := json.Unmarshal(body, &e); err != nil || e.ID != r.Header.Get("webhook-id") {
			t.Errorf("%s: %v", body, err)
		}
		h.events, h.texts = append(h.events, e.Type), append(h.texts, string(body))
	}))
	t.Cleanup(h.server.Close)
	w.cfg.WebhookInside = append(w.cfg.WebhookInside, strings.TrimPrefix(h.server.URL, "http://"))
	return h
}

func (h *hooked) of(w *world, by, organisation string, types ...string) hooks.Endpoint {
	h.t.Helper()
	e, err := w.h.Webhooks.Create(context.Background(), hooks.By{PersonID: by, Any: true}, "k"+organisation, hooks.NewEndpoint{Organisation: organisation, URL: h.server.URL, Types: types})
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	h.secret = e.Secret
	h.mu.Unlock()
	return e
}

// heard counts what came, by type, and begins anew.
func (h *hooked) heard(w *world) map[string]int {
	h.t.Helper()
	w.quiet()
	h.mu.Lock()
	defer h.mu.Unlock()
	n := map[string]int{}
	for _, e := range h.events {
		n[e]++
	}
	h.events = nil
	return n
}

func (h *hooked) want(w *world, when string, want map[string]int) {
	h.t.Helper()
	if got := h.heard(w); fmt.Sprint(got) != fmt.Sprint(want) {
		h.t.Errorf("%s: %v, not %v", when, got, want)
	}
}

// What happens to an order, its enrolments, their stages, exams and certificates is told the institute, and each school its own alone.
func TestWebhooksOfTheHouse(t *testing.T) {
	w := newWorld(t)
	institute, acme, other, school := w.hooked(t), w.hooked(t), w.hooked(t), w.hooked(t)
	w.close(w.h)
	w.open()
	boss, zoe, ada := w.managed("ACME"), w.person("zoe@example.org", "Zoé"), w.person("ada@example.org", "Ada")
	w.managed("OTHER")
	w.managed("SCHOOL")
	institute.of(w, boss.ID, "")
	acme.of(w, boss.ID, "ACME")
	other.of(w, boss.ID, "OTHER")
	school.of(w, boss.ID, "SCHOOL", hooks.EnrolmentGranted, hooks.StageReached)
	nothing := map[string]int{}

	// A seat of ACME.
	pool := w.bought(boss.ID, "k", sales.Item{OfferID: w.paid.ID, Quantity: 2})
	institute.want(w, "a pool is paid", map[string]int{hooks.OrderPaid: 1})
	acme.want(w, "a pool is paid", map[string]int{hooks.OrderPaid: 1})
	link := w.claimLink(pool, 1, 2, boss.ID)
	_, err := w.h.Sales.ClaimSeat(context.Background(), link.Token, zoe.ID)
	if err != nil {
		t.Fatal(err)
	}
	acme.want(w, "a seat is claimed", map[string]int{hooks.EnrolmentGranted: 1})

	// Ada buys for herself.
	own := w.order(ada.ID, w.paid, "mine")
	w.pay(own, visa)
	w.becomes(own, sales.Paid)
	institute.want(w, "a learner buys", map[string]int{hooks.OrderPaid: 1, hooks.EnrolmentGranted: 2})
	acme.want(w, "a learner buys", nothing)

	// Both work, sit the exam and are certified.
	w.clock.Advance(24 * time.Hour)
	w.grades(w.clock.Now(), "42,zoe@example.org,zoe,0.5,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled", "43,ada@example.org,ada,0.49,Not Attempted,0.9,0.45,,honor,N/A,N,N,N/A,enrolled")
	stages := acme.heard(w)
	if stages[hooks.StageReached] < 3 || stages[hooks.ExamEligible] != 1 || stages[hooks.StageLost] != 0 || len(stages) != 2 {
		t.Error("a grade report:", stages)
	}
	if all := institute.heard(w); all[hooks.StageReached] <= stages[hooks.StageReached] || all[hooks.ExamEligible] != 1 {
		t.Error("a grade report, to the institute:", all)
	}
	w.clock.Advance(time.Hour)
	w.grades(w.clock.Now(), "42,zoe@example.org,zoe,0.4,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled", "43,ada@example.org,ada,0.49,Not Attempted,0.9,0.45,,honor,N/A,N,N,N/A,enrolled")
	acme.want(w, "a grade is corrected", map[string]int{hooks.StageLost: 1, hooks.ExamEligible: 1})
	w.clock.Advance(time.Hour)
	w.grades(w.clock.Now(), "42,zoe@example.org,zoe,0.6,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled", "43,ada@example.org,ada,0.49,Not Attempted,0.9,0.45,,honor,N/A,N,N,N/A,enrolled")
	acme.want(w, "and again", map[string]int{hooks.StageReached: 1, hooks.ExamEligible: 1})
	var enrolment string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &enrolment, postgres.Query{Name: "test", SQL: "select id from enrolment.enrolments where learner_id = $1"}, zoe.ID)
	})
	x, err := w.h.Exams.Book(context.Background(), exams.BookSitting{LearnerID: zoe.ID, EnrolmentID: enrolment, IdempotencyKey: "b"})
	if err != nil {
		t.Fatal(err)
	}
	score := 700_000
	if _, err := w.h.Exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.Passed, ScorePPM: &score}); err != nil {
		t.Fatal(err)
	}
	acme.want(w, "an exam is passed", map[string]int{hooks.ExamBooked: 1, hooks.ExamResult: 1, hooks.CertificateIssued: 1})

	// The seat is given back with the whole order: its owner hears the end of what was hers.
	if _, err := w.h.Sales.Refund(system, sales.RefundOrder{OrderID: pool.ID, Reason: "asked for", IdempotencyKey: "r"}); err != nil {
		t.Fatal(err)
	}
	w.becomes(pool, sales.Refunded)
	acme.want(w, "all is given back", map[string]int{hooks.OrderRefunded: 1, hooks.OrderReversed: 1, hooks.EnrolmentEnded: 1, hooks.CertificateRevoked: 1})
	w.clock.Advance(time.Hour)
	w.grades(w.clock.Now(), "42,zoe@example.org,zoe,0.1,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled", "43,ada@example.org,ada,0.9,0.9,0.9,0.9,,honor,N/A,N,N,N/A,enrolled")
	acme.want(w, "after the end", nothing)

	// What is offered to the members of a school alone is the school's, too; what its members buy of others is not.
	var reserved offers.Offer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		reserved, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.ID, Formula: offers.Qualifying, Price: money.Of(9000, "EUR"), Audience: "SCHOOL"})
		return err
	})
	member := w.person("member@example.org", "Member").ID
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.JoinTx(ctx, tx, "SCHOOL", member) })
	theirs := w.order(member, reserved, "theirs")
	w.pay(theirs, visa)
	w.becomes(theirs, sales.Paid)
	school.want(w, "a member buys", map[string]int{hooks.EnrolmentGranted: 1})
	acme.want(w, "a member of another buys", nothing)
	other.want(w, "in all that time", nothing)
	if all := institute.heard(w); all[hooks.CertificateIssued] != 1 || all[hooks.CertificateRevoked] != 1 || all[hooks.OrderReversed] != 1 {
		t.Error("the institute heard", all)
	}
	document, err := openapi3.NewLoader().LoadFromData(contract.YAML)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range slices.Concat(institute.texts, acme.texts, school.texts) {
		var event any
		if err := json.Unmarshal([]byte(text), &event); err != nil {
			t.Fatal(err)
		}
		if err := document.Components.Schemas["WebhookEvent"].Value.VisitJSON(event); err != nil {
			t.Errorf("%s is not as documented: %v", text, err)
		}
		if strings.Contains(text, "@") || strings.Contains(text, "Zo") || strings.Contains(text, "Ada") {
			t.Error("somebody is named:", text)
		}
	}

	w.verify()
}

// webhooksStory makes a webhook, rewrites, rotates, tests and replays it, and leaves its id to the walker.
func (w *world) webhooksStory(t *testing.T, walker *apitest.Walker, staff, stranger string) {
	t.Helper()
	ask := func(operation string, status int, token string, change func(r *apitest.Request)) (a apitest.Answer) {
		t.Helper()
		r := walker.Example(operation)
		r.Token = token
		if change != nil {
			change(&r)
		}
		if a = walker.Do(t, r); a.Status != status {
			t.Errorf("%s: %d, not %d\n%.500s", operation, a.Status, status, a.Body)
		}
		return a
	}
	header := func(name, value string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set(name, value) }
	}
	var made, rotated struct{ ID, Secret string }
	first := ask("createWebhook", 201, staff, header("Idempotency-Key", "hook"))
	if again := ask("createWebhook", 201, staff, header("Idempotency-Key", "hook")); string(again.Body) != string(first.Body) {
		t.Errorf("a repeated key made another webhook:\n%s\n%s", first.Body, again.Body)
	}
	first.JSON(t, &made)
	if first.Header.Get("Location") != "/v1/webhook-endpoints/"+made.ID || !strings.HasPrefix(made.Secret, "whsec_") {
		t.Errorf("%v %s", first.Header, first.Body)
	}
	walker.Values["webhook"] = made.ID
	for _, bad := range []string{"http://hooks.school.org/", "https://127.0.0.1/", "https://localhost/", "https://a:b@hooks.school.org/"} {
		ask("createWebhook", 400, staff, func(r *apitest.Request) {
			header("Idempotency-Key", bad)(r)
			r.Body = []byte(`{"url":"` + bad + `"}`)
		})
	}
	ask("createWebhook", 404, stranger, nil)
	ask("createWebhook", 404, stranger, func(r *apitest.Request) { r.Body = []byte(`{"url":"https://hooks.school.org/","organisation":"ESP"}`) })
	tag := ask("getWebhook", 200, staff, nil).Header.Get("ETag")
	ask("putWebhook", 200, staff, header("If-Match", tag))
	ask("putWebhook", 412, staff, header("If-Match", tag))
	if ask("rotateWebhookSecret", 201, staff, header("Idempotency-Key", "hook-secret")).JSON(t, &rotated); rotated.Secret == made.Secret {
		t.Error("a rotation gave the same secret")
	}
	var sent struct{ ID, State string }
	ask("testWebhook", 201, staff, header("Idempotency-Key", "hook-test")).JSON(t, &sent)
	walker.Values["delivery"] = sent.ID
	w.quiet()
	var log struct {
		State string
		Log   []struct{ Failure string }
		Event struct{ Type string }
	}
	if ask("getWebhookDelivery", 200, staff, nil).JSON(t, &log); log.Event.Type != hooks.Test || len(log.Log) != 1 || log.Log[0].Failure != "no_such_host" {
		t.Errorf("%+v", log)
	}
	ask("replayWebhook", 200, staff, nil)
	ask("replayWebhooks", 200, staff, nil)
	ask("replayWebhooks", 400, staff, func(r *apitest.Request) { r.Body = []byte(`{"since":"2199-01-01T00:00:00Z"}`) })
	var page struct{ Deliveries, Webhooks, Types []struct{ ID string } }
	if ask("listWebhookDeliveries", 200, staff, nil).JSON(t, &page); len(page.Deliveries) != 1 {
		t.Errorf("%+v", page)
	}
	if ask("listWebhooks", 200, staff, func(r *apitest.Request) { r.Query = "" }).JSON(t, &page); len(page.Webhooks) != 1 {
		t.Errorf("%+v", page)
	}
	if ask("listWebhookEventTypes", 200, stranger, nil).JSON(t, &page); len(page.Types) != len(hooks.Types) {
		t.Errorf("%+v", page)
	}
	off := header("If-Match", "*")
	ask("putWebhook", 200, staff, func(r *apitest.Request) {
		off(r)
		r.Body = []byte(`{"url":"https://hooks.school.org/","description":"","types":[],"enabled":false}`)
	})
	ask("testWebhook", 409, staff, header("Idempotency-Key", "off"))
	ask("replayWebhook", 409, staff, nil)
	ask("replayWebhooks", 409, staff, nil)
	ask("putWebhook", 200, staff, off)
	for _, operation := range []string{"getWebhook", "putWebhook", "deleteWebhook", "rotateWebhookSecret", "testWebhook", "replayWebhook", "replayWebhooks", "listWebhookDeliveries", "getWebhookDelivery"} {
		ask(operation, 404, stranger, off)
	}
	second := ask("createWebhook", 201, staff, header("Idempotency-Key", "another hook"))
	second.JSON(t, &made)
	ask("deleteWebhook", 204, staff, func(r *apitest.Request) { r.Path["webhook"] = made.ID })
	ask("deleteWebhook", 404, staff, func(r *apitest.Request) { r.Path["webhook"] = made.ID })
}

// Every type of events has an example of the documented form.
func TestEveryWebhookEventIsDocumented(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromData(contract.YAML)
	if err != nil {
		t.Fatal(err)
	}
	form := document.Components.Schemas["WebhookEvent"].Value
	for _, kind := range hooks.Types {
		var event any
		if err := json.Unmarshal(hooks.Sample(kind.Type), &event); err != nil {
			t.Fatal(err)
		}
		if err := form.VisitJSON(event); err != nil {
			t.Errorf("%s: %v", kind.Type, err)
		}
	}
	if err := form.VisitJSON(map[string]any{"id": "evt_x"}); err == nil {
		t.Error("anything is of the documented form")
	}
}
