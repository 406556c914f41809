package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// A certificate that was earned while its learner was in default waits, and is awarded by itself once she has paid.
func TestACertificateEarnedInDefaultIsAwardedWhenItIsPaid(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.PutPlanTx(ctx, tx, offers.Plan{OfferID: w.paid.ID, Currency: "EUR", Instalments: 3, Every: 1, Unit: "month", OnDefault: offers.KeepAccess}, 0)
		return err
	})
	o := w.begun(awa.ID, w.paid, visa)
	w.grades(w.clock.Now(), "42,awa@example.org,awa,0.5,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled")
	x, err := w.h.Exams.Book(context.Background(), exams.BookSitting{LearnerID: awa.ID, EnrolmentID: o.Enrolments()[0], IdempotencyKey: "b"})
	if err != nil {
		t.Fatal(err)
	}
	w.cardSays(o, "insufficient_funds")
	w.passes(40)
	if o = w.state(o); o.Schedule.Instalments[1].State != sales.InDefault || w.enrolment(o).Has(offers.Certificate) {
		t.Fatalf("%s %+v", standsAt(o), w.enrolment(o))
	}
	score := 870_000
	if _, err := w.h.Exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.Passed, ScorePPM: &score}); err != nil {
		t.Fatal(err)
	}
	w.quiet()
	if c := w.certificate(awa.ID, o.Enrolments()[0]); c.ID != "" {
		t.Fatal("awarded while an instalment was not paid:", c.ID)
	}
	w.paysInstalment(o, 2, visa)
	w.quiet()
	if c := w.certificate(awa.ID, o.Enrolments()[0]); c.ID == "" || c.Facts.Grade != "87 %" || c.SHA256 == "" || c.RevokedAt != nil {
		t.Errorf("paid, and not awarded: %+v", c)
	}
	w.verify()
}

// The schedule of the instalments can be read off the proforma and off the invoice: each day with its amount, and how much there is in all.
func TestTheScheduleIsOnPaper(t *testing.T) {
	w := newWorld(t)
	awa := w.person("awa@example.org", "Awa")
	reads := func(o sales.Order, kind, lang string) {
		t.Helper()
		all := w.papers(o, kind)
		if len(all) != 1 {
			t.Fatalf("%d of %s", len(all), kind)
		}
		_, pdf, err := w.h.Invoicing.PDF(system, all[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		text := onPaper(t, pdf)
		o = w.state(o)
		if len(o.Schedule.Instalments) != 3 || o.Schedule.Instalments[0].Amount == o.Schedule.Instalments[1].Amount {
			t.Fatalf("a plan that shows nothing: %+v", o.Schedule)
		}
		said := map[string]string{"en": "Instalment ", "fr": "Échéance "}[lang]
		last := -1
		for _, i := range o.Schedule.Instalments {
			want := together(said + clock.Day(i.DueAt, lang) + ": " + i.Amount.Format(lang))
			at := strings.Index(text, want)
			if at <= last {
				t.Errorf("the %s does not say %q in its place: %s", kind, want, text)
			}
			last = at
		}
		if total := together(o.Total.Format(lang)); !strings.Contains(text, total) {
			t.Errorf("the %s does not say %s", kind, total)
		}
	}
	for i, lang := range []string{"en", "fr"} {
		offer := w.inParts([]string{"PRD-1", "PRD-2"}[i], "", 10000, offers.SuspendAccess)
		o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: awa.ID, OfferID: offer.ID, Lang: lang, Way: sales.Instalments, IdempotencyKey: "begin " + lang})
		if err != nil {
			t.Fatal(err)
		}
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := w.h.Sales.IssueTx(ctx, tx, o.ID, invoicing.KindProforma)
			return err
		})
		w.quiet()
		reads(o, invoicing.KindProforma, lang)
		w.tell("/sandbox/pay/"+w.payment(o).CheckoutID, map[string]any{"card": visa, "authenticate": "complete"})
		o = w.becomes(o, sales.Paid)
		w.told()
		reads(o, invoicing.KindInvoice, lang)
	}
	w.verify()
}

// A worker dies after the provider has charged a card, and before it knows. Meanwhile the buyer leaves another card, with another customer of
// the provider’s, and two days pass: the provider has forgotten the key, and looks for what was made under the customer that it is told. The
// instalment is charged once, and the card that was asked is the one that is asked again.
func TestAnInstalmentIsChargedOnceWhateverCardIsLeftMeanwhile(t *testing.T) {
	w := still(t, &mailed{n: map[string]int{}}, stripesandbox.Fees{})
	told := func() {
		t.Helper()
		if _, err := w.h.Payments.CatchUp(system, w.clock.Now().Add(-72*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := w.h.Jobs.Drain(system); err != nil {
			t.Fatal(err)
		}
	}
	var orders []sales.Order
	for i, key := range []string{"PRD-1", "PRD-2"} {
		offer := w.inParts(key, "", 30000, offers.KeepAccess)
		o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: w.person(fmt.Sprint("p", i, "@example.org"), "P").ID, OfferID: offer.ID, Lang: "en", Way: sales.Instalments, IdempotencyKey: key})
		if err != nil {
			t.Fatal(err)
		}
		w.tell("/sandbox/pay/"+w.payment(o).CheckoutID, map[string]any{"card": visa, "authenticate": "complete"})
		told()
		orders = append(orders, o)
	}
	o := orders[0]
	w.clock.Advance(31 * 24 * time.Hour)
	if n, err := w.h.Sales.ChargeDue(system); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	var asked string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &asked, postgres.Query{Name: "asked", SQL: "select payment_id from sales.instalments where order_id = $1 and n = 2"}, o.ID)
	})
	if err := w.h.Sales.Charge(system, asked); err != nil {
		t.Fatal(err)
	}
	owner := testkit.Owner(t, w.dsn)
	for _, past := range []string{
		"update payments.payments set state = 'created', intent_id = null where id = '" + asked + "'", // what the worker that died had not written
		`update sales.plans p set customer_id = x.customer_id, method_id = x.method_id from sales.plans x where p.order_id = '` + o.ID + `' and x.order_id = '` + orders[1].ID + "'",
	} {
		if _, err := owner.ExecContext(context.Background(), past); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.Advance(48 * time.Hour)
	if err := w.h.Jobs.Drain(system); err != nil {
		t.Fatal(err)
	}
	told()
	if took := w.sandbox.Book().Captured["eur"]; took != 40000 {
		t.Errorf("the provider took %d for two instalments of each of two orders", took)
	}
	if s := w.state(o); s.Schedule.Instalments[1].State != sales.InstalmentIn {
		t.Errorf("%+v", s.Schedule.Instalments[1])
	}
	w.verify()
}
