package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// training is the hybrid course of the paper, sold and held as the doors of the house do it: 13 trainees at 1,900 €, two days, of
// which one was missed by one of them, and everybody certified.
func (w *world) training() {
	w.t.Helper()
	const trainees = 13
	exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHomework 1: Week 1,1\nHomework 2: Week 2,2\n"))
	if err != nil {
		w.t.Fatal(err)
	}
	now := w.h.DB.Now()
	var s catalog.Session
	var o offers.Offer
	var days []string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: "IOT-2019", CourseKey: "IOT", Title: catalog.Text{EN: "Internet of Things"}, Platform: "evolution", ThresholdPPM: 500_000, Kind: catalog.Hybrid,
			MinDays: 1, ProductionPPM: 500_000, Exercises: exercises,
		})
		if err != nil {
			return err
		}
		for i, cost := range []int64{1_300_01, 999_99} {
			starts := now.AddDate(0, 0, i-3)
			d, err := workshops.CreateDayTx(ctx, tx, s.ID, workshops.NewDay{
				Place: "Palaiseau", Zone: "Europe/Paris", StartsAt: starts, EndsAt: starts.Add(7 * time.Hour), Capacity: trainees, Currency: "EUR", CostMinor: cost, PerHeadMinor: 15_50,
			})
			if err != nil {
				return err
			}
			days = append(days, d.ID)
		}
		if _, err := offers.PutFormulaTx(ctx, tx, offers.Formula{
			Key: "HYBRID", Title: catalog.Text{EN: "Hybrid"}, Entitlements: []string{offers.Knowledge, offers.Workshop, offers.ProctoredExam, offers.Certificate}, Qualifying: true,
		}, 0); err != nil {
			return err
		}
		o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: "HYBRID", Price: money.Of(1900_00, "EUR")})
		return err
	})
	var people, enrolments []string
	for i := range trainees {
		p := w.person(fmt.Sprintf("trainee%02d@example.org", i), fmt.Sprint("Trainee ", i))
		x := w.order(p.ID, o, fmt.Sprint("training-", i))
		w.pay(x, visa)
		people, enrolments = append(people, p.ID), append(enrolments, w.becomes(x, sales.Paid).Lines[0].Enrolment())
	}
	var marks []workshops.Mark
	var made []workshops.Production
	rows := []string{}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		for i, e := range enrolments {
			status := workshops.Present
			if i == 4 {
				status = workshops.Absent // on the second day
			}
			marks, made = append(marks, workshops.Mark{EnrolmentID: e, Status: status}), append(made, workshops.Production{EnrolmentID: e, GradePPM: 700_000})
			rows = append(rows, fmt.Sprintf("%d,trainee%02d@example.org,trainee%d,0.7,0.8,0.6,0.7,,honor,N/A,Y,N,N/A,enrolled", i+1, i, i))
			for _, d := range days {
				if _, err := workshops.RegisterTx(ctx, tx, d, e, ""); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for i, d := range days {
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			came := append([]workshops.Mark{}, marks...)
			if i == 0 {
				came[4].Status = workshops.Present
			}
			if _, err := w.h.Workshops.RecordAttendanceTx(ctx, tx, d, came); err != nil {
				return err
			}
			_, err := workshops.HoldTx(ctx, tx, d)
			return err
		})
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return w.h.Workshops.RecordProductionsTx(ctx, tx, s.ID, made)
	})
	if _, err := w.h.Gradebook.Import(system, gradebook.Intake{SessionID: s.ID, FileName: "r.csv", CollectedAt: w.h.DB.Now(), Content: report(rows...)}); err != nil {
		w.t.Fatal(err)
	}
	w.quiet()
	for i, e := range enrolments {
		x, err := w.h.Exams.Book(context.Background(), exams.BookSitting{LearnerID: people[i], EnrolmentID: e, IdempotencyKey: fmt.Sprint("sit-", i)})
		if err != nil {
			w.t.Fatal(err)
		}
		score := 800_000
		if _, err := w.h.Exams.RecordResult(system, exams.Result{SittingID: x.ID, State: exams.Passed, ScorePPM: &score}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.quiet()
}

// What the hybrid course brought and cost is on the page, in both files and in the report, and adds up to the cent.
func TestTheOutcomesOfAHybridCourseSayWhatItCost(t *testing.T) {
	w, mails := newSite(t)
	w.training()
	o, err := analytics.OutcomesOf(system, w.h.DB, analytics.Question{Session: "IOT-2019"})
	if err != nil || len(o.Money) != 1 {
		t.Fatal(o, err)
	}
	if o.Paid != 13 || o.Certified.Count != 13 || *o.Certified.Tenths != 1000 || *o.Certified.Low != 772 || *o.Certified.High != 1000 {
		t.Errorf("%+v", o.Certified)
	}
	got := ""
	for _, l := range o.Money[0].Lines() {
		got += l.ID + " " + l.Amount.String() + "\n"
	}
	// 1,300.01 + 13 × 15.50 and 999.99 + 12 × 15.50
	want := "net_revenue 24700.00 EUR\nnet_per_started 1900.00 EUR\nnet_per_diligent 1900.00 EUR\nnet_per_certified 1900.00 EUR\n" +
		"cost 2687.50 EUR\ncontribution 22012.50 EUR\ncost_per_started 206.73 EUR\ncost_per_diligent 206.73 EUR\ncost_per_certified 206.73 EUR\ncontribution_per_certified 1693.27 EUR\n"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	b := newTab(t)
	w.staffTab(b, mails, "officer@example.org")
	b.open(w.cfg.BaseURL + "/staff")
	b.shows("24,700.00", "2,687.50", "22,012.50", "1,900.00", "77.2")
	b.seen("outcomes-hybrid")
	b.axe("outcomes of a hybrid course")
	w.verify()
}
