package app_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// A hybrid session from draft to the attendance of its workshop day, through the API: every answer is as documented.
func TestAHybridSessionThroughTheAPI(t *testing.T) {
	w := newWorld(t)
	walker := w.walk(w.h)
	zoe, staff := w.person("zoe@example.org", "Zoé N’Diaye 🎓"), w.person("staff@example.org", "Staff Member")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, staff.ID, "admin")
	})
	w.proctors(staff.ID)
	w.hybridStory(t, walker, w.tokens(staff)(api.Scopes...), w.tokens(zoe)("learning:read", "exams:book"), zoe.ID)
	w.factsAgree()
	w.verify()
}

// Twelve learners run for the five seats of a day at once: five get one, seven are told that it is full, and no seat is sold twice.
func TestAWorkshopDayIsNeverOverfull(t *testing.T) {
	w := newWorld(t)
	var day string
	var enrolments []string
	now := w.clock.Now()
	var people []string
	for i := range 12 {
		people = append(people, w.person(fmt.Sprintf("runner%d@example.org", i), fmt.Sprint("Runner ", i)).ID)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "IOT-3", CourseKey: "IOT", Title: catalog.Text{EN: "IoT"}, Platform: "fun", Kind: catalog.Hybrid})
		if err != nil {
			return err
		}
		d, err := workshops.CreateDayTx(ctx, tx, s.ID, workshops.NewDay{Place: "Dakar", Zone: "Africa/Dakar", StartsAt: now.Add(time.Hour), EndsAt: now.Add(2 * time.Hour), Capacity: 5, Currency: "XOF"})
		day = d.ID
		for i, p := range people {
			id, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p, SessionID: s.ID, OrderID: fmt.Sprint("ord_run", i), Formula: "W", Entitlements: []string{"workshop"}})
			if err != nil {
				return err
			}
			enrolments = append(enrolments, id)
		}
		return err
	})
	codes := make([]string, len(enrolments))
	var all sync.WaitGroup
	for i, e := range enrolments {
		all.Go(func() {
			codes[i] = code(w.h.DB.InTx(system, "run", func(ctx context.Context, tx *postgres.Tx) error {
				_, err := workshops.RegisterTx(ctx, tx, day, e, people[i])
				return err
			}))
		})
	}
	all.Wait()
	count := map[string]int{}
	for _, c := range codes {
		count[c]++
	}
	if count[""] != 5 || count["workshop-day-full"] != 7 {
		t.Error(count)
	}
	w.verify()
}
