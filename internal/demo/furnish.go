package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/gateways/mail"
	"cursus/internal/platform/postgres"
)

// openKey is the session that can be bought now.
const openKey = "PRD-9"

// silent drops the mails of the years that the demo walks through.
type silent struct{}

func (silent) Send(context.Context, mail.Message) error { return nil }

// furnish makes the catalogue, the offers and the people.
func (m *maker) furnish(ctx context.Context) error {
	exercises, err := catalog.ReadExerciseMap(strings.NewReader(exerciseMap))
	if err != nil {
		return err
	}
	return m.h.DB.InTx(ctx, "demo catalogue", func(ctx context.Context, tx *postgres.Tx) error {
		if err := catalog.PutCollectionTx(ctx, tx, collection); err != nil {
			return err
		}
		for i, c := range courses {
			if err := publish(ctx, tx, c, i+1); err != nil {
				return err
			}
		}
		staff, err := identity.PutPersonTx(ctx, tx, StaffEmail, "Lifelong-learning officer", "en")
		if err != nil {
			return err
		}
		for _, role := range []string{"admin", "analytics", "sales"} {
			if err := identity.GrantRoleTx(ctx, tx, staff.ID, role); err != nil {
				return err
			}
		}
		for _, s := range sessions {
			if err := m.furnishSession(ctx, tx, s, exercises); err != nil {
				return fmt.Errorf("%s: %w", s.key, err)
			}
		}
		return m.furnishHybrid(ctx, tx)
	})
}

// titleOf is the title of a session by its number, and that of the course where it has none.
func titleOf(key string, number int) (title catalog.Text) {
	for _, c := range courses {
		switch {
		case c.key == key && number == 0:
			title = c.title
		case c.key == key:
			title = catalog.Text{EN: fmt.Sprintf("%s, session %d", c.title.EN, number), FR: fmt.Sprintf("%s, session %d", c.title.FR, number)}
		}
	}
	return title
}

func (m *maker) furnishSession(ctx context.Context, tx *postgres.Tx, s session, exercises []catalog.Exercise) error {
	from, until, ends := s.starts.AddDate(0, -2, 0), s.starts.AddDate(0, 0, 28), s.ends
	made, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
		Key: s.key, CourseKey: s.course, Number: s.number, Title: titleOf(s.course, s.number), Platform: "fun",
		CourseURL: "https://www.fun-mooc.fr/", Audience: audience[s.course], ThresholdPPM: 500_000, StartsAt: &s.starts, EndsAt: &ends, EnrolFrom: &from, EnrolUntil: &until, Exercises: exercises,
	})
	if err != nil {
		return err
	}
	m.open[s.key] = made
	if s.paid == nil {
		return nil
	}
	if err := m.offer(ctx, tx, made); err != nil {
		return err
	}
	for i := range s.paid.bought {
		lang := "fr"
		if i%4 == 0 {
			lang = "en"
		}
		p, err := identity.PutPersonTx(ctx, tx, address(s, i), people[i%len(people)], lang)
		if err != nil {
			return err
		}
		m.buyers[s.key] = append(m.buyers[s.key], p)
	}
	return nil
}

func (m *maker) offer(ctx context.Context, tx *postgres.Tx, s catalog.Session) error {
	free, err := offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Discovery, Price: m.euros(0)})
	if err != nil {
		return err
	}
	paid, err := offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Qualifying, Price: m.euros(150)})
	m.offers[s.Key] = [2]offers.Offer{free, paid}
	return err
}

// openSession makes the session and the program that can be joined now. It is the demo's last act.
func (m *maker) openSession(ctx context.Context) error {
	exercises, err := catalog.ReadExerciseMap(strings.NewReader(exerciseMap))
	if err != nil {
		return err
	}
	today := m.now.Truncate(24 * time.Hour).Add(8 * time.Hour)
	starts, ends, from, until := today.AddDate(0, 0, -7), today.AddDate(0, 2, 0), today.AddDate(0, -2, 0), today.AddDate(0, 1, 0)
	return m.h.DB.InTx(ctx, "demo open session", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: openKey, CourseKey: "PRD", Number: 9, Title: titleOf("PRD", 9), Platform: "fun", PlatformKey: "course-v1:MinesTelecom+04002+session09", CourseURL: "https://www.fun-mooc.fr/", ThresholdPPM: 500_000,
			StartsAt: &starts, EndsAt: &ends, EnrolFrom: &from, EnrolUntil: &until, Exercises: exercises,
		})
		if err != nil {
			return err
		}
		if err := m.offer(ctx, tx, s); err != nil {
			return err
		}
		if err := m.openLabs(ctx, tx, s.ID, m.served); err != nil {
			return err
		}
		return m.openProgram(ctx, tx, starts, from, until, exercises)
	})
}

func (m *maker) enrolmentOf(ctx context.Context, learnerID, sessionID string) (id string, err error) {
	err = m.h.DB.View(ctx, "demo enrolment", func(ctx context.Context, tx *postgres.Tx) error {
		e, _, err := enrolment.FindTx(ctx, tx, learnerID, sessionID)
		id = e.ID
		return err
	})
	return id, err
}
