package demo

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
)

// The hybrid course of the paper's §4.3: Internet of Things for professionals, March 2019, three days, 13 trainees at 1,900 €, all certified
// on what they did on line and on what they made at the bench. What a day cost is not in the paper; the amounts here are made up.
var (
	iot = course{"IOT", catalog.Text{EN: "Internet of Things", FR: "Internet des objets"},
		catalog.Text{EN: "Sensors, radio, protocols and data, on line and at the bench.", FR: "Capteurs, radio, protocoles et données, en ligne et à la paillasse."}, "post_bachelor", 21}
	iot2019 = session{key: "IOT-2019", course: "IOT", number: 1, starts: day(2019, 3, 26), ends: day(2019, 3, 28).Add(8*time.Hour + 30*time.Minute), enrolled: trainees}
)

const (
	trainees     = 13
	trainingFee  = 1900
	benchMinor   = 2_150_00 // the room, its equipment and two teachers, each day
	lunchMinor   = 65_00    // for each who came
	hybridDays   = 3
	hybridReport = "Student ID,Email,Username,Grade,Quiz 1,Quiz 2,Quiz 3,Quiz (Avg),Lab,Cohort Name,Enrollment Track,Verification Status," +
		"Certificate Eligible,Certificate Delivered,Certificate Type,Enrollment Status\r\n"
	hybridMap = "exercise,week,scored,activity\nQuiz 1,1,Y,quiz\nQuiz 2,2,Y,quiz\nQuiz 3,3,Y,quiz\nLab,3,Y,lab\n"
)

var hybridFormula = offers.Formula{
	Key: "HYBRID", Title: catalog.Text{EN: "HYBRID", FR: "HYBRIDE"},
	Pitch: catalog.Text{
		EN: "On line at your own pace, then three days at the bench, certificate included.",
		FR: "En ligne à son rythme, puis trois jours à la paillasse, certificat compris.",
	},
	Entitlements: []string{offers.Knowledge, offers.Practice, offers.KnowHow, offers.Labs, offers.ProctoredExam, offers.Certificate, offers.Workshop},
	Qualifying:   true, Position: 30,
}

// furnishHybrid makes the course with its session, the days in the room, the formula, the offer and the people.
func (m *maker) furnishHybrid(ctx context.Context, tx *postgres.Tx) error {
	if err := publish(ctx, tx, iot, len(courses)+1); err != nil {
		return err
	}
	exercises, err := catalog.ReadExerciseMap(strings.NewReader(hybridMap))
	if err != nil {
		return err
	}
	s, seats := iot2019, 16
	from, until := s.starts.AddDate(0, 0, -90), s.starts.AddDate(0, 0, -6)
	made, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
		Key: s.key, CourseKey: s.course, Number: s.number, Title: catalog.Text{EN: "Internet of Things, hybrid, March 2019", FR: "Internet des objets, hybride, mars 2019"},
		Kind: catalog.Hybrid, Platform: "telecom-evolution", PlatformKey: "course-v1:TelecomEvolution+IOT+2019", CourseURL: "https://www.telecom-evolution.fr/",
		Audience: "professionals", Language: "fr", ThresholdPPM: 500_000, StartsAt: &s.starts, EndsAt: &s.ends, EnrolFrom: &from, EnrolUntil: &until, Capacity: &seats,
		MinDays: hybridDays, ProductionPPM: 500_000, Exercises: exercises,
	})
	if err != nil {
		return err
	}
	m.open[s.key] = made
	for i := range hybridDays {
		d, err := workshops.CreateDayTx(ctx, tx, made.ID, workshops.NewDay{
			Title: catalog.Text{EN: fmt.Sprintf("At the bench, day %d", i+1), FR: fmt.Sprintf("À la paillasse, jour %d", i+1)}, Place: "Télécom Paris, 46 rue Barrault, Paris",
			Zone: "Europe/Paris", StartsAt: s.starts.AddDate(0, 0, i), EndsAt: s.starts.AddDate(0, 0, i).Add(8 * time.Hour), Capacity: seats, Currency: "EUR",
			CostMinor: benchMinor, PerHeadMinor: lunchMinor,
		})
		if err != nil {
			return err
		}
		m.days = append(m.days, d)
	}
	if _, err := offers.PutFormulaTx(ctx, tx, hybridFormula, 0); err != nil {
		return err
	}
	quota := seats
	paid, err := offers.CreateTx(ctx, tx, offers.NewOffer{
		Session: made.ID, Formula: hybridFormula.Key, Price: m.euros(trainingFee), Quota: &quota, Call: catalog.Text{EN: "Book three days", FR: "Réserver trois jours"},
	})
	if err != nil {
		return err
	}
	m.offers[s.key] = [2]offers.Offer{{}, paid}
	for i := range trainees {
		p, err := identity.PutPersonTx(ctx, tx, address(s, i), people[(i+3)%len(people)], "fr")
		if err != nil {
			return err
		}
		m.buyers[s.key] = append(m.buyers[s.key], p)
	}
	return nil
}

