package app_test

import (
	"context"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// retakesFor has an exam of the world's session include one attempt of three, and sells retakes of it.
func (w *world) retakesFor(session string, minor int64) (retake offers.Offer) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := exams.ExamTx(ctx, tx, session, exams.Proctored)
		if err != nil {
			return err
		}
		one := 1
		e.MaxAttempts, e.Included = 3, &one
		if _, err := w.h.Exams.PutTx(ctx, tx, session, exams.Proctored, exams.NewExam{Rules: e.Rules}, 0); err != nil {
			return err
		}
		if _, err := offers.PutFormulaTx(ctx, tx, offers.Formula{Key: "RETAKE", Title: catalog.Text{EN: "Retake"}, Entitlements: []string{offers.ExamRetake}, Position: 90}, 0); err != nil {
			return err
		}
		retake, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: session, Formula: "RETAKE", Price: money.Of(minor, "EUR")})
		return err
	})
	return retake
}

// What breaks: a learner sits again without paying, pays twice for one attempt, keeps an exam whose money went back, or counts as two learners who paid.
func TestARetakeIsPaidForAndUsed(t *testing.T) {
	w := newWorld(t)
	paid := w.run("AGAIN-1", "", 15000)
	retake := w.retakesFor(paid.SessionID, 6000)
	awa := w.person("awa@example.org", "Awa")
	first := w.order(awa.ID, paid, "first")
	w.pay(first, visa)
	own := w.becomes(first, sales.Paid).Lines[0].Enrolment()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.LinkTx(ctx, tx, awa.ID, "fun", "9101")
	})
	if _, err := w.h.Gradebook.Import(system, gradebook.Intake{SessionID: paid.SessionID, FileName: "again.csv", CollectedAt: w.clock.Now(),
		Content: report("9101,awa@example.org,z,0.9,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled")}); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	sit := func(key string) (exams.Sitting, error) {
		return w.h.Exams.Book(system, exams.BookSitting{LearnerID: awa.ID, EnrolmentID: own, IdempotencyKey: key})
	}
	ends := func(x exams.Sitting, state exams.State) {
		t.Helper()
		score := 900_000
		if state == exams.Failed {
			score = 100_000
		}
		if _, err := w.h.Exams.RecordResult(system, exams.Result{SittingID: x.ID, State: state, ScorePPM: &score}); err != nil {
			t.Fatal(err)
		}
		w.quiet()
	}
	refused := func(buyer, key, want string) {
		t.Helper()
		if _, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: buyer, OfferID: retake.ID, IdempotencyKey: key}); code(err) != want {
			t.Errorf("%s: %v, want %s", key, err, want)
		}
	}
	refused(awa.ID, "an attempt is included", "retake-not-needed")
	refused(w.person("ben@example.org", "Ben").ID, "not enrolled", "no-such-enrolment")
	x, err := sit("one")
	if err != nil {
		t.Fatal(err)
	}
	ends(x, exams.Failed)
	if _, err := sit("unpaid"); code(err) != "retake-not-paid" {
		t.Error("booked again without paying:", err)
	}
	hers := &asker{t: t, w: w.walk(w.h), token: w.tokens(awa)("learning:read", "orders:write")}
	e := hers.ask(200, "getEligibility", map[string]string{"enrolment": own}, nil)
	if all, ok := e["retakes"].([]any); !ok || len(all) != 1 || all[0].(map[string]any)["offer_id"] != retake.ID || all[0].(map[string]any)["price"].(map[string]any)["amount_minor"] != 6000.0 {
		t.Error("what the next attempt costs:", e)
	}
	hers.ask(422, "placeOrder", nil, map[string]any{"items": []any{map[string]any{"offer_id": retake.ID}, map[string]any{"offer_id": paid.ID}}, "lang": "fr"})
	again := w.order(awa.ID, retake, "again")
	if same := w.order(awa.ID, retake, "again, later"); same.ID != again.ID {
		t.Error("two orders wait for the payment of one attempt:", again.ID, same.ID)
	}
	w.pay(again, visa)
	w.becomes(again, sales.Paid)
	w.quiet()
	refused(awa.ID, "one is left", "retake-left")
	if x, err = sit("two"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.leave(again, "booked with it"); code(err) != "no-withdrawal" {
		t.Error("she leaves the order of the exam that she booked:", err)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := w.h.Exams.CancelTx(ctx, tx, x.ID, awa.ID)
		return err
	})
	if l, err := w.leave(again, "not used"); err != nil || l.Refund != money.Of(6000, "EUR") {
		t.Error("what was not used goes back whole:", l, err)
	}
	w.becomes(again, sales.Refunded)
	w.quiet()
	if _, err := sit("given back"); code(err) != "retake-not-paid" {
		t.Error("booked with what was given back:", err)
	}
	// A second one is paid for and passed; its money goes back after that, and with it the certificate.
	third := w.order(awa.ID, retake, "third")
	w.pay(third, visa)
	w.becomes(third, sales.Paid)
	w.quiet()
	if x, err = sit("three"); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	ends(x, exams.Passed)
	if c := w.certificate(awa.ID, own); c.ID == "" || c.RevokedAt != nil {
		t.Fatalf("%+v", c)
	}
	w.counts(map[string]int{"select count(*) from journey.enrolments where reached & 4096 <> 0": 1, "select count(*) from enrolment.grants": 1, "select count(*) from enrolment.retakes where revoked_at is null": 1})
	w.cubeAddsUp()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolment.OneTx(ctx, tx, own)
		if err == nil && (e.Formula != "QUALIFYING" || !e.Has("certificate")) {
			t.Errorf("a retake changed what she is enrolled with: %+v", e)
		}
		return err
	})
	w.clock.Advance(time.Hour)
	w.refund(third, 0)
	w.becomes(third, sales.Refunded)
	w.quiet()
	if x = w.sittingOf(x.ID); x.State != exams.Withheld {
		t.Errorf("passed with what was given back: %+v", x)
	}
	if c := w.certificate(awa.ID, own); c.RevokedAt == nil {
		t.Errorf("%+v", c)
	}
	if !w.granted(own) {
		t.Error("the refund of a retake took her course from her")
	}
	w.verify()
}
