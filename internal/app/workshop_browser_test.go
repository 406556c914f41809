package app_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
)

// workshop makes a hybrid session that overlaps another one of its audience, with a day that has begun and n learners on it.
func (w *world) workshop(n int) (day string, enrolments []string) {
	w.t.Helper()
	now := w.h.DB.Now()
	at := func(days int) *time.Time { t := now.AddDate(0, 0, days); return &t }
	var learners []string
	for i := range n {
		learners = append(learners, w.person(fmt.Sprintf("trainee%d@example.org", i), fmt.Sprintf("Trainee Number %d", i)).ID)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: "IOT-1", CourseKey: "IOT", Title: catalog.Text{EN: "Internet of Things"}, Platform: "fun", ThresholdPPM: 500_000, Kind: catalog.Hybrid, MinDays: 1,
			ProductionPPM: 500_000, Audience: "professionals", StartsAt: at(-10), EndsAt: at(30),
		})
		if err != nil {
			return err
		}
		if _, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: "RAN-1", CourseKey: "RAN", Title: catalog.Text{EN: "Radio networks"}, Platform: "fun", ThresholdPPM: 500_000, Audience: "professionals", StartsAt: at(-2), EndsAt: at(50),
		}); err != nil {
			return err
		}
		d, err := workshops.CreateDayTx(ctx, tx, s.ID, workshops.NewDay{
			Place: "Palaiseau, room 1A", Zone: "Europe/Paris", StartsAt: now.Add(-time.Hour), EndsAt: now.Add(6 * time.Hour), Capacity: max(n, 1), Currency: "EUR", CostMinor: 100_000,
		})
		if err != nil {
			return err
		}
		day = d.ID
		for i, l := range learners {
			id, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: l, SessionID: s.ID, OrderID: fmt.Sprint("ord_workshop", i), Formula: "WORKSHOP", Entitlements: []string{"workshop"}})
			if err != nil {
				return err
			}
			if _, err := workshops.RegisterTx(ctx, tx, day, id, ""); err != nil {
				return err
			}
			enrolments = append(enrolments, id)
		}
		return nil
	})
	return day, enrolments
}

// Staff see the year and where it overlaps, record who came to a workshop, and its cost is in the ledger.
func TestACalendarAndAWorkshopInABrowser(t *testing.T) {
	w, mails := newSite(t)
	day, enrolments := w.workshop(3)
	b := newTab(t)
	w.staffTab(b, mails, "officer@example.org")
	b.open(w.cfg.BaseURL + "/console/calendar")
	b.shows("IOT-1", "RAN-1", "professionals")
	b.seen("calendar")
	b.axe("calendar")
	b.open(w.cfg.BaseURL + "/console/sessions/IOT-1")
	b.seen("console-session")
	b.axe("console session")
	b.open(w.cfg.BaseURL + "/console/workshop-days/" + day)
	for i, id := range enrolments {
		status := "present"
		if i == 2 {
			status = "absent"
		}
		b.press(fmt.Sprintf("input[name='status.%s'][value=%s]", id, status), "table")
	}
	b.press("button[name=hold]", "table")
	b.shows("Palaiseau", "held")
	b.seen("attendance")
	b.axe("attendance")
	if a, c, none := w.cost(enrolments[0]), w.cost(enrolments[1]), w.cost(enrolments[2]); a != 50_000 || c != 50_000 || none != 0 {
		t.Error("the day cost", a, c, none)
	}
	w.verify()
}

func init() {
	walks = append(walks, func(w *world, _ string) map[string]string {
		day, _ := w.workshop(2)
		return map[string]string{
			"/console/calendar.:format": "/console/calendar.csv", "/console/sessions/:key": "/console/sessions/IOT-1", "/console/workshop-days/:id": "/console/workshop-days/" + day,
		}
	})
}

// On a phone the menu of the console and the long form of a course begin folded, and a link of the form unfolds what it leads to; on a desktop
// both stand open.
func TestTheConsoleOnAPhone(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	w.staffTab(b, mails, "officer@example.org")
	const shown, unfolded = `document.querySelector("nav.console a").checkVisibility({contentVisibilityAuto: true}) && document.querySelector("nav.console a").getBoundingClientRect().height > 0`,
		`[...document.querySelectorAll("form.paper > details.fold, form.paper > fieldset")].filter(f => f.tagName === "FIELDSET" || f.open).length`
	for width, folded := range map[int64]bool{390: true, 1200: false} {
		b.do(chromedp.EmulateViewport(width, 900))
		b.open(w.cfg.BaseURL + "/console/courses/PRD")
		if open := ask[int](b, unfolded); (open == 0) != folded {
			t.Errorf("at %d px %d parts of the form are unfolded", width, open)
		}
		if got := ask[bool](b, shown); got == folded {
			t.Errorf("at %d px the links of the menu are shown: %v", width, got)
		}
		if high := ask[int](b, `document.documentElement.scrollHeight`); folded && high > 6000 {
			t.Errorf("the form of a course is %d px high on a phone", high)
		}
	}
	b.do(chromedp.EmulateViewport(390, 900))
	b.open(w.cfg.BaseURL + "/console/courses/PRD")
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector(".jump a").click(); undefined`))
	w.until("a link of the form unfolds what it leads to", func() bool { return ask[int](b, unfolded) == 1 })
}