// hybridEvents is the story of the hybrid session.
func (m *maker) hybridEvents() (events []event) {
	s := iot2019
	add := func(at time.Time, what string, do func(context.Context) error) {
		events = append(events, event{at, s.key + ": " + what, do})
	}
	for i := range trainees {
		add(s.starts.AddDate(0, 0, -40).Add(time.Duration(i)*13*time.Hour), "purchase and seats", func(ctx context.Context) error { return m.train(ctx, i) })
	}
	for i := range hybridDays {
		add(s.starts.AddDate(0, 0, i).Add(8*time.Hour), "workshop", func(ctx context.Context) error { return m.meet(ctx, i) })
	}
	add(s.ends, "productions and grades", m.produced)
	for i := range trainees {
		at := s.ends.AddDate(0, 0, 5).Add(time.Duration(i) * 2 * time.Hour)
		add(at, "exam", func(ctx context.Context) error { return m.exam(ctx, s, at, i) })
	}
	return events
}

// train lets a trainee buy the course and take her seats, as she can herself.
func (m *maker) train(ctx context.Context, i int) error {
	buyer := m.buyers[iot2019.key][i]
	if err := m.purchase(ctx, buyer, m.offers[iot2019.key][1], fmt.Sprintf("%s-%d", iot2019.key, i)); err != nil {
		return err
	}
	id, err := m.enrolmentOf(ctx, buyer.ID, m.open[iot2019.key].ID)
	if err != nil {
		return err
	}
	return m.h.DB.InTx(ctx, "demo seats", func(ctx context.Context, tx *postgres.Tx) error {
		for _, d := range m.days {
			if _, err := workshops.RegisterTx(ctx, tx, d.ID, id, buyer.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// meet is a day in the room: everybody came.
func (m *maker) meet(ctx context.Context, i int) error {
	return m.h.DB.InTx(ctx, "demo workshop", func(ctx context.Context, tx *postgres.Tx) error {
		seats, err := workshops.SheetTx(ctx, tx, m.days[i].ID)
		if err != nil {
			return err
		}
		var marks []workshops.Mark
		for _, x := range seats {
			marks = append(marks, workshops.Mark{EnrolmentID: x.EnrolmentID, Status: workshops.Present})
		}
		if _, err := m.h.Workshops.RecordAttendanceTx(ctx, tx, m.days[i].ID, marks); err != nil {
			return err
		}
		_, err = workshops.HoldTx(ctx, tx, m.days[i].ID)
		return err
	})
}

// produced grades what was made at the bench and imports what was done on line.
func (m *maker) produced(ctx context.Context) error {
	var made []workshops.Production
	var b bytes.Buffer
	b.WriteString(hybridReport)
	for i, p := range m.buyers[iot2019.key] {
		id, err := m.enrolmentOf(ctx, p.ID, m.open[iot2019.key].ID)
		if err != nil {
			return err
		}
		made = append(made, workshops.Production{EnrolmentID: id, GradePPM: 600_000 + 25_000*i})
		fmt.Fprintf(&b, "%d,%s,trainee%02d,0.%d,0.8,0.7,0.%d,0.7,0.9,HYBRID,honor,N/A,Y,N,N/A,enrolled\r\n", i+1, p.Email, i+1, 64+2*i, 5+i%4)
	}
	if err := m.h.DB.InTx(ctx, "demo productions", func(ctx context.Context, tx *postgres.Tx) error {
		return m.h.Workshops.RecordProductionsTx(ctx, tx, m.open[iot2019.key].ID, made)
	}); err != nil {
		return err
	}
	if _, err := m.h.Gradebook.Import(ctx, gradebook.Intake{
		SessionID: m.open[iot2019.key].ID, CollectedAt: m.clock.Now(), Content: b.Bytes(),
		FileName: fmt.Sprintf("TelecomEvolution_IOT_2019_grade_report_%s.csv", m.clock.Now().Format("2006-01-02-1504")),
	}); err != nil {
		return err
	}
	return m.settle(ctx)
}
