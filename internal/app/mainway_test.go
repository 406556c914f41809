package app_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
)

const visa = "4242424242424242"

// report is a grade report in the current form of Open edX.
func report(rows ...string) []byte {
	out := "Student ID,Email,Username,Grade,Homework 1: Week 1,Homework 2: Week 2,Homework (Avg),Cohort Name,Enrollment Track,Verification Status,Certificate Eligible,Certificate Delivered,Certificate Type,Enrollment Status\r\n"
	for _, r := range rows {
		out += r + "\r\n"
	}
	return []byte(out)
}

func (w *world) grades(at time.Time, rows ...string) {
	w.t.Helper()
	w.imported(at, rows...)
	w.quiet()
}

// imported is grades without waiting for what follows.
func (w *world) imported(at time.Time, rows ...string) {
	w.t.Helper()
	if _, err := w.h.Gradebook.Import(system, gradebook.Intake{SessionID: w.session.ID, FileName: "r.csv", CollectedAt: at, Content: report(rows...)}); err != nil {
		w.t.Fatal(err)
	}
}

// The whole way: free, upgraded, paid, graded, examined, certified, verified, counted, refunded, revoked.
func TestTheMainWay(t *testing.T) {
	w := newWorld(t)
	zoe := w.person("zoe@example.org", "Zoé N’Diaye 🎓")
	free := w.order(zoe.ID, w.free, "k1")
	if free.State != sales.Paid || free.Lines[0].Enrolment() == "" || free.InvoiceNumber != "" {
		t.Fatalf("a free order is fulfilled at once and has no invoice: %+v", free)
	}
	w.clock.Advance(time.Hour)
	o := w.order(zoe.ID, w.paid, "k2")
	if o.State != sales.AwaitingPayment || o.PayURL == "" || !o.Demo {
		t.Fatalf("%+v", o)
	}
	if again := w.order(zoe.ID, w.paid, "k2"); again.ID != o.ID {
		t.Fatal("the same key placed two orders")
	}
	if again := w.order(zoe.ID, w.paid, "another key"); again.ID != o.ID {
		t.Fatal("a second order was placed while the first waits")
	}
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	if o.Lines[0].Enrolment() != free.Lines[0].Enrolment() || o.InvoiceNumber != "DEMO-IMT-2026-000001" {
		t.Fatalf("an upgrade keeps the enrolment and has an invoice: %+v", o)
	}
	if _, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: zoe.ID, OfferID: w.paid.ID, IdempotencyKey: "k3"}); !errors.Is(err, sales.ErrEnrolled) {
		t.Fatal("she bought the same thing twice:", err)
	}
	w.examined(zoe.ID, o)
	w.refundedAndRevoked(o)
	w.verify()
}

func (w *world) examined(learner string, o sales.Order) {
	t := w.t
	t.Helper()
	ctx := context.Background()
	book := exams.BookSitting{LearnerID: learner, EnrolmentID: o.Lines[0].Enrolment(), IdempotencyKey: "b1"}
	if _, err := w.h.Exams.Book(ctx, book); code(err) != "not-eligible" {
		t.Fatal("booked without a grade:", err)
	}
	w.clock.Advance(24 * time.Hour)
	w.grades(w.clock.Now(), "42,zoe@example.org,zoe,0.5,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled", "43,x@example.org,x,0.49,Not Attempted,0.9,0.45,,honor,N/A,N,N,N/A,enrolled")
	d, _, err := w.eligibility(o.Lines[0].Enrolment())
	if err != nil || !d.Eligible || len(d.Conditions) != 4 {
		t.Fatalf("a grade at the threshold makes eligible: %+v %v", d, err)
	}
	book.LearnerID = "per_somebody_else"
	if _, err := w.h.Exams.Book(ctx, book); code(err) != "no-such-enrolment" {
		t.Fatal("somebody else booked:", err)
	}
	book.LearnerID, book.IdempotencyKey = learner, "b2"
	x, err := w.h.Exams.Book(ctx, book)
	if err != nil || x.State != exams.Booked {
		t.Fatal(x, err)
	}
	book.IdempotencyKey = "b3"
	if _, err := w.h.Exams.Book(ctx, book); !errors.Is(err, exams.ErrBooked) {
		t.Fatal("booked twice:", err)
	}
	score := 874_999
	if _, err := w.h.Exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.Passed, ScorePPM: &score}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.h.Exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.NoShow}); !errors.Is(err, exams.ErrDecided) {
		t.Fatal("a result was overwritten:", err)
	}
	w.quiet()
	c := w.certificate(learner, o.Lines[0].Enrolment())
	if c.Facts.HolderName != "Zoé N’Diaye 🎓" || c.Facts.Grade != "87 %" || !c.Facts.Demo || c.SHA256 == "" {
		t.Fatalf("%+v", c)
	}
	if v, err := w.h.Certificates.Verify(ctx, " "+c.Code[:13]+" "+c.Code[13:]); err != nil || v.ID != c.ID || v.RevokedAt != nil {
		t.Fatal("the code does not verify:", v, err)
	}
	out, err := analytics.OutcomesOf(system, w.h.DB, analytics.Question{Session: w.session.Key})
	if err != nil || out.Paid != 1 || out.Enrolled != 2 || out.Certified.Count != 1 || len(out.Money) != 1 || fmt.Sprint(out.Money[0].PerCertified) != "150.00 EUR" {
		t.Fatalf("%+v %v", out, err)
	}
}

func (w *world) certificate(learner, enrolment string) (c certificates.Certificate) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := certificates.OfEnrolmentsTx(ctx, tx, learner)
		c = all[enrolment]
		return err
	})
	return c
}

// refundedAndRevoked gives everything back: the books are reversed, the free formula stays, the certificate is revoked.
func (w *world) refundedAndRevoked(o sales.Order) {
	t := w.t
	t.Helper()
	before := w.clock.Now()
	w.clock.Advance(time.Hour)
	if _, err := w.h.Sales.Refund(system, sales.RefundOrder{OrderID: o.ID, Reason: "withdrawal", IdempotencyKey: "r1"}); err != nil {
		t.Fatal(err)
	}
	o = w.becomes(o, sales.Refunded)
	w.quiet()
	if o.Credited != o.Total {
		t.Fatal(o.Credited)
	}
	c := w.certificate(o.BuyerID, o.Lines[0].Enrolment())
	if v, err := w.h.Certificates.Verify(context.Background(), c.Code); err != nil || v.RevokedAt == nil {
		t.Fatal("a certificate outlived its payment:", v, err)
	}
	var rows map[string]journey.Row
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		rows, err = journey.RowsTx(ctx, tx, o.Lines[0].Enrolment())
		return err
	})
	way := rows[o.Lines[0].Enrolment()]
	if way.State.Has(journey.Qualifying) || way.State.Has(journey.Certified) || !way.State.Has(journey.Enrolled) || !way.Ever.Has(journey.Certified) {
		t.Fatalf("after the refund: %b, ever %b", way.State, way.Ever)
	}
	now, err := analytics.OutcomesOf(system, w.h.DB, analytics.Question{Session: w.session.Key})
	if err != nil || now.Paid != 0 || len(now.Money) != 0 {
		t.Fatalf("now: %+v %v", now, err)
	}
	then, err := analytics.OutcomesOf(system, w.h.DB, analytics.Question{Session: w.session.Key, AsOf: before})
	if err != nil || then.Paid != 1 || then.Certified.Count != 1 || then.Money[0].Net.Minor != 15000 {
		t.Fatalf("before the refund: %+v %v", then, err)
	}
}
